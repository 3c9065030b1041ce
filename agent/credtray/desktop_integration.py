"""Joins the running agent with the desktop: state to icon and menu, clicks to requests, presence to events.

The desktop may die at any time without the agent: every part here is guarded and begun again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import tzinfo
from pathlib import Path

from credtray import __version__
from credtray.app import Components
from credtray.click_handler import ClickHandler, Desktop
from credtray.core.clicks import Click, SetAutostart
from credtray.core.clicks import ShowPage as ShowPageClick
from credtray.core.errors import CredtrayError, FileUnwritable
from credtray.core.events import PartChanged, PresenceChanged
from credtray.core.forms import Form
from credtray.core.notices import held
from credtray.core.ports import Button, DesktopPart, Notification, Notifier, Part, Presence
from credtray.core.state import State
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Handler, Requests
from credtray.daemon.workers import Workers, guarded
from credtray.desktop import paths
from credtray.desktop.autostart import Autostart
from credtray.desktop.background import begin
from credtray.desktop.balloons import BalloonBoard
from credtray.desktop.browser import open_file
from credtray.desktop.bus.session import BusKind, SessionBus
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.icon_place import no_icon_notice
from credtray.desktop.main_thread import MainThread
from credtray.desktop.notifications import notifier_for
from credtray.desktop.notifier import LoggedNotifier
from credtray.desktop.presence import PresenceWatch
from credtray.desktop.tray import Tray
from credtray.desktop_requests import Copying, TrialNotices
from credtray.files.atomic_file import write_atomically
from credtray.menu.tray_menu import Extras
from credtray.menu.tray_view import TrayView, face
from credtray.moment.working_day import Seen, look
from credtray.share.shared import Shares
from credtray.web.sign_in_listener import LoopbackCallbackListener

_log = logging.getLogger(__name__)

COALESCE_SECONDS = 0.05
"""Changes that come together are drawn together: a panel is slow, and so is an eye."""

_HEAVY = ("credtray.desktop.bus.wire", "PIL.Image", "PIL.ImageDraw")
LOOK_SECONDS = 2.0
"""How long a home directory that hangs may hold up the icon."""
LEAVE_SECONDS = 1.0
"""How long a desktop that hangs may hold up the agent's end."""


ShowPage = Callable[[Callable[[str], Awaitable[bool]], str], Awaitable[bool]]
"""Takes what starts a browser at an address, and which view; tells whether one came."""


async def _no_page(_open: Callable[[str], Awaitable[bool]], _view: str) -> bool:
    """Stand in until there is a page."""
    return False


def _no_roles(_session: str) -> None:
    """Stand in until roles are watched."""


class DesktopIntegration:
    """The desktop of one running agent. Does nothing until ``serving``."""

    def __init__(
        self,
        components: Components,
        workers: Workers,
        shares: Shares,
        main_thread: MainThread | None = None,
    ) -> None:
        self._components = components
        self._shares = shares
        self._main_thread = main_thread
        self._workers = workers
        self._bus = SessionBus()
        self._system_bus = SessionBus(BusKind.SYSTEM)
        self._balloons = BalloonBoard()
        self._notifier = notifier_for(sys.platform, self._bus, self._clicked, self._report, self._balloons)
        self.notifier = LoggedNotifier(components.ports.notifier, self._notifier)
        """Where notices go; also before ``serving``."""
        self.show_page: ShowPage = _no_page
        """How clicks open the page; set by whoever serves it."""
        self.hide_roles: Callable[[str], None] = _no_roles
        """How clicks put new roles of a session aside; set with it."""
        self._environ = dict(os.environ)
        self._clipboard = Clipboard(self._environ)
        self._autostart = Autostart()
        self._starts_at_login: bool | None = None
        self._installed: str | None = None
        self._loop: Loop | None = None
        self._clicks: ClickHandler | None = None
        self._tray: Tray | None = None
        self._changed: asyncio.Event | None = None
        self._looking: asyncio.Task[None] | None = None
        """Held: asyncio forgets tasks nobody holds."""
        self._latest: tuple[State, float, TrayView] | None = None
        """Of which state, when it was made, and what is shown."""

    def handlers(self, loop: Loop, requests: Requests) -> Mapping[type, Handler]:
        """Return what carries out the requests that need a desktop; see ``Requests.register``."""
        return {
            **Copying(loop, requests, self._clipboard).handlers,
            **TrialNotices(loop, self._workers, self.notifier).handlers,
        }

    def prepare(self) -> None:
        """Begin to load, in a thread, what takes long to load: the files are read meanwhile.

        Where there is no bus none of it may ever be needed.
        """
        if self._bus.is_named:
            self._workers.preload(_HEAVY)

    @contextlib.asynccontextmanager
    async def serving(self, loop: Loop, requests: Requests) -> AsyncIterator[None]:
        """Be there while the block runs; afterwards nothing of it is left on the desktop.

        A desktop that hangs may keep the end waiting for a second, not longer.
        """
        task = asyncio.create_task(self._run(loop, requests), name="desktop")
        try:
            yield
        finally:
            task.cancel()
            _, hanging = await asyncio.wait({task}, timeout=LEAVE_SECONDS)
            if hanging:
                _log.warning("the desktop did not let go in time")

    async def _run(self, loop: Loop, requests: Requests) -> None:
        self._loop, self._clicks = loop, ClickHandler(loop, requests, self._for_clicks())
        listener = self._components.ports.callback_listener
        if isinstance(listener, LoopbackCallbackListener):  # its last page leads on to ours
            listener.show_page = lambda: self._workers.call_soon(lambda: self._clicked(ShowPageClick()))
        tray = Tray(self._bus, self._clicked, self._report, self._fresh, self._environ, self._main_thread)
        tray.balloons = self._balloons
        self._tray = tray
        presence = PresenceWatch(self._bus, self._system_bus, self._presence, self._report)
        try:
            missing = MissingIcon(loop, self._workers, self.notifier, paths.state_directory() / TOLD)
            async with (
                guarded("notifications", self._notifier.run),
                guarded("missing icon", missing.run),
                guarded("working day", lambda: follow_working_days(loop)),
                guarded("presence", presence.run),
                guarded("tray", tray.run),
                guarded("menu", lambda: self._follow(loop, tray)),
            ):
                await asyncio.Event().wait()
        finally:
            await self._leave(self._clicks)

    def _for_clicks(self) -> Desktop:
        components = self._components
        return Desktop(
            self._workers,
            self.notifier,
            components.ports.browser,
            self._clipboard,
            self._autostart,
            components.settings_file,
            components.environment.aws,
            lambda path: open_file(path, components.environment.environ),
            begin,
            self.show_page,
            self._shares.stop,
            self.hide_roles,
        )

    async def _leave(self, clicks: ClickHandler) -> None:
        await clicks.close()
        for close in (self._clipboard.close, self._bus.close, self._system_bus.close):
            with contextlib.suppress(CredtrayError, OSError):
                await close()

    # --- what the desktop sees --------------------------------------------------------------------------

    def refresh(self, *, woke: bool = False) -> None:
        """Time has passed, and what is shown may have changed with it. Only on the loop's thread.

        After a sleep (``woke``) the panel is asked whether it still has the icon.
        """
        if woke and self._tray is not None:
            self._tray.doubt()
        if self._changed is not None:
            self._changed.set()

    async def _follow(self, loop: Loop, tray: Tray) -> None:
        async with loop.watching() as changed:
            self._changed = changed
            self._shares.heard_by(self.refresh)
            self._shares.look_soon()
            await asyncio.wait({self._look()}, timeout=LOOK_SECONDS)
            while True:
                changed.clear()
                tray.draw_for(loop.state.settings.icon)
                tray.show(self._face())
                drawn = time.monotonic()
                await changed.wait()
                # What comes alone is drawn at once: an idle agent is not to wake up twice for it.
                await asyncio.sleep(max(0.0, drawn + COALESCE_SECONDS - time.monotonic()))

    def _fresh(self) -> TrayView:
        """Return what a menu shows that is about to open; what costs a look at a file follows in a moment.

        A panel that asks without a pause gets the face it has: it is not made a hundred times a second.
        """
        assert self._loop is not None  # noqa: S101 - whoever asks was begun with it
        self._look()
        self._shares.look_soon()
        if self._latest is not None:
            state, made, latest = self._latest
            if state is self._loop.state and time.monotonic() - made < COALESCE_SECONDS:
                return latest
        return self._face()

    def _face(self) -> TrayView:
        assert self._loop is not None  # noqa: S101 - whoever asks was begun with it
        first = Form.POWERSHELL if sys.platform == "win32" else Form.POSIX
        extras = Extras(self._starts_at_login, __version__, first, self._installed, self._shares.found)
        now = face(self._loop.state, self._loop.now(), None, extras)
        self._latest = (self._loop.state, time.monotonic(), now)
        return now

    def _look(self) -> asyncio.Task[None]:
        """Look at what may have changed, unless that is being done: a home that hangs takes one worker."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_at_autostart(), name="autostart")
        return self._looking

    async def _look_at_autostart(self) -> None:
        before = self._starts_at_login, self._installed
        with contextlib.suppress(CredtrayError):
            status = await self._workers.desktop_result_of(self._autostart.status)
            self._starts_at_login = status.enabled
        with contextlib.suppress(CredtrayError):
            self._installed = await self._workers.desktop_result_of(paths.installed_version)
        if (self._starts_at_login, self._installed) != before:
            self.refresh()

    # --- what the desktop says --------------------------------------------------------------------------

    def _clicked(self, click: Click) -> None:
        if self._clicks is not None:
            after = self._look_at_autostart if isinstance(click, SetAutostart) else None
            self._clicks.handle(click, after)

    def _report(self, part: DesktopPart) -> None:
        if self._loop is not None:
            self._loop.take(PartChanged(part))

    def _presence(self, presence: Presence) -> None:
        if self._loop is not None:
            self.refresh(woke=self._loop.state.presence.asleep and not presence.asleep)
            self._loop.take(PresenceChanged(presence))


async def follow_working_days(loop: Loop, zone: tzinfo | None = None) -> None:
    """Tell the loop when somebody comes for the first time in a working day, until cancelled."""
    seen = Seen()
    async with loop.watching() as changed:
        while True:
            changed.clear()
            seen, begun = look(seen, loop.state, loop.now(), zone)
            for event in begun:
                loop.take(event)
            await changed.wait()


# Tells once, ever, that there is no icon, where notices can be seen: who started credtray looks for it.


TOLD = "no-icon-told"
"""Name of the file that remembers it."""
PATIENCE_SECONDS = 60.0
"""At login the panel may come after us."""


class MissingIcon:
    """The one notice of one agent."""

    def __init__(
        self,
        loop: Loop,
        workers: Workers,
        notifier: Notifier,
        memory: Path,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._loop = loop
        self._workers = workers
        self._notifier = notifier
        self._memory = memory
        self._patience = patience

    async def run(self) -> None:
        """Show the notice when it is due, and end; waits for changes of the state only."""
        await asyncio.sleep(self._patience)
        async with self._loop.watching() as changed:
            while (reason := self._reason()) is None:
                changed.clear()
                await changed.wait()
        with contextlib.suppress(CredtrayError):  # told in vain: the log has it
            await self._workers.desktop_result_of(lambda: self._show(reason))

    def _reason(self) -> str | None:
        """Return why there is no icon, if somebody would see the notice now."""
        state = self._loop.state
        tray, notices = state.desktop.get(Part.TRAY), state.desktop.get(Part.NOTIFICATIONS)
        if tray is None or tray.back_end is not None or notices is None or notices.back_end is None:
            return None
        return None if held(state, self._loop.now()) else tray.reason

    def _show(self, reason: str) -> None:
        if self._memory.exists():
            return
        self._notifier.show(
            Notification("no-icon", *no_icon_notice(reason), (Button("Open credtray", ShowPageClick()),))
        )
        with contextlib.suppress(FileUnwritable):  # then it is told again at the next start
            write_atomically(self._memory, b"", mode=0o600)
