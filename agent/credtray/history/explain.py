"""Why something worked or failed at a past moment: from the history to a few sentences. Pure.

Works out how everything stood then, names the first reason that explains it, and says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from credtray.core.errors import every_error
from credtray.core.shell_words import argument
from credtray.core.state_words import clock_time
from credtray.core.words import plain
from credtray.history.entries import Entry, Kind
from credtray.history.sentences import Sentence, sentences

AROUND = timedelta(minutes=10)
"""What happened so shortly before and after is shown with the answer."""
_MINUTE = timedelta(minutes=1)
"""A person names a minute: what happened in it counts."""
_FAILURES = frozenset({Kind.KEYS_REFUSED, Kind.KEYS_FAILED})
_ASKED = frozenset({Kind.KEYS_DENIED, *_FAILURES})


@dataclass(frozen=True, slots=True)
class Why:
    """The answer."""

    reasons: tuple[str, ...]
    """The most likely one first."""
    next_steps: tuple[str, ...]
    around: tuple[Sentence, ...]
    """What happened around that time."""


@dataclass(slots=True)
class _Then:
    """How everything stood at one moment; the entries that made it so."""

    agent: Entry | None = None
    """When it started or stopped."""
    asleep: Entry | None = None
    sign_ins: dict[str, Entry] = field(default_factory=dict)
    """Session -> when somebody signed in, or was no longer signed in."""
    offline: dict[str, Entry] = field(default_factory=dict)
    renewal: dict[str, Entry] = field(default_factory=dict)
    """Session -> why its token is not renewed."""
    keys: dict[str, Entry] = field(default_factory=dict)
    """Profile -> when its keys came last."""
    failed: dict[str, Entry] = field(default_factory=dict)
    """Profile -> why none came since."""


def why(
    entries: Sequence[Entry], at: datetime, now: datetime, zone: tzinfo | None, profile: str | None = None
) -> Why:
    """Explain what happened at a moment.

    Args:
        entries: the history, oldest first.
        at: the moment, which has passed.
        now: when it is asked.
        zone: whose clock is shown; None: this computer's.
        profile: which one it is about; None: whichever had trouble then.
    """
    names = _sessions_of(entries)
    asked = profiles_in_trouble(entries, at) if profile is None else (profile,)
    reader = _Reader(entries, names, at, now, zone)
    found = [reader.reason(name) for name in asked] or [reader.reason(None)]
    mine = {names.get(name) for name in asked} | {None}
    around = [
        entry
        for entry in entries
        if abs(entry.at - at) <= AROUND
        and (profile is None or (entry.session in mine and entry.profile in {None, profile}))
    ]
    return Why(
        tuple(dict.fromkeys(reason for reason, _ in found)),
        tuple(dict.fromkeys(step for _, step in found if step)),
        tuple(sentences(around, zone)),
    )


def profiles_in_trouble(entries: Sequence[Entry], at: datetime) -> tuple[str, ...]:
    """Return the profiles that somebody asked for in vain around that time, the nearest first."""
    near = [each for each in entries if each.kind in _ASKED and each.profile and abs(each.at - at) <= AROUND]
    near.sort(key=lambda each: abs(each.at - at))
    return tuple(dict.fromkeys(each.profile for each in near if each.profile is not None))


def _sessions_of(entries: Sequence[Entry]) -> Mapping[str, str]:
    return {each.profile: each.session for each in entries if each.profile and each.session}


def _then(entries: Sequence[Entry], at: datetime) -> _Then:
    then = _Then()
    for entry in entries:
        if entry.at >= at:
            break
        _heed(then, entry)
    return then


def _heed(then: _Then, entry: Entry) -> None:
    session, profile = entry.session or "", entry.profile or ""
    match entry.kind:
        case Kind.SIGNED_IN | Kind.SIGN_IN_ENDED | Kind.SIGNED_OUT:
            then.sign_ins[session] = entry
            then.renewal.pop(session, None)
        case Kind.RENEWAL_FAILED | Kind.RENEWAL_REFUSED:
            then.renewal[session] = entry
        case Kind.TOKEN_RENEWED:
            then.renewal.pop(session, None)
        case Kind.KEYS_FETCHED:
            then.keys[profile] = entry
            then.failed.pop(profile, None)
        case Kind.KEYS_REFUSED | Kind.KEYS_FAILED:
            then.failed[profile] = entry
        case _:
            _heed_the_machine(then, entry, session)


def _heed_the_machine(then: _Then, entry: Entry, session: str) -> None:
    match entry.kind:
        case Kind.AGENT_STARTED | Kind.AGENT_STOPPED:
            then.agent, then.asleep = entry, None
            then.offline.clear()
        case Kind.SLEPT:
            then.asleep = entry
        case Kind.WOKE:
            then.asleep = None
        case Kind.OFFLINE:
            then.offline[session] = entry
        case Kind.ONLINE:
            then.offline.pop(session, None)


class _Reader:
    """Finds the reason for one profile after the other."""

    def __init__(
        self,
        entries: Sequence[Entry],
        sessions: Mapping[str, str],
        at: datetime,
        now: datetime,
        zone: tzinfo | None,
    ) -> None:
        self._entries = entries
        self._sessions = sessions
        self._at = at
        self._end = at + _MINUTE
        self._now = now
        self._zone = zone
        self._then = _then(entries, self._end)

    def reason(self, profile: str | None) -> tuple[str, str]:
        """Return why, and what to do next (empty: nothing)."""
        session = None if profile is None else self._sessions.get(profile)
        return next(self._reasons(profile, session))

    def _reasons(self, profile: str | None, session: str | None) -> Iterator[tuple[str, str]]:
        yield from self._of_the_machine(profile)
        sessions = [session] if session is not None else sorted(self._then.sign_ins)
        for name in sessions:
            yield from self._of_sign_in(name, profile)
        if profile is not None:
            yield from self._of_role(profile)
        for name in sessions:
            yield from self._of_network(name)
        yield self._nothing_wrong(profile)

    def _clock(self, instant: datetime) -> str:
        return clock_time(instant, self._now, self._zone)

    def _lead(self, profile: str | None) -> str:
        return f"At {self._clock(self._at)} " + (
            "nothing was renewed" if profile is None else f"no keys of {plain(profile)} could be renewed"
        )

    def _later(self, *kinds: Kind, session: str | None = None, profile: str | None = None) -> Entry | None:
        """Return the first such entry after the moment."""
        return next(
            (
                entry
                for entry in self._entries
                if entry.at >= self._end
                and entry.kind in kinds
                and (session is None or entry.session == session)
                and (profile is None or entry.profile == profile)
            ),
            None,
        )

    def _of_the_machine(self, profile: str | None) -> Iterator[tuple[str, str]]:
        agent, asleep = self._then.agent, self._then.asleep
        if agent is not None and agent.kind is Kind.AGENT_STOPPED:
            again = self._later(Kind.AGENT_STARTED)
            since = f"the agent had stopped at {self._clock(agent.at)}"
            if again is None:
                yield f"{self._lead(profile)}: {since}.", "Start it: credtray start"
            else:
                rest = f", and started again at {self._clock(again.at)}."
                yield f"{self._lead(profile)}: {since}{rest}", "To have it always: credtray autostart enable"
        if asleep is not None:
            woke = self._later(Kind.WOKE)
            rest = "" if woke is None else f", and woke up at {self._clock(woke.at)}"
            yield f"{self._lead(profile)}: the computer was asleep since {self._clock(asleep.at)}{rest}.", ""

    def _of_sign_in(self, session: str, profile: str | None) -> Iterator[tuple[str, str]]:
        last = self._then.sign_ins.get(session)
        if last is None or last.kind is Kind.SIGNED_IN:
            return
        name = plain(session)
        what = f"the sign-in to {name} had ended" if last.kind is Kind.SIGN_IN_ENDED else "you had signed out"
        held = self._held(profile)
        reason = f"{self._lead(profile)}: {what} at {self._clock(last.at)}{held}."
        again = self._later(Kind.SIGNED_IN, session=session)
        if again is None:
            yield reason, f"Sign in: credtray login {argument(session)}"
        else:
            yield reason, f"You are signed in again since {self._clock(again.at)}: try it again."

    def _held(self, profile: str | None) -> str:
        """Tell of keys that outlived the sign-in."""
        keys = None if profile is None else self._then.keys.get(profile)
        if keys is None or keys.until is None:
            return ""
        still = keys.until > self._at
        return f"; its keys {'worked' if still else 'had worked'} until {self._clock(keys.until)}"

    def _of_role(self, profile: str) -> Iterator[tuple[str, str]]:
        failed = self._then.failed.get(profile)
        if failed is None:
            return
        text = plain(failed.text or "no reason was given", 300)
        since = f"since {self._clock(failed.at)}"
        was = "was refused" if failed.kind is Kind.KEYS_REFUSED else "could not be renewed"
        again = self._later(Kind.KEYS_FETCHED, profile=profile)
        over = "" if again is None else f" It has worked again since {self._clock(again.at)}."
        reason = (
            f"At {self._clock(self._at)} {plain(profile)} {was}, {since}: {text}.{self._had(profile)}{over}"
        )
        yield reason, "" if again is not None else _advice().get(failed.code or "", "")

    def _had(self, profile: str) -> str:
        keys = self._then.keys.get(profile)
        return "" if keys is None else f" Its last keys came at {self._clock(keys.at)}."

    def _of_network(self, session: str) -> Iterator[tuple[str, str]]:
        offline, renewal = self._then.offline.get(session), self._then.renewal.get(session)
        name = plain(session)
        if offline is not None:
            again = self._later(Kind.ONLINE, session=session)
            rest = "" if again is None else f" It could be reached again at {self._clock(again.at)}."
            since = self._clock(offline.at)
            step = "" if again is not None else "Check the network, the VPN or the proxy: credtray doctor"
            yield f"The portal of {name} could not be reached from {since} on.{rest}", step
        if renewal is not None:
            text = plain(renewal.text or "", 300)
            since = self._clock(renewal.at)
            yield (
                f"The access token of {name} was not renewed from {since} on: {text}.",
                f"Sign in: credtray login {argument(session)}",
            )

    def _nothing_wrong(self, profile: str | None) -> tuple[str, str]:
        at = self._clock(self._at)
        if profile is None:
            return f"At {at} nothing was wrong, as far as credtray knows.", ""
        keys = self._then.keys.get(profile)
        if keys is None or keys.until is None:
            return (
                f"At {at} nobody had asked for keys of {plain(profile)} yet, as far as the history goes.",
                f"See which keys your tools would use: credtray doctor {argument(profile)}",
            )
        if keys.until <= self._at:
            ended = self._clock(keys.until)
            return (
                f"At {at} the keys of {plain(profile)} had ended, at {ended}; nobody asked for new ones.",
                "",
            )
        good = f"its keys came at {self._clock(keys.at)} and were good until {self._clock(keys.until)}"
        return (
            f"At {at} nothing was wrong with {plain(profile)}: {good}.",
            f"If a program failed all the same, see which keys it uses: credtray doctor {argument(profile)}",
        )


def _advice() -> Mapping[str, str]:
    """Return the advice of each error, by its code."""
    return MappingProxyType({error.code: error.hint for error in every_error()})
