from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credtray.cli.sign_in_talk import login_words
from credtray.core.errors import SignInDenied
from credtray.core.protocol import Login, Logout, Progress, Snooze, Status
from credtray.core.status import iso
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
    plain = {"session": "synderys", "signed_in_until": until, "end_is_estimate": True, "already": False}
    return {**plain, "joined": False, "moved": None, **parts}


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
    fake = FakeBackend({Login: signed_in()})
    credtray("login", "corp", "--fresh", "--device", "--no-browser", backend=fake)

    assert fake.asked == [Login("corp", fresh=True, device=True, browser=False)]


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
                "The end did not move: the service joined the sign-in that was still active."
            ),
        ),
        (
            signed_in(moved="unknown"),
            (
                "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed).\n"
                "Whether the end moved is not known yet; `credtray status` will show it."
            ),
        ),
        (
            signed_in(moved="later"),
            "Signed in to synderys until about 16:40 (3 h 12 min left; expected, not confirmed).",
        ),
    ],
)
def test_outcome_is_told_as_it_is(result: dict[str, Any], words: str) -> None:
    assert login_words(result, NOW, UTC) == words


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


def test_interrupted_login_says_when_somebody_else_still_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credtray.cli.sign_in._LET_GO_SECONDS", 0.0)
    standing = document([session(state="signing_in", signed_in_until=None, access_token_expires_at=None)])
    outcome = credtray("login", backend=FakeBackend({Login: KeyboardInterrupt(), Status: standing}))

    assert outcome.code == 130
    assert "for that one it goes on" in outcome.err


def test_logout_says_when_the_portal_was_not_told() -> None:
    outcome = credtray("logout", backend=FakeBackend({Logout: {"session": "corp", "told_portal": False}}))

    assert (outcome.code, outcome.out) == (0, "Signed out of corp.\n")
    assert outcome.err.startswith("warning: the portal could not be told")


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
