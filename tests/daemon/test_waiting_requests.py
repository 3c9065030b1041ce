"""Waiting for credentials that last: answered at once, after a fetch, after a sign-in, or told why not."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CredtrayError,
    KeysTooShort,
    NotInTime,
    Offline,
    RoleRefused,
    SignInTooShort,
    TokenUnreadable,
    UnknownProfile,
)
from credtray.core.events import ConfigLoaded
from credtray.core.oauth import AUTHORIZATION_CODE
from credtray.core.protocol import Done
from credtray.daemon.waiting_requests import WaitingRequests
from tests.as_json import result
from tests.core.making import HOUR, MINUTE, config
from tests.daemon.fakes import Daemon, Sink, run
from tests.daemon.person import real, until, world


async def daemon_of(*names: str, signed_in: bool = True, watched: bool = True) -> Daemon:
    daemon = await Daemon(*names).started()
    daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins, watched=watched).handlers)
    if signed_in:
        await daemon.ask(protocol.Login("corp"))
    return daemon


async def wait(daemon: Daemon, minutes: float, **words: Any) -> dict[str, Any]:
    reply = await daemon.ask(protocol.Wait("dev", minutes * 60, **words))
    found: dict[str, Any] = result(reply)
    return found


def elapsed(began: float) -> float:
    return asyncio.get_running_loop().time() - began


# --- it lasts ----------------------------------------------------------------------------------------


def test_sign_in_that_lasts_is_answered_with_its_end_and_that_it_is_an_estimate() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        found = await wait(daemon, 45)

        assert found["until"].startswith("2026-11-22T20:00")
        assert found["about"] is True
        assert found["signed_in"] is False
        assert found["keys_until"] is not None

    run(drive())


def test_answer_means_that_the_role_was_tried() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        daemon.portal.refused_roles.add("Admin")
        with pytest.raises(RoleRefused):
            await wait(daemon, 1)

    run(drive())


def test_keys_that_end_too_early_are_fetched_anew_long_before_their_time() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        await wait(daemon, 45, keys=True)
        await asyncio.sleep(20 * 60)
        found = await wait(daemon, 45, keys=True)

        assert datetime.fromisoformat(found["until"]) - daemon.clock.now() > 59 * MINUTE
        assert daemon.portal.counted["fetch"] == 2

    run(drive())


def test_fifty_askers_share_one_early_fetch() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        await wait(daemon, 45, keys=True)
        await asyncio.sleep(20 * 60)
        await asyncio.gather(*(wait(daemon, 45, keys=True) for _ in range(50)))

        assert daemon.portal.counted["fetch"] == 2

    run(drive())


def test_keys_for_their_whole_life_are_fetched_a_minute_apart_and_no_storm() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        began = asyncio.get_running_loop().time()
        for _ in range(10):
            found = await wait(daemon, 60, keys=True)

            assert datetime.fromisoformat(found["until"]) - daemon.clock.now() > 59 * MINUTE
            await asyncio.sleep(15)
        assert daemon.portal.counted["fetch"] <= 1 + elapsed(began) / 60

    run(drive())


def test_role_whose_keys_live_too_short_is_told_after_one_fetch() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        for _ in range(5):
            with pytest.raises(KeysTooShort, match="last 1 h"):
                await wait(daemon, 90, keys=True, timeout=600, login=True)
        assert daemon.portal.counted["fetch"] == 1
        assert daemon.browser.opened[1:] == []

    run(drive())


def test_portal_that_hands_out_ever_shorter_keys_is_not_asked_for_ever() -> None:
    async def drive() -> int:
        daemon = await daemon_of()
        await wait(daemon, 10, keys=True)
        daemon.portal.role_life = 30 * MINUTE  # the keys held live longer, and are kept
        await asyncio.sleep(15 * 60)
        with pytest.raises(CredtrayError):
            await wait(daemon, 55, keys=True)
        return daemon.portal.counted["fetch"]

    assert run(drive()) <= 3


def test_long_lived_keys_reach_beyond_a_sign_in_that_is_about_to_end() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        daemon.portal.role_life = 12 * HOUR
        await asyncio.sleep(7.5 * 3600)
        found = await wait(daemon, 240)

        assert datetime.fromisoformat(found["until"]) - daemon.clock.now() >= 240 * MINUTE
        assert found["about"] is False

    run(drive())


@pytest.mark.parametrize("keys", [False, True])
@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_the_shortest_wait_has_the_keys_fetched_too(seconds: float, *, keys: bool) -> None:
    async def drive() -> float:
        daemon = await daemon_of()
        began = asyncio.get_running_loop().time()
        await wait(daemon, seconds / 60, keys=keys)
        return elapsed(began)

    assert run(drive()) < 2


# --- it does not -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [False, True])
def test_signed_out_is_told_at_once_and_no_browser_opens(*, keys: bool) -> None:
    async def drive() -> float:
        daemon = await daemon_of(signed_in=False)
        began = asyncio.get_running_loop().time()
        with pytest.raises(SignInTooShort, match="nobody is signed in to corp"):
            await wait(daemon, 45, keys=keys)
        assert daemon.browser.opened == []
        return elapsed(began)

    assert run(drive()) == 0


def test_sign_in_that_ends_too_early_is_told_with_its_end_and_what_helps() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        await asyncio.sleep(7 * 3600 + 1800)
        with pytest.raises(
            SignInTooShort, match=r"works until ..:15, 45 min from now, but you asked for 2 h"
        ) as told:
            await wait(daemon, 120)

        assert told.value.exit_code == 5
        assert told.value.advice == "Run: credtray login corp --fresh"

    run(drive())


def test_keys_issued_before_the_end_count_up_to_the_tail_nobody_is_handed() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        daemon.portal.ends_at = daemon.clock.now() + HOUR
        await asyncio.sleep(50 * 60)
        await wait(daemon, 1)
        await asyncio.sleep(11 * 60)
        found = await wait(daemon, 30)

        assert found["about"] is False
        assert daemon.state.sessions["corp"].ended
        with pytest.raises(SignInTooShort):
            await wait(daemon, 35)

    run(drive())


def test_trouble_is_told_at_once_or_waited_out() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        daemon.portal.fault = Offline("no route")
        with pytest.raises(Offline):
            await wait(daemon, 45)
        waiting = asyncio.create_task(wait(daemon, 45, timeout=900))
        await asyncio.sleep(100)
        daemon.portal.fault = None

        assert (await waiting)["until"] is not None

    run(drive())


def test_trouble_that_stays_is_the_answer_when_the_time_is_up() -> None:
    async def drive() -> float:
        daemon = await daemon_of()
        daemon.portal.fault = Offline("no route")
        began = asyncio.get_running_loop().time()
        with pytest.raises(Offline):
            await wait(daemon, 45, timeout=300)
        return elapsed(began)

    assert 300 <= run(drive()) <= 380


def test_unreadable_token_cache_is_no_missing_sign_in() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.token_cache.unreadable = True
        await daemon.started()
        daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins).handlers)
        with pytest.raises(TokenUnreadable):
            await wait(daemon, 45)

    run(drive())


def test_profile_that_vanishes_while_somebody_waits_is_an_answer() -> None:
    async def drive() -> None:
        daemon = await daemon_of(signed_in=False)
        waiting = asyncio.create_task(wait(daemon, 45, timeout=600))
        await asyncio.sleep(1)
        daemon.loop.take(ConfigLoaded(config()))
        with pytest.raises(UnknownProfile):
            await waiting

    run(drive())


# --- somebody signs in -------------------------------------------------------------------------------


def test_sign_in_of_somebody_else_ends_the_wait() -> None:
    async def drive() -> None:
        daemon = await daemon_of(signed_in=False)
        sink = Sink()
        waiting = asyncio.create_task(daemon.requests.handle(protocol.Wait("dev", 2700, timeout=600), sink))
        await asyncio.sleep(300)
        assert daemon.browser.opened == []
        await daemon.ask(protocol.Login("corp"))
        await waiting

        assert isinstance(sink.final, Done)
        kinds = [step.kind for step in sink.progress]
        assert kinds == ["waiting_for_sign_in", "renewing"]
        assert "credtray login corp" in (sink.progress[0].text or "")

    run(drive())


def test_somebody_who_waits_is_shown_on_the_desktop_while_waiting() -> None:
    async def drive() -> None:
        daemon = await daemon_of(signed_in=False)
        waiting = asyncio.create_task(wait(daemon, 45, timeout=600))
        await asyncio.sleep(60)
        there = set(daemon.notifier.there)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(60)

        assert "corp:awaited" in there
        assert "corp:awaited" not in daemon.notifier.there

    run(drive())


def test_nobody_signs_in_in_time() -> None:
    async def drive() -> float:
        daemon = await daemon_of(signed_in=False)
        began = asyncio.get_running_loop().time()
        with pytest.raises(NotInTime, match="within 10 min"):
            await wait(daemon, 45, timeout=600)
        return elapsed(began)

    assert 600 <= run(drive()) < 601


def test_a_sign_in_that_is_only_too_short_takes_more_than_the_plain_command() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        await asyncio.sleep(7 * 3600 + 1800)
        sink = Sink()
        with pytest.raises(NotInTime) as told:
            await daemon.requests.handle(protocol.Wait("dev", 7200, timeout=60), sink)

        assert told.value.advice.endswith("or run: credtray login corp --fresh")
        assert (sink.progress[-1].text or "").endswith("Waiting for a sign-in: credtray login corp --fresh")

    run(drive())


def test_without_an_agent_the_token_of_another_program_is_noticed() -> None:
    async def drive() -> float:
        daemon = await daemon_of(signed_in=False, watched=False)
        waiting = asyncio.create_task(wait(daemon, 45, timeout=600))
        await asyncio.sleep(60)
        session, portal = daemon.state.sessions["corp"].session, daemon.portal
        portal.sign_in_active, portal.ends_at = True, daemon.clock.now() + 8 * HOUR
        client = portal.register(session, session.start_url, AUTHORIZATION_CODE)
        daemon.token_cache.write(session, portal._token(client))
        began = asyncio.get_running_loop().time()
        await waiting
        return elapsed(began)

    assert run(drive()) < 5


def test_fresh_sign_in_replaces_the_one_that_ends_too_early() -> None:
    async def drive() -> None:
        daemon = await daemon_of()
        await asyncio.sleep(7 * 3600)  # with an hour left `login` alone would leave it as it is
        found = await wait(daemon, 120, login=True)

        assert found["signed_in"] is True
        assert datetime.fromisoformat(found["until"]) - daemon.clock.now() > 7 * HOUR
        assert len(daemon.browser.opened) == 2

    run(drive())


def test_twenty_callers_share_one_sign_in() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins).handlers)
            waiting = [asyncio.create_task(wait(daemon, 45, login=True)) for _ in range(20)]
            await until(lambda: bool(person.urls))
            person.allow()
            found = await asyncio.gather(*waiting)

            assert [each["signed_in"] for each in found] == [True] * 20
            assert len(person.urls) == 1
            assert daemon.portal.counted["fetch"] == 1

    real(drive())


def test_caller_that_leaves_does_not_take_the_sign_in_from_the_others() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins).handlers)
            leaving, staying = (asyncio.create_task(wait(daemon, 45, login=True)) for _ in range(2))
            await until(lambda: bool(person.urls))
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            person.allow()

            assert (await staying)["signed_in"] is True

    real(drive())


def test_own_sign_in_is_given_up_when_the_time_is_up() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins).handlers)
            with pytest.raises(NotInTime):
                await wait(daemon, 45, login=True, timeout=0.5)
            await until(lambda: daemon.state.sessions["corp"].pending is None)

            assert person.urls

    real(drive())


def test_sign_in_that_is_too_short_again_is_told_and_not_repeated() -> None:
    async def drive() -> None:
        daemon = await daemon_of()  # how long tokens usually live is known from here on
        await daemon.ask(protocol.Logout("corp"))
        daemon.portal.sign_in_length = 30 * MINUTE
        with pytest.raises(SignInTooShort, match="the new one of corp, too") as told:
            await wait(daemon, 120, login=True)

        assert len(daemon.browser.opened) == 2
        assert "Ask for less" in told.value.advice

    run(drive())


def test_keys_needed_are_not_fetched_for_somebody_who_has_left_long_ago() -> None:
    async def drive() -> int:
        daemon = await daemon_of(signed_in=False)
        with pytest.raises(NotInTime):
            await wait(daemon, 45, timeout=60)
        await asyncio.sleep(3 * 3600)
        await daemon.ask(protocol.Login("corp"))
        await asyncio.sleep(3 * 3600)
        return daemon.portal.counted["fetch"]

    assert run(drive()) <= 1
