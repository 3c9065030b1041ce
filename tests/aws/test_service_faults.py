"""Every way an answer can go wrong, as the real clients tell it apart."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.aws.clients import Clients
from credtray.aws.service_call import Limits
from credtray.core.errors import (
    CaptivePortal,
    ClockOff,
    CredtrayError,
    Offline,
    PortalFailed,
    PortalUnauthorized,
    ProxyRefused,
    RegistrationRefused,
    RequestRefused,
    RoleRefused,
    Throttled,
    TokenRefused,
    UnexpectedReply,
)
from credtray.core.models import AccessToken
from credtray.demo.identity_center import faults
from tests.aws.service_world import SHORT, Service, service

if sys.platform != "win32":
    import resource


@pytest.fixture
def there() -> Iterator[Service]:
    with service() as world:
        yield world


@pytest.fixture
def token(there: Service) -> AccessToken:
    return there.sign_in()


PAGE = "<html><body>Welcome to Hotel Wi-Fi</body></html>"
JSON = "application/json"

FAULTS: list[tuple[faults.Fault, type[CredtrayError]]] = [
    (faults.Throttle(), Throttled),
    (faults.Status(500), PortalFailed),
    (faults.Status(502), PortalFailed),
    (faults.Status(503, "", "text/plain"), PortalFailed),
    (faults.Status(429, PAGE), Throttled),
    (faults.Drop(), Offline),
    (faults.Drop(processed=True), Offline),
    (faults.Reset(), Offline),
    (faults.Truncate(), Offline),
    (faults.Truncate(honest=True), UnexpectedReply),
    (faults.CaptivePortal(), CaptivePortal),
    (faults.Status(200, PAGE), CaptivePortal),
    (faults.Status(200, f"\ufeff \n{PAGE}", JSON), CaptivePortal),
    (faults.Status(302, "", location="http://portal.hotel.example/login"), CaptivePortal),
    (faults.Status(307, "", location="/login"), CaptivePortal),
    (faults.Status(511, PAGE), CaptivePortal),
    (faults.Status(403, PAGE), CaptivePortal),
    (faults.Status(401, PAGE), CaptivePortal),
    (faults.Status(407, "", "text/plain"), ProxyRefused),
    (faults.Huge(5), UnexpectedReply),
    (faults.GzipBomb(5), UnexpectedReply),
    (faults.Body(""), UnexpectedReply),
    (faults.Body("null"), UnexpectedReply),
    (faults.Body("[]"), UnexpectedReply),
    (faults.Body("{}"), UnexpectedReply),
    (faults.Body("[" * 200_000), UnexpectedReply),
    (faults.Body('{"a":' * 100_000), UnexpectedReply),
    (faults.Body("OK", content_type="text/plain"), UnexpectedReply),
    (faults.Body("{}", status=204), UnexpectedReply),
    (faults.Body("{}", status=400), RequestRefused),
    (faults.Body("not json", status=418), RequestRefused),
    (faults.Body('{"__type": 7, "message": ["x"]}', status=400), RequestRefused),
    (faults.Body("[" * 200_000, status=400), RequestRefused),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
def test_role_credentials_fail_as_what_happened(
    there: Service, token: AccessToken, fault: faults.Fault, expected: type[CredtrayError]
) -> None:
    there.portal.inject("GetRoleCredentials", fault, times=1)
    with pytest.raises(CredtrayError) as caught:
        there.fetch(token)

    assert expected is type(caught.value)
    assert there.fetch(token).value.access_key_id  # the next one works: nothing is left behind


@pytest.mark.parametrize(
    ("fault", "expected"),
    [row for row in FAULTS if not faults.reaches_service(row[0])][::2],
)
def test_refresh_fails_as_what_happened(
    there: Service, token: AccessToken, fault: faults.Fault, expected: type[CredtrayError]
) -> None:
    there.portal.inject("CreateToken", fault, times=1)
    with pytest.raises(CredtrayError) as caught:
        there.center.refresh(there.session, token)

    assert expected is type(caught.value)
    assert there.center.refresh(there.session, token).refreshable


@pytest.mark.parametrize(
    "body",
    [
        '{"accessToken": "t", "expiresIn": -1}',
        '{"accessToken": "t", "expiresIn": 1e30}',
        '{"accessToken": "t", "expiresIn": "3600"}',
        '{"accessToken": "t", "expiresIn": null}',
        '{"accessToken": "t"}',
        '{"accessToken": 7, "expiresIn": 3600}',
        '{"accessToken": "", "expiresIn": 3600}',
        '{"accessToken": "a\\nb", "expiresIn": 3600}',
        '{"accessToken": "a b", "expiresIn": 3600}',
        '{"accessToken": "t", "expiresIn": 3600, "refreshToken": "x\\r\\ny"}',
        '{"accessToken": "t", "expiresIn": 3600, "refreshToken": {}}',
    ],
)
def test_token_of_the_wrong_shape_is_refused(there: Service, token: AccessToken, body: str) -> None:
    there.portal.inject("CreateToken", faults.Body(body), times=1)
    with pytest.raises(UnexpectedReply):
        there.center.refresh(there.session, token)


def test_reply_without_refresh_token_keeps_the_old_one(there: Service, token: AccessToken) -> None:
    there.portal.inject("CreateToken", faults.Body('{"accessToken": "new", "expiresIn": 60}'), times=1)
    fresh = there.center.refresh(there.session, token)

    assert fresh.refresh_token == token.refresh_token
    assert fresh.expires_at == there.clock.now() + timedelta(minutes=1)


def keys(**changes: object) -> str:
    usual = {
        "accessKeyId": "ASIAEXAMPLE",
        "secretAccessKey": "secret/+=",
        "sessionToken": "token",
        "expiration": 1795352400000,  # 2026-11-22 13:00 UTC, an hour after the test's noon
    }
    wanted = {name: value for name, value in {**usual, **changes}.items() if value is not ...}
    return json.dumps({"roleCredentials": wanted})


def test_keys_of_the_right_shape_are_taken(there: Service, token: AccessToken) -> None:
    there.portal.inject("GetRoleCredentials", faults.Body(keys()), times=1)

    assert there.fetch(token).value.life == timedelta(hours=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"accessKeyId": ...},
        {"secretAccessKey": ...},
        {"sessionToken": ...},
        {"expiration": ...},
        {"expiration": 0},
        {"expiration": -1},
        {"expiration": 1795352400},
        {"expiration": 1795348800000},
        {"expiration": 10**30},
        {"expiration": "soon"},
        {"accessKeyId": "A\nB"},
        {"secretAccessKey": "a]b"},
        {"secretAccessKey": "a b"},
        {"sessionToken": "a\r\n[default]"},
        {"sessionToken": "é"},
        {"sessionToken": ""},
        {"sessionToken": "x" * 70_000},
        {"accessKeyId": ["A"]},
    ],
)
def test_keys_that_could_harm_a_file_or_never_end_are_refused(
    there: Service, token: AccessToken, changes: dict[str, object]
) -> None:
    there.portal.inject("GetRoleCredentials", faults.Body(keys(**changes)), times=1)
    with pytest.raises(UnexpectedReply):
        there.fetch(token)


# --- what the service itself refuses -----------------------------------------------------------------


def test_revoked_sign_in_is_unauthorized_and_cannot_be_refreshed(there: Service, token: AccessToken) -> None:
    there.portal.revoke_sign_ins()
    with pytest.raises(PortalUnauthorized, match="Session token not found or invalid"):
        there.fetch(token)
    with pytest.raises(TokenRefused):
        there.center.refresh(there.session, token)


def test_removed_role_is_refused_and_others_go_on(there: Service, token: AccessToken) -> None:
    there.portal.remove_role("111100000001", "Admin")
    with pytest.raises(RoleRefused, match="No access"):
        there.fetch(token)

    assert there.center.roles(there.session, token, "111100000001") == ["ReadOnly"]


def test_forgotten_registration_is_told_apart(there: Service, token: AccessToken) -> None:
    there.portal.forget_registrations()
    with pytest.raises(RegistrationRefused):
        there.center.refresh(there.session, token)


def test_error_code_without_its_header_is_read_from_the_body(there: Service, token: AccessToken) -> None:
    body = '{"error": "invalid_grant", "error_description": "Invalid refresh token provided"}'
    there.portal.inject("CreateToken", faults.Body(body, status=400), times=1)
    with pytest.raises(TokenRefused, match="Invalid refresh token provided"):
        there.center.refresh(there.session, token)


def test_retry_after_is_handed_on(there: Service, token: AccessToken) -> None:
    there.portal.inject("GetRoleCredentials", faults.Throttle(retry_after=17), times=1)
    with pytest.raises(Throttled) as caught:
        there.fetch(token)

    assert caught.value.retry_after == 17


def test_message_that_quotes_our_token_is_blacked_out(there: Service, token: AccessToken) -> None:
    secret = token.value.reveal()
    body = json.dumps({"__type": "x#ForbiddenException", "message": f"token {secret} is bad"})
    there.portal.inject("GetRoleCredentials", faults.Body(body, status=403), times=1)
    with pytest.raises(RoleRefused) as caught:
        there.fetch(token)

    told = "".join(traceback.format_exception(caught.value))
    assert secret not in told
    assert "token *** is bad" in told


# --- clocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-10, -1, 1, 10])
def test_expiry_is_told_in_our_time_when_our_clock_is_off(there: Service, hours: int) -> None:
    there.portal.set_clock_offset(timedelta(hours=hours))
    token = there.sign_in()
    issued = there.fetch(token)

    assert issued.clock_error is not None
    assert abs(issued.clock_error - timedelta(hours=hours)) < timedelta(seconds=2)
    assert abs(issued.value.life - timedelta(hours=1)) < timedelta(seconds=3)
    assert abs(token.expires_at - there.clock.now() - timedelta(hours=1)) < timedelta(seconds=3)


def test_right_clock_leaves_the_expiry_as_the_service_said(there: Service, token: AccessToken) -> None:
    issued = there.fetch(token)

    assert issued.value.expires_at == there.clock.now() + timedelta(hours=1)


@pytest.mark.parametrize(("minutes", "spoken"), [(10, "10 minutes slow"), (-10, "10 minutes fast")])
def test_refusal_with_a_wrong_clock_is_blamed_on_the_clock(
    there: Service, token: AccessToken, minutes: int, spoken: str
) -> None:
    there.portal.set_clock_offset(timedelta(minutes=minutes))
    there.portal.remove_role("111100000001", "Admin")
    with pytest.raises(ClockOff, match=spoken):
        there.fetch(token)


def test_refusal_with_a_clock_four_minutes_off_is_just_a_refusal(there: Service, token: AccessToken) -> None:
    there.portal.set_clock_offset(timedelta(minutes=4))
    there.portal.remove_role("111100000001", "Admin")
    with pytest.raises(RoleRefused):
        there.fetch(token)


# --- limits ------------------------------------------------------------------------------------------


def test_silence_is_given_up(there: Service, token: AccessToken) -> None:
    hurried = replace(there, clients=Clients(SHORT))
    there.portal.inject("GetRoleCredentials", faults.Hang(), times=1)
    there.portal.inject("CreateToken", faults.Hang(), times=1)
    for request in (lambda: hurried.fetch(token), lambda: hurried.center.refresh(there.session, token)):
        with pytest.raises(Offline):  # the portal is silent for an hour
            request()

    assert there.fetch(token).value.access_key_id


def test_trickling_answer_is_given_up_at_the_total_limit(there: Service, token: AccessToken) -> None:
    hurried = replace(there, clients=Clients(Limits(connect=5, read=5, total=0.6)))
    there.portal.inject("GetRoleCredentials", faults.Drip(0.5), times=1)
    with pytest.raises(Offline, match=r"no complete answer within 0\.6 s"):
        hurried.fetch(token)  # the whole answer would take minutes


@pytest.mark.posix("getrusage")
def test_huge_and_packed_answers_cost_no_memory() -> None:
    with service() as there:
        token = there.sign_in()
        there.fetch(token)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        there.portal.inject("GetRoleCredentials", faults.GzipBomb(200), times=1)
        with pytest.raises(UnexpectedReply, match="compressed"):
            there.fetch(token)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

        assert grown < 20 * 1024
        there.portal.inject("GetRoleCredentials", faults.Huge(50), times=1)
        with pytest.raises(UnexpectedReply, match="larger than 1024 KiB"):
            there.fetch(token)


def test_connection_after_an_endless_answer_is_a_new_one(there: Service, token: AccessToken) -> None:
    there.portal.inject("GetRoleCredentials", faults.Huge(3), times=3)
    for _ in range(3):
        with pytest.raises(UnexpectedReply, match="larger than 1024 KiB"):
            there.fetch(token)

    assert there.fetch(token).value.life == timedelta(hours=1)


def test_nobody_listening_is_offline(there: Service, token: AccessToken) -> None:
    there.portal.stop()
    with pytest.raises(Offline, match="refused"):
        there.fetch(token)
