"""B4: the real writer against programs that rewrite the credentials file in place or by renaming."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.aws.credentials_file import CredentialsFile
from credtray.core import ini
from credtray.core.errors import CredtrayError, Retry
from credtray.core.models import RoleCredentials, Secret, SectionKeys
from credtray.files.shared_file import SharedFile
from tests import botocore_oracle
from tests.soak import SOAK

EDITS = 5_000 if SOAK else 150
CLI_EDITS = 300 if SOAK else 8
AWS = "/usr/bin/aws"
WORK = {"aws_access_key_id": "AKIAWORK", "aws_secret_access_key": "w"}
USERS = b"""# my file
[user]
region = eu-west-1

; work
[work]
aws_access_key_id = AKIAWORK
aws_secret_access_key = w
"""


class Agent:
    """Refreshes a section again and again, each time with other keys, as fast as it can."""

    def __init__(self, path: Path) -> None:
        state = path.parent.parent / "state"
        self.file = CredentialsFile(SharedFile(path, state / "locks", backup_directory=state))
        self.number = 0
        self.put_off = 0

    def refresh(self) -> bool:
        """Sync once; False when it was put off because of the other writer."""
        self.number += 1
        now = datetime.now(UTC)
        keys = RoleCredentials(
            f"ASIA{self.number:016d}", Secret("s" * 40), Secret("t" * 600), now + timedelta(hours=1), now
        )
        try:
            report = self.file.sync([SectionKeys("ours", "ours", keys)], [], now)
        except CredtrayError as error:
            if error.retry is not Retry.LATER:
                raise
            self.put_off += 1
            return False
        if report.refused:
            assert report.refused["ours"].code == "file_contended", report.refused
            self.put_off += 1
            return False
        return True

    def holds(self, path: Path) -> bool:
        keys = ini.section_keys(path.read_bytes(), "ours")
        return keys is not None and keys.get("aws_access_key_id") == f"ASIA{self.number:016d}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / ".aws" / "credentials"
    path.parent.mkdir(mode=0o700)
    path.write_bytes(USERS)
    return path


def settle(agent: Agent, path: Path) -> None:
    """Ours comes back within 10 s of the last edit."""
    deadline = time.monotonic() + 15
    while not (agent.refresh() and agent.holds(path)):
        assert time.monotonic() < deadline, "our section did not come back"
        time.sleep(0.5)


def check_nothing_lost(path: Path, expected: dict[str, dict[str, str]]) -> None:
    text = path.read_text()
    parsed = botocore_oracle.profiles(path)
    del parsed["ours"]

    assert expected == parsed
    assert text.startswith("# my file\n[user]\n")
    assert "\n; work\n[work]\n" in text
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.glob(".credtray*")) == []


@pytest.mark.timeout(7200 if SOAK else 600)
@pytest.mark.parametrize("kind", ["in_place", "renaming"])
def test_no_edit_of_another_program_is_lost_and_ours_comes_back(path: Path, kind: str) -> None:
    script = Path(__file__).with_name("other_writers.py")
    agent = Agent(path)
    with subprocess.Popen([sys.executable, script, kind, path, "0", str(EDITS)]) as other:
        while other.poll() is None:
            agent.refresh()
            time.sleep(0.05)

        assert other.returncode == 0
    settle(agent, path)

    edits = {f"edit_{number}": str(number) for number in range(EDITS)}
    check_nothing_lost(path, {"user": {"region": "eu-west-1", **edits}, "work": WORK})
    assert agent.number > 2, "they have hardly met"


@pytest.mark.timeout(7200 if SOAK else 600)
def test_no_edit_by_the_real_aws_cli_is_lost_and_ours_comes_back(path: Path) -> None:
    if not Path(AWS).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("the AWS CLI is missing; apt-get install awscli")
        pytest.skip("no AWS CLI here")
    agent = Agent(path)
    environment = {**os.environ, "AWS_SHARED_CREDENTIALS_FILE": str(path)}
    for number in range(CLI_EDITS):
        command = [
            AWS,
            "configure",
            "set",
            "aws_access_key_id",
            f"AKIA{number}",
            "--profile",
            f"cli-{number}",
        ]
        with subprocess.Popen(command, env=environment) as cli:
            while cli.poll() is None:
                agent.refresh()
                time.sleep(0.02)

            assert cli.returncode == 0
    settle(agent, path)

    edits = {f"cli-{number}": {"aws_access_key_id": f"AKIA{number}"} for number in range(CLI_EDITS)}
    check_nothing_lost(path, {"user": {"region": "eu-west-1"}, "work": WORK, **edits})
