"""Every text a person reads in notices and status lines, as plain text; see tests/core/snapshots/view.txt.

Run with UPDATE_SNAPSHOTS=1 to write the texts anew, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from agent.core.errors import Offline, Problem, RoleRefused, SectionNotOurs, TokenRefused
from agent.core.events import (
    Fetched,
    FetchStarted,
    Refreshed,
    RefreshFailed,
    RefreshStarted,
    SignInStarted,
    TokenFound,
    TokenVanished,
)
from agent.core.notices import Notice, Subject
from agent.core.state import State
from agent.core.view import _WORDS, clock_time, notice_words, session_line, still_valid
from tests.core.making import HOUR, MINUTE, NOON, after, keys, signed_in, started, token

SNAPSHOT = Path(__file__).with_name("snapshots") / "view.txt"
NAMES = ("dev", "ro", "dns", "security", "audit", "billing")


def notice(subject: Subject, problem: Problem | None = None, **parts: object) -> Notice:
    fields = {"ends_at": NOON + 29.6 * MINUTE, **parts}
    return Notice(subject, "corp", "key", frozenset(), problem=problem, **fields)  # type: ignore[arg-type]  # a table


NOTICES = {
    "ends soon, proven": notice(Subject.ENDS_SOON),
    "ends soon, an estimate": notice(Subject.ENDS_SOON, about=True),
    "ends in seconds": notice(Subject.ENDS_SOON, ends_at=NOON + timedelta(seconds=5)),
    "ends tomorrow": notice(Subject.ENDS_SOON, ends_at=NOON + 25 * HOUR),
    "ended": notice(Subject.ENDED, ends_at=NOON - 2 * MINUTE),
    "ended while away": notice(Subject.ENDED, ends_at=NOON - 30 * HOUR),
    "fresh sign-in without effect": notice(Subject.END_UNMOVED),
    "could not refresh": notice(Subject.CANNOT_REFRESH, Offline("no route").problem, names=NAMES[:2]),
    "could not refresh many": notice(Subject.CANNOT_REFRESH, Offline().problem, names=NAMES),
    "role refused": notice(Subject.ROLE_REFUSED, RoleRefused("HTTP 403").problem, names=("dev",)),
    "section refused": notice(Subject.SECTION_REFUSED, SectionNotOurs("[dev]").problem, names=("dev",)),
    "clock behind": notice(Subject.CLOCK_OFF, clock_error=timedelta(minutes=12)),
    "clock ahead": notice(Subject.CLOCK_OFF, clock_error=-5 * HOUR),
}


def sessions() -> Iterator[tuple[str, State, float]]:
    """Name, state, minutes after noon."""
    state = signed_in("dev")
    cut = after(
        state, RefreshStarted("corp"), Refreshed("corp", token(NOON + 40 * MINUTE, 50 * MINUTE)),
        now=NOON + 40 * MINUTE,
    )  # fmt: skip
    ended = after(
        cut, RefreshStarted("corp"), RefreshFailed("corp", TokenRefused().problem), now=NOON + 90 * MINUTE
    )
    yield "not looked yet", started("dev"), 0
    yield "signed out", after(started("dev"), TokenVanished("corp")), 0
    yield "signing in", after(started("dev"), SignInStarted("corp")), 0
    yield "signed in, estimated", state, 3
    yield "signed in, proven", cut, 45
    yield (
        "signed in, longer than expected",
        after(state, TokenFound("corp", token(NOON + 9 * HOUR))),
        8 * 60 + 1,
    )
    yield "ended", ended, 91
    yield "ended yesterday", ended, 24 * 60
    yield (
        "ended, beginning unknown",
        after(started("dev"), TokenFound("corp", token(NOON - 2 * HOUR, refreshable=False))),
        0,
    )


def text() -> str:
    lines = ["# notices", ""]
    for name, each in NOTICES.items():
        words = notice_words(each, NOON, UTC)
        lines += [f"{name}:", f"  {words.title}", f"  {words.body}", ""]
    lines += ["# session lines", ""]
    for name, state, minutes in sessions():
        line = session_line(state.sessions["corp"], NOON + minutes * MINUTE, UTC)
        lines += [f"{name}:", f"  {line}", ""]
    held = after(
        signed_in(*NAMES), *(FetchStarted(name) for name in NAMES), *(Fetched(name, keys()) for name in NAMES)
    )
    lines += ["# still valid without a new sign-in", ""]
    for name, state in {
        "nothing": started("dev"),
        "sign-in": signed_in("dev"),
        "sign-in and keys": held,
    }.items():
        lines += [f"{name}:", f"  {still_valid(state, state.sessions['corp'], NOON, UTC)}", ""]
    return "\n".join(line.rstrip() for line in lines)


def test_texts_are_as_they_were_read_and_approved() -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(text())

    assert SNAPSHOT.read_text() == text()


def test_every_subject_has_its_words_and_a_snapshot() -> None:
    assert set(Subject) == set(_WORDS) == {each.subject for each in NOTICES.values()}


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (NOON + HOUR, "14:00"),
        (NOON + 11 * HOUR, "00:00"),
        (NOON + 13 * HOUR, "Mon 23 Nov 02:00"),
        (NOON - 12 * HOUR, "01:00"),
        (NOON - 14 * HOUR, "Sat 21 Nov 23:00"),
    ],
)
def test_times_are_the_readers_and_name_the_day_where_that_could_mislead(
    instant: datetime, shown: str
) -> None:
    assert clock_time(instant, NOON, timezone(HOUR)) == shown


def test_hints_and_titles_end_with_one_full_stop() -> None:
    for name, each in NOTICES.items():
        words = notice_words(each, NOON, UTC)

        assert ".." not in words.body, name
        assert not words.title.endswith("."), name
