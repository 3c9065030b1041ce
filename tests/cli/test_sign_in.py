from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from credtray.cli.backend import without_browser
from credtray.cli.sign_in import login_words
from credtray.core.errors import SignInDenied
from credtray.core.protocol import Login, Logout, Progress, Snooze, Status
from credtray.core.protocol.results import LoginResult
from credtray.daemon.sign_in_grants import BY_CODE
from tests.as_json import iso
from tests.cli.fake_backend import NOW, FakeBackend, credtray, document, idle, profile, session
from tests.cli.snapshot import snapshot

URL = "https://oidc.us-east-1.amazonaws.com/authorize?response_type=code&client_id=abc&state=xyz"
COMPLETE = "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH"
PREPARING, FINISHING = Progress("preparing"), Progress("finishing")
STEPS = {
    "browser": (PREPARING, Progress("browser", url=URL), FINISHING),
    "address": (PREPARING, Progress("address", url=URL, text="No browser could be started."), FINISHING),
    "code": (
        PREPARING,
        Progress(
            "code",
            url=COMPLETE,
            user_code="ABCD-EFGH",
            verification_uri="https://device.sso.us-east-1.amazonaws.com/",
        ),
        FINISHING,
    ),
}


def signed_in(**parts: Any) -> dict[str, Any]:
    until = iso(NOW + timedelta(hours=3, minutes=12))
    plain = {"session": "synderys", "signed_in_until": until, "end_is_estimate": True}
    return {**plain, "end_known_by": None, "already": False, "joined": False, "moved": None, **parts}


@pytest.mark.parametrize("way", STEPS)
def test_what_a_person_has_to_do_is_told_on_stderr(way: str) -> None:
    outcome = credtray("login", backend=FakeBackend({Login: signed_in()}, progress=STEPS[way]))

    assert outcome.code == 0
    assert outcome.out.startswith("Signed in to synderys")
    assert snapshot(f"login-{way}", outcome.err) == outcome.err


@pytest.mark.parametrize("way", STEPS)
def test_address_stands_alone_on_its_line(way: str) -> None:
    outcome = credtray("login", backend=FakeBackend({Login: signed_in()}, progress=STEPS[way]))

    assert STEPS[way][1].url in outcome.err.splitlines()


def test_long_verification_address_stands_outside_the_box() -> None:
    address = "https://d-9067000001.awsapps.com/start/#/device/and/a/very/long/path/that/fits/no/box"
    step = Progress("code", url=COMPLETE, user_code="ABCD-EFGH", verification_uri=address)
    outcome = credtray("login", backend=FakeBackend({Login: signed_in()}, progress=(step,)))

    assert address in outcome.err.splitlines()
    assert all(len(line) <= 80 for line in outcome.err.splitlines() if "│" in line)


def test_options_reach_the_request() -> None:
    fake = FakeBackend({Login: signed_in(), Status: document()})
    credtray("login", "corp", "--fresh", "--device", "--no-browser", backend=fake)

    assert fake.asked == [Status(), Login("corp", fresh=True, device=True, browser=False)]


# --- the price of a fresh sign-in ------------------------------------------------------------------------

ENDS_SOON: dict[str, Any] = {"state": "advisory", "signed_in_until": iso(NOW + timedelta(minutes=20))}


@pytest.mark.met("H1")
def test_without_a_terminal_a_long_sign_in_is_ended_only_with_yes() -> None:
    fake = FakeBackend({Status: document([session()], [profile("synderys-dns")])})
    outcome = credtray("login", "--fresh", backend=fake)

    assert (outcome.code, outcome.out) == (2, "")
    assert "not a terminal. This ends your current sign-in, about 3 h 12 min left" in outcome.err
    assert "hint: To end your current sign-in, add --yes." in outcome.err
    assert fake.asked == [Status()]


@pytest.mark.parametrize("name", [None, "synderys"])
def test_yes_says_that_the_price_is_known(name: str | None) -> None:
    fake = FakeBackend({Status: document([session()]), Login: signed_in()})
    credtray("login", *([name] if name else []), "--fresh", "--yes", backend=fake)

    assert fake.asked[-1] == Login(name, fresh=True, agreed=True)


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_on_a_terminal_the_price_is_told_and_asked(
    *, answer: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    def ask_yes(question: str, *, default: bool = True) -> bool:
        asked.append((question, default))
        return answer

    monkeypatch.setattr("credtray.cli.terminal.interactive", lambda: True)
    monkeypatch.setattr("credtray.cli.questions.ask_yes", ask_yes)
    fake = FakeBackend({Status: document([session()], [profile("p")]), Login: signed_in()})
    outcome = credtray("login", "--fresh", backend=fake)

    assert outcome.code == code
    assert asked == [("End it and sign in again?", False)]
    assert outcome.err.startswith(
        "This ends your current sign-in, about 3 h 12 min left. "
        "Programs keep the keys they have until 14:15.\n"
    )
    assert (Login(fresh=True, agreed=True) in fake.asked) is answer
    assert ("Nothing was changed." in outcome.err) is not answer


def test_ctrl_c_at_the_question_tells_what_is_still_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_question: str, *, default: bool) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("credtray.cli.terminal.interactive", lambda: True)
    monkeypatch.setattr("credtray.cli.questions.ask_yes", interrupted)
    outcome = credtray("login", "--fresh", backend=FakeBackend({Status: document([session()])}))

    assert outcome.code == 130
    assert "synderys: still signed in until about 16:40" in outcome.err


@pytest.mark.parametrize(
    "item",
    [
        session(**ENDS_SOON),
        session(state="expired"),
        session(state="signed_out", signed_in_until=None),
        session(state="signing_in"),
    ],
)
def test_what_ends_soon_or_has_ended_needs_no_yes(item: dict[str, Any]) -> None:
    fake = FakeBackend({Status: document([item]), Login: signed_in()})
    outcome = credtray("login", "--fresh", backend=fake)

    assert outcome.code == 0
    assert fake.asked[-1] == Login(fresh=True)


@pytest.mark.met("H1")
@pytest.mark.parametrize(
    ("pending", "words"),
    [
        (
            {"present_until": iso(NOW + timedelta(hours=4)), "present_is_estimate": True},
            "synderys: still signed in until about 16:40",
        ),
        ({"earlier_ended_at": iso(NOW)}, "Keys already issued stay valid until 14:15 (p)."),
    ],
)
def test_interrupted_while_somebody_else_waits_tells_the_same(
    pending: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credtray.cli.sign_in._LET_GO_SECONDS", 0.0)
    standing = document([session(state="signing_in", pending=pending)], [profile("p")])
    outcome = credtray("login", backend=FakeBackend({Login: KeyboardInterrupt(), Status: standing}))

    assert outcome.code == 130
    assert words in outcome.err
    assert ("still signed in" in outcome.err) is ("present_until" in pending)


# --- over SSH --------------------------------------------------------------------------------------------

SSH = {"SSH_CONNECTION": "192.0.2.7 50022 192.0.2.1 22", "SSH_TTY": "/dev/pts/3"}


@pytest.mark.parametrize(
    ("environ", "remote"),
    [
        pytest.param(SSH, True, marks=pytest.mark.met("M13")),
        pytest.param({"SSH_TTY": "/dev/pts/3"}, True, marks=pytest.mark.met("M13")),
        pytest.param({"SSH_CLIENT": "192.0.2.7 50022 22", "DISPLAY": ""}, True, marks=pytest.mark.met("M13")),
        pytest.param({**SSH, "DISPLAY": "localhost:10.0"}, False, marks=pytest.mark.met("M13")),
        pytest.param({**SSH, "BROWSER": "/vscode/browser.sh"}, False, marks=pytest.mark.met("M13")),
        ({**SSH, "WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"DISPLAY": ":0"}, False),
        ({"SSH_AUTH_SOCK": "/run/ssh-agent"}, False),
        ({}, False),
    ],
)
def test_without_a_browser_at_this_end_the_agent_is_told(environ: dict[str, str], *, remote: bool) -> None:
    assert without_browser(environ) is remote


def test_login_and_wait_tell_where_the_person_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_CONNECTION", SSH["SSH_CONNECTION"])
    fake = FakeBackend({Login: signed_in()})
    credtray("login", backend=fake)

    assert fake.asked == [Login(remote=True)]


def test_a_port_that_ssh_forwards_is_asked_for_and_the_address_is_for_the_other_machine() -> None:
    step = Progress("forwarded", url="https://x.example/authorize", text="Port 8400 has to lead here.")
    fake = FakeBackend({Login: signed_in()}, progress=(step,))
    outcome = credtray("login", "--callback-port", "8400", backend=fake)

    assert [request.callback_port for request in fake.asked if isinstance(request, Login)] == [8400]
    assert outcome.err.startswith("Port 8400 has to lead here.")
    assert "on the machine from which you are connected:\n\nhttps://x.example/authorize" in outcome.err


@pytest.mark.parametrize("words", [("8400", "--device"), ("8400", "--keep"), ("0",), ("65536",), ("x",)])
def test_a_port_that_is_none_or_does_not_go_with_the_rest_is_refused(words: tuple[str, ...]) -> None:
    fake = FakeBackend({Login: signed_in()})

    assert credtray("login", "--callback-port", *words, backend=fake).code == 2
    assert fake.asked == []


@pytest.mark.met("M13")
def test_code_is_entered_where_the_address_does_not_carry_it() -> None:
    outcome = credtray("login", backend=FakeBackend({Login: signed_in()}, progress=STEPS["code"]))

    plain, _, filled = outcome.err.partition("Or open this address")
    assert "Enter this code:" in plain
    assert "check that the page shows the same code:\n\n" + COMPLETE in filled
    assert "Compare" not in outcome.err


@pytest.mark.met("M13")
def test_code_is_checked_where_the_only_address_carries_it() -> None:
    step = Progress("code", url=COMPLETE, user_code="ABCD-EFGH", verification_uri=COMPLETE)
    outcome = credtray("login", backend=FakeBackend({Login: signed_in()}, progress=(step,)))

    assert "Check that the page shows this code:" in outcome.err
    assert "Enter this code" not in outcome.err


@pytest.mark.met("M13")
def test_why_there_is_a_code_is_said_first() -> None:
    step = Progress("code", url=COMPLETE, user_code="A", verification_uri="https://x.example/", text=BY_CODE)
    outcome = credtray("login", backend=FakeBackend({Login: signed_in()}, progress=(step,)))

    assert outcome.err.startswith("You are connected over SSH and no browser is set up here,")


# --- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            signed_in(already=True),
            (
                "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed). "
                "Nothing to do; --fresh starts a new sign-in."
            ),
        ),
        (signed_in(end_is_estimate=False), "Signed in to synderys until 16:40 (3 h 12 min left)."),
        (signed_in(signed_in_until=None), "Signed in to synderys."),
        (
            signed_in(joined=True),
            (
                "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed). "
                "Another program had just signed in; its sign-in is used."
            ),
        ),
        (
            signed_in(moved="same"),
            (
                "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed).\n"
                "Your sign-in was not extended: AWS joined it to the one that was still active."
            ),
        ),
        (
            signed_in(moved="unknown"),
            (
                "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed).\n"
                "Whether it was extended is not known yet; `credtray status` will show it."
            ),
        ),
        (
            signed_in(moved="later"),
            "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed).",
        ),
    ],
)
def test_outcome_is_told_as_it_is(result: dict[str, Any], words: str) -> None:
    assert login_words(msgspec.convert(result, LoginResult), NOW, UTC) == words


def test_login_as_json_keeps_the_talk_on_stderr() -> None:
    outcome = credtray("login", "--json", backend=FakeBackend({Login: signed_in()}, progress=STEPS["code"]))

    assert json.loads(outcome.out) == signed_in()
    assert "ABCD-EFGH" in outcome.err


def test_denied_sign_in_is_an_error() -> None:
    outcome = credtray("login", backend=FakeBackend({Login: SignInDenied("the person said no")}))

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: The sign-in was denied: the person said no\n")


def test_interrupted_login_tells_what_is_still_valid() -> None:
    standing = document([session()], [profile("synderys-readonly"), profile("synderys-dns"), idle("other")])
    outcome = credtray("login", backend=FakeBackend({Login: KeyboardInterrupt(), Status: standing}))

    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == (
        "\nThe sign-in was cancelled.\n"
        "synderys: still signed in until about 16:40 (3 h 10 min).\n"
        "Keys already issued stay valid until 14:15 (synderys-dns and 1 more).\n"
    )


@pytest.mark.met("H1")
def test_interrupted_login_claims_no_other_command_while_the_agent_still_calls_aws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("credtray.cli.sign_in._LET_GO_SECONDS", 0.0)
    standing = document([session(state="signing_in", signed_in_until=None, access_token_expires_at=None)])
    outcome = credtray("login", backend=FakeBackend({Login: KeyboardInterrupt(), Status: standing}))

    assert outcome.code == 130
    assert "It has not ended yet: another command waits for it, or AWS has not answered." in outcome.err


def test_logout_says_when_the_portal_was_not_told() -> None:
    outcome = credtray("logout", backend=FakeBackend({Logout: {"session": "corp", "told_portal": False}}))

    assert (outcome.code, outcome.out) == (0, "Signed out of corp.\n")
    assert outcome.err.startswith("warning: the portal could not be reached")


@pytest.mark.parametrize("words", [("30m", "corp"), ("corp", "30m")])
def test_snooze_takes_its_words_in_either_order(words: tuple[str, str]) -> None:
    until = iso(datetime.now(UTC) + timedelta(minutes=30))
    fake = FakeBackend({Snooze: {"until": until}})
    outcome = credtray("snooze", *words, backend=fake)

    assert fake.asked == [Snooze("corp", 30)]
    assert outcome.out.startswith("No warnings about corp until ")


def test_snooze_finds_the_only_session() -> None:
    fake = FakeBackend({Snooze: {"until": iso(NOW)}, Status: document([session("corp")])})
    credtray("snooze", "1h30m", backend=fake)

    assert fake.asked[-1] == Snooze("corp", 90)


@pytest.mark.parametrize("word", ["soon", "0m", "8d", "99999999999999999999d"])
def test_snooze_refuses_what_is_no_duration(word: str) -> None:
    outcome = credtray("snooze", word, backend=FakeBackend({}))

    assert (outcome.code, outcome.out) == (2, "")
