"""Jobs that wait for somebody to sign in: told once each, and taken back when they wait no longer."""

from __future__ import annotations

from credtray.core.events import SignedIn, SignedOut, SignInAwaited, SignInStarted, SignInUnawaited
from credtray.core.models import Awaited
from credtray.core.notices import Subject
from credtray.core.policy import next_look
from tests.core.making import HOUR, MINUTE, NOON, token
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
