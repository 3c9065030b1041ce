"""The console's federation endpoint: the exact request, and what each kind of answer means."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from credtray.aws.clients import Clients
from credtray.aws.role_credentials import sign_in
from credtray.aws.service_call import Limits, Reply, Request
from credtray.core.errors import (
    CaptivePortal,
    ConsoleRefused,
    CredtrayError,
    ProxyRefused,
    UnexpectedReply,
)
from credtray.core.models import Endpoints, Profile, Secret, SsoSession
from credtray.core.protocol import ProcessCredentials
from credtray.demo.identity_center import IdentityCenter
from credtray.ways_out.aws_console import Console, console_of
from tests.demo.program import Program
from tests.portal import ask

KEYS = ProcessCredentials(1, "ASIA1", Secret("CANARY/key"), Secret("CANARY+token"), "2026-11-22T13:00:00Z")
PAGE = "https://us-east-1.console.aws.amazon.com/console/home?region=us-east-1"
JSON = {"content-type": "application/json"}
SHORT = Limits(connect=2, read=2, total=5)


def console(signin: str | None = None) -> Console:
    endpoints = Endpoints(signin=signin)
    session = SsoSession("acme", "https://acme.awsapps.com/start", "us-east-1", endpoints=endpoints)
    return console_of(Profile("dev", "acme", "111100000001", "ReadOnly"), session, None)


def test_one_get_with_the_keys_in_its_query_and_nothing_else() -> None:
    asked: list[Request] = []

    def send(request: Request) -> Reply:
        asked.append(request)
        return Reply(200, JSON, b'{"SigninToken": "tok+en", "Other": 1}')

    address = sign_in(console(), KEYS, PAGE, send)
    [request] = asked
    parts = urlsplit(request.url)
    query = parse_qs(parts.query)

    assert (request.method, request.body, dict(request.headers)) == (
        "GET",
        None,
        {"Accept": "application/json"},
    )
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "signin.aws.amazon.com", "/federation")
    assert query.keys() == {"Action", "Session"}
    assert json.loads(query["Session"][0])["sessionToken"] == "CANARY+token"
    assert parse_qs(urlsplit(address.reveal()).query)["SigninToken"] == ["tok+en"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(400, {"content-type": "text/html"}, b"<html>Bad Request</html>"), ConsoleRefused),
        (Reply(403, JSON, b"{}"), ConsoleRefused),
        (Reply(429, JSON, b""), ConsoleRefused),
        (Reply(503, JSON, b""), ConsoleRefused),
        (Reply(302, {"location": "https://hotel.example/"}, b""), CaptivePortal),
        (Reply(511, JSON, b""), CaptivePortal),
        (Reply(407, JSON, b""), ProxyRefused),
        (Reply(200, {"content-type": "text/html"}, b"<html>hello</html>"), CaptivePortal),
        (Reply(200, JSON, b""), UnexpectedReply),
        (Reply(200, JSON, b"{"), UnexpectedReply),
        (Reply(200, JSON, b"[" * 100_000), UnexpectedReply),
        (Reply(200, JSON, b"{}"), UnexpectedReply),
        (Reply(200, JSON, b'{"SigninToken": 1}'), UnexpectedReply),
        (Reply(200, JSON, b'{"SigninToken": "a b"}'), UnexpectedReply),
        (Reply(200, JSON, b'{"SigninToken": "a\\r\\nb"}'), UnexpectedReply),
        (Reply(200, JSON, b'{"SigninToken": ""}'), UnexpectedReply),
    ],
)
def test_any_other_answer_is_an_error_without_a_secret(reply: Reply, expected: type[CredtrayError]) -> None:
    with pytest.raises(expected) as caught:
        sign_in(console(), KEYS, PAGE, lambda _request: reply)

    assert "CANARY" not in f"{caught.value} {caught.value.advice} {caught.value!r}"


@pytest.mark.parametrize("base", ["http://signin.example", "http://127.0.0.1.evil.example", "ftp://x"])
def test_keys_are_not_sent_in_clear(base: str) -> None:
    with pytest.raises(ConsoleRefused, match="not https"):
        sign_in(console(base), KEYS, PAGE, lambda _request: pytest.fail("it was sent"))


def test_nobody_there_is_told_without_a_secret() -> None:
    with pytest.raises(ConsoleRefused, match=r"127\.0\.0\.1:9 cannot be reached") as caught:
        sign_in(console("http://127.0.0.1:9"), KEYS, PAGE, Clients(SHORT).transport(Endpoints()).send)

    assert "CANARY" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


def test_keys_of_a_role_open_its_console(hand_portal: IdentityCenter) -> None:
    portal, program = hand_portal, Program(hand_portal.url)
    portal.auto_approve()
    told = program.credentials(program.signed_in()["accessToken"]).json()["roleCredentials"]
    keys = ProcessCredentials(
        1, told["accessKeyId"], Secret(told["secretAccessKey"]), Secret(told["sessionToken"]), ""
    )
    address = sign_in(console(portal.url), keys, PAGE, Clients(SHORT).transport(Endpoints()).send)
    landed = ask(f"{portal.url}{ask(address.reveal()).location}").body.decode()

    assert "AWSReservedSSO_ReadOnly" in landed
    assert ask(address.reveal()).status == 400
