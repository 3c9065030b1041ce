"""The life of the agent's process: one instance, the log, the socket, the watches, signals, the end.

Decides nothing about credentials. Ends within three seconds whatever hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from credtray import __version__
from credtray.app import Components, requests_of
from credtray.core.errors import AgentRefused, CredtrayError, FileContended, FileRefused, FileUnwritable
from credtray.core.events import (
    Event,
    Fetched,
    FilesChanged,
    Imported,
    NetworkChanged,
    PartChanged,
    Refreshed,
    SignedIn,
    TokenFound,
    Woke,
)
from credtray.core.models import AccessToken, Secret
from credtray.core.ports import DesktopPart, Notifier, Part, Ports
from credtray.daemon.endpoint import Endpoint
from credtray.daemon.ipc import IpcServer, ipc_server
from credtray.daemon.log import Console, Redactor, logging_to
from credtray.daemon.loop import TICK_SECONDS, Loop, LoopOptions
from credtray.daemon.requests import Requests
from credtray.daemon.runtime_directory import prepare_runtime_directory
from credtray.daemon.scheduler import Hint, Scheduler
from credtray.daemon.sign_in_sharing import SignIns
from credtray.daemon.workers import Workers, guarded
from credtray.desktop import paths
from credtray.desktop.clock_watch import ClockWatch, SystemClock, network_watch
from credtray.desktop.hardening import harden
from credtray.desktop.main_thread import END_SECONDS, MainThread
from credtray.desktop.message_window import heeding_session_end
from credtray.desktop_integration import DesktopIntegration
from credtray.desktop_requests import WITHOUT_DESKTOP, without_desktop
from credtray.files.directory_safety import make_directory
from credtray.files.file_lock import FileLock
from credtray.files.file_watch import FileWatch
from credtray.guard.gate import Gate
from credtray.history.journal import Journal
from credtray.history.recorder import Recorder
from credtray.page.opening import Page, loading
from credtray.roles.watch import RolesFile, RoleWatch
from credtray.share.shared import Shares
from credtray.store.state_files import EndpointTokens, PageFile
from credtray.web.credentials_endpoint import listening_on

_log = logging.getLogger(__name__)
_STATE_TRIES = 4
"""Ten seconds: without what we remember, what is in the credentials file is kept, and no choice is saved."""

_NO_DESKTOP = "it was started without (--no-tray)"

START_SECONDS = 15.0
"""How long the start waits for a command that works without an agent."""
READ_SECONDS = 3.0
"""How long the first reading of the files may hold up the first answer."""

GOODBYE_SECONDS = 2.0
"""How long the end may take to take keys out of the credentials file."""


def run(components: Components, *, console: Console, started: Callable[[], None] = lambda: None) -> int:
    """Be the agent; ``started`` is called once it answers. Return 0 at the end, or where one runs already."""
    weaknesses = harden()
    lock = agent_lock()
    if lock is None:
        sys.stderr.write("The agent is already running. See: credtray status\n")
        return 0
    redactor = Redactor()
    with contextlib.suppress(CredtrayError):  # an agent without a log works all the same
        make_directory(paths.log_file().parent)
    with logging_to(paths.log_file(), redactor, console=console):
        _log.info("credtray %s starts, pid %d", __version__, os.getpid())
        for weakness in weaknesses:
            _log.info("hardening: %s", weakness)
        with contextlib.ExitStack() as starting:
            _keep_others_out(components, starting)
            service = Service(components, lock, redactor)
            starting.callback(started)
            service.serve(starting.close)
        _log.info("credtray ends")
    return 0


def agent_lock() -> FileLock | None:
    """Return the lock of the one agent, held; None while another process, running or stopped, holds it.

    It is not given back: the system takes it when nothing of this process is left.

    Raises:
        AgentRefused: its directory or file is not safe, or cannot be locked.
    """
    directory = paths.runtime_directory()
    with contextlib.suppress(CredtrayError):  # what is wrong there is said below
        make_directory(directory.parent)
    prepare_runtime_directory(directory)
    lock = FileLock(paths.agent_lock(), timeout=0)
    try:
        lock.acquire()
    except FileContended:
        return None
    except (FileRefused, FileUnwritable) as error:
        raise AgentRefused(error.detail) from None
    return lock


def _keep_others_out(components: Components, starting: contextlib.ExitStack) -> None:
    """Wait for a command that works without an agent: what it chooses must not be overwritten by us."""
    try:
        starting.enter_context(components.choices_lock(START_SECONDS))
    except CredtrayError as error:
        _log.warning("a command that started without the agent is still running: %s", error)


class Service:
    """One running agent."""

    def __init__(self, components: Components, lock: FileLock, redactor: Redactor) -> None:
        self._components = components
        self._lock = lock
        self._redactor = redactor
        self._stop = asyncio.Event()
        self._asked_to_end = threading.Event()
        self._workers = Workers()
        self._mending: asyncio.Task[None] | None = None
        """Held: asyncio forgets tasks nobody holds."""
        environment = components.environment
        self._main_thread = MainThread() if environment.desktop and environment.lends_main_thread else None
        self._shares = Shares(self._workers)
        on_desktop = partial(DesktopIntegration, components, self._workers, self._shares)
        self._desktop = on_desktop(self._main_thread) if environment.desktop else None
        ports = components.ports
        if self._desktop is not None:
            ports = replace(ports, notifier=self._desktop.notifier)
        state = replace(components.remembered(_STATE_TRIES), asks_person=True)
        self._history = Recorder(
            Journal(paths.state_directory()),
            self._workers,
            environment.clock.now,
            lambda: self.loop.state,
            redactor.redact,
        )
        conduct = LoopOptions(heard=self._heard, changed=self._history.changed)
        self.loop = Loop(ports, self._workers, state, speed=environment.speed, conduct=conduct)
        self._sign_ins = SignIns(ports, self._workers, self.loop)
        self.requests = self._guarded_requests(ports.notifier)
        self.requests.given = self._history.given
        if self._desktop is not None:
            self.requests.register(self._desktop.handlers(self.loop, self.requests))
        else:
            self.requests.register(without_desktop(self.loop) | WITHOUT_DESKTOP)
        tokens = EndpointTokens(paths.state_directory() / "endpoint")
        bind = partial(listening_on, wrong=self._history.refused)
        self._endpoint = Endpoint(self.loop, self.requests, tokens, bind, redactor.register)
        self.requests.register(self._endpoint.handlers)
        self._roles, self.page = self._roles_and_page(ports)

    def _guarded_requests(self, notifier: Notifier) -> Requests:
        """Return what carries out requests; a person is asked before a coding agent gets certain keys."""
        gate = Gate(self.loop, self._workers, notifier)
        found = requests_of(self._components, self.loop, self._sign_ins, self._stop.set, askers=gate)
        found.guard = gate.permission
        found.register(gate.handlers)
        return found

    def _roles_and_page(self, ports: Ports) -> tuple[RoleWatch, Page]:
        file, speed = RolesFile(paths.state_directory() / "roles.json"), self._components.environment.speed
        roles = RoleWatch(self.loop, self._workers, file, ports.identity_center, ports.notifier, speed)
        note = PageFile(paths.state_directory() / "page.json")
        load = loading(self.loop, self.requests, self._components, self._workers, self._shares, roles)
        page = Page(self.loop, note, load, self._redactor.register)
        self.requests.register(page.handlers)
        if self._desktop is not None:
            self._desktop.show_page, self._desktop.hide_roles = page.show, roles.hide
        return roles, page

    def stop(self) -> None:
        """Ask it to end; from any thread, also before it has begun."""
        self._asked_to_end.set()
        self._workers.call_soon(self._stop.set)

    def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Run until the end, beside the main thread where that belongs to the icon; raises as ``run``."""
        ended = threading.Event()

        def end() -> None:
            self.stop()
            ended.wait(END_SECONDS)

        with contextlib.ExitStack() as stack:
            if sys.platform == "win32":
                stack.enter_context(heeding_session_end(end))
            stack.callback(ended.set)
            if self._main_thread is None:
                asyncio.run(self.run(started))
            else:
                self._main_thread.run(lambda: asyncio.run(self.run(started)), self.stop)

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve until ``stop`` or a signal; ``started`` is called as soon as commands can reach us.

        Raises:
            AgentRefused: the socket cannot be had.
        """
        self._workers.start()
        self._sign_ins.lasting = True
        self._history.started()
        if self._main_thread is None:
            self._heed_signals()
        elif self._asked_to_end.is_set():
            self._stop.set()
        if self._desktop is not None:
            self._desktop.prepare()
        await self.loop.file_work(self._components.sweep)
        self.loop.start(self._sign_ins.open_by_itself)
        self._tell_of_no_desktop()
        # A client that asks before the files were read would hear that there are no profiles.
        await self.loop.read(READ_SECONDS)
        server = ipc_server(paths.listening_path(), lambda: self._lock.held, self.requests)
        await server.start()
        started()
        try:
            async with contextlib.AsyncExitStack() as stack:
                await stack.enter_async_context(self._watching_files())
                scheduler = self._scheduler(stack, server)
                await stack.enter_async_context(guarded("scheduler", scheduler.run))
                for name, work in self._beside():
                    await stack.enter_async_context(guarded(name, work))
                await stack.enter_async_context(guarded("network", self._watch_network))
                if self._desktop is not None:
                    await stack.enter_async_context(self._desktop.serving(self.loop, self.requests))
                await self._stop.wait()
        finally:
            try:
                await server.close()
            finally:
                await self.loop.stop(GOODBYE_SECONDS)

    def _beside(self) -> tuple[tuple[str, Callable[[], Coroutine[Any, Any, None]]], ...]:
        """Return what runs beside the loop, desktop or not."""
        return ("endpoint", self._endpoint.run), ("page", self.page.run), ("roles", self._roles.run)

    async def _watch_network(self) -> None:
        await network_watch().run(lambda: self.loop.take(NetworkChanged()))

    def _tell_of_no_desktop(self) -> None:
        for part in (Part.TRAY, Part.NOTIFICATIONS) if self._desktop is None else ():
            self.loop.take(PartChanged(DesktopPart(part, None, _NO_DESKTOP)))

    def _scheduler(self, stack: contextlib.AsyncExitStack, server: IpcServer) -> Scheduler:
        async def reachable() -> None:
            try:
                await server.ensure_reachable()
            except AgentRefused as error:
                _log.warning("commands cannot reach the agent: %s", error)

        def post(hint: Hint) -> None:
            self.loop.take(hint)
            if self._desktop is not None:
                self._desktop.refresh(woke=isinstance(hint, Woke))
            self._mending = asyncio.create_task(reachable(), name="reachable")

        every = max(1, round(TICK_SECONDS / self._components.environment.speed))
        scheduler = Scheduler(post, SystemClock(), every)
        clock_watch = ClockWatch(scheduler.look)
        reason = clock_watch.start()
        if reason is not None:
            _log.info("%s", reason)
        stack.callback(clock_watch.close)
        return scheduler

    def _heed_signals(self) -> None:
        if sys.platform == "win32":
            # asyncio has no signal handlers there: the C-level one must hand over to the loop's thread.
            running = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
                signal.signal(number, lambda *_: running.call_soon_threadsafe(self._stop.set))
        else:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    @contextlib.asynccontextmanager
    async def _watching_files(self) -> AsyncIterator[None]:
        """Keep watching the files that matter; the set of token files changes with the config file."""

        def changed_on_disk() -> None:
            self.loop.post(FilesChanged())
            self._workers.call_soon(self._shares.look_soon)

        watch = FileWatch(changed_on_disk)
        watch.start()

        async def follow() -> None:
            async with self.loop.watching() as changed:
                while True:
                    changed.clear()
                    watch.watch((*self._components.files(self.loop.state), *self._shares.files()))
                    await changed.wait()

        try:
            async with guarded("files", follow):
                yield
        finally:
            watch.close()

    def _heard(self, event: Event) -> None:
        for secret in _secrets(event):
            self._redactor.register(secret)


def _secrets(event: Event) -> list[Secret]:
    match event:
        case TokenFound(_, token) | SignedIn(_, token) | Refreshed(_, token):
            return _token_secrets(token)
        case Fetched(_, credentials) | Imported(_, credentials):
            return [credentials.secret_access_key, credentials.session_token]
        case _:
            return []


def _token_secrets(token: AccessToken) -> list[Secret]:
    found = [token.value, token.refresh_token]
    if token.registration is not None:
        found.append(token.registration.client_secret)
    return [secret for secret in found if secret is not None]
