"""Ports to the desktop: what a person sees there, and what comes back from it. See the package."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from credtray.core.clicks import Click
from credtray.core.face.look import Look, Shape

ANSWER_SECONDS = 2.0
"""How long the desktop may take for one step before we go on without it."""


class Urgency(Enum):
    """How loudly a notification speaks."""

    LOW = "low"
    """Good news: shown quietly, gone by itself."""
    NORMAL = "normal"
    CRITICAL = "critical"
    """Something works no longer until a person acts; may stay until it is dismissed."""


@dataclass(frozen=True, slots=True)
class Button:
    """One way to answer a notification."""

    label: str
    click: Click


@dataclass(frozen=True, slots=True)
class Notification:
    """One notice in plain words, ready to be shown."""

    key: str
    """A later one with the same key replaces it."""
    title: str
    body: str
    buttons: tuple[Button, ...] = ()
    """The first one is also what a click on the body means."""
    urgency: Urgency = Urgency.NORMAL
    picture: Look = Look(Shape.TROUBLE)
    """What the icon looks like where that is so; never a tick but for good news."""
    stays: bool = False
    """True: it stands there until a person has seen it, however long the desktop shows others."""


class Notifier(Protocol):
    """Tells a person something. Called from worker threads; bounded to a few seconds."""

    def show(self, notification: Notification) -> None:
        """Show one notification; one with the same key is replaced, not stacked.

        Raises:
            NotifierUnavailable: nobody could be told; the reason is in it.
        """
        ...

    def withdraw(self, key: str) -> None:
        """Take a notification back: it is moot. Unknown keys are nobody's business."""
        ...


class Part(StrEnum):
    """The parts of the desktop that may be missing."""

    TRAY = "tray"
    NOTIFICATIONS = "notifications"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class DesktopPart:
    """How one part of the desktop is served; it is what `credtray status` tells of it."""

    name: Part
    back_end: str | None
    """The one in use, such as ``status_notifier``; None when there is none."""
    reason: str | None = None
    """Why there is none, or why not a better one, in a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether somebody would see a notice now. What cannot be found out counts as present."""

    locked: bool = False
    idle: bool = False
    asleep: bool = False

    @property
    def away(self) -> bool:
        """True while notices are held."""
        return self.locked or self.idle or self.asleep
