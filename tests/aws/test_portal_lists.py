"""ListAccounts and ListAccountRoles: all pages, at the allowed pace, through throttling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.aws.clients import Clients
from credtray.core.errors import PortalUnauthorized, UnexpectedReply
from credtray.core.models import AccessToken, Endpoints
from credtray.demo.identity_center import IdentityCenter, faults, generated
from tests.aws.service_world import Service, service
from tests.fakes_identity_center import CORP, FakeClock


@pytest.fixture
def there() -> Iterator[Service]:
    with service() as world:
        yield world


@pytest.fixture
def token(there: Service) -> AccessToken:
    return there.sign_in()


def test_every_page_is_read_and_progress_told() -> None:
    clock = FakeClock()
    with IdentityCenter(generated(250, 120), clock=clock.now) as portal:
        portal.auto_approve()
        clients = Clients()
        session = replace(CORP, endpoints=Endpoints(portal.url, portal.url, portal.url))
        world = Service(portal, clock, session, clients)
        token = world.sign_in()
        told: list[int] = []
        accounts = world.center.accounts(session, token, told.append)
        roles = world.center.roles(session, token, accounts[0].account_id)

    assert len({account.account_id for account in accounts}) == 250
    assert told == [100, 200, 250]
    assert len(set(roles)) == 120


def test_lists_stay_under_ten_calls_a_second(there: Service, token: AccessToken) -> None:
    for _ in range(35):
        there.center.roles(there.session, token, "111100000001")
    calls = [call.at for call in there.portal.journal.calls() if call.operation == "ListAccountRoles"]
    per_second = Counter(int((at - calls[0]) / timedelta(seconds=1)) for at in calls)

    assert len(calls) == 35
    assert max(per_second.values()) <= 10


def test_throttling_is_waited_out_and_never_means_signed_out(there: Service, token: AccessToken) -> None:
    there.portal.inject("ListAccounts", faults.Throttle(retry_after=3), times=2)
    before = there.clock.now()
    accounts = there.center.accounts(there.session, token, lambda _count: None)

    assert len(accounts) == 8
    assert there.clock.now() - before >= timedelta(seconds=6)


def test_name_and_email_may_be_absent(there: Service, token: AccessToken) -> None:
    found = {item.account_id: item for item in there.center.accounts(there.session, token, lambda _n: None)}

    assert (found["111100000007"].name, found["111100000007"].email) == (None, None)
    assert (found["111100000008"].name, found["111100000008"].email) == ("Synderys Data", None)


def test_control_characters_of_names_are_left_out(there: Service, token: AccessToken) -> None:
    body = (
        '{"accountList": [{"accountId": "111100000001", "accountName": "a\\u001b[31m\\u202eb\\n", '
        '"emailAddress": "\\u0000"}]}'
    )
    there.portal.inject("ListAccounts", faults.Body(body), times=1)
    [account] = there.center.accounts(there.session, token, lambda _n: None)

    assert (account.name, account.email) == ("a[31mb", None)


@pytest.mark.parametrize(
    "body",
    [
        '{"accountList": [{"accountId": "12"}]}',
        '{"accountList": [{"accountId": "11110000000\\n"}]}',
        '{"accountList": [{"accountName": "x"}]}',
        '{"accountList": {"accountId": "111100000001"}}',
        '{"accountList": null}',
    ],
)
def test_accounts_of_the_wrong_shape_are_refused(there: Service, token: AccessToken, body: str) -> None:
    there.portal.inject("ListAccounts", faults.Body(body), times=1)
    with pytest.raises(UnexpectedReply):
        there.center.accounts(there.session, token, lambda _n: None)


@pytest.mark.parametrize(
    "body",
    [
        '{"roleList": [{"roleName": "Admin", "accountId": "222200000001"}]}',
        '{"roleList": [{"roleName": "a]b"}]}',
        '{"roleList": [{"roleName": "a\\nb"}]}',
        '{"roleList": [{"roleName": ""}]}',
        '{"roleList": ["Admin"]}',
    ],
)
def test_roles_of_the_wrong_shape_or_account_are_refused(
    there: Service, token: AccessToken, body: str
) -> None:
    there.portal.inject("ListAccountRoles", faults.Body(body), times=1)
    with pytest.raises(UnexpectedReply):
        there.center.roles(there.session, token, "111100000001")


def test_pages_that_go_in_circles_end(there: Service, token: AccessToken) -> None:
    there.portal.inject("ListAccountRoles", faults.Body('{"roleList": [], "nextToken": "again"}'))

    assert there.center.roles(there.session, token, "111100000001") == []
    assert there.portal.journal.count("ListAccountRoles") == 2


def test_ended_sign_in_is_unauthorized(there: Service, token: AccessToken) -> None:
    there.portal.revoke_sign_ins()
    with pytest.raises(PortalUnauthorized):
        there.center.accounts(there.session, token, lambda _n: None)
