"""How the icon looks, as values: a shape, and how much of the ring is left. Pure; nothing is drawn here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

STEPS = 24
"""A ring has so many steps: a smaller change cannot be seen at 22 pixels, so it is not drawn."""


class Shape(Enum):
    """What the icon says, told by a shape as well as by a colour."""

    FRESH = "fresh"
    """Signed in: a tick."""
    SOON = "soon"
    """The sign-in ends soon: an exclamation mark."""
    ENDED = "ended"
    """The sign-in has ended: a cross."""
    SIGNED_OUT = "signed_out"
    """Nobody is signed in: a closed lock without a ring."""
    SIGNING_IN = "signing_in"
    """Waiting for a person in the browser: three dots."""
    OFFLINE = "offline"
    """The portal cannot be reached: a struck-through ring."""
    TROUBLE = "trouble"
    """Signed in, but something needs a person: a triangle."""


MOST_URGENT_FIRST = (
    Shape.SIGNING_IN,  # a person is at it: what they see must answer their click
    Shape.ENDED,
    Shape.SOON,
    Shape.SIGNED_OUT,
    Shape.TROUBLE,
    Shape.OFFLINE,
    Shape.FRESH,
)


@dataclass(frozen=True, slots=True)
class IconState:
    """The icon; two equal looks are the same picture."""

    shape: Shape
    steps: int = 0
    """Of the remaining time, 0 to ``STEPS``; 0 where there is no ring."""


def ring_steps(left: timedelta, length: timedelta) -> int:
    """Return how many steps of the ring are left of a sign-in of that length; the last one until its end."""
    if left <= timedelta():
        return 0
    return STEPS if left >= length else math.ceil(STEPS * (left / length))
