from __future__ import annotations

import gzip
import http.client
import socket
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.faults import (
    EVERY,
    Body,
    CaptivePortal,
    Drip,
    Drop,
    Fault,
    Faults,
    GzipBomb,
    Hang,
    Huge,
    Reset,
    Status,
    Throttle,
    Truncate,
    replaced,
)
from tests.demo.program import Program, error_type
from tests.portal import Answer, ask

KEYS = "GetRoleCredentials"


@pytest.fixture
def token(portal: IdentityCenter) -> str:
    portal.auto_approve()
    token: str = Program(portal.url).signed_in()["accessToken"]
    return token


@pytest.fixture
def keys(portal: IdentityCenter, token: str) -> Callable[[], Answer]:
    """Ask for ReadOnly's credentials over raw HTTP."""
    return lambda: Program(portal.url).credentials(token)


def test_throttling_lasts_as_often_as_told(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Throttle(), times=2)

    assert [keys().status for _ in range(3)] == [429, 429, 200]


def test_throttled_answer_has_the_live_form(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Throttle(retry_after=7))
    answer = keys()

    assert answer.headers["retry-after"] == "7"
    assert answer.json() == {
        "message": "HTTP 429 Unknown Code",
        "__type": "com.amazonaws.switchboard.portal#TooManyRequestsException",
    }


def test_throttled_token_service_says_slow_down(portal: IdentityCenter) -> None:
    portal.inject("RegisterClient", Throttle(retry_after=3))
    answer = Program(portal.url).register()

    assert (answer.status, error_type(answer)) == (400, "SlowDownException")
    assert answer.headers["retry-after"] == "3"


def test_throttled_sts_says_throttling(portal: IdentityCenter) -> None:
    portal.inject("GetCallerIdentity", Throttle())
    answer = ask(portal.url, method="POST", body=b"Action=GetCallerIdentity")

    assert (answer.status, b"<Code>Throttling</Code>" in answer.body) == (400, True)


def test_hang_ends_with_a_closed_connection(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Hang(0.05))
    with pytest.raises(http.client.RemoteDisconnected):
        keys()


def test_reset_comes_in_the_middle_of_the_body(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Reset())
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        keys()

    assert portal.journal.calls()[-1].status == 0


def test_truncated_body_is_shorter_than_promised(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Truncate())
    with pytest.raises(http.client.IncompleteRead):
        keys()


def test_honestly_truncated_body_is_half_the_json(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Truncate(honest=True))
    answer = keys()

    assert (answer.status, len(answer.body)) == (200, int(answer.headers["content-length"]))
    assert answer.body.startswith(b'{"roleCredentials"')
    assert not answer.body.endswith(b"}")


def test_captive_portal_answers_200_html(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, CaptivePortal())
    answer = keys()

    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_captive_portal_can_redirect_or_say_511(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Status(302, location="http://login.hotel.example/"), times=1)
    portal.inject(KEYS, Status(511), times=1)
    redirected, required = keys(), keys()

    assert (redirected.status, redirected.location) == (302, "http://login.hotel.example/")
    assert required.status == 511


def test_chosen_body_arrives_as_it_is(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Body('{"roleCredentials": {"expiration": -1}}'))

    assert keys().json() == {"roleCredentials": {"expiration": -1}}


def test_huge_body_is_huge(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Huge(mebibytes=3))

    assert len(keys().body) > 3 * 1024 * 1024


def test_gzip_bomb_unpacks_to_what_was_asked(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, GzipBomb(mebibytes=20))
    answer = keys()

    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 100_000
    assert len(gzip.decompress(answer.body)) == 20 * 1024 * 1024


def test_dripping_answer_arrives_byte_by_byte_and_stops_with_the_server(
    portal: IdentityCenter, token: str
) -> None:
    portal.inject(KEYS, Drip(seconds=0.2))
    host, port = "127.0.0.1", portal.port
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(
            b"GET /federation/credentials?role_name=ReadOnly&account_id=111100000001 HTTP/1.1\r\n"
            b"Host: x\r\nx-amz-sso_bearer_token: " + token.encode() + b"\r\n\r\n"
        )
        pieces = [connection.recv(4096) for _ in range(5)]

        assert b"".join(pieces).startswith(b"HTTP/")
        assert all(len(piece) < 50 for piece in pieces)

        portal.stop()
        rest = b"".join(iter(lambda: connection.recv(4096), b""))

        assert not (b"".join(pieces) + rest).endswith(b"}")  # it did not wait for the end of the answer


def test_every_means_programs_not_pages(portal: IdentityCenter, token: str) -> None:
    portal.inject(EVERY, Status(503))
    program = Program(portal.url)

    assert program.register().status == 503
    assert program.credentials(token).status == 503
    assert ask(f"{portal.url}/start").status == 200

    portal.clear_faults()

    assert program.credentials(token).status == 200


def test_fault_can_be_meant_for_one_role(portal: IdentityCenter, token: str) -> None:
    portal.inject(KEYS, Status(500), role="Admin")
    program = Program(portal.url)

    assert program.credentials(token, role="ReadOnly").status == 200
    assert program.credentials(token, role="Admin").status == 500


def test_faults_of_one_operation_can_be_cleared(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.inject(KEYS, Status(500))
    portal.inject("ListAccounts", Status(500))
    portal.clear_faults(KEYS)

    assert keys().status == 200
    assert ask(f"{portal.url}/assignment/accounts").status == 500


def test_lost_answer_leaves_the_old_refresh_token_dead(portal: IdentityCenter) -> None:
    portal.auto_approve()
    program = Program(portal.url)
    tokens = program.signed_in()
    portal.inject("CreateToken", Drop(processed=True), times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        program.refresh(tokens["refreshToken"])

    assert error_type(program.refresh(tokens["refreshToken"])) == "InvalidGrantException"


@pytest.mark.parametrize("fault", [Throttle(), Status(500), Drop(), Body("{}"), CaptivePortal()])
def test_fault_before_the_service_leaves_the_refresh_token_good(portal: IdentityCenter, fault: Fault) -> None:
    portal.auto_approve()
    program = Program(portal.url)
    tokens = program.signed_in()
    portal.inject("CreateToken", fault, times=1)
    try:
        program.refresh(tokens["refreshToken"])
    except http.client.RemoteDisconnected:
        assert fault == Drop()

    assert program.refresh(tokens["refreshToken"]).status == 200


def test_latency_delays_the_answer(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.set_latency(KEYS, 0.2)
    started = time.monotonic()
    keys()

    assert time.monotonic() - started >= 0.2


def test_latency_is_meant_for_one_operation_or_for_programs() -> None:
    faults = Faults()
    faults.set_latency(KEYS, 0.2)
    faults.set_latency(EVERY, 0.1)

    assert faults.latency(KEYS, page=False) == 0.2
    assert faults.latency("ListAccounts", page=False) == 0.1
    assert faults.latency("SignInPage", page=True) == 0.0


def test_rate_limit_throttles_the_call_above_it_and_lets_go_after_a_second() -> None:
    faults = Faults()
    faults.limit_rate(KEYS, 20)
    now = datetime(2026, 11, 22, tzinfo=UTC)

    taken = [faults.take(KEYS, now, page=False) for _ in range(21)]

    assert taken == [None] * 20 + [Throttle()]
    assert faults.take(KEYS, now + timedelta(seconds=0.999), page=False) == Throttle()
    assert faults.take(KEYS, now + timedelta(seconds=1), page=False) is None
    assert faults.take("ListAccounts", now, page=False) is None


def test_rate_limit_works_over_http(portal: IdentityCenter, keys: Callable[[], Answer]) -> None:
    portal.limit_rate(KEYS, 1)
    answers = {keys().status for _ in range(10)}

    assert answers == {200, 429}


def test_stop_ends_hanging_answers_at_once(token: str, portal: IdentityCenter) -> None:
    portal.inject(KEYS, Hang())
    with socket.create_connection(("127.0.0.1", portal.port), timeout=60) as connection:
        connection.sendall(b"GET /federation/credentials HTTP/1.1\r\nHost: x\r\n\r\n")
        while portal.journal.count(KEYS) == 0:
            time.sleep(0.005)
        portal.stop()

        assert connection.recv(1) == b""  # the answer would hang for an hour


def test_bomb_is_made_without_unpacking_it_in_memory() -> None:
    tracemalloc.start()
    replaced(GzipBomb(mebibytes=100), KEYS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 10 * 1024 * 1024
