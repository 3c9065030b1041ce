"""A window that nobody asked for, in the real loop: it opens once, after the portal has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from credtray.app import _allowed
from credtray.core import protocol
from credtray.core.errors import ListenerUnavailable, Offline
from credtray.core.events import Event, FilesChanged, PartChanged, PresenceChanged, Tick
from credtray.core.ports import DesktopPart, Part, Presence
from credtray.core.session_status import sign_in_status
from credtray.core.settings import SessionSettings, Settings
from credtray.core.state import SignInStatus
from credtray.daemon.loop import LoopOptions
from tests.core.making import HOUR, MINUTE
from tests.daemon.fakes import Daemon, run

WATCHED = PartChanged(DesktopPart(Part.PRESENCE, "logind"))
LOCKED = PresenceChanged(Presence(locked=True))


async def hours(daemon: Daemon, count: float) -> None:
    for _ in range(round(count * 60)):
        await asyncio.sleep(60)
        daemon.loop.take(Tick())


async def at_the_end(daemon: Daemon, *events: Event, opens: bool = True) -> int:
    """Sign in, let the sign-in end four hours later; return how often a browser had been opened by then."""
    daemon.settings.content = Settings(
        sessions={"corp": SessionSettings(4 * HOUR, open_by_itself=True)}, warn_before=()
    )
    daemon.portal.sign_in_length = 4 * HOUR
    await daemon.started()
    daemon.loop.take(WATCHED)
    await daemon.ask(protocol.Login("corp"))
    opened = len(daemon.browser.opened)
    daemon.browser.opens = opens
    for event in events:
        daemon.loop.take(event)
    await hours(daemon, 3.9)

    assert len(daemon.browser.opened) == opened
    return opened


def driven(work: Callable[[Daemon], Awaitable[None]], conduct: LoopOptions | None = None) -> None:
    async def drive() -> None:
        daemon = Daemon(conduct=conduct)
        await work(daemon)
        await daemon.loop.stop(60)

    run(drive())


def test_the_window_opens_and_who_signs_in_there_is_signed_in() -> None:
    async def work(daemon: Daemon) -> None:
        opened = await at_the_end(daemon)
        await hours(daemon, 1)

        assert len(daemon.browser.opened) == opened + 1
        assert sign_in_status(daemon.state.sessions["corp"], daemon.clock.now()) is SignInStatus.SIGNED_IN

    driven(work)


def test_a_window_nobody_uses_is_the_only_one() -> None:
    async def work(daemon: Daemon) -> None:
        daemon.settings.touch()
        opened = await at_the_end(daemon)
        daemon.browser.visit = lambda _url: None
        await hours(daemon, 12)

        assert len(daemon.browser.opened) == opened + 1
        assert daemon.state.sessions["corp"].pending is None
        assert b'"window"' in daemon.state_file.document

    driven(work)


def test_without_a_portal_nothing_opens_and_with_it_one_does() -> None:
    async def work(daemon: Daemon) -> None:
        opened = await at_the_end(daemon, LOCKED)
        await hours(daemon, 1)
        daemon.portal.fault = Offline()
        daemon.loop.take(PresenceChanged(Presence()))
        await hours(daemon, 1)
        before = len(daemon.browser.opened)
        daemon.portal.fault = None
        await hours(daemon, 0.5)

        assert (before, len(daemon.browser.opened)) == (opened, opened + 1)

    driven(work)


def test_who_locks_the_screen_while_the_portal_answers_finds_no_window() -> None:
    async def work(daemon: Daemon) -> None:
        opened = await at_the_end(daemon)
        register = daemon.portal.register

        def locked(*arguments: object) -> object:
            asyncio.get_running_loop().call_soon(daemon.loop.take, LOCKED)
            daemon.loop.take(LOCKED)
            return register(*arguments)  # type: ignore[arg-type]  # handed on as they came

        daemon.portal.register = locked  # type: ignore[method-assign,assignment]  # somebody leaves meanwhile
        await hours(daemon, 1)
        before = len(daemon.browser.opened)
        daemon.portal.register = register  # type: ignore[method-assign]  # as it was
        daemon.loop.take(PresenceChanged(Presence()))
        await hours(daemon, 1)

        assert (before, len(daemon.browser.opened)) == (opened, opened + 1)

    driven(work)


def test_without_a_free_port_no_code_appears_unasked() -> None:
    async def work(daemon: Daemon) -> None:
        opened = await at_the_end(daemon)
        daemon.listener.failure = ListenerUnavailable("no port")
        await hours(daemon, 2)

        assert len(daemon.browser.opened) == opened
        assert daemon.portal.counted["start_device"] == 0

    driven(work)


@pytest.mark.parametrize("request_", [protocol.Activate(("dev",)), protocol.Login("corp")])
def test_a_command_without_an_agent_opens_nothing_by_itself(request_: protocol.Request) -> None:
    async def work(daemon: Daemon) -> None:
        opened = await at_the_end(daemon)
        await hours(daemon, 2)

        assert len(daemon.browser.opened) == opened

    driven(work, LoopOptions(_allowed(request_)))


def test_switched_off_in_the_file_it_is_off_at_once() -> None:
    async def work(daemon: Daemon) -> None:
        opened = await at_the_end(daemon)
        daemon.settings.content = Settings()
        daemon.settings.touch()
        daemon.loop.take(FilesChanged())
        await asyncio.sleep(MINUTE.total_seconds())
        await hours(daemon, 2)

        assert len(daemon.browser.opened) == opened

    driven(work)
