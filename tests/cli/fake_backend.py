"""A backend that answers from tables and remembers what it was asked, and made-up status documents."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from credtray.cli import backend as seam
from credtray.cli.main import main
from credtray.core.errors import AgentNotRunning
from credtray.core.protocol import Asks, ProcessCredentials, Progress, Request
from credtray.core.protocol.results import StatusDocument
from credtray.daemon.log import Console
from tests.as_json import iso

R = TypeVar("R")
NOW = datetime(2026, 11, 22, 13, 28, tzinfo=UTC)
_ENCODING = "utf-8"
"""Of standard output."""


@dataclass
class FakeBackend:
    """Stands where agent/credtray/app.py stands."""

    answers: dict[type, ProcessCredentials | dict[str, Any] | BaseException] = field(default_factory=dict)
    progress: tuple[Progress, ...] = ()
    documents: tuple[dict[str, Any], ...] = ()
    asked: list[Request] = field(default_factory=list)
    runs: bool = True

    def perform(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        self.asked.append(request)
        for step in self.progress:
            on_progress(step)
        answer = self.answers[type(request)]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, dict):
            return msgspec.convert(answer, request.result_type())
        assert isinstance(answer, request.result_type())
        return answer

    def perform_here(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        return self.perform(request, on_progress)

    def watch(self, on_document: Callable[[StatusDocument], None]) -> None:
        for document in self.documents:
            on_document(msgspec.convert(document, StatusDocument))
        raise AgentNotRunning("it ended while it was asked")

    def agent_runs(self) -> bool:
        return self.runs

    def run_agent(self, *, desktop: bool, console: Console, started: Callable[[], None]) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def credtray(*arguments: str, backend: FakeBackend | None = None) -> Outcome:
    """Run a command in this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), _ENCODING, newline="", write_through=True), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _instead(backend):
        code = main(list(arguments))
    out.seek(0)
    return Outcome(code, out.read(), err.getvalue())


@contextlib.contextmanager
def _instead(backend: FakeBackend | None) -> Iterator[None]:
    if backend is None:
        yield
        return
    real = seam.current
    seam.current = lambda: backend
    try:
        yield
    finally:
        seam.current = real


def session(name: str = "synderys", **parts: Any) -> dict[str, Any]:
    """Return a session of the status document: signed in, about 3 h 12 min left."""
    return {
        "name": name,
        "start_url": "https://aws.synderys.com",
        "state": "fresh",
        "signed_in_until": iso(NOW + timedelta(hours=3, minutes=12)),
        "end_is_estimate": True,
        "end_known_by": None,
        "sign_in_seconds": 4 * 3600,
        "sign_in_length_is_learned": False,
        "access_token_expires_at": iso(NOW + timedelta(minutes=47)),
        "access_token_seconds": 3600,
        "token_renews": None,
        "renewal_refused": None,
        "error": None,
        "sign_in_url": None,
        "user_code": None,
        "pending": None,
        "legacy": False,
        "person": None,
        "expected_person": None,
        **parts,
    }


def profile(name: str, **parts: Any) -> dict[str, Any]:
    """Return a profile of the status document: active, its keys valid for 47 minutes."""
    return {
        "name": name,
        "session": "synderys",
        "account_id": "111100000001",
        "account_name": "Synderys Platform",
        "role_name": "ReadOnly",
        "active": True,
        "default": False,
        "state": "fresh",
        "expires_at": iso(NOW + timedelta(minutes=47)),
        "keys_seconds": 3600,
        "error": None,
        "region": "eu-central-1",
        "section": name,
        "delivery": "file",
        "assumes": [],
        "description": None,
        "notes": None,
        "tags": [],
        "favourite": False,
        "production": False,
        "recent": None,
        **parts,
    }


def idle(name: str, **parts: Any) -> dict[str, Any]:
    """Return a profile nobody chose."""
    return profile(name, active=False, expires_at=None, **parts)


def document(
    sessions: Iterable[dict[str, Any]] = (), profiles: Iterable[dict[str, Any]] = (), **parts: Any
) -> dict[str, Any]:
    """Return a status document as the agent makes it."""
    return {
        "version": 1,
        "now": iso(NOW),
        "agent": {"running": True, "pid": 4711, "version": "0.1.0"},
        "sessions": list(sessions),
        "profiles": list(profiles),
        "imports": [],
        "foreign": [],
        "warnings": [],
        "problems": [],
        "credentials_file": None,
        "desktop": {
            "tray": {"back_end": "status_notifier", "reason": None},
            "notifications": {"back_end": "freedesktop", "reason": None},
            "presence": {
                "back_end": "screensaver",
                "reason": None,
                "locked": False,
                "idle": False,
                "asleep": False,
                "busy": False,
            },
        },
        "endpoint": {"port": None, "error": None},
        "notices_paused_until": None,
        "coding_agents": [],
        **parts,
    }


def problem(text: str, hint: str, code: str = "offline") -> dict[str, str]:
    """Return a problem as documents carry it."""
    return {"code": code, "text": text, "hint": hint}


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment with some variables set."""
    return {**os.environ, **variables}
