"""The endpoint is open while somebody wants it, and no token outlives its use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CredtrayError,
    EndpointUnavailable,
    FileUnwritable,
    SignInRequired,
    UnknownProfile,
)
from credtray.core.events import Activated, Deactivated
from credtray.core.models import Delivery, Secret
from credtray.core.ports import EndpointMemory
from credtray.core.ports.files import IssueForProfile
from credtray.core.settings import ProfileSettings, Settings
from credtray.daemon.endpoint import RETRY_SECONDS, Endpoint
from tests.as_json import result
from tests.core.making import MINUTE, config, profile
from tests.daemon.fakes import Daemon, run


@dataclass
class MemoryStore:
    """Implements ``ports.EndpointStore``; survives an agent."""

    memory: EndpointMemory = EndpointMemory()
    files: dict[str, str] = field(default_factory=dict)
    problem: CredtrayError | None = None
    refused: frozenset[str] = frozenset()
    """Profiles whose token file cannot be written."""
    on_write: Callable[[str], object] = str
    """Told of each profile when its token file is there."""

    def load(self) -> EndpointMemory:
        return self.memory

    def save(self, memory: EndpointMemory) -> None:
        if self.problem is not None:
            raise self.problem
        self.memory = memory

    def path(self, port: int, profile: str) -> str:
        return f"{port}/{profile}"

    def write(self, port: int, profile: str, token: Secret) -> None:
        if self.problem is not None:
            raise self.problem
        if profile in self.refused:
            raise FileUnwritable(f"{profile}: no space left")
        self.files[self.path(port, profile)] = token.reveal()
        self.on_write(profile)

    def remove(self, port: int, profile: str) -> None:
        self.files.pop(self.path(port, profile), None)

    def clear(self, port: int | None) -> None:
        self.files.clear()


@dataclass
class FakePort:
    """Implements ``ports.EndpointPort`` without a socket."""

    port: int
    tokens: Mapping[str, Secret] = field(default_factory=dict)
    issue: IssueForProfile | None = None
    closed: bool = False

    async def serve(self, tokens: Mapping[str, Secret], issue: IssueForProfile) -> None:
        self.tokens, self.issue = tokens, issue

    async def close(self) -> None:
        self.closed = True


class World:
    """A daemon with an endpoint that has no socket; ``taken`` are ports of others."""

    def __init__(self, *names: str, store: MemoryStore | None = None) -> None:
        self.daemon = Daemon(*names)
        self.store = store or MemoryStore()
        self.taken: set[int] = set()
        self.bound: list[FakePort] = []
        self.heard: list[Secret] = []
        self.unavailable = False
        self.endpoint = Endpoint(
            self.daemon.loop, self.daemon.requests, self.store, self.bind, self.heard.append
        )
        self.daemon.requests.register(self.endpoint.handlers)
        self.task: asyncio.Task[None] | None = None

    def bind(self, port: int | None) -> FakePort:
        if self.unavailable:
            raise EndpointUnavailable("no port")
        found = port if port is not None and port not in self.taken else 20001 + len(self.taken)
        self.bound.append(FakePort(found))
        return self.bound[-1]

    async def started(self) -> World:
        await self.daemon.started()
        self.task = asyncio.create_task(self.endpoint.run())
        await self.quiet()
        return self

    async def quiet(self) -> None:
        await asyncio.sleep(5)

    async def ended(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait({self.task})

    async def ask(self, name: str = "dev", *, revoke: bool = False) -> dict[str, Any]:
        reply = await self.daemon.ask(protocol.Endpoint(name, revoke=revoke))
        found: dict[str, Any] = result(reply)
        return found

    def deliver_by_endpoint(self, *names: str) -> None:
        profiles = {name: ProfileSettings(delivery=Delivery.ENDPOINT) for name in names}
        self.daemon.settings.content = replace(Settings(), profiles=profiles)

    @property
    def port(self) -> int | None:
        return self.daemon.state.endpoint.port

    @property
    def reason(self) -> str | None:
        problem = self.daemon.state.endpoint.problem
        return None if problem is None else problem.title


def test_nothing_is_opened_before_somebody_asks() -> None:
    async def drive() -> None:
        world = await World().started()
        await world.ended()

        assert world.bound == []
        assert world.store.memory == EndpointMemory()

    run(drive())


def test_asking_opens_the_port_and_writes_a_token() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        found = await world.ask()

        assert found == {
            "profile": "dev",
            "port": 20001,
            "url": "http://127.0.0.1:20001/credentials/dev",
            "token_file": "20001/dev",
            "region": "eu-west-1",
        }
        assert world.port == 20001
        assert world.bound[0].tokens["dev"] == Secret(world.store.files["20001/dev"])
        assert world.heard == [world.bound[0].tokens["dev"]]
        assert len(world.store.files["20001/dev"]) == 43
        await world.ended()

    run(drive())


def test_a_token_is_good_the_moment_its_file_is_there() -> None:
    async def drive() -> None:
        world = World("dev")
        good: list[bool] = []
        world.store.on_write = lambda profile: good.append(
            world.bound[0].tokens.get(profile) == Secret(world.store.files[f"20001/{profile}"])
        )
        await world.started()
        await world.ask()
        await world.ended()

        assert good == [True]

    run(drive())


def test_each_profile_has_a_token_of_its_own_and_keeps_it() -> None:
    async def drive() -> None:
        world = await World("dev", "prod").started()
        for _ in range(2):
            await asyncio.gather(*(world.ask(name) for name in ("dev", "prod") * 5))
        await world.ended()

        assert len(world.bound) == 1
        assert len({each.reveal() for each in world.heard}) == len(world.heard) == 2

    run(drive())


def test_port_is_closed_when_the_last_token_is_taken_back() -> None:
    async def drive() -> None:
        world = await World("dev", "prod").started()
        await world.ask("dev")
        await world.ask("prod")

        assert (await world.ask("dev", revoke=True))["revoked"] is True
        assert [each.closed for each in world.bound] == [False]
        assert world.bound[0].tokens.keys() == {"prod"}
        assert (await world.ask("prod", revoke=True))["revoked"] is True
        assert [each.closed for each in world.bound] == [True]
        assert world.store.files == {}
        assert world.port is None
        assert (await world.ask("prod", revoke=True))["revoked"] is False
        await world.ended()

    run(drive())


def test_unknown_profiles_are_refused_and_open_nothing() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        for revoke in (False, True):
            with pytest.raises(UnknownProfile):
                await world.ask("nobody", revoke=revoke)
        await world.ended()

        assert world.bound == []

    run(drive())


def test_a_profile_that_left_the_config_file_can_be_taken_back() -> None:
    async def drive() -> None:
        world = await World("dev", "prod").started()
        await world.ask("dev")
        world.daemon.config.put(config(profile("prod")))
        await world.quiet()

        assert (await world.ask("dev", revoke=True))["revoked"] is True
        await world.ended()

    run(drive())


# --- the next start ----------------------------------------------------------------------------------


def test_next_agent_takes_the_port_again_and_renews_the_tokens() -> None:
    async def drive() -> None:
        store = MemoryStore()
        first = await World("dev", store=store).started()
        await first.ask()
        before = dict(store.files)
        await first.ended()

        assert store.files == {}  # while nobody serves them, nobody is to send one anywhere
        assert [each.closed for each in first.bound] == [True]
        second = await World("dev", store=store).started()
        assert second.port == 20001
        assert store.files.keys() == before.keys()
        assert store.files != before
        await second.ended()

    run(drive())


def test_tokens_a_killed_agent_left_are_worth_nothing() -> None:
    async def drive() -> None:
        store = MemoryStore(EndpointMemory(20001, frozenset({"dev"})), {"20001/dev": "old", "7/gone": "old"})
        world = await World("dev", store=store).started()

        assert world.bound[0].tokens["dev"] != Secret("old")
        assert store.files == {"20001/dev": world.bound[0].tokens["dev"].reveal()}
        await world.ended()

    run(drive())


def test_where_somebody_else_has_the_port_no_token_is_left_for_its_address() -> None:
    async def drive() -> None:
        store = MemoryStore(EndpointMemory(20001, frozenset({"dev"})), {"20001/dev": "old"})
        world = World("dev", store=store)
        world.taken = {20001}
        await world.started()

        assert world.port == 20002
        assert store.files.keys() == {"20002/dev"}
        assert store.memory.port == 20002
        await world.ended()

    run(drive())


# --- delivery = "endpoint" ---------------------------------------------------------------------------


def test_active_profile_that_is_set_so_opens_it_and_gives_way_when_it_is_not_active_any_more() -> None:
    async def drive() -> None:
        world = World("dev", "prod")
        world.deliver_by_endpoint("dev", "prod")
        await world.started()
        assert world.bound == []
        world.daemon.loop.take(Activated(("dev",)))
        await world.quiet()
        assert world.store.files.keys() == {"20001/dev"}
        world.daemon.loop.take(Deactivated(("dev",)))
        await world.quiet()

        assert [each.closed for each in world.bound] == [True]
        assert world.store.files == {}
        await world.ended()

    run(drive())


def test_a_token_taken_back_stays_away_until_somebody_asks_again() -> None:
    async def drive() -> None:
        world = World("dev")
        world.deliver_by_endpoint("dev")
        await world.started()
        world.daemon.loop.take(Activated(("dev",)))
        await world.quiet()
        await world.ask(revoke=True)
        await world.quiet()
        assert world.store.files == {}
        await world.ended()
        again = World("dev", store=world.store)
        again.deliver_by_endpoint("dev")
        await again.started()
        again.daemon.loop.take(Activated(("dev",)))
        await again.quiet()
        assert again.bound == []
        await again.ask()

        assert again.store.files.keys() == {"20001/dev"}
        assert again.store.memory.revoked == frozenset()
        await again.ended()

    run(drive())


# --- trouble -----------------------------------------------------------------------------------------


def test_no_port_is_told_to_who_asks_and_in_status() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        world.unavailable = True
        with pytest.raises(EndpointUnavailable, match="no port"):
            await world.ask()

        assert "no port" in str(world.reason)
        world.unavailable = False
        await asyncio.sleep(RETRY_SECONDS + 1)
        assert (world.port, world.reason) == (20001, None)
        await world.ended()

    run(drive())


def test_a_file_that_cannot_be_written_is_tried_again_by_itself() -> None:
    async def drive() -> None:
        store = MemoryStore(EndpointMemory(20001, frozenset({"dev"})))
        store.problem = FileUnwritable("disk full")
        world = await World("dev", store=store).started()
        assert "disk full" in str(world.reason)
        store.problem = None
        await asyncio.sleep(RETRY_SECONDS + 1)

        assert world.reason is None
        assert store.files.keys() == {"20001/dev"}
        await world.ended()

    run(drive())


def test_a_profile_without_a_token_file_stops_no_other() -> None:
    async def drive() -> None:
        store = MemoryStore(EndpointMemory(20001, frozenset({"dev", "prod"})), refused=frozenset({"dev"}))
        world = await World("dev", "prod", "test", store=store).started()

        assert world.bound[0].tokens.keys() == {"prod"}
        assert (await world.ask("test"))["token_file"] == "20001/test"
        assert "could not be written" in str(world.reason)
        with pytest.raises(EndpointUnavailable, match="dev: no space left"):
            await world.ask("dev")
        store.refused = frozenset()
        await asyncio.sleep(RETRY_SECONDS + 1)
        assert world.reason is None
        assert world.bound[0].tokens.keys() == {"dev", "prod", "test"}
        await world.ended()

    run(drive())


def test_a_request_while_the_agent_ends_is_refused() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        await world.ended()
        with pytest.raises(EndpointUnavailable, match="is stopping"):
            await world.ask()

        assert world.bound == []

    run(drive())


# --- keys --------------------------------------------------------------------------------------------


def test_keys_are_there_before_the_program_asks() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        await world.daemon.ask(protocol.Login("corp"))
        await world.ask()
        await world.quiet()

        assert world.daemon.state.profiles["dev"].credentials is not None
        await world.ended()

    run(drive())


def test_whoever_asks_gets_keys_for_more_than_15_minutes_from_memory_for_hours() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        await world.daemon.ask(protocol.Login("corp"))
        await world.ask()
        await world.quiet()
        issue = world.bound[0].issue
        assert issue is not None
        seen = set()
        for _ in range(40):
            began = asyncio.get_running_loop().time()
            issued = await issue("dev", None)
            held = world.daemon.state.profiles["dev"].credentials
            seen.add(issued.access_key_id)

            assert held is not None
            assert held.expires_at - world.daemon.clock.now() > 15 * MINUTE
            assert asyncio.get_running_loop().time() == began
            await asyncio.sleep(7 * 60)
        await world.ended()

        assert len(seen) >= 5
        assert world.daemon.portal.counted["fetch"] == len(seen)

    run(drive())


def test_signed_out_the_reason_is_told() -> None:
    async def drive() -> None:
        world = await World("dev").started()
        await world.ask()
        issue = world.bound[0].issue
        assert issue is not None
        with pytest.raises(SignInRequired):
            await issue("dev", None)
        await world.ended()

    run(drive())
