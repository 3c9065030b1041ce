"""Notices come when a person is there and free: none lost, none twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from credtray.core import state_document
from credtray.core.apply import apply
from credtray.core.errors import Offline, TokenRefused
from credtray.core.events import (
    DayBegun,
    Event,
    Imported,
    NoticesPaused,
    PartChanged,
    PresenceChanged,
    RefreshFailed,
    SettingsLoaded,
    SignedIn,
    SignInAwaited,
    SignInStarted,
    Snoozed,
    Synced,
)
from credtray.core.models import Awaited
from credtray.core.notices import Subject, imports_due
from credtray.core.policy import OpenSignIn, decide, next_look
from credtray.core.ports import DesktopPart, Mark, Part, Presence
from credtray.core.section_mark import key_digest
from credtray.core.settings import SessionSettings, Settings
from credtray.core.state import SessionState
from tests.core.making import HOUR, MINUTE, NOON, after, keys, refreshing, started, token
from tests.core.screen import Screen, cut, warned
from tests.soak import examples

HERE, BUSY, LOCKED = Presence(), Presence(busy=True), Presence(locked=True)
SOON, ENDED = Subject.ENDS_SOON, Subject.ENDED
REFUSED = RefreshFailed("corp", TokenRefused().problem)
END = 90.0
"""Minutes after noon at which the sign-in of ``cut`` ends; warnings are due at 60 and at 80."""


def busy() -> Screen:
    screen = Screen(cut())
    screen.at(50, PresenceChanged(BUSY))
    return screen


# --- busy --------------------------------------------------------------------------------------------


def test_a_warning_waits_until_the_person_is_free_and_comes_once() -> None:
    screen = busy()
    held = screen.at(60) + screen.at(80)

    assert held == []
    assert screen.at(82, PresenceChanged(HERE)) == [SOON]
    assert screen.at(83) + screen.at(86) == []


def test_that_a_sign_in_has_ended_waits_however_long_the_person_is_busy() -> None:
    screen = busy()
    told = screen.at(91, refreshing("corp"), REFUSED) + screen.at(300)

    assert told == []
    assert screen.at(301, PresenceChanged(HERE)) == [ENDED]


def test_a_warning_on_the_screen_stays_there_when_the_person_gets_busy() -> None:
    screen = warned()
    screen.at(61, PresenceChanged(BUSY))

    assert screen.at(62) == []
    assert screen.standing() == [SOON]


def test_no_window_opens_by_itself_over_a_full_screen() -> None:
    allowed = Settings(sessions={"corp": SessionSettings(open_by_itself=True)})
    watched = PartChanged(DesktopPart(Part.PRESENCE, "logind"))
    ended = after(cut(), SettingsLoaded(allowed), watched, PresenceChanged(BUSY), refreshing("corp"), REFUSED)

    assert OpenSignIn("corp") not in decide(ended, NOON + 91 * MINUTE)
    assert OpenSignIn("corp") in decide(after(ended, PresenceChanged(HERE)), NOON + 91 * MINUTE)


def test_a_job_and_pasted_keys_are_not_spoken_of_over_a_full_screen() -> None:
    mark = Mark("ops", "111122223333/Admin", NOON + 4 * HOUR, key_digest("ASIAP"), pasted=True)
    pasted = Imported("ops", keys(life=4 * HOUR, name="P"), "111122223333", "Admin")
    state = after(started(), pasted, Synced((mark,)), PresenceChanged(BUSY))
    job = Awaited("dev", NOON + 3 * HOUR, NOON + 55 * MINUTE)
    soon = NOON + 4 * HOUR - MINUTE

    assert busy().at(51, SignInAwaited("corp", job)) == []
    assert imports_due(state, soon) == ()
    free = after(state, PresenceChanged(HERE))
    assert [notice.subject for notice in imports_due(free, soon)] == [Subject.PASTED_END_SOON]


# --- the working day -----------------------------------------------------------------------------------

DAY = Subject.DAY_UNCOVERED
UNTIL = NOON + 5 * HOUR
BEGUN = DayBegun("corp", UNTIL)
"""Of a day until 17:00; the sign-in of ``cut`` ends at 13:30."""


def fresh(minutes: float, life: timedelta) -> tuple[Event, ...]:
    return SignInStarted("corp"), SignedIn("corp", token(NOON + minutes * MINUTE, life, name="new"))


def test_a_day_that_the_sign_in_does_not_cover_is_told_once_with_both_ends() -> None:
    screen = Screen(cut())

    assert screen.at(41, BEGUN) == [DAY]
    assert screen.there["corp:end"].ends_at == NOON + END * MINUTE
    assert screen.there["corp:end"].day_until == UNTIL
    assert screen.at(42) + screen.at(43, BEGUN) == []
    assert screen.at(60) == [SOON]
    assert screen.standing() == [SOON]


@pytest.mark.parametrize("until", [NOON + END * MINUTE, NOON + 80 * MINUTE])
def test_a_day_that_is_covered_is_not_spoken_of(until: datetime) -> None:
    assert Screen(cut()).at(41, DayBegun("corp", until)) == []


def test_where_the_warning_is_due_as_well_it_alone_comes() -> None:
    screen = Screen(cut())

    assert screen.at(65, BEGUN) == [SOON]
    assert screen.at(66) == []


def test_it_is_taken_back_when_somebody_signs_in_for_long_enough() -> None:
    screen = Screen(cut())
    screen.at(41, BEGUN)

    assert screen.at(45, *fresh(45, 8 * HOUR)) == screen.standing() == [Subject.SIGNED_IN]
    assert screen.at(55) == screen.standing() == []


def test_a_new_sign_in_that_does_not_reach_far_enough_is_not_spoken_of_again() -> None:
    screen = Screen(cut())
    screen.at(41, BEGUN)
    told = screen.at(45, *fresh(45, HOUR)) + screen.at(46) + screen.at(55)

    assert DAY not in told


@pytest.mark.parametrize("away", [LOCKED, BUSY])
def test_it_waits_for_a_person_who_is_there_and_free(away: Presence) -> None:
    screen = Screen(cut())
    screen.at(40, PresenceChanged(away))

    assert screen.at(41, BEGUN) == []
    assert screen.at(42, PresenceChanged(HERE)) == [DAY]


def test_it_waits_for_the_network() -> None:
    screen = Screen(cut())
    screen.at(41, refreshing("corp"), RefreshFailed("corp", Offline().problem))

    assert screen.at(41.1, BEGUN) == []
    assert screen.at(45) == [DAY]


def test_after_a_restart_of_the_agent_it_is_not_told_again() -> None:
    screen = Screen(cut())
    screen.at(41, BEGUN)
    saved = state_document.decode(state_document.encode(screen.state))
    [session] = saved.remembered.values()

    assert f"day:{UNTIL.isoformat()}" in session.said


def test_who_paused_the_warnings_of_this_sign_in_is_not_asked() -> None:
    screen = Screen(cut())
    screen.at(41, Snoozed("corp", NOON + 50 * MINUTE))

    assert screen.at(42, BEGUN) == []
    assert screen.at(50) == [DAY]


# --- any order -----------------------------------------------------------------------------------------


class Moments(RuleBasedStateMachine):
    """A person who comes, goes and presents while a sign-in nears its end, on a desktop that shows all."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = Screen(cut())
        self.minutes = 50.0
        self.told: list[Subject] = []
        """In the last step."""
        self.warnings: list[float] = []
        """When one came."""
        self.ends: list[float] = []
        self.days: list[float] = []
        self.ended = self.begun = False

    def look(self, *events: Event) -> None:
        self.told = self.screen.at(self.minutes, *events)
        self.days += [self.minutes] * self.told.count(DAY)
        self.warnings += [self.minutes] * self.told.count(SOON)
        self.ends += [self.minutes] * self.told.count(ENDED)

    @property
    def session(self) -> SessionState:
        return self.screen.state.sessions["corp"]

    @property
    def held(self) -> bool:
        state = self.screen.state
        paused = state.paused_until is not None and state.paused_until > NOON + self.minutes * MINUTE
        return state.presence.away or state.presence.busy or paused

    @rule(minutes=st.floats(0.1, 12.0))
    def time_passes(self, minutes: float) -> None:
        """Pass it as the agent does: it looks whenever something may have become due."""
        until = NOON + (self.minutes + minutes) * MINUTE
        now = NOON + self.minutes * MINUTE
        while (look := next_look(self.screen.state, now)) is not None and look < until:
            now, self.minutes = look, (look - NOON) / MINUTE
            self.look()
        self.minutes = (until - NOON) / MINUTE
        self.look()

    @rule(locked=st.booleans(), idle=st.booleans(), asleep=st.booleans(), busy=st.booleans())
    def comes_and_goes(self, *, locked: bool, idle: bool, asleep: bool, busy: bool) -> None:
        self.look(PresenceChanged(Presence(locked, idle, asleep, busy)))

    @rule()
    def is_there_and_free(self) -> None:
        self.look(PresenceChanged(HERE))

    @rule(minutes=st.floats(-1.0, 15.0))
    def pauses(self, minutes: float) -> None:
        self.look(NoticesPaused(NOON + (self.minutes + minutes) * MINUTE))

    @rule()
    def the_day_begins(self) -> None:
        self.begun = True
        self.look(BEGUN)

    @precondition(lambda self: self.minutes > END and not self.ended)
    @rule()
    def it_ends(self) -> None:
        self.ended = True
        self.screen.state = apply(self.screen.state, refreshing("corp"), NOON + self.minutes * MINUTE)
        self.look(REFUSED)

    @invariant()
    def nothing_comes_while_nobody_is_there_or_free(self) -> None:
        assert not (self.told and self.held)

    @invariant()
    def none_comes_twice(self) -> None:
        assert len([each for each in self.warnings if each < 80]) <= 1
        assert len(self.warnings) <= 2
        assert len(self.ends) <= 1
        assert len(self.days) <= 1

    @invariant()
    def none_is_lost(self) -> None:
        if self.held:
            return
        if self.ended:
            assert self.ends
        elif self.begun and self.minutes < 60:
            assert self.days
        elif 60 <= self.minutes < END:
            assert self.warnings
            assert self.screen.standing() == [SOON]


def test_whatever_a_person_does_no_notice_is_lost_and_none_comes_twice() -> None:
    run_state_machine_as_test(Moments, settings=settings(max_examples=examples(100), stateful_step_count=30))


def test_a_machine_that_forgets_or_repeats_would_be_noticed() -> None:
    """The checks bite: a screen that was told twice, and one that was told nothing."""
    twice, lost = Moments(), Moments()
    twice.warnings = [61, 62]
    lost.screen.broken = True
    lost.time_passes(15)

    with pytest.raises(AssertionError):
        twice.none_comes_twice()
    with pytest.raises(AssertionError):
        lost.none_is_lost()
