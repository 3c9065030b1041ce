"""The history in words, and what a person means by a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from credtray.core.models import Way
from credtray.history.entries import Entry, Kind
from credtray.history.sentences import instant_meant, sentences
from tests.core.making import HOUR, MINUTE, NOON, SECOND


def told(*entries: Entry) -> list[str]:
    return [each.text for each in sentences(entries, UTC)]


def entry(kind: Kind, **parts: Any) -> Entry:
    made: dict[str, Any] = {"at": NOON, "kind": kind, "session": "corp", **parts}
    return Entry(**made)


def given(way: Way, **parts: Any) -> Entry:
    return entry(Kind.KEYS_GIVEN, profile="dev", way=way, **parts)


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (entry(Kind.KEYS_FETCHED, profile="dev", until=NOON + HOUR), "keys of dev renewed, until 13:00"),
        (given(Way.FILE), "keys of dev written to the credentials file"),
        (
            given(Way.ENDPOINT, pid=4711, program="terraform"),
            "terraform (pid 4711) was given the keys of dev, by the endpoint",
        ),
        (given(Way.ENDPOINT, count=12), "a program was given the keys of dev, by the endpoint, 12 times"),
        (given(Way.PROCESS, pid=7), "process 7 was given the keys of dev, by `credtray credentials`"),
        (given(Way.SHELL, program="bash"), "bash was given the keys of dev, by `credtray env`"),
        (given(Way.EXEC, program="bash"), "bash was given the keys of dev, by `credtray exec --env`"),
        (given(Way.CLIPBOARD), "keys of dev copied to the clipboard"),
        (given(Way.CONSOLE), "the console opened with the keys of dev"),
        (
            entry(Kind.KEYS_DENIED, profile="dev", program="aws", pid=3, count=2, text="Not signed in"),
            "aws (pid 3) asked 2 times for keys of dev and got none: Not signed in",
        ),
        (
            entry(Kind.ENDPOINT_REFUSED, way=Way.ENDPOINT, count=40),
            "a program asked 40 times at the endpoint with a wrong token and got nothing",
        ),
        (entry(Kind.KEYS_REFUSED, profile="dev", text="No access"), "dev was refused: No access"),
        (
            entry(Kind.OTHER_PERSON, person="bob", text="last time it was alice"),
            "bob signed in to corp: no keys are given: last time it was alice",
        ),
        (entry(Kind.PERSON_KEPT, person="bob"), "bob is the one who signs in to corp from now on"),
        (entry(Kind.TOKEN_RENEWED), "access token of corp renewed"),
        (
            entry(Kind.TOKEN_RENEWED, program="another program"),
            "access token of corp renewed by another program",
        ),
        (entry(Kind.SIGNED_IN, until=NOON + 4 * HOUR, about=True), "signed in to corp, until about 16:00"),
        (entry(Kind.SIGN_IN_FAILED, text="Denied"), "sign-in to corp failed: Denied"),
        (entry(Kind.SWITCHED, profile="dev"), "dev became the default profile"),
        (entry(Kind.SWITCHED), "there is no default profile from now on"),
        (entry(Kind.FILE_FAILED, text="Disk full"), "the credentials file could not be written: Disk full"),
        (
            entry(Kind.FILE_FAILED, profile="dev", text="Not ours"),
            "keys of dev were not written to the credentials file: Not ours",
        ),
    ],
)
def test_each_happening_has_its_sentence(happened: Entry, expected: str) -> None:
    assert told(happened) == [expected]


@pytest.mark.parametrize("kind", Kind)
def test_no_kind_is_without_words(kind: Kind) -> None:
    assert told(entry(kind))[0]


def test_what_happens_to_many_profiles_at_once_is_one_sentence() -> None:
    names = ("a", "b", "c", "d", "e", "f")
    renewed = [
        entry(Kind.KEYS_FETCHED, at=NOON + place * SECOND, profile=name) for place, name in enumerate(names)
    ]

    assert told(*renewed) == ["keys of a, b, c, d and 2 more renewed"]
    assert told(renewed[0], entry(Kind.SLEPT), renewed[1]) == [
        "keys of a renewed",
        "the computer went to sleep",
        "keys of b renewed",
    ]


def test_foreign_names_cannot_break_a_line_or_reorder_it() -> None:
    hostile = entry(Kind.KEYS_REFUSED, profile="a\x1b[31m\n\u202eb", text="x\ny\u2066")
    (text,) = told(hostile)

    assert text.isprintable()
    assert "\u202e" not in text


# --- times -------------------------------------------------------------------------------------------

BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:05", datetime(2026, 11, 22, 14, 5, tzinfo=BERLIN)),
        ("yesterday 14:05", datetime(2026, 11, 21, 14, 5, tzinfo=BERLIN)),
        ("Yesterday", datetime(2026, 11, 21, tzinfo=BERLIN)),
        ("today  8:00", datetime(2026, 11, 22, 8, tzinfo=BERLIN)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=BERLIN)),
        ("2026-11-20 10:00", datetime(2026, 11, 20, 10, tzinfo=BERLIN)),
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ],
)
def test_a_time_is_meant_by_the_readers_clock(text: str, expected: datetime) -> None:
    assert instant_meant(text, NOON, BERLIN) == expected


@pytest.mark.posix("a table of time zones")
def test_yesterday_is_by_the_clock_across_a_change_to_winter_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 10, 25, 12, tzinfo=berlin).astimezone(UTC)

    assert instant_meant("yesterday 12:00", now, berlin) == datetime(2026, 10, 24, 12, tzinfo=berlin)


@pytest.mark.parametrize("text", ["", "25:00", "14:60", "noon", "14", "-1:00", "14:05:09x", "tomorrow 10:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        instant_meant(text, NOON, BERLIN)


def test_sentences_carry_the_moment_of_the_first_of_them() -> None:
    found = sentences(
        [given(Way.SHELL), given(Way.SHELL, at=NOON + 30 * SECOND), given(Way.SHELL, at=NOON + 2 * MINUTE)],
        UTC,
    )

    assert [each.at - NOON for each in found] == [timedelta(), 2 * MINUTE]
