"""What a new sign-in would cost: the active one it ends. Pure.

Asked before anything is given up: by the page the browser opens first, and by the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from credtray.core.durations import short
from credtray.core.models import SignIn
from credtray.core.standing import session_keys_until, sign_in_of, sign_in_status
from credtray.core.state import SignInStatus, State
from credtray.core.view import clock_time


@dataclass(frozen=True, slots=True)
class Price:
    """The active sign-in that ends."""

    ends_at: datetime
    about: bool
    """True: the end is an estimate."""
    keys_until: datetime | None
    """When the first of the role credentials in use end; None: there are none."""


def price_of(state: State, name: str, now: datetime) -> Price | None:
    """Return what a new sign-in to this session ends; None when a person need not be asked.

    That is when nobody is signed in, or no more is left than the longest warning threshold.
    """
    session = state.sessions.get(name)
    sign_in = sign_in_of(session, now) if session is not None else None
    if session is None or sign_in is None or sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
        return None
    price = price_of_replaced(state, name, sign_in, now)
    return None if price is None else replace(price, keys_until=session_keys_until(state, session, now))


def price_of_replaced(state: State, name: str, sign_in: SignIn | None, now: datetime) -> Price | None:
    """Return the same of a sign-in whose session the config file names no more, or gave another portal."""
    if sign_in is None or sign_in.ends_at - now <= state.settings.longest_warning(name):
        return None
    return Price(sign_in.ends_at, not sign_in.proof.proven, None)


def price_words(price: Price, now: datetime, zone: tzinfo | None) -> str:
    """Tell what is lost and what is not, in two sentences."""
    left = max(price.ends_at - now, timedelta())
    about = "about " if price.about else ""
    words = f"This ends your current sign-in, {about}{short(left)} left."
    if price.keys_until is None:
        return words
    return f"{words} Programs keep the keys they have until {clock_time(price.keys_until, now, zone)}."
