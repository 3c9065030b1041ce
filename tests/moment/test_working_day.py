"""When a working day begins for somebody, in any zone and season, and which sign-ins do not cover it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from credtray.core import protocol
from credtray.core.errors import SettingsInvalid
from credtray.core.events import DayBegun, PartChanged, PresenceChanged, SettingsLoaded, SignedIn
from credtray.core.expiry import SignInMemory
from credtray.core.ports import DesktopPart, Part, Presence
from credtray.core.settings import SessionSettings, Settings, from_mapping
from credtray.core.state import State
from credtray.desktop_integration import follow_working_days
from credtray.moment.working_day import EARLY, Day, Seen, day_at, hours_of, look
from tests.core.making import HOUR, MINUTE, after, started, token
from tests.daemon.fakes import Daemon, run
from tests.soak import examples

BERLIN, NEW_YORK, KATHMANDU = (timezone(each * MINUTE) for each in (60, -300, 345))
WEEK = "Mon-Fri 09:00-17:30"
MONDAY = date(2026, 11, 23)
WATCHED = PartChanged(DesktopPart(Part.PRESENCE, "logind"))
HERE, LOCKED = PresenceChanged(Presence()), PresenceChanged(Presence(locked=True))


def at(hour: int, minute: int = 0, day: date = MONDAY, zone: tzinfo = BERLIN) -> datetime:
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


# --- the setting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "days"),
    [
        ("09:00-17:30", "0123456"),
        ("Sat 09:00-17:30", "5"),
        ("Mon-Fri 09:00-17:30", "01234"),
        ("Sat-Tue 09:00-17:30", "0156"),
        ("Wed-Wed 09:00-17:30", "2"),
    ],
)
def test_hours_are_read_with_their_days(setting: str, days: str) -> None:
    found = hours_of(from_mapping({"working_day": setting}).working_day or "")

    assert "".join(map(str, sorted(found.days))) == days
    assert (found.begin, found.end) == (time(9), time(17, 30))


@pytest.mark.parametrize(
    "setting",
    [
        *("", "yes", "9:00-17:30", "09:00-24:00", "09:00", "Mon-Fri", "09:60-17:30", "09:00 - 17:30"),
        *("Mo-Fr 09:00-17:30", "mon-fri 09:00-17:30", "Mon,Tue 09:00-17:30", "Mon-Fri  09:00-17:30"),
        *("09:00-17:30\n", 9, True),
    ],
)
def test_other_words_are_refused_with_an_example(setting: object) -> None:
    with pytest.raises(SettingsInvalid, match="Mon-Fri 09:00-17:30"):
        from_mapping({"working_day": setting})


def test_by_default_there_is_no_working_day() -> None:
    assert Settings().working_day is None


# --- days ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, KATHMANDU, UTC])
def test_a_day_begins_an_hour_early_and_is_over_at_its_end(zone: tzinfo) -> None:
    day = Day(at(9, zone=zone), at(17, 30, zone=zone))
    moments = [at(7, 59, zone=zone), at(8, zone=zone), at(17, 29, zone=zone), at(17, 30, zone=zone)]

    assert [day_at(hours_of(WEEK), each, zone) for each in moments] == [None, day, day, None]


def test_the_weekend_is_free() -> None:
    saturday = MONDAY + timedelta(days=5)

    assert day_at(hours_of(WEEK), at(10, day=saturday), BERLIN) is None


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    night = Day(at(22), at(6, day=MONDAY + timedelta(days=1)))
    hours = hours_of("Mon 22:00-06:00")
    moments = [
        at(5),
        at(21),
        at(23),
        at(5, day=MONDAY + timedelta(days=1)),
        at(22, day=MONDAY + timedelta(days=1)),
    ]

    assert [day_at(hours, each, BERLIN) for each in moments] == [None, night, night, night, None]


def test_a_day_that_begins_at_midnight_begins_early_on_the_evening_before() -> None:
    sunday = MONDAY - timedelta(days=1)

    assert day_at(hours_of("Mon 00:00-08:00"), at(23, 30, day=sunday), BERLIN) == Day(at(0), at(8))


@pytest.mark.posix("Windows brings Python no table of time zones")
@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 29), 7), (date(2026, 10, 25), 9)])
def test_the_night_in_which_clocks_are_changed_ends_when_the_clock_on_the_wall_says_so(
    day: date, length: int
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = day_at(hours_of("22:00-06:00"), at(5, day=day, zone=berlin), berlin)

    assert found is not None
    assert found.end - found.begin == length * HOUR


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    begin=st.times(),
    end=st.times(),
    zone=st.sampled_from([BERLIN, NEW_YORK, KATHMANDU]),
)
@settings(max_examples=examples(300))
def test_whatever_the_hours_now_is_in_the_day_that_is_found(
    now: datetime, begin: time, end: time, zone: tzinfo
) -> None:
    hours = replace(hours_of("09:00-17:30"), begin=begin, end=end)
    found = day_at(hours, now, zone)

    if found is not None:
        assert found.begin - EARLY <= now < found.end
        assert timedelta() < found.end - found.begin <= 25 * HOUR


# --- who is told -------------------------------------------------------------------------------------------


def state(length: timedelta, *, since: datetime, hours: str | None = WEEK) -> State:
    """Signed in then; each sign-in lasts so long."""
    chosen = Settings(working_day=hours, sessions={"corp": SessionSettings(duration=length)})
    begun = after(started("dev", settings=chosen, now=since), SettingsLoaded(chosen), WATCHED, now=since)
    return after(begun, SignedIn("corp", token(since)), now=since)


def told(state: State, now: datetime, seen: Seen = Seen()) -> tuple[DayBegun, ...]:
    return look(seen, state, now, BERLIN)[1]


YESTERDAY = at(16, 30, day=MONDAY - timedelta(days=1))
TEN_HOURS = timedelta(hours=10)


def test_who_comes_in_the_morning_hears_of_a_sign_in_that_ends_during_the_day() -> None:
    since = at(4)

    assert told(state(TEN_HOURS, since=since), at(8, 30)) == (DayBegun("corp", at(17, 30)),)


@pytest.mark.parametrize(
    ("length", "since", "now"),
    [
        (TEN_HOURS, at(4), at(7)),
        (timedelta(hours=8), at(4), at(8, 30)),
        (timedelta(hours=14), at(4), at(8, 30)),
        (timedelta(hours=9), at(8, 10), at(9)),
        (timedelta(hours=4), YESTERDAY, at(8, 30)),
    ],
    ids=["too early", "a new one would not cover it", "it is covered", "signed in today", "it has ended"],
)
def test_everybody_else_hears_nothing(length: timedelta, since: datetime, now: datetime) -> None:
    assert told(state(length, since=since), now) == ()


def test_what_was_learned_of_the_length_counts_more_than_the_setting() -> None:
    known = state(TEN_HOURS, since=at(4))
    corp = replace(known.sessions["corp"], memory=SignInMemory(length=timedelta(hours=8)))

    assert told(known.with_session(corp), at(8, 30)) == ()


def test_only_who_wants_it_hears_of_it() -> None:
    assert told(state(TEN_HOURS, since=at(4), hours=None), at(8, 30)) == ()


def test_it_is_not_asked_before_it_is_known_whether_somebody_is_there_and_who_is_signed_in() -> None:
    known = state(TEN_HOURS, since=at(4))
    corp = replace(known.sessions["corp"], looked=False)

    assert told(replace(known, desktop={}), at(8, 30)) == ()
    assert told(known.with_session(corp), at(8, 30)) == ()
    assert told(after(known, LOCKED), at(8, 30)) == ()


def test_only_the_first_coming_of_a_day_counts() -> None:
    known, seen = state(timedelta(hours=9), since=at(4)), Seen()
    comings = []
    for hour in (8, 10, 12):
        seen, _ = look(seen, after(known, LOCKED), at(hour), BERLIN)
        seen, begun = look(seen, known, at(hour, 1), BERLIN)
        comings.append(begun)

    assert comings == [(), (), ()]  # at 10:01 a new one would cover the day: too late to begin with it


class Week(RuleBasedStateMachine):
    """Somebody comes and goes for days; a sign-in that never changes ends in a day or not."""

    def __init__(self) -> None:
        super().__init__()
        self.now = at(5)
        self.seen = Seen()
        self.there = False
        self.told: list[datetime] = []

    @rule(minutes=st.integers(1, 600), there=st.booleans())
    def time_passes(self, minutes: int, there: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        self.now += minutes * MINUTE
        known = after(state(TEN_HOURS, since=self.now - 8 * HOUR), HERE if there else LOCKED)
        came, self.there = there and not self.there, there
        self.seen, begun = look(self.seen, known, self.now, BERLIN)
        self.told += [each.until for each in begun]

        assert not begun or came
        assert self.seen.there is there

    @invariant()
    def each_day_is_told_once_at_most_and_only_working_days(self) -> None:
        assert len(self.told) == len(set(self.told))
        assert all(each.astimezone(BERLIN).weekday() < 5 for each in self.told)


def test_in_any_week_each_day_is_told_once_at_most() -> None:
    run_state_machine_as_test(Week, settings=settings(max_examples=examples(60), stateful_step_count=40))


# --- the agent ---------------------------------------------------------------------------------------------

QUESTION = "corp: sign in now for the whole day?"
LATE = Settings(working_day="18:00-23:00", sessions={"corp": SessionSettings(duration=TEN_HOURS)})
"""Each sign-in lasts ten hours, as the service and the settings have it; the first is made at noon."""


def test_the_agent_asks_when_somebody_unlocks_the_screen_and_once_and_a_click_covers_the_day() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.portal.sign_in_length, daemon.settings.content = TEN_HOURS, LATE
        await daemon.signed_in("dev")
        following = asyncio.create_task(follow_working_days(daemon.loop, UTC))
        for hours, event in ((0, WATCHED), (1, LOCKED), (1, HERE), (3, LOCKED)):
            await asyncio.sleep(hours * 3600)
            daemon.loop.take(event)
        assert QUESTION not in daemon.notifier.shown
        await asyncio.sleep(40 * 60)
        for event in (HERE, LOCKED, HERE):
            daemon.loop.take(event)
            await asyncio.sleep(60)
        assert daemon.notifier.shown.count(QUESTION) == 1
        assert [each.title for each in daemon.notifier.there.values()] == [QUESTION]

        [button] = daemon.notifier.there["corp:end"].buttons
        assert button.click == protocol.Login("corp", fresh=True)
        await daemon.ask(protocol.Login("corp", fresh=True))
        await asyncio.sleep(5 * 3600)
        following.cancel()

        assert [each.title for each in daemon.notifier.there.values()] == []
        assert daemon.notifier.shown.count(QUESTION) == 1

    run(drive())


def test_who_takes_the_setting_back_is_not_asked_any_more() -> None:
    async def drive() -> None:
        daemon = Daemon()
        await daemon.signed_in("dev")
        daemon.loop.take(SettingsLoaded(LATE))
        following = asyncio.create_task(follow_working_days(daemon.loop, UTC))
        daemon.loop.take(DayBegun("corp", daemon.loop.now() + 2 * TEN_HOURS))
        await asyncio.sleep(60)
        assert [each.title for each in daemon.notifier.there.values()] == [QUESTION]
        daemon.loop.take(SettingsLoaded(replace(LATE, working_day=None)))
        await asyncio.sleep(60)
        following.cancel()

        assert daemon.notifier.there == {}

    run(drive())


def test_without_the_setting_the_agent_asks_nothing() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.portal.sign_in_length = TEN_HOURS
        daemon.settings.content = replace(LATE, working_day=None)
        await daemon.signed_in("dev")
        following = asyncio.create_task(follow_working_days(daemon.loop, UTC))
        for event in (WATCHED, LOCKED, HERE):
            await asyncio.sleep(2 * 3600)
            daemon.loop.take(event)
        await asyncio.sleep(60)
        following.cancel()

        assert QUESTION not in daemon.notifier.shown

    run(drive())
