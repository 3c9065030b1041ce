"""`credtray why`: the first reason that explains it, and what to do next."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from credtray.core.errors import Offline, RoleRefused
from credtray.core.models import Way
from credtray.history.entries import Entry, Kind
from credtray.history.explain import Why, why
from tests.core.making import HOUR, MINUTE, NOON

AT = NOON + 2 * HOUR + 5 * MINUTE
NOW = NOON + 3 * HOUR


def entry(minutes: float, kind: Kind, **parts: Any) -> Entry:
    """Return what happened so many minutes before 14:05."""
    made: dict[str, Any] = {"at": AT - minutes * MINUTE, "kind": kind, "session": "corp", **parts}
    return Entry(**made)


STARTED = entry(120, Kind.AGENT_STARTED, session=None)
SIGNED_IN = entry(110, Kind.SIGNED_IN, until=AT + 2 * HOUR)
KEYS = entry(30, Kind.KEYS_FETCHED, profile="dns", until=AT + 30 * MINUTE)
REFUSED = entry(7, Kind.KEYS_REFUSED, profile="dns", code=RoleRefused.code, text=RoleRefused.title)
ASKED = entry(0, Kind.KEYS_DENIED, profile="dns", way=Way.PROCESS, program="aws", text=RoleRefused.title)


def explained(*entries: Entry, profile: str | None = "dns") -> Why:
    return why(sorted(entries, key=lambda each: each.at), AT, NOW, UTC, profile)


def test_a_role_that_was_removed_is_named_with_the_moment_and_what_to_do() -> None:
    found = explained(STARTED, SIGNED_IN, KEYS, REFUSED, ASKED)

    assert found.reasons == (
        f"At 14:05 dns was refused, since 13:58: {RoleRefused.title}. Its last keys came at 13:35.",
    )
    assert found.next_steps == (RoleRefused.hint,)
    assert next(each.text for each in found.around) == f"dns was refused: {RoleRefused.title}"


def test_what_has_worked_again_since_needs_nothing() -> None:
    found = explained(STARTED, SIGNED_IN, REFUSED, entry(-10, Kind.KEYS_FETCHED, profile="dns"))

    assert found.reasons[0].endswith("It has worked again since 14:15.")
    assert found.next_steps == ()


def test_without_a_profile_it_is_the_one_that_was_asked_for_in_vain() -> None:
    assert (
        explained(STARTED, SIGNED_IN, REFUSED, ASKED, profile=None).reasons
        == explained(STARTED, SIGNED_IN, REFUSED, ASKED).reasons
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.SIGN_IN_ENDED, "the sign-in to corp had ended at 13:58"),
        (Kind.SIGNED_OUT, "you had signed out at 13:58"),
    ],
)
def test_without_a_sign_in_it_says_so_and_how_to_sign_in(kind: Kind, words: str) -> None:
    found = explained(STARTED, SIGNED_IN, KEYS, entry(7, kind))

    assert found.reasons == (
        f"At 14:05 no keys of dns could be renewed: {words}; its keys worked until 14:35.",
    )
    assert found.next_steps == ("Sign in: credtray login corp",)


def test_who_has_signed_in_again_since_is_told_to_try_again() -> None:
    found = explained(STARTED, SIGNED_IN, entry(7, Kind.SIGN_IN_ENDED), entry(-20, Kind.SIGNED_IN), KEYS)

    assert found.next_steps == ("You are signed in again since 14:25: try it again.",)


def test_an_agent_that_did_not_run_explains_everything_else() -> None:
    found = explained(STARTED, SIGNED_IN, REFUSED, entry(5, Kind.AGENT_STOPPED, session=None))

    assert found.reasons == ("At 14:05 no keys of dns could be renewed: the agent had stopped at 14:00.",)
    assert found.next_steps == ("Start it: credtray start",)


def test_an_agent_that_runs_again_is_not_to_be_started() -> None:
    found = explained(
        STARTED,
        entry(5, Kind.AGENT_STOPPED, session=None),
        entry(-5, Kind.AGENT_STARTED, session=None),
        profile=None,
    )

    assert found.reasons == (
        "At 14:05 nothing was renewed: the agent had stopped at 14:00, and started again at 14:10.",
    )
    assert "autostart" in found.next_steps[0]


def test_sleep_is_a_reason_with_nothing_to_do() -> None:
    found = explained(
        STARTED, SIGNED_IN, KEYS, entry(50, Kind.SLEPT, session=None), entry(-15, Kind.WOKE, session=None)
    )

    assert found.reasons[0].endswith("the computer was asleep since 13:15, and woke up at 14:20.")
    assert found.next_steps == ()


def test_a_portal_out_of_reach_is_a_reason() -> None:
    found = explained(STARTED, SIGNED_IN, KEYS, entry(20, Kind.OFFLINE, code=Offline.code))

    assert found.reasons == ("The portal of corp could not be reached from 13:45 on.",)
    assert "credtray doctor" in found.next_steps[0]


def test_a_renewal_that_failed_is_a_reason() -> None:
    refused = entry(20, Kind.RENEWAL_REFUSED, text="Refresh refused")
    found = explained(STARTED, SIGNED_IN, KEYS, refused)

    assert found.reasons == ("The access token of corp was not renewed from 13:45 on: Refresh refused.",)


def test_where_nothing_was_wrong_it_says_so_and_where_to_look() -> None:
    found = explained(STARTED, SIGNED_IN, KEYS)

    assert found.reasons == (
        "At 14:05 nothing was wrong with dns: its keys came at 13:35 and were good until 14:35.",
    )
    assert found.next_steps == (
        "If a program failed all the same, see which keys it uses: credtray doctor dns",
    )


def test_keys_that_had_ended_are_told() -> None:
    old = entry(90, Kind.KEYS_FETCHED, profile="dns", until=AT - 30 * MINUTE)

    assert explained(STARTED, SIGNED_IN, old).reasons == (
        "At 14:05 the keys of dns had ended, at 13:35; nobody asked for new ones.",
    )


def test_what_happens_within_the_minute_that_was_named_counts() -> None:
    assert (
        "was refused"
        in explained(STARTED, SIGNED_IN, entry(-0.5, Kind.KEYS_REFUSED, profile="dns")).reasons[0]
    )


def test_only_what_concerns_the_profile_is_shown_around() -> None:
    other = entry(1, Kind.KEYS_FETCHED, profile="ro", session="lab")
    found = explained(STARTED, SIGNED_IN, KEYS, REFUSED, other, entry(2, Kind.TOKEN_RENEWED))

    assert [each.text for each in found.around] == [
        f"dns was refused: {RoleRefused.title}",
        "access token of corp renewed",
    ]
