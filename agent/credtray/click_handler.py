"""Carries out what a person clicked in the menu or on a notification. Returns at once; tells when it fails.

Decides nothing about credentials: requests of the commands go the very way the commands go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from credtray import __version__
from credtray.aws.locations import AwsLocations
from credtray.core import clicks, protocol
from credtray.core.answers import known_profile, known_session
from credtray.core.clicks import Click
from credtray.core.errors import (
    BrowserUnopened,
    ClipboardUnavailable,
    CredtrayError,
    Problem,
    Retry,
    SignInCancelled,
    SignInTimedOut,
)
from credtray.core.forms import Form
from credtray.core.icon_state import STEPS, IconState, Shape
from credtray.core.models import Profile
from credtray.core.ports import Browser, Button, Notification, Notifier, Urgency
from credtray.core.problem_words import GOOD_NEWS, UNDER_WAY, answer
from credtray.core.protocol import Progress
from credtray.core.state_words import Choice, chosen_words, headline, sign_in_words
from credtray.core.summary import sign_in_summary, summary
from credtray.core.words import plain
from credtray.daemon.ipc_connection import HeardHere
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Requests
from credtray.daemon.sign_in_grants import BROKEN_COMMAND, Opened, Step, open_page
from credtray.daemon.workers import Workers, without_values
from credtray.desktop import paths
from credtray.desktop.autostart import Autostart, own_command
from credtray.desktop.clipboard import Clipboard
from credtray.desktop_requests import CLIPBOARD_SECONDS, Copying
from credtray.menu.tray_view import details
from credtray.share.shared import MUTE
from credtray.store.settings_file import SettingsFile
from credtray.ways_out.aws_console import portal_link

_log = logging.getLogger(__name__)
R = TypeVar("R")
T = TypeVar("T")

LINK_SECONDS = 600.0
"""As long as a sign-in may take."""
REPEAT_SECONDS = 0.5
"""The same click within this time of the last one is a double click, or a panel that repeats itself."""
_CHOSEN = "click:chosen"
_SETUP = "credtray setup"
_OTHER_BROWSER = "Opened in another browser"
_QUIET = (SignInCancelled.code, SignInTimedOut.code)
"""The person knows, or has left; the menu shows it."""


@dataclass(frozen=True, slots=True)
class Desktop:
    """What clicks need of this desktop."""

    workers: Workers
    notifier: Notifier
    browser: Browser
    clipboard: Clipboard
    autostart: Autostart
    settings_file: SettingsFile
    aws_files: AwsLocations
    open_file: Callable[[Path], None]
    """Opens it in the program this desktop prefers. Blocks for up to two seconds."""
    begin: Callable[[Sequence[str]], object]
    """Starts a program that goes on without us."""
    show_page: Callable[[Callable[[str], Awaitable[bool]], str], Awaitable[bool]]
    """Opens a view of the page by what starts a browser; False: no browser came."""
    stop_sharing: Callable[[clicks.StopSharing], Awaitable[bool]]
    """Ends one `credtray share`; False: it does not answer."""
    hide_roles: Callable[[str], None]
    """Says nothing more of the new roles of a session that were told of."""


class ClickHandler:
    """Every click is a task of its own: a sign-in takes minutes, and the menu must not wait for it."""

    def __init__(self, loop: Loop, requests: Requests, desktop: Desktop) -> None:
        self._loop = loop
        self._requests = requests
        self._desktop = desktop
        self._copying = Copying(loop, requests, desktop.clipboard)
        self._under_way: set[asyncio.Task[None]] = set()
        self._clicked: dict[Click, float] = {}
        """When each of the latest clicks came last, in that order."""
        self._handlers: Mapping[type, Callable[[Any], Awaitable[object]]] = {
            protocol.Login: self._login,
            protocol.Switch: self._choose,
            protocol.Activate: self._choose,
            protocol.Deactivate: self._choose,
            clicks.CopyCredentials: self._copy_credentials,
            clicks.FetchKeys: lambda click: self._result(protocol.Credentials(click.profile, None)),
            clicks.CopySignInLink: self._copy_link,
            clicks.OpenConsole: self._open_console,
            clicks.CopyConsoleLink: self._copy_console_link,
            clicks.CopySetupCommand: self._copy_setup_command,
            clicks.SetAutostart: self._set_autostart,
            clicks.OpenSettings: self._open_settings,
            clicks.OpenConfig: lambda _: self._open(desktop.aws_files.config),
            clicks.OpenCredentials: lambda _: self._open(desktop.aws_files.credentials),
            clicks.OpenLog: lambda _: self._open(paths.log_file()),
            clicks.ShowTestNotice: lambda _: self._result(protocol.TestNotice()),
            clicks.About: self._about,
            clicks.Restart: self._restart,
            clicks.ShowSession: self._show_session,
            clicks.ShowPage: self._show_page,
            clicks.StopSharing: self._stop_sharing,
            clicks.HideRoles: self._hide_roles,
        }

    def handle(self, click: Click, after: Callable[[], Awaitable[None]] | None = None) -> None:
        """Begin what the click asks for, and when it is done what is to follow. Only on the loop's thread.

        However often it comes in a row without a pause, it counts once: each could open a browser.
        """
        if self._is_repeated(click):
            return
        _log.info("clicked: %s", type(click).__name__)
        task = asyncio.create_task(self._guarded(click, after), name=f"click {type(click).__name__}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _is_repeated(self, click: Click) -> bool:
        now = asyncio.get_running_loop().time()
        while self._clicked and now - self._clicked[oldest := next(iter(self._clicked))] > REPEAT_SECONDS:
            del self._clicked[oldest]
        repeated = self._clicked.pop(click, None) is not None
        self._clicked[click] = now
        return repeated

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _guarded(self, click: Click, after: Callable[[], Awaitable[None]] | None) -> None:
        handler = self._handlers.get(type(click), self._ask)
        try:
            await handler(click)
            if after is not None:
                await after()
        except CredtrayError as error:
            if error.code not in _QUIET:
                self._failed(click, error.problem)
        except Exception as error:  # noqa: BLE001 - the error border of a click: the agent must outlive it
            _log.error("a click failed: %s", type(error).__name__, exc_info=without_values(error))
            self._failed(click, CredtrayError().problem)

    def _failed(self, click: Click, problem: Problem) -> None:
        _log.info("the click failed: %s %s", problem.title, problem.hint)
        self._notify(answer(_key(click), click, problem, self._loop.state))

    def _tell(self, click: Click, title: str, body: str, picture: IconState = GOOD_NEWS) -> None:
        self._notify(Notification(_key(click), title, body, picture=picture))

    def _tell_quietly(self, key: str, title: str) -> None:
        """Tell that a click was heard: a menu that has closed shows nothing of it."""
        self._notify(Notification(key, title, "", urgency=Urgency.LOW, picture=GOOD_NEWS))

    def _notify(self, notification: Notification) -> None:
        """Show it soon; who cannot be told finds it in the log."""
        notifier = self._desktop.notifier
        self._desktop.workers.notices(lambda: notifier.show(notification), _ignore, _ignore)

    def _withdraw(self, key: str) -> None:
        notifier = self._desktop.notifier
        self._desktop.workers.notices(lambda: notifier.withdraw(key), _ignore, _ignore)

    async def _blocking(self, work: Callable[[], T]) -> T:
        """Run it in a thread."""
        return await self._desktop.workers.desktop_result_of(work)

    # --- what the commands can do as well ---------------------------------------------------------------

    async def _ask(self, click: Any) -> None:
        await self._result(click)

    async def _result(
        self, request: protocol.Asks[R], step: Callable[[Progress], None] = lambda _progress: None
    ) -> R:
        heard = HeardHere(step)
        await self._requests.handle(request, heard)
        return protocol.result_of(heard.final, request)

    async def _choose(self, request: Choice) -> None:
        result = await self._result(request)
        for reason in (*result.reasons.values(), result.credentials_file):
            if reason is not None:
                problem = Problem(reason.code, reason.text, reason.hint, Retry.PERSON)
                self._failed(request, problem)
                return
        shadowed = result.shadowed_default
        if shadowed and isinstance(request, protocol.Switch) and request.profile is not None:
            self._tell(
                request,
                f"Default profile: {plain(request.profile)}",
                f"But not for every program: {shadowed}.",
                IconState(Shape.TROUBLE),
            )
            return
        self._tell_quietly(_CHOSEN, chosen_words(request))

    async def _login(self, request: protocol.Login) -> None:
        key = f"{request.session}:sign-in"

        def step(progress: Progress) -> None:
            if progress.text == BROKEN_COMMAND:
                self._tell(request, _OTHER_BROWSER, BROKEN_COMMAND, IconState(Shape.TROUBLE))
            elif progress.user_code or progress.kind == Step.ADDRESS:
                self._notify(_to_do(key, request, progress))

        try:
            result = await self._result(request, step)
        except CredtrayError as error:
            if self._told_anyway(request, error):
                return
            raise
        finally:
            self._withdraw(key)
        if result.already and request.session is not None:
            state, now = self._loop.state, self._loop.now()
            sign_in = sign_in_summary(state, known_session(state, request.session), now)
            self._tell(
                request,
                f"{plain(request.session)}: nothing to do",
                f"You are {sign_in_words(sign_in, now, None)}.",
            )

    def _told_anyway(self, request: protocol.Login, error: CredtrayError) -> bool:
        """Tell whether the notice of a sign-in that failed says it, with what is still valid."""
        session = self._loop.state.sessions.get(request.session or "")
        failed = None if session is None else session.failed
        return failed is not None and failed.problem.code == error.code

    # --- what only a desktop has ------------------------------------------------------------------------

    async def _copy_credentials(self, click: clicks.CopyCredentials) -> None:
        await self._copying.copy(click.profile, click.form)
        where = "the credentials file" if click.form is Form.SECTION else "a terminal"
        self._tell(
            click,
            f"Keys for {plain(click.profile)} copied",
            f"Paste them into {where}; the clipboard is cleared in {CLIPBOARD_SECONDS:.0f} s.",
        )

    async def _copy_link(self, click: clicks.CopySignInLink) -> None:
        pending = known_session(self._loop.state, click.session).pending
        if pending is not None and pending.url is not None:
            await self._desktop.clipboard.put(pending.url, secret=False, seconds=LINK_SECONDS)
            self._tell_quietly(_key(click), "Sign-in link copied")

    async def _open_console(self, click: clicks.OpenConsole) -> None:
        profile = known_profile(self._loop.state, click.profile).profile
        link = self._console_link(profile)
        command = self._loop.state.settings.session(profile.session).browser
        opened = await self._blocking(lambda: open_page(self._desktop.browser, link, command))
        if opened is Opened.NOT_AT_ALL:
            raise BrowserUnopened(f"the address is {link}")
        if opened is Opened.BY_ANOTHER:
            self._tell(click, _OTHER_BROWSER, BROKEN_COMMAND, IconState(Shape.TROUBLE))

    async def _copy_console_link(self, click: clicks.CopyConsoleLink) -> None:
        link = self._console_link(known_profile(self._loop.state, click.profile).profile)
        await self._desktop.clipboard.put(link, secret=False, seconds=LINK_SECONDS)
        self._tell_quietly(_key(click), "Console link copied")

    async def _copy_setup_command(self, click: clicks.CopySetupCommand) -> None:
        try:
            await self._desktop.clipboard.put(_SETUP, secret=False, seconds=LINK_SECONDS)
        except ClipboardUnavailable:
            body = f"Open a terminal and type: {_SETUP}"
            self._tell(click, "Set up credtray in a terminal", body, UNDER_WAY)
        else:
            body = f"Open a terminal, paste it there and press Enter: {_SETUP}"
            self._tell(click, "Setup command copied", body)

    def _console_link(self, profile: Profile) -> str:
        session = known_session(self._loop.state, profile.session).session
        return portal_link(session, profile.account_id, profile.role_name)

    async def _set_autostart(self, click: clicks.SetAutostart) -> None:
        autostart = self._desktop.autostart
        await self._blocking(autostart.enable if click.enabled else autostart.disable)

    async def _open_settings(self, _click: clicks.OpenSettings) -> None:
        def work() -> None:
            self._desktop.settings_file.create()
            self._desktop.open_file(self._desktop.settings_file.path)

        await self._blocking(work)

    async def _open(self, path: Path) -> None:
        await self._blocking(lambda: self._desktop.open_file(path))

    async def _about(self, click: clicks.About) -> None:
        self._tell(
            click,
            f"credtray {__version__}",
            f"Settings: {self._desktop.settings_file.path}. Log: {paths.log_file()}. "
            "Current state: credtray status",
        )

    async def _restart(self, _click: clicks.Restart) -> None:
        """Have another process end this agent and start the next one."""
        await self._blocking(lambda: self._desktop.begin(own_command("restart")))

    async def _show_page(self, click: clicks.ShowPage) -> None:
        async def opened(address: str) -> bool:
            return await self._blocking(lambda: self._desktop.browser.open(address))

        if not await self._desktop.show_page(opened, click.view):
            body = "Type this in a terminal, and open the address yourself: credtray open --print"
            self._tell(click, "No browser could be opened", body, IconState(Shape.TROUBLE))

    async def _stop_sharing(self, click: clicks.StopSharing) -> None:
        if await self._desktop.stop_sharing(click):
            words = f"{plain(click.profile)} is no longer shared with {plain(click.host)}"
            self._tell_quietly(_key(click), words)
        else:
            self._tell(click, *MUTE, IconState(Shape.TROUBLE))

    async def _hide_roles(self, click: clicks.HideRoles) -> None:
        self._desktop.hide_roles(click.session)

    async def _show_session(self, click: clicks.ShowSession) -> None:
        seen = summary(self._loop.state, self._loop.now())
        session = seen.sessions[known_session(seen.state, click.session).name]
        self._tell(click, headline(seen, session), details(seen, session), IconState(session.shape, STEPS))


def _ignore(_outcome: object) -> None:
    """Nothing follows; the notifier has written to the log what it could not show."""


def _key(click: Click) -> str:
    """Return the key of the notices about such clicks: a later answer replaces an earlier one."""
    return f"click:{type(click).__name__}"


def _to_do(key: str, request: protocol.Login, progress: Progress) -> Notification:
    """Tell what a person has to do when no browser window does: enter a code, or open the address."""
    session = request.session or ""
    name = plain(session)
    buttons = (
        Button("Copy sign-in link", clicks.CopySignInLink(session)),
        Button("Cancel", protocol.CancelLogin(session)),
    )
    if progress.user_code is None:
        return Notification(
            key,
            f"{name}: no browser could be opened",
            "Copy the link and open it in a private window."
            if request.clean
            else "Copy the link and open it yourself.",
            buttons,
            picture=UNDER_WAY,
        )
    where = progress.verification_uri or progress.url or ""
    return Notification(
        key,
        f"{name}: enter the code {progress.user_code}",
        f"Open {where} on any device.",
        buttons,
        picture=UNDER_WAY,
    )
