from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import DEVICE_CODE, Program, error_type
from tests.portal import HandClock, ask


def test_registration_answers_in_epoch_seconds_and_lasts_90_days(
    program: Program, hand_clock: HandClock
) -> None:
    answer = program.register()

    now = int(hand_clock().timestamp())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content.keys() == {
        "authorizationEndpoint",
        "clientId",
        "clientIdIssuedAt",
        "clientSecret",
        "clientSecretExpiresAt",
        "tokenEndpoint",
    }
    assert content["clientIdIssuedAt"] == now
    assert content["clientSecretExpiresAt"] == now + 90 * 86400
    assert CANARY in content["clientSecret"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"clientName": None}, "InvalidRequestException"),
        ({"clientName": ""}, "InvalidRequestException"),
        ({"clientName": 7}, "InvalidRequestException"),
        ({"clientType": None}, "InvalidRequestException"),
        ({"clientType": "confidential"}, "InvalidClientMetadataException"),
        ({"scopes": ["no scope"]}, "InvalidScopeException"),
        ({"grantTypes": ["password"]}, "UnsupportedGrantTypeException"),
        ({"grantTypes": ["authorization_code", DEVICE_CODE]}, "InvalidScopeException"),
        ({"redirectUris": None}, "InvalidRedirectUriException"),
        ({"redirectUris": ["https://evil.example/callback"]}, "InvalidRedirectUriException"),
        ({"redirectUris": ["http://evil.example/callback"]}, "InvalidRedirectUriException"),
        ({"redirectUris": ["http://127.0.0.1/callback#x"]}, "InvalidRedirectUriException"),
        ({"issuerUrl": None}, "InvalidRequestException"),
        ({"issuerUrl": "https://d-0000000000.awsapps.com/start"}, "InvalidRequestException"),
    ],
)
def test_registration_that_does_not_fit_is_refused(
    program: Program, members: dict[str, Any], expected: str
) -> None:
    answer = program.register(**members)

    assert (answer.status, error_type(answer)) == (400, expected)
    assert answer.json().keys() == {"error", "error_description"}


def test_error_header_has_the_live_services_tail(program: Program) -> None:
    answer = program.register(clientType="x")

    expected = "InvalidClientMetadataException:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"
    assert expected == answer.headers["x-amzn-errortype"]


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"clientName": "\xff"}'])
def test_body_that_is_no_json_object_is_an_invalid_request(hand_portal: IdentityCenter, body: bytes) -> None:
    answer = ask(f"{hand_portal.url}/client/register", method="POST", body=body)

    assert (answer.status, error_type(answer)) == (400, "InvalidRequestException")


@pytest.mark.parametrize(
    "url", ["https://d-9067000001.awsapps.com/start/", "https://d-9067000001.awsapps.com/start#/"]
)
def test_issuer_with_slash_or_fragment_is_the_same_issuer(program: Program, url: str) -> None:
    assert program.register(issuerUrl=url).status == 200


def test_wrong_client_secret_is_401_invalid_client(program: Program) -> None:
    program.register_for_device()
    answer = program.start_device(clientSecret="wrong")

    assert (answer.status, error_type(answer)) == (401, "InvalidClientException")
    assert answer.json()["error"] == "invalid_client"


def test_unknown_client_is_401_invalid_client(program: Program) -> None:
    program.register_for_device()
    answer = program.start_device(clientId="unknown")

    assert (answer.status, error_type(answer)) == (401, "InvalidClientException")


def test_registration_ends_after_90_days(program: Program, hand_clock: HandClock) -> None:
    program.register_for_device()
    hand_clock.advance(days=90, seconds=-1)

    assert program.start_device().status == 200

    hand_clock.advance(seconds=1)

    assert error_type(program.start_device()) == "InvalidClientException"


def test_forgotten_registrations_are_invalid_clients(hand_portal: IdentityCenter, program: Program) -> None:
    program.register_for_device()
    hand_portal.forget_registrations()

    assert error_type(program.start_device()) == "InvalidClientException"


def test_registered_scopes_are_remembered(hand_portal: IdentityCenter, program: Program) -> None:
    program.register()
    program.register_for_device(scopes=None)

    assert hand_portal.journal.scopes() == [("sso:account:access",), ()]


def test_registration_life_can_be_set(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.set_lifetimes(registration=timedelta(hours=1))
    content = program.register().json()

    assert content["clientSecretExpiresAt"] - content["clientIdIssuedAt"] == 3600
