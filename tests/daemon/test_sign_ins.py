"""Who begins, joins, cancels and outlives a sign-in, and signing out."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    AgentSilent,
    CredtrayError,
    Offline,
    SignInCancelled,
    SignInDenied,
    UnknownSession,
)
from credtray.core.events import ConfigLoaded, FilesChanged, Stopping, Tick
from tests.as_json import result
from tests.core.making import HOUR, MINUTE, config, profile, session, token
from tests.daemon.fakes import Daemon, run
from tests.daemon.person import login, real, until, world

OTHER = replace(session("other"), start_url="https://d-9067000002.awsapps.com/start")


# --- beginning and joining -----------------------------------------------------------------------------


def test_second_asker_joins_sees_the_address_and_gets_the_same_result() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, seen = login(daemon)
            await until(lambda: bool(person.urls))
            second, also_seen = login(daemon, fresh=True)
            await until(lambda: any(each.url for each in also_seen.progress))
            person.allow()
            await asyncio.gather(first, second)

            assert seen.final == also_seen.final
            assert len(person.urls) == 1
            assert daemon.portal.counted["exchange_code"] == 1

    real(drive())


def test_two_sessions_are_signed_in_at_once() -> None:
    async def drive() -> None:
        async with world(sessions=(session(), OTHER)) as (daemon, _person):
            first, _ = login(daemon, name="corp")
            second, _ = login(daemon, name="other", browser=False)
            await until(lambda: all(item.pending for item in daemon.state.sessions.values()))
            status = await daemon.ask(protocol.Status())

            assert isinstance(status, protocol.Done)
            assert {item["state"] for item in result(status)["sessions"]} == {"signing_in"}
            for task in (first, second):
                task.cancel()
            await until(lambda: not any(item.pending for item in daemon.state.sessions.values()))

    real(drive())


def test_what_is_valid_is_respected_and_opens_nothing() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        reply = await daemon.ask(protocol.Login("corp"))

        assert isinstance(reply, protocol.Done)
        assert result(reply)["already"] is True
        assert len(daemon.browser.opened) == 1

    run(drive())


def test_an_expired_token_that_renews_silently_needs_no_sign_in() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.clock.shift += 2 * HOUR
        daemon.loop.take(Tick())
        reply = await daemon.ask(protocol.Login("corp"))

        assert isinstance(reply, protocol.Done)
        assert result(reply)["already"] is True
        assert len(daemon.browser.opened) == 1

    run(drive())


def test_torn_token_file_does_not_hold_up_a_sign_in() -> None:
    async def drive() -> float:
        daemon = Daemon()
        daemon.token_cache.unreadable = True
        await daemon.started()

        def mended(url: str) -> None:
            daemon.token_cache.unreadable = False
            daemon.allow(url)

        daemon.browser.visit = mended
        began = asyncio.get_running_loop().time()
        await daemon.ask(protocol.Login("corp"))
        return asyncio.get_running_loop().time() - began

    assert run(drive()) < 5


# --- leaving and cancelling ----------------------------------------------------------------------------


def test_sign_in_is_cancelled_when_the_last_asker_leaves_and_not_before() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            second, _ = login(daemon)
            await asyncio.sleep(0.05)
            first.cancel()
            await asyncio.sleep(0.1)

            assert daemon.state.sessions["corp"].pending is not None
            second.cancel()
            await until(lambda: daemon.state.sessions["corp"].pending is None)

    real(drive())


def test_asking_again_while_the_cancelled_one_lets_go_begins_a_new_sign_in() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            first.cancel()
            await asyncio.sleep(0)
            second, sink = login(daemon)
            await until(lambda: len(person.urls) == 2)

            assert daemon.state.sessions["corp"].pending is not None
            person.allow()
            await second
            assert isinstance(sink.final, protocol.Done)

    real(drive())


def test_cancelling_from_elsewhere_ends_it_for_all_who_wait() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            second, _ = login(daemon)
            await until(lambda: bool(person.urls))
            reply = await daemon.ask(protocol.CancelLogin("corp"))
            outcomes = await asyncio.gather(first, second, return_exceptions=True)

            assert isinstance(reply, protocol.Done)
            assert result(reply) == {"cancelled": True, "still_valid": ""}
            assert [type(each) for each in outcomes] == [SignInCancelled, SignInCancelled]

    real(drive())


def test_who_presses_try_again_gets_one_sign_in_however_often() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            daemon.sign_ins.lasting = True
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            await daemon.ask(protocol.CancelLogin("corp"))
            with pytest.raises(SignInCancelled):
                await first
            assert daemon.listener.again is not None
            for _ in range(3):
                daemon.listener.again()
            await until(lambda: len(person.urls) == 2)
            person.allow()
            await until(lambda: daemon.state.sessions["corp"].token is not None)

            assert len(person.urls) == 2

    real(drive())


def test_without_an_agent_nobody_offers_another_try() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()

        assert daemon.listener.again is None

    run(drive())


def test_cancelling_nothing_says_so() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        reply = await daemon.ask(protocol.CancelLogin("corp"))

        assert isinstance(reply, protocol.Done)
        assert result(reply) == {"cancelled": False, "still_valid": ""}

    run(drive())


def test_sign_in_that_does_not_let_go_is_said_and_does_not_block_the_asker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("credtray.daemon.sign_in_sharing.REFRESH_SECONDS", 0.1)

    async def drive() -> None:
        async with world() as (daemon, _person):
            stuck = threading.Event()
            monkeypatch.setattr(daemon.portal, "register", lambda *_: stuck.wait(20))
            task, _ = login(daemon)
            await until(lambda: daemon.state.sessions["corp"].pending is not None)
            with pytest.raises(AgentSilent):
                await daemon.ask(protocol.CancelLogin("corp"))
            status = await daemon.ask(protocol.Status())

            assert isinstance(status, protocol.Done)
            assert result(status)["sessions"][0]["state"] == "signing_in"
            stuck.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    real(drive())


def test_cancelled_fresh_sign_in_tells_what_is_still_valid() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            person.allow()
            await first
            await daemon.ask(protocol.Activate(("dev",)))
            second, _ = login(daemon, fresh=True)
            await until(lambda: len(person.urls) == 2)
            await daemon.ask(protocol.CancelLogin("corp"))
            with pytest.raises(SignInCancelled) as told:
                await second

            assert re.match(r"You are still signed in until about \d\d:\d\d\. ", told.value.advice)
            assert not daemon.state.sessions["corp"].ended
            assert "dev" in daemon.credentials.sections

    real(drive())


def test_denied_sign_in_is_told_and_leaves_nothing_pending() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()

        def deny(url: str) -> None:
            daemon.listener.arrived = {**daemon.portal.visit(url), "error": "access_denied"}

        daemon.browser.visit = deny
        with pytest.raises(SignInDenied):
            await daemon.ask(protocol.Login("corp"))

        assert daemon.state.sessions["corp"].pending is None
        assert daemon.state.sessions["corp"].problem is not None

    run(drive())


# --- what changes meanwhile ----------------------------------------------------------------------------


def test_session_that_vanishes_while_signing_in_is_an_error_and_not_a_crash() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            task, _ = login(daemon)
            await until(lambda: bool(person.urls))
            daemon.loop.take(ConfigLoaded(config(sessions=())))
            person.allow()
            with pytest.raises(UnknownSession):
                await task

    real(drive())


def test_token_of_the_portal_before_is_not_used_for_the_portal_now() -> None:
    async def drive() -> None:
        elsewhere = replace(session(), start_url="https://d-9067000009.awsapps.com/start")
        async with world() as (daemon, person):
            task, _ = login(daemon)
            await until(lambda: bool(person.urls))
            daemon.loop.take(ConfigLoaded(config(profile("dev"), sessions=(elsewhere,))))
            person.allow()
            with pytest.raises(SignInCancelled):
                await task

            assert daemon.state.sessions["corp"].pending is None

    real(drive())


def test_sign_in_that_finishes_after_the_stop_began_is_no_harm() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            task, _ = login(daemon)
            await until(lambda: bool(person.urls))
            daemon.loop.take(Stopping())
            person.allow()
            await task
            await daemon.loop.stop(2)

            assert daemon.credentials.sections == {}

    real(drive())


def test_fresh_sign_in_that_the_service_joined_tells_that_the_end_did_not_move() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        await asyncio.sleep(7.5 * 3600)
        daemon.portal.fail("logout", *[Offline("no route")] * 2)
        with pytest.raises(CredtrayError):
            await daemon.ask(protocol.Login("corp", fresh=True))
        reply = await daemon.ask(protocol.Login("corp", fresh=True))

        assert isinstance(reply, protocol.Done)
        assert result(reply)["moved"] == "later"

    run(drive())


# --- signing out ---------------------------------------------------------------------------------------


def test_signing_out_takes_token_and_keys() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev",)))
        reply = await daemon.ask(protocol.Logout("corp"))

        assert isinstance(reply, protocol.Done)
        assert result(reply) == {"session": "corp", "told_portal": True}
        assert daemon.token_cache.token is None
        assert daemon.credentials.sections == {}

    run(drive())


def test_signing_out_takes_the_token_that_another_program_has_renewed() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.token_cache.put(token(name="renewed"))  # and nobody has told of it yet
        await daemon.ask(protocol.Logout("corp"))

        assert daemon.token_cache.token is None
        daemon.loop.take(FilesChanged())
        await asyncio.sleep(5)
        assert daemon.state.sessions["corp"].token is None

    run(drive())


def test_signing_out_during_a_sign_in_cancels_it_and_stays_signed_out() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            task, _ = login(daemon)
            await until(lambda: bool(person.urls))
            reply = await daemon.ask(protocol.Logout("corp"))
            with pytest.raises(SignInCancelled):
                await task

            assert isinstance(reply, protocol.Done)
            assert daemon.state.sessions["corp"].token is None
            assert daemon.state.sessions["corp"].pending is None

    real(drive())


def test_signing_out_offline_drops_the_token_and_says_that_the_portal_was_not_told() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.portal.fault = Offline("no route")
        reply = await daemon.ask(protocol.Logout("corp"))

        assert isinstance(reply, protocol.Done)
        assert result(reply)["told_portal"] is False
        assert daemon.token_cache.token is None

    run(drive())


def test_signing_out_with_an_expired_token_renews_it_to_tell_the_portal() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        daemon.clock.shift += 90 * MINUTE
        reply = await daemon.ask(protocol.Logout("corp"))

        assert isinstance(reply, protocol.Done)
        assert result(reply)["told_portal"] is True
        assert not daemon.portal.sign_in_active

    run(drive())


def test_asker_who_leaves_during_a_sign_out_leaves_it_complete() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        await daemon.ask(protocol.Login("corp"))
        task = asyncio.create_task(daemon.ask(protocol.Logout("corp")))
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(10)

        assert daemon.state.sessions["corp"].token is None
        assert daemon.token_cache.token is None

    run(drive())
