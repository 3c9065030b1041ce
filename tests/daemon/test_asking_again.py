"""Who asks again, and who has repaired a file, is not answered with what held a minute ago."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    ConfigInvalid,
    CredtrayError,
    FileInUse,
    FileRefused,
    FileUnparsable,
    FileUnwritable,
    PortalFailed,
    RequestRefused,
    RoleRefused,
    SettingsInvalid,
    SignInTooShort,
    Throttled,
    UnexpectedReply,
)
from credtray.core.events import FilesChanged
from credtray.core.models import RoleCredentials
from credtray.core.protocol import CredentialsIssued, Done
from credtray.daemon.waiting_requests import WaitingRequests
from tests.as_json import result
from tests.daemon.fakes import Daemon, run


async def signed_in(*names: str) -> Daemon:
    daemon = Daemon(*names)
    daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins).handlers)
    return await daemon.signed_in()


async def credentials(daemon: Daemon) -> None:
    assert isinstance(await daemon.ask(protocol.Credentials("dev")), CredentialsIssued)


async def activate(daemon: Daemon) -> None:
    await daemon.ask(protocol.Activate(("dev",)))
    assert isinstance(daemon.state.profiles["dev"].credentials, RoleCredentials)


async def switch(daemon: Daemon) -> None:
    await daemon.ask(protocol.Switch("dev"))
    assert isinstance(daemon.state.profiles["dev"].credentials, RoleCredentials)


async def wait(daemon: Daemon) -> None:
    assert isinstance(await daemon.ask(protocol.Wait("dev", 60)), Done)


async def sign_in_again(daemon: Daemon) -> None:
    await daemon.ask(protocol.Login("corp", fresh=True))
    await credentials(daemon)


ASKS: list[Any] = [credentials, activate, switch, wait, sign_in_again]


@pytest.mark.met("F25")
@pytest.mark.parametrize("ask", ASKS)
def test_role_that_was_refused_is_tried_at_once_when_somebody_asks_again(
    ask: Callable[[Daemon], Awaitable[None]],
) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.portal.refused_roles.add("Admin")
        with pytest.raises(RoleRefused):
            await daemon.ask(protocol.Credentials("dev"))
        daemon.portal.refused_roles.clear()  # an administrator has given access
        await asyncio.sleep(62)
        began = asyncio.get_running_loop().time()
        await ask(daemon)

        assert asyncio.get_running_loop().time() - began < 5

    run(drive())


@pytest.mark.met("F25")
@pytest.mark.parametrize(
    "error",
    [
        RoleRefused("HTTP 403"),
        RequestRefused("HTTP 400"),
        UnexpectedReply("not JSON"),
    ],
)
def test_second_failure_holds_nobody_back_for_more_than_a_minute(error: CredtrayError) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        for _ in range(2):
            daemon.portal.fail("fetch", error)
            with pytest.raises(type(error)):
                await daemon.ask(protocol.Credentials("dev"))
            await asyncio.sleep(75)
        await credentials(daemon)

    run(drive())


@pytest.mark.met("F25")
def test_within_the_minute_the_last_error_is_told_with_when_it_is_tried_next() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.portal.refused_roles.add("Admin")
        with pytest.raises(RoleRefused):
            await daemon.ask(protocol.Credentials("dev"))
        await asyncio.sleep(20)
        with pytest.raises(RoleRefused) as caught:
            await daemon.ask(protocol.Credentials("dev"))

        assert caught.value.advice.endswith(" It is tried again in 40 s.") or "in 39 s" in caught.value.advice
        assert daemon.portal.counted["fetch"] == 1

    run(drive())


@pytest.mark.met("F25")
@pytest.mark.parametrize(
    "error", [RoleRefused("HTTP 403"), RequestRefused("HTTP 400"), UnexpectedReply("no JSON")]
)
def test_program_that_asks_two_hundred_times_costs_a_call_a_minute_at_most(error: CredtrayError) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.portal.fail("fetch", *[error] * 200)
        for _ in range(200):
            with pytest.raises(type(error)):
                await daemon.ask(protocol.Credentials("dev"))
            await asyncio.sleep(3)

        assert 2 < daemon.portal.counted["fetch"] <= 11

    run(drive())


@pytest.mark.met("F25")
@pytest.mark.parametrize("error", [PortalFailed("HTTP 500"), Throttled("HTTP 429")])
def test_portal_with_too_much_to_do_keeps_its_pauses_whoever_asks(error: CredtrayError) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.portal.fail("fetch", *[error] * 200)
        for _ in range(1200):
            with pytest.raises(type(error)):
                await daemon.ask(protocol.Credentials("dev"))
            await asyncio.sleep(3)

        assert 5 < daemon.portal.counted["fetch"] <= 12

    run(drive())


@pytest.mark.met("F25")
def test_wish_of_the_portal_to_be_left_alone_is_kept() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.portal.fail("fetch", Throttled("HTTP 429", retry_after=600))
        with pytest.raises(Throttled):
            await daemon.ask(protocol.Credentials("dev"))
        await asyncio.sleep(300)
        with pytest.raises(Throttled):
            await daemon.ask(protocol.Credentials("dev"))

        assert daemon.portal.counted["fetch"] == 1

    run(drive())


@pytest.mark.met("F1")
def test_refusal_for_good_ends_what_waits_with_a_sign_in_that_is_needed() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await wait(daemon)
        daemon.portal.fail("refresh", *[RequestRefused("HTTP 400: InvalidRequestException")] * 99)
        await asyncio.sleep(50 * 60)
        with pytest.raises(SignInTooShort, match="Refresh refused"):
            await daemon.ask(protocol.Wait("dev", 7200))
        await asyncio.sleep(80 * 60)
        with pytest.raises(SignInTooShort, match="nobody is signed in"):
            await daemon.ask(protocol.Wait("dev", 7200))
        await daemon.ask(protocol.Login("corp"))
        await wait(daemon)

        assert daemon.state.sessions["corp"].refusal is None

    run(drive())


@pytest.mark.met("F1")
def test_portal_that_fails_for_good_is_the_answer_once_the_token_is_over() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await wait(daemon)
        daemon.portal.fault = PortalFailed("HTTP 503")
        await asyncio.sleep(61 * 60)
        with pytest.raises(PortalFailed):
            await daemon.ask(protocol.Wait("dev", 7200))

    run(drive())


@pytest.mark.met("M9")
def test_answer_that_rests_on_a_guess_says_so_and_is_refused_to_who_wants_to_be_sure() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        reply = await daemon.ask(protocol.Wait("dev", 7200))
        assert isinstance(reply, Done)
        assert result(reply)["sure"] is False
        assert result(reply)["end_known_by"] == "setting"
        with pytest.raises(SignInTooShort, match="expected from the settings, not confirmed") as caught:
            await daemon.ask(protocol.Wait("dev", 7200, sure=True))
        assert "leave out --sure" in caught.value.advice

        covered = await daemon.ask(protocol.Wait("dev", 1800, sure=True))

        assert isinstance(covered, Done)
        assert result(covered)["sure"] is True

    run(drive())


# --- files -----------------------------------------------------------------------------------------------


async def status(daemon: Daemon) -> dict[str, Any]:
    reply = await daemon.ask(protocol.Status())
    found: dict[str, Any] = result(reply)
    return found


@pytest.mark.met("M8")
@pytest.mark.parametrize(
    "error",
    [
        FileUnparsable("line 3"),
        FileRefused("it is a directory"),
        FileUnwritable("no space left"),
        FileInUse("writing ~/.aws/credentials"),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_repaired_credentials_file_is_called_broken_no_longer(error: CredtrayError, *, told: bool) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.credentials.full = error
        await daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(150)  # several tries have failed
        assert (await status(daemon))["credentials_file"]["code"] == error.code
        await asyncio.sleep(2)
        daemon.credentials.full = None
        if told:  # by the watch; else nothing of the file itself has changed, such as its directory's mode
            daemon.credentials.touch()
            daemon.loop.take(FilesChanged())
            await asyncio.sleep(3)  # workers of this world take their time
            assert daemon.state.file.trouble is None

        assert (await status(daemon))["credentials_file"] is None
        assert set(daemon.credentials.sections) == {"dev"}

    run(drive())


def test_agent_that_stops_takes_its_keys_out_although_the_last_write_failed_a_moment_ago() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        await daemon.ask(protocol.Activate(("dev",)))
        daemon.credentials.full = FileUnwritable("no space left")
        await asyncio.sleep(4000)  # renewed keys could not be written; the next try is a while off
        assert daemon.credentials.sections
        daemon.credentials.full = None
        await daemon.loop.stop(5)

        assert daemon.credentials.sections == {}

    run(drive())


def test_file_that_another_program_has_open_for_a_minute_is_written_once_it_lets_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.credentials.full = FileInUse("writing ~/.aws/credentials")
        await daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(60)
        assert (await status(daemon))["credentials_file"]["code"] == FileInUse.code
        daemon.credentials.full = None
        await asyncio.sleep(75)  # nobody says that it is free

        assert set(daemon.credentials.sections) == {"dev"}

    run(drive())

    assert caplog.text.count("Another program has the file open") == 1


@pytest.mark.met("M8")
@pytest.mark.parametrize("request_", [protocol.Activate(("dev",)), protocol.Switch("dev"), protocol.Status()])
def test_repaired_config_and_settings_are_read_before_anything_is_said(request_: protocol.Request) -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.config.problem = ConfigInvalid("line 3")
        daemon.settings.problem = SettingsInvalid("line 1")
        daemon.config.touch()
        daemon.settings.touch()
        daemon.loop.take(FilesChanged())
        await asyncio.sleep(5)
        assert len((await status(daemon))["problems"]) == 2
        daemon.config.problem = daemon.settings.problem = None
        daemon.config.touch()
        daemon.settings.touch()
        await daemon.ask(request_)

        assert daemon.state.config_problem is None
        assert daemon.state.settings_problem is None

    run(drive())


@pytest.mark.met("M8")
def test_file_that_changes_all_the_time_is_not_written_to_all_the_time() -> None:
    async def drive() -> None:
        daemon = await signed_in()
        daemon.credentials.full = FileUnwritable("no space left")
        await daemon.ask(protocol.Activate(("dev",)))
        before = daemon.credentials.syncs
        for _ in range(600):
            daemon.credentials.touch()
            daemon.loop.take(FilesChanged())
            await asyncio.sleep(0.1)

        assert daemon.credentials.syncs - before <= 61

    run(drive())
