from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from credtray.demo.identity_center import FastClock, IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import Browser, Program, error_type
from tests.portal import RunningPortal, ask, running

KEYS = "GetRoleCredentials"


@pytest.fixture
def other_process() -> Iterator[RunningPortal]:
    """An Identity Center in another process."""
    with running("--auto-approve", "alice") as portal:
        yield portal


def _command(portal: IdentityCenter, name: str, **members: Any) -> Any:
    answer = ask(portal.control_url, method="POST", body={"command": name, **members})

    assert answer.status == 200
    return answer.json()


def test_other_process_serves_and_is_steered(other_process: RunningPortal) -> None:
    program = Program(other_process.url)
    token = program.signed_in()["accessToken"]
    other_process.command("inject", operation=KEYS, fault={"fault": "throttle", "retry_after": 4}, times=1)
    throttled = program.credentials(token)
    program.credentials(token)

    assert (throttled.status, throttled.headers["retry-after"]) == (429, "4")
    counters = other_process.command("counters")
    assert counters["calls"][KEYS] == 2
    assert counters["refused"][KEYS] == 1
    assert counters["roles"] == {"111100000001/ReadOnly": 2}
    assert counters["grants"] == {"authorization_code": 1}
    assert counters["scopes"] == [["sso:account:access"]]
    assert len(counters["times"][KEYS]) == 2
    assert counters["calls"]["AuthorizePage"] == 1
    assert CANARY not in json.dumps(counters)


@pytest.mark.posix("/proc")
def test_other_process_listens_on_loopback_only(other_process: RunningPortal) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(other_process.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert [(address.ip, f"http://{address.ip}:{address.port}") for address in listening] == [
        ("127.0.0.1", other_process.url)
    ]


@pytest.mark.posix("signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_other_process_ends_well_on_a_signal(other_process: RunningPortal, number: signal.Signals) -> None:
    os.kill(other_process.process.pid, number)

    assert other_process.process.wait(5) == 0


def test_other_process_ends_with_whoever_started_it(other_process: RunningPortal) -> None:
    assert other_process.process.stdin is not None
    other_process.process.stdin.close()

    assert other_process.process.wait(5) == 0


def test_other_process_runs_faster_and_both_clocks_agree() -> None:
    origin = datetime.now(UTC) - timedelta(seconds=10)
    with running("--speed", "60", "--origin", origin.isoformat()) as portal:
        theirs = datetime.fromisoformat(portal.command("counters")["now"])
        ours = FastClock(portal.speed, portal.origin)()

        assert portal.origin == origin
        assert theirs - origin >= timedelta(seconds=600)
        assert abs(ours - theirs) < timedelta(seconds=60)


def test_other_process_can_have_many_accounts_and_a_chosen_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(
        "--accounts", "30", "--roles", "1", "--port", str(port), "--auto-approve", "alice"
    ) as portal:
        program = Program(portal.url)
        token = program.signed_in()["accessToken"]

        assert portal.url == f"http://127.0.0.1:{port}"
        assert program.call("/assignment/accounts", token).json()["nextToken"]


def test_control_needs_its_secret_address(portal: IdentityCenter) -> None:
    body = {"command": "counters"}

    assert ask(f"{portal.url}/control", method="POST", body=body).status == 404
    assert ask(f"{portal.url}/control/x", method="POST", body=body).status == 404
    assert ask(portal.control_url).status == 404
    assert ask(portal.control_url, method="POST", body=body).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"command": "other"}',
        b'{"command": "latency"}',
        b'{"command": "latency", "operation": "x", "seconds": "1"}',
        b'{"command": "counters", "unknown": 1}',
        b'{"command": "inject", "operation": "x", "fault": {"fault": "other"}}',
        b'{"command": "lifetimes", "seconds": {"other": 1}}',
        b'{"command": "rotation", "mode": "other"}',
        b'{"command": "revoke", "what": "other"}',
        b'{"command": "remove", "account_id": "000000000000"}',
        b'{"command": "auto_approve", "user": "nobody"}',
        b'{"command": "rate", "operation": "CreateTokens", "per_second": 1}',
        b'{"command": "clear", "operation": "CreateTokens"}',
        b'{"command": "latency", "operation": "CreateTokens", "seconds": 1}',
        b'{"command": "inject", "operation": "CreateTokens", "fault": {"fault": "drop"}}',
    ],
)
def test_command_that_does_not_fit_is_told_why(portal: IdentityCenter, body: bytes) -> None:
    answer = ask(portal.control_url, method="POST", body=body)

    assert answer.status == 400
    assert answer.json()["error"]


def test_commands_steer(portal: IdentityCenter) -> None:
    _command(portal, "auto_approve", user="bob")
    _command(portal, "lifetimes", seconds={"access_token": 600, "sign_in": 1200})
    _command(portal, "rotation", mode="none")
    program = Program(portal.url)
    tokens = program.signed_in()

    assert tokens["expiresIn"] == 600
    assert portal.active_sign_ins()[0][0] == "bob"
    assert program.refresh(tokens["refreshToken"]).json()["refreshToken"] == tokens["refreshToken"]

    _command(portal, "assign", account_id="444400000001", role_name="Short", life=900)
    expiration = program.credentials(tokens["accessToken"], "444400000001", "Short").json()

    left = expiration["roleCredentials"]["expiration"] / 1000 - portal.now().timestamp()
    assert 890 < left <= 900

    _command(portal, "remove", account_id="111100000001", role_name="ReadOnly")
    _command(portal, "remove", account_id="444400000001")

    assert program.credentials(tokens["accessToken"]).status == 403
    assert program.credentials(tokens["accessToken"], "444400000001", "Short").status == 403


def test_commands_revoke_each_thing_by_itself(portal: IdentityCenter) -> None:
    portal.auto_approve()
    program = Program(portal.url)
    tokens = program.signed_in()
    _command(portal, "revoke", what="access_tokens")

    assert program.credentials(tokens["accessToken"]).status == 401

    again = program.refresh(tokens["refreshToken"]).json()
    _command(portal, "revoke", what="refresh_tokens")

    assert error_type(program.refresh(again["refreshToken"])) == "InvalidGrantException"
    assert program.credentials(again["accessToken"]).status == 200

    _command(portal, "revoke", what="sign_ins")

    assert program.credentials(again["accessToken"]).status == 401

    _command(portal, "revoke", what="registrations")

    assert error_type(program.refresh("x")) == "InvalidClientException"


def test_commands_fault_and_clear(portal: IdentityCenter) -> None:
    _command(portal, "inject", operation="*", fault={"fault": "status", "status": 502}, role=None)

    assert Program(portal.url).register().status == 502

    _command(portal, "clear")
    _command(portal, "rate", operation="RegisterClient", per_second=0)
    answer = Program(portal.url).register()

    assert error_type(answer) == "SlowDownException"

    _command(portal, "clear", operation="RegisterClient")
    _command(portal, "latency", operation="RegisterClient", seconds=0.01)
    _command(portal, "offset", seconds=86400)
    registered = Program(portal.url).register().json()

    ahead = registered["clientIdIssuedAt"] - datetime.now(UTC).timestamp()
    assert 86300 < ahead < 86500
    assert _command(portal, "counters", reset=True)["calls"] == {"RegisterClient": 3}
    assert _command(portal, "counters")["calls"] == {}


def test_auto_approve_can_be_taken_back(portal: IdentityCenter) -> None:
    _command(portal, "auto_approve", user="alice")
    _command(portal, "auto_approve", user=None)
    program = Program(portal.url)
    program.register()
    browser = Browser(portal.url)
    browser.open(program.authorize_url())

    assert "Password" in browser.text
