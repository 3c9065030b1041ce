from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from credtray.core.errors import every_error
from credtray.core.models import RoleCredentials, Secret
from credtray.core.protocol import ProcessCredentials
from credtray.credentials_fetch import MISUSE, in_sts_form
from credtray.desktop.autostart import credential_process_command
from tests.daemon.conftest import ROOT, Agent, running_agent, suspend
from tests.daemon.stub_agent import ISSUED
from tests.soak import QUICK

DOOR = str(ROOT / "agent" / "credtray" / "__main__.py")
WINDOWS = sys.platform == "win32"
FAST = [sys.executable, "-I", "-S", DOOR, "credentials"]


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running_agent() as running:
        yield running


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A copy of the door whose command line only tells how it was called, and exits with 7."""
    shutil.copytree(
        ROOT / "agent" / "credtray",
        tmp_path / "credtray",
        ignore=shutil.ignore_patterns("cli", "__pycache__"),
    )
    cli = tmp_path / "credtray" / "cli"
    cli.mkdir()
    (cli / "__init__.py").write_text("")
    (cli / "main.py").write_text(
        "import json, sys\n"
        "def main(arguments):\n"
        "    sys.stderr.write(json.dumps([sys.flags.no_site, sys.flags.isolated, arguments]))\n"
        "    return 7\n"
    )
    return tmp_path / "credtray" / "__main__.py"


def run(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=30, check=False)


@pytest.mark.parametrize("words", [("foo",), ("--", "foo"), ("--", "-foo")])
def test_prints_exactly_the_contracts_object(agent: Agent, words: tuple[str, ...]) -> None:
    done = run(*FAST, *words)

    assert (done.returncode, done.stdout, done.stderr) == (0, ISSUED.line(), b"")
    assert json.loads(done.stdout)["Version"] == 1


AS_STS_ANSWERS = {
    "Credentials": {
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "canary-secret/key+",
        "SessionToken": "canary-session-token==",
        "Expiration": "2026-11-22T19:36:43Z",
    }
}


@pytest.mark.parametrize(
    "words",
    [("foo", "--form", "sts"), ("--form=sts", "foo"), ("--form", "sts", "--", "-foo"), ("foo", "--form=sts")],
)
def test_form_of_sts_is_printed_the_fast_way(agent: Agent, words: tuple[str, ...]) -> None:
    done = run(*FAST, *words)

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == AS_STS_ANSWERS
    assert done.stdout.count(b"\n") == 1


def test_form_of_the_contract_may_be_named(agent: Agent) -> None:
    assert run(*FAST, "--form", "process", "foo").stdout == ISSUED.line()


@pytest.mark.parametrize("account", [None, "123456789012"])
@pytest.mark.parametrize("token", ["plain", 'a,"AccountId":"1"', '}\n{"Version":1,', "\\"])
def test_form_of_sts_keeps_every_value_whatever_is_in_it(account: str | None, token: str) -> None:
    ends = datetime(2026, 11, 22, 19, 36, 43, tzinfo=UTC)
    keys = RoleCredentials("ASIAEXAMPLE", Secret(token), Secret(token), ends, ends)
    written = json.loads(in_sts_form(ProcessCredentials.of(keys, account).line()))["Credentials"]

    assert list(written) == ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]
    assert (written["SecretAccessKey"], written["SessionToken"]) == (token, token)
    assert written["Expiration"] == "2026-11-22T19:36:43Z"


def test_without_an_agent_the_form_is_passed_on(elsewhere: Path) -> None:
    done = run(sys.executable, "-I", "-S", str(elsewhere), "credentials", "foo", "--form", "sts")

    assert json.loads(done.stderr)[2][4:] == ["--form", "sts", "--", "foo"]


def test_answer_comes_after_signs_of_life(agent: Agent) -> None:
    assert run(*FAST, "slow").stdout == ISSUED.line()


@pytest.mark.parametrize(
    "profile", ["signed-out", "crash", "unknown", 'dead "quoted\\', "dead é\U0001f600\t"]
)
def test_failure_prints_nothing_but_a_hint_on_stderr(agent: Agent, profile: str) -> None:
    done = run(*FAST, profile)

    assert done.returncode != 0
    assert done.stdout == b""
    assert len(done.stderr.decode().splitlines()) == 2
    assert "Traceback" not in done.stderr.decode()


def test_name_reaches_the_agent_unchanged(agent: Agent) -> None:
    profile = "dead '\"\\/é\U0001f600$(x)`%s`\x7f"

    assert f": {profile}\n" in run(*FAST, profile).stderr.decode()


def test_name_that_is_no_unicode_is_refused(agent: Agent) -> None:
    done = run(*FAST, "\udcff\udcfe")

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Unicode" in done.stderr


def test_debug_environment_leaves_stdout_clean(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PYTHONWARNINGS": "always",
        "PYTHONVERBOSE": "1",
        "PYTHONDEVMODE": "1",
        "AWS_DEBUG": "1",
    }.items():
        monkeypatch.setenv(name, value)

    assert run(*FAST, "foo").stdout == ISSUED.line()


def test_fast_path_imports_next_to_nothing(agent: Agent) -> None:
    done = run(sys.executable, "-I", "-S", "-X", "importtime", DOOR, "credentials", "foo")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    dear = {
        "json",
        "socket",
        "asyncio",
        "botocore",
        "site",
        "re",
        "enum",
        "typing",
        "pathlib",
        "msgspec",
        "signal",
    }

    assert done.stdout == ISSUED.line()
    assert "credtray.credentials_fetch" in imported
    assert imported & dear == set()
    assert len([name for name in imported if name.startswith("credtray")]) <= 8


def test_two_hundred_callers_at_once_are_all_answered(agent: Agent) -> None:
    many = 40 if WINDOWS and QUICK else 200  # a start takes five times as long under Wine
    callers = [
        subprocess.Popen([*FAST, "foo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(many)
    ]
    outcomes = [(caller.communicate(timeout=60), caller.returncode) for caller in callers]

    assert outcomes == [((ISSUED.line(), b""), 0)] * many


@pytest.mark.posix("a shell that closes it")
def test_closed_stdout_fails_without_a_traceback(agent: Agent) -> None:
    done = run("/bin/sh", "-c", shlex.join([*FAST, "foo"]) + " >&-")

    assert done.returncode != 0
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


def test_reader_that_left_fails_without_a_traceback(agent: Agent) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*FAST, "foo"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)

    if WINDOWS:  # the system calls it an invalid argument there
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False)
    else:
        assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()


def test_killed_and_stopped_callers_do_not_hurt_the_next_one(agent: Agent) -> None:
    hanging = [subprocess.Popen([*FAST, "hang"], stdout=subprocess.DEVNULL) for _ in range(6)]
    for number, caller in enumerate(hanging):
        (kill if number % 2 else suspend)(caller)
    done = run(*FAST, "foo")
    for caller in hanging:
        caller.kill()
        caller.wait()

    assert done.stdout == ISSUED.line()


def test_without_an_agent_the_full_interpreter_goes_on_with_the_time_left(elsewhere: Path) -> None:
    done = run(sys.executable, "-I", "-S", str(elsewhere), "credentials", "--", "-odd name")
    no_site, isolated, arguments = json.loads(done.stderr)

    assert (done.returncode, done.stdout) == (7, b"")
    assert (no_site, isolated) == (0, 1)
    assert arguments[:3] == ["credentials", "--no-agent", "--within"]
    assert 0 < float(arguments[3]) <= 20
    assert arguments[4:] == ["--", "-odd name"]


def test_stopped_agent_is_done_without_and_its_silence_is_taken_off(agent: Agent, elsewhere: Path) -> None:
    agent.suspend()
    done = run(sys.executable, "-I", "-S", str(elsewhere), "credentials", "foo")
    arguments = json.loads(done.stderr.splitlines()[-1])[2]

    assert done.returncode == 7
    assert done.stderr.startswith(b"credtray: The agent does not answer.")
    assert 0 < float(arguments[3]) < 16.5


def test_agent_that_dies_meanwhile_is_done_without(agent: Agent, elsewhere: Path) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-I", "-S", str(elsewhere), "credentials", "hang"], stderr=subprocess.PIPE
    )
    assert caller.stderr is not None
    time.sleep(0.3)  # until it has asked; dying earlier leads to the same end
    agent.kill()
    said = caller.communicate(timeout=20)[1]

    assert caller.returncode == 7
    assert b"--no-agent" in said


@pytest.mark.parametrize(
    "words",
    [
        ["credentials"],
        ["credentials", "--help"],
        ["credentials", "a", "b"],
        ["credentials", "a", "--form", "xml"],
        ["credentials", "a", "--form"],
        ["credentials", "--form", "sts"],
        ["status"],
        [],
    ],
)
def test_everything_else_is_the_command_lines_business(elsewhere: Path, words: list[str]) -> None:
    done = run(sys.executable, "-I", str(elsewhere), *words)

    assert done.returncode == 7
    assert words == json.loads(done.stderr)[2]


PROFILES = ["foo", "-foo", "two words", "it's", 'a "b" \\ $HOME `id` %USERNAME% ;#', "é\U0001f600"]


@pytest.mark.parametrize("profile", PROFILES)
def test_composed_command_is_split_alike_by_botocore_and_the_system(agent: Agent, profile: str) -> None:
    from botocore.compat import compat_shell_split

    command = credential_process_command("dead " + profile if profile != "-foo" else profile)
    by_botocore = run(*compat_shell_split(command))
    by_system = subprocess.run(
        command if WINDOWS else ["/bin/sh", "-c", command], capture_output=True, check=False
    )

    assert Path(compat_shell_split(command)[0]).is_absolute()
    assert (by_botocore.stdout, by_botocore.stderr) == (by_system.stdout, by_system.stderr)
    assert by_botocore.stdout == ISSUED.line() or f": dead {profile}\n" in by_botocore.stderr.decode()


def test_exit_codes_are_those_of_the_errors() -> None:
    assert {kind.code for kind in every_error() if kind.exit_code == 2} == MISUSE
