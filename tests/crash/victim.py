"""Does one write after another, each in a child process of its own, while somebody else kills the children.

``python victim.py FD``: reads a list of jobs from the socket FD, runs them, answers with their exit statuses.
The parent makes no system call of the kinds under test between two children: only clone and wait4.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from credtray.aws.token_cache import SharedTokenCache
from credtray.core.errors import CredtrayError
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.core.ports import EndpointMemory
from credtray.desktop.login_entry import EntryFile
from credtray.files.atomic_file import write_atomically
from credtray.store.settings_file import SettingsFile
from credtray.store.state_files import EndpointTokens, StateFile, UndoFile
from tests.aws.file_fakes import NOW, credentials_file, shared, wanted

TOKEN = b'{"accessToken": "' + b"t" * 3000 + b'", "expiresAt": "2026-11-22T13:00:00Z"}'
REPORTED, UNREPORTED = 10, 11
"""Exit codes: the job failed with an error of our tree; with any other."""
SESSION = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1")
PROFILE = b"[profile dev]\nsso_session = corp\n"
_PR_SET_PTRACER = 0x59616D61  # lets a tracer that is not our parent attach where Yama forbids that


def cache(path: Path) -> SharedTokenCache:
    """Return the token cache in which the path lies."""
    return SharedTokenCache(path.parent, path.parent.parent / "locks", HandClock())


class HandClock:
    """A ``ports.Clock`` that stands still."""

    def now(self) -> datetime:
        return NOW

    def wait(self, _seconds: float) -> None:
        raise AssertionError("no writer waits by this clock")


def sync(path: Path) -> None:
    """Write two sections, one of them with its region."""
    credentials_file(path).sync([wanted("dev", 1), wanted("default", 1, region="us-east-1")], [], NOW)


def refresh(path: Path) -> None:
    """Write newer keys into one section and take another one out."""
    credentials_file(path).sync([wanted("dev", 2)], ["old"], NOW)


def remove(path: Path) -> None:
    """Take everything of ours out."""
    file = credentials_file(path)
    file.sync([], [mark.section for mark in file.marks()], NOW)


def token(path: Path) -> None:
    """Write a token cache or state file."""
    write_atomically(path, TOKEN)


def config(path: Path) -> None:
    """Add a profile to the config file, as `credtray setup` does."""
    shared(path).edit(lambda data: data if PROFILE in data else data + PROFILE, secret=False)


def registration(path: Path) -> None:
    """Cache a client registration."""
    client = ClientRegistration("id", Secret("secret"), NOW + timedelta(days=90))
    cache(path).save_registration(SESSION, client)


def access_token(path: Path) -> None:
    """Write the token of a sign-in over the one that is there."""
    cache(path).write(SESSION, AccessToken(Secret("a" * 300), NOW + timedelta(hours=1), Secret("r" * 300)))


def state(path: Path) -> None:
    """Remember what the agent has to."""
    StateFile(path).save(b'{"version": 1}')


def undo(path: Path) -> None:
    """Remember how a section was."""
    file = UndoFile(path)
    if not file.changes():
        file.remember(NOW, "setup", {"profile dev": b"[profile dev]\n"})


def endpoint(path: Path) -> None:
    """Remember where the endpoint is."""
    EndpointTokens(path.parent).save(EndpointMemory(4711, frozenset({"dev"}), frozenset()))


def endpoint_token(path: Path) -> None:
    """Write the token of a profile's endpoint."""
    EndpointTokens(path.parents[2]).write(4711, "dev", Secret("t" * 43))


def autostart(path: Path) -> None:
    """Start at login."""
    EntryFile(path).write(b"[Desktop Entry]\nType=Application\n")


def settings(path: Path) -> None:
    """Set one setting; the comments stay."""
    SettingsFile(path, path.parent.parent / "state").set(("icon",), "dark")


JOBS: dict[str, Callable[[Path], None]] = {
    "sync": sync,
    "refresh": refresh,
    "remove": remove,
    "token": token,
    "config": config,
    "registration": registration,
    "access_token": access_token,
    "state": state,
    "undo": undo,
    "endpoint": endpoint,
    "endpoint_token": endpoint_token,
    "autostart": autostart,
    "settings": settings,
}
_LATE = "credtray.store.settings_file"
"""Imported late by the product; a child of ours is to open nothing but the files under test."""


def run(job: str, path: Path) -> int:
    """Run one job in a child; return its wait status."""
    child = os.fork()
    if child == 0:
        os._exit(_outcome(job, path))
    return os.waitpid(child, 0)[1]


def _outcome(job: str, path: Path) -> int:
    try:
        JOBS[job](path)
    except CredtrayError:
        return REPORTED
    except BaseException:  # noqa: BLE001 - the controller must see that it was none of ours
        traceback.print_exc()
        return UNREPORTED
    return 0


def main() -> None:
    """Serve until the socket closes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, -1, 0, 0, 0)
    link = socket.socket(fileno=int(sys.argv[1]))
    importlib.import_module(_LATE)
    gc.disable()
    while frame := link.recv(1 << 20):
        jobs = [(job, Path(path)) for job, path in json.loads(frame)]
        statuses = [run(job, path) for job, path in jobs]
        link.send(json.dumps(statuses).encode())


if __name__ == "__main__":
    main()
