"""The picture beside each notice: it says whether that is good news before a word is read."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from credtray.core.errors import every_error
from credtray.core.icon_state import STEPS, IconState, Shape
from credtray.core.notice_texts import notification
from credtray.core.notices import Subject
from credtray.core.ports import Notification
from credtray.core.problem_words import problem_picture
from tests.core.making import HOUR, MINUTE, NOON
from tests.core.test_notice_words import NOTICES, notice


@pytest.mark.parametrize(
    ("subject", "shape"),
    [
        pytest.param(Subject.ENDED, Shape.ENDED, marks=pytest.mark.met("M4")),
        pytest.param(Subject.DELETED, Shape.SIGNED_OUT, marks=pytest.mark.met("M4")),
        pytest.param(Subject.ENDS_SOON, Shape.SOON, marks=pytest.mark.met("M4")),
        pytest.param(Subject.OFFLINE, Shape.OFFLINE, marks=pytest.mark.met("M4")),
        pytest.param(Subject.CANNOT_REFRESH, Shape.TROUBLE, marks=pytest.mark.met("M4")),
        pytest.param(Subject.PASTED_ENDED, Shape.ENDED, marks=pytest.mark.met("M4")),
        (Subject.ROLE_REFUSED, Shape.TROUBLE),
        (Subject.SECTION_REFUSED, Shape.TROUBLE),
        (Subject.CLOCK_OFF, Shape.TROUBLE),
        (Subject.END_UNMOVED, Shape.SOON),
        (Subject.SIGNED_IN, Shape.FRESH),
    ],
)
def test_a_notice_shows_the_state_that_it_is_about(subject: Subject, shape: Shape) -> None:
    assert notification(notice(subject), NOON, UTC).picture.shape is shape


@pytest.mark.parametrize("name", NOTICES)
def test_only_good_news_has_a_tick(name: str) -> None:
    ticked = notification(NOTICES[name], NOON, UTC).picture.shape is Shape.FRESH

    assert ticked == (NOTICES[name].subject is Subject.SIGNED_IN)


@pytest.mark.parametrize(
    ("left", "steps"), [(timedelta(seconds=5), 1), (MINUTE, 1), (4 * HOUR, STEPS // 2), (25 * HOUR, STEPS)]
)
def test_the_ring_of_a_warning_shrinks_with_the_time_that_is_left(left: timedelta, steps: int) -> None:
    warning = notification(notice(Subject.ENDS_SOON, ends_at=NOON + left), NOON, UTC)

    assert warning.picture == IconState(Shape.SOON, steps)


def test_a_job_that_waits_while_nobody_is_signed_in_shows_the_lock() -> None:
    assert notification(NOTICES["a job waits, signed out"], NOON, UTC).picture == IconState(Shape.SIGNED_OUT)


@pytest.mark.met("M4")
@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.code)
def test_no_problem_has_a_tick(kind: type) -> None:
    assert problem_picture(kind.code).shape is not Shape.FRESH  # type: ignore[attr-defined]  # all of one tree


@pytest.mark.met("M4")
def test_what_says_nothing_of_its_picture_has_no_tick() -> None:
    assert Notification("key", "The sign-in was denied", "").picture.shape is not Shape.FRESH


@pytest.mark.met("L")
@pytest.mark.parametrize("name", NOTICES)
def test_what_waits_for_a_person_stays_on_the_screen(name: str) -> None:
    waiting = {Subject.ENDED, Subject.DELETED, Subject.AWAITED, Subject.PASTED_ENDED, Subject.SIGN_IN_FAILED}
    waiting |= {Subject.OTHER_PERSON}

    assert notification(NOTICES[name], NOON, UTC).stays == (NOTICES[name].subject in waiting)
