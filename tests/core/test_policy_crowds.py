"""Policy with many profiles, and with other programs at the same credentials file."""

from __future__ import annotations

from credtray.core.errors import (
    FileContended,
    FileUnparsable,
    FileUnwritable,
    Offline,
    SectionNotOurs,
    Throttled,
)
from credtray.core.events import (
    Asked,
    Fetched,
    FetchFailed,
    MarksRead,
    MarksUnread,
    NetworkChanged,
    Synced,
    SyncFailed,
)
from credtray.core.policy import FetchRoleCredentials, SyncCredentialsFile, decide
from credtray.core.state import State
from tests.core.making import MINUTE, NOON, SECOND, after, fetching, keys, signed_in, writing

# --- many profiles -----------------------------------------------------------------------------------


def _fetches(state: State, minutes: float = 0) -> list[str]:
    actions = decide(state, NOON + minutes * MINUTE)
    return [each.profile for each in actions if isinstance(each, FetchRoleCredentials)]


def test_no_more_calls_are_begun_than_can_be_made_at_once() -> None:
    state = signed_in(*(f"p{number:03d}" for number in range(500)))
    first = _fetches(state)
    state = after(state, *(fetching(name) for name in first))

    assert [f"p{number:03d}" for number in range(8)] == first
    assert _fetches(state) == []
    assert _fetches(after(state, Fetched("p003", keys()))) == ["p008"]


def test_a_program_that_asks_does_not_queue_behind_500_profiles() -> None:
    state = signed_in(*(f"p{number:03d}" for number in range(500)))
    state = after(state, *(fetching(name) for name in _fetches(state)), Asked("p499"))

    assert _fetches(after(state, Fetched("p003", keys()))) == ["p499"]


def test_a_storm_of_429_costs_the_calls_under_way_and_no_more() -> None:
    state = signed_in(*(f"p{number:03d}" for number in range(500)))
    state = after(state, *(fetching(name) for name in _fetches(state)))
    state = after(state, FetchFailed("p000", Throttled().problem))

    assert _fetches(state) == []


def test_an_attempt_that_never_reached_the_portal_is_repeated_as_soon_as_the_trouble_may_be_over() -> None:
    state = after(signed_in("dev"), fetching("dev"), FetchFailed("dev", Offline().problem))

    assert _fetches(state) == []
    assert _fetches(after(state, NetworkChanged(), now=NOON + 2 * SECOND), 1 / 30) == ["dev"]
    assert _fetches(state, 0.25) == ["dev"]


# --- sections that others change ---------------------------------------------------------------------


def _written(state: State, minutes: float = 0) -> list[str]:
    actions = decide(state, NOON + minutes * MINUTE)
    return [keys.section for each in actions if isinstance(each, SyncCredentialsFile) for keys in each.wanted]


def test_a_section_that_was_changed_back_is_written_again_and_not_given_up() -> None:
    problem = FileContended("[dev] was changed back").problem
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()), writing())
    state = after(state, Synced((), {"dev": problem}))

    assert _written(state) == []
    assert state.file.trouble is not None
    assert _written(state, 0.2) == ["dev"]


def test_fighting_another_program_becomes_rarer() -> None:
    problem = FileContended("[dev] was changed back").problem
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    for _ in range(4):
        state = after(state, writing(), Synced((), {"dev": problem}))

    assert _written(state, 0.7) == []


def test_a_refused_section_is_tried_again_when_somebody_has_edited_the_file() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()), writing())
    state = after(state, Synced((), {"dev": SectionNotOurs("it holds keys").problem}))

    assert _written(state, 10) == []
    assert _written(after(state, MarksRead(())), 10) == ["dev"]


def test_a_file_that_can_be_read_again_is_no_trouble_any_more() -> None:
    state = after(signed_in("dev"), MarksUnread(FileUnparsable("line 3").problem))

    assert state.file.trouble is not None
    assert after(state, MarksRead(())).file.trouble is None


def test_a_readable_file_does_not_hide_that_it_cannot_be_written() -> None:
    state = after(signed_in("dev"), writing(), SyncFailed(FileUnwritable("no space").problem))

    kept = after(state, MarksRead(())).file.trouble

    assert kept is not None
    assert kept.problem == FileUnwritable("no space").problem
