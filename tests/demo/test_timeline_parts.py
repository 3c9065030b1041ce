"""The parts of `make demo`: its clock, its scripted person, its throw-away home."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray import __version__
from credtray.cli.backend import has_desktop
from credtray.core import shell_words
from credtray.core.forms import Form
from credtray.core.models import Secret
from credtray.core.ports import Clock
from credtray.core.shell_words import command_line
from credtray.demo import own_browser, person
from credtray.demo.__main__ import main
from credtray.demo.home import FOREIGN_SECTION, ThrowAwayHome, environment, look_at_own_files
from credtray.demo.identity_center import IdentityCenter
from credtray.demo.pace import PacedClock
from credtray.demo.stage import Child, Observed, begun
from credtray.desktop import paths
from credtray.desktop.browser import SystemBrowser
from credtray.web import sign_in_pages as pages
from credtray.web.sign_in_listener import LoopbackCallbackListener
from tests.demo.program import Program

HOUR = timedelta(hours=1)
MOMENT = timedelta(seconds=5)


@pytest.fixture
def clock(tmp_path: Path) -> PacedClock:
    made = PacedClock(tmp_path / "pace.json")
    made.start()
    return made


def test_clock_begins_in_step_with_the_real_one(clock: PacedClock) -> None:
    assert abs(clock.now() - datetime.now(UTC)) < MOMENT


def test_clock_runs_on_from_where_it_was_when_its_pace_changes(clock: PacedClock) -> None:
    before = clock.now()

    clock.run(3600)
    at_once = clock.now()
    clock.wait(3600)
    clock.run(1)

    assert timedelta() <= at_once - before < HOUR
    assert clock.now() - before >= HOUR


def test_wait_is_short_in_real_time_when_the_clock_runs_fast(clock: PacedClock) -> None:
    clock.run(36000)
    began = time.monotonic()

    clock.wait(3600)

    assert time.monotonic() - began > 0.09  # and far less than an hour, or the test would never end


def test_another_reader_sees_the_same_time(clock: PacedClock, tmp_path: Path) -> None:
    clock.run(100)
    other: Clock = PacedClock(tmp_path / "pace.json")

    earlier, seen, later = clock.now(), other.now(), clock.now()

    assert earlier <= seen <= later


def test_reader_notices_a_new_pace(clock: PacedClock, tmp_path: Path) -> None:
    other = PacedClock(tmp_path / "pace.json")
    seen = [other.speed]

    clock.run(60)
    seen.append(other.speed)

    assert seen == [1, 60]


def test_clock_goes_on_when_its_file_is_removed(clock: PacedClock, tmp_path: Path) -> None:
    before = clock.now()
    (tmp_path / "pace.json").unlink()

    assert before <= clock.now() < before + MOMENT


def test_time_stands_until_a_busy_agent_has_told_what_is_overdue(clock: PacedClock, tmp_path: Path) -> None:
    clock.run(3600)
    due = clock.now() + HOUR / 60

    def told_late() -> datetime | None:
        """Told only after the whole wait for it was in vain."""
        return clock.now() if clock.speed == 1 else None

    told = Observed(clock, tmp_path / "credentials").wait_for_due(told_late, due, seconds=60)

    assert told is not None
    assert told >= due
    assert clock.speed == 3600


def test_time_goes_on_when_nothing_is_told_at_all(clock: PacedClock, tmp_path: Path) -> None:
    clock.run(3600)

    assert (
        Observed(clock, tmp_path / "credentials").wait_for_due(lambda: None, clock.now(), seconds=0) is None
    )
    assert clock.speed == 3600


def test_person_signs_in_and_allows_through_the_real_forms(portal: IdentityCenter) -> None:
    program = Program(portal.url)
    program.register()
    state = Secret("state-of-a-test")
    with LoopbackCallbackListener().listen(state) as callback, ThreadPoolExecutor(1) as pool:
        address = program.authorize_url(redirect_uri=callback.redirect_uri, state=state.reveal())

        done = pool.submit(person.sign_in, address, "alice", "demo")
        code = callback.wait(20, lambda: False)
        callback.tell(None)

        assert done.result(20)
    assert program.redeem(code.reveal(), redirectUri=callback.redirect_uri).status == 200
    assert portal.journal.count("SignIn") == portal.journal.count("Consent") == 1


def test_person_says_yes_on_the_page_that_asks_first() -> None:
    page = pages.question("It costs.", "/sign-in/a/end/b", "/sign-in/a/keep/b", "https://x.example/")
    form = person.Form(page.decode())

    assert (form.action, form.fields) == ("/sign-in/a/end/b", {})


def test_person_with_a_wrong_password_gets_nowhere(
    portal: IdentityCenter, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(portal.url)
    program.register()

    code = person.main(["alice", "wrong", program.authorize_url()])

    assert code == 1
    assert portal.active_sign_ins() == []
    assert "HTTPError" in capsys.readouterr().err


def test_form_takes_what_it_sends_and_only_the_button_that_says_yes() -> None:
    page = (
        '<input name="outside" value="1"><form action="/consent"><input type="hidden" name="flow" value="f">'
        '<button name="decision" value="deny">Deny</button><button name="decision" value="allow">'
        '</button></form><form action="/other"><input name="second"></form>'
    )

    form = person.Form(page)

    assert form.action == "/consent"
    assert form.fields == {"flow": "f", "decision": "allow"}


def test_page_without_form_asks_nothing() -> None:
    assert person.Form("<h1>Done</h1>").action is None


@pytest.fixture
def throw_away() -> Iterator[ThrowAwayHome]:
    made = ThrowAwayHome.make()
    yield made
    made.remove()
    assert not made.directory.exists()


def test_environment_leads_into_the_throw_away_home_only(throw_away: ThrowAwayHome) -> None:
    caller = {
        "PATH": "/bin",
        "HOME": "/home/somebody",
        "AWS_PROFILE": "production",
        "AWS_SECRET_ACCESS_KEY": "s",
        "XDG_DATA_DIRS": "/home/somebody/.share",
        "CREDTRAY_X": "1",
        "https_proxy": "http://proxy",
        "NO_PROXY": "*",
    }
    replacements = throw_away.replacements("http://127.0.0.1:1", "browser")

    led = environment(caller, replacements)

    assert led == {"PATH": "/bin", **replacements}
    assert led["HOME"] == str(throw_away.directory)
    assert led["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_files_of_the_agent_lie_in_the_throw_away_home(
    throw_away: ThrowAwayHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in throw_away.replacements("http://127.0.0.1:1", "browser").items():
        monkeypatch.setenv(name, value)
    own = [paths.settings_file(), paths.state_directory(), paths.log_file()]
    own += [paths.listening_path(), paths.runtime_directory()]

    assert [path for path in own if throw_away.directory not in path.parents] == []


@pytest.mark.posix("modes")
def test_throw_away_home_is_private_and_holds_a_section_of_somebody_else(throw_away: ThrowAwayHome) -> None:
    assert throw_away.directory.stat().st_mode & 0o077 == 0
    assert throw_away.credentials.stat().st_mode & 0o777 == 0o600
    assert throw_away.credentials.read_bytes() == FOREIGN_SECTION


@pytest.mark.posix("a file for sh")
def test_env_file_brings_another_terminal_into_the_demo(throw_away: ThrowAwayHome) -> None:
    throw_away.write_env_file(throw_away.replacements("http://127.0.0.1:1", "a 'quoted' browser %s"))
    script = f". {throw_away.env_file}; echo $HOME; echo $BROWSER; credtray version"

    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout

    assert told.splitlines() == [
        str(throw_away.directory),
        "a 'quoted' browser %s",
        f"credtray {__version__}",
    ]


def test_env_file_for_windows_is_in_powershells_words(
    throw_away: ThrowAwayHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_words, "SYSTEM", Form.POWERSHELL)
    throw_away.write_env_file({"BROWSER": '"a b" $x', "HOME": "h"})

    assert throw_away.env_file.name == "env.ps1"
    assert throw_away.env_file.read_text("utf-8").splitlines() == [
        '$Env:BROWSER="`"a b`" `$x"',
        '$Env:HOME="h"',
        f'$Env:PATH="{throw_away.directory / "bin"};$Env:PATH"',
    ]


def test_browser_of_the_person_gets_the_variables_back_that_the_demo_replaced() -> None:
    caller = {"HOME": "/home/somebody", "XDG_CONFIG_HOME": "/home/somebody/.config", "AWS_PROFILE": "x"}
    demo = {"HOME": "/demo", "XDG_STATE_HOME": "/demo/.state", "BROWSER": "ours", "DISPLAY": ":0"}

    before = own_browser.replaced(caller)

    assert before == {"HOME": "/home/somebody", "XDG_CONFIG_HOME": "/home/somebody/.config"}
    assert own_browser.restored(demo, before) == {"DISPLAY": ":0", **before}


def test_own_browser_opens_with_what_the_caller_had(throw_away: ThrowAwayHome, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = f"import os, sys\nopen({str(seen)!r}, 'w').write(os.environ['HOME'] + ' ' + sys.argv[1])"
    words = [sys.executable, "-c", code, "%s"]  # in BROWSER a `;` parts one command from the next on Windows
    caller = {"HOME": "/home/somebody", "BROWSER": command_line(words, windows=sys.platform == "win32")}
    command = throw_away.persons_browser(caller)
    address = "http://127.0.0.1:1/authorize?a=b&c=d"

    opened = SystemBrowser({**os.environ, "HOME": "/demo", "BROWSER": command}, 20).open(address)

    assert opened
    assert seen.read_text() == f"/home/somebody {address}"


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({"DISPLAY": ":0"}, "linux"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux"),
        ({}, "darwin"),
        ({}, "win32"),
    ],
)
def test_desktop_is_there_where_windows_are_shown(environ: dict[str, str], platform: str) -> None:
    assert has_desktop(environ, platform)


@pytest.mark.parametrize(
    ("environ", "platform"),
    [({}, "linux"), ({"DISPLAY": ""}, "linux"), ({"SSH_CONNECTION": "a 1 b 2"}, "darwin")],
)
def test_no_desktop_without_a_display_or_far_away(environ: dict[str, str], platform: str) -> None:
    assert not has_desktop(environ, platform)


@pytest.mark.parametrize("speed", ["0", "0.5", "601", "nan", "fast"])
def test_speed_nobody_could_follow_is_refused(speed: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--speed", speed])

    assert ended.value.code == 2


def test_look_at_own_files_notices_new_changed_and_removed_ones(home: Path) -> None:
    aws = home / ".aws"
    aws.mkdir()
    (aws / "config").write_text("one")
    looks = [look_at_own_files()]

    (aws / "config").write_text("other")
    looks.append(look_at_own_files())
    (aws / "credentials").write_text("")
    looks.append(look_at_own_files())
    (aws / "config").unlink()
    looks.append(look_at_own_files())

    assert all(one != other for one, other in itertools.combinations(looks, 2))
    assert look_at_own_files() == looks[-1]


def test_process_that_was_just_begun_ends_with_an_interrupted_demo() -> None:
    begun_ones: list[Child] = []

    def interrupted_at_once() -> Child:
        child = Child.begin(("-c", "import sys; sys.stdin.read()"), os.environ)
        begun_ones.append(child)
        signal.raise_signal(signal.SIGINT)
        return child

    with pytest.raises(KeyboardInterrupt), ExitStack() as ending:
        begun(interrupted_at_once, ending)

    assert not begun_ones[0].running
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
