"""The time line as a value: what is certain, what is expected, where a person must act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from credtray.core.protocol.results import AgentStatus, StatusDocument
from credtray.core.summary import status_document
from credtray.history.entries import Entry, Kind
from credtray.history.timeline import (
    DAY_BACK,
    Bar,
    BarKind,
    Gap,
    GapKind,
    Lane,
    Mark,
    MarkKind,
    Stretch,
    Timeline,
    bar_words,
    full_hours,
    mark_label,
    mark_words,
    timeline,
)
from tests.as_json import iso
from tests.cli.fake_backend import NOW, document, idle, profile, session
from tests.core.making import HOUR, MINUTE, NOON, held

LONG = 4 * HOUR
END = NOW + 3 * HOUR + 12 * MINUTE


def drawn(sessions: list[Any], profiles: list[Any] | None = None, *entries: Entry, **parts: Any) -> Timeline:
    made = msgspec.convert(document(sessions, profiles or [], **parts), StatusDocument)
    return timeline(made, entries)


def the(lane: Lane, kind: BarKind, name: str | None = None) -> Bar:
    (found,) = [bar for bar in lane.bars if bar.kind is kind and name in {None, bar.name}]
    return found


def ahead(bar: Bar) -> list[tuple[datetime, bool]]:
    return [(each.end, each.certain) for each in bar.stretches if each.end > NOW]


def test_now_is_in_the_middle_of_the_left_third_and_twelve_hours_are_ahead() -> None:
    line = drawn([session()])

    assert line.place(NOW) == pytest.approx(1 / 6)
    assert line.end - line.now == timedelta(hours=12)


def test_an_estimated_sign_in_is_solid_as_long_as_its_token_proves_it_and_faded_from_there() -> None:
    bar = the(drawn([session()]).lanes[0], BarKind.SIGN_IN)

    assert ahead(bar) == [(NOW + 47 * MINUTE, True), (END, False)]


def test_a_proven_sign_in_is_solid_to_its_end() -> None:
    bar = the(drawn([session(end_is_estimate=False)]).lanes[0], BarKind.SIGN_IN)

    assert ahead(bar) == [(END, True)]


def test_each_silent_renewal_of_the_token_is_a_tick_and_none_comes_after_the_sign_in() -> None:
    bar = the(drawn([session()]).lanes[0], BarKind.ACCESS_TOKEN)

    assert tuple(NOW + minutes * MINUTE for minutes in (27, 67, 107, 147)) == bar.renewals
    assert ahead(bar) == [(NOW + 47 * MINUTE, True), (END, False)]


def test_a_token_that_was_cut_at_the_end_of_the_sign_in_is_not_renewed() -> None:
    cut = session(access_token_expires_at=iso(END), end_is_estimate=False)
    bar = the(drawn([cut]).lanes[0], BarKind.ACCESS_TOKEN)

    assert bar.renewals == ()
    assert ahead(bar) == [(END, True)]


@pytest.mark.parametrize("parts", [{"token_renews": False}, {"legacy": True}])
def test_a_token_that_cannot_be_renewed_has_no_ticks(parts: dict[str, Any]) -> None:
    assert the(drawn([session(**parts)]).lanes[0], BarKind.ACCESS_TOKEN).renewals == ()


def test_keys_are_renewed_while_the_sign_in_lasts_and_outlive_it() -> None:
    bar = the(drawn([session()], [profile("dev")]).lanes[0], BarKind.KEYS)
    last = NOW + 187 * MINUTE

    assert bar.renewals[-1] == last < END
    assert [(NOW + 47 * MINUTE, True), (last + HOUR, False)] == ahead(bar)


def test_keys_that_live_long_are_renewed_seldom() -> None:
    long = profile("dev", expires_at=iso(NOW + 2 * HOUR), keys_seconds=8 * 3600)
    bar = the(drawn([session()], [long]).lanes[0], BarKind.KEYS)

    assert bar.renewals == (NOW + 100 * MINUTE,)


def test_without_an_agent_nothing_is_renewed() -> None:
    lane = drawn([session()], [profile("dev")], agent={"running": False, "pid": None, "version": None}).lanes[
        0
    ]

    assert [bar.renewals for bar in lane.bars] == [()] * 3
    assert ahead(the(lane, BarKind.KEYS)) == [(NOW + 47 * MINUTE, True)]


def test_a_profile_that_nobody_chose_and_that_holds_no_keys_has_no_bar() -> None:
    lane = drawn([session()], [profile("dev"), idle("idle")]).lanes[0]

    assert [bar.name for bar in lane.bars] == ["synderys", "synderys", "dev"]


def test_where_a_person_must_act_is_marked_in_words() -> None:
    line = drawn([session(), session("old", state="expired", signed_in_until=iso(NOW - HOUR))])
    words = [[mark_words(mark, NOW, UTC) for mark in lane.marks] for lane in line.lanes]

    assert words == [["about 16:40: you sign in"], ["now: you sign in"]]


def test_a_proven_end_is_not_called_about() -> None:
    (mark,) = drawn([session(end_is_estimate=False)]).lanes[0].marks

    assert mark_words(mark, NOW, UTC) == "16:40: you sign in"


def test_a_sign_in_under_way_is_to_be_finished_now() -> None:
    waits = session(state="signing_in", pending={"present_until": iso(END)}, signed_in_until=iso(END))
    (mark,) = drawn([waits]).lanes[0].marks

    assert (mark.kind, mark.at) == (MarkKind.FINISH_SIGN_IN, NOW)
    assert mark.kind.needs_a_person


def test_an_end_beyond_the_right_edge_has_no_mark_and_fills_the_line() -> None:
    line = drawn([session(signed_in_until=iso(NOW + 30 * HOUR), end_is_estimate=False)])

    assert line.lanes[0].marks == ()
    assert [(line.end, True)] == ahead(the(line.lanes[0], BarKind.SIGN_IN))


def test_a_sign_in_longer_than_expected_lasts_as_long_as_its_token() -> None:
    longer = session(signed_in_until=iso(NOW - MINUTE))
    (mark,) = drawn([longer]).lanes[0].marks

    assert (mark.at, mark.about) == (NOW + 47 * MINUTE, True)


def test_pasted_keys_have_a_lane_of_their_own_with_the_moment_at_which_they_end() -> None:
    pasted = {
        "section": "lab",
        "account_id": None,
        "role_name": None,
        "state": "fresh",
        "expires_at": iso(NOW + HOUR),
        "error": None,
    }
    (lane,) = drawn([], imports=[pasted]).lanes

    assert [mark_words(mark, NOW, UTC) for mark in lane.marks] == ["14:28: you paste new keys"]


# --- the past ----------------------------------------------------------------------------------------


def happened(ago: timedelta, kind: Kind, **parts: Any) -> Entry:
    return Entry(at=NOW - ago, kind=kind, session="synderys", **parts)


def test_the_present_sign_in_begins_when_the_history_says() -> None:
    line = drawn([session()], [], happened(40 * MINUTE, Kind.SIGNED_IN, until=END))

    assert the(line.lanes[0], BarKind.SIGN_IN).stretches[0].start == NOW - 40 * MINUTE


def test_earlier_sign_ins_are_shown_up_to_their_ends() -> None:
    line = drawn(
        [session()],
        [],
        happened(130 * MINUTE, Kind.SIGNED_IN),
        happened(90 * MINUTE, Kind.SIGN_IN_ENDED),
        happened(10 * MINUTE, Kind.SIGNED_IN),
    )
    first, second, *_ = the(line.lanes[0], BarKind.SIGN_IN).stretches

    assert Stretch(NOW - 130 * MINUTE, NOW - 90 * MINUTE) == first
    assert second.start == NOW - 10 * MINUTE


def test_what_a_person_was_told_is_kept_apart_from_what_failed() -> None:
    line = drawn(
        [session()],
        [],
        happened(90 * MINUTE, Kind.NOTICED, text="The sign-in to synderys ends in 30 min"),
        happened(5 * HOUR, Kind.NOTICED, text="long ago"),
    )
    [told] = line.lanes[0].notices

    assert mark_words(told, NOW, UTC) == "11:58: you were told: The sign-in to synderys ends in 30 min"
    assert [mark.kind for mark in line.lanes[0].marks] == [MarkKind.SIGN_IN]


def test_past_renewals_are_ticks_and_failures_are_marks() -> None:
    line = drawn(
        [session()],
        [profile("dev")],
        happened(60 * MINUTE, Kind.TOKEN_RENEWED, until=NOW),
        happened(50 * MINUTE, Kind.KEYS_FETCHED, profile="dev", until=NOW + 10 * MINUTE),
        happened(30 * MINUTE, Kind.KEYS_REFUSED, profile="dev", text="No access"),
    )
    lane = line.lanes[0]

    assert the(lane, BarKind.ACCESS_TOKEN).renewals[0] == NOW - HOUR
    assert the(lane, BarKind.KEYS).renewals[0] == NOW - 50 * MINUTE
    assert mark_words(lane.marks[0], NOW, UTC) == "12:58: dev: No access"


def test_sleep_and_lost_networks_are_gaps_and_an_open_one_lasts_to_now() -> None:
    line = drawn(
        [session()],
        [],
        Entry(at=NOW - 100 * MINUTE, kind=Kind.SLEPT),
        Entry(at=NOW - 70 * MINUTE, kind=Kind.WOKE),
        happened(20 * MINUTE, Kind.OFFLINE),
    )

    assert (
        Gap(NOW - 100 * MINUTE, NOW - 70 * MINUTE, GapKind.ASLEEP),
        Gap(NOW - 20 * MINUTE, NOW, GapKind.OFFLINE),
    ) == line.gaps


def test_an_agent_that_starts_knows_of_no_gap_of_the_one_before() -> None:
    line = drawn(
        [session()],
        [],
        happened(60 * MINUTE, Kind.OFFLINE),
        Entry(at=NOW - 50 * MINUTE, kind=Kind.AGENT_STOPPED),
        Entry(at=NOW - 40 * MINUTE, kind=Kind.AGENT_STARTED),
    )

    assert (Gap(NOW - 50 * MINUTE, NOW - 40 * MINUTE, GapKind.NO_AGENT),) == line.gaps


def test_what_many_sessions_met_at_the_same_time_is_one_gap() -> None:
    line = drawn(
        [session()],
        [],
        Entry(at=NOW - 50 * MINUTE, kind=Kind.OFFLINE, session="corp"),
        Entry(at=NOW - 45 * MINUTE, kind=Kind.OFFLINE, session="lab"),
        Entry(at=NOW - 30 * MINUTE, kind=Kind.ONLINE, session="corp"),
        Entry(at=NOW - 20 * MINUTE, kind=Kind.ONLINE, session="lab"),
    )

    assert (Gap(NOW - 50 * MINUTE, NOW - 20 * MINUTE, GapKind.OFFLINE),) == line.gaps


def test_a_failure_has_its_name_once_and_a_label_without_the_reason() -> None:
    mark = Mark(NOW, MarkKind.REFUSED, "dev", text="Not assigned: dev")
    later = NOW + MINUTE

    assert mark_words(mark, later, UTC) == "13:28: dev: Not assigned"
    assert mark_label(mark, later, UTC) == "13:28: dev refused"
    assert mark_label(mark, later, UTC, brief=True) == "13:28: refused"


def test_bars_of_the_past_day_are_cut_at_the_left_edge() -> None:
    made = msgspec.convert(document([session()]), StatusDocument)
    line = timeline(made, [happened(30 * HOUR, Kind.SIGNED_IN)], back=DAY_BACK)

    assert the(line.lanes[0], BarKind.SIGN_IN).stretches[0].start == NOW - 24 * HOUR == line.start


# --- words and axis ----------------------------------------------------------------------------------


def test_the_axis_has_the_full_hours_of_the_readers_clock() -> None:
    line = drawn([session()])
    nepal = timezone(timedelta(hours=5, minutes=45))

    assert [at.strftime("%H") for at in full_hours(line, UTC, 3)] == ["12", "15", "18", "21", "00"]
    assert {15} == {at.minute for at in full_hours(line, nepal)}


def test_each_bar_has_words_for_whoever_cannot_see_it() -> None:
    lane = drawn([session()], [profile("dev")]).lanes[0]

    assert ["until about 16:40", *["until 14:15, renewed silently at 13:55"] * 2] == [
        bar_words(bar, NOW, UTC) for bar in lane.bars
    ]


def test_a_bar_without_anything_says_so() -> None:
    signed_out = session(state="signed_out", signed_in_until=None, access_token_expires_at=None)

    assert {"none"} == {bar_words(bar, NOW, UTC) for bar in drawn([signed_out]).lanes[0].bars}


def test_the_agents_own_document_says_how_long_token_and_keys_live() -> None:
    made = status_document(held(), AgentStatus(running=True), NOON)

    assert [each.access_token_seconds for each in made.sessions] == [3600]
    assert [each.keys_seconds for each in made.profiles] == [3600]
    assert timeline(made).lanes[0].bars[-1].renewals[0] == NOON + 40 * MINUTE
