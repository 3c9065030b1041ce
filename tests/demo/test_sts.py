from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sts import STSClient

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import Program
from tests.portal import HandClock, form

AUDIT = "arn:aws:iam::222200000001:role/Audit"
PARTNER = "arn:aws:iam::222200000002:role/Partner"


@pytest.fixture
def keys(hand_portal: IdentityCenter, program: Program) -> dict[str, Any]:
    """Role credentials of alice as ReadOnly."""
    hand_portal.auto_approve()
    answer = program.credentials(program.signed_in()["accessToken"])
    found: dict[str, Any] = answer.json()["roleCredentials"]
    return found


def _sts(portal: IdentityCenter, keys: dict[str, Any], **changed: str) -> STSClient:
    used = {**keys, **changed}
    client: STSClient = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=portal.url,
        aws_access_key_id=used["accessKeyId"],
        aws_secret_access_key=used["secretAccessKey"],
        aws_session_token=used["sessionToken"],
    )
    return client


def _refusal(error: ClientError) -> tuple[str, int]:
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def test_identity_is_the_assigned_role_and_the_user(
    hand_portal: IdentityCenter, keys: dict[str, Any]
) -> None:
    identity = _sts(hand_portal, keys).get_caller_identity()

    assert identity["Account"] == "111100000001"
    assert identity["Arn"].startswith("arn:aws:sts::111100000001:assumed-role/AWSReservedSSO_ReadOnly_")
    assert identity["Arn"].endswith("/alice")
    assert identity["UserId"].startswith("AROA")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"accessKeyId": "ASIAAAAAAAAAAAAAAAAA"}, "InvalidClientTokenId"),
        ({"sessionToken": "someone-elses"}, "InvalidClientTokenId"),
        ({"secretAccessKey": "wrong"}, "SignatureDoesNotMatch"),
    ],
)
def test_keys_that_were_not_issued_are_refused(
    hand_portal: IdentityCenter, keys: dict[str, Any], changed: dict[str, str], expected: str
) -> None:
    with pytest.raises(ClientError) as caught:
        _sts(hand_portal, keys, **changed).get_caller_identity()

    assert _refusal(caught.value) == (expected, 403)


def test_keys_outlive_the_sign_in_and_end_after_an_hour(
    hand_portal: IdentityCenter, keys: dict[str, Any], hand_clock: HandClock
) -> None:
    hand_portal.revoke_sign_ins()
    hand_clock.advance(hours=1, seconds=-1)

    assert _sts(hand_portal, keys).get_caller_identity()["Account"] == "111100000001"

    hand_clock.advance(seconds=1)
    with pytest.raises(ClientError) as caught:
        _sts(hand_portal, keys).get_caller_identity()

    assert _refusal(caught.value) == ("ExpiredToken", 403)


def test_assumed_role_speaks_for_its_account_and_can_assume_on(
    hand_portal: IdentityCenter, keys: dict[str, Any]
) -> None:
    reply = _sts(hand_portal, keys).assume_role(RoleArn=AUDIT, RoleSessionName="nightly")
    assumed = reply["Credentials"]
    as_audit = {
        "accessKeyId": assumed["AccessKeyId"],
        "secretAccessKey": assumed["SecretAccessKey"],
        "sessionToken": assumed["SessionToken"],
    }
    audit = _sts(hand_portal, as_audit)

    assert assumed["Expiration"] == hand_portal.now() + timedelta(hours=1)
    assert CANARY in assumed["SecretAccessKey"]
    assert audit.get_caller_identity()["Arn"] == "arn:aws:sts::222200000001:assumed-role/Audit/nightly"
    assert audit.assume_role(RoleArn=AUDIT, RoleSessionName="again")["Credentials"]["AccessKeyId"]


def test_role_that_trusts_nobody_here_is_denied(hand_portal: IdentityCenter, keys: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole") as caught:
        _sts(hand_portal, keys).assume_role(RoleArn=f"{AUDIT}or", RoleSessionName="nightly")

    assert _refusal(caught.value) == ("AccessDenied", 403)


def test_external_id_is_checked(hand_portal: IdentityCenter, keys: dict[str, Any]) -> None:
    sts = _sts(hand_portal, keys)
    for members in ({}, {"ExternalId": "synderys-8"}):
        with pytest.raises(ClientError) as caught:
            sts.assume_role(RoleArn=PARTNER, RoleSessionName="nightly", **members)  # type: ignore[arg-type]  # a table

        assert _refusal(caught.value) == ("AccessDenied", 403)

    right = sts.assume_role(RoleArn=PARTNER, RoleSessionName="nightly", ExternalId="synderys-7")

    assert right["AssumedRoleUser"]["Arn"] == "arn:aws:sts::222200000002:assumed-role/Partner/nightly"


def test_chained_roles_last_an_hour_at_most(hand_portal: IdentityCenter, keys: dict[str, Any]) -> None:
    sts = _sts(hand_portal, keys)
    with pytest.raises(ClientError, match="1 hour session limit") as caught:
        sts.assume_role(RoleArn=AUDIT, RoleSessionName="nightly", DurationSeconds=3601)

    assert _refusal(caught.value) == ("ValidationError", 400)

    short = sts.assume_role(RoleArn=AUDIT, RoleSessionName="nightly", DurationSeconds=900)

    assert short["Credentials"]["Expiration"] == hand_portal.now() + timedelta(minutes=15)


def test_unsigned_and_unknown_calls_are_refused(hand_portal: IdentityCenter) -> None:
    unsigned = form(hand_portal.url, {"Action": "GetCallerIdentity", "Version": "2011-06-15"})
    unknown = form(hand_portal.url, {"Action": "GetFederationToken", "Version": "2011-06-15"})

    assert (unsigned.status, b"InvalidClientTokenId" in unsigned.body) == (403, True)
    assert (unknown.status, b"InvalidAction" in unknown.body) == (400, True)
