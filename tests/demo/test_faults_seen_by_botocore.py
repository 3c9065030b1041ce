from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from mypy_boto3_sso import SSOClient

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.faults import (
    Body,
    CaptivePortal,
    Drop,
    Fault,
    Hang,
    Status,
    Throttle,
    Truncate,
)
from tests.demo.program import Program

KEYS = "GetRoleCredentials"


@pytest.fixture
def token(portal: IdentityCenter) -> str:
    portal.auto_approve()
    token: str = Program(portal.url).signed_in()["accessToken"]
    return token


@pytest.fixture
def sso(portal: IdentityCenter) -> Iterator[SSOClient]:
    config = Config(
        signature_version=UNSIGNED, read_timeout=0.3, retries={"mode": "standard", "total_max_attempts": 3}
    )
    client: SSOClient = boto3.client("sso", region_name="us-east-1", endpoint_url=portal.url, config=config)
    yield client
    client.close()


def _botocore(sso: SSOClient, token: str) -> object:
    return sso.get_role_credentials(accessToken=token, accountId="111100000001", roleName="ReadOnly")


def test_botocore_tries_a_throttled_call_three_times(
    portal: IdentityCenter, sso: SSOClient, token: str
) -> None:
    portal.inject(KEYS, Throttle())
    with pytest.raises(sso.exceptions.TooManyRequestsException):
        _botocore(sso, token)

    assert portal.journal.count(KEYS) == 3


@pytest.mark.parametrize("status", [500, 502, 503])
def test_botocore_tries_a_failing_server_three_times(
    portal: IdentityCenter, sso: SSOClient, token: str, status: int
) -> None:
    portal.inject(KEYS, Status(status))
    with pytest.raises(ClientError):
        _botocore(sso, token)

    assert portal.journal.count(KEYS) == 3


def test_botocore_sees_a_dropped_connection(portal: IdentityCenter, sso: SSOClient, token: str) -> None:
    portal.inject(KEYS, Drop())
    with pytest.raises(ConnectionClosedError):
        _botocore(sso, token)

    assert portal.journal.count(KEYS) == 3


def test_botocore_times_out_on_a_hang(portal: IdentityCenter, sso: SSOClient, token: str) -> None:
    portal.inject(KEYS, Hang())
    with pytest.raises(ReadTimeoutError):
        _botocore(sso, token)

    assert portal.journal.count(KEYS) == 3


@pytest.mark.parametrize("fault", [CaptivePortal(), Truncate(honest=True), Body("{}")])
def test_botocore_takes_a_200_without_the_right_json_for_an_answer(
    portal: IdentityCenter, sso: SSOClient, token: str, fault: Fault
) -> None:
    portal.inject(KEYS, fault)
    answer = _botocore(sso, token)

    assert isinstance(answer, dict)
    assert "roleCredentials" not in answer
