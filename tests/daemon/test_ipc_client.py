"""How long a command waits for an agent: one budget until its first sign of life, another one between two."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credtray import ipc_client
from credtray.core.errors import AgentSilent, TimedOut
from credtray.core.protocol import Ping, Progress, encode
from credtray.daemon.ipc_connection import SIGN_OF_LIFE_SECONDS
from credtray.ipc_client import ANSWER_SECONDS, SILENCE_SECONDS, AgentClient


class Hand:
    """A monotonic clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Stream:
    """An agent that takes everything and says what it was told to say; then it is suspended."""

    def __init__(self, clock: Hand, *said: bytes, deaf: bool = False) -> None:
        self._clock = clock
        self._said = list(said)
        self._deaf = deaf
        self._timeout: float | None = None

    def settimeout(self, value: float | None, /) -> None:
        self._timeout = value

    def sendall(self, data: bytes, /) -> None:
        if self._deaf:
            self._wait()

    def recv(self, most: int, /) -> bytes:
        if not self._said:
            self._wait()
        return self._said.pop(0)

    def _wait(self) -> None:
        assert self._timeout is not None
        self._clock.now += self._timeout
        raise TimeoutError

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(ipc_client, "time", hand)
    return hand


def waited(clock: Hand, ask: Callable[[], object]) -> float:
    before = clock.now
    with pytest.raises(AgentSilent):
        ask()
    return round(clock.now - before, 3)


@pytest.mark.parametrize("spent", [0.0, 2.0])
def test_connecting_and_the_first_answer_share_one_budget(clock: Hand, spent: float) -> None:
    client = AgentClient(Stream(clock), spent)

    assert waited(clock, lambda: client.ask(Ping())) == ANSWER_SECONDS - spent


def test_sending_is_part_of_it(clock: Hand) -> None:
    client = AgentClient(Stream(clock, deaf=True), 1.0)

    assert waited(clock, lambda: client.ask(Ping())) == ANSWER_SECONDS - 1.0


def test_after_a_slow_connection_the_agent_still_has_a_moment_to_answer(clock: Hand) -> None:
    client = AgentClient(Stream(clock), ANSWER_SECONDS)

    assert 0 < waited(clock, lambda: client.ask(Ping())) <= 1


def test_two_of_six_seconds_are_left_for_the_start_of_the_command(clock: Hand) -> None:
    """Whoever types `credtray status` while the agent is suspended is told so within six seconds."""
    connecting = ANSWER_SECONDS
    client = AgentClient(Stream(clock), connecting)

    assert connecting + waited(clock, lambda: client.ask(Ping())) <= 6.0 - 2.0


def test_each_sign_of_life_gives_it_time_again(clock: Hand) -> None:
    waiting = encode(Progress("waiting"))
    client = AgentClient(Stream(clock, waiting, waiting), 0.0)

    assert waited(clock, lambda: client.ask(Ping())) == SILENCE_SECONDS


def test_our_own_limit_is_no_silence(clock: Hand) -> None:
    with pytest.raises(TimedOut):
        AgentClient(Stream(clock), 0.0).ask(Ping(), within=1.0)


def test_watching_waits_for_the_first_document_only_so_long(clock: Hand) -> None:
    client = AgentClient(Stream(clock), 0.0)

    assert waited(clock, lambda: next(client.watch())) == ANSWER_SECONDS


def test_an_agent_at_work_can_miss_two_signs_of_life() -> None:
    assert ANSWER_SECONDS > 3 * SIGN_OF_LIFE_SECONDS
