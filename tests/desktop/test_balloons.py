"""Balloons of the tray icon: texts that fit, whose a click is, and where notices find the icon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core import protocol
from credtray.core.clicks import Click
from credtray.core.errors import NotifierUnavailable
from credtray.core.icon_state import IconState, Shape
from credtray.core.ports import Button, Notification
from credtray.desktop.balloons import (
    CLICKED,
    HIDDEN,
    LONGEST_TEXT,
    LONGEST_TITLE,
    SHOWN,
    TIMED_OUT,
    Balloon,
    BalloonBoard,
    Events,
    balloon_of,
    beginning,
    units,
)

SIGN_IN = Button("Sign in", protocol.Login("corp"))
LATER = Button("Later", protocol.Snooze("corp", 10))
ENDED = Notification("corp:end", "corp: sign-in ended", "Keys keep working.", (SIGN_IN, LATER))
NEWS = Notification("corp:end", "corp: signed in", "Until 17:00.")
A, B = protocol.Login("a"), protocol.Login("b")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


# --- what it says -------------------------------------------------------------------------------------


def test_balloon_says_what_a_click_on_it_does() -> None:
    balloon = balloon_of(ENDED)

    assert balloon == Balloon(
        "corp: sign-in ended", "Keys keep working. Click here: Sign in.", IconState(Shape.TROUBLE)
    )


def test_balloon_that_asks_for_nothing_promises_nothing() -> None:
    assert balloon_of(NEWS).text == "Until 17:00."


def test_balloon_without_a_body_still_has_a_text() -> None:
    balloon = balloon_of(Notification("copied", "Sign-in link copied", ""))

    assert (balloon.title, balloon.text) == ("credtray", "Sign-in link copied")


@given(TEXTS, TEXTS, st.booleans())
def test_every_text_fits_and_the_promise_is_whole(title: str, body: str, asks: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    balloon = balloon_of(Notification("key", title, body, (SIGN_IN,) if asks else ()))

    assert 0 < units(balloon.title) <= LONGEST_TITLE
    assert 0 < units(balloon.text) <= LONGEST_TEXT
    assert balloon.text.endswith(" Click here: Sign in.") == asks


def test_title_that_is_too_long_goes_on_in_the_text() -> None:
    name = "x" * 60
    balloon = balloon_of(Notification("key", f"{name}: sign-in ended", "It ended."))

    assert (balloon.title, balloon.text) == (name, "Sign-in ended. It ended.")


def test_title_that_cannot_be_parted_is_whole_in_the_text() -> None:
    title = "word " * 20
    balloon = balloon_of(Notification("key", title, "The end."))

    assert balloon.text.startswith(f"{title.strip()}. The end.")


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("a🚀b", 3, "a…"),
        ("a🚀bc", 4, "a🚀…"),
        ("ae\u0301bcd", 3, "a…"),
    ],
    ids=["fits", "cut", "no half rocket", "whole rocket", "no letter without its accent"],
)
def test_a_text_is_cut_between_letters(text: str, longest: int, expected: str) -> None:
    assert beginning(text, longest) == expected


# --- whose a click is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "click"),
    [
        pytest.param([A, SHOWN, CLICKED], A, id="the one on the screen"),
        pytest.param([A, CLICKED], A, id="where Windows does not tell that it came"),
        pytest.param([A, B, CLICKED], B, id="there the last one sent"),
        pytest.param([A, SHOWN, B, HIDDEN, SHOWN, CLICKED], B, id="the first one went for the second"),
        pytest.param([A, SHOWN, B, CLICKED], A, id="the second is not there yet"),
        pytest.param([A, SHOWN, TIMED_OUT, CLICKED], None, id="it is gone"),
        pytest.param([A, SHOWN, HIDDEN, CLICKED], None, id="it was taken away"),
        pytest.param([A, SHOWN, CLICKED, CLICKED], None, id="a click counts once"),
        pytest.param([A, HIDDEN, CLICKED], None, id="it never came, in quiet time"),
        pytest.param([CLICKED], None, id="there was none"),
        pytest.param([SHOWN, CLICKED], None, id="somebody else's"),
    ],
)
def test_a_click_is_on_the_balloon_that_is_there(story: list[Click | int], click: Click | None) -> None:
    events = Events()
    heard: Click | None = None
    for number, step in enumerate(story):
        if isinstance(step, int):
            heard = events.heard(step)
        else:
            events.sent(f"key {number}", step)

    assert heard == click


def test_a_click_on_what_was_replaced_or_taken_back_means_nothing() -> None:
    events = Events()
    events.sent("key", A)
    events.heard(SHOWN)
    events.sent("key", B)

    assert events.heard(CLICKED) is None
    assert events.forget("key")

    events.heard(SHOWN)

    assert events.heard(CLICKED) is None
    assert not events.forget("key")


STEPS = st.lists(
    st.sampled_from(
        [
            ("sent", "a"),
            ("sent", "b"),
            ("forgotten", "a"),
            SHOWN,
            SHOWN,
            HIDDEN,
            CLICKED,
            CLICKED,
        ]
    ),
    min_size=4,
    max_size=12,
)
"""Little variety: what goes wrong needs the right four steps in a row."""


@given(STEPS)
def test_a_click_means_what_was_sent_last_for_its_key_once_and_nothing_that_was_taken_back(
    steps: list[tuple[str, str] | int],
) -> None:
    events, current = Events(), dict[str, Click]()
    for number, step in enumerate(steps):
        match step:
            case "sent", key:
                current[key] = protocol.Snooze(key, number)
                events.sent(key, current[key])
            case "forgotten", key:
                current.pop(key, None)
                events.forget(key)
            case event:
                assert isinstance(event, int)
                click = events.heard(event)

                if click is not None:
                    assert event == CLICKED
                    assert isinstance(click, protocol.Snooze)
                    assert current.pop(click.session) == click


# --- where notices find the icon ----------------------------------------------------------------------


class Taskbar:
    """Takes balloons, or does not; and a person before it."""

    def __init__(self) -> None:
        self.board = BalloonBoard()
        self.takes = True
        self.seen: list[str | None] = []
        self.clicks: list[Click] = []
        self.in_vain: list[str] = []
        self.changes: list[bool] = []
        self.board.clicked = self.clicks.append
        self.board.clicked_in_vain = lambda: self.in_vain.append("click")
        self.board.changed = lambda: self.changes.append(self.board.has_icon)

    def show(self, balloon: Balloon | None) -> bool:
        self.seen.append(None if balloon is None else balloon.title)
        return self.takes


def test_a_notice_is_shown_by_the_icon_and_a_click_does_its_main_action() -> None:
    taskbar = Taskbar()
    taskbar.board.lend(taskbar.show)
    taskbar.board.show(ENDED)

    assert (taskbar.seen, taskbar.clicks) == (["corp: sign-in ended"], [])

    taskbar.board.heard(SHOWN)
    taskbar.board.heard(CLICKED)
    taskbar.board.heard(CLICKED)

    assert (taskbar.clicks, taskbar.in_vain) == ([SIGN_IN.click], ["click"])


def test_without_an_icon_nobody_is_told_and_why_depends_on_the_tray() -> None:
    taskbar = Taskbar()
    with pytest.raises(NotifierUnavailable, match="waiting for the tray icon"):
        taskbar.board.show(ENDED)
    taskbar.board.lend(None)
    with pytest.raises(NotifierUnavailable, match="no tray icon"):
        taskbar.board.show(ENDED)

    assert taskbar.changes == [False]


def test_balloon_that_the_taskbar_does_not_take_cannot_be_clicked() -> None:
    taskbar = Taskbar()
    taskbar.board.lend(taskbar.show)
    taskbar.takes = False
    with pytest.raises(NotifierUnavailable, match="has not taken"):
        taskbar.board.show(ENDED)
    taskbar.board.heard(CLICKED)

    assert taskbar.clicks == []


def test_balloon_is_taken_away_with_its_notice_and_no_other() -> None:
    taskbar = Taskbar()
    taskbar.board.lend(taskbar.show)
    taskbar.board.show(ENDED)
    taskbar.board.withdraw("another")

    assert taskbar.seen == ["corp: sign-in ended"]

    taskbar.board.withdraw(ENDED.key)
    taskbar.board.heard(CLICKED)

    assert (taskbar.seen, taskbar.clicks) == (["corp: sign-in ended", None], [])


def test_it_is_told_once_when_the_icon_comes_and_goes() -> None:
    taskbar = Taskbar()
    for show in (taskbar.show, taskbar.show, None, None):
        taskbar.board.lend(show)

    assert taskbar.changes == [True, False]
