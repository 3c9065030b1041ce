from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

from credtray.core.errors import (
    AgentNotRunning,
    AgentRefused,
    AgentSilent,
    BadFrame,
    CredtrayError,
    SignInRequired,
    TimedOut,
)
from credtray.core.protocol import (
    Credentials,
    Login,
    Ping,
    Progress,
    Status,
    Switch,
    Watch,
    encode,
)
from credtray.daemon.ipc import ipc_server
from credtray.ipc_client import AgentClient
from tests.daemon.conftest import Agent, Raw, end_agent, eventually, raw, start_agent, until_closed
from tests.daemon.stub_agent import ISSUED, StubHandler
from tests.soak import examples


def cancelled(client: AgentClient) -> int:
    return client.ask(Ping()).pid


@pytest.mark.posix("modes")
def test_socket_is_private_in_a_private_directory(agent: Agent) -> None:
    assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(agent.socket.parent.stat().st_mode) == 0o700


def test_several_requests_travel_over_one_connection(agent: Agent) -> None:
    with AgentClient.connect() as client:
        answers = [client.ask(Credentials("foo")), client.ask(Ping()), client.ask(Credentials("bar"))]

    assert answers[0] == answers[2] == ISSUED


def test_reply_of_a_megabyte_arrives_whole(agent: Agent) -> None:
    with AgentClient.connect() as client:
        reply = client.ask(Status())

    assert len(reply.agent.version or "") == 1_000_000


def test_error_of_the_handler_keeps_its_class_and_the_connection(agent: Agent) -> None:
    with AgentClient.connect() as client:
        with pytest.raises(SignInRequired, match="corp"):
            client.ask(Credentials("signed-out"))

        assert client.ask(Credentials("foo")) == ISSUED


def test_exception_of_the_handler_becomes_a_failure_without_its_text(agent: Agent) -> None:
    with AgentClient.connect() as client, pytest.raises(CredtrayError) as caught:
        client.ask(Credentials("crash"))

    assert caught.value.code == "internal"
    assert "canary" not in str(caught.value) + caught.value.advice


def test_request_that_is_not_answered_fails_instead_of_hanging(agent: Agent) -> None:
    with AgentClient.connect() as client, pytest.raises(CredtrayError, match="not answered"):
        client.ask(Switch("foo"))


def test_status_is_answered_while_a_login_hangs(agent: Agent) -> None:
    seen: list[Progress] = []
    with AgentClient.connect() as waiting, AgentClient.connect() as other:
        with pytest.raises(TimedOut):
            waiting.ask(Login("corp"), seen.append, within=0.3)

        assert other.ask(Status()).agent.running
    assert seen == [Progress("browser", url="https://example.invalid/")]


def test_slow_answer_is_waited_for_as_long_as_the_agent_shows_life(agent: Agent) -> None:
    seen: list[Progress] = []
    with AgentClient.connect() as client:
        answer = client.ask(Credentials("slow"), seen.append)

    assert answer == ISSUED
    assert seen == []  # signs of life are nobody's business


def test_handler_is_cancelled_when_its_client_goes_away(agent: Agent) -> None:
    leaving = raw(agent)
    leaving.sendall(encode(Credentials("hang")))
    leaving.close()
    with AgentClient.connect() as client:
        gone = eventually(lambda: cancelled(client) == 1)

    assert gone


def test_client_that_does_not_read_is_given_up_after_five_seconds(agent: Agent) -> None:
    deaf = raw(agent)
    deaf.sendall(encode(Watch()))
    with AgentClient.connect() as client:
        freed = eventually(lambda: cancelled(client) == 1)
    deaf.close()

    assert freed


def test_watching_client_gets_updates_until_the_agent_ends(agent: Agent) -> None:
    with AgentClient.connect() as client:
        updates = client.watch()
        numbers = [next(updates).agent.pid for _ in range(50)]
        agent.kill()
        with pytest.raises(AgentNotRunning):
            list(updates)

    assert numbers == list(range(50))


def test_stopped_agent_is_reported(agent: Agent) -> None:
    agent.suspend()
    with pytest.raises(AgentSilent, match="it gave no sign of life"), AgentClient.connect() as client:
        client.ask(Ping())


@pytest.mark.parametrize(
    "junk", [b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100 + b"\n", b"{}\n", b"[" * 60000 + b"\n"]
)
def test_garbage_is_answered_with_a_refusal_and_the_end(agent: Agent, junk: bytes) -> None:
    client = raw(agent)
    client.sendall(junk)
    reply = json.loads(until_closed(client))

    assert reply["code"] == BadFrame.code


def test_endless_frame_is_cut_off_at_the_limit(agent: Agent) -> None:
    client = raw(agent)
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 10**9:
            client.sendall(b"x" * 65536)
            sent += 65536
    client.close()

    assert sent < 2**21


def test_other_version_is_told_and_cut_off(agent: Agent) -> None:
    client = raw(agent)
    client.sendall(b'{"credtray":2,"request":"ping"}\n')
    reply = json.loads(until_closed(client))

    assert reply["code"] == "protocol_mismatch"
    assert "the agent (credtray" in reply["title"]


def test_idle_and_half_finished_clients_are_closed_and_starve_nobody(agent: Agent) -> None:
    crowd = [raw(agent) for _ in range(999)]
    for half in crowd[::2]:
        with contextlib.suppress(OSError):  # on a busy machine it is closed by now
            half.sendall(b'{"credtray":1,')
    before_the_last = time.monotonic()
    crowd.append(raw(agent))
    with AgentClient.connect() as client:
        answer = client.ask(Credentials("foo"))
    left = [until_closed(each) for each in crowd]

    assert answer == ISSUED
    assert left == [b""] * 1_000
    assert time.monotonic() - before_the_last > 4  # not sooner; later on a busy machine


def test_twenty_clients_that_come_again_and_again_are_all_answered(agent: Agent) -> None:
    answers: list[bool] = []

    def come() -> None:
        for _ in range(20):
            with AgentClient.connect() as client:
                answers.append(client.ask(Credentials("foo")) == ISSUED)

    clients = [threading.Thread(target=come) for _ in range(20)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()

    assert answers == [True] * 400


def test_agent_that_is_killed_leaves_no_client_waiting(agent: Agent) -> None:
    ends: list[CredtrayError] = []

    def ask_until_it_ends(number: int) -> None:
        try:
            while True:
                with AgentClient.connect() as client:
                    client.ask(Credentials("hang" if number % 2 else "foo"))
        except CredtrayError as error:
            ends.append(error)

    clients = [threading.Thread(target=ask_until_it_ends, args=(number,)) for number in range(8)]
    for each in clients:
        each.start()
    time.sleep(0.3)  # until some have asked; whatever they do by then leads to the same end
    agent.kill()
    for each in clients:
        each.join()

    assert [type(end) for end in ends] == [AgentNotRunning] * 8


def test_removed_socket_is_made_again(agent: Agent) -> None:
    agent.socket.unlink()
    again = eventually(agent.socket.exists)
    with AgentClient.connect() as client:
        answer = client.ask(Credentials("foo"))

    assert again
    assert answer == ISSUED


def test_no_agent_is_said_so(home: Path) -> None:
    with pytest.raises(AgentNotRunning):
        AgentClient.connect()


@pytest.mark.posix("XDG_RUNTIME_DIR")
def test_agent_in_the_home_directory_is_found_by_a_client_with_a_runtime_directory(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    runtime = os.environ["XDG_RUNTIME_DIR"]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    process = start_agent()
    assert process.stdout is not None
    process.stdout.readline()
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    try:
        with AgentClient.connect() as client:
            answer = client.ask(Credentials("foo"))
    finally:
        end_agent(process)

    assert answer == ISSUED
    assert (home / ".cache/credtray/run/agent.sock").is_socket()


async def start_without_lock(path: Path) -> None:
    await ipc_server(path, lambda: False, StubHandler()).start()


def test_socket_is_not_replaced_without_the_lock(agent: Agent) -> None:
    import asyncio

    with pytest.raises(AgentRefused):
        asyncio.run(start_without_lock(agent.socket))
    with AgentClient.connect() as client:
        assert client.ask(Ping()).version == "stub"


def listen_to_the_end(client: Raw) -> None:
    """Send no more, and hear what comes to that; a pipe cannot be closed by half."""
    if isinstance(client, socket.socket):
        client.shutdown(socket.SHUT_WR)
        client.recv(65536)


def test_random_frames_never_hurt_the_agent(agent: Agent) -> None:
    """B7 against the real process; the codec alone is fuzzed in tests/core/test_protocol.py."""
    chance = random.Random(20261122)
    frames = [encode(Ping()), encode(Credentials("foo")), encode(Credentials("dead" * 100))]

    def attack(rounds: int, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(rounds):
            frame = bytearray(chance.choice(frames))
            for _ in range(chance.randrange(4)):
                frame[chance.randrange(len(frame))] = chance.randrange(256)
            client = raw(agent)
            with contextlib.suppress(OSError):
                client.sendall(bytes(frame[: chance.randrange(len(frame) + 1)]))
                if chance.random() < 0.5:
                    listen_to_the_end(client)
            client.close()

    attackers = [
        threading.Thread(target=attack, args=(examples(250), chance.randrange(2**32))) for _ in range(4)
    ]
    for attacker in attackers:
        attacker.start()
    for attacker in attackers:
        attacker.join()
    with AgentClient.connect() as client:
        answer = client.ask(Credentials("foo"))
    trouble = end_agent(agent.process)

    assert answer == ISSUED
    assert "Traceback" not in trouble
