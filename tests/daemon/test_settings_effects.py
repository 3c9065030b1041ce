"""What settings of one session or profile change while the agent runs, from the file to the effect."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core import protocol
from credtray.core.errors import SettingsInvalid, UsageError
from credtray.core.events import FilesChanged
from credtray.core.models import Delivery
from credtray.core.settings import ProfileSettings, SessionSettings, Settings
from tests.as_json import result
from tests.core.making import HOUR
from tests.daemon.fakes import Daemon, run
from tests.daemon.person import login, real, until, world


async def changed(daemon: Daemon, settings: Settings) -> None:
    daemon.settings.content = settings
    daemon.settings.touch()
    daemon.loop.take(FilesChanged())
    assert await daemon.loop.everything_settled(60)


async def status(daemon: Daemon) -> dict[str, dict[str, object]]:
    reply = await daemon.ask(protocol.Status())
    return {item["name"]: item for item in result(reply)["profiles"]}


@pytest.mark.parametrize("delivery", [Delivery.PROCESS, Delivery.ENDPOINT])
def test_a_profile_delivered_otherwise_leaves_the_file_and_is_kept_fresh_all_the_same(
    delivery: Delivery,
) -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in("dev", "ro")
        assert set(daemon.credentials.sections) == {"dev", "ro"}
        await changed(daemon, Settings(profiles={"dev": ProfileSettings(delivery=delivery)}))
        held = daemon.state.profiles["dev"].credentials
        reply = await daemon.ask(protocol.Credentials("dev"))
        told = (await status(daemon))["dev"]

        assert set(daemon.credentials.sections) == {"ro"}
        assert held is not None
        assert isinstance(reply, protocol.CredentialsIssued)
        assert (told["active"], told["delivery"]) == (True, delivery.value)
        await changed(daemon, Settings())
        assert set(daemon.credentials.sections) == {"dev", "ro"}
        await daemon.loop.stop(60)

    run(drive())


def test_the_default_is_written_however_the_profile_itself_is_delivered() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in("dev", "ro")
        chosen = ProfileSettings(delivery=Delivery.ENDPOINT, region="ap-south-1")
        await changed(daemon, Settings(profiles={"dev": chosen}))
        await daemon.ask(protocol.Switch("dev"))

        assert set(daemon.credentials.sections) == {"ro", "default"}
        assert daemon.credentials.keys["default"].region == "ap-south-1"
        await daemon.loop.stop(60)

    run(drive())


def test_the_region_of_the_settings_is_handed_out_and_else_the_config_files() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in("dev", "ro")
        await changed(daemon, Settings(profiles={"dev": ProfileSettings(region="ap-south-1")}))
        told = await status(daemon)

        assert {name: item["region"] for name, item in told.items()} == {
            "dev": "ap-south-1",
            "ro": "eu-west-1",
        }
        await daemon.loop.stop(60)

    run(drive())


def test_a_section_for_keys_that_are_in_no_section_is_refused_and_changes_nothing() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in("dev", "ro")
        await changed(daemon, Settings(profiles={"dev": ProfileSettings(delivery=Delivery.PROCESS)}))
        with pytest.raises(UsageError) as refused:
            await daemon.ask(protocol.Activate(("dev",), "dev-keys"))

        assert refused.value.advice == "credtray settings set profiles.dev.delivery file"
        assert daemon.settings.content.section("dev") == "dev"
        await daemon.loop.stop(60)

    run(drive())


def test_a_broken_file_keeps_the_last_good_settings_of_sessions_and_profiles() -> None:
    good = Settings(
        sessions={"corp": SessionSettings(warn_before=(2 * HOUR,))},
        profiles={"dev": ProfileSettings(delivery=Delivery.PROCESS, tags=("a",))},
    )

    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in("dev", "ro")
        await changed(daemon, good)
        daemon.settings.problem = SettingsInvalid("profiles.dev.tags must be a list (at line 7)")
        await changed(daemon, Settings())
        reply = await daemon.ask(protocol.Status())

        assert daemon.state.settings == good
        assert set(daemon.credentials.sections) == {"ro"}
        assert ["line 7" in item["text"] for item in result(reply)["problems"]] == [True]
        daemon.settings.problem = None
        await changed(daemon, replace(good, profiles={}))
        assert daemon.state.settings_problem is None
        assert set(daemon.credentials.sections) == {"dev", "ro"}
        await daemon.loop.stop(60)

    run(drive())


@pytest.mark.parametrize(
    ("own", "hours_before"),
    [((3 * HOUR,), [3]), ((), []), (None, [2, 1])],
    ids=["its own", "none", "as for all"],
)
def test_a_session_warns_at_its_own_time(own: tuple[timedelta, ...] | None, hours_before: list[int]) -> None:
    async def drive() -> None:
        daemon = Daemon()
        corp = SessionSettings(4 * HOUR, warn_before=own)
        daemon.settings.content = Settings(warn_before=(2 * HOUR, HOUR), sessions={"corp": corp})
        daemon.portal.sign_in_length = 4 * HOUR
        await daemon.started()
        await daemon.ask(protocol.Login("corp"))
        await asyncio.sleep(60)
        daemon.notifier.shown.clear()  # that the sign-in worked
        warned = []
        for minute in range(1, 235):
            if daemon.notifier.shown:
                warned.append(round((240 - minute) / 60))
                daemon.notifier.shown.clear()
            await asyncio.sleep(60)

        assert hours_before == warned
        await daemon.loop.stop(60)

    run(drive())


def test_a_session_that_is_set_to_codes_signs_in_with_a_code_whoever_asks() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            daemon.settings.content = Settings(sessions={"corp": SessionSettings(device_flow=True)})
            daemon.settings.touch()
            daemon.loop.take(FilesChanged())
            await until(lambda: daemon.state.settings.session("corp").device_flow)
            asking, seen = login(daemon)  # as menu, notification and command ask
            await until(lambda: any(step.user_code for step in seen.progress))
            asking.cancel()
            await until(lambda: daemon.state.sessions["corp"].pending is None)

            assert person.urls == []

    real(drive())
