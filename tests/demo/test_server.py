from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import Program
from tests.portal import ask


def _raw(portal: IdentityCenter, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", portal.port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_nothing_is_bound_before_start() -> None:
    portal = IdentityCenter()

    with pytest.raises(RuntimeError):
        _ = portal.url
    portal.stop()  # harmless


def test_stopped_portal_is_gone_and_leaves_no_serving_thread() -> None:
    before = set(threading.enumerate())
    with IdentityCenter() as portal:
        address = ("127.0.0.1", portal.port)
        connection = HTTPConnection(*address)
        connection.request("GET", "/start")
        connection.getresponse().read()
    connection.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)

    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=1)


def test_two_portals_share_nothing() -> None:
    with IdentityCenter() as one, IdentityCenter() as other:
        one.auto_approve()
        token = Program(one.url).signed_in()["accessToken"]

        assert Program(other.url).credentials(token).status == 401


def test_connections_are_kept_alive(portal: IdentityCenter) -> None:
    connection = HTTPConnection("127.0.0.1", portal.port)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/start")
        connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()

    assert len(sockets) == 1


def test_head_has_the_headers_of_get_without_its_body(portal: IdentityCenter) -> None:
    answer = _raw(portal, b"HEAD /start HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")

    assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"")
    assert b"Content-Length: 0" not in head


def test_unknown_paths_are_404(portal: IdentityCenter) -> None:
    for path in ("/other", "/token", "/assignment/accounts/x"):
        assert ask(f"{portal.url}{path}").status == 404


def test_oversized_body_is_not_read(portal: IdentityCenter) -> None:
    answer = _raw(portal, b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", [b"x", b"-1", b"\xb2"])
def test_content_length_that_is_no_number_is_a_bad_request(portal: IdentityCenter, length: bytes) -> None:
    answer = _raw(portal, b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_root_leads_to_the_accounts(portal: IdentityCenter) -> None:
    assert ask(portal.url).location == "/start"


def test_vanity_host_redirects_to_the_start_url(portal: IdentityCenter) -> None:
    for method in ("HEAD", "GET"):
        answer = ask(portal.url, method=method, headers={"Host": "aws.synderys.com"})

        assert (answer.status, answer.location) == (302, "https://d-9067000001.awsapps.com/start")


def test_start_url_itself_does_not_redirect(portal: IdentityCenter) -> None:
    headers = {"Host": "d-9067000001.awsapps.com"}

    assert ask(f"{portal.url}/start", method="HEAD", headers=headers).status == 200
    assert ask(f"{portal.url}/start/", headers=headers).status == 200


def test_fifty_at_once_are_all_answered(portal: IdentityCenter) -> None:
    portal.auto_approve()
    program = Program(portal.url)
    token = program.signed_in()["accessToken"]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: program.credentials(token), range(200)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 200
    assert portal.journal.count("GetRoleCredentials") == 200


def test_no_repr_shows_a_secret(portal: IdentityCenter) -> None:
    portal.auto_approve()
    program = Program(portal.url)
    tokens = program.signed_in()
    program.credentials(tokens["accessToken"])
    program.register_for_device()
    program.start_device()
    instance = portal._instance
    parts = [
        instance,
        *instance.registrations._by_id.values(),
        *instance.sign_ins._by_cookie.values(),
        *instance.tokens._access.values(),
        *instance.tokens._refresh.values(),
        *instance.authorizations._flows.values(),
        *instance.role_sessions._by_key.values(),
        *instance.directory.users.values(),
    ]

    assert len(parts) >= 9
    assert [part for part in parts if CANARY in repr(part)] == []
