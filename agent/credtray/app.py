"""The composition root: joins the wings into components, for the agent and for commands without one.

Decides nothing. The life of the agent's process is in ``service``; one request without it in
``without_agent``.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from credtray.aws.clients import Clients
from credtray.aws.config_file import AwsConfigFile
from credtray.aws.credentials_file import CredentialsFile
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.profile_writer import ProfileWriter
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.aws.token_cache import SharedTokenCache
from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core.errors import CredtrayError
from credtray.core.state import State
from credtray.daemon.changes import Changes
from credtray.daemon.import_requests import ImportRequests
from credtray.daemon.loop import Loop
from credtray.daemon.ports import Ports
from credtray.daemon.requests import Requests
from credtray.daemon.sign_ins import SignIns
from credtray.daemon.waiting_requests import WaitingRequests
from credtray.desktop import paths
from credtray.desktop.browser import SystemBrowser
from credtray.desktop.clock_watch import SystemClock
from credtray.desktop.notifier import LogNotifier
from credtray.environment import Environment
from credtray.files.atomic_file import is_null, sweep_leftovers
from credtray.files.file_lock import FileLock
from credtray.files.shared_file import SharedFile
from credtray.store.remembered import StateFile, UndoFile
from credtray.store.settings_file import SettingsFile
from credtray.web.callback import LoopbackCallbackListener


@dataclass(frozen=True, slots=True)
class Components:
    """Everything joined."""

    environment: Environment
    ports: Ports
    state_file: StateFile
    token_cache: SharedTokenCache
    changes: Changes
    profile_writer: ProfileWriter
    undo_file: UndoFile
    settings_file: SettingsFile

    def shared_file(self, path: Path) -> SharedFile:
        """Return the one writer of a file that others edit too."""
        return _shared_file(self.environment, path)

    def choices_lock(self, timeout: float) -> FileLock:
        """Return the lock under which state.json is read and written: one process at a time, none forgets."""
        path, fallback = self.environment.locks / "choices.lock", paths.fallback_lock_directory()
        return FileLock(path, timeout=timeout, fallback=fallback)

    def sweep(self) -> None:
        """Take away temporary files that a killed process of ours left behind, older than a minute."""
        aws = self.environment.aws
        both = [path for path in (aws.config, aws.credentials) if not is_null(path)]
        own = (paths.state_directory(), aws.token_cache, *(path.parent for path in both))
        followed = {directory.resolve() for directory in own} | {path.resolve().parent for path in both}
        for directory in sorted(followed):
            with contextlib.suppress(CredtrayError, OSError):
                sweep_leftovers(directory, SystemClock().now())

    def files(self, state: State) -> list[Path]:
        """Return every file whose change by anybody matters."""
        aws = self.environment.aws
        tokens = (item.session for item in state.sessions.values())
        # Everybody writes to /dev/null, all the time.
        both = [path for path in (aws.config, aws.credentials) if not is_null(path)]
        return [
            *both,
            paths.settings_file(),
            *(self.token_cache.token_path(session) for session in tokens),
        ]


def build(environment: Environment | None = None) -> Components:
    """Join the wings. Reads and writes nothing."""
    environment = environment or Environment()
    clock, aws = environment.clock, environment.aws
    clients = Clients()
    portal = Portal(clients, clock, random.random)
    identity_center = BotocoreIdentityCenter(clients, clock, portal)
    fallback = paths.fallback_lock_directory()
    token_cache = SharedTokenCache(
        aws.token_cache, environment.locks, clock, fallback_lock_directory=fallback
    )
    credentials_file = CredentialsFile(_shared_file(environment, aws.credentials))
    settings_file = SettingsFile(paths.settings_file(), paths.state_directory(), fallback)
    state_file = StateFile(paths.state_directory() / "state.json")
    undo_file = UndoFile(paths.state_directory() / "undo.json")
    profile_writer = ProfileWriter(
        _shared_file(environment, aws.config), _shared_file(environment, aws.credentials)
    )
    ports = Ports(
        clock=clock,
        config_file=AwsConfigFile(aws.config, environment.environ, aws.credentials),
        settings_file=settings_file,
        credentials_file=credentials_file,
        token_cache=token_cache,
        identity_center=identity_center,
        token_refresh=SharedTokenRefresh(token_cache, identity_center),
        role_credentials=BotocoreRoleCredentials(clients, clock),
        notifier=environment.notifier or LogNotifier(),
        browser=SystemBrowser(),
        callback_listener=LoopbackCallbackListener(),
        state_file=state_file,
    )
    changes = Changes(settings_file, profile_writer.restore, undo_file)
    return Components(
        environment, ports, state_file, token_cache, changes, profile_writer, undo_file, settings_file
    )


def _shared_file(environment: Environment, path: Path) -> SharedFile:
    return SharedFile(
        path,
        environment.locks,
        backup_directory=paths.state_directory(),
        fallback_lock_directory=paths.fallback_lock_directory(),
    )


def requests_of(
    components: Components, loop: Loop, sign_ins: SignIns, stop: Callable[[], None], *, watched: bool = True
) -> Requests:
    """Return the handler of all that works without an agent, too.

    Where nobody tells the loop that a file has changed, it is not ``watched``.
    """
    requests = Requests(loop, sign_ins, components.changes, stop)
    requests.register(WaitingRequests(loop, sign_ins, watched=watched).handlers)
    requests.register(ImportRequests(loop).handlers)
    return requests
