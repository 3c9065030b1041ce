from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from mypy_boto3_sts import STSClient

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import Program
from tests.portal import Answer, HandClock, ask

CONSOLE = "https://console.aws.amazon.com/"


@pytest.fixture
def session(hand_portal: IdentityCenter, program: Program) -> dict[str, str]:
    """The Session parameter's content."""
    hand_portal.auto_approve()
    keys: dict[str, Any] = program.credentials(program.signed_in()["accessToken"]).json()["roleCredentials"]
    return {
        "sessionId": keys["accessKeyId"],
        "sessionKey": keys["secretAccessKey"],
        "sessionToken": keys["sessionToken"],
    }


def _federation(portal: IdentityCenter, **parameters: str) -> Answer:
    return ask(f"{portal.url}/federation?{urlencode(parameters)}")


def _token(portal: IdentityCenter, session: dict[str, str], **parameters: str) -> Answer:
    return _federation(portal, Action="getSigninToken", Session=json.dumps(session), **parameters)


def _login(portal: IdentityCenter, token: str) -> Answer:
    return _federation(portal, Action="login", Issuer="test", Destination=CONSOLE, SigninToken=token)


def test_keys_become_a_console_page(hand_portal: IdentityCenter, session: dict[str, str]) -> None:
    token = _token(hand_portal, session).json()["SigninToken"]
    answer = _login(hand_portal, token)
    page = ask(f"{hand_portal.url}{answer.location}").body.decode()

    assert CANARY in token
    assert "assumed-role/AWSReservedSSO_ReadOnly_" in page
    assert CONSOLE in page


def test_sign_in_token_works_once_and_for_15_minutes(
    hand_portal: IdentityCenter, session: dict[str, str], hand_clock: HandClock
) -> None:
    once, late = (_token(hand_portal, session).json()["SigninToken"] for _ in range(2))

    assert _login(hand_portal, once).status == 303
    assert _login(hand_portal, once).status == 400

    hand_clock.advance(minutes=15)

    assert _login(hand_portal, late).status == 400


@pytest.mark.parametrize("changed", ["sessionId", "sessionKey", "sessionToken"])
def test_wrong_keys_get_no_token(hand_portal: IdentityCenter, session: dict[str, str], changed: str) -> None:
    assert _token(hand_portal, {**session, changed: "wrong"}).status == 400


def test_expired_keys_get_no_token(
    hand_portal: IdentityCenter, session: dict[str, str], hand_clock: HandClock
) -> None:
    hand_clock.advance(hours=1)

    assert _token(hand_portal, session).status == 400


@pytest.mark.parametrize(
    ("seconds", "expected"), [("900", 200), ("43200", 200), ("899", 400), ("43201", 400), ("x", 400)]
)
def test_session_duration_has_its_limits(
    hand_portal: IdentityCenter, session: dict[str, str], seconds: str, expected: int
) -> None:
    assert _token(hand_portal, session, SessionDuration=seconds).status == expected


def test_session_duration_is_refused_for_chained_keys(
    hand_portal: IdentityCenter, session: dict[str, str]
) -> None:
    sts: STSClient = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=hand_portal.url,
        aws_access_key_id=session["sessionId"],
        aws_secret_access_key=session["sessionKey"],
        aws_session_token=session["sessionToken"],
    )
    arn = "arn:aws:iam::222200000001:role/Audit"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="nightly")["Credentials"]
    chained = {
        "sessionId": keys["AccessKeyId"],
        "sessionKey": keys["SecretAccessKey"],
        "sessionToken": keys["SessionToken"],
    }

    assert _token(hand_portal, chained).status == 200
    assert _token(hand_portal, chained, SessionDuration="3600").status == 400


def test_other_actions_and_broken_sessions_are_bad_requests(hand_portal: IdentityCenter) -> None:
    assert _federation(hand_portal, Action="other").status == 400
    assert _federation(hand_portal, Action="getSigninToken", Session="{}").status == 400
    assert _federation(hand_portal, Action="getSigninToken").status == 400
