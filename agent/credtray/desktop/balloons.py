"""Balloons of the tray icon: what one says, whose a click is, and where the notifier meets the icon.

Words come ready made, and nothing here knows what a click does. Windows 10 and later show a balloon as one of
their notifications, without buttons.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from credtray.core.clicks import Click
from credtray.core.errors import NotifierUnavailable
from credtray.core.icon_state import IconState
from credtray.core.ports import Notification
from credtray.core.words import plain
from credtray.desktop.notifier import sentence

LONGEST_TITLE: Final = 63
LONGEST_TEXT: Final = 255
"""UTF-16 code units: NOTIFYICONDATAW holds 64 and 256, and the last one is zero."""
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
NO_ICON_YET: Final = "waiting for the tray icon, which shows them"
_LONGEST: Final = 1000
"""Characters that are looked at."""

SHOWN, HIDDEN, TIMED_OUT, CLICKED = 0x0402, 0x0403, 0x0404, 0x0405
"""NIN_BALLOONSHOW, NIN_BALLOONHIDE, NIN_BALLOONTIMEOUT, NIN_BALLOONUSERCLICK."""
EVENTS: Final = frozenset({SHOWN, HIDDEN, TIMED_OUT, CLICKED})
_MOST_SENT: Final = 8


def units(text: str) -> int:
    """Return how many UTF-16 code units a text takes."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def beginning(text: str, longest: int, *, after: str = "") -> str:
    """Return the text and what comes after it in so many code units; of a text too long, its beginning."""
    room = longest - units(after)
    if units(text) <= room:
        return text + after
    end, room = 0, room - units(ELLIPSIS)
    while end < len(text) and (room := room - units(text[end])) >= 0:
        end += 1
    while end and unicodedata.combining(text[end : end + 1] or " "):  # a letter goes with its accents
        end -= 1
    return text[:end] + ELLIPSIS + after


@dataclass(frozen=True, slots=True)
class Balloon:
    """One balloon, in texts that fit."""

    title: str
    text: str
    """Never empty: an empty one takes the balloon away."""
    picture: IconState


def balloon_of(notification: Notification) -> Balloon:
    """Return the balloon for a notification; of texts that are too long, the beginning."""
    title, text = plain(notification.title, _LONGEST), ""
    if notification.body.strip():
        text = plain(notification.body, _LONGEST)
    if not text:
        title, text = "credtray", title
    elif beginning(title, LONGEST_TITLE) != title:
        name, colon, rest = title.partition(": ")
        if colon and beginning(name, LONGEST_TITLE) == name:
            title, text = name, f"{sentence(rest[:1].upper() + rest[1:])} {text}"
        else:
            text = f"{sentence(title)} {text}"
    told = f" Click here: {plain(notification.on_body.label, LONGEST_TITLE)}." if notification.buttons else ""
    return Balloon(
        beginning(title, LONGEST_TITLE), beginning(text, LONGEST_TEXT, after=told), notification.picture
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    key: str
    click: Click | None
    """None: a click on it means nothing any more."""


class Events:
    """Understands what Windows tells of an icon's balloons. It never says of which one. Pure."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque(maxlen=_MOST_SENT)
        """Not on the screen yet, as far as Windows has told."""
        self._shown: _Sent | None = None
        self._tells = False
        """Whether this Windows tells when a balloon comes; else the last one sent is on the screen."""

    def sent(self, key: str, click: Click) -> None:
        """A balloon was sent; from now on it stands for its key."""
        self.forget(key)
        if not self._tells:
            self._sent.clear()
        self._sent.append(_Sent(key, click))

    def forget(self, key: str) -> bool:
        """Let clicks on this key's balloon mean nothing; tell whether it may be on the screen."""
        mine = [each for each in (*self._sent, self._shown) if each is not None and each.key == key]
        for number, each in enumerate(self._sent):
            if each.key == key:
                self._sent[number] = _Sent(key, None)
        if self._shown is not None and self._shown.key == key:
            self._shown = _Sent(key, None)
        return bool(mine)

    def heard(self, event: int) -> Click | None:
        """Return what a person wants who has clicked; None for anything else."""
        if event == SHOWN:
            self._tells = True
            if self._sent:
                self._shown = self._sent.popleft()
            return None
        if self._shown is None and self._sent:  # it was never told as shown
            self._shown = self._sent.popleft()
        gone, self._shown = self._shown, None
        return gone.click if gone is not None and event == CLICKED else None


class BalloonBoard:
    """Where notices find the icon that shows them. Any thread; nothing waits for the other side."""

    def __init__(self) -> None:
        self._show: Callable[[Balloon | None], bool] | None = None
        self._events = Events()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self.is_answered = False
        """Whether the tray has said if there is an icon."""
        self.changed: Callable[[], None] = lambda: None
        """Called when there is an icon from now on, or no longer."""
        self.clicked: Callable[[Click], None] = lambda _click: None
        self.clicked_in_vain: Callable[[], None] = lambda: None
        """Called for a click on a balloon that asks for nothing any more."""

    # --- for the icon -----------------------------------------------------------------------------------

    def lend(self, show: Callable[[Balloon | None], bool] | None) -> None:
        """Take what shows a balloon and tells whether it was taken; None: there is no icon."""
        before, self._show = (self.is_answered, self._show), show
        self.is_answered = True
        if before != (True, show):
            self.changed()

    def heard(self, event: int) -> None:
        """Take one of ``EVENTS``."""
        with self._lock:
            click = self._events.heard(event)
        if click is not None:
            self.clicked(click)
        elif event == CLICKED:
            self.clicked_in_vain()

    # --- for the notifier -------------------------------------------------------------------------------

    @property
    def has_icon(self) -> bool:
        """Whether an icon shows balloons now."""
        return self._show is not None

    def show(self, notification: Notification) -> None:
        """Show one balloon, in place of the one before.

        Raises:
            NotifierUnavailable: there is no icon, or the taskbar has not taken the balloon.
        """
        show = self._show
        if show is None:
            raise NotifierUnavailable("there is no tray icon" if self.is_answered else NO_ICON_YET)
        balloon = balloon_of(notification)
        with self._turn:
            with self._lock:
                self._events.sent(notification.key, notification.on_body.click)
            if show(balloon):
                return
            with self._lock:
                self._events.forget(notification.key)
        raise NotifierUnavailable("the taskbar has not taken the balloon")

    def withdraw(self, key: str) -> None:
        """Take the balloon with this key away, if it may be on the screen."""
        show = self._show
        with self._turn:
            with self._lock:
                is_there = self._events.forget(key)
            if is_there and show is not None:
                show(None)
