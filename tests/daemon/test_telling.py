"""Notices over the real daemon: shown, taken back, told again; and the names of accounts."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import NotifierUnavailable, PortalFailed
from credtray.core.events import PartChanged, PresenceChanged
from credtray.core.ports import DesktopPart, Part, Presence
from tests.core.making import MINUTE
from tests.daemon.fakes import Daemon, run

WARNED = "corp: sign-in ends in about 30 min"
FAILED = PortalFailed("HTTP 500")


async def signed_in(minutes: float = 110) -> Daemon:
    daemon = Daemon()
    daemon.portal.sign_in_length = minutes * MINUTE
    return await daemon.signed_in("dev")


def titles(daemon: Daemon) -> list[str]:
    return [notification.title for notification in daemon.notifier.there.values()]


def part(back_end: str | None) -> PartChanged:
    return PartChanged(DesktopPart(Part.NOTIFICATIONS, back_end))


# --- notices -----------------------------------------------------------------------------------------


def test_sign_in_is_told_quietly_and_the_warning_offers_the_next_one() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await asyncio.sleep(60)
        assert titles(daemon) == ["corp: signed in"]
        await asyncio.sleep(5 * 60)
        assert titles(daemon) == []
        await asyncio.sleep(79 * 60)

        assert titles(daemon) == [WARNED]
        clicks = [button.click for button in daemon.notifier.there["corp:end"].buttons]
        assert clicks == [protocol.Login("corp"), protocol.Snooze("corp", 10)]

    run(drive())


def test_warning_is_taken_back_when_the_person_signs_out() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await asyncio.sleep(85 * 60)
        assert titles(daemon) == [WARNED]
        await daemon.ask(protocol.Logout("corp"))
        await asyncio.sleep(5)

        assert titles(daemon) == []

    run(drive())


def test_click_on_the_warning_signs_in_afresh() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await asyncio.sleep(85 * 60)
        [sign_in, _] = daemon.notifier.there["corp:end"].buttons
        await daemon.ask(sign_in.click)  # type: ignore[arg-type]  # a request of the commands, asserted above
        await asyncio.sleep(5)

        assert titles(daemon) == ["corp: signed in"]
        assert len(daemon.browser.opened) == 2

    run(drive())


def test_what_nobody_could_be_told_is_in_the_log_and_told_when_a_service_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await asyncio.sleep(10 * 60)
        daemon.notifier.shown.clear()
        daemon.loop.take(part(None))
        daemon.notifier.problem = NotifierUnavailable("no service")
        await asyncio.sleep(75 * 60)
        daemon.notifier.problem = None
        await asyncio.sleep(60)
        assert daemon.notifier.shown == []
        daemon.loop.take(part("freedesktop"))
        await asyncio.sleep(60)

        assert len(daemon.notifier.shown) == 1
        assert daemon.state.sessions["corp"].unseen == frozenset()

    with caplog.at_level(logging.WARNING):
        run(drive())
    lines = [record.getMessage() for record in caplog.records]
    told = [line for line in lines if "no notification could be shown" in line]
    assert len(told) == 1
    assert WARNED in told[0]
    assert told[0].endswith("Sign in: credtray login corp")


def test_service_that_refuses_everything_is_asked_once_for_each_notice() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await asyncio.sleep(10 * 60)
        asked = 0

        def refuse(_notification: object) -> None:
            nonlocal asked
            asked += 1
            daemon.loop.post(part("freedesktop"))
            raise NotifierUnavailable("it hangs")

        daemon.notifier.show = refuse  # type: ignore[method-assign,assignment]  # counts
        await asyncio.sleep(80 * 60)

        assert asked == 2, "once, and once more for the service that appeared meanwhile"

    run(drive())


def test_locked_screen_holds_the_notice_and_not_the_refresh() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await asyncio.sleep(10 * 60)
        daemon.loop.take(PresenceChanged(Presence(locked=True)))
        daemon.notifier.shown.clear()
        await asyncio.sleep(95 * 60)
        held = daemon.state.profiles["dev"].credentials

        assert daemon.notifier.shown == []
        assert held is not None
        assert held.expires_at - daemon.clock.now() > 15 * MINUTE
        daemon.loop.take(PresenceChanged(Presence()))
        await asyncio.sleep(5)
        assert daemon.notifier.shown == ["corp: sign-in ends in about 5 min"]

    run(drive())


# --- the names of accounts ---------------------------------------------------------------------------


def test_accounts_are_listed_once_for_a_sign_in_and_named_in_status() -> None:
    async def drive() -> None:
        daemon = await signed_in(300)
        await asyncio.sleep(200 * 60)

        assert daemon.portal.counted["accounts"] == 1
        assert daemon.state.accounts == {"111100000001": "Synderys Platform"}
        await daemon.ask(protocol.Login("corp", fresh=True))
        await asyncio.sleep(60)
        assert daemon.portal.counted["accounts"] == 2

    run(drive())


def test_accounts_that_cannot_be_listed_are_no_trouble() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.portal.fail("accounts", FAILED)
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(3 * 3600)

        assert daemon.state.sessions["corp"].trouble is None
        assert daemon.portal.counted["accounts"] == 1
        assert daemon.state.profiles["dev"].credentials is not None

    run(drive())


def test_no_command_waits_for_the_names_of_accounts() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        portal: Any = daemon.workers.portal
        slow = asyncio.get_running_loop()
        uncounted: list[str] = []

        def crawl(session: str, work: object, *rest: object, counted: bool = True) -> None:
            if counted:
                portal(session, work, *rest)
            else:
                uncounted.append(session)
                slow.call_later(300, portal, session, work, *rest)

        daemon.workers.portal = crawl  # type: ignore[method-assign,assignment]  # a portal with 600 accounts
        began = slow.time()
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev",)))

        assert slow.time() - began < 10
        assert uncounted == ["corp"]
        assert "dev" in daemon.credentials.sections

    run(drive())
