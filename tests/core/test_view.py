"""Every text a person reads about a session, as plain text; see tests/core/snapshots/view.txt.

Run with UPDATE_SNAPSHOTS=1 to write the texts anew, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timezone
from pathlib import Path

import pytest

from credtray.core.errors import TokenRefused
from credtray.core.events import (
    Fetched,
    Refreshed,
    RefreshFailed,
    SignInStarted,
    TokenFound,
    TokenVanished,
)
from credtray.core.state import State
from credtray.core.state_words import clock_time, standing, still_valid
from credtray.core.summary import summary
from tests.core.making import HOUR, MINUTE, NOON, after, fetching, keys, refreshing, signed_in, started, token

SNAPSHOT = Path(__file__).with_name("snapshots") / "view.txt"
NAMES = ("dev", "ro", "dns", "security", "audit", "billing")


def sessions() -> Iterator[tuple[str, State, float]]:
    """Name, state, minutes after noon."""
    state = signed_in("dev")
    cut = after(
        state, refreshing("corp"), Refreshed("corp", token(NOON + 40 * MINUTE, 50 * MINUTE)),
        now=NOON + 40 * MINUTE,
    )  # fmt: skip
    ended = after(
        cut, refreshing("corp"), RefreshFailed("corp", TokenRefused().problem), now=NOON + 90 * MINUTE
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
    lines = ["# session lines", ""]
    for name, state, minutes in sessions():
        seen = summary(state, NOON + minutes * MINUTE, UTC)
        line = standing(seen, seen.sessions["corp"])
        lines += [f"{name}:", f"  {line}", ""]
    held = after(
        signed_in(*NAMES), *(fetching(name) for name in NAMES), *(Fetched(name, keys()) for name in NAMES)
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
