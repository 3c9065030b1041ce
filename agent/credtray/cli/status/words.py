"""The words of `credtray status` for one session and one profile of the status document. Pure.

Decides nothing about credentials; the states come from core/status.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from credtray.core.desktop_words import missing_words
from credtray.core.durations import short
from credtray.core.models import EndProof
from credtray.core.price import Price, price_words
from credtray.core.state import Alive
from credtray.core.view import END_WORDS, Pending, Standing, clock_time, pending_words, standing_words

_SAME_END = timedelta(minutes=1)
_ALIVE = {"signed_out": Alive.SIGNED_OUT, "expired": Alive.ENDED}
_NEAR_THE_END = {"advisory", "mandatory"}


@dataclass(frozen=True, slots=True)
class Reader:
    """When and where it is read."""

    now: datetime
    zone: tzinfo | None = None
    """None: this computer's."""

    def at(self, instant: datetime) -> str:
        """Write an instant as the reader's clock shows it."""
        return clock_time(instant, self.now, self.zone)

    def left(self, instant: datetime) -> str:
        """Write how long it is until then."""
        return short(instant - self.now)


def reader_of(document: dict[str, Any]) -> Reader:
    """Return the instant the document was made, by the clock of whoever made it."""
    made = document.get("now")
    return Reader(datetime.fromisoformat(made) if made else datetime.now(UTC))


def session_words(item: dict[str, Any], reader: Reader) -> str:
    """Tell how a session stands, in one line without its name."""
    state = item["state"]
    match state:
        case "signing_in":
            return pending_words(_pending(item), reader.now, reader.zone)
        case "refused":
            return "refused"
        case _:
            standing = Standing(
                _ALIVE.get(state, Alive.SIGNED_IN),
                _instant(item["signed_in_until"]),
                about=bool(item["end_is_estimate"]),
                ends_soon=state in _NEAR_THE_END,
                offline=state == "offline",
            )
            return standing_words(standing, reader.now, reader.zone)


def _pending(item: dict[str, Any]) -> Pending:
    told = item.get("pending") or {}  # an older agent tells nothing of it
    return Pending(
        item["user_code"],
        _instant(told.get("present_until")),
        about=bool(told.get("present_is_estimate")),
        earlier_ended_at=_instant(told.get("earlier_ended_at")),
        keys_until=_instant(told.get("keys_until")),
        shown=item["sign_in_url"] is not None,
    )


def _sign_in_words(item: dict[str, Any], reader: Reader) -> str:
    """Tell until when somebody is signed in, whatever else there is to say."""
    ends_at = _instant(item["signed_in_until"])
    standing = Standing(Alive.SIGNED_IN, ends_at, about=bool(item["end_is_estimate"]))
    return standing_words(standing, reader.now, reader.zone)


def end_words(item: dict[str, Any]) -> str:
    """Tell how the end of a sign-in is known; empty where it is confirmed, or an older agent does not say."""
    known_by = item.get("end_known_by")
    if not item["end_is_estimate"] or known_by is None or item["state"] not in _STILL_SIGNED_IN:
        return ""
    return f"this end is {END_WORDS[EndProof(known_by)]}"


def token_words(item: dict[str, Any], reader: Reader, *, agent_running: bool) -> str:
    """Tell about the access token of a session; empty when there is none to speak of."""
    expires_at = _instant(item["access_token_expires_at"])
    if expires_at is None or item["state"] in {"expired", "signed_out", "refused"}:
        return ""
    at = reader.at(expires_at)
    if expires_at <= reader.now:
        return f"token expired at {at} and has not been renewed yet"
    why_not = _why_not_renewed(item, expires_at)
    if why_not:
        return f"token valid until {at}{why_not}"
    if not agent_running:
        return f"token valid until {at}; the agent would renew it"
    return f"token renews automatically (this one is valid until {at})"


def _why_not_renewed(item: dict[str, Any], expires_at: datetime) -> str:
    ends_at = _instant(item["signed_in_until"])
    if item.get("renewal_refused"):
        return "; AWS refuses to renew it"
    if item["legacy"]:
        return "; a legacy profile's token cannot be renewed"
    if item.get("token_renews") is False:
        return "; it cannot be renewed"
    at_the_end = ends_at is not None and abs(ends_at - expires_at) <= _SAME_END
    return ", the end of the sign-in" if at_the_end and not item["end_is_estimate"] else ""


def keys_words(item: dict[str, Any], reader: Reader) -> str:
    """Tell about the keys of a profile."""
    expires_at = _instant(item["expires_at"])
    kept = item["active"] or item["default"]
    if expires_at is not None and expires_at <= reader.now:
        return f"expired at {reader.at(expires_at)}"
    if expires_at is not None:
        place = "" if kept else ", in memory"
        return f"until {reader.at(expires_at)} ({reader.left(expires_at)}){place}"
    if not kept:
        return "not kept"
    return _WAITING.get(item["state"], "no keys yet")


def price_words_of(document: dict[str, Any], session: str | None, reader: Reader) -> str | None:
    """Tell what a new sign-in to this session would end; None when too little is left to be asked about.

    Args:
        document: of ``status --json``.
        session: the one it is about.
        reader: when and where it is read.
    """
    item = next((each for each in document["sessions"] if each["name"] == session), None)
    ends_at = None if item is None else _instant(item["signed_in_until"])
    if item is None or ends_at is None or item["state"] not in _LONG or ends_at <= reader.now:
        return None
    ends = (_instant(each["expires_at"]) for each in document["profiles"] if each["session"] == session)
    keys_until = min((end for end in ends if end is not None and end > reader.now), default=None)
    price = Price(ends_at, bool(item["end_is_estimate"]), keys_until)
    return price_words(price, reader.now, reader.zone)


def still_valid_words(document: dict[str, Any], session: str | None, reader: Reader) -> list[str]:
    """Tell what works without a new sign-in, and until when; no lines when nothing does.

    Args:
        document: of ``status --json``.
        session: the one it is about; None: all of them.
        reader: when and where it is read.
    """
    lines = [
        f"{item['name']}: still {_sign_in_words(item, reader)}."
        for item in document["sessions"]
        if session in {None, item["name"]} and _is_signed_in(item)
    ]
    held = [
        (expires_at, item["name"])
        for item in document["profiles"]
        if session in {None, item["session"]}
        and (expires_at := _instant(item["expires_at"])) is not None
        and expires_at > reader.now
    ]
    if held:
        until, first = min(held)
        names = first if len(held) == 1 else f"{first} and {len(held) - 1} more"
        lines.append(f"Keys already issued stay valid until {reader.at(until)} ({names}).")
    return lines


def _is_signed_in(item: dict[str, Any]) -> bool:
    """Tell whether somebody is signed in, also while a new one waits and has not ended this one."""
    if item["state"] == "signing_in":
        return bool((item.get("pending") or {}).get("present_until"))
    return item["state"] in _STILL_SIGNED_IN


_LONG = {"fresh", "offline"}
"""Signed in, and no warning threshold is passed, as far as is known."""
_STILL_SIGNED_IN = {"fresh", "advisory", "mandatory", "offline"}

_WAITING = {
    "signed_out": "no keys: signed out",
    "expired": "no keys: the sign-in has ended",
    "signing_in": "no keys yet: signing in",
    "offline": "no keys: the portal cannot be reached",
    "refused": "refused",
}


def desktop_words(document: dict[str, Any], reader: Reader) -> list[str]:
    """Tell which parts of the desktop are missing, and why, and whether notices are paused."""
    missing = {
        name: part["reason"]
        for name, part in (document.get("desktop") or {}).items()
        if part["back_end"] is None and part["reason"] is not None
    }
    if {"tray", "notifications"} <= missing.keys():
        # A machine without a desktop: one line, not one for each thing that follows from it.
        lines = [f"No icon and no notifications: {missing['tray']}"]
    else:
        lines = [missing_words(name, reason) for name, reason in missing.items()]
    paused = _instant(document.get("notices_paused_until"))
    if paused is not None and paused > reader.now:
        lines.append(f"Notices paused until {reader.at(paused)}. Resume: credtray pause off")
    return lines


def endpoint_words(document: dict[str, Any]) -> list[str]:
    """Tell why the local credentials endpoint is closed, or not open for everybody who wants it."""
    endpoint = document.get("endpoint") or {}
    problem = endpoint.get("error")
    if problem is None:
        return []
    standing = "closed" if endpoint["port"] is None else "not open for every profile"
    return [f"endpoint: {standing} ({problem['text']})"]


def agent_words(agent: dict[str, Any]) -> tuple[str, str]:
    """Tell whether the agent runs, and what that means."""
    if agent["running"]:
        return (
            f"Agent running (pid {agent['pid']}, version {agent['version']})",
            "tokens and keys are renewed automatically.",
        )
    return "Agent not running", "nothing is renewed. Start it: credtray run"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
