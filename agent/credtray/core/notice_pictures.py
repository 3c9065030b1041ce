"""Which picture stands beside a notice: the icon's own shapes, to be read at a glance. Pure.

A tick means that something works, and nothing else does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from credtray.core.errors import (
    CaptivePortal,
    Offline,
    PortalUnauthorized,
    ProxyRefused,
    SignInCancelled,
    SignInRequired,
    SignInTimedOut,
    TokenRefused,
    TokenUnreadable,
)
from credtray.core.face.look import STEPS, Look, Shape, ring_steps
from credtray.core.notices import Notice, Subject

GOOD_NEWS = Look(Shape.FRESH, STEPS)
"""Something was done."""
UNDER_WAY = Look(Shape.SIGNING_IN, STEPS)
"""A sign-in waits for a person."""

_DAY = timedelta(hours=8)
"""Of work: a notice does not know how long its sign-in was, and what it warns of is little of any."""

_SHAPES = {
    Subject.ENDS_SOON: Shape.SOON,
    Subject.ENDED: Shape.ENDED,
    Subject.DELETED: Shape.SIGNED_OUT,
    Subject.SIGNED_IN: Shape.FRESH,
    Subject.END_UNMOVED: Shape.SOON,
    Subject.SIGN_IN_FAILED: Shape.TROUBLE,
    Subject.AWAITED: Shape.SOON,
    Subject.CANNOT_REFRESH: Shape.TROUBLE,
    Subject.OFFLINE: Shape.OFFLINE,
    Subject.ROLE_REFUSED: Shape.TROUBLE,
    Subject.SECTION_REFUSED: Shape.TROUBLE,
    Subject.CLOCK_OFF: Shape.TROUBLE,
    Subject.PASTED_END_SOON: Shape.SOON,
    Subject.PASTED_ENDED: Shape.ENDED,
}
_OF_PROBLEMS = {
    Offline.code: Shape.OFFLINE,
    ProxyRefused.code: Shape.OFFLINE,
    CaptivePortal.code: Shape.OFFLINE,
    TokenRefused.code: Shape.ENDED,
    PortalUnauthorized.code: Shape.ENDED,
    SignInRequired.code: Shape.SIGNED_OUT,
    SignInTimedOut.code: Shape.SIGNED_OUT,
    SignInCancelled.code: Shape.SIGNED_OUT,
    TokenUnreadable.code: Shape.TROUBLE,
}


def picture(notice: Notice, now: datetime) -> Look:
    """Return the look of the icon that a notice is about."""
    if notice.subject is Subject.AWAITED and notice.ends_at is None:
        return Look(Shape.SIGNED_OUT)
    if notice.left is not None and notice.left.present_until is None:
        return Look(Shape.ENDED)
    shape = _SHAPES[notice.subject]
    if shape is Shape.SOON:
        left = _DAY if notice.ends_at is None else notice.ends_at - now
        return Look(shape, ring_steps(left, _DAY))
    return GOOD_NEWS if shape is Shape.FRESH else Look(shape)


def problem_picture(code: str) -> Look:
    """Return the look of the icon for the problem of that code; a triangle for what has none of its own."""
    return Look(_OF_PROBLEMS.get(code, Shape.TROUBLE))
