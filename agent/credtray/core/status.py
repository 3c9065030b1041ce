"""`credtray status --json`: the documented, versioned contract (docs/reference/status.md). Pure.

Profile and session states are fresh, advisory, mandatory, expired, signed_out, signing_in, offline, refused.
An inactive profile whose keys nobody asked for has the state of its session and no ``expires_at``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from credtray.core.durations import short
from credtray.core.errors import ClockOff, Offline, Problem, Retry, SignInDenied
from credtray.core.expiry import Freshness, RefreshWindows, freshness, windows_for
from credtray.core.face.overview import length
from credtray.core.imports import ImportedKeys, kept_imports
from credtray.core.ports import DesktopPart, Part
from credtray.core.standing import alive, clock_off, keys_until, renews, role_refused, sign_in_of, unrenewed
from credtray.core.state import Alive, ProfileState, SessionState, State, region_of
from credtray.core.view import pending_of
from credtray.core.wishes import sections_of

VERSION = 1
_USUAL_LIFE = timedelta(hours=1)
"""Of role credentials, where only their end is known."""
_REFUSED_SESSION = {SignInDenied.code, "start_url_refused", "region_refused"}


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """Who answers."""

    running: bool
    pid: int | None
    version: str | None


def document(state: State, agent: AgentFacts, now: datetime) -> dict[str, Any]:
    """Return the status document as plain JSON values; times are ISO 8601 in UTC."""
    return {
        "version": VERSION,
        "now": iso(now),
        "agent": {"running": agent.running, "pid": agent.pid, "version": agent.version},
        "sessions": [_session(state, item, now) for item in state.sessions.values()],
        "profiles": [_profile(state, item, now) for item in state.profiles.values()],
        "imports": [_import(state, item, now) for item in kept_imports(state.imports)],
        "foreign": [{"name": item.name, "reason": item.reason} for item in state.config.foreign],
        "warnings": [
            {
                "profile": item.profile,
                "file": "credentials" if item.in_credentials else "config",
                "line": item.line,
                "text": item.text,
                "hint": item.hint,
            }
            for item in state.config.warnings
        ],
        "problems": [_problem(item) for item in _problems(state) if item],
        "credentials_file": _problem(state.file.trouble.problem) if state.file.trouble else None,
        "desktop": _desktop(state),
        "endpoint": {"port": state.endpoint.port, "error": _problem(state.endpoint.problem)},
        "notices_paused_until": iso(_paused_until(state, now)),
    }


def _desktop(state: State) -> dict[str, Any]:
    presence = state.presence
    return {
        "tray": _part(state.desktop.get(Part.TRAY)),
        "notifications": _part(state.desktop.get(Part.NOTIFICATIONS)),
        "presence": {
            **_part(state.desktop.get(Part.PRESENCE)),
            "locked": presence.locked,
            "idle": presence.idle,
            "asleep": presence.asleep,
        },
    }


def _part(part: DesktopPart | None) -> dict[str, str | None]:
    if part is None:
        return {"back_end": None, "reason": None}
    return {"back_end": part.back_end, "reason": part.reason}


def _paused_until(state: State, now: datetime) -> datetime | None:
    return state.paused_until if state.paused_until is not None and state.paused_until > now else None


def _problems(state: State) -> tuple[Problem | None, ...]:
    clock = None
    if clock_off(state):
        clock = ClockOff(f"it differs from AWS's by {short(abs(state.clock_error))}").problem
    return state.config_problem, state.settings_problem, state.unsaved, clock


def iso(instant: datetime | None) -> str | None:
    """Write an instant as ISO 8601 in UTC with seconds: ``2026-11-22T19:36:43Z``."""
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def session_state(state: State, session: SessionState, now: datetime) -> str:
    """Return the word for one session."""
    if session.pending is not None:
        return "signing_in"
    standing = alive(session, now)
    if standing is Alive.SIGNED_OUT:
        refused = session.problem is not None and session.problem.code in _REFUSED_SESSION
        return "refused" if refused else "signed_out"
    if standing is Alive.ENDED:
        return Freshness.EXPIRED.value
    if session.trouble is not None and session.trouble.problem.code == Offline.code:
        return "offline"
    return _sign_in_freshness(state, session, now).value


def _sign_in_freshness(state: State, session: SessionState, now: datetime) -> Freshness:
    if unrenewed(session, now):
        return Freshness.MANDATORY
    sign_in = sign_in_of(session, now)
    if sign_in is None:
        return Freshness.FRESH
    warnings = state.settings.warnings(session.name)
    windows = RefreshWindows(max(warnings, default=timedelta()), min(warnings, default=timedelta()))
    found = freshness(sign_in.ends_at, now, windows)
    # An estimate that has passed while tokens still renew is no end.
    return Freshness.MANDATORY if found is Freshness.EXPIRED else found


def profile_state(state: State, profile: ProfileState, now: datetime) -> str:
    """Return the word for one profile."""
    session = state.sessions.get(profile.profile.session)
    if session is None:
        return "signed_out"
    if role_refused(profile):
        return "refused"
    if _section_problem(state, profile.name) is not None:
        return "refused"
    until = keys_until(state, profile)
    if until is None:
        return _state_without_keys(state, session, profile, now)
    life = profile.credentials.life if profile.credentials is not None else _USUAL_LIFE
    return freshness(until, now, windows_for(life)).value


def _state_without_keys(state: State, session: SessionState, profile: ProfileState, now: datetime) -> str:
    """Return the session's word, but never a good one for a profile whose keys cannot be had."""
    found = session_state(state, session, now)
    if profile.trouble is None or found not in {Freshness.FRESH.value, Freshness.ADVISORY.value}:
        return found
    return "refused" if profile.trouble.problem.retry is Retry.PERSON else Freshness.MANDATORY.value


def _session(state: State, session: SessionState, now: datetime) -> dict[str, Any]:
    sign_in = sign_in_of(session, now) if session.token is not None or session.ended else None
    renewal = session.refusal.problem if session.refusal else None
    trouble = session.trouble.problem if session.trouble else None
    return {
        "name": session.name,
        "start_url": session.session.start_url,
        "state": session_state(state, session, now),
        "signed_in_until": iso(sign_in.ends_at) if sign_in else None,
        "end_is_estimate": not sign_in.proof.proven if sign_in else None,
        "end_known_by": sign_in.proof.value if sign_in else None,
        "sign_in_seconds": round(length(state, session).total_seconds()),
        "sign_in_length_is_learned": session.memory.length is not None,
        "access_token_expires_at": iso(session.token.expires_at) if session.token else None,
        "token_renews": renews(session, now) if session.token else None,
        "renewal_refused": _problem(renewal),
        "error": _problem(trouble or renewal or session.problem),
        "sign_in_url": session.pending.url if session.pending else None,
        "user_code": session.pending.user_code if session.pending else None,
        "pending": _pending(state, session, now),
        "legacy": session.session.legacy,
    }


def _pending(state: State, session: SessionState, now: datetime) -> dict[str, Any] | None:
    """Return what is still valid while a sign-in waits for a person; None when none is under way."""
    pending = pending_of(state, session, now)
    if session.pending is None or pending is None:
        return None
    return {
        "since": iso(session.pending.started_at),
        "present_until": iso(pending.present_until),
        "present_is_estimate": pending.about if pending.present_until else None,
        "earlier_ended_at": iso(pending.earlier_ended_at),
        "keys_until": iso(pending.keys_until),
    }


def _profile(state: State, profile: ProfileState, now: datetime) -> dict[str, Any]:
    name = profile.name
    chosen = state.settings.profile(name)
    problem = profile.trouble.problem if profile.trouble else _section_problem(state, name)
    return {
        "name": name,
        "session": profile.profile.session,
        "account_id": profile.profile.account_id,
        "account_name": state.accounts.get(profile.profile.account_id),
        "role_name": profile.profile.role_name,
        "active": name in state.active,
        "default": name == state.default,
        "state": profile_state(state, profile, now),
        "expires_at": iso(keys_until(state, profile)),
        "error": _problem(problem),
        "region": region_of(state, name),
        "section": state.settings.section(name),
        "delivery": chosen.delivery.value,
        "assumes": [step.role_arn for step in profile.profile.chain],
        "description": chosen.description,
        "notes": chosen.notes,
        "tags": list(chosen.tags),
        "favourite": chosen.favourite,
        "production": chosen.production,
        "recent": state.recent.index(name) if name in state.recent else None,
    }


def _import(state: State, item: ImportedKeys, now: datetime) -> dict[str, Any]:
    life = _USUAL_LIFE if item.imported_at is None else item.expires_at - item.imported_at
    return {
        "section": item.section,
        "account_id": item.account_id,
        "account_name": state.accounts.get(item.account_id or ""),
        "role_name": item.role_name,
        "state": freshness(item.expires_at, now, windows_for(life)).value,
        "expires_at": iso(item.expires_at),
        "error": _problem(state.file.refused.get(item.section)),
    }


def _section_problem(state: State, name: str) -> Problem | None:
    owned = (section for section, owner in sections_of(state).items() if owner == name)
    return next((state.file.refused[each] for each in owned if each in state.file.refused), None)


def _problem(problem: Problem | None) -> dict[str, str] | None:
    if problem is None:
        return None
    return {"code": problem.code, "text": problem.title, "hint": problem.hint}
