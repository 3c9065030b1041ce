"""Measures `credentials P` and `kube-token` against an interpreter that does nothing, and the AWS CLI.

Runs of all of them alternate, so that a busy machine slows each of them: the ratios count, not the times.
Everything happens in a throw-away home; nothing is read from or written to the user's own.

    python -m bench.credentials_fetch [ROUNDS]

A Python for Windows, under Wine too, measures the same: ``on_windows`` has one do it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from credtray.core.models import Secret
from credtray.core.protocol import ProcessCredentials

ROOT = Path(__file__).resolve().parents[1]
DOOR = str(ROOT / "agent" / "credtray" / "__main__.py")
WINDOWS_PYTHON = "WINDOWS_PYTHON"
"""Names a program that runs Python for Windows with the words it gets and imports this checkout."""
AWS_CLI = "/usr/bin/aws"
"""Debian's own, not a version manager's shim."""
ROUNDS = 40
AWS_ROUNDS = 8
FLOOR_LIMIT = 1.5
AWS_LIMIT = 25.0
TOKEN_LIMIT = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in milliseconds, and what they must keep."""

    floor: float
    fetch: float
    aws: float | None
    over_floor: float
    """Median of the ratios of neighbouring runs."""
    faster_than_aws: float | None
    sts_form: float
    token: float
    aws_token: float | None
    sts_form_over_floor: float
    token_over_floor: float

    @property
    def passed(self) -> bool:
        """True when all targets are met; the AWS CLI counts only where there is one."""
        floor = self.over_floor <= FLOOR_LIMIT and self.sts_form_over_floor <= FLOOR_LIMIT
        return (floor and self.token_over_floor <= TOKEN_LIMIT) and (
            self.faster_than_aws is None or self.faster_than_aws >= AWS_LIMIT
        )

    def lines(self) -> Iterator[str]:
        """Yield the table for a person."""
        yield f"python -I -S -c pass            {self.floor:8.1f} ms"
        yield (
            f"credtray credentials P          {self.fetch:8.1f} ms"
            f"  {self.over_floor:.2f} x the floor (<= {FLOOR_LIMIT})"
        )
        if self.aws is None or self.faster_than_aws is None:
            yield f"AWS CLI                         not here ({AWS_CLI})"
        else:
            yield (
                f"aws configure export-credentials{self.aws:8.1f} ms"
                f"  {self.faster_than_aws:.0f} x slower (>= {AWS_LIMIT:.0f})"
            )
        yield (
            f"credtray credentials --form sts {self.sts_form:8.1f} ms"
            f"  {self.sts_form_over_floor:.2f} x the floor (<= {FLOOR_LIMIT})"
        )
        yield (
            f"credtray kube-token             {self.token:8.1f} ms"
            f"  {self.token_over_floor:.2f} x the floor (<= {TOKEN_LIMIT})"
        )
        if self.aws_token is not None:
            yield (
                f"aws eks get-token               {self.aws_token:8.1f} ms"
                f"  {self.aws_token / self.token:.0f} x slower"
            )


def measure(rounds: int = ROUNDS) -> Result:
    """Run all of them in turn, ``rounds`` times."""
    plain = [sys.executable, "-I", "-S", "-c", "pass"]
    fetch = [sys.executable, "-I", "-S", DOOR, "credentials", "bench"]
    token = [*fetch[:4], "kube-token", "bench", "--profile", "bench", "--region", "us-east-1"]
    with tempfile.TemporaryDirectory(prefix="credtray-bench-") as directory:
        home = Path(directory)
        environment = _home(home)
        with _agent(environment):
            _expect(fetch, environment)
            _expect(token, environment, "k8s-aws-v1.")
            commands = (plain, fetch, [*fetch, "--form", "sts"], token)
            runs = [[_timed(command, environment) for command in commands] for _ in range(rounds)]
            aws = _aws(environment, max(1, min(rounds, AWS_ROUNDS)), ["configure", "export-credentials"])
            aws_token = _aws(environment, 3, ["eks", "get-token", "--cluster-name", "bench"])
    floor, ours, sts_form, made = (statistics.median(each) for each in zip(*runs, strict=True))
    over = [statistics.median(run[at] / run[0] for run in runs) for at in range(len(commands))]
    faster = None if aws is None else aws / ours
    return Result(floor, ours, aws, over[1], faster, sts_form, made, aws_token, over[2], over[3])


def on_windows(rounds: int = ROUNDS) -> Iterator[str]:
    """Have a Windows Python measure it, interpreter against fetch; yield the table for a person."""
    python = os.environ.get(WINDOWS_PYTHON)
    if python is None:
        yield f"credtray credentials P, Windows  not here ({WINDOWS_PYTHON} names none)"
        return
    command = [python, "-m", "bench.credentials_fetch", str(rounds)]
    done = subprocess.run(  # noqa: S603 -- whoever runs this has named it
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    measured = done.stdout.splitlines()[:2]
    if not measured:
        raise RuntimeError(done.stderr)
    for line in measured:
        yield f"on Windows: {line}"


def _home(home: Path) -> dict[str, str]:
    """Lay out a home with one profile whose role credentials the AWS CLI has in its cache: its best case."""
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    start_url = "https://d-9067000001.awsapps.com/start"
    cache = home / ".aws" / "cli" / "cache"
    cache.mkdir(parents=True)
    (home / ".aws" / "config").write_text(
        f"[profile bench]\nsso_start_url = {start_url}\nsso_region = us-east-1\nregion = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = ReadOnly\n"
    )
    key = {"accountId": "123456789012", "roleName": "ReadOnly", "startUrl": start_url}
    name = hashlib.sha1(
        json.dumps(key, sort_keys=True, separators=(",", ":")).encode(), usedforsecurity=False
    ).hexdigest()
    keys = ProcessCredentials(1, "ASIAEXAMPLE", Secret("secret"), Secret("token"), _in_an_hour())
    held = json.loads(keys.line())
    held.pop("Version")
    (cache / f"{name}.json").write_text(json.dumps({"ProviderType": "sso", "Credentials": held}))
    inherited = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT") if key in os.environ}
    ours = {"HOME": home, "USERPROFILE": home, "XDG_RUNTIME_DIR": runtime, "LOCALAPPDATA": runtime}
    return {**inherited, **{key: str(path) for key, path in ours.items()}}


def _in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _agent(environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.daemon.stub_agent"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
    )
    try:
        if process.stdout is None or process.stdout.readline().rstrip() != b"serving":
            raise RuntimeError("the agent did not start")
        yield
    finally:
        process.terminate()
        process.communicate()


def _aws(environment: dict[str, str], rounds: int, words: list[str]) -> float | None:
    if shutil.which(AWS_CLI) is None:
        return None
    command = [AWS_CLI, *words, "--profile", "bench"]
    _expect(command, environment, "k8s-aws-v1." if words[0] == "eks" else "SessionToken")
    return statistics.median(_timed(command, environment) for _ in range(rounds))


def _expect(command: list[str], environment: dict[str, str], printed: str = "SessionToken") -> None:
    """Make sure that the command does what is about to be measured."""
    done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603 -- ours or the CLI
    if printed.encode() not in done.stdout:
        raise RuntimeError(f"{command[0]} printed no credentials")


def _timed(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 -- ours or the CLI
    return 1000 * (time.perf_counter() - started)


def main() -> int:
    """Print the table; exit 1 when a target is missed."""
    result = measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
    sys.stdout.write("\n".join(result.lines()) + "\n")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
