"""`credtray status --json`: the documented, versioned contract (docs/reference/status.md). Pure.

Profile and session states are fresh, advisory, mandatory, expired, signed_out, signing_in, offline, refused.
An inactive profile whose keys nobody asked for has the state of its session and no ``expires_at``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from credtray.core.durations import short
from credtray.core.errors import ClockOff, Offline, Problem, Retry, SignInDenied
from credtray.core.expiry import RefreshWindows, freshness, windows_for
from credtray.core.face.overview import length
from credtray.core.imports import ImportedKeys, kept_imports
from credtray.core.models import ConfigWarning, CredentialStatus
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
from credtray.core.standing import alive, clock_off, keys_until, renews, role_refused, sign_in_of, unrenewed
from credtray.core.state import Alive, ProfileState, SessionState, State, region_of
from credtray.core.view import pending_of
from credtray.core.wishes import sections_of

_USUAL_LIFE = timedelta(hours=1)
"""Of role credentials, where only their end is known."""
_REFUSED_SESSION = {SignInDenied.code, "start_url_refused", "region_refused"}


def document(state: State, agent: AgentStatus, now: datetime) -> StatusDocument:
    """Return the status document."""
    return StatusDocument(
        now=whole_seconds(now),
        agent=agent,
        sessions=tuple(_session(state, item, now) for item in state.sessions.values()),
        profiles=tuple(profile_status(state, item, now) for item in state.profiles.values()),
        imports=tuple(_pasted(state, item, now) for item in kept_imports(state.imports)),
        foreign=tuple(ForeignStatus(item.name, item.reason) for item in state.config.foreign),
        warnings=tuple(_warning(item) for item in state.config.warnings),
        problems=tuple(entry for item in _problems(state) if (entry := ErrorEntry.of(item)) is not None),
        credentials_file=file_error(state),
        desktop=_desktop(state),
        endpoint=EndpointStatus(state.endpoint.port, ErrorEntry.of(state.endpoint.problem)),
        notices_paused_until=told(paused_until(state, now)),
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


def iso(instant: datetime) -> str:
    """Write an instant as ISO 8601 in UTC with seconds: ``2026-11-22T19:36:43Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def session_state(state: State, session: SessionState, now: datetime) -> CredentialStatus:
    """Return the word for one session."""
    if session.pending is not None:
        return CredentialStatus.SIGNING_IN
    standing = alive(session, now)
    if standing is Alive.SIGNED_OUT:
        refused = session.problem is not None and session.problem.code in _REFUSED_SESSION
        return CredentialStatus.REFUSED if refused else CredentialStatus.SIGNED_OUT
    if standing is Alive.ENDED:
        return CredentialStatus.EXPIRED
    if session.trouble is not None and session.trouble.problem.code == Offline.code:
        return CredentialStatus.OFFLINE
    return _sign_in_freshness(state, session, now)


def _sign_in_freshness(state: State, session: SessionState, now: datetime) -> CredentialStatus:
    if unrenewed(session, now):
        return CredentialStatus.MANDATORY
    sign_in = sign_in_of(session, now)
    if sign_in is None:
        return CredentialStatus.FRESH
    warnings = state.settings.warnings(session.name)
    windows = RefreshWindows(max(warnings, default=timedelta()), min(warnings, default=timedelta()))
    found = freshness(sign_in.ends_at, now, windows)
    # An estimate that has passed while tokens still renew is no end.
    return CredentialStatus.MANDATORY if found is CredentialStatus.EXPIRED else found


def profile_state(state: State, profile: ProfileState, now: datetime) -> CredentialStatus:
    """Return the word for one profile."""
    session = state.sessions.get(profile.profile.session)
    if session is None:
        return CredentialStatus.SIGNED_OUT
    if role_refused(profile):
        return CredentialStatus.REFUSED
    if _section_problem(state, profile.name) is not None:
        return CredentialStatus.REFUSED
    until = keys_until(state, profile)
    if until is None:
        return _state_without_keys(state, session, profile, now)
    life = profile.credentials.life if profile.credentials is not None else _USUAL_LIFE
    return freshness(until, now, windows_for(life))


def _state_without_keys(
    state: State, session: SessionState, profile: ProfileState, now: datetime
) -> CredentialStatus:
    """Return the session's word, but never a good one for a profile whose keys cannot be had."""
    found = session_state(state, session, now)
    if profile.trouble is None or found not in {CredentialStatus.FRESH, CredentialStatus.ADVISORY}:
        return found
    return (
        CredentialStatus.REFUSED
        if profile.trouble.problem.retry is Retry.PERSON
        else CredentialStatus.MANDATORY
    )


def _session(state: State, session: SessionState, now: datetime) -> SessionStatus:
    sign_in = sign_in_of(session, now) if session.token is not None or session.ended else None
    renewal = session.refusal.problem if session.refusal else None
    trouble = session.trouble.problem if session.trouble else None
    return SessionStatus(
        name=session.name,
        start_url=session.session.start_url,
        state=session_state(state, session, now),
        signed_in_until=whole_seconds(sign_in.ends_at) if sign_in else None,
        end_is_estimate=not sign_in.proof.proven if sign_in else None,
        end_known_by=sign_in.proof if sign_in else None,
        sign_in_seconds=round(length(state, session).total_seconds()),
        sign_in_length_is_learned=session.memory.length is not None,
        access_token_expires_at=whole_seconds(session.token.expires_at) if session.token else None,
        token_renews=renews(session, now) if session.token else None,
        renewal_refused=ErrorEntry.of(renewal),
        error=ErrorEntry.of(trouble or renewal or session.problem),
        sign_in_url=session.pending.url if session.pending else None,
        user_code=session.pending.user_code if session.pending else None,
        pending=_pending(state, session, now),
        legacy=session.session.legacy,
    )


def _pending(state: State, session: SessionState, now: datetime) -> PendingStatus | None:
    """Return what is still valid while a sign-in waits for a person; None when none is under way."""
    pending = pending_of(state, session, now)
    if session.pending is None or pending is None:
        return None
    return PendingStatus(
        since=whole_seconds(session.pending.started_at),
        present_until=told(pending.present_until),
        present_is_estimate=pending.about if pending.present_until else None,
        earlier_ended_at=told(pending.earlier_ended_at),
        keys_until=told(pending.keys_until),
    )


def profile_status(state: State, profile: ProfileState, now: datetime) -> ProfileStatus:
    """Return one profile of the status document."""
    name, chosen = profile.name, state.settings.profile(profile.name)
    problem = profile.trouble.problem if profile.trouble else _section_problem(state, name)
    return ProfileStatus(
        name=name,
        session=profile.profile.session,
        account_id=profile.profile.account_id,
        account_name=state.accounts.get(profile.profile.account_id),
        role_name=profile.profile.role_name,
        active=name in state.active,
        default=name == state.default,
        state=profile_state(state, profile, now),
        expires_at=told(keys_until(state, profile)),
        error=ErrorEntry.of(problem),
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
    life = _USUAL_LIFE if item.imported_at is None else item.expires_at - item.imported_at
    return PastedStatus(
        section=item.section,
        account_id=item.account_id,
        account_name=state.accounts.get(item.account_id or ""),
        role_name=item.role_name,
        state=freshness(item.expires_at, now, windows_for(life)),
        expires_at=whole_seconds(item.expires_at),
        error=ErrorEntry.of(state.file.refused.get(item.section)),
    )


def _section_problem(state: State, name: str) -> Problem | None:
    owned = (section for section, owner in sections_of(state).items() if owner == name)
    return next((state.file.refused[each] for each in owned if each in state.file.refused), None)
