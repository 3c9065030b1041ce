"""A user's home with the real programs in it: the agent, the commands, a portal, a stand-in browser."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests import warm_start
from tests.portal import RunningPortal
from tests.soak import SOAK
from tests.warm_start import Process

BROWSER = Path(__file__).with_name("browser.py")
SESSION = """\
[sso-session synderys]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"""
ROLES = {
    "synderys-readonly": ("111100000001", "ReadOnly"),
    "synderys-dns": ("111100000002", "DNS"),
    "synderys-security": ("111100000003", "Security"),
}


def profile(name: str) -> str:
    account, role = ROLES[name]
    return f"""
[profile {name}]
sso_session = synderys
sso_account_id = {account}
sso_role_name = {role}
region = eu-west-1
"""


@dataclass
class House:
    home: Path
    portal: RunningPortal
    environ: dict[str, str] = field(default_factory=dict)
    cold: bool = SOAK
    """Whether each program is an interpreter of its own, as people start it (see tests/warm_start.py)."""

    def __post_init__(self) -> None:
        self.journal = self.home / "browser-journal"
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
        runtime = self.home / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        browser = shlex.join([sys.executable, "-I", "-S", str(BROWSER), str(self.journal)])
        self.environ = {
            **kept,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(runtime),
            "TZ": "UTC",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus",
            "AWS_ENDPOINT_URL_SSO_OIDC": self.portal.url,
            "AWS_ENDPOINT_URL_SSO": self.portal.url,
            "AWS_ENDPOINT_URL_STS": self.portal.url,
            "BROWSER": f"{browser} %s &",
            **self.environ,
        }

    # --- files ------------------------------------------------------------------------------------------

    @property
    def config(self) -> Path:
        return self.home / ".aws" / "config"

    @property
    def credentials(self) -> Path:
        return self.home / ".aws" / "credentials"

    @property
    def log(self) -> Path:
        return self.home / ".local" / "state" / "credtray" / "log" / "agent.log"

    def configure(self, *names: str, more: str = "") -> None:
        self.config.parent.mkdir(mode=0o700, exist_ok=True)
        self.config.write_text(SESSION + "".join(profile(name) for name in names or ROLES) + more)

    def written(self) -> str:
        return self.credentials.read_text() if self.credentials.exists() else ""

    def visits(self) -> list[str]:
        return self.journal.read_text().splitlines() if self.journal.exists() else []

    def hesitate(self) -> None:
        """Let the person at the browser press no button of ours."""
        Path(f"{self.journal}.hesitates").touch()

    def token_file(self) -> Path:
        return self.home / ".aws" / "sso" / "cache" / "76caebab2d9994335a70389d349a1946ada71268.json"

    # --- programs ---------------------------------------------------------------------------------------

    def start(self, *words: str, output: IO[str] | int = subprocess.PIPE) -> Process:
        return warm_start.start(
            "credtray", *words, env=self.environ, stdout=output, stderr=output, cold=self.cold
        )

    def run(
        self, *words: str, code: int | None = 0, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; *code* is the exit code it must have."""
        process = self.start(*words)
        out, err = process.communicate(timeout=seconds)
        ended = process.wait()
        assert code is None or ended == code, f"{words}: {ended}\n{out}\n{err}"
        return subprocess.CompletedProcess(words, ended, out, err)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return found

    def session(self) -> dict[str, Any]:
        found: dict[str, Any] = self.status()["sessions"][0]
        return found

    def profile(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(item for item in self.status()["profiles"] if item["name"] == name)
        return found

    @contextmanager
    def agent(self) -> Iterator[Process]:
        """Run the agent until the block ends; it must end by itself when asked."""
        with (self.home / "agent-output").open("a") as output:
            process = self.start("run", output=output)
        try:
            until((self.home / "run" / "credtray" / "agent.sock").exists)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()
                process.wait(10)

    def calls(self, operation: str) -> int:
        counters: dict[str, int] = self.portal.command("counters")["calls"]
        return counters.get(operation, 0)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for real processes to get there, and not longer."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {true}"
        time.sleep(0.05)
