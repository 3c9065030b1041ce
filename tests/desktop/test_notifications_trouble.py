"""Daemons and buses that are missing, restart, hang, refuse or talk rubbish: two seconds, then a reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.clicks import OpenLog, ShowPage
from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Button, DesktopPart, Notification, Part
from credtray.desktop.bus import session
from credtray.desktop.notifications import freedesktop as notifications_dbus
from credtray.desktop.notifications.native import PlyerNotifier
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.notification_fakes import Callbacks, daemon_on, shown_by, told
from tests.desktop.until import until

pytestmark = pytest.mark.linux_desktop("D-Bus")

WARNING = Notification("corp:end", "ends soon", "", (Button("Sign in", protocol.Login("corp")),))
ENDED = Notification("corp:end", "has ended", "", (Button("Sign in", protocol.Login("corp")),))
OTHER = Notification("other", "something else", "", (Button("Log", OpenLog()),))

SERVED = DesktopPart(Part.NOTIFICATIONS, "org.freedesktop.Notifications (fake)")
SILENT = DesktopPart(Part.NOTIFICATIONS, None, "the notification service does not answer")
ABSENT = DesktopPart(Part.NOTIFICATIONS, None, "no notification service is running")


async def refused(agent: Callbacks, notification: Notification = WARNING) -> str:
    """Show it in vain; return why."""
    with pytest.raises(NotifierUnavailable) as caught:
        await agent.show(notification)
    return caught.value.detail


# --- nobody there -------------------------------------------------------------------------------------


def test_without_a_daemon_the_reason_is_told_at_once(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with told(bus.address) as agent:
            await agent.unserved()
            why = await refused(agent)

            assert why == ABSENT.reason
            assert agent.parts == [ABSENT]

    asyncio.run(drive())


def test_a_daemon_that_appears_is_reported_and_used(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with told(bus.address) as agent:
            await agent.unserved()
            async with daemon_on(bus.address) as daemon:
                await agent.served()
                await agent.show(WARNING)

                assert agent.parts == [ABSENT, SERVED]
                assert len(daemon.notified) == 1

    asyncio.run(drive())


def test_without_a_bus_the_reason_is_told() -> None:
    async def drive() -> None:
        async with told("unix:path=/nowhere/bus") as agent:
            await agent.unserved()
            why = await refused(agent)

            assert why.startswith("the message bus cannot be reached: ")
            assert agent.part == DesktopPart(Part.NOTIFICATIONS, None, why)

    asyncio.run(drive())


def test_a_bus_that_begins_later_is_found(bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "RECONNECT_SECONDS", (0.05,))
    bus.kill()

    async def drive() -> None:
        async with told(bus.address) as agent:
            await agent.unserved()
            bus.start()
            async with daemon_on(bus.address) as daemon:
                await agent.served()
                await agent.show(WARNING)

                assert len(daemon.notified) == 1

    asyncio.run(drive())


def test_a_bus_that_is_restarted_costs_one_notice_and_no_more(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "RECONNECT_SECONDS", (0.05,))

    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            bus.kill()
            await agent.unserved()
            await refused(agent)

            bus.start()
            await daemon.die()
            await daemon.start()
            await agent.served()
            await agent.show(ENDED)

            assert [shown.replaces for shown in daemon.notified] == [0, 0]

    asyncio.run(drive())


def test_a_frozen_bus_is_given_up(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (_, agent):
            bus.freeze()
            try:
                why = await refused(agent)
            finally:
                bus.thaw()

            assert why == SILENT.reason

    asyncio.run(drive())


# --- restarts -----------------------------------------------------------------------------------------


def test_a_daemon_that_restarts_begins_its_ids_anew(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(OTHER)
            await agent.show(WARNING)
            await daemon.die()
            await agent.unserved()
            await daemon.start()
            await agent.served()
            await agent.show(WARNING)
            daemon.click(2, "default")  # was ours before, is nobody's now
            await agent.withdraw(OTHER.key)
            daemon.click(1, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [protocol.Login("corp")]
            assert [shown.replaces for shown in daemon.notified] == [0, 0, 0]
            assert daemon.closed == []
            assert agent.parts == [SERVED, ABSENT, SERVED]

    asyncio.run(drive())


def test_another_daemon_that_takes_over_is_asked_what_it_can(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (_, agent):
            await agent.show(WARNING)
            async with daemon_on(bus.address, capabilities=(), server="bare") as bare:
                await until(lambda: agent.part and agent.part.back_end and "bare" in agent.part.back_end)
                await agent.show(ENDED)

                assert (bare.notified[0].replaces, bare.notified[0].actions) == (0, [])

    asyncio.run(drive())


def test_a_daemon_that_dies_with_our_notice_in_its_hands_is_no_daemon(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.hangs = True
            showing = asyncio.create_task(refused(agent))
            await until(lambda: "Notify" in daemon.asked)
            await daemon.die()
            why = await showing

            assert why in {ABSENT.reason, SILENT.reason}
            await until(lambda: agent.part == ABSENT)

    asyncio.run(drive())


# --- one that hangs -----------------------------------------------------------------------------------


def test_a_daemon_that_hangs_is_given_up_and_asked_once(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.hangs = True
            why = await refused(agent)
            again = await refused(agent, OTHER)

            assert [why, again] == [SILENT.reason] * 2
            assert agent.part == SILENT
            assert daemon.asked.count("Notify") == 1

    asyncio.run(drive())


def test_the_loop_runs_on_while_a_daemon_hangs(bus: DbusDaemon) -> None:
    async def drive() -> int:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.hangs = True
            showing, turns = asyncio.create_task(refused(agent)), 0
            while not showing.done():
                await asyncio.sleep(0.01)
                turns += 1
            return turns

    assert asyncio.run(drive()) > 2  # one to begin, one to end: a loop that stood still has no third


def test_a_daemon_that_wakes_up_is_reported_and_shows_the_notice_once(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.hangs = True
            await refused(agent)
            daemon.wake()
            await agent.served()
            await agent.show(ENDED)  # the agent decides anew what it could not tell

            assert [shown.title for shown in daemon.on_screen.values()] == ["has ended"]
            assert daemon.notified[1].replaces == 1
            assert agent.parts == [SERVED, SILENT, SERVED]

    asyncio.run(drive())


def test_a_notice_withdrawn_while_the_daemon_hangs_leaves_when_it_wakes(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.hangs = True
            await refused(agent)
            await agent.withdraw(WARNING.key)
            daemon.wake()
            await until(lambda: daemon.closed)

            assert daemon.on_screen == {}

    asyncio.run(drive())


def test_a_daemon_that_hangs_on_is_not_taken_for_one_that_answers(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications_dbus, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(notifications_dbus, "PATIENCE_SECONDS", 0.3)

    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.hangs = True
            await refused(agent)
            await until(lambda: daemon.asked.count("GetCapabilities") == 2)

            assert agent.parts == [SERVED, SILENT]

    asyncio.run(drive())


def test_while_a_replacement_is_on_its_way_a_click_means_nothing_old(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications_dbus, "ANSWER_SECONDS", 0.1)

    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            daemon.hangs = True
            await refused(agent, Notification(WARNING.key, "it did not move", "", OTHER.buttons))
            daemon.click(1, "default")
            daemon.wake()
            await agent.served()
            daemon.click(1, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [ShowPage()]

    asyncio.run(drive())


def test_a_daemon_that_hangs_from_the_beginning_is_told_and_found_when_it_wakes(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with daemon_on(bus.address, hangs=True) as daemon, told(bus.address) as agent:
            await agent.unserved()
            daemon.wake()
            await agent.served()

            assert agent.parts == [SILENT, SERVED]

    asyncio.run(drive())


def test_the_end_of_the_agent_waits_for_no_daemon(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with daemon_on(bus.address) as daemon:
            async with told(bus.address) as agent:
                await agent.served()
                await agent.show(WARNING)
                daemon.hangs = True
                await refused(agent, OTHER)

            assert daemon.hangs  # it never answered, and the agent has ended

    asyncio.run(drive())


# --- one that is wrong --------------------------------------------------------------------------------


def test_a_refusal_is_told_and_tried_again_after_a_while(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications_dbus, "AGAIN_SECONDS", 0.1)

    async def drive() -> None:
        async with shown_by(bus.address, refuses="too <b>many</b>\x07") as (_, agent):
            why = await refused(agent)
            await agent.served()

            assert why.startswith("the notification service refused: ")
            assert why.isprintable()
            assert "<" not in why

    asyncio.run(drive())


@pytest.mark.parametrize("answer", [("s", ["nothing"]), ("", []), ("as", [["actions"]]), ("i", [-5])])
def test_an_answer_that_is_no_id_is_no_notice(bus: DbusDaemon, answer: tuple[str, list[Any]]) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            daemon.rubbish = answer
            why = await refused(agent)

            assert "without an id" in why

    asyncio.run(drive())


@pytest.mark.parametrize("answer", [("s", ["nothing"]), ("", []), ("u", [0])])
def test_a_daemon_that_cannot_say_what_it_can_gets_no_buttons(
    bus: DbusDaemon, answer: tuple[str, list[Any]]
) -> None:
    async def drive() -> None:
        async with shown_by(bus.address, rubbish=answer) as (daemon, agent):
            daemon.rubbish = None
            await agent.show(WARNING)

            assert daemon.notified[0].actions == []

    asyncio.run(drive())


def test_a_failed_replacement_leaves_the_old_notice_in_charge(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(OTHER)
            daemon.refuses = "not now"
            await refused(agent, Notification(OTHER.key, "newer", ""))
            daemon.refuses = None
            daemon.click(1, "default")
            await until(lambda: agent.clicks)
            await agent.show(OTHER)

            assert agent.clicks == [ShowPage()]
            assert daemon.notified[-1].replaces == 1

    asyncio.run(drive())


# --- instead of D-Bus ---------------------------------------------------------------------------------


def test_where_dbus_fast_does_not_run_plyer_steps_in(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Center:
        def notify(self, **what: Any) -> None:
            shown.append(what["title"])

    monkeypatch.setattr(notifications_dbus, "why_not_plyer", lambda: None)
    monkeypatch.setattr(notifications_dbus, "PlyerNotifier", lambda: PlyerNotifier(Center))

    async def drive() -> None:
        async with told("unix:path=/nowhere/bus") as agent:
            await agent.served()
            await agent.show(WARNING)

            assert agent.part is not None
            assert agent.part.back_end == "plyer"

    asyncio.run(drive())

    assert shown == ["ends soon"]
