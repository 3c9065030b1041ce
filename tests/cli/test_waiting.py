"""`credtray wait` and the refusals of `credtray exec`, over a made-up agent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import pytest
from msgspec.structs import replace

from credtray.cli.execution import run
from credtray.core.errors import CommandNotFound, CommandRefused, KeysTooShort, NotInTime, SignInTooShort
from credtray.core.protocol import Asks, Endpoint, Progress, Wait
from tests.cli.fake_backend import FakeBackend, credtray

R = TypeVar("R")

RESULT: dict[str, Any] = {
    "profile": "dev",
    "session": "corp",
    "until": "2099-11-22T20:00:00Z",
    "about": True,
    "sure": True,
    "sure_until": None,
    "end_known_by": None,
    "region": "eu-west-1",
    "keys_until": "2099-11-22T13:00:00Z",
    "signed_in": False,
}


def test_until_when_it_works_is_told() -> None:
    backend = FakeBackend({Wait: RESULT})
    outcome = credtray("wait", "dev", "--for", "45m", backend=backend)

    assert outcome.code == 0
    assert outcome.out.startswith("dev works until about Sun 22 Nov 20:00 (")
    assert outcome.err == ""
    assert backend.asked == [Wait("dev", 2700)]


def test_options_reach_the_agent_and_the_result_is_json() -> None:
    backend = FakeBackend({Wait: RESULT})
    words = ("wait", "dev", "--for", "2h", "--timeout", "10m", "--login", "--keys", "--json")

    assert json.loads(credtray(*words, backend=backend).out) == RESULT
    assert backend.asked == [Wait("dev", 7200, 600, login=True, keys=True)]


GUESSED = RESULT | {"sure": False, "sure_until": "2099-11-22T13:00:00Z", "end_known_by": "setting"}


@pytest.mark.met("M9")
def test_answer_that_rests_on_a_guess_is_a_warning_on_stderr_and_no_failure() -> None:
    outcome = credtray("wait", "dev", "--for", "2h", backend=FakeBackend({Wait: GUESSED}))

    assert outcome.code == 0
    assert "expected, not confirmed" in outcome.out
    assert outcome.err.startswith(
        "warning: the sign-in of corp may end before about Sun 22 Nov 20:00 (expected"
    )
    assert "dev is sure to work until Sun 22 Nov 13:00." in outcome.err
    assert "--sure" in outcome.err


@pytest.mark.met("M9")
def test_json_says_that_it_is_a_guess_and_stdout_stays_json() -> None:
    outcome = credtray("wait", "dev", "--for", "2h", "--json", backend=FakeBackend({Wait: GUESSED}))

    assert json.loads(outcome.out) == GUESSED
    assert "warning: " in outcome.err


@pytest.mark.met("M9")
def test_exec_warns_of_a_guess_as_well_and_begins() -> None:
    backend = FakeBackend({Wait: GUESSED, Endpoint: CommandNotFound("stop here")})
    outcome = credtray("exec", "dev", "--for", "2h", "--", "true", backend=backend)

    assert "may end before" in outcome.err
    assert backend.asked == [Wait("dev", 7200), Endpoint("dev")]


@pytest.mark.met("M9")
@pytest.mark.parametrize("words", [("wait", "dev", "--for", "2h"), ("exec", "dev", "--for", "2h")])
def test_who_wants_to_be_sure_is_refused_a_guess(words: tuple[str, ...]) -> None:
    backend = FakeBackend({Wait: SignInTooShort("dev works until about 20:00 (not confirmed)")})
    command = ["--", "true"] if words[0] == "exec" else []
    outcome = credtray(*words, "--sure", *command, backend=backend)

    assert outcome.code == 5
    assert backend.asked == [Wait("dev", 7200, sure=True)]


@pytest.mark.met("M9")
def test_sure_of_nothing_is_a_slip() -> None:
    outcome = credtray("exec", "dev", "--sure", "--", "true", backend=FakeBackend())

    assert outcome.code == 2
    assert "--sure needs --for" in outcome.err


def test_what_somebody_has_to_do_is_told_in_a_log_and_what_goes_by_itself_is_not() -> None:
    steps = (
        Progress("renewing", text="Fetching keys for dev ..."),
        Progress("waiting_for_sign_in", text="nobody is signed in to corp. Waiting for a sign-in"),
        Progress("browser", url="https://example.test/authorize"),
    )
    outcome = credtray("wait", "dev", backend=FakeBackend({Wait: RESULT}, steps))

    assert "Fetching keys" not in outcome.err
    assert "Waiting for a sign-in" in outcome.err
    assert "https://example.test/authorize" in outcome.err


@pytest.mark.parametrize(
    ("error", "code"), [(SignInTooShort("x"), 5), (KeysTooShort("x"), 5), (NotInTime("x"), 6)]
)
def test_exit_codes_for_scripts(error: BaseException, code: int) -> None:
    outcome = credtray("wait", "dev", backend=FakeBackend({Wait: error}))

    assert outcome.code == code
    assert "hint: " in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("--for", "soon"),
        ("--for", "0m"),
        ("--for", "91d"),
        ("--timeout", "x"),
        ("--timeout", "2d"),
        ("--for", "9" * 400 + "m"),
    ],
)
def test_durations_that_are_none_are_refused(words: tuple[str, ...]) -> None:
    backend = FakeBackend()

    assert credtray("wait", "dev", *words, backend=backend).code == 2
    assert backend.asked == []


@pytest.mark.parametrize("nothing", ["0", "0s"])
def test_timeout_of_nothing_waits_for_nobody(nothing: str) -> None:
    backend = FakeBackend({Wait: RESULT})

    assert credtray("wait", "dev", "--timeout", nothing, backend=backend).code == 0
    assert backend.asked == [Wait("dev", 900)]


def test_exec_asks_whether_it_lasts_and_waits_for_nobody() -> None:
    backend = FakeBackend(
        {Wait: SignInTooShort("dev works until 20:00, 25 min from now, but you asked for 45 min")}
    )
    keys = FakeBackend({Wait: KeysTooShort("keys of dev live 1 h")})

    assert credtray("exec", "dev", "--for", "45m", "true", backend=backend).code == 5
    assert backend.asked == [Wait("dev", 2700)]
    assert credtray("exec", "dev", "--env", "--for", "2h", "--", "true", backend=keys).code == 5
    assert keys.asked == [Wait("dev", 7200, keys=True)]


# --- a person at the terminal --------------------------------------------------------------------------

TOO_SHORT = SignInTooShort(
    "dev works until about 20:00, 25 min from now, but you asked for 2 h",
    hint="Run: credtray login corp --fresh",
)


class UntilSignedIn(FakeBackend):
    """Refuses until somebody signs in."""

    def perform(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        self.answers[Wait] = RESULT if getattr(request, "login", False) else TOO_SHORT
        return super().perform(request, on_progress)


class Person(Protocol):
    """Sits at the terminal and answers every question alike; returns what was asked."""

    def __call__(self, *, says: bool) -> list[str]: ...


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    def sits(*, says: bool) -> list[str]:
        asked: list[str] = []

        def answer(question: str, *, default: bool) -> bool:
            assert not default  # a stray Enter opens no browser
            asked.append(question)
            return says

        monkeypatch.setattr("credtray.cli.execution._somebody_is_here", lambda: True)
        monkeypatch.setattr("credtray.cli.questions.ask_yes", answer)
        return asked

    return sits


WAITS = Wait("dev", 7200)
JOBS = [("wait", "dev", "--for", "2h"), ("exec", "dev", "--for", "2h", "--", "true")]


@pytest.mark.parametrize("words", JOBS, ids=["wait", "exec"])
def test_a_job_that_would_outlast_the_sign_in_says_so_and_offers_one(
    words: tuple[str, ...], person: Person
) -> None:
    asked = person(says=True)
    backend = UntilSignedIn({Endpoint: CommandNotFound("stop here")})
    outcome = credtray(*words, backend=backend)

    assert len(asked) == 1
    assert outcome.err.startswith("warning: The sign-in ends too early: dev works until about 20:00, 25 min")
    assert backend.asked[:2] == [WAITS, replace(WAITS, login=True)]


@pytest.mark.parametrize("words", JOBS, ids=["wait", "exec"])
def test_who_does_not_want_to_sign_in_is_told_the_command_and_nothing_begins(
    words: tuple[str, ...], person: Person
) -> None:
    person(says=False)
    backend = UntilSignedIn()
    outcome = credtray(*words, backend=backend)

    assert outcome.code == 5
    assert outcome.err.endswith("Nothing was started. Run: credtray login corp --fresh\n")
    assert backend.asked == [WAITS]


@pytest.mark.parametrize("more", [("--timeout", "0"), ("--timeout", "1m"), ("--json",), ("--sure",)])
def test_who_said_what_to_do_then_is_not_asked(more: tuple[str, ...], person: Person) -> None:
    asked = person(says=True)
    outcome = credtray("wait", "dev", "--for", "2h", *more, backend=UntilSignedIn())

    assert outcome.code == 5
    assert asked == []


def test_nobody_is_asked_without_a_terminal() -> None:
    backend = UntilSignedIn()

    assert credtray("exec", "dev", "--for", "2h", "--", "true", backend=backend).code == 5
    assert backend.asked == [WAITS]


# --- exec ------------------------------------------------------------------------------------------------


def test_exec_without_an_agent_says_how_it_works_without_one() -> None:
    from credtray.core.errors import AgentNotRunning  # what the seam raises

    outcome = credtray("exec", "dev", "true", backend=FakeBackend({Endpoint: AgentNotRunning()}))

    assert outcome.code == 3
    assert "credtray start" in outcome.err
    assert "--env" in outcome.err


def test_exec_refuses_a_region_that_is_none_and_no_command_at_all() -> None:
    refused = credtray("exec", "dev", "--region", "evil.com/#", "true", backend=FakeBackend())

    assert "This is not an AWS region" in refused.err
    assert credtray("exec", "dev", backend=FakeBackend()).code == 2


def test_command_that_cannot_start_is_told() -> None:
    with pytest.raises(CommandNotFound):
        run(["nonesuch"], {"PATH": "/bin"})
    with pytest.raises(CommandRefused, match="NUL"):
        run([sys.executable, "a\0b"], {"PATH": "/bin"})


@pytest.mark.posix("a folder is no program there")
def test_command_that_may_not_be_run_is_told() -> None:
    with pytest.raises(CommandRefused, match="Permission denied"):
        run(["/"], {"PATH": "/bin"})
