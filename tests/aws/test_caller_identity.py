"""GetCallerIdentity, as a paste is checked with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.aws.role_credentials import Caller, caller_of
from credtray.core.errors import (
    CaptivePortal,
    KeysRefused,
    Offline,
    PortalFailed,
    RegionRefused,
    Throttled,
    UnexpectedReply,
)
from credtray.core.models import AssumedRole, Endpoints, RoleCredentials, Secret
from credtray.demo.identity_center import faults
from tests.aws.service_world import ADMIN, Service, service

AUDIT = AssumedRole("arn:aws:iam::222200000001:role/Audit")


@pytest.fixture
def there() -> Iterator[Service]:
    with service() as world:
        yield world


@pytest.fixture
def keys(there: Service) -> RoleCredentials:
    return there.fetch(there.sign_in()).value


def whose(there: Service, keys: RoleCredentials, region: str = "us-east-1") -> Caller:
    return caller_of(there.clients, keys, region, there.session.endpoints, there.clock.now)


def test_keys_of_the_portal_name_the_permission_set(there: Service, keys: RoleCredentials) -> None:
    assert whose(there, keys) == Caller("111100000001", "Admin", identity_center=True, person="alice")


def test_keys_of_an_assumed_role_are_of_that_role_and_of_no_sign_in(there: Service) -> None:
    keys = there.fetch(there.sign_in(), replace(ADMIN, chain=(AUDIT,))).value

    assert whose(there, keys) == Caller("222200000001", "Audit", identity_center=False)


WRONG = Secret("CANARYx" * 8)


@pytest.mark.parametrize(
    "torn",
    [
        lambda keys: replace(keys, access_key_id="ASIAAAAAAAAAAAAAAAAA"),
        lambda keys: replace(keys, secret_access_key=WRONG),
        lambda keys: replace(keys, session_token=WRONG),
    ],
)
def test_torn_keys_are_refused_and_not_quoted(
    there: Service, keys: RoleCredentials, torn: Callable[[RoleCredentials], RoleCredentials]
) -> None:
    with pytest.raises(KeysRefused, match=r"STS answers [A-Za-z]+$") as refused:
        whose(there, torn(keys))

    assert "CANARY" not in f"{refused.value}{refused.value.advice}"


def test_keys_that_have_ended_are_refused(there: Service, keys: RoleCredentials) -> None:
    there.clock.time += timedelta(hours=2)

    with pytest.raises(KeysRefused, match="ExpiredToken"):
        whose(there, keys)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.Status(500), PortalFailed),
        (faults.Status(429), Throttled),
        (faults.Drop(), Offline),
        (faults.CaptivePortal(), CaptivePortal),
        (faults.Body("<half", content_type="text/xml"), UnexpectedReply),
    ],
)
def test_where_nobody_can_tell_the_keys_are_not_called_refused(
    there: Service, keys: RoleCredentials, fault: faults.Fault, expected: type[Exception]
) -> None:
    there.portal.inject("GetCallerIdentity", fault)

    with pytest.raises(expected):
        whose(there, keys)


def test_nobody_there_is_offline(there: Service, keys: RoleCredentials) -> None:
    nobody = Endpoints(sts="http://127.0.0.1:9")

    with pytest.raises(Offline):
        caller_of(there.clients, keys, "us-east-1", nobody, there.clock.now)


@pytest.mark.parametrize("region", ["evil.com/#", "", "US-EAST-1"])
def test_region_becomes_part_of_a_host_name_only_if_it_is_one(
    there: Service, keys: RoleCredentials, region: str
) -> None:
    with pytest.raises(RegionRefused):
        whose(there, keys, region)
