"""The time line: bars, marks and hatched stretches with their instants, for whatever draws them. Pure.

Made from the status document and the history; ``status --timeline`` draws it with characters, the page as
SVG. It knows instants and no widths: ``Timeline.place`` gives the part of the width left of an instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from credtray.core.expiry import windows_for
from credtray.core.models import CredentialStatus
from credtray.core.protocol.results import PastedStatus, ProfileStatus, SessionStatus, StatusDocument
from credtray.core.state_words import clock_time
from credtray.core.words import plain
from credtray.history.entries import Entry, Kind

AHEAD = timedelta(hours=12)
SHORTLY_BACK = AHEAD / 5
"""Puts now into the middle of the left third."""
DAY_BACK = timedelta(hours=24)
"""For a picture of the past day."""

PASTED = "pasted keys"
"""The name of the lane of keys that belong to no session."""
_USUAL_LIFE = timedelta(hours=1)
_MOST_RENEWALS = 2000
_HOUR = timedelta(hours=1)
_QUARTER = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)


class BarKind(StrEnum):
    """Whose bar it is."""

    SIGN_IN = "sign_in"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - a name
    KEYS = "keys"


class MarkKind(StrEnum):
    """What happens, or happened, at a marked instant."""

    SIGN_IN = "sign_in"
    """A person has to sign in."""
    FINISH_SIGN_IN = "finish_sign_in"
    """A sign-in waits for a person."""
    PASTE = "paste"
    """Pasted keys end, and only a person can paste others."""
    REFUSED = "refused"
    FAILED = "failed"
    NOTICE = "notice"
    """A person was told something."""

    @property
    def needs_a_person(self) -> bool:
        """True: nothing goes on by itself there."""
        return self in {MarkKind.SIGN_IN, MarkKind.FINISH_SIGN_IN, MarkKind.PASTE}


class GapKind(StrEnum):
    """Why nothing could be renewed for a while."""

    ASLEEP = "asleep"
    OFFLINE = "offline"
    NO_AGENT = "no_agent"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a bar, from one instant to another."""

    start: datetime
    end: datetime
    certain: bool = True
    """False (drawn faded): expected, by an estimate or by a renewal that is still to come."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What is valid when: one of three kinds."""

    kind: BarKind
    name: str
    """The session's, or for keys the profile's."""
    stretches: tuple[Stretch, ...]
    renewals: tuple[datetime, ...] = ()
    """Silent ones: those that were, and those that are to come."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant worth a person's attention."""

    at: datetime
    kind: MarkKind
    name: str
    """The session, profile or section it is about."""
    about: bool = False
    """``at`` is an estimate."""
    text: str = ""
    """What went wrong."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the past in which nothing was renewed; drawn hatched across all bars."""

    start: datetime
    end: datetime
    kind: GapKind


@dataclass(frozen=True, slots=True)
class Lane:
    """One session: its bars from top to bottom, and its marks in the order of time."""

    name: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    notices: tuple[Mark, ...] = ()
    """What a person was told, in the order of time."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture."""

    start: datetime
    now: datetime
    end: datetime
    lanes: tuple[Lane, ...]
    gaps: tuple[Gap, ...] = ()

    def place(self, instant: datetime) -> float:
        """Return where it is: 0 at the left edge, 1 at the right; what is beyond an edge is at the edge."""
        return min(max((instant - self.start) / (self.end - self.start), 0.0), 1.0)

    def shows(self, instant: datetime) -> bool:
        """Tell whether it is between the edges."""
        return self.start <= instant <= self.end


def timeline(
    document: StatusDocument,
    entries: Sequence[Entry] = (),
    *,
    back: timedelta = SHORTLY_BACK,
    ahead: timedelta = AHEAD,
) -> Timeline:
    """Return the picture at the time of the document.

    Args:
        document: how everything stands; the future is worked out from it.
        entries: the history, oldest first, for what is past; it may begin and end anywhere.
        back: how much of the past is shown.
        ahead: how much of the future.
    """
    now = document.now
    window = Timeline(now - back, now, now + ahead, ())
    past = [entry for entry in entries if entry.at <= now]
    lanes = [_lane(document, item, past, window) for item in document.sessions]
    if document.imports:
        lanes.append(_pasted(document.imports, window))
    return Timeline(window.start, now, window.end, tuple(lanes), _gaps(past, window))


def _lane(document: StatusDocument, session: SessionStatus, past: Sequence[Entry], window: Timeline) -> Lane:
    own = [entry for entry in past if entry.session == session.name]
    held = [item for item in document.profiles if item.session == session.name and _is_shown(item)]
    running = document.agent.running
    bars = [
        _clipped(_sign_in_bar(session, own, window.now), window),
        _clipped(_token_bar(session, own, window, running=running), window),
        *(_clipped(_keys_bar(item, session, own, window, running=running), window) for item in held),
    ]
    marks = sorted((*_past_marks(own), *_coming(session, window.now)), key=lambda mark: mark.at)
    shown = [mark for mark in marks if window.shows(mark.at)]
    told = tuple(mark for mark in shown if mark.kind is MarkKind.NOTICE)
    others = tuple(mark for mark in shown if mark.kind is not MarkKind.NOTICE)
    return Lane(session.name, tuple(bars), others, told)


def _is_shown(item: ProfileStatus) -> bool:
    return item.active or item.default or item.expires_at is not None


def _clipped(bar: Bar, window: Timeline) -> Bar:
    """Return the bar without what lies beyond the edges."""
    stretches = tuple(
        Stretch(max(each.start, window.start), min(each.end, window.end), each.certain)
        for each in bar.stretches
        if each.start < window.end and each.end > window.start and each.start < each.end
    )
    return Bar(bar.kind, bar.name, stretches, tuple(at for at in bar.renewals if window.shows(at)))


# --- the three bars ----------------------------------------------------------------------------------

_SIGNED_IN = frozenset(
    {CredentialStatus.FRESH, CredentialStatus.ADVISORY, CredentialStatus.MANDATORY, CredentialStatus.OFFLINE}
)


def _sign_in_end(session: SessionStatus, now: datetime) -> datetime | None:
    """Return when the sign-in ends that is active now; None when nobody is signed in."""
    if session.state is CredentialStatus.SIGNING_IN:
        return session.pending.present_until if session.pending is not None else None
    if session.state not in _SIGNED_IN:
        return None
    ends_at = session.signed_in_until
    if ends_at is None or ends_at <= now:  # longer than expected: as long as the token is good, at least
        return session.access_token_expires_at
    return ends_at


def _sign_in_bar(session: SessionStatus, own: Sequence[Entry], now: datetime) -> Bar:
    stretches = _earlier(own, now)
    end = _sign_in_end(session, now)
    if end is not None and end > now:
        start = _began(session, own, now)
        sure = end if not session.end_is_estimate else min(session.access_token_expires_at or now, end)
        sure = max(sure, now)
        stretches = [each for each in stretches if each.end <= start]
        stretches += [Stretch(start, sure), Stretch(sure, end, certain=False)]
    return Bar(BarKind.SIGN_IN, session.name, tuple(stretches))


def _began(session: SessionStatus, own: Sequence[Entry], now: datetime) -> datetime:
    """Return when the present sign-in began: by the history, else by how long one lasts here."""
    for entry in reversed(own):
        if entry.kind is Kind.SIGNED_IN:
            return entry.at
    if session.signed_in_until is None or session.sign_in_seconds is None:
        return now
    return min(session.signed_in_until - timedelta(seconds=session.sign_in_seconds), now)


_ENDS = frozenset({Kind.SIGN_IN_ENDED, Kind.SIGNED_OUT})


def _earlier(own: Sequence[Entry], now: datetime) -> list[Stretch]:
    """Return the sign-ins of the past that the history knows; the last one only where it has ended."""
    found: list[Stretch] = []
    began: datetime | None = None
    for entry in own:
        if entry.kind is Kind.SIGNED_IN:
            if began is not None:
                found.append(Stretch(began, entry.at))
            began = entry.at
        elif entry.kind in _ENDS and began is not None:
            end = entry.until if entry.until is not None and began < entry.until < entry.at else entry.at
            found.append(Stretch(began, min(end, now)))
            began = None
    return found


def _token_bar(session: SessionStatus, own: Sequence[Entry], window: Timeline, *, running: bool) -> Bar:
    came = [entry for entry in own if entry.kind in {Kind.TOKEN_RENEWED, Kind.SIGNED_IN}]
    renewed = [entry.at for entry in came if entry.kind is Kind.TOKEN_RENEWED]
    expires_at, end = session.access_token_expires_at, _sign_in_end(session, window.now)
    stretches = _once_held(came, own)
    if expires_at is not None and expires_at > window.now and end is not None:
        life = _life(session.access_token_seconds)
        stretches = _then_held(stretches, expires_at, life, window.now)
        if running and _renews(session):
            renewals = list(_renewals(expires_at, life, end, window, cut=True))
            stretches += [Stretch(expires_at, end, certain=False)] if renewals else []
            renewed += renewals
    return Bar(BarKind.ACCESS_TOKEN, session.name, tuple(stretches), tuple(renewed))


def _renews(session: SessionStatus) -> bool:
    """Tell whether the token is renewed silently; an older agent says nothing of it."""
    return session.token_renews is not False and session.renewal_refused is None and not session.legacy


def _keys_bar(
    item: ProfileStatus, session: SessionStatus, own: Sequence[Entry], window: Timeline, *, running: bool
) -> Bar:
    came = [entry for entry in own if entry.kind is Kind.KEYS_FETCHED and entry.profile == item.name]
    renewed = [entry.at for entry in came]
    expires_at, end = item.expires_at, _sign_in_end(session, window.now)
    stretches = _once_held(came, ())
    if expires_at is not None and expires_at > window.now:
        life = _life(item.keys_seconds)
        stretches = _then_held(stretches, expires_at, life, window.now)
        if running and end is not None and (item.active or item.default):
            renewals = list(_renewals(expires_at, life, end, window))
            # Keys outlive the sign-in that they came from.
            stretches += [Stretch(expires_at, renewals[-1] + life, certain=False)] if renewals else []
            renewed += renewals
    return Bar(BarKind.KEYS, item.name, tuple(stretches), tuple(renewed))


def _then_held(
    earlier: Iterable[Stretch], expires_at: datetime, life: timedelta, now: datetime
) -> list[Stretch]:
    """Return what was held before and what is held now; a minute of overlap is the same thing twice."""
    start = min(expires_at - life, now)
    before = [
        Stretch(each.start, min(each.end, start), each.certain)
        for each in earlier
        if each.start < start - _MINUTE
    ]
    return [*before, Stretch(start, expires_at)]


def _life(seconds: int | None) -> timedelta:
    return _USUAL_LIFE if not seconds else timedelta(seconds=seconds)


def _renewals(
    expires_at: datetime, life: timedelta, end: datetime, window: Timeline, *, cut: bool = False
) -> Iterator[datetime]:
    """Yield when it will be renewed silently, as long as the sign-in lasts.

    What is *cut* at the end of the sign-in is not renewed any more once it reaches that end.
    """
    ahead = windows_for(life).advisory
    for _ in range(_MOST_RENEWALS):
        at = max(expires_at - ahead, window.now)
        if at >= min(end, window.end) or (cut and expires_at >= end):
            return
        yield at
        expires_at = at + life


def _once_held(came: Iterable[Entry], own: Iterable[Entry]) -> list[Stretch]:
    """Return the stretches of what came and went, each cut where the next came or somebody signed out."""
    ends = [entry.at for entry in own if entry.kind in _ENDS]
    found = [Stretch(entry.at, entry.until) for entry in came if entry.until is not None]
    cut = [Stretch(one.start, min(one.end, other.start)) for one, other in pairwise(found)] + found[-1:]
    return [
        Stretch(each.start, min((end for end in ends if each.start < end < each.end), default=each.end))
        for each in cut
    ]


def _pasted(items: Iterable[PastedStatus], window: Timeline) -> Lane:
    bars, marks = [], []
    for item in items:
        if item.expires_at > window.now:
            bars.append(Bar(BarKind.KEYS, item.section, (Stretch(window.now, item.expires_at),)))
            marks.append(Mark(item.expires_at, MarkKind.PASTE, item.section))
    marks.sort(key=lambda mark: mark.at)
    shown = tuple(mark for mark in marks if window.shows(mark.at))
    return Lane(PASTED, tuple(_clipped(bar, window) for bar in bars), shown)


# --- marks and gaps ----------------------------------------------------------------------------------

_PAST_MARKS = {
    Kind.KEYS_REFUSED: MarkKind.REFUSED,
    Kind.RENEWAL_REFUSED: MarkKind.REFUSED,
    Kind.KEYS_FAILED: MarkKind.FAILED,
    Kind.RENEWAL_FAILED: MarkKind.FAILED,
    Kind.SIGN_IN_FAILED: MarkKind.FAILED,
    Kind.NOTICED: MarkKind.NOTICE,
}


def _past_marks(own: Iterable[Entry]) -> Iterator[Mark]:
    for entry in own:
        kind = _PAST_MARKS.get(entry.kind)
        if kind is not None:
            yield Mark(entry.at, kind, entry.profile or entry.session or "", text=entry.text or "")


def _coming(session: SessionStatus, now: datetime) -> Iterator[Mark]:
    """Yield where a person has to act."""
    if session.state is CredentialStatus.SIGNING_IN:
        yield Mark(now, MarkKind.FINISH_SIGN_IN, session.name)
        return
    end = _sign_in_end(session, now)
    if end is None:
        yield Mark(now, MarkKind.SIGN_IN, session.name)
    else:
        yield Mark(max(end, now), MarkKind.SIGN_IN, session.name, about=bool(session.end_is_estimate))


_BEGINS = {
    Kind.SLEPT: GapKind.ASLEEP,
    Kind.OFFLINE: GapKind.OFFLINE,
    Kind.AGENT_STOPPED: GapKind.NO_AGENT,
}
_OVER = {Kind.WOKE: GapKind.ASLEEP, Kind.ONLINE: GapKind.OFFLINE, Kind.AGENT_STARTED: GapKind.NO_AGENT}


def _gaps(past: Iterable[Entry], window: Timeline) -> tuple[Gap, ...]:
    """Return them in the order in which they ended; what many sessions met at the same time is one."""
    found: list[Gap] = []
    for gap in sorted(_each_gap(past, window), key=lambda gap: (gap.kind, gap.start)):
        before = found[-1] if found else None
        if before is not None and before.kind is gap.kind and gap.start <= before.end:
            found[-1] = Gap(before.start, max(before.end, gap.end), gap.kind)
        else:
            found.append(gap)
    return tuple(sorted(found, key=lambda gap: gap.end))


def _each_gap(past: Iterable[Entry], window: Timeline) -> Iterator[Gap]:
    """Yield those of each session; one that has not ended is open to now."""
    since: dict[tuple[GapKind, str | None], datetime] = {}
    for entry in past:
        begins, over = _BEGINS.get(entry.kind), _OVER.get(entry.kind)
        if begins is not None:
            since.setdefault((begins, entry.session), entry.at)
        if over is not None and (over, entry.session) in since:
            yield from _gap(since.pop((over, entry.session)), entry.at, over, window)
        if over is GapKind.NO_AGENT:  # what was true of the agent before is not of this one
            since.clear()
    for (kind, _), start in since.items():
        yield from _gap(start, window.now, kind, window)


def _gap(start: datetime, end: datetime, kind: GapKind, window: Timeline) -> Iterator[Gap]:
    if end > window.start and start < end:
        yield Gap(max(start, window.start), end, kind)


# --- the axis, and everything in words ---------------------------------------------------------------


def full_hours(line: Timeline, zone: tzinfo | None, every: int = 1) -> tuple[datetime, ...]:
    """Return the instants at which the reader's clock shows a full hour that *every* divides."""
    first = line.start.replace(minute=0, second=0, microsecond=0)
    steps = range(int((line.end - first) / _QUARTER) + 1)  # some zones are quarters of an hour apart
    instants = (first + step * _QUARTER for step in steps)
    return tuple(
        at
        for at in instants
        if line.shows(at) and at.astimezone(zone).minute == 0 and at.astimezone(zone).hour % every == 0
    )


_MARK_WORDS = {
    MarkKind.SIGN_IN: "you sign in",
    MarkKind.FINISH_SIGN_IN: "finish the sign-in in the browser",
    MarkKind.PASTE: "you paste new keys",
    MarkKind.REFUSED: "refused",
    MarkKind.FAILED: "failed",
    MarkKind.NOTICE: "you were told",
}


def mark_words(mark: Mark, now: datetime, zone: tzinfo | None) -> str:
    """Tell what happens there: ``about 17:40: you sign in``, ``now: you sign in``."""
    when, words = _when(mark, now, zone), _MARK_WORDS[mark.kind]
    if mark.kind.needs_a_person:
        return f"{when}: {words}"
    if mark.kind is MarkKind.NOTICE:
        return f"{when}: {words}: {mark.text}"
    return f"{when}: {mark.name}: {mark.text.removesuffix(f': {mark.name}') or words}"


def mark_label(mark: Mark, now: datetime, zone: tzinfo | None, *, brief: bool = False) -> str:
    """Tell the same in the few words that a picture has room for; *brief* without a name."""
    if mark.kind.needs_a_person:
        return mark_words(mark, now, zone)
    words = _MARK_WORDS[mark.kind]
    return f"{_when(mark, now, zone)}: {words if brief else f'{plain(mark.name, 32)} {words}'}"


def _when(mark: Mark, now: datetime, zone: tzinfo | None) -> str:
    if mark.at == now:
        return "now"
    return f"{'about ' if mark.about else ''}{clock_time(mark.at, now, zone)}"


BAR_WORDS = {BarKind.SIGN_IN: "sign-in", BarKind.ACCESS_TOKEN: "access token", BarKind.KEYS: "keys"}
GAP_WORDS = {
    GapKind.ASLEEP: "asleep",
    GapKind.OFFLINE: "offline",
    GapKind.NO_AGENT: "the agent was not running",
}


def bar_words(bar: Bar, now: datetime, zone: tzinfo | None) -> str:
    """Tell what a bar shows from now on, for whoever cannot see it: ``until 17:40``, and what comes then."""
    present = [each for each in bar.stretches if each.end > now]
    if not present:
        return "none"
    certain = [each.end for each in present if each.certain]
    last = present[-1]
    renewals = [at for at in bar.renewals if at > now]
    if bar.kind is BarKind.SIGN_IN:
        about = "" if last.certain else "about "
        return f"until {about}{clock_time(last.end, now, zone)}"
    until = clock_time(certain[-1] if certain else last.end, now, zone)
    if not renewals:
        return f"until {until}, not renewed"
    return f"until {until}, renewed silently at {clock_time(renewals[0], now, zone)}"
