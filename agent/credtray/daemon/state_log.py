"""Tells the log what changed between two states. Decides nothing, and says nothing twice."""

from __future__ import annotations

import logging

from credtray.core.errors import Problem
from credtray.core.state import State, Trouble

_log = logging.getLogger(__name__)


def log_changes(before: State, after: State) -> None:
    """Log the troubles that came and went, and the sign-ins that ended."""
    _problem("config file", before.config_problem, after.config_problem)
    _problem("settings", before.settings_problem, after.settings_problem)
    _problem("credentials file", _of(before.file.trouble), _of(after.file.trouble))
    for name, session in after.sessions.items():
        old = before.sessions.get(name)
        _problem(f"session {name}", _of(old.trouble) if old else None, _of(session.trouble))
        _problem(f"session {name}, refresh", _of(old.refusal) if old else None, _of(session.refusal))
        if old is not None and session.ended and not old.ended:
            _log.info("session %s: the sign-in has ended", name)
        if old is not None and old.token is not None and session.token is None and not session.ended:
            _log.info("session %s: signed out", name)


def _of(trouble: Trouble | None) -> Problem | None:
    return None if trouble is None else trouble.problem


def _problem(what: str, before: Problem | None, after: Problem | None) -> None:
    if before == after:
        return
    if after is None:
        _log.info("%s: no problem any more", what)
    else:
        _log.warning("%s: %s", what, after.title)
