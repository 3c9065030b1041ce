"""Jobs that wait for somebody to sign in: told once each, and taken back when they wait no longer."""

from __future__ import annotations

from datetime import UTC

import pytest

from credtray.core.errors import TokenRefused
from credtray.core.events import (
    RefreshFailed,
    SignedIn,
    SignedOut,
    SignInAwaited,
    SignInStarted,
    SignInUnawaited,
)
from credtray.core.models import Awaited
from credtray.core.notice_texts import notice_words
from credtray.core.notices import Subject
from credtray.core.policy import next_look
from tests.core.making import HOUR, MINUTE, NOON, SECOND, token
from tests.core.screen import Screen, cut

JOB = Awaited("dev", NOON + 3 * HOUR, NOON + 52 * MINUTE)
"""The sign-in of ``cut`` ends at 13:30: too early."""


def waited_for(*jobs: Awaited) -> Screen:
    screen = Screen(cut())
    for job in jobs or (JOB,):
        screen.at(42, SignInAwaited("corp", job))
    return screen


def test_job_that_waits_is_told_once() -> None:
    screen = Screen(cut())

    assert screen.at(42, SignInAwaited("corp", JOB)) == [Subject.AWAITED]
    assert screen.at(43) + screen.at(51) == []
    assert screen.standing() == [Subject.AWAITED]


def test_job_that_gives_up_takes_its_notice_along() -> None:
    screen = waited_for()

    assert screen.at(45, SignInUnawaited("corp", JOB)) == screen.standing() == []


def test_notice_of_a_job_that_was_killed_goes_when_its_time_is_over() -> None:
    screen = waited_for()

    assert next_look(screen.state, NOON + 51 * MINUTE) == JOB.deadline
    assert screen.at(52) == screen.standing() == []


def test_second_job_is_told_in_the_place_of_the_first() -> None:
    screen = waited_for()
    other = Awaited("ops", JOB.until, JOB.deadline)

    assert screen.at(43, SignInAwaited("corp", other)) == [Subject.AWAITED]
    assert [notice.names for notice in screen.there.values()] == [("dev", "ops")]


def test_sign_in_that_reaches_far_enough_ends_it_before_the_job_says_so() -> None:
    screen = waited_for()
    told = screen.at(
        45, SignInStarted("corp"), SignedIn("corp", token(NOON + 45 * MINUTE, 8 * HOUR, name="n"))
    )

    assert told == screen.standing() == [Subject.SIGNED_IN]


def test_job_of_nobody_signed_in_is_told_without_an_end() -> None:
    screen = Screen(cut())
    screen.at(42, SignedOut("corp"), SignInAwaited("corp", JOB))

    assert [notice.ends_at for notice in screen.there.values()] == [None]


def test_job_the_sign_in_is_long_enough_for_is_no_news() -> None:
    assert waited_for(Awaited("dev", NOON + 60 * MINUTE, JOB.deadline)).standing() == []


# --- who waits ---------------------------------------------------------------------------------------


def awaited_by(*names: str) -> Screen:
    """After the end of a sign-in, which was told."""
    screen = Screen(cut())
    assert screen.at(90, RefreshFailed("corp", TokenRefused("invalid_grant").problem)) == [Subject.ENDED]
    for number, name in enumerate(names):
        job = Awaited("dev", NOON + 95 * MINUTE, NOON + 95 * MINUTE + number * SECOND, name)
        screen.at(91, SignInAwaited("corp", job))
    return screen


def test_who_waits_stands_in_the_place_of_the_end_that_was_told() -> None:
    screen = awaited_by("Terraform", "Claude Code")

    assert screen.standing() == [Subject.AWAITED]
    assert [notice.waiting for notice in screen.there.values()] == [("Claude Code", "Terraform")]


def test_the_end_is_not_told_again_when_they_have_given_up() -> None:
    screen = awaited_by("Terraform")

    assert screen.at(96) == []
    assert screen.standing() == [Subject.AWAITED]


@pytest.mark.parametrize(
    ("names", "title"),
    [
        ((), "corp: a job is waiting for you to sign in"),
        (("Terraform",), "corp: Terraform waits for you to sign in"),
        (("Terraform", "aws"), "corp: Terraform and aws wait for you to sign in"),
        (("Terraform", "Zsh", "b"), "corp: Terraform, Zsh and 1 other wait for you to sign in"),
        (("A", "B", "C", "D"), "corp: A, B and 2 others wait for you to sign in"),
        (("x\n\u202ey",), "corp: x y waits for you to sign in"),
    ],
)
def test_two_are_named_and_the_others_counted(names: tuple[str, ...], title: str) -> None:
    (notice,) = awaited_by(*(names or ("",))).there.values()

    assert notice_words(notice, NOON, UTC).title == title
