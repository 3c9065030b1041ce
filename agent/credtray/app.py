"""The composition root: joins the wings into ports, and carries commands to the agent or out in this process.

Decides nothing. The life of the agent's process is in ``service``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credtray.aws.clients import Clients
from credtray.aws.config_file import AwsConfigFile
from credtray.aws.credentials_file import CredentialsFile
from credtray.aws.identity_center import BotocoreIdentityCenter
from credtray.aws.portal import Portal
from credtray.aws.profile_writer import ProfileWriter
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.aws.token_cache import SharedTokenCache
from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core import protocol
from credtray.core.errors import AgentNotRunning, CredtrayError
from credtray.core.protocol import Progress, Reply, Request
from credtray.core.state import State
from credtray.daemon.changes import Changes
from credtray.daemon.ports import Ports
from credtray.desktop import paths
from credtray.desktop.browser import SystemBrowser
from credtray.desktop.clocks import SystemClock
from credtray.environment import Surroundings
from credtray.files.atomic_file import is_null, sweep_leftovers
from credtray.files.file_lock import FileLock
from credtray.ipc_client import AgentClient
from credtray.store.settings_file import SettingsFile
from credtray.store.state_file import StateFile
from credtray.store.undo_file import UndoFile
from credtray.web.callback import LoopbackCallbackListener


@dataclass(frozen=True, slots=True)
class House:
    """Everything joined."""

    around: Surroundings
    ports: Ports
    state_file: StateFile
    token_cache: SharedTokenCache
    changes: Changes
    profile_writer: ProfileWriter
    undo_file: UndoFile
    settings_file: SettingsFile

    def choices_lock(self, timeout: float) -> FileLock:
        """Return the lock under which state.json is read and written: one process at a time, none forgets."""
        path, fallback = self.around.locks / "choices.lock", paths.fallback_lock_directory()
        return FileLock(path, timeout=timeout, fallback=fallback)

    def sweep(self) -> None:
        """Take away temporary files that a killed process of ours left behind, older than a minute."""
        aws = self.around.aws
        both = [path for path in (aws.config, aws.credentials) if not is_null(path)]
        own = (paths.state_directory(), aws.token_cache, *(path.parent for path in both))
        followed = {directory.resolve() for directory in own} | {path.resolve().parent for path in both}
        for directory in sorted(followed):
            with contextlib.suppress(CredtrayError, OSError):
                sweep_leftovers(directory, SystemClock().now())

    def files(self, state: State) -> list[Path]:
        """Return every file whose change by anybody matters."""
        aws = self.around.aws
        tokens = (item.session for item in state.sessions.values())
        # Everybody writes to /dev/null, all the time.
        both = [path for path in (aws.config, aws.credentials) if not is_null(path)]
        return [
            *both,
            paths.settings_file(),
            *(self.token_cache.token_path(session) for session in tokens),
        ]


def join(around: Surroundings | None = None) -> House:
    """Join the wings. Reads and writes nothing."""
    around = around or Surroundings()
    clock, aws = around.clock, around.aws
    clients = Clients()
    portal = Portal(clients, clock, random.random)
    identity_center = BotocoreIdentityCenter(clients, clock, portal)
    fallback = paths.fallback_lock_directory()
    token_cache = SharedTokenCache(aws.token_cache, around.locks, clock, fallback_lock_directory=fallback)
    credentials_file = CredentialsFile(around.shared_file(aws.credentials))
    settings_file = SettingsFile(paths.settings_file(), paths.state_directory(), fallback)
    state_file = StateFile(paths.state_directory() / "state.json")
    undo_file = UndoFile(paths.state_directory() / "undo.json")
    profile_writer = ProfileWriter(around.shared_file(aws.config), around.shared_file(aws.credentials))
    ports = Ports(
        clock=clock,
        config_file=AwsConfigFile(aws.config, around.environ, aws.credentials),
        settings_file=settings_file,
        credentials_file=credentials_file,
        token_cache=token_cache,
        identity_center=identity_center,
        token_refresh=SharedTokenRefresh(token_cache, identity_center),
        role_credentials=BotocoreRoleCredentials(clients, clock),
        notifier=around.notifier,
        browser=SystemBrowser(),
        callback_listener=LoopbackCallbackListener(),
        state_file=state_file,
    )
    changes = Changes(settings_file, profile_writer, undo_file)
    return House(around, ports, state_file, token_cache, changes, profile_writer, undo_file, settings_file)


def ports() -> Ports:
    """Return the joined ports of this process."""
    return join().ports


def profile_writer() -> ProfileWriter:
    """Return the writer of profiles of this process."""
    return join().profile_writer


_AGENT_ONLY = (
    protocol.Ping,
    protocol.Watch,
    protocol.Snooze,
    protocol.PauseNotices,
    protocol.Stop,
    protocol.CancelLogin,
    protocol.Endpoint,
    protocol.Copy,
)


def perform(request: Request, on_progress: Callable[[Progress], None]) -> Reply:
    """Ask the agent; when none runs, carry the request out in this process.

    Raises:
        CredtrayError: what it failed with.
    """
    try:
        with AgentClient.connect() as client:
            return client.ask(request, on_progress)
    except AgentNotRunning:
        if isinstance(request, _AGENT_ONLY) and not hasattr(request, "profile"):
            raise
    # Without an agent a profile that is not there is refused by name, before the agent is missed.
    return perform_here(request, on_progress)


def perform_here(request: Request, on_progress: Callable[[Progress], None]) -> Reply:
    """Carry the request out in this process, whether an agent runs or not.

    Raises:
        CredtrayError: what it failed with.
    """
    from credtray.without_agent import carried_out

    # What the agent would write into its log, the command tells in its own words.
    logging.getLogger("credtray").addHandler(logging.NullHandler())
    return asyncio.run(carried_out(join(), request, on_progress))


def watch(on_document: Callable[[dict[str, Any]], None]) -> None:
    """Hand over a status document now and at each change, until the agent ends.

    Raises:
        CredtrayError: AgentNotRunning when there is none, or when it ends.
    """
    with AgentClient.connect() as client:
        for update in client.watch():
            on_document(update.document)


def run_agent(*, console: bool = True, desktop: bool = True) -> int:
    """Be the agent until a signal, `credtray stop` or Quit in the menu; return the exit code."""
    from credtray.service import run

    return run(join(Surroundings(desktop=desktop)), console=console)
