"""The history in a person's words: ``13:20  keys of synderys-dns renewed``. Pure; the zone is an argument.

What happens to many profiles at once is one sentence. Foreign names are made plain; markup is for who draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from credtray.core.models import Way
from credtray.core.state_words import clock_time, name_list
from credtray.core.words import plain
from credtray.history.entries import Entry, Kind, counted

_TOGETHER = timedelta(minutes=1)
_LONGEST_TEXT = 300
_TOLD_TOGETHER = frozenset({Kind.KEYS_FETCHED, Kind.ACTIVATED, Kind.DEACTIVATED})
"""What happens to many profiles at once."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened at one moment, to one profile or to several."""

    at: datetime
    text: str
    entries: tuple[Entry, ...]


def sentences(entries: Iterable[Entry], zone: tzinfo | None) -> list[Sentence]:
    """Return what happened in sentences, oldest first.

    Args:
        entries: the history, oldest first.
        zone: whose clock it is read by; None: this computer's.
    """
    return [Sentence(group[0].at, _words(group, zone), tuple(group)) for group in _groups(counted(entries))]


def _groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    group: list[Entry] = []
    for entry in entries:
        if group and not _belongs(entry, group[0]):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _belongs(entry: Entry, first: Entry) -> bool:
    several = entry.kind in _TOLD_TOGETHER or entry.way is Way.FILE
    same = (entry.kind, entry.way, entry.session) == (first.kind, first.way, first.session)
    return several and same and entry.at - first.at < _TOGETHER


def _words(group: list[Entry], zone: tzinfo | None) -> str:
    first = group[0]
    names = name_list(tuple(dict.fromkeys(plain(entry.profile or "") for entry in group)))
    fact = _Fact(first, names, plain(first.session or "?"), zone)
    return _SENTENCES[first.kind](fact)


@dataclass(frozen=True, slots=True)
class _Fact:
    """An entry, with its names as a person may read them."""

    entry: Entry
    profiles: str
    session: str
    zone: tzinfo | None

    @property
    def until(self) -> str:
        """Until when it is good, with a comma in front; empty where that is not known."""
        if self.entry.until is None:
            return ""
        about = "about " if self.entry.about else ""
        return f", until {about}{clock_time(self.entry.until, self.entry.at, self.zone)}"

    @property
    def person(self) -> str:
        """Who signed in."""
        return plain(self.entry.person or "somebody")

    @property
    def why(self) -> str:
        """What went wrong, with a colon in front."""
        if not self.entry.text:
            return ""
        return f": {plain(self.entry.text.removesuffix(f': {self.entry.profile}'), _LONGEST_TEXT)}"

    @property
    def by(self) -> str:
        """By whom, where it was not credtray."""
        return f" by {plain(self.entry.program)}" if self.entry.program else ""


def who(entry: Entry) -> str:
    """Name the program that asked: ``terraform (pid 4711)``, ``a program``."""
    if entry.program is None:
        return "a program" if entry.pid is None else f"process {entry.pid}"
    name = plain(entry.program)
    return name if entry.pid is None else f"{name} (pid {entry.pid})"


_BY = MappingProxyType(
    {
        Way.ENDPOINT: ", by the endpoint",
        Way.PROCESS: ", by `credtray credentials`",
        Way.SHELL: ", by `credtray env`",
        Way.EXEC: ", by `credtray exec --env`",
        Way.KUBE: ", by `credtray kube-token`",
        Way.REGISTRY: ", by `docker-credential-credtray`",
        Way.SHARE: ", by `credtray share`, for another machine",
        Way.TOKEN: ", by `credtray token`",
    }
)


def _given(fact: _Fact) -> str:
    entry = fact.entry
    times = f", {entry.count} times" if entry.count > 1 else ""
    match entry.way:
        case Way.FILE:
            return f"keys of {fact.profiles} written to the credentials file"
        case Way.CLIPBOARD:
            return f"keys of {fact.profiles} copied to the clipboard{times}"
        case Way.CONSOLE:
            return f"the console opened with the keys of {fact.profiles}{times}"
        case None:
            return f"{who(entry)} was given the keys of {fact.profiles}{times}"
        case way:
            return f"{who(entry)} was given the keys of {fact.profiles}{_BY[way]}{times}"


def _denied(fact: _Fact) -> str:
    times = f" {fact.entry.count} times" if fact.entry.count > 1 else ""
    return f"{who(fact.entry)} asked{times} for keys of {fact.profiles} and got none{fact.why}"


def _refused(fact: _Fact) -> str:
    times = f" {fact.entry.count} times" if fact.entry.count > 1 else ""
    return f"{who(fact.entry)} asked{times} at the endpoint with a wrong token and got nothing"


def _file_failed(fact: _Fact) -> str:
    if fact.entry.profile is None:
        return f"the credentials file could not be written{fact.why}"
    return f"keys of {fact.profiles} were not written to the credentials file{fact.why}"


def _switched(fact: _Fact) -> str:
    if fact.entry.profile is None:
        return "there is no default profile from now on"
    return f"{fact.profiles} became the default profile"


_SENTENCES: Mapping[Kind, Callable[[_Fact], str]] = MappingProxyType(
    {
        Kind.KEYS_GIVEN: _given,
        Kind.KEYS_DENIED: _denied,
        Kind.ENDPOINT_REFUSED: _refused,
        Kind.KEYS_FETCHED: lambda it: f"keys of {it.profiles} renewed{it.until}",
        Kind.KEYS_REFUSED: lambda it: f"{it.profiles} was refused{it.why}",
        Kind.KEYS_FAILED: lambda it: f"keys of {it.profiles} could not be renewed{it.why}",
        Kind.TOKEN_RENEWED: lambda it: f"access token of {it.session} renewed{it.by}{it.until}",
        Kind.RENEWAL_FAILED: lambda it: f"access token of {it.session} could not be renewed{it.why}",
        Kind.RENEWAL_REFUSED: lambda it: f"AWS refused to renew the access token of {it.session}{it.why}",
        Kind.SIGN_IN_BEGUN: lambda it: f"sign-in to {it.session} begun",
        Kind.SIGNED_IN: lambda it: f"signed in to {it.session}{it.by}{it.until}",
        Kind.SIGN_IN_CANCELLED: lambda it: f"sign-in to {it.session} cancelled",
        Kind.SIGN_IN_FAILED: lambda it: f"sign-in to {it.session} failed{it.why}",
        Kind.SIGN_IN_ENDED: lambda it: f"the sign-in to {it.session} ended",
        Kind.OTHER_PERSON: lambda it: f"{it.person} signed in to {it.session}: no keys are given{it.why}",
        Kind.PERSON_KEPT: lambda it: f"{it.person} is the one who signs in to {it.session} from now on",
        Kind.ROLES_CAME: lambda it: f"roles that are new at {it.session}{it.why}",
        Kind.ROLES_WENT: lambda it: f"roles you no longer have at {it.session}{it.why}",
        Kind.NOTICED: lambda it: f"you were told{it.why}",
        Kind.SIGNED_OUT: lambda it: f"signed out of {it.session}",
        Kind.ACTIVATED: lambda it: f"keys of {it.profiles} are kept fresh from now on",
        Kind.DEACTIVATED: lambda it: f"keys of {it.profiles} are no longer kept fresh",
        Kind.SWITCHED: _switched,
        Kind.FILE_FAILED: _file_failed,
        Kind.SLEPT: lambda _: "the computer went to sleep",
        Kind.WOKE: lambda _: "the computer woke up",
        Kind.OFFLINE: lambda it: f"{it.session}: the portal could not be reached",
        Kind.ONLINE: lambda it: f"{it.session}: the portal could be reached again",
        Kind.AGENT_STARTED: lambda _: "the agent started",
        Kind.AGENT_STOPPED: lambda _: "the agent stopped",
    }
)


# When a person means: "2h" ago, "14:05" today, "yesterday 14:05", a date.


_DAY = timedelta(days=1)


def instant_meant(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """Return the instant that a person names, by the clock of the zone.

    Raises:
        ValueError: it names none.
    """
    words = " ".join(text.split()).lower()
    day, _, rest = words.partition(" ")
    local = now.astimezone(zone)
    if day in {"today", "yesterday"}:
        of_day = local if day == "today" else local - _DAY
        return _on(of_day, rest or "00:00", zone)
    try:
        return _on(local, words, zone)
    except ValueError:
        found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo is not None else _in_zone(found, zone)


def _on(day: datetime, clock: str, zone: tzinfo | None) -> datetime:
    hours, colon, minutes = clock.partition(":")
    if not colon or not (hours.isdecimal() and minutes.isdecimal()):
        raise ValueError("not a time of day")
    there = day.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0, tzinfo=None)
    return _in_zone(there, zone)


def _in_zone(local: datetime, zone: tzinfo | None) -> datetime:
    return local.astimezone() if zone is None else local.replace(tzinfo=zone)
