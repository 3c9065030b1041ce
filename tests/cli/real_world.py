"""credtray as a real process in a throw-away home, with the embedded Identity Center behind a proxy."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from credtray.core.shell_words import command_line
from credtray.demo.identity_center import IdentityCenter
from tests import warm_start
from tests.connect_proxy import ConnectProxy
from tests.warm_start import Process

ROOT = Path(__file__).resolve().parents[2]
BROWSER = Path(__file__).with_name("browser_program.py")
AWS = Path("/usr/bin/aws")
WINDOWS = sys.platform == "win32"
SECONDS = 120.0 if WINDOWS else 30.0


SESSION = (
    "[sso-session synderys]\n"
    "sso_start_url = https://aws.synderys.com\n"
    "sso_region = us-east-1\n"
    "sso_registration_scopes = sso:account:access\n"
)


def profile(name: str, account: str, role: str) -> str:
    """Return a profile as setup writes it."""
    return (
        f"\n[profile {name}]\n"
        "# credtray: made by setup\n"
        "sso_session = synderys\n"
        f"sso_account_id = {account}\n"
        f"sso_role_name = {role}\n"
        "region = us-east-1\n"
    )


READONLY = profile("synderys-readonly", "111100000001", "ReadOnly")
DNS = profile("synderys-dns", "111100000002", "DNS")


@dataclass(frozen=True, slots=True)
class World:
    """One user and one portal."""

    home: Path
    portal: IdentityCenter
    proxy: ConnectProxy

    @property
    def environment(self) -> dict[str, str]:
        browser = [sys.executable, "-I", "-S", str(BROWSER), str(self.proxy.ca_bundle), "%s"]
        local = str(self.home / "AppData" / "Local")
        system = (
            {
                "USERPROFILE": str(self.home),
                "LOCALAPPDATA": local,
                "WIN_PD_OVERRIDE_LOCAL_APPDATA": local,
                "SYSTEMROOT": os.environ["SYSTEMROOT"],
                "PATH": os.environ["PATH"],
            }
            if WINDOWS
            else {"XDG_RUNTIME_DIR": str(self.home / "run"), "PATH": "/usr/bin:/bin"}
        )
        return {
            **system,
            "HOME": str(self.home),
            "BROWSER": command_line(browser, windows=WINDOWS),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.proxy.environment,
        }

    @property
    def config(self) -> Path:
        return self.home / ".aws" / "config"

    @property
    def credentials(self) -> Path:
        return self.home / ".aws" / "credentials"

    @property
    def listening(self) -> Path:
        """What is there while an agent serves."""
        if WINDOWS:
            return self.home / "AppData" / "Local" / "credtray" / "agent.pipe"
        return self.home / "run" / "credtray" / "agent.sock"

    def configure(self) -> None:
        """Write the config file of a user who has set up two profiles and is signed out."""
        self.config.parent.mkdir()
        self.config.write_text(SESSION + DNS + READONLY)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "credtray", *words]

    def credtray(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with warm_start.start("credtray", *words, env={**self.environment, **variables}) as process:
            out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(words, process.wait(), out, err)

    def aws(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Debian's AWS CLI to its end."""
        return subprocess.run(
            [AWS, *words], env=self.environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    @contextlib.contextmanager
    def agent(self) -> Iterator[Process]:
        """Run the agent for a while."""
        with warm_start.start(
            "credtray", "run", env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_until(self.listening.exists)
                yield process
            finally:
                process.terminate()


def wait_until(condition: Callable[[], object]) -> None:
    """Look again and again until it holds; for real processes only."""
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
