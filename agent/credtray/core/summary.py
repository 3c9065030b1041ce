"""How everything stands at one moment, worked out once, for `status`, icon, menu and notices. Pure.

The three words for a sign-in: ``SignInStatus`` (is somebody signed in), ``CredentialStatus`` (the word of
``status``, also for profiles and pasted keys) and ``Shape`` (the picture). Decides nothing; see ``policy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from credtray.core.desired_sections import sections_of
from credtray.core.errors import ClockOff, Offline, Problem, Retry, SignInDenied, TokenUnreadable
from credtray.core.expiry import RefreshWindows, freshness, windows_for
from credtray.core.icon_state import MOST_URGENT_FIRST, Shape
from credtray.core.identity import is_other, other_person
from credtray.core.models import ConfigWarning, CredentialStatus, EndProof
from credtray.core.pasted_keys import ImportedKeys, kept_imports
from credtray.core.ports import DesktopPart, Part
from credtray.core.protocol.results import (
    AgentStatus,
    DesktopStatus,
    EndpointStatus,
    ErrorEntry,
    ForeignStatus,
    PartStatus,
    PastedStatus,
    PendingStatus,
    PresenceStatus,
    ProfileStatus,
    SessionStatus,
    StatusDocument,
    WarningStatus,
    told,
    whole_seconds,
)
from credtray.core.session_status import (
    UNASSIGNED,
    clock_off,
    is_gone,
    offline,
    renews,
    role_refused,
    session_keys_until,
    sign_in_of,
    sign_in_status,
    unrenewed,
)
from credtray.core.state import (
    PendingSignIn,
    ProfileState,
    SessionState,
    SignInStatus,
    State,
    Trouble,
    region_of,
)
from credtray.core.words import short

PATIENCE = timedelta(minutes=5)
"""Troubles that pass within this time are nobody's business but the log's."""
USUAL_LIFE = timedelta(hours=1)
"""Of role credentials, where only their end is known."""
_REFUSED_SESSION = {SignInDenied.code, "start_url_refused", "region_refused"}
_GOOD = {CredentialStatus.FRESH, CredentialStatus.ADVISORY}


@dataclass(frozen=True, slots=True)
class SignInSummary:
    """How a sign-in stands."""

    status: SignInStatus
    ends_at: datetime | None = None
    about: bool = False
    """True: the end is an estimate."""
    known_by: EndProof | None = None
    ends_soon: bool = False
    """It is within the earliest warning; an estimate that has passed is, too."""
    offline: bool = False
    """The portal cannot be reached, as far as the last try knows."""


@dataclass(frozen=True, slots=True)
class PendingSummary:
    """A sign-in that waits for a person, or has failed, and what is still valid."""

    code: str | None = None
    """To be entered on a device; None: it waits for the browser."""
    present_until: datetime | None = None
    """Until when the present sign-in lasts, which is untouched; None: there is none any more."""
    about: bool = False
    """True: that is an estimate."""
    earlier_ended_at: datetime | None = None
    """When the sign-in before was ended for it."""
    keys_until: datetime | None = None
    """When the first of the role credentials in use end."""
    shown: bool = True
    """False: AWS has not answered yet, so there is no address for a person to go to."""


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One sso-session."""

    state: SessionState
    sign_in: SignInSummary
    status: CredentialStatus
    shape: Shape
    """As if there were no other session."""
    pending: PendingSummary | None

    @property
    def name(self) -> str:
        """Of the sso-session."""
        return self.state.name


@dataclass(frozen=True, slots=True)
class Summary:
    """One moment of the whole state."""

    state: State
    now: datetime
    zone: tzinfo | None
    """The reader's; None that of this computer."""
    sessions: Mapping[str, SessionSummary]
    kept: frozenset[str]
    """Profiles whose keys are fetched ahead."""
    no_access: frozenset[str]
    """Of these, the ones whose role was refused."""
    left_alone: Mapping[str, str]
    """Profile -> section of the credentials file, where keys were wanted and what is there is not ours."""
    section_problems: Mapping[str, Problem]
    """Profile -> why a section of it is not written."""
    keys_until: Mapping[str, datetime]
    """When the keys of a profile end, by profile; profiles without keys are missing."""
    mattering: tuple[str, ...]
    """Sessions somebody uses: with kept profiles or with a sign-in. All of them when there is none such."""

    def by_urgency(self) -> list[SessionSummary]:
        """Return the sessions that matter, the most urgent first."""
        return sorted((self.sessions[name] for name in self.mattering), key=self._urgency)

    def _urgency(self, session: SessionSummary) -> tuple[int, timedelta]:
        ends_at = session.sign_in.ends_at
        left = timedelta.max if ends_at is None else ends_at - self.now
        return MOST_URGENT_FIRST.index(session.shape), left

    def problem_of(self, profile: ProfileState) -> Problem | None:
        """Return what is wrong with one profile alone."""
        tried = profile.trouble.problem if profile.trouble else self.section_problems.get(profile.name)
        return tried or (UNASSIGNED if is_gone(self.state, profile) else None)

    def status_of(self, profile: ProfileState) -> CredentialStatus:
        """Return the word for one profile."""
        session = self.sessions.get(profile.profile.session)
        if session is None:
            return CredentialStatus.SIGNED_OUT
        if role_refused(profile) or profile.name in self.section_problems or is_gone(self.state, profile):
            return CredentialStatus.REFUSED
        until = self.keys_until.get(profile.name)
        if until is not None:
            life = profile.credentials.life if profile.credentials is not None else USUAL_LIFE
            return freshness(until, self.now, windows_for(life))
        # The session's word, but never a good one for a profile whose keys cannot be had.
        if profile.trouble is None or session.status not in _GOOD:
            return session.status
        person = profile.trouble.problem.retry is Retry.PERSON
        return CredentialStatus.REFUSED if person else CredentialStatus.MANDATORY


def summary(state: State, now: datetime, zone: tzinfo | None = None) -> Summary:
    """Look over the whole state once; linear in the number of profiles."""
    kept = frozenset(state.kept)
    no_access = frozenset(
        name for name in kept if role_refused(state.profiles[name]) or is_gone(state, state.profiles[name])
    )
    distressed = {state.profiles[name].profile.session for name in no_access}
    sessions = {
        name: session_summary(state, session, now, refused=name in distressed)
        for name, session in state.sessions.items()
    }
    used = {state.profiles[name].profile.session for name in kept}
    mattering = (
        name for name, item in sessions.items() if name in used or item.shape is not Shape.SIGNED_OUT
    )
    refused = state.file.refused
    owners = sections_of(state) if refused else {}
    return Summary(
        state,
        now,
        zone,
        sessions,
        kept,
        no_access,
        {owners[section]: section for section in refused if section in owners},
        {owner: refused[section] for section, owner in reversed(owners.items()) if section in refused},
        _keys_until(state),
        tuple(mattering) or tuple(sessions),
    )


def session_summary(
    state: State, session: SessionState, now: datetime, *, refused: bool = False
) -> SessionSummary:
    """Return how one session stands; *refused*: a role was that somebody uses."""
    found = sign_in_summary(state, session, now)
    return SessionSummary(
        session,
        found,
        _status(state, session, found, now),
        _shape(session, found, now, refused=refused),
        pending_of(state, session, now),
    )


def sign_in_summary(state: State, session: SessionState, now: datetime) -> SignInSummary:
    """Return how the sign-in of one session stands."""
    sign_in, warning = sign_in_of(session, now), state.settings.longest_warning(session.name)
    return SignInSummary(
        sign_in_status(session, now),
        sign_in.ends_at if sign_in is not None else None,
        about=sign_in is not None and not sign_in.proof.proven,
        known_by=sign_in.proof if sign_in is not None else None,
        ends_soon=sign_in is not None and bool(warning) and sign_in.ends_at - now <= warning,
        offline=offline(session, now),
    )


def _status(state: State, session: SessionState, sign_in: SignInSummary, now: datetime) -> CredentialStatus:
    if session.pending is not None:
        return CredentialStatus.SIGNING_IN
    if sign_in.status is SignInStatus.SIGNED_OUT:
        refused = session.problem is not None and session.problem.code in _REFUSED_SESSION
        return CredentialStatus.REFUSED if refused else CredentialStatus.SIGNED_OUT
    if sign_in.status is SignInStatus.ENDED:
        return CredentialStatus.EXPIRED
    if is_other(session):
        return CredentialStatus.REFUSED
    if session.trouble is not None and session.trouble.problem.code == Offline.code:
        return CredentialStatus.OFFLINE
    return CredentialStatus.MANDATORY if unrenewed(session, now) else _nearness(state, session, sign_in, now)


def _nearness(state: State, session: SessionState, sign_in: SignInSummary, now: datetime) -> CredentialStatus:
    """Tell how near the end of the sign-in is, by the warnings of the settings."""
    if sign_in.ends_at is None:
        return CredentialStatus.FRESH
    warnings = state.settings.warnings(session.name)
    windows = RefreshWindows(max(warnings, default=timedelta()), min(warnings, default=timedelta()))
    found = freshness(sign_in.ends_at, now, windows)
    # An estimate that has passed while tokens still renew is no end.
    return CredentialStatus.MANDATORY if found is CredentialStatus.EXPIRED else found


def _shape(session: SessionState, sign_in: SignInSummary, now: datetime, *, refused: bool) -> Shape:
    unreadable = session.problem is not None and session.problem.code == TokenUnreadable.code
    if session.pending is not None:
        return Shape.SIGNING_IN
    if sign_in.status is SignInStatus.ENDED:
        return Shape.ENDED
    if sign_in.status is SignInStatus.SIGNED_OUT and not unreadable:
        return Shape.SIGNED_OUT
    other = is_other(session)
    if sign_in.offline and not other:
        return Shape.OFFLINE
    if sign_in.ends_soon and not other:
        return Shape.SOON
    return Shape.TROUBLE if other or refused or unreadable or _stuck(session, now) else Shape.FRESH


def _stuck(session: SessionState, now: datetime) -> bool:
    trouble = session.trouble
    if session.refusal is not None:
        return True
    if trouble is not None and unrenewed(session, now):
        return True
    if trouble is None or trouble.problem.code == Offline.code:
        return False
    return lasting(trouble, now) or trouble.problem.code == ClockOff.code


def lasting(trouble: Trouble | None, now: datetime) -> bool:
    """Tell whether a trouble is worth a person's attention: not one that may have passed in a minute."""
    if trouble is None:
        return False
    return trouble.problem.retry is Retry.PERSON or now - trouble.lasting_since >= PATIENCE


def length(state: State, session: SessionState) -> timedelta:
    """Return how long a sign-in of this session lasts, as far as was learned or set."""
    learned = session.memory.length
    return learned if learned is not None else state.settings.sign_in_length(session.name)


def pending_of(state: State, session: SessionState, now: datetime) -> PendingSummary | None:
    """Return what there is to tell of the sign-in under way; None when there is none."""
    pending = session.pending
    if pending is None:
        return None
    left = _meanwhile(state, session, now, pending.ended_at, pending.user_code)
    return replace(left, shown=pending.url is not None)


def left_of(state: State, session: SessionState, now: datetime) -> PendingSummary:
    """Return what is still valid after the last sign-in has failed."""
    return _meanwhile(state, session, now, session.failed.ended_at if session.failed is not None else None)


def _meanwhile(
    state: State, session: SessionState, now: datetime, ended_at: datetime | None, code: str | None = None
) -> PendingSummary:
    sign_in = sign_in_of(session, now) if sign_in_status(session, now) is SignInStatus.SIGNED_IN else None
    return PendingSummary(
        code,
        sign_in.ends_at if sign_in is not None else None,
        about=sign_in is not None and not sign_in.proof.proven,
        earlier_ended_at=ended_at,
        keys_until=session_keys_until(state, session, now),
    )


def _keys_until(state: State) -> dict[str, datetime]:
    """Return when keys end: those held, and after a start those found in the credentials file."""
    found: dict[str, datetime] = {}
    for mark in state.file.marks.values():
        found[mark.profile] = max(mark.expires_at, found.get(mark.profile, mark.expires_at))
    for name, item in state.profiles.items():
        if item.credentials is not None:
            found[name] = item.credentials.expires_at
    return found


# --- the status document (docs/reference/status.md) ----------------------------------------------------


def status_document(state: State, agent: AgentStatus, now: datetime) -> StatusDocument:
    """Return the document of ``status --json``.

    A profile that nobody asked for has the state of its session and no ``expires_at``.
    """
    seen = summary(state, now)
    return StatusDocument(
        now=whole_seconds(now),
        agent=agent,
        sessions=tuple(_session(seen, item) for item in seen.sessions.values()),
        profiles=tuple(profile_status(seen, item) for item in state.profiles.values()),
        imports=tuple(_pasted(state, item, now) for item in kept_imports(state.imports)),
        foreign=tuple(ForeignStatus(item.name, item.reason) for item in state.config.foreign),
        warnings=tuple(_warning(item) for item in state.config.warnings),
        problems=tuple(entry for item in _problems(state) if (entry := ErrorEntry.of(item)) is not None),
        credentials_file=file_error(state),
        desktop=_desktop(state),
        endpoint=EndpointStatus(state.endpoint.port, ErrorEntry.of(state.endpoint.problem)),
        notices_paused_until=told(paused_until(state, now)),
        coding_agents=state.questions,
    )


def file_error(state: State) -> ErrorEntry | None:
    """Return why the credentials file cannot be written just now."""
    return ErrorEntry.of(state.file.trouble.problem) if state.file.trouble else None


def _warning(item: ConfigWarning) -> WarningStatus:
    file = "credentials" if item.in_credentials else "config"
    return WarningStatus(profile=item.profile, file=file, line=item.line, text=item.text, hint=item.hint)


def _desktop(state: State) -> DesktopStatus:
    presence, served = state.presence, state.desktop.get(Part.PRESENCE)
    return DesktopStatus(
        _part(state.desktop.get(Part.TRAY)),
        _part(state.desktop.get(Part.NOTIFICATIONS)),
        PresenceStatus(
            served.back_end if served else None,
            served.reason if served else None,
            locked=presence.locked,
            idle=presence.idle,
            asleep=presence.asleep,
            busy=presence.busy,
        ),
    )


def _part(part: DesktopPart | None) -> PartStatus:
    return PartStatus() if part is None else PartStatus(part.back_end, part.reason)


def paused_until(state: State, now: datetime) -> datetime | None:
    """Return until when notices are paused; None when they are not."""
    return state.paused_until if state.paused_until is not None and state.paused_until > now else None


def _problems(state: State) -> tuple[Problem | None, ...]:
    clock = None
    if clock_off(state):
        clock = ClockOff(f"it differs from AWS's by {short(abs(state.clock_error))}").problem
    return state.config_problem, state.settings_problem, state.unsaved, clock


def _session(seen: Summary, item: SessionSummary) -> SessionStatus:
    session, sign_in = item.state, item.sign_in
    token, known = session.token, session.token is not None or session.ended
    renewal = session.refusal.problem if session.refusal else None
    trouble = session.trouble.problem if session.trouble else None
    other, there = is_other(session), sign_in.status is SignInStatus.SIGNED_IN
    if other and there:
        trouble = other_person(session)
    return SessionStatus(
        name=session.name,
        start_url=session.session.start_url,
        state=item.status,
        signed_in_until=told(sign_in.ends_at) if known else None,
        end_is_estimate=sign_in.about if known and sign_in.ends_at else None,
        end_known_by=sign_in.known_by if known else None,
        sign_in_seconds=round(length(seen.state, session).total_seconds()),
        sign_in_length_is_learned=session.memory.length is not None,
        access_token_expires_at=whole_seconds(token.expires_at) if token else None,
        access_token_seconds=round(session.token_life.total_seconds()) if token else None,
        token_renews=renews(session, seen.now) if token else None,
        renewal_refused=ErrorEntry.of(renewal),
        error=ErrorEntry.of(trouble or renewal or session.problem),
        sign_in_url=session.pending.url if session.pending else None,
        user_code=session.pending.user_code if session.pending else None,
        pending=_pending(session.pending, item.pending),
        legacy=session.session.legacy,
        person=session.identity.person if there else None,
        expected_person=session.identity.expected if other and there else None,
    )


def _pending(begun: PendingSignIn | None, pending: PendingSummary | None) -> PendingStatus | None:
    """Return what is still valid while a sign-in waits for a person; None when none is under way."""
    if begun is None or pending is None:
        return None
    return PendingStatus(
        since=whole_seconds(begun.started_at),
        present_until=told(pending.present_until),
        present_is_estimate=pending.about if pending.present_until else None,
        earlier_ended_at=told(pending.earlier_ended_at),
        keys_until=told(pending.keys_until),
    )


def profile_status(seen: Summary, profile: ProfileState) -> ProfileStatus:
    """Return one profile of the status document."""
    state, name, chosen = seen.state, profile.name, seen.state.settings.profile(profile.name)
    return ProfileStatus(
        name=name,
        session=profile.profile.session,
        account_id=profile.profile.account_id,
        account_name=state.accounts.get(profile.profile.account_id),
        role_name=profile.profile.role_name,
        active=name in state.active,
        default=name == state.default,
        state=seen.status_of(profile),
        expires_at=told(seen.keys_until.get(name)),
        keys_seconds=round(profile.credentials.life.total_seconds()) if profile.credentials else None,
        error=ErrorEntry.of(seen.problem_of(profile)),
        region=region_of(state, name),
        section=state.settings.section(name),
        delivery=chosen.delivery,
        assumes=tuple(step.role_arn for step in profile.profile.chain),
        description=chosen.description,
        notes=chosen.notes,
        tags=tuple(chosen.tags),
        favourite=chosen.favourite,
        production=chosen.production,
        recent=state.recent.index(name) if name in state.recent else None,
    )


def _pasted(state: State, item: ImportedKeys, now: datetime) -> PastedStatus:
    life = USUAL_LIFE if item.imported_at is None else item.expires_at - item.imported_at
    return PastedStatus(
        section=item.section,
        account_id=item.account_id,
        account_name=state.accounts.get(item.account_id or ""),
        role_name=item.role_name,
        state=freshness(item.expires_at, now, windows_for(life)),
        expires_at=whole_seconds(item.expires_at),
        error=ErrorEntry.of(state.file.refused.get(item.section)),
    )
