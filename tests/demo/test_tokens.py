from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.demo.identity_center import IdentityCenter, Rotation
from credtray.demo.identity_center.exchange import Refusal
from credtray.demo.identity_center.tokens import SignIns, Tokens
from tests.demo.program import Program, error_type
from tests.portal import Answer, HandClock

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _approving(hand_portal: IdentityCenter) -> None:
    hand_portal.auto_approve()


def _refused(answer: Answer) -> bool:
    return (answer.status, error_type(answer), answer.json()["error_description"]) == (
        400,
        "InvalidGrantException",
        "Invalid refresh token provided",
    )


def test_refreshed_token_is_cut_at_the_sign_ins_end(program: Program, hand_clock: HandClock) -> None:
    tokens = program.signed_in()
    hand_clock.advance(hours=3, minutes=20)
    again = program.refresh(tokens["refreshToken"]).json()

    assert again["expiresIn"] == 40 * 60


def test_refreshing_ends_with_the_sign_in(program: Program, hand_clock: HandClock) -> None:
    tokens = program.signed_in()
    hand_clock.advance(hours=4, seconds=-1)
    again = program.refresh(tokens["refreshToken"])

    assert (again.status, again.json()["expiresIn"]) == (200, 1)

    hand_clock.advance(seconds=1)

    assert _refused(program.refresh(again.json()["refreshToken"]))


def test_strict_rotation_kills_the_old_refresh_token_at_once(program: Program) -> None:
    first = program.signed_in()["refreshToken"]
    second = program.refresh(first).json()["refreshToken"]

    assert second != first
    assert _refused(program.refresh(first))
    assert program.refresh(second).status == 200


def test_grace_rotation_keeps_the_old_refresh_token_for_some_seconds(
    hand_portal: IdentityCenter, program: Program, hand_clock: HandClock
) -> None:
    hand_portal.set_rotation(Rotation.GRACE, grace=timedelta(seconds=60))
    first = program.signed_in()["refreshToken"]
    program.refresh(first)
    hand_clock.advance(seconds=59)

    assert program.refresh(first).status == 200

    hand_clock.advance(seconds=1)  # counted from the first use, not the last

    assert _refused(program.refresh(first))


def test_without_rotation_the_same_refresh_token_comes_back(
    hand_portal: IdentityCenter, program: Program
) -> None:
    hand_portal.set_rotation(Rotation.NONE)
    first = program.signed_in()["refreshToken"]

    assert program.refresh(first).json()["refreshToken"] == first
    assert program.refresh(first).json()["refreshToken"] == first


def test_silent_rotation_sends_no_refresh_token_and_the_old_one_stays_good(
    hand_portal: IdentityCenter, program: Program
) -> None:
    hand_portal.set_rotation(Rotation.SILENT)
    first = program.signed_in()["refreshToken"]

    assert program.refresh(first).json()["refreshToken"] is None
    assert program.refresh(first).status == 200


def test_refresh_token_of_another_client_is_refused(hand_portal: IdentityCenter, program: Program) -> None:
    tokens = program.signed_in()
    other = Program(hand_portal.url)
    other.register()

    assert _refused(other.refresh(tokens["refreshToken"]))


def test_old_access_token_works_on_after_a_refresh(program: Program) -> None:
    tokens = program.signed_in()
    program.refresh(tokens["refreshToken"])

    assert program.credentials(tokens["accessToken"]).status == 200


def test_access_token_ends_after_an_hour(program: Program, hand_clock: HandClock) -> None:
    token = program.signed_in()["accessToken"]
    hand_clock.advance(hours=1, seconds=-1)

    assert program.credentials(token).status == 200

    hand_clock.advance(seconds=1)

    assert program.credentials(token).status == 401


def test_logout_kills_every_token_of_the_sign_in(hand_portal: IdentityCenter, program: Program) -> None:
    first = program.signed_in()
    second = program.signed_in()  # joins the same sign-in
    answer = program.call("/logout", first["accessToken"], method="POST")

    assert (answer.status, answer.body) == (200, b"")
    assert program.credentials(first["accessToken"]).status == 401
    assert program.credentials(second["accessToken"]).status == 401
    assert _refused(program.refresh(second["refreshToken"]))
    assert hand_portal.active_sign_ins() == []


def test_sign_in_after_logout_has_its_full_length_again(program: Program, hand_clock: HandClock) -> None:
    tokens = program.signed_in()
    hand_clock.advance(hours=3, minutes=30)
    again = program.refresh(tokens["refreshToken"]).json()

    assert program.signed_in()["expiresIn"] == 1800  # joined: the old end

    program.call("/logout", again["accessToken"], method="POST")

    assert program.signed_in()["expiresIn"] == 3600


def test_logout_with_a_dead_token_is_401(program: Program, hand_clock: HandClock) -> None:
    token = program.signed_in()["accessToken"]
    hand_clock.advance(hours=1)

    assert program.call("/logout", token, method="POST").status == 401


def test_revoked_sign_in_refuses_both_tokens(hand_portal: IdentityCenter, program: Program) -> None:
    tokens = program.signed_in()
    hand_portal.revoke_sign_ins("bob")

    assert program.credentials(tokens["accessToken"]).status == 200

    hand_portal.revoke_sign_ins("alice")

    assert program.credentials(tokens["accessToken"]).status == 401
    assert _refused(program.refresh(tokens["refreshToken"]))


def test_revoked_access_tokens_can_be_refreshed(hand_portal: IdentityCenter, program: Program) -> None:
    tokens = program.signed_in()
    hand_portal.revoke_access_tokens()

    assert program.credentials(tokens["accessToken"]).status == 401

    again = program.refresh(tokens["refreshToken"]).json()

    assert program.credentials(again["accessToken"]).status == 200


def test_revoked_refresh_tokens_leave_access_tokens_good(
    hand_portal: IdentityCenter, program: Program
) -> None:
    tokens = program.signed_in()
    hand_portal.revoke_refresh_tokens()

    assert _refused(program.refresh(tokens["refreshToken"]))
    assert program.credentials(tokens["accessToken"]).status == 200


def test_lifetimes_can_be_set(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.set_lifetimes(sign_in=timedelta(minutes=30), access_token=timedelta(minutes=20))

    assert program.signed_in()["expiresIn"] == 1200


def test_servers_clock_can_differ(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.set_clock_offset(timedelta(minutes=-10))
    answer = program.register()

    assert answer.headers["date"] == "Sun, 22 Nov 2026 08:50:00 GMT"
    assert answer.json()["clientIdIssuedAt"] == int((START - timedelta(minutes=10)).timestamp())


# Around an hour, the whole sign-in and their edges: random moments of a year would never meet them.
_moments = st.timedeltas(timedelta(0), timedelta(hours=4, seconds=2)) | st.sampled_from(
    [timedelta(0), 3 * HOUR, 3 * HOUR + timedelta(seconds=1), 4 * HOUR - timedelta(microseconds=1), 4 * HOUR]
)


@given(_moments)
def test_no_token_outlives_its_sign_in(after: timedelta) -> None:
    sign_in = SignIns().start("alice", START, 4 * HOUR)
    tokens = Tokens()
    refresh_token = tokens.issue_refreshable(sign_in, "client", START, HOUR).refresh_token or ""
    now = START + after
    try:
        issue = tokens.refresh(refresh_token, "client", now, HOUR)
    except Refusal:
        assert now >= sign_in.ends_at

        return

    assert now < sign_in.ends_at
    assert issue.expires_in == min(HOUR, sign_in.ends_at - now) // timedelta(seconds=1)
