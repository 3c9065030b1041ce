from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_sso import SSOClient

from credtray.demo.identity_center import IdentityCenter, generated
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import Program


def _botocore(portal: IdentityCenter) -> SSOClient:
    config = Config(signature_version=UNSIGNED)
    client: SSOClient = boto3.client("sso", region_name="us-east-1", endpoint_url=portal.url, config=config)
    return client


@pytest.fixture
def sso(portal: IdentityCenter) -> Iterator[SSOClient]:
    client = _botocore(portal)
    yield client
    client.close()


@pytest.fixture
def token(portal: IdentityCenter) -> str:
    portal.auto_approve()
    token: str = Program(portal.url).signed_in()["accessToken"]
    return token


def _code(error: ClientError) -> tuple[str, int, str]:
    response = error.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Message"],
    )


def test_botocore_lists_accounts_and_missing_names_are_absent(sso: SSOClient, token: str) -> None:
    accounts = sso.list_accounts(accessToken=token)["accountList"]

    assert len(accounts) == 8
    assert accounts[0] == {
        "accountId": "111100000001",
        "accountName": "Synderys Platform",
        "emailAddress": "platform@synderys.example",
    }
    assert accounts[6] == {"accountId": "111100000007"}
    assert accounts[7] == {"accountId": "111100000008", "accountName": "Synderys Data"}


def test_missing_names_are_left_out_rather_than_null(portal: IdentityCenter, token: str) -> None:
    accounts = Program(portal.url).call("/assignment/accounts", token).json()["accountList"]

    assert accounts[6:] == [
        {"accountId": "111100000007"},
        {"accountId": "111100000008", "accountName": "Synderys Data"},
    ]


def test_guides_three_roles_exist_once_each(sso: SSOClient, token: str) -> None:
    names = [
        role["roleName"]
        for account in sso.list_accounts(accessToken=token)["accountList"]
        for role in sso.list_account_roles(accessToken=token, accountId=account["accountId"])["roleList"]
    ]

    assert [names.count(name) for name in ("ReadOnly", "DNS", "Security")] == [1, 1, 1]
    assert names.count("Admin") > 1


@pytest.mark.parametrize("size", [1, 7, 20, 100])
def test_botocore_pages_through_every_account_once(size: int) -> None:
    with IdentityCenter(generated(45, 1)) as portal:
        portal.auto_approve()
        token = Program(portal.url).signed_in()["accessToken"]
        pages = (
            _botocore(portal)
            .get_paginator("list_accounts")
            .paginate(accessToken=token, PaginationConfig={"PageSize": size})
        )
        listed = [account["accountId"] for page in pages for account in page["accountList"]]

        assert listed == list(portal.directory.accounts)
        assert portal.journal.count("ListAccounts") == -(-45 // size)


def test_botocore_pages_through_every_role_once() -> None:
    with IdentityCenter(generated(1, 45)) as portal:
        portal.auto_approve()
        token = Program(portal.url).signed_in()["accessToken"]
        pages = (
            _botocore(portal)
            .get_paginator("list_account_roles")
            .paginate(accessToken=token, accountId="300000000000")
        )
        listed = [role["roleName"] for page in pages for role in page["roleList"]]

        assert listed == [f"Role{number:03d}" for number in range(45)]


def test_botocore_reads_role_credentials_in_milliseconds(
    sso: SSOClient, portal: IdentityCenter, token: str
) -> None:
    keys = sso.get_role_credentials(accessToken=token, accountId="111100000001", roleName="ReadOnly")[
        "roleCredentials"
    ]

    expires = datetime.fromtimestamp(keys["expiration"] / 1000, UTC)
    assert abs(expires - portal.now() - timedelta(hours=1)) < timedelta(seconds=10)
    assert (keys["accessKeyId"][:4], len(keys["accessKeyId"])) == ("ASIA", 20)
    assert len(keys["secretAccessKey"]) == 40
    assert len(keys["sessionToken"]) > 600
    assert CANARY in keys["secretAccessKey"]
    assert CANARY in keys["sessionToken"]


@pytest.mark.parametrize(
    ("account", "role"),
    [("111100000001", "Nobody"), ("111100000009", "ReadOnly"), ("111100000002", "ReadOnly")],
)
def test_role_that_is_not_assigned_is_403_no_access(
    sso: SSOClient, token: str, account: str, role: str
) -> None:
    with pytest.raises(ClientError) as caught:
        sso.get_role_credentials(accessToken=token, accountId=account, roleName=role)

    assert _code(caught.value) == ("ForbiddenException", 403, "No access")


def test_roles_of_an_unknown_account_are_403(sso: SSOClient, token: str) -> None:
    with pytest.raises(ClientError) as caught:
        sso.list_account_roles(accessToken=token, accountId="000000000000")

    assert _code(caught.value)[0] == "ForbiddenException"


def test_bad_token_is_401_for_every_call(sso: SSOClient) -> None:
    calls: list[Any] = [
        lambda: sso.list_accounts(accessToken="x"),
        lambda: sso.list_account_roles(accessToken="x", accountId="111100000001"),
        lambda: sso.get_role_credentials(accessToken="x", accountId="111100000001", roleName="ReadOnly"),
        lambda: sso.logout(accessToken="x"),
    ]
    for call in calls:
        with pytest.raises(sso.exceptions.UnauthorizedException) as caught:
            call()

        expected = ("UnauthorizedException", 401, "Session token not found or invalid")
        assert _code(caught.value) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/assignment/accounts?max_result=0",
        "/assignment/accounts?max_result=101",
        "/assignment/accounts?max_result=x",
        "/assignment/accounts?next_token=x",
        "/assignment/accounts?next_token=OTk5",
        "/assignment/accounts?next_token=%C3%A4",
        "/assignment/roles",
        "/federation/credentials?role_name=ReadOnly",
        "/federation/credentials?account_id=111100000001",
    ],
)
def test_parameters_that_do_not_fit_are_invalid_requests(
    portal: IdentityCenter, token: str, path: str
) -> None:
    answer = Program(portal.url).call(path, token)

    assert answer.status == 400
    assert answer.json()["__type"] == "com.amazonaws.switchboard.portal#InvalidRequestException"
    assert "x-amzn-errortype" not in answer.headers


def test_bearer_header_has_underscores(portal: IdentityCenter, token: str) -> None:
    program = Program(portal.url)

    assert program.call("/assignment/accounts", token).status == 200
    assert program.call("/assignment/accounts", "").status == 401


def test_removed_role_is_403_and_others_go_on(portal: IdentityCenter, token: str) -> None:
    program = Program(portal.url)
    portal.remove_role("111100000001", "ReadOnly")

    assert program.credentials(token).status == 403
    assert program.credentials(token, role="Admin").status == 200

    portal.remove_role("111100000001", "Admin")
    listed = program.call("/assignment/accounts", token).json()["accountList"]

    assert "111100000001" not in [account["accountId"] for account in listed]


def test_removed_account_is_403(portal: IdentityCenter, token: str) -> None:
    portal.remove_account("111100000001")

    assert Program(portal.url).credentials(token).status == 403


def test_assigned_role_may_have_its_own_life(portal: IdentityCenter, token: str) -> None:
    portal.assign("444400000001", "Short", life=timedelta(minutes=15))
    keys = Program(portal.url).credentials(token, "444400000001", "Short").json()["roleCredentials"]

    left = datetime.fromtimestamp(keys["expiration"] / 1000, UTC) - portal.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


def test_calls_are_counted_by_operation_role_and_refusal(portal: IdentityCenter, token: str) -> None:
    program = Program(portal.url)
    program.credentials(token)
    program.credentials(token, role="Nobody")
    program.call(f"/assignment/roles?{urlencode({'account_id': '111100000001'})}", token)

    journal = portal.journal
    assert journal.count("GetRoleCredentials") == 2
    assert journal.count("ListAccountRoles") == 1
    assert journal.refused("GetRoleCredentials") == 1
    assert journal.by_role() == {("111100000001", "ReadOnly"): 1, ("111100000001", "Nobody"): 1}
    assert journal.by_grant() == {"authorization_code": 1}
    assert len(journal.times("GetRoleCredentials")) == 2

    journal.clear()

    assert (journal.totals(), journal.scopes(), journal.calls()) == ({}, [], [])
