"""`credtray status --json`: the documented, versioned contract (docs/reference/status.md). Pure.

Profile and session states are fresh, advisory, mandatory, expired, signed_out, signing_in, offline, refused.
An inactive profile whose keys nobody asked for has the state of its session and no ``expires_at``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from credtray.core.durations import short
from credtray.core.errors import ClockOff, Problem
from credtray.core.expiry import freshness, windows_for
from credtray.core.imports import ImportedKeys, kept_imports
from credtray.core.models import ConfigWarning
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
from credtray.core.standing import clock_off, renews
from credtray.core.state import PendingSignIn, ProfileState, State, region_of
from credtray.core.summary import USUAL_LIFE, PendingSummary, SessionSummary, Summary, length, summary


def document(state: State, agent: AgentStatus, now: datetime) -> StatusDocument:
    """Return the status document."""
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


def _session(seen: Summary, item: SessionSummary) -> SessionStatus:
    session, sign_in = item.state, item.sign_in
    token, known = session.token, session.token is not None or session.ended
    renewal = session.refusal.problem if session.refusal else None
    trouble = session.trouble.problem if session.trouble else None
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
        token_renews=renews(session, seen.now) if token else None,
        renewal_refused=ErrorEntry.of(renewal),
        error=ErrorEntry.of(trouble or renewal or session.problem),
        sign_in_url=session.pending.url if session.pending else None,
        user_code=session.pending.user_code if session.pending else None,
        pending=_pending(session.pending, item.pending),
        legacy=session.session.legacy,
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
    problem = profile.trouble.problem if profile.trouble else seen.section_problems.get(name)
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
