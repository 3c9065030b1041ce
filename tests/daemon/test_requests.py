"""What clients ask: each gets its answer, or the reason, in bounded time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CredtrayError,
    NothingToUndo,
    Offline,
    RoleRefused,
    SectionNotOurs,
    SignInRequired,
    TimedOut,
    UnknownProfile,
    UnknownSession,
    UsageError,
)
from credtray.core.events import ConfigLoaded, Tick
from credtray.core.models import AssumedRole
from credtray.core.protocol import CredentialsIssued, Done
from credtray.core.protocol.results import PingResult
from credtray.daemon.ipc_connection import ReplySink
from tests.as_json import as_json, iso
from tests.core.making import HOUR, MINUTE, config, fetching, profile
from tests.daemon.fakes import Daemon, Sink, run
from tests.soak import QUICK

MANY = 100 if QUICK else 500
"""Profiles: more than can be fetched at once."""


async def result(daemon: Daemon, request: protocol.Request) -> dict[str, Any]:
    reply = await daemon.ask(request)
    found: dict[str, Any] = as_json(reply.result) if isinstance(reply, Done) else {}
    return found


def elapsed(began: float) -> float:
    return asyncio.get_running_loop().time() - began


# --- credentials -----------------------------------------------------------------------------------------


def test_two_hundred_programs_cost_one_portal_call() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        replies = await asyncio.gather(*(daemon.ask(protocol.Credentials("dev")) for _ in range(200)))

        assert all(isinstance(each, CredentialsIssued) for each in replies)
        assert daemon.portal.counted["fetch"] == 1

    run(drive())


def test_only_keys_with_more_than_15_minutes_left_are_handed_out() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        for _ in range(40):
            reply = await daemon.ask(protocol.Credentials("dev"))
            held = daemon.state.profiles["dev"].credentials

            assert isinstance(reply, CredentialsIssued)
            assert held is not None
            assert held.expires_at - daemon.clock.now() > 15 * MINUTE
            await asyncio.sleep(11 * 60)

    run(drive())


def test_chained_profile_names_no_account() -> None:
    async def drive() -> None:
        daemon = Daemon()
        chained = replace(profile("far"), chain=(AssumedRole("arn:aws:iam::222200000000:role/Deploy"),))
        daemon.config.content = config(profile("dev"), chained)
        await daemon.started()
        await daemon.ask(protocol.Login("corp"))
        near, far = (
            await daemon.ask(protocol.Credentials("dev")),
            await daemon.ask(protocol.Credentials("far")),
        )

        assert isinstance(near, CredentialsIssued)
        assert isinstance(far, CredentialsIssued)
        assert near.credentials.account_id == "111100000000"
        assert not isinstance(far.credentials.account_id, str)

    run(drive())


def test_profile_that_vanishes_while_somebody_waits_is_an_answer() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        task = asyncio.create_task(daemon.ask(protocol.Credentials("dev")))
        await asyncio.sleep(0)
        daemon.loop.take(ConfigLoaded(config()))
        with pytest.raises(UnknownProfile):
            await task

    run(drive())


def test_nobody_waits_longer_than_eighteen_seconds() -> None:
    async def drive() -> float:
        daemon = await Daemon().signed_in()
        daemon.loop.take(fetching("dev"))  # and it never ends
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimedOut):
            await daemon.ask(protocol.Credentials("dev"))
        return elapsed(began)

    assert 17 < run(drive()) < 18.5


def test_unreadable_token_cache_is_told_at_once() -> None:
    async def drive() -> float:
        daemon = Daemon()
        daemon.token_cache.unreadable = True
        await daemon.started()
        began = asyncio.get_running_loop().time()
        with pytest.raises(CredtrayError, match="token cache"):
            await daemon.ask(protocol.Credentials("dev"))
        return elapsed(began)

    assert run(drive()) < 1


@pytest.mark.parametrize("error", [Offline("no route"), RoleRefused("HTTP 403")])
def test_reason_why_there_are_none_is_told_with_its_class(error: CredtrayError) -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        daemon.portal.fail("fetch", error)
        with pytest.raises(type(error)):
            await daemon.ask(protocol.Credentials("dev"))

    run(drive())


def test_nobody_signed_in_is_told_at_once_and_no_browser_opens() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        with pytest.raises(SignInRequired):
            await daemon.ask(protocol.Credentials("dev"))

        assert daemon.browser.opened == []

    run(drive())


def test_signed_out_session_serves_nothing_any_more() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        await daemon.ask(protocol.Credentials("dev"))
        await daemon.ask(protocol.Logout("corp"))
        with pytest.raises(SignInRequired):
            await daemon.ask(protocol.Credentials("dev"))

    run(drive())


@pytest.mark.parametrize("name", ["", "dve", "a\nb", "]", "\ud800", "x" * 10_000, "../dev"])
def test_hostile_and_unknown_names_are_refused_everywhere(name: str) -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        for request in (
            protocol.Credentials(name),
            protocol.Activate((name,)),
            protocol.Deactivate((name,)),
            protocol.Switch(name),
        ):
            with pytest.raises(UnknownProfile):
                await daemon.ask(request)
        with pytest.raises(UnknownSession):
            await daemon.ask(protocol.Login(name))

        assert daemon.state.active == ()

    run(drive())


# --- choices ---------------------------------------------------------------------------------------------


def test_activating_answers_when_the_file_shows_it() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in()
        found = await result(daemon, protocol.Activate(("dev", "ro", "dev")))

        assert found["reasons"] == {}
        assert daemon.credentials.sections.keys() == {"dev", "ro"}
        assert daemon.credentials.syncs == 1
        assert daemon.state.active == ("dev", "ro")

    run(drive())


def test_activating_many_profiles_answers_in_time_and_calls_nothing_signed_out() -> None:
    names = tuple(f"p{number:03d}" for number in range(MANY))

    async def drive() -> None:
        daemon = await Daemon(*names).signed_in()
        began = asyncio.get_running_loop().time()
        found = await result(daemon, protocol.Activate(names))

        assert elapsed(began) < 16
        assert found["reasons"] == {}
        assert await daemon.loop.everything_settled(600)
        assert daemon.credentials.sections.keys() == set(names)
        assert daemon.portal.counted["fetch"] == MANY
        assert daemon.credentials.syncs < 15

    run(drive())


def test_program_is_served_while_many_profiles_are_being_fetched() -> None:
    names = tuple(f"p{number:03d}" for number in range(MANY))

    async def drive() -> float:
        daemon = await Daemon(*names).signed_in()
        task = asyncio.create_task(daemon.ask(protocol.Activate(names[:-1])))
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await daemon.ask(protocol.Credentials(names[-1]))
        took = elapsed(began)
        await task
        return took

    assert run(drive()) < 2


def test_activating_signed_out_says_what_to_do() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        found = await result(daemon, protocol.Activate(("dev",)))

        assert found["reasons"]["dev"]["hint"] == "Run: credtray login corp"

    run(drive())


def test_section_name_goes_with_one_profile() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in()
        with pytest.raises(UsageError):
            await daemon.ask(protocol.Activate(("dev", "ro"), section="x"))
        await daemon.ask(protocol.Activate(("dev",), section="work"))

        assert daemon.credentials.sections.keys() == {"work"}

    run(drive())


def test_switching_mirrors_the_profile_and_its_region_and_back() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in()
        await daemon.ask(protocol.Switch("ro"))

        assert daemon.credentials.keys["default"].region == "eu-west-1"
        assert daemon.credentials.keys["default"].profile == "ro"
        await daemon.ask(protocol.Switch("dev"))
        assert daemon.credentials.keys["default"].profile == "dev"
        await daemon.ask(protocol.Switch(None))
        assert daemon.credentials.sections == {}

    run(drive())


def test_switched_profile_whose_region_changes_is_written_with_the_new_one() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        await daemon.ask(protocol.Switch("dev"))
        moved = replace(profile("dev"), region="us-west-2")
        daemon.loop.take(ConfigLoaded(config(moved)))
        await asyncio.sleep(40 * 60 + 30)  # at the next keys, at the latest

        assert daemon.credentials.keys["default"].region == "us-west-2"

    run(drive())


def test_switching_to_a_default_of_somebody_else_explains_and_leaves_it_alone() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        daemon.credentials.foreign["default"] = SectionNotOurs("[default] holds keys").problem
        found = await result(daemon, protocol.Switch("dev"))

        assert found["profiles"][0]["error"]["code"] == "section_not_ours"
        assert daemon.credentials.sections == {}

    run(drive())


def test_deactivating_takes_the_keys_out_also_of_a_profile_that_is_gone_from_the_config_file() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in()
        await daemon.ask(protocol.Activate(("dev", "ro")))
        daemon.loop.take(ConfigLoaded(config(profile("ro"))))
        await daemon.ask(protocol.Deactivate(("dev", "ro")))

        assert daemon.credentials.sections == {}
        assert daemon.state.active == ()

    run(drive())


def test_undo_takes_everything_back_and_the_second_one_finds_nothing() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").signed_in()
        await daemon.ask(protocol.Activate(("dev",)))
        await daemon.ask(protocol.Switch("ro"))
        listed = await result(daemon, protocol.Undo("list"))

        assert [each["section"] for each in listed["credentials"]] == ["dev", "default"]
        assert daemon.credentials.sections.keys() == {"dev", "default"}
        with pytest.raises(UsageError):
            await daemon.ask(protocol.Undo("something"))
        done = await result(daemon, protocol.Undo())
        assert done["credentials"] == {"restored": ["default", "dev"], "skipped": {}}
        assert (daemon.credentials.sections, daemon.state.active, daemon.state.default) == ({}, (), None)
        with pytest.raises(NothingToUndo):
            await daemon.ask(protocol.Undo())

    run(drive())


# --- watching, snoozing, stopping ------------------------------------------------------------------------


def test_watcher_hears_of_each_change_and_at_least_twice_a_minute() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        sink = Sink()
        watching = asyncio.create_task(daemon.requests.handle(protocol.Watch(), sink))
        await asyncio.sleep(0)
        await daemon.ask(protocol.Login("corp"))

        assert [sink.updates[place].sessions[0].state for place in (0, -1)] == ["signed_out", "fresh"]
        heard = len(sink.updates)
        await asyncio.sleep(125)
        assert len(sink.updates) >= heard + 4
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        heard = len(sink.updates)
        daemon.loop.take(Tick())
        await asyncio.sleep(60)
        assert len(sink.updates) == heard

    run(drive())


def test_notices_can_be_paused_for_a_week_at_most_and_shown_again() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        noon = daemon.clock.now()
        paused = await result(daemon, protocol.PauseNotices(noon + HOUR))

        assert paused == {"until": iso(noon + HOUR)}
        assert (await result(daemon, protocol.Status()))["notices_paused_until"] == iso(noon + HOUR)
        assert await result(daemon, protocol.PauseNotices(None)) == {"until": None}
        assert await result(daemon, protocol.PauseNotices(noon - HOUR)) == {"until": None}
        with pytest.raises(UsageError):
            await daemon.ask(protocol.PauseNotices(noon + 8 * 24 * HOUR))

    run(drive())


def test_snooze_keeps_quiet_and_then_says_it_again() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        daemon.portal.ends_at = daemon.clock.now() + 100 * MINUTE
        await asyncio.sleep(82 * 60)

        assert [title for title in daemon.notifier.shown if "ends in" in title] != []
        daemon.notifier.shown.clear()
        await daemon.ask(protocol.Snooze("corp", 10))
        await asyncio.sleep(9 * 60)
        assert daemon.notifier.shown == []
        await asyncio.sleep(2 * 60)
        assert len([title for title in daemon.notifier.shown if "ends in" in title]) == 1

    run(drive())


def test_stop_is_answered() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        found = await result(daemon, protocol.Stop())

        assert found["pid"] > 0
        await asyncio.sleep(0)
        assert daemon.stopped.is_set()

    run(drive())


@pytest.mark.parametrize("request_", [protocol.Stop(keep_keys=True), protocol.Stop()])
def test_keys_stay_only_when_another_agent_follows(request_: protocol.Stop) -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        await daemon.ask(protocol.Activate(("dev",)))
        await daemon.ask(request_)
        await daemon.loop.stop(2)

        assert ("dev" in daemon.credentials.sections) is request_.keep_keys

    run(drive())


def test_who_is_to_be_ended_by_a_signal_goes_on_until_then() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        await daemon.ask(protocol.Activate(("dev",)))
        await daemon.ask(protocol.Stop(keep_keys=True, by_signal=True))
        await asyncio.sleep(30)
        assert not daemon.stopped.is_set()
        await daemon.loop.stop(2)
        assert "dev" in daemon.credentials.sections

    run(drive())


def test_sessions_need_a_name_only_where_there_are_several() -> None:
    async def drive() -> None:
        other = replace(profile("far", of="other"))
        daemon = Daemon()
        first = next(iter(daemon.config.content.sessions.values()))
        daemon.config.content = config(profile("dev"), other, sessions=(first, replace(first, name="other")))
        await daemon.started()
        with pytest.raises(UsageError, match="corp, other"):
            await daemon.ask(protocol.Logout())
        daemon.loop.take(ConfigLoaded(config(sessions=())))
        with pytest.raises(UnknownSession, match="has none yet"):
            await daemon.ask(protocol.Logout())

    run(drive())


def test_status_is_answered_while_everything_hangs() -> None:
    async def drive() -> None:
        daemon = await Daemon().signed_in()
        daemon.loop.take(fetching("dev"))
        began = asyncio.get_running_loop().time()
        found = await result(daemon, protocol.Status())

        assert elapsed(began) == 0
        assert found["sessions"][0]["state"] == "fresh"

    run(drive())


def test_short_lived_roles_are_served_without_a_busy_loop() -> None:
    async def drive() -> int:
        daemon = await Daemon().signed_in()
        daemon.portal.role_life = HOUR / 4
        await daemon.ask(protocol.Activate(("dev",)))
        for _ in range(60):
            await daemon.ask(protocol.Credentials("dev"))
            await asyncio.sleep(60)
        return daemon.portal.counted["fetch"]

    assert run(drive()) <= 7


def test_a_request_has_one_handler() -> None:
    async def answered(_request: protocol.Ping, _sink: ReplySink) -> Done[PingResult]:
        return Done(PingResult(1, "1"))

    async def drive() -> None:
        daemon = Daemon()
        with pytest.raises(ValueError, match="registered twice: Ping"):
            daemon.requests.register({protocol.Ping: answered})

    run(drive())


def test_each_answer_is_the_struct_that_its_request_names() -> None:
    asked: tuple[protocol.Asks[Any], ...] = (
        protocol.Ping(),
        protocol.Login("corp"),
        protocol.Activate(("dev",)),
        protocol.Deactivate(("dev",)),
        protocol.Switch("dev"),
        protocol.Credentials("dev"),
        protocol.Status(),
        protocol.Snooze("corp", 5),
        protocol.PauseNotices(),
        protocol.CancelLogin("corp"),
        protocol.ListUndo(),
        protocol.Undo(),
        protocol.Logout("corp"),
        protocol.Stop(),
    )

    async def drive() -> list[object]:
        daemon = await Daemon().signed_in()
        return [protocol.result_of(await daemon.ask(each), each) for each in asked]

    assert [type(each) for each in run(drive())] == [each.result_type() for each in asked]
