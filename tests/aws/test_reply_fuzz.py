"""Broken answers of every kind: an error of ours or a value within bounds, never anything else."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.aws.service_call import LONGEST_KEY_LIFE, LONGEST_TOKEN_LIFE, Limits, Reply, Request
from credtray.aws.transport import Transport
from credtray.core import oauth
from credtray.core.errors import CredtrayError
from credtray.core.models import AccessToken, ClientRegistration, Endpoints, Profile, Secret
from tests.fakes_identity_center import CORP, NOON, FakeClock
from tests.soak import examples

BODIES_PER_EXAMPLE = 20
CLIENT = ClientRegistration("client", Secret("CANARY-client"), datetime(2027, 1, 1, tzinfo=UTC))
TOKEN = AccessToken(Secret("CANARY-access"), NOON + timedelta(hours=1), Secret("CANARY-refresh"), CLIENT)
PROFILE = Profile("p", "corp", "111100000001", "Admin")

VALID: dict[str, Any] = {
    "register": {"clientId": "c", "clientSecret": "s", "clientSecretExpiresAt": 1803043200},
    "device": {
        "deviceCode": "d",
        "userCode": "ABCD-EFGH",
        "verificationUri": "https://device.sso.us-east-1.amazonaws.com/",
        "verificationUriComplete": "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
        "expiresIn": 600,
        "interval": 5,
    },
    "refresh": {"accessToken": "a", "expiresIn": 3600, "refreshToken": "r", "tokenType": "Bearer"},
    "accounts": {"accountList": [{"accountId": "111100000001", "accountName": "n"}], "nextToken": "n"},
    "roles": {"roleList": [{"roleName": "Admin", "accountId": "111100000001"}]},
    "keys": {
        "roleCredentials": {
            "accessKeyId": "ASIAEXAMPLE",
            "secretAccessKey": "secret",
            "sessionToken": "token",
            "expiration": int((NOON + timedelta(hours=1)).timestamp() * 1000),
        }
    },
}
REFUSAL = {"__type": "x#ForbiddenException", "message": "No access", "error": "invalid_grant"}
DAY = 24 * 3600
NUDGES = [-1, 1, -DAY, DAY, 31 * DAY, -1000 * DAY, 1000 * DAY, 2000 * DAY, -3_600_000, -3_600_001]
ODD_NUMBERS: list[Any] = [-1, 0, 1, 3600, 10**12, 10**19, 10**400, 1.5, -0.0, 1e308]
ODD_TEXTS = ["", " ", "a\nb", "a\r\n[default]", "\x00", "é", "\ud800", "]", "x" * 70_000, "NaN", "2026-11-22"]
ODD: list[Any] = [None, True, *ODD_NUMBERS, *ODD_TEXTS, [], [[]], [None], {}, {"a": {}}, {"": ""}]
RAW = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"{",
    b"]",
    b'"',
    b"\\u0000",
    b"NaN",
    b"1e999",
    b"<html>",
    b",",
    b"\xef\xbb\xbf",
]
HEADERS: list[dict[str, str]] = [
    *[{}] * 12,
    {"content-type": "application/json"},
    {"content-type": "text/html"},
    {"content-encoding": "gzip"},
    {"date": "Sun, 22 Nov 2026 12:00:00 GMT"},
    {"date": "Sun, 99 Nov 99999 12:00:00 GMT"},
    {"date": "0"},
    {"retry-after": "-5"},
    {"retry-after": "9" * 400},
    {"retry-after": "²"},
    {"x-amzn-errortype": "InvalidGrantException:http://internal/"},
    {"x-amzn-errortype": ":::###"},
    {"x-amzn-errortype": "é\x00" * 50},
    {"location": "http://evil.example"},
]
STATUSES = [200] * 20 + [201, 204, 299, 301, 302, 400, 401, 403, 404, 407, 418, 429, 500, 503, 511, 599]


def mutated(rng: random.Random, value: Any) -> Any:
    """Replace, drop or double something at a random depth."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        changed = dict(value)
        if rng.random() < 0.2:
            del changed[key]
        else:
            changed[key] = mutated(rng, value[key])
        return changed
    if isinstance(value, list) and value and rng.random() < 0.7:
        return [mutated(rng, value[0]), *value * rng.randrange(3)]
    return rng.choice(ODD)


def nudged(rng: random.Random, value: Any) -> Any:
    """Move every number a little or to just beyond what is believed; all else stays valid."""
    if isinstance(value, dict):
        return {name: nudged(rng, member) for name, member in value.items()}
    return value + rng.choice(NUDGES) if isinstance(value, int) else value


def body_of(rng: random.Random, valid: Any) -> bytes:
    if rng.random() < 0.3:
        return json.dumps(nudged(rng, valid)).encode()
    value = valid
    for _ in range(rng.randrange(4)):
        value = mutated(rng, value)
    body = json.dumps(value, ensure_ascii=rng.random() < 0.9).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:
        at = rng.randrange(len(body) + 1)
        body = body[:at] + rng.choice(RAW) + (body[at:] if rng.random() < 0.5 else b"")
    return body


class Scripted(Transport):
    """Answers whatever the test put there."""

    reply = Reply(200, {}, b"")

    def send(self, request: Request) -> Reply:
        return self.reply


class ScriptedClients(Clients):
    """Real botocore clients over a scripted transport."""

    def __init__(self) -> None:
        super().__init__()
        self.scripted = Scripted(None, Limits())

    def _transport(self, endpoints: Endpoints) -> Transport:
        return self.scripted


@cache
def clients() -> ScriptedClients:
    return ScriptedClients()


def operations() -> dict[str, Callable[[], Any]]:
    clock = FakeClock()
    center = BotocoreIdentityCenter(clients(), clock, Portal(clients(), clock, lambda: 0.0))
    source = BotocoreRoleCredentials(clients(), clock)
    return {
        "register": lambda: center.register(CORP, CORP.start_url, oauth.AUTHORIZATION_CODE),
        "device": lambda: center.start_device(CORP, CLIENT, CORP.start_url),
        "refresh": lambda: center.refresh(CORP, TOKEN),
        "accounts": lambda: center.accounts(CORP, TOKEN, lambda _count: None),
        "roles": lambda: center.roles(CORP, TOKEN, "111100000001"),
        "keys": lambda: source.fetch(CORP, TOKEN, PROFILE, clock.now),
    }


def within_bounds(operation: str, value: Any) -> bool:
    """Whether a value that was let in can do no harm."""
    if operation == "keys":
        keys = value.value
        parts = (keys.access_key_id, keys.secret_access_key.reveal(), keys.session_token.reveal())
        return timedelta() < keys.life <= timedelta(seconds=LONGEST_KEY_LIFE) and all(
            re.fullmatch(r"[A-Za-z0-9+/=._-]+", part) for part in parts
        )
    if operation == "refresh":
        # Counted from when the answer came: retries before it took their time.
        left: timedelta = value.expires_at - (value.issued_at or NOON)
        printable: bool = value.value.reveal().isascii() and value.value.reveal().isprintable()
        return timedelta() <= left <= timedelta(seconds=LONGEST_TOKEN_LIFE) and printable
    if operation == "accounts":
        return all(re.fullmatch(r"[0-9]{12}", account.account_id) for account in value)
    if operation == "roles":
        return all(re.fullmatch(r"[A-Za-z0-9_+=,.@/-]+", role) for role in value)
    return True


@pytest.mark.parametrize("operation", list(VALID))
def test_valid_answers_pass(operation: str) -> None:
    body = {name: value for name, value in VALID[operation].items() if name != "nextToken"}
    clients().scripted.reply = Reply(200, {}, json.dumps(body).encode())

    assert within_bounds(operation, operations()[operation]())


@pytest.mark.timeout(3600)
@settings(max_examples=examples(10_000) // BODIES_PER_EXAMPLE)
@given(st.integers(0, 2**64))
def test_broken_answers_are_errors_of_ours_or_harmless(seed: int) -> None:
    rng = random.Random(seed)
    calls = operations()
    for _ in range(BODIES_PER_EXAMPLE):
        operation = rng.choice(list(VALID))
        status = rng.choice(STATUSES)
        body = body_of(rng, VALID[operation] if status < 300 else REFUSAL)
        clients().scripted.reply = Reply(status, rng.choice(HEADERS), body)
        value = outcome(calls[operation])
        if isinstance(value, CredtrayError):
            assert "CANARY" not in f"{value}{value.advice}"
            assert str(value).isprintable()
        else:
            assert status < 300
            assert within_bounds(operation, value)


def outcome(call: Callable[[], Any]) -> Any:
    """Return what the call returned or the error of ours it raised."""
    try:
        return call()
    except CredtrayError as error:
        return error
