"""Loading a config file that is being edited: no profile is dropped for a moment, and nothing is executed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.aws.config_file import GIVE_UP_SECONDS, QUIET_SECONDS, AwsConfigFile
from credtray.core.config.sections import MAX_FILE
from credtray.core.errors import ConfigInvalid
from credtray.core.models import AwsConfig
from tests.hand_waiter import HandWaiter

ROOT = Path(__file__).parents[2]
SESSION = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n"


def profiles(*names: str) -> str:
    rows = "sso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n"
    return SESSION + "".join(f"[profile {name}]\n{rows}" for name in names)


@pytest.fixture
def waiter() -> HandWaiter:
    return HandWaiter()


@pytest.fixture
def path(home: Path) -> Path:
    return home / "config"


@pytest.fixture
def config_file(path: Path, waiter: HandWaiter) -> AwsConfigFile:
    return AwsConfigFile(path, {}, waiter=waiter)


def write(path: Path, text: str, waiter: HandWaiter, *, age: float = 0) -> None:
    path.write_text(text)
    os.utime(path, (waiter.time - age, waiter.time - age))


def test_a_missing_file_is_an_empty_one(config_file: AwsConfigFile) -> None:
    assert config_file.load() == AwsConfig()


def test_an_old_file_is_read_without_a_pause(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)

    assert set(config_file.load().profiles) == {"a"}
    assert not waiter.pauses


def test_an_unchanged_file_is_not_read_again(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)

    assert config_file.load() is config_file.load()


def test_a_change_of_the_same_size_within_one_tick_of_the_clock_is_seen(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    moment = waiter.time
    write(path, profiles("a"), waiter)
    config_file.load()
    write(path, profiles("b"), waiter, age=waiter.time - moment)

    assert set(config_file.load().profiles) == {"b"}


def test_an_added_profile_is_taken_over_at_once(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)
    config_file.load()
    write(path, profiles("a", "b"), waiter)

    assert set(config_file.load().profiles) == {"a", "b"}
    assert sum(waiter.pauses) < 0.1


def test_a_removed_profile_is_taken_over_when_the_file_rests(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a", "b"), waiter, age=60)
    config_file.load()
    write(path, profiles("a"), waiter)

    assert set(config_file.load().profiles) == {"a"}
    assert QUIET_SECONDS <= sum(waiter.pauses) < 5


@pytest.mark.parametrize("chunks", [2, 10, 40])
def test_a_file_written_in_chunks_drops_no_profile(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter, chunks: int
) -> None:
    text = profiles(*(f"p{number}" for number in range(20)))
    write(path, text, waiter, age=60)
    before = config_file.load()
    longer = profiles(*(f"p{number}" for number in range(25)))
    step = len(longer) // chunks
    pieces = [longer[: step * (number + 1)] for number in range(chunks - 1)] + [longer]
    at = iter(pieces[1:])

    def editor_writes(_seconds: float) -> None:
        if (piece := next(at, None)) is not None:
            write(path, piece, waiter)

    write(path, pieces[0], waiter)
    waiter.during = editor_writes
    seen = [config_file.load() for _ in range(3)]

    assert all(before.profiles.keys() <= config.profiles.keys() for config in seen)
    assert len(seen[-1].profiles) == 25


def test_a_file_that_never_rests_gives_the_last_good_state_in_time(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)
    good = config_file.load()
    write(path, "[broken", waiter)
    waiter.during = lambda _: write(path, f"[broken {waiter.time}", waiter)

    assert config_file.load() is good
    assert sum(waiter.pauses) <= GIVE_UP_SECONDS + 0.1


def test_a_broken_file_is_told_when_it_rests_and_taken_over_when_mended(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)
    config_file.load()
    write(path, profiles("a") + "broken\n", waiter)
    with pytest.raises(ConfigInvalid, match="line 8"):
        config_file.load()
    write(path, profiles("a", "b"), waiter)

    assert set(config_file.load().profiles) == {"a", "b"}
    assert sum(waiter.pauses) < 5


def test_an_editor_that_saves_by_renaming_is_waited_for(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)
    good = config_file.load()
    path.rename(path.with_suffix(".bak"))
    waiter.during = lambda _: write(path, profiles("a"), waiter) if len(waiter.pauses) == 4 else None

    assert config_file.load() == good


def test_a_file_that_vanished_for_good_is_an_empty_one(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter
) -> None:
    write(path, profiles("a"), waiter, age=60)
    config_file.load()
    path.unlink()

    assert config_file.load() == AwsConfig()
    assert sum(waiter.pauses) < 5


@pytest.mark.posix("named pipes in a folder")
@pytest.mark.parametrize("kind", ["directory", "fifo", "huge", "unreadable"])
def test_what_cannot_be_read_is_told_with_its_reason(
    config_file: AwsConfigFile, path: Path, waiter: HandWaiter, kind: str
) -> None:
    match kind:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "huge":
            path.touch()
            os.truncate(path, MAX_FILE + 1)
        case _:
            path.symlink_to(path)
    with pytest.raises(ConfigInvalid) as caught:
        config_file.load()

    assert str(path) in str(caught.value)


@pytest.mark.wine_lacks("links that other programs see")
def test_a_link_of_the_user_is_followed(config_file: AwsConfigFile, path: Path, waiter: HandWaiter) -> None:
    real = path.with_name("dotfiles-config")
    write(real, profiles("a"), waiter, age=60)
    path.symlink_to(real)

    assert set(config_file.load().profiles) == {"a"}


HOSTILE = (
    SESSION
    + """
[profile process]
credential_process = /usr/bin/touch /tmp/executed-by-config
[profile both]
sso_session = corp
sso_account_id = 111100000000
sso_role_name = Admin
credential_process = sh -c 'id'
[profile expanded]
credential_process = $(id) `id` %(id)s ${HOME}
sso_start_url = file:///etc/passwd
[profile loop]
role_arn = arn:x
source_profile = pool
[profile pool]
role_arn = arn:x
source_profile = loop
[profile self]
role_arn = arn:x
source_profile = self
sso_account_id = 1
[include]
path = /etc/passwd
[plugins]
cli_legacy_plugin_path = /tmp
evil = evil
[profile token]
web_identity_token_file = /etc/shadow
role_arn = arn:x
"""
)


@pytest.mark.posix("strace")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace (apt install strace) is the witness")
def test_nothing_the_file_names_is_executed_or_opened(path: Path, tmp_path: Path) -> None:
    path.write_text(HOSTILE + "[profile long]\nsso_role_name = " + "x" * 1_000_000 + "\n")
    trace = tmp_path / "trace"
    program = (
        "import os\nfrom pathlib import Path\nfrom credtray.aws.config_file import AwsConfigFile\n"
        f"os.access('/begin', 0)\nconfig = AwsConfigFile(Path({str(path)!r}), {{}}).load()\n"
        "print(len(config.foreign), len(config.warnings), sorted(config.profiles))\n"
    )
    ran = subprocess.run(
        [
            "strace",
            "-f",
            "-e",
            "trace=execve,execveat,openat,access",
            "-o",
            str(trace),
            sys.executable,
            "-c",
            program,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    calls = trace.read_text()
    after = calls[calls.index('access("/begin"') :]

    assert "exec" not in after
    assert not [line for line in after.splitlines() if "/etc/" in line or "executed-by-config" in line]
    assert ran.stdout.split("[")[1].startswith("'both'")
