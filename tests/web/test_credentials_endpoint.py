"""What the endpoint owes those who may ask: the keys, or the reason, in time and on a port of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest

from credtray.core.errors import CredtrayError, EndpointUnavailable, RoleRefused, SignInRequired
from credtray.core.models import Secret
from credtray.core.ports.files import Caller
from credtray.core.protocol import ProcessCredentials
from credtray.web import http_connections
from credtray.web.credentials_endpoint import Limits, listening_on
from tests.daemon.conftest import eventually
from tests.web.endpoint_world import (
    CANARY,
    KEYS,
    OTHER_TOKEN,
    TOKEN,
    Endpoint,
    Reply,
    drained,
    request,
    serving,
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as found:
        yield found


def told(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply.body)
    return found


def test_keys_come_as_a_container_provider_expects_them(endpoint: Endpoint) -> None:
    reply = endpoint.get()

    assert reply.status == 200
    assert told(reply) == {
        "AccessKeyId": f"ASIA{CANARY}",
        "SecretAccessKey": f"secret{CANARY}",
        "Token": f"token{CANARY}",
        "Expiration": "2026-11-22T13:00:00Z",
        "AccountId": "111100000001",
    }


def test_each_token_opens_its_own_profile(endpoint: Endpoint) -> None:
    pairs = [(profile, token) for profile in ("dev", "prod") for token in (TOKEN, OTHER_TOKEN)]

    assert [endpoint.get(*pair).status for pair in pairs] == [200, 403, 403, 200]
    assert endpoint.issued == ["dev", "prod"]


def test_only_a_wrong_token_is_told_of_and_by_whom(endpoint: Endpoint) -> None:
    with closing(endpoint.connect()) as connection:
        ours = connection.getsockname()
        connection.sendall(request(endpoint.port, "dev", "wrong"))
        drained(connection)
    for token in (TOKEN, None):
        endpoint.get("dev", token)
    endpoint.send(b"nonsense")

    assert endpoint.wrong == [ours]


def test_localhost_is_a_name_of_ours(endpoint: Endpoint) -> None:
    raw = request(endpoint.port).replace(b"127.0.0.1", b"localhost")

    assert endpoint.send(raw).status == 200


def test_answers_are_neither_stored_nor_shared_with_pages(endpoint: Endpoint) -> None:
    for reply in (endpoint.get(), endpoint.get("dev", "wrong")):
        head = reply.head.decode().lower()

        assert "cache-control: no-store" in head
        assert "x-content-type-options: nosniff" in head
        assert "connection: close" in head
        assert "access-control" not in head
        assert "server:" not in head


@pytest.mark.parametrize("name", ["my prof", "a/b", "ümläut", "50%", "a@b:c", "..x", "x" * 255, "100%2F"])
def test_every_profile_name_has_an_address(endpoint: Endpoint, name: str) -> None:
    endpoint.tokens[name] = Secret(TOKEN)

    assert endpoint.get(name).status == 200
    assert endpoint.issued == [name]


def test_a_request_may_come_byte_by_byte(endpoint: Endpoint) -> None:
    with closing(endpoint.connect()) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(endpoint.port):
            connection.send(bytes([byte]))

        assert Reply(drained(connection)).status == 200


def test_a_client_may_close_its_half_once_it_has_asked(endpoint: Endpoint) -> None:
    with closing(endpoint.connect()) as connection:
        connection.sendall(request(endpoint.port))
        connection.shutdown(socket.SHUT_WR)

        assert Reply(drained(connection)).status == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SignInRequired("session corp", hint="Run: credtray login corp"), 401),
        (RoleRefused("dev"), 403),
        (CredtrayError(), 500),
        (ValueError("a secret"), 500),
    ],
)
def test_reason_is_told_as_json_with_a_hint(endpoint: Endpoint, error: Exception, status: int) -> None:
    endpoint.failing = error
    reply = endpoint.get()

    assert reply.status == status
    assert set(told(reply)) == {"code", "message", "hint"}
    assert b"a secret" not in reply.raw


def test_a_hint_for_a_person_arrives(endpoint: Endpoint) -> None:
    endpoint.failing = SignInRequired("session corp", hint="Run: credtray login corp")

    assert told(endpoint.get()) == {
        "code": "sign_in_required",
        "message": "A sign-in is needed: session corp",
        "hint": "Run: credtray login corp",
    }


def test_keys_that_do_not_come_in_time_are_a_503() -> None:
    with serving(Limits(answer_seconds=0.1)) as endpoint:
        endpoint.seconds = 1000
        reply = endpoint.get()

        assert reply.status == 503
        assert told(reply)["code"] == "timed_out"


def test_limit_leaves_the_sdks_time_to_hear_the_reason() -> None:
    assert Limits().answer_seconds < 1.5


def test_a_client_that_leaves_ends_the_asking(endpoint: Endpoint) -> None:
    endpoint.seconds = 60
    with closing(endpoint.connect()) as connection:
        connection.sendall(request(endpoint.port))
        while not endpoint.issued:
            time.sleep(0.01)
    endpoint.seconds = 0

    assert endpoint.get().status == 200


def test_a_visitor_that_says_nothing_is_shown_out() -> None:
    with serving(Limits(request_seconds=0.2)) as endpoint, closing(endpoint.connect()) as silent:
        assert drained(silent) == b""


@pytest.mark.posix("a thousand descriptors of sockets")
def test_one_thousand_silent_connections_delay_nobody() -> None:
    with serving(Limits(request_seconds=300)) as endpoint, ExitStack() as stack:
        silent = [stack.enter_context(closing(endpoint.connect())) for _ in range(600)]
        for number in range(400):
            slow = stack.enter_context(closing(endpoint.connect()))
            slow.sendall(b"GET /cred")  # as slow as a loris
            if number < 50:
                assert endpoint.get().status == 200  # while all the others wait for 300 s

        assert drained(silent[0]) == b""  # the oldest made room


def test_who_waits_for_keys_is_not_pushed_out_by_who_says_nothing() -> None:
    with serving(Limits(connections=4, answer_seconds=60)) as endpoint, ExitStack() as stack:
        endpoint.seconds = 0.5
        asking = stack.enter_context(closing(endpoint.connect()))
        asking.sendall(request(endpoint.port))
        while not endpoint.issued:
            time.sleep(0.01)
        for _ in range(20):
            stack.enter_context(closing(endpoint.connect()))

        assert Reply(drained(asking)).status == 200


def test_who_is_killed_stops_asking_for_keys() -> None:
    with serving(Limits(answer_seconds=60)) as endpoint:
        endpoint.seconds = 60
        with closing(endpoint.connect()) as asking:
            asking.sendall(request(endpoint.port))
            assert eventually(lambda: endpoint.issued == ["dev"])
            killed = struct.pack("ii", 1, 0)  # a reset, as of a client that dies with data unread
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, killed)

        assert eventually(lambda: endpoint.given_up == ["dev"])


def test_fifty_clients_at_once_are_all_served(endpoint: Endpoint) -> None:
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda _: endpoint.get().status, range(500)))

    assert statuses == [200] * 500


def test_tokens_taken_back_open_nothing(endpoint: Endpoint) -> None:
    endpoint.tokens["dev"] = Secret("another-token")
    replaced = endpoint.get()
    del endpoint.tokens["dev"]
    gone = endpoint.get()

    assert (replaced.status, gone.status) == (403, 403)
    assert replaced.raw == gone.raw


# --- the port ----------------------------------------------------------------------------------------


def test_only_loopback_is_listened_on(endpoint: Endpoint) -> None:
    assert endpoint.bound._listening.getsockname()[0] == "127.0.0.1"


def test_port_is_taken_again_although_connections_linger(endpoint: Endpoint) -> None:
    port = endpoint.port
    with serving() as first:
        port = first.port
        assert first.get().status == 200
    again = listening_on(port)
    asyncio.run(again.close())

    assert again.port == port


def test_another_port_is_taken_where_somebody_else_has_ours() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as squatter:
        port = squatter.getsockname()[1]
        bound = listening_on(port)
        asyncio.run(bound.close())

        assert bound.port != port
        assert bound.port in range(20000, 32768)


@pytest.mark.posix("options of sockets and their errors")
@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
def test_nobody_can_listen_beside_us(endpoint: Endpoint, option: str) -> None:
    with closing(socket.socket()) as rival:
        rival.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        with pytest.raises(OSError, match="in use"):
            rival.bind(("127.0.0.1", endpoint.port))


def test_no_port_at_all_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(port: int) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(http_connections, "listening_socket", none_left)
    with pytest.raises(EndpointUnavailable, match="Too many open files"):
        listening_on(None)


def test_visitors_before_it_serves_wait_and_are_answered_then() -> None:
    async def drive() -> bytes:
        bound = listening_on(None)

        async def issue(_profile: str, _caller: Caller) -> ProcessCredentials:
            return KEYS

        reader, writer = await asyncio.open_connection("127.0.0.1", bound.port)
        writer.write(request(bound.port))
        await bound.serve({"dev": Secret(TOKEN)}, issue)
        found = await reader.read()
        writer.close()
        await bound.close()
        return found

    assert Reply(asyncio.run(drive())).status == 200


def test_a_port_that_never_served_is_given_back() -> None:
    bound = listening_on(None)
    asyncio.run(bound.close())

    with closing(socket.create_server(("127.0.0.1", bound.port))):
        pass


def test_closing_ends_every_connection() -> None:
    with ExitStack() as stack:
        with serving() as endpoint:
            silent = stack.enter_context(closing(endpoint.connect()))
            silent.sendall(b"GET")
            asking = stack.enter_context(closing(endpoint.connect()))
            endpoint.seconds = 60
            asking.sendall(request(endpoint.port))
            while not endpoint.issued:
                time.sleep(0.01)

        assert (drained(silent), drained(asking)) == (b"", b"")
