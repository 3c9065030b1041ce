"""What a click does, over the real loop and requests, on a desktop that remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from credtray.aws.locations import locate
from credtray.click_handler import ClickHandler, Desktop
from credtray.core import clicks, protocol
from credtray.core.clicks import Click
from credtray.core.errors import ClipboardUnavailable, CredtrayError, FileUnopened, Offline
from credtray.core.events import SettingsLoaded
from credtray.core.forms import Form
from credtray.core.icon_state import Shape
from credtray.core.ports import Button, Notification, Urgency
from credtray.core.settings import SessionSettings, Settings
from credtray.daemon.workers import Workers
from credtray.desktop import paths
from credtray.desktop.autostart import Autostart
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.login_entry import Found
from credtray.store.settings_file import SettingsFile
from tests.daemon.fakes import Daemon, run
from tests.daemon.person import real, until, world
from tests.fakes_identity_center import FakeBrowser


@dataclass
class RecordedClipboard:
    """Implements ``clipboard.Holder``: the clipboard of a desktop that remembers what it was offered."""

    texts: list[tuple[str, bool]] = field(default_factory=list)
    given_up: list[float] = field(default_factory=list)
    problem: CredtrayError | None = None

    async def offer(self, text: str, *, secret: bool) -> None:
        if self.problem is not None:
            raise self.problem
        self.texts.append((text, secret))

    async def give_up(self) -> None:
        self.given_up.append(asyncio.get_running_loop().time())

    @property
    def clipboard(self) -> Clipboard:
        return Clipboard({}, lambda _environ: self)


@dataclass
class RecordedLogin:
    """Implements ``login_entry.LoginEntry``: an entry that notes how it is switched."""

    done: list[str]
    place: str = "autostart/credtray.desktop"

    def content(self, command: tuple[str, ...]) -> bytes:
        return " ".join(command).encode()

    def starts(self, command: tuple[str, ...]) -> str:
        return " ".join(command)

    def found(self) -> Found | None:
        return None

    def write(self, content: bytes) -> None:
        self.done.append(f"write {content.decode()}")

    def remove(self) -> None:
        self.done.append("remove")


@dataclass
class RecordedDesktop:
    """What a person would see of it all."""

    browser: FakeBrowser = field(default_factory=FakeBrowser)
    board: RecordedClipboard = field(default_factory=RecordedClipboard)
    done: list[str] = field(default_factory=list)
    shown: dict[str, Notification] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    showings: int = 0
    problem: CredtrayError | None = None

    def open_file(self, path: Path) -> None:
        if self.problem is not None:
            raise self.problem
        self.done.append(f"open {path.name}{'' if path.exists() else ', which is not there'}")

    def show(self, notification: Notification) -> None:
        self.showings += 1
        self.shown[notification.key] = notification

    def withdraw(self, key: str) -> None:
        self.withdrawn.append(key)

    def words(self) -> str:
        return "\n".join(f"{each.title}|{each.body}" for each in self.shown.values())

    def joined(self, workers: Workers) -> Desktop:
        return Desktop(
            workers,
            self,
            self.browser,
            self.board.clipboard,
            Autostart(("credtray", "run"), RecordedLogin(self.done)),
            SettingsFile(paths.settings_file()),
            locate({}, Path.home()),
            self.open_file,
            lambda command: self.done.append(f"begin {' '.join(command[-2:])}"),
            self.show_page,
            self.stop_sharing,
            lambda session: self.done.append(f"hide {session}"),
        )

    async def stop_sharing(self, click: clicks.StopSharing) -> bool:
        self.done.append(f"stop sharing {click.profile} with {click.host}")
        return click.host != "suspended"

    async def show_page(self, opened: Callable[[str], Awaitable[bool]], view: str) -> bool:
        return await opened(f"http://127.0.0.1:20002/once{view}")


class Scene:
    """A daemon, its clicks and a desktop that remembers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.desktop = RecordedDesktop()
        self.clicks = ClickHandler(daemon.loop, daemon.requests, self.desktop.joined(daemon.workers))

    async def started(self, *, signed_in: bool = True) -> Scene:
        await self.daemon.started()
        if signed_in:
            await self.daemon.ask(protocol.Login("corp"))
        return self

    def effects(self) -> int:
        """Return how much was opened and told."""
        return len(self.daemon.browser.opened) + len(self.desktop.done) + self.desktop.showings

    async def click(self, click: Click, seconds: float = 60) -> None:
        self.clicks.handle(click)
        await asyncio.sleep(seconds)


def test_click_on_sign_in_signs_in_and_returns_at_once() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started(signed_in=False)
        before = scene.daemon.loop.now()
        scene.clicks.handle(protocol.Login("corp"))

        assert scene.daemon.loop.now() == before
        await asyncio.sleep(60)
        assert scene.daemon.state.sessions["corp"].token is not None
        assert len(scene.daemon.browser.opened) == 1

    run(drive())


def test_sign_in_while_a_long_one_is_active_says_so_and_opens_nothing() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(protocol.Login("corp"))

        assert len(scene.daemon.browser.opened) == 1
        assert "nothing to do" in scene.desktop.words()

    run(drive())


def test_new_sign_in_in_a_browser_that_opens_asks_nobody_to_copy_a_link() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        scene.daemon.listener.visit = lambda _url: None  # they come to the page, and take their time there
        await scene.click(protocol.Login("corp", fresh=True))

        assert not scene.daemon.portal.sign_in_active
        assert len(scene.daemon.browser.opened) == 2
        assert "corp:sign-in" not in scene.desktop.shown

    run(drive())


def test_browser_that_does_not_open_leaves_a_link_to_copy() -> None:
    async def drive() -> None:
        async with world() as (daemon, _person):
            daemon.browser.opens = False
            scene = Scene(daemon)
            scene.clicks.handle(protocol.Login("corp"))
            await until(lambda: "corp:sign-in" in scene.desktop.shown)

            assert scene.desktop.shown["corp:sign-in"].title == "corp: no browser could be opened"
            assert [button.click for button in scene.desktop.shown["corp:sign-in"].buttons] == [
                clicks.CopySignInLink("corp"),
                protocol.CancelLogin("corp"),
            ]
            scene.clicks.handle(clicks.CopySignInLink("corp"))
            await until(lambda: "click:CopySignInLink" in scene.desktop.shown)
            pending = daemon.state.sessions["corp"].pending
            assert pending is not None
            assert scene.desktop.board.texts == [(pending.url, False)]
            assert scene.desktop.shown["click:CopySignInLink"].title == "Sign-in link copied"
            scene.clicks.handle(protocol.CancelLogin("corp"))
            await until(lambda: bool(scene.desktop.withdrawn))
            assert daemon.state.sessions["corp"].pending is None
            assert "cancelled" not in scene.desktop.words()

    real(drive())


def test_code_of_another_device_is_shown_until_the_sign_in_ends() -> None:
    async def drive() -> None:
        async with world() as (daemon, _person):
            scene = Scene(daemon)
            scene.clicks.handle(protocol.Login("corp", device=True))
            await until(lambda: "corp:sign-in" in scene.desktop.shown)

            pending = daemon.state.sessions["corp"].pending
            assert pending is not None
            assert str(pending.user_code) in scene.desktop.shown["corp:sign-in"].title
            assert scene.desktop.withdrawn == []
            await scene.clicks.close()
            await until(lambda: daemon.state.sessions["corp"].pending is None)
            assert scene.desktop.withdrawn == ["corp:sign-in"]

    real(drive())


def test_sign_in_that_fails_tells_why() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started(signed_in=False)
        scene.daemon.portal.fault = Offline("no route to the portal")
        await scene.click(protocol.Login("corp"))

        assert scene.desktop.words() == ""  # the notice tells it, once
        notice = scene.daemon.notifier.there["corp:end"]
        assert notice.title == "corp: sign-in failed"
        assert "no route to the portal. You are not signed in" in notice.body
        assert [button.label for button in notice.buttons] == ["Sign in"]

    run(drive())


def test_code_on_another_device_asks_before_it_ends_a_long_sign_in() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(protocol.Login("corp", fresh=True, device=True))
        [told] = scene.desktop.shown.values()

        assert "This ends your current sign-in, about " in told.body
        assert [(button.label, button.click) for button in told.buttons] == [
            ("End it and sign in again", protocol.Login("corp", fresh=True, device=True, agreed=True))
        ]
        assert scene.daemon.portal.sign_in_active
        assert scene.daemon.state.sessions["corp"].failed is None

    run(drive())


def test_click_on_a_profile_rewrites_the_default_section() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev", "ro")).started()
        await scene.click(protocol.Switch("ro"))

        assert scene.daemon.credentials.sections["default"].profile == "ro"
        await scene.click(protocol.Switch("dev"))
        assert scene.daemon.credentials.sections["default"].profile == "dev"
        await scene.click(protocol.Switch(None))
        assert scene.daemon.credentials.sections == {}

    run(drive())


@pytest.mark.met("L")
@pytest.mark.parametrize(
    ("click", "words"),
    [
        (protocol.Switch("ro"), "Default profile: ro"),
        (protocol.Switch(None), "There is no longer a default profile"),
        (protocol.Activate(("dev",)), "Keys for dev are kept fresh"),
        (protocol.Deactivate(("dev",)), "Keys for dev are no longer kept fresh"),
    ],
)
def test_choice_with_the_mouse_is_answered_quietly(click: Click, words: str) -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev", "ro")).started()
        await scene.click(click)

        (told,) = scene.desktop.shown.values()
        assert (told.title, told.urgency, told.picture.shape) == (words, Urgency.LOW, Shape.FRESH)

    run(drive())


def test_choice_that_cannot_take_effect_tells_why() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started(signed_in=False)
        await scene.click(protocol.Activate(("dev",)))

        (told,) = scene.desktop.shown.values()
        assert told.title == "You need to sign in first"
        assert told.buttons == (Button("Sign in", protocol.Login("corp")),)

    run(drive())


@pytest.mark.parametrize(("form", "mark"), [(Form.POSIX, "export AWS_"), (Form.SECTION, "[dev]")])
def test_copied_credentials_reach_the_clipboard_and_nothing_else(form: Form, mark: str) -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        await scene.click(clicks.CopyCredentials("dev", form))

        ((text, secret),) = scene.desktop.board.texts
        assert mark in text
        assert "CANARY-key" in text
        assert secret
        assert "CANARY" not in scene.desktop.words()

    run(drive())


@pytest.mark.parametrize(
    ("click", "seconds"),
    [(clicks.CopyCredentials("dev", Form.POSIX), 45), (clicks.CopyConsoleLink("dev"), 600)],
)
def test_keys_leave_the_clipboard_sooner_than_a_link(click: Click, seconds: float) -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        await scene.click(click, seconds - 1)
        assert scene.desktop.board.given_up == []
        await asyncio.sleep(2)

        assert len(scene.desktop.board.given_up) == 1

    run(drive())


def test_copying_without_a_clipboard_tells_why() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        scene.desktop.board.problem = ClipboardUnavailable("no display")
        await scene.click(clicks.CopyCredentials("dev", Form.FISH))

        assert "no display" in scene.desktop.words()

    run(drive())


def test_copying_while_signed_out_tells_that_a_sign_in_is_needed() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started(signed_in=False)
        await scene.click(clicks.CopyCredentials("dev", Form.FISH))

        assert scene.desktop.board.texts == []
        (told,) = scene.desktop.shown.values()
        assert told.title == "You need to sign in first"
        assert told.buttons == (Button("Sign in", protocol.Login("corp")),)

    run(drive())


@pytest.mark.met("L")
@pytest.mark.parametrize("copied", [True, False], ids=["copied", "no clipboard"])
def test_setup_command_is_told_in_words_whether_it_can_be_copied_or_not(copied: bool) -> None:  # noqa: FBT001 - a row
    async def drive() -> None:
        scene = await Scene(Daemon()).started(signed_in=False)
        scene.desktop.board.problem = None if copied else ClipboardUnavailable("no display")
        await scene.click(clicks.CopySetupCommand())

        assert scene.desktop.board.texts == ([("credtray setup", False)] if copied else [])
        assert "Open a terminal" in scene.desktop.words()
        assert scene.desktop.words().endswith(": credtray setup")

    run(drive())


@pytest.mark.met("L")
def test_page_opens_in_the_browser_or_the_command_for_it_is_told() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        await scene.click(clicks.ShowPage())

        assert scene.desktop.browser.opened == ["http://127.0.0.1:20002/once"]
        scene.desktop.browser.opens = False
        await scene.click(clicks.ShowPage())
        assert "credtray open --print" in scene.desktop.words()

    run(drive())


def test_a_copied_console_link_is_told_and_leads_to_the_role() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(clicks.CopyConsoleLink("dev"))
        ((link, secret),) = scene.desktop.board.texts
        (told,) = scene.desktop.shown.values()

        assert "account_id=111100000000" in link
        assert not secret
        assert (told.title, told.urgency) == ("Console link copied", Urgency.LOW)

    run(drive())


def test_console_opens_the_deep_link_of_the_portal_without_keys() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        browser = scene.desktop.browser
        await scene.click(clicks.OpenConsole("dev"))

        (link,) = browser.opened
        assert link.startswith("https://d-9067000001.awsapps.com/start")
        assert "account_id=111100000000" in link
        assert "CANARY" not in link
        browser.opens = False
        await scene.click(clicks.OpenConsole("dev"))
        assert "No browser could be opened" in scene.desktop.words()

    run(drive())


def test_console_opens_in_the_browser_of_its_session_and_another_is_told() -> None:
    async def drive() -> None:
        daemon = Daemon("dev")
        daemon.settings.content = Settings(sessions={"corp": SessionSettings(browser="firefox -P work %s")})
        scene = await Scene(daemon).started()
        browser = scene.desktop.browser
        await scene.click(clicks.OpenConsole("dev"))

        assert browser.commands == ["firefox -P work %s"]
        assert scene.desktop.words() == ""
        chosen = Settings(sessions={"corp": SessionSettings(browser="broken")})
        daemon.loop.take(SettingsLoaded(chosen))
        await scene.click(clicks.OpenConsole("dev"))

        assert len(browser.opened) == 2
        assert "another browser" in scene.desktop.words()

    run(drive())


def test_settings_are_created_before_they_are_opened() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(clicks.OpenSettings())
        await scene.click(clicks.OpenLog())
        await scene.click(clicks.SetAutostart(enabled=True))

        assert scene.desktop.done == [
            "open settings.toml",
            "open agent.log, which is not there",
            "write credtray run",
        ]

    run(drive())


def test_restart_is_done_by_another_process() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(clicks.Restart())

        assert scene.desktop.done == ["begin credtray restart"]

    run(drive())


def test_desktop_without_an_editor_tells_the_path() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        scene.desktop.problem = FileUnopened("/home/somebody/agent.log")
        await scene.click(clicks.OpenLog())

        assert "/home/somebody/agent.log" in scene.desktop.words()

    run(drive())


def test_about_tells_where_things_are() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(clicks.About())

        assert "settings.toml" in scene.desktop.words()

    run(drive())


@pytest.mark.parametrize(
    "click",
    [
        protocol.Login("gone"),
        protocol.CancelLogin("gone"),
        protocol.Logout("gone"),
        protocol.Snooze("gone", 10),
        protocol.Switch("gone"),
        protocol.Activate(("gone",)),
        clicks.CopyCredentials("gone", Form.CMD),
        clicks.CopySignInLink("gone"),
        clicks.OpenConsole("gone"),
        clicks.ShowSession("gone"),
    ],
)
def test_click_on_what_is_gone_meanwhile_tells_so(click: Click) -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(click)

        assert "gone" in scene.desktop.words()

    run(drive())


def test_line_of_a_session_tells_more_when_it_is_clicked() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        await scene.click(protocol.Activate(("dev",)))
        await scene.click(clicks.ShowSession("corp"))

        assert "renews automatically" in scene.desktop.words()
        assert "Keys for dev" in scene.desktop.words()
        assert "CANARY" not in scene.desktop.words()

    run(drive())


def test_quit_ends_the_agent() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(protocol.Stop(), 1)

        assert scene.daemon.stopped.is_set()

    run(drive())


def test_clicks_under_way_are_given_up_at_the_end() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started(signed_in=False)
        scene.daemon.browser.visit = lambda _url: None
        scene.clicks.handle(protocol.Login("corp"))
        await asyncio.sleep(1)
        await scene.clicks.close()
        await asyncio.sleep(30)

        assert scene.daemon.state.sessions["corp"].pending is None

    run(drive())


@pytest.mark.parametrize(
    "click", [clicks.OpenConsole("dev"), clicks.OpenLog(), clicks.About(), protocol.Login("corp", fresh=True)]
)
def test_click_that_is_repeated_without_a_pause_counts_once(click: Click) -> None:
    async def drive() -> None:
        scene = await Scene(Daemon("dev")).started()
        console = scene.desktop.browser
        before = scene.effects()
        for _ in range(5000):
            scene.clicks.handle(click)
            await asyncio.sleep(0.001)
        await asyncio.sleep(60)

        assert len(console.opened) + scene.effects() == before + 1

    run(drive())


def test_same_click_after_a_pause_counts_again() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(clicks.OpenLog(), 1)
        await scene.click(clicks.OpenLog(), 1)

        assert len(scene.desktop.done) == 2

    run(drive())


def test_clicks_on_different_items_in_a_row_all_count() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        for click in (protocol.Switch("dev"), protocol.Switch(None), protocol.Activate(("dev",))):
            scene.clicks.handle(click)
        await asyncio.sleep(60)

        assert scene.daemon.state.default is None
        assert scene.daemon.state.active == ("dev",)

    run(drive())


def test_click_that_ends_a_share_says_so_and_why_it_did_not() -> None:
    async def drive() -> None:
        scene = await Scene(Daemon()).started()
        await scene.click(clicks.StopSharing("devbox", "corp-ro"))

        assert scene.desktop.done == ["stop sharing corp-ro with devbox"]
        assert "corp-ro is no longer shared with devbox" in scene.desktop.words()
        await scene.click(clicks.StopSharing("suspended", "corp-ro"))
        assert "does not answer" in scene.desktop.words()

    run(drive())
