"""Every notice as a person reads it, with its buttons; see tests/core/snapshots/notices.txt.

Run with UPDATE_SNAPSHOTS=1 to write the texts anew, and read the difference.
"""

from __future__ import annotations

import os
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    AssumeRoleRefused,
    CredtrayError,
    Offline,
    PortalFailed,
    Problem,
    ProfileRefused,
    RoleRefused,
    SectionNotOurs,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
)
from credtray.core.notice_texts import _WORDS, notice_words, notification, what_to_type
from credtray.core.notices import Notice, Subject
from credtray.core.ports import Urgency
from credtray.core.summary import PendingSummary
from tests.core.making import HOUR, MINUTE, NOON

SNAPSHOT = Path(__file__).with_name("snapshots") / "notices.txt"
NAMES = ("dev", "ro", "dns", "security", "audit", "billing")
PASTED = ("111122223333_ReadOnly",)
EVIL = "corp\u202e\x1b[31m\nevil\ud800"


def notice(subject: Subject, problem: Problem | None = None, **parts: object) -> Notice:
    fields = {"session": "corp", "ends_at": NOON + 29.6 * MINUTE, **parts}
    return Notice(subject, key="corp:end", says=frozenset(), problem=problem, **fields)  # type: ignore[arg-type]  # a table


def failed(error: CredtrayError, **left: object) -> Notice:
    return notice(Subject.SIGN_IN_FAILED, error.problem, left=PendingSummary(**left))  # type: ignore[arg-type]  # as above


NOTICES = {
    "ends soon, proven": notice(Subject.ENDS_SOON),
    "ends soon, an estimate": notice(Subject.ENDS_SOON, about=True),
    "ends in seconds": notice(Subject.ENDS_SOON, ends_at=NOON + timedelta(seconds=5)),
    "ends tomorrow": notice(Subject.ENDS_SOON, ends_at=NOON + 25 * HOUR),
    "ends soon, a legacy profile": notice(
        Subject.ENDS_SOON, session="https://d-9067000001.awsapps.com/start#/a-long-way-to-go"
    ),
    "the day is not covered": notice(Subject.DAY_UNCOVERED, ends_at=NOON + HOUR, day_until=NOON + 5.5 * HOUR),
    "the day is not covered, an estimate": notice(
        Subject.DAY_UNCOVERED, ends_at=NOON + HOUR, day_until=NOON + 5.5 * HOUR, about=True
    ),
    "ended": notice(Subject.ENDED, ends_at=NOON - 2 * MINUTE),
    "ended while away": notice(Subject.ENDED, ends_at=NOON - 30 * HOUR),
    "deleted": notice(Subject.DELETED, ends_at=None),
    "signed in": notice(Subject.SIGNED_IN, ends_at=NOON + 4 * HOUR),
    "signed in, an estimate": notice(Subject.SIGNED_IN, ends_at=NOON + 8 * HOUR, about=True),
    "fresh sign-in without effect": notice(Subject.END_UNMOVED),
    "sign-in timed out, nothing lost": failed(SignInTimedOut(), present_until=NOON + 5 * HOUR, about=True),
    "sign-in timed out, the earlier one ended": failed(
        SignInTimedOut(), earlier_ended_at=NOON - 8 * MINUTE, keys_until=NOON + 51 * MINUTE
    ),
    "sign-in denied, no keys": failed(SignInDenied("access_denied"), earlier_ended_at=NOON - 8 * MINUTE),
    "sign-in cancelled, nobody signed in": failed(SignInCancelled(), keys_until=NOON + 51 * MINUTE),
    "sign-in failed": failed(PortalFailed("HTTP 500"), present_until=NOON + 5 * HOUR),
    "a job waits, signed out": notice(Subject.AWAITED, names=("dev",), ends_at=None),
    "jobs wait for a later end": notice(Subject.AWAITED, names=NAMES[:2]),
    "could not refresh": notice(Subject.CANNOT_REFRESH, PortalFailed("HTTP 500").problem, names=NAMES[:2]),
    "could not refresh many": notice(Subject.CANNOT_REFRESH, PortalFailed().problem, names=NAMES),
    "offline, keys end": notice(Subject.OFFLINE, Offline().problem, names=NAMES[:2], ends_at=NOON + MINUTE),
    "offline, keys ended": notice(Subject.OFFLINE, Offline().problem, names=NAMES, ends_at=NOON - MINUTE),
    "offline, no keys": notice(Subject.OFFLINE, Offline().problem, names=NAMES[:1], ends_at=None),
    "setting refused": notice(
        Subject.ROLE_REFUSED,
        ProfileRefused(
            "duration_seconds is 43200; AWS gives 3600 (1 hour) at most to a role that is assumed by another "
            "role (role chaining)",
            hint="Set duration_seconds = 3600, or remove it.",
        ).problem,
        names=("dev",),
    ),
    "role cannot be assumed": notice(
        Subject.ROLE_REFUSED, AssumeRoleRefused("AWS STS says no").problem, names=("dev",)
    ),
    "role refused": notice(Subject.ROLE_REFUSED, RoleRefused("HTTP 403").problem, names=("dev",)),
    "section refused": notice(
        Subject.SECTION_REFUSED, SectionNotOurs("[dev]").problem, names=("dev",), profile="dev"
    ),
    "another person": notice(
        Subject.OTHER_PERSON, names=("bob@synderys.com", "alice.with.a.long.name@synderys.com")
    ),
    "clock behind": notice(Subject.CLOCK_OFF, clock_error=timedelta(minutes=12)),
    "clock ahead": notice(Subject.CLOCK_OFF, clock_error=-5 * HOUR),
    "pasted keys end soon": notice(Subject.PASTED_END_SOON, names=PASTED),
    "pasted keys ended": notice(Subject.PASTED_ENDED, names=PASTED, ends_at=NOON - MINUTE),
}


def text() -> str:
    lines: list[str] = []
    for name, each in NOTICES.items():
        shown = notification(each, NOON, UTC)
        lines += [f"{name}:", f"  {shown.title}", f"  {shown.body}"]
        if shown.buttons:
            lines += ["  " + " ".join(f"[{button.label}]" for button in shown.buttons)]
            lines += [f"  typed: {what_to_type(shown)}"]
        lines += [""]
    return "\n".join(line.rstrip() for line in lines)


def test_texts_are_as_they_were_read_and_approved() -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text())

    assert SNAPSHOT.read_text("utf-8") == text()


def test_every_subject_has_its_words_and_a_snapshot() -> None:
    assert set(Subject) == set(_WORDS) == {each.subject for each in NOTICES.values()}


def test_titles_and_bodies_end_with_one_full_stop_at_most() -> None:
    for name, each in NOTICES.items():
        words = notice_words(each, NOON, UTC)

        assert ".." not in words.body, name
        assert not words.title.endswith("."), name


def test_where_a_button_does_it_nobody_is_told_to_type() -> None:
    for each in NOTICES.values():
        words = notice_words(each, NOON, UTC)

        assert "credtray" not in words.body or not words.buttons


def test_warning_signs_in_by_the_way_of_the_commands_or_reminds() -> None:
    buttons = notice_words(NOTICES["ends soon, proven"], NOON, UTC).buttons

    assert [button.click for button in buttons] == [protocol.Login("corp"), protocol.Snooze("corp", 10)]
    assert [button.click for button in notice_words(NOTICES["ended"], NOON, UTC).buttons] == [
        protocol.Login("corp")
    ]


@pytest.mark.met("L")
@pytest.mark.parametrize(
    ("left", "labels"),
    [
        (timedelta(minutes=30), ["Sign in", "Remind me in 10 min"]),
        (timedelta(minutes=20), ["Sign in", "Remind me in 10 min"]),
        (timedelta(minutes=15), ["Sign in", "Remind me in 7 min"]),
        (timedelta(minutes=4), ["Sign in", "Remind me in 2 min"]),
        (timedelta(minutes=2), ["Sign in"]),
        (timedelta(seconds=5), ["Sign in"]),
    ],
)
def test_a_reminder_comes_early_enough_to_sign_in_or_is_not_offered(
    left: timedelta, labels: list[str]
) -> None:
    shown = notice_words(notice(Subject.ENDS_SOON, ends_at=NOON + left), NOON, UTC)

    assert [button.label for button in shown.buttons] == labels


def test_good_news_is_quiet_and_nothing_is_shown_over_everything_else() -> None:
    urgencies = {each.subject: notification(each, NOON, UTC).urgency for each in NOTICES.values()}

    assert urgencies.pop(Subject.SIGNED_IN) is Urgency.LOW
    assert set(urgencies.values()) == {Urgency.NORMAL}


def test_what_to_type_is_quoted_for_the_shell() -> None:
    odd = notification(notice(Subject.ENDED, session="my corp; rm -rf"), NOON, UTC)

    assert what_to_type(odd) == "Sign in: credtray login 'my corp; rm -rf'"


@pytest.mark.parametrize("subject", Subject)
def test_foreign_names_cannot_reorder_or_control_anything(subject: Subject) -> None:
    problem = Problem("code", f"refused {EVIL}", f"ask {EVIL}", Offline.retry)
    words = notice_words(notice(subject, problem, session=EVIL, names=(EVIL, EVIL)), NOON, UTC)

    assert not {"\u202e", "\x1b", "\n", "\ud800"} & set(words.title + words.body)
