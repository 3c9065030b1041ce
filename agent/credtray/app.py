"""The composition root: joins the wings into components, for the agent and for commands without one.

Decides nothing. The life of the agent's process is in ``service``; one request without it in
``without_agent``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from credtray.aws.clients import Clients
from credtray.aws.config_file import AwsConfigFile
from credtray.aws.credentials_file import CredentialsFile
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.profile_writer import ProfileWriter
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.aws.token_cache import SharedTokenCache
from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core import protocol, state_document
from credtray.core.answers import chosen_session
from credtray.core.errors import AgentNotRunning, CredtrayError
from credtray.core.policy import Action, AskPerson, FetchRoleCredentials, RefreshToken, SyncCredentialsFile
from credtray.core.ports import Ports
from credtray.core.protocol import Asks, Done, Progress, Request, result_of
from credtray.core.protocol.results import AgentStatus
from credtray.core.state import State, frozen
from credtray.core.summary import status_document
from credtray.daemon.awaited_person import Askers
from credtray.daemon.changes import Changes
from credtray.daemon.import_requests import ImportRequests
from credtray.daemon.ipc_connection import HeardHere
from credtray.daemon.loop import Loop, LoopOptions
from credtray.daemon.requests import Recipient, Requests
from credtray.daemon.sign_in_sharing import SignIns
from credtray.daemon.waiting_requests import WaitingRequests
from credtray.daemon.workers import Workers
from credtray.desktop import paths
from credtray.desktop.browser import SystemBrowser
from credtray.desktop.clock_watch import SystemClock
from credtray.desktop.notifier import LogNotifier
from credtray.environment import Environment
from credtray.files.atomic_file import is_null, sweep_leftovers
from credtray.files.file_lock import FileLock
from credtray.files.shared_file import SharedFile
from credtray.ipc_client import AgentClient
from credtray.store.settings_file import SettingsFile
from credtray.store.state_files import StateFile, UndoFile
from credtray.web.sign_in_listener import LINGER_SECONDS, LoopbackCallbackListener


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

    def remembered(self, tries: int = 1) -> State:
        """Return the state to begin with: what a person chose, below what the organisation sets."""
        return replace(self.state_file.load(tries), settings=self.settings_file.enforced())

    def files(self, state: State) -> list[Path]:
        """Return every file whose change by anybody matters."""
        aws = self.environment.aws
        tokens = (item.session for item in state.sessions.values())
        # Everybody writes to /dev/null, all the time.
        both = [path for path in (aws.config, aws.credentials) if not is_null(path)]
        return [
            *both,
            *self.settings_file.files,
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
    settings_file = SettingsFile(paths.settings_file(), paths.state_directory(), fallback, environment.policy)
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
        callback_listener=LoopbackCallbackListener(LINGER_SECONDS),
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
    components: Components,
    loop: Loop,
    sign_ins: SignIns,
    stop: Callable[[], None],
    *,
    watched: bool = True,
    askers: Askers | None = None,
) -> Requests:
    """Return the handler of all that works without an agent, too.

    Where nobody tells the loop that a file has changed, it is not ``watched``; ``askers`` knows who asks.
    """
    tray = components.environment.desktop
    requests = Requests(loop, sign_ins, components.changes, stop, tray=tray, askers=askers)
    requests.register(WaitingRequests(loop, sign_ins, watched=watched, askers=askers).handlers)
    requests.register(ImportRequests(loop).handlers)
    return requests


# Carries one request out in this process, for the time when no agent runs.
#
# The same loop as the agent's, allowed to do only what the request is for, and gone when its effect is
# there.


_log = logging.getLogger(__name__)
R = TypeVar("R")

LEAVE_SECONDS = 60.0
"""More than a refresh under way may take: its new refresh token must not be lost by leaving."""
READ_SECONDS = 10.0
LOCK_SECONDS = 30.0
"""Another command without agent may wait for the portal and the credentials file in turn."""

_CHOICES = (
    protocol.Activate,
    protocol.Deactivate,
    protocol.Switch,
    protocol.Undo,
    protocol.ListUndo,
    protocol.Logout,
    protocol.ImportKeys,
    protocol.KeepPerson,
)
"""Requests that change state.json: one process at a time, or the last one to write wins."""


_AGENT_ONLY = (
    protocol.Ping,
    protocol.Watch,
    protocol.Snooze,
    protocol.PauseNotices,
    protocol.Stop,
    protocol.CancelLogin,
    protocol.Endpoint,
    protocol.OpenPage,
    protocol.Copy,
    protocol.AnswerAgent,
)


def perform(request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
    """Carry the request out in this process, whether an agent runs or not.

    Raises:
        CredtrayError: what it failed with; AgentNotRunning for what only an agent can do.
    """
    # Without an agent a profile that is not there is refused by name, before the agent is missed.
    if type(request) in _AGENT_ONLY and not hasattr(request, "profile"):
        raise AgentNotRunning
    # What the agent would write into its log, the command tells in its own words.
    logging.getLogger("credtray").addHandler(logging.NullHandler())
    return asyncio.run(carried_out(build(), request, on_progress))


async def carried_out(components: Components, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
    """Return the result.

    Raises:
        CredtrayError: what it failed with.
    """
    if type(request) not in _CHOICES:
        return await _carried_out(components, request, on_progress)
    with components.choices_lock(LOCK_SECONDS):
        try:
            # It may have started while we waited for the lock; state.json is its own from then on.
            with AgentClient.connect() as client:
                return client.ask(request, on_progress)
        except AgentNotRunning:
            return await _carried_out(components, request, on_progress)


async def _carried_out(
    components: Components, request: Asks[R], on_progress: Callable[[Progress], None]
) -> R:
    workers = Workers()
    workers.start()
    loop = Loop(
        components.ports,
        workers,
        replace(components.remembered(), asks_person=protocol.signs_in(request)),
        speed=components.environment.speed,
        conduct=LoopOptions(_allowed(request), saves=type(request) in _CHOICES),
    )
    stopped = asyncio.Event()
    sign_ins = SignIns(components.ports, workers, loop)
    handler = requests_of(components, loop, sign_ins, stopped.set, watched=False)
    handler.guard = partial(_for_no_coding_agent, loop)
    loop.start()
    await loop.read(READ_SECONDS)
    looks = type(request) is protocol.Status
    if looks:
        _mark_roles(loop)
        found = status_document(loop.state, AgentStatus(running=False), loop.now())
        return result_of(Done(found), request)
    sink = HeardHere(on_progress)
    try:
        await handler.handle(request, sink)
        await loop.harmless(LEAVE_SECONDS)
    except (CredtrayError, asyncio.CancelledError) as error:
        if isinstance(error, CredtrayError):
            await loop.harmless(LEAVE_SECONDS)
        # Ended for a sign-in that has not come about: an agent that starts must leave the keys in use alone.
        if any(each.ended and each.token is None for each in loop.state.sessions.values()):
            _remember_sign_ins(components, loop.state)
        raise
    if protocol.signs_in(request):
        _remember_sign_ins(components, loop.state)
    return result_of(sink.final, request)


async def _for_no_coding_agent(loop: Loop, profile: str, _to: Recipient) -> None:
    """Refuse what only an agent could ask a person about.

    Raises:
        CodingAgentRefused: a coding agent runs this command, and the profile is not for all of them.
    """
    from credtray.guard.decisions import Rule, never, nobody_to_ask, rule_for

    rule = rule_for(loop.state.settings, profile)
    if rule is Rule.ALLOW:
        return
    from credtray.guard.agents import asker_in
    from credtray.guard.process_tree import own_chain

    asker = asker_in(own_chain())
    if asker is not None:
        raise (never if rule is Rule.NEVER else nobody_to_ask)(profile, asker.agent)


def _mark_roles(loop: Loop) -> None:
    """Let the state know of roles that are gone, as far as an agent has seen that."""
    path = paths.state_directory() / "roles.json"
    if path.exists():
        from credtray.roles.record import marks  # where no agent ever looked, nothing of it is loaded
        from credtray.roles.watch import RolesFile

        for mark in marks(RolesFile(path).load(), loop.state):
            loop.take(mark)


def _remember_sign_ins(components: Components, state: State) -> None:
    """Save what was learned about sign-ins, and nothing else: choices may have changed since we began."""
    try:
        with components.choices_lock(LOCK_SECONDS):
            if _agent_runs():
                return  # it has seen the new token itself
            there = components.state_file.load()
            known = frozen({**there.remembered, **state.sessions})
            components.state_file.save(state_document.encode(replace(there, remembered=known)))
    except CredtrayError as error:
        _log.warning("the end of the sign-in could not be saved: %s", error)


def _agent_runs() -> bool:
    try:
        with AgentClient.connect():
            return True
    except AgentNotRunning:
        return False


def _allowed(request: Request) -> Callable[[State, Action], bool]:
    match request:
        case protocol.Status():
            return lambda _state, _action: False
        case protocol.Credentials(profile) | protocol.Wait(profile=profile, login=False):
            return lambda state, action: _serves(state, action, profile)
        case _:
            return lambda state, action: (
                isinstance(action, SyncCredentialsFile) or _asked_for(request, state, action)
            )


def _asked_for(request: Request, state: State, action: Action) -> bool:
    """Tell whether a portal call is what this request is for: no other session's portal can hold it up."""
    match request:
        case protocol.Activate(names):
            return any(_serves(state, action, name) for name in names)
        case protocol.Switch(str(name)):
            return _serves(state, action, name)
        case protocol.Login(session):
            return _of_session(state, action, session)
        case protocol.Wait(name) if name in state.profiles:
            return _of_session(state, action, state.profiles[name].profile.session)
    return False


def _of_session(state: State, action: Action, session: str | None) -> bool:
    """Tell whether an action asks the portal of this session; without a name, of the one a person means."""
    if session is None:
        try:
            session = chosen_session(state).name
        except CredtrayError:  # the request itself is refused for it
            return False
    match action:
        case RefreshToken(name) | AskPerson(name):
            return name == session
        case FetchRoleCredentials(name):
            return state.profiles[name].profile.session == session
        case _:
            return False


def _serves(state: State, action: Action, profile: str) -> bool:
    """Tell whether an action helps to answer for this profile: nothing is written, nobody else is served."""
    wanted = state.profiles.get(profile)
    match action:
        case RefreshToken(session):
            return wanted is not None and wanted.profile.session == session
        case FetchRoleCredentials(name):
            return name == profile
        case _:
            return False
