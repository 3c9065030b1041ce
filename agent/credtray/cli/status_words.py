"""The words of `credtray status` for one session and one profile of the status document. Pure.

Decides nothing about credentials; the states come from core/summary.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from credtray import __version__
from credtray.core.models import CredentialStatus, Delivery
from credtray.core.problem_words import missing_words
from credtray.core.protocol.results import (
    AgentStatus,
    PendingStatus,
    ProfileStatus,
    SessionStatus,
    StatusDocument,
)
from credtray.core.shell_words import argument
from credtray.core.state import SignInStatus
from credtray.core.state_words import (
    END_WORDS,
    Price,
    clock_time,
    pending_words,
    price_words,
    sign_in_words,
    standing_words,
)
from credtray.core.summary import PendingSummary, SignInSummary
from credtray.core.words import plain, short

_SAME_END = timedelta(minutes=1)
_ALIVE = {CredentialStatus.SIGNED_OUT: SignInStatus.SIGNED_OUT, CredentialStatus.EXPIRED: SignInStatus.ENDED}
_NEAR_THE_END = {CredentialStatus.ADVISORY, CredentialStatus.MANDATORY}


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


def session_words(item: SessionStatus, reader: Reader) -> str:
    """Tell how a session stands, in one line without its name."""
    state = item.state
    match state:
        case CredentialStatus.SIGNING_IN:
            return pending_words(_pending(item), reader.now, reader.zone)
        case CredentialStatus.REFUSED if item.expected_person and item.person:
            return f"signed in as {plain(item.person)}, not as {plain(item.expected_person)}"
        case CredentialStatus.REFUSED:
            return "refused"
        case _:
            return standing_words(_sign_in(item), reader.now, reader.zone)


def _sign_in(item: SessionStatus) -> SignInSummary:
    return SignInSummary(
        _ALIVE.get(item.state, SignInStatus.SIGNED_IN),
        item.signed_in_until,
        about=bool(item.end_is_estimate),
        known_by=item.end_known_by,
        ends_soon=item.state in _NEAR_THE_END,
        offline=item.state is CredentialStatus.OFFLINE,
    )


def _pending(item: SessionStatus) -> PendingSummary:
    told = item.pending or PendingStatus()
    return PendingSummary(
        item.user_code,
        told.present_until,
        about=bool(told.present_is_estimate),
        earlier_ended_at=told.earlier_ended_at,
        keys_until=told.keys_until,
        shown=item.sign_in_url is not None,
    )


def person_words(item: SessionStatus) -> str:
    """Tell who is signed in; empty where that is not known, or the headline says it."""
    return f"signed in as {plain(item.person)}" if item.person and not item.expected_person else ""


def end_words(item: SessionStatus) -> str:
    """Tell how the end of a sign-in is known; empty where it is confirmed, or an older agent does not say."""
    known_by = item.end_known_by
    if not item.end_is_estimate or known_by is None or item.state not in _STILL_SIGNED_IN:
        return ""
    return f"this end is {END_WORDS[known_by]}"


def token_words(item: SessionStatus, reader: Reader, *, agent_running: bool) -> str:
    """Tell about the access token of a session; empty when there is none to speak of."""
    expires_at = item.access_token_expires_at
    if expires_at is None or item.state in _NO_TOKEN:
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


def _why_not_renewed(item: SessionStatus, expires_at: datetime) -> str:
    ends_at = item.signed_in_until
    if item.renewal_refused:
        return "; AWS refuses to renew it"
    if item.legacy:
        return "; a legacy profile's token cannot be renewed"
    if item.token_renews is False:
        return "; it cannot be renewed"
    at_the_end = ends_at is not None and abs(ends_at - expires_at) <= _SAME_END
    return ", the end of the sign-in" if at_the_end and not item.end_is_estimate else ""


def keys_words(item: ProfileStatus, reader: Reader) -> str:
    """Tell about the keys of a profile."""
    expires_at = item.expires_at
    kept = item.active or item.default
    if expires_at is not None and expires_at <= reader.now:
        return f"expired at {reader.at(expires_at)}"
    if expires_at is not None:
        place = "" if kept else ", in memory"
        return f"until {reader.at(expires_at)} ({reader.left(expires_at)}){place}"
    if not kept:
        return "not kept"
    return _WAITING.get(item.state, "no keys yet")


def price_words_of(document: StatusDocument, session: str | None, reader: Reader) -> str | None:
    """Tell what a new sign-in to this session would end; None when too little is left to be asked about.

    Args:
        document: how things stand.
        session: the one it is about.
        reader: when and where it is read.
    """
    item = next((each for each in document.sessions if each.name == session), None)
    ends_at = None if item is None else item.signed_in_until
    if item is None or ends_at is None or item.state not in _LONG or ends_at <= reader.now:
        return None
    ends = (each.expires_at for each in document.profiles if each.session == session)
    keys_until = min((end for end in ends if end is not None and end > reader.now), default=None)
    price = Price(ends_at, bool(item.end_is_estimate), keys_until)
    return price_words(price, reader.now, reader.zone)


def still_valid_words(document: StatusDocument, session: str | None, reader: Reader) -> list[str]:
    """Tell what works without a new sign-in, and until when; no lines when nothing does.

    Args:
        document: how things stand.
        session: the one it is about; None: all of them.
        reader: when and where it is read.
    """
    lines = [
        f"{item.name}: still {sign_in_words(_sign_in(item), reader.now, reader.zone)}."
        for item in document.sessions
        if session in {None, item.name} and _is_signed_in(item)
    ]
    held = [
        (expires_at, item.name)
        for item in document.profiles
        if session in {None, item.session}
        and (expires_at := item.expires_at) is not None
        and expires_at > reader.now
    ]
    if held:
        until, first = min(held)
        names = first if len(held) == 1 else f"{first} and {len(held) - 1} more"
        lines.append(f"Keys already issued stay valid until {reader.at(until)} ({names}).")
    return lines


def _is_signed_in(item: SessionStatus) -> bool:
    """Tell whether somebody is signed in, also while a new one waits and has not ended this one."""
    if item.state is CredentialStatus.SIGNING_IN:
        return item.pending is not None and item.pending.present_until is not None
    return item.state in _STILL_SIGNED_IN


_LONG = {CredentialStatus.FRESH, CredentialStatus.OFFLINE}
"""Signed in, and no warning threshold is passed, as far as is known."""
_NO_TOKEN = {CredentialStatus.EXPIRED, CredentialStatus.SIGNED_OUT, CredentialStatus.REFUSED}
_STILL_SIGNED_IN = {
    CredentialStatus.FRESH,
    CredentialStatus.ADVISORY,
    CredentialStatus.MANDATORY,
    CredentialStatus.OFFLINE,
}

_WAITING = {
    CredentialStatus.SIGNED_OUT: "no keys: signed out",
    CredentialStatus.EXPIRED: "no keys: the sign-in has ended",
    CredentialStatus.SIGNING_IN: "no keys yet: signing in",
    CredentialStatus.OFFLINE: "no keys: the portal cannot be reached",
    CredentialStatus.REFUSED: "refused",
}


def desktop_words(document: StatusDocument, reader: Reader) -> list[str]:
    """Tell which parts of the desktop are missing, and why, and whether notices are paused."""
    missing = {
        name: part.reason
        for name, part in document.desktop.parts.items()
        if part.back_end is None and part.reason is not None
    }
    if {"tray", "notifications"} <= missing.keys():
        # A machine without a desktop: one line, not one for each thing that follows from it.
        lines = [f"No icon and no notifications: {missing['tray']}"]
    else:
        lines = [missing_words(name, reason) for name, reason in missing.items()]
    paused = document.notices_paused_until
    if paused is not None and paused > reader.now:
        lines.append(f"Notices paused until {reader.at(paused)}. Resume: credtray pause off")
    return lines


def endpoint_words(document: StatusDocument) -> list[str]:
    """Tell why the local credentials endpoint is closed, or not open for everybody who wants it."""
    endpoint = document.endpoint
    problem = endpoint.error
    if problem is None:
        return []
    standing = "closed" if endpoint.port is None else "not open for every profile"
    return [f"endpoint: {standing} ({problem.text})"]


def question_words(document: StatusDocument) -> list[str]:
    """Tell which coding agents wait for a person, and what to type."""
    return [
        f"{each.agent} (pid {each.pid}) wants the keys of {each.profile}. "
        f"Allow it: credtray allow {argument(each.profile)}"
        for each in document.coding_agents
    ]


def agent_words(agent: AgentStatus) -> tuple[str, str]:
    """Tell whether the agent runs, and what that means."""
    if agent.running:
        if agent.version not in {None, __version__}:
            lead = f"Agent running (version {agent.version})"
            return lead, f"restart it to use {__version__}: credtray restart"
        lead = f"Agent running (pid {agent.pid}, version {agent.version})"
        return lead, "tokens and keys are renewed automatically."
    return "Agent not running", "nothing is renewed. Start it: credtray start"


# What programs have to do for keys that are not written into the credentials file. Words only.


_NAMES = {Delivery.PROCESS: "credential_process", Delivery.ENDPOINT: "the local endpoint"}


def way(item: ProfileStatus) -> str:
    """Return how programs get the keys, in words; nothing for those of the credentials file."""
    return _NAMES.get(item.delivery, "")


def what_to_do(item: ProfileStatus) -> str:
    """Return what a person does so that a program uses the keys; nothing for those of the file."""
    name = item.name
    match item.delivery:
        case Delivery.ENDPOINT:
            return f"Programs find them with what this prints: credtray endpoint {argument(name)}"
        case Delivery.PROCESS:
            from credtray.desktop.autostart import credential_process_command

            return (
                "Programs find them with this line in a profile of the config file without sso_ settings:\n"
                f"  credential_process = {credential_process_command(name)}"
            )
        case _:
            return ""
