"""The loop outlives whatever happens to it, and neither sleeps forever nor runs hot."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from credtray.core import protocol, state_document
from credtray.core.errors import FileUnwritable, Offline, SectionNotOurs
from credtray.core.events import (
    Activated,
    ClockChanged,
    ConfigLoaded,
    Event,
    FilesChanged,
    NetworkChanged,
    Tick,
    Woke,
)
from credtray.core.models import AwsConfig
from credtray.core.policy import ShowNotice
from credtray.daemon.loop import LoopOptions
from tests.as_json import result
from tests.core.making import HOUR, MINUTE, config, profile
from tests.daemon.fakes import Daemon, run

# --- errors ------------------------------------------------------------------------------------------


def test_an_event_nobody_can_take_is_logged_and_the_next_one_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Strange:
        """No event the state knows."""

    async def drive() -> None:
        daemon = await Daemon().signed_in("dev")
        daemon.loop.take(Strange())  # type: ignore[arg-type]  # that is the point
        daemon.loop.take(Activated(("dev",)))

        assert daemon.credentials.sections.keys() == {"dev"}

    with caplog.at_level(logging.ERROR):
        run(drive())
    assert "Strange could not be processed" in caplog.text


def test_a_listener_that_raises_does_not_stop_the_agent() -> None:
    def heard(event: Event) -> None:
        raise RuntimeError("CANARY")

    async def drive() -> None:
        daemon = await Daemon(conduct=LoopOptions(heard=heard)).started()
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev",)))

        assert "dev" in daemon.credentials.sections

    run(drive())


def test_an_action_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        portal = daemon.workers.portal

        def refuse(*_arguments: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(daemon.workers, "portal", refuse)
        daemon.loop.take(Activated(("dev",)))
        monkeypatch.setattr(daemon.workers, "portal", portal)
        await asyncio.sleep(600)

        assert "dev" in daemon.credentials.sections

    run(drive())


def test_errors_are_logged_without_the_values_in_them(caplog: pytest.LogCaptureFixture) -> None:
    canary = f"CAN{'ARY'}"  # not in the source line, which the traceback quotes

    def heard(event: Event) -> None:
        raise RuntimeError(canary)

    async def drive() -> None:
        await Daemon(conduct=LoopOptions(heard=heard)).started()

    run(drive())
    assert "RuntimeError" in caplog.text
    assert "CANARY" not in caplog.text


# --- time --------------------------------------------------------------------------------------------


def test_keys_stay_fresh_without_a_scheduler() -> None:
    """Should the ticks ever stop, the loop's own timer goes on."""

    async def drive() -> None:
        daemon = await Daemon().signed_in("dev")
        for _ in range(14):
            await asyncio.sleep(1800)

            assert daemon.credentials.keys["dev"].credentials.expires_at - daemon.clock.now() > 15 * MINUTE

    run(drive())


def test_an_hour_without_work_costs_few_wakeups() -> None:
    async def drive() -> int:
        wakeups = 0

        def heard(event: Event) -> None:
            nonlocal wakeups
            wakeups += 1

        daemon = await Daemon(conduct=LoopOptions(heard=heard)).started()
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev",)))
        wakeups = 0
        await asyncio.sleep(3600)
        return wakeups

    assert run(drive()) <= 2 * 60


def test_a_section_that_is_changed_back_at_once_is_no_busy_loop() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.credentials.forgetful.add("dev")
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev",)))
        daemon.credentials.syncs = 0
        await asyncio.sleep(600)

        assert 5 < daemon.credentials.syncs < 60
        assert daemon.state.file.trouble is not None
        daemon.credentials.forgetful.clear()
        await asyncio.sleep(60)
        assert "dev" in daemon.credentials.sections
        assert daemon.state.file.trouble is None

    run(drive())


def test_a_refused_section_is_told_once_and_costs_no_rewrites() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.credentials.foreign["dev"] = SectionNotOurs("[dev] holds keys").problem
        await daemon.ask(protocol.Login("corp"))
        reply = await daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(600)

        assert isinstance(reply, protocol.Done)
        assert result(reply)["profiles"][0]["error"]["code"] == "section_not_ours"
        assert len([each for each in daemon.notifier.shown if "left alone" in each]) == 1
        assert daemon.credentials.syncs < 5

    run(drive())


def test_sleep_of_twelve_hours_costs_what_is_due_once() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in("dev")
        before = sum(daemon.portal.counted.values())
        daemon.clock.shift += 12 * HOUR
        for event in (Woke(), Tick(), Tick()):
            daemon.loop.take(event)
        await asyncio.sleep(120)

        assert daemon.state.sessions["corp"].ended
        assert sum(daemon.portal.counted.values()) - before <= 2
        assert [title for title in daemon.notifier.shown if title.endswith("ended")] == [
            "corp: sign-in ended"
        ]
        assert daemon.credentials.sections == {}
        assert len(daemon.browser.opened) == 1, "a browser opened by itself"

    run(drive())


@pytest.mark.parametrize("hours", [-5, 5])
def test_clock_set_by_five_hours_opens_no_window_and_serves_nothing_expired(hours: int) -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in("dev")
        daemon.portal.ends_at += hours * HOUR
        daemon.clock.shift += hours * HOUR
        for event in (ClockChanged(hours * HOUR), Tick()):
            daemon.loop.take(event)
        await asyncio.sleep(1)

        assert daemon.state.sessions["corp"].ended is False
        for _ in range(8):
            await asyncio.sleep(900)
            held = daemon.state.profiles["dev"].credentials

            assert held is not None
            assert timedelta() < held.expires_at - daemon.clock.now() <= HOUR
            assert held == daemon.credentials.keys["dev"].credentials or held.access_key_id == "ASIADEV1"
        assert len(daemon.browser.opened) == 1

    run(drive())


def test_network_that_returns_is_used_within_fifteen_seconds() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.portal.fault = Offline("no route")
        daemon.loop.take(Activated(("dev",)))
        await asyncio.sleep(7)
        daemon.portal.fault = None
        daemon.loop.take(NetworkChanged())
        await asyncio.sleep(15)

        assert "dev" in daemon.credentials.sections

    run(drive())


# --- settling and stopping ---------------------------------------------------------------------------


def test_settled_waits_for_the_file_and_not_longer() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.loop.take(Activated(("dev",)))

        assert "dev" not in daemon.credentials.sections
        began = asyncio.get_running_loop().time()
        assert await daemon.loop.everything_settled(60)
        assert "dev" in daemon.credentials.sections
        assert asyncio.get_running_loop().time() - began < 5

    run(drive())


def test_settled_gives_up_in_time() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.workers.portal("corp", lambda: None, lambda _: None, lambda _: None)
        began = asyncio.get_running_loop().time()

        assert not await daemon.loop.everything_settled(0.001)
        assert asyncio.get_running_loop().time() - began < 0.01

    run(drive())


def test_stopping_takes_the_keys_out_and_remembers_the_choice() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in("dev")
        await daemon.loop.stop(2)

        assert daemon.credentials.sections == {}
        assert state_document.decode(daemon.state_file.document).active == ("dev",)

    run(drive())


def test_what_could_not_be_saved_is_saved_when_there_is_room_again(caplog: pytest.LogCaptureFixture) -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.state_file.problem = FileUnwritable("no space left")
        daemon.loop.take(Activated(("dev",)))
        await asyncio.sleep(300)
        unsaved = daemon.loop.state.unsaved
        daemon.state_file.problem = None
        await asyncio.sleep(61)

        assert unsaved is not None
        assert daemon.loop.state.unsaved is None
        assert state_document.decode(daemon.state_file.document).active == ("dev",)

    run(drive())
    assert caplog.text.count("state not saved") == 1


def test_looking_alone_saves_nothing_and_does_nothing() -> None:
    async def drive() -> None:
        daemon = Daemon(conduct=LoopOptions(lambda _state, _action: False, saves=False))
        await daemon.started()
        daemon.loop.take(Activated(("dev",)))
        await asyncio.sleep(300)

        assert (daemon.state_file.saves, daemon.credentials.syncs, daemon.portal.counted) == (0, 0, {})

    run(drive())


def test_actions_that_are_not_allowed_do_not_keep_it_from_settling() -> None:
    async def drive() -> None:
        conduct = LoopOptions(lambda _state, action: isinstance(action, ShowNotice))
        daemon = await Daemon(conduct=conduct).started()
        await daemon.ask(protocol.Login("corp"))
        daemon.loop.take(Activated(("dev",)))

        assert await daemon.loop.everything_settled(1)

    run(drive())


# --- what changes under it ---------------------------------------------------------------------------


def test_keys_of_the_role_before_are_not_taken_for_those_of_the_role_now() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.loop.take(Activated(("dev",)))
        daemon.config.put(config(profile("dev", role="ReadOnly")))
        fetches = daemon.portal.counted["fetch"]

        assert daemon.state.profiles["dev"].fetching
        daemon.loop.take(ConfigLoaded(daemon.config.content))
        daemon.portal.refused_roles.add("ReadOnly")
        await asyncio.sleep(30)

        assert daemon.portal.counted["fetch"] > fetches
        assert daemon.state.profiles["dev"].credentials is None
        assert daemon.credentials.sections == {}

    run(drive())


def test_config_file_that_is_gone_for_a_while_leaves_nothing_stuck() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in("dev")
        good = daemon.config.content
        daemon.clock.shift += 41 * MINUTE
        daemon.loop.take(Tick())  # a refresh and a fetch begin
        daemon.config.put(AwsConfig())
        daemon.loop.take(FilesChanged())
        await asyncio.sleep(10)

        assert daemon.state.profiles == {}
        assert daemon.credentials.sections == {}
        daemon.config.put(good)
        daemon.loop.take(FilesChanged())
        await asyncio.sleep(90)
        assert "dev" in daemon.credentials.sections
        assert not daemon.state.sessions["corp"].refreshing

    run(drive())
