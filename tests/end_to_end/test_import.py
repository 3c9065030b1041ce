"""Keys pasted from the access portal, with the real agent, the real commands and the real AWS CLI."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from credtray.demo.pace import PacedClock
from tests.end_to_end.house import House, until
from tests.end_to_end.pasting import DNS, Keys, issued, pasted
from tests.portal import RunningPortal, running

AWS = Path("/usr/bin/aws")
BOTO = """
import boto3, sys
session = boto3.Session(profile_name=sys.argv[1])
client = session.client("sts", region_name="us-east-1", endpoint_url=sys.argv[2])
print(client.get_caller_identity()["Arn"])
"""


def account(house: House, name: str) -> str:
    """Return the account that boto3 reaches with a section."""
    command = [sys.executable, "-I", "-c", BOTO, name, house.portal.url]
    done = subprocess.run(command, env=house.environ, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split(":")[4]


@pytest.fixture(scope="module")
def portal() -> Iterator[RunningPortal]:
    with running("--auto-approve", "alice") as found:
        yield found


@pytest.fixture
def keys(house: House) -> Keys:
    return issued(house.portal.url)


# --- kept --------------------------------------------------------------------------------------------


def test_a_pasted_block_is_kept_shown_and_used_by_boto3(house: House, keys: Keys) -> None:
    with house.agent():
        told = json.loads(
            pasted(house, keys.block().replace("\n", "\r\n"), "--json", "--expires", "1h").stdout
        )
        shown = house.run("status").stdout
        document = house.status()["imports"]

        assert (told["section"], told["account_id"], told["role_name"]) == (DNS, "111100000002", "DNS")
        assert (told["checked"], told["expires_from"], told["profile"]) == (True, "said", None)
        assert account(house, DNS) == "111100000002"
        assert "Pasted keys" in shown
        assert DNS in house.run("profiles").stdout
        assert [(each["section"], each["expires_at"]) for each in document] == [(DNS, told["expires_at"])]

        house.run("deactivate", DNS)

        assert house.written() == ""


def test_stop_says_nothing_of_pasted_keys_which_stay(house: House, keys: Keys) -> None:
    with house.agent():
        pasted(house, keys.block())
        stopped = house.run("stop")

    assert stopped.stderr == ""
    assert DNS in house.written()


@pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package")
def test_the_aws_cli_reads_the_section(house: House, keys: Keys) -> None:
    pasted(house, keys.exports(), "--name", "legacy")
    command = [str(AWS), "configure", "get", "aws_access_key_id", "--profile", "legacy"]
    done = subprocess.run(command, env=house.environ, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == keys.access_key_id


def test_without_an_agent_they_are_kept_and_the_next_agent_knows_them(house: House, keys: Keys) -> None:
    done = pasted(house, keys.exports())

    assert done.stdout.startswith("[DNS] holds the pasted keys until")
    assert "4 h is assumed" in done.stderr
    assert "credtray start" in done.stderr

    with house.agent():
        assert [each["role_name"] for each in house.status()["imports"]] == ["DNS"]
    with house.agent():  # the end of an agent leaves them: nobody could fetch them anew
        assert account(house, "DNS") == "111100000002"
        assert house.run("undo", "--yes").returncode == 0
        assert house.written() == ""


def test_an_agent_that_was_killed_goes_on_where_it_was(house: House, keys: Keys) -> None:
    with house.agent() as process:
        pasted(house, keys.block())
        before = house.written()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with house.agent():
        assert house.written() == before
        assert [each["section"] for each in house.status()["imports"]] == [DNS]


def test_two_imports_at_once_without_an_agent_are_both_kept(house: House, keys: Keys) -> None:
    paste = house.home / "paste"
    paste.write_text(keys.exports())
    running = [house.start("import", str(paste), "--name", name) for name in ("one", "two")]
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err

    with house.agent():
        assert sorted(each["section"] for each in house.status()["imports"]) == ["one", "two"]


# --- the end -----------------------------------------------------------------------------------------


@contextmanager
def paced_agent(house: House, clock: PacedClock, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the agent in the time of a clock; it tells its notices on standard output."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "credtray.demo.paced_agent", str(path), "3600"],
        env=house.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            until((house.home / "run" / "credtray" / "agent.sock").exists)
            yield process
        finally:
            process.terminate()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    notice: dict[str, Any] = json.loads(process.stdout.readline())
    return notice


def test_a_person_is_reminded_and_the_keys_leave_the_file_at_their_end(house: House, keys: Keys) -> None:
    path = house.home / "pace"
    clock = PacedClock(path)
    clock.start()
    with paced_agent(house, clock, path) as process:
        pasted(house, keys.block())
        clock.run(3600)
        soon = told(process)

        assert keys.access_key_id in house.written()
        assert soon["title"].startswith(f"Pasted keys of {DNS} end at ")

        ended = told(process)

        assert ended["title"].startswith(f"Pasted keys of {DNS} ended at ")
        assert "credtray import" in ended["body"]
        until(lambda: house.written() == "")


# --- refused -----------------------------------------------------------------------------------------


def test_a_section_of_somebody_else_stays_as_it_is(house: House, keys: Keys) -> None:
    text = f"[{DNS}]\naws_access_key_id = AKIAQWERTYUIOPLK2345\naws_secret_access_key = mine\n"
    house.credentials.parent.mkdir()
    house.credentials.write_text(text)
    with house.agent():
        done = pasted(house, keys.block(), code=2)

        assert f"[{DNS}] belongs to the profile {DNS}" in done.stderr
        assert "--name NAME" in done.stderr
        assert house.written() == text


def test_closed_stdout_ends_quietly_with_the_keys_kept(house: House, keys: Keys) -> None:
    paste = house.home / "paste"
    paste.write_text(keys.block())
    command = f"{sys.executable} -I -m credtray import {paste} >&-"
    done = subprocess.run(
        ["sh", "-c", command], env=house.environ, capture_output=True, timeout=60, check=False
    )

    assert b"Traceback" not in done.stderr
    assert keys.access_key_id in house.written()
