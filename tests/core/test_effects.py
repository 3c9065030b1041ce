"""When a command's effect is there, told from the state alone."""

from __future__ import annotations

import pytest

from credtray.core.effects import Effect, Missing, missing, of_sign_in, of_sign_out
from credtray.core.errors import FileContended, Offline
from credtray.core.events import (
    Deactivated,
    Event,
    Fetched,
    FetchFailed,
    SignedOut,
    Switched,
    Synced,
    SyncFailed,
)
from credtray.core.ports import Mark
from credtray.core.section_mark import key_digest
from credtray.core.state import State
from tests.core.making import MINUTE, NOON, after, fetching, keys, refreshing, signed_in, started, writing

DEV = Effect(("dev",))
HELD = keys()
WRITTEN = Synced((Mark("dev", "dev", HELD.expires_at, key_digest(HELD.access_key_id)),), {})
FETCHED = (fetching("dev"), Fetched("dev", HELD, None))


def left(effect: Effect, *events: Event, of: State | None = None) -> Missing | None:
    return missing(effect, after(of or signed_in("dev", "ro"), *events), NOON)


@pytest.mark.parametrize(
    ("events", "waits_for"),
    [
        ((), Missing("corp")),
        ((fetching("dev"),), Missing("corp", NOON)),
        ((refreshing("corp"),), Missing("corp", NOON)),
        (FETCHED, Missing()),
        ((*FETCHED, writing()), Missing()),
        ((*FETCHED, writing(), WRITTEN), None),
        ((*FETCHED, writing(), WRITTEN, fetching("ro")), None),
    ],
)
def test_keys_are_there_when_the_file_holds_them(
    events: tuple[Event, ...], waits_for: Missing | None
) -> None:
    assert left(DEV, *events) == waits_for


def test_a_rewrite_under_way_may_be_for_an_earlier_choice() -> None:
    assert left(DEV, *FETCHED, writing(), WRITTEN, writing()) == Missing()


@pytest.mark.parametrize(
    "events",
    [
        (fetching("dev"), FetchFailed("dev", Offline("no answer").problem)),
        (fetching("dev"), SignedOut("corp")),
        (fetching("dev"), Deactivated(("dev",))),
        (*FETCHED, writing(), SyncFailed(FileContended("busy").problem)),
    ],
)
def test_what_cannot_come_about_is_not_waited_for(events: tuple[Event, ...]) -> None:
    assert left(DEV, *events) is None


def test_keys_that_last_are_good_although_newer_ones_are_fetched() -> None:
    events = (*FETCHED, writing(), WRITTEN, fetching("dev"))

    assert left(DEV, *events) is None


def test_a_removal_is_there_when_the_section_is_gone() -> None:
    there = after(signed_in("dev"), *FETCHED, writing(), WRITTEN)
    effect = of_sign_out(there, "corp")

    assert effect == Effect(sections=("dev",))
    assert left(effect, of=there) is None
    assert left(effect, SignedOut("corp"), of=there) == Missing()
    assert left(effect, SignedOut("corp"), writing(), Synced((), {}), of=there) is None


def test_a_sign_in_brings_keys_for_the_kept_profiles_of_its_session() -> None:
    assert of_sign_in(after(started("dev", "ro"), Switched("ro")), "corp") == Effect(
        ("ro",), person_of="corp"
    )
    assert of_sign_in(signed_in("dev"), "other") == Effect(person_of="other")


def test_a_try_that_is_due_again_is_waited_for() -> None:
    failed = after(signed_in("dev"), fetching("dev"), FetchFailed("dev", Offline("no").problem))

    assert missing(DEV, failed, NOON + 30 * MINUTE) == Missing("corp")
