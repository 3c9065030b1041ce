"""Role credentials, and roles assumed from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core.errors import IncompleteProfile, PortalFailed, Throttled, UnexpectedReply
from credtray.core.models import AccessToken, AssumedRole, Profile
from credtray.demo.identity_center import faults
from tests.aws.service_world import ADMIN, Service, service

AUDIT = AssumedRole("arn:aws:iam::222200000001:role/Audit")
PARTNER = AssumedRole("arn:aws:iam::222200000002:role/Partner", external_id="synderys-7")


@pytest.fixture
def there() -> Iterator[Service]:
    with service() as world:
        yield world


@pytest.fixture
def token(there: Service) -> AccessToken:
    return there.sign_in()


def chained(*steps: AssumedRole, region: str | None = None) -> Profile:
    return replace(ADMIN, chain=steps, region=region)


def test_plain_profile_asks_the_portal_only(there: Service, token: AccessToken) -> None:
    issued = there.fetch(token)

    assert issued.value.life == timedelta(hours=1)
    assert there.portal.journal.count("AssumeRole") == 0


@pytest.mark.parametrize("region", [None, "us-east-1", "eu-west-1"])
def test_chained_profile_ends_with_the_keys_of_the_last_role(
    there: Service, token: AccessToken, region: str | None
) -> None:
    issued = there.fetch(token, chained(AUDIT, PARTNER, region=region))

    assert there.portal.journal.count("AssumeRole") == 2
    assert issued.value.expires_at == there.clock.now() + timedelta(hours=1)
    assert issued.value.expires_at.utcoffset() == timedelta()


def test_wanted_duration_is_asked_for(there: Service, token: AccessToken) -> None:
    issued = there.fetch(token, chained(replace(AUDIT, duration_seconds=900)))

    assert issued.value.life == timedelta(minutes=15)


@pytest.mark.parametrize(
    "arn",
    [
        "Audit",
        "arn:aws:iam::222200000001:user/Audit",
        "arn:aws:iam::2222:role/Audit",
        "arn:aws:iam::222200000001:role/",
        "arn:aws:iam::222200000001:role/Au dit",
    ],
)
def test_arn_of_no_role_is_named_without_a_request(there: Service, token: AccessToken, arn: str) -> None:
    with pytest.raises(IncompleteProfile, match="is not the ARN of a role"):
        there.fetch(token, chained(AssumedRole(arn)))

    assert there.portal.journal.count("AssumeRole") == 0


def test_answer_about_another_role_is_refused(there: Service, token: AccessToken) -> None:
    there.fetch(token, chained(AUDIT))
    body = ASSUMED.replace("ACCOUNT", "222200000009")
    there.portal.inject("AssumeRole", faults.Body(body, content_type="text/xml"), times=1)
    with pytest.raises(UnexpectedReply, match="another role"):
        there.fetch(token, chained(AUDIT))


def test_answer_about_the_right_role_is_taken(there: Service, token: AccessToken) -> None:
    body = ASSUMED.replace("ACCOUNT", "222200000001")
    there.portal.inject("AssumeRole", faults.Body(body, content_type="text/xml"), times=1)

    assert there.fetch(token, chained(AUDIT)).value.access_key_id == "ASIAEXAMPLE"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.Throttle(), Throttled),
        (faults.Status(503), PortalFailed),
        (faults.Body("<AssumeRoleResponse>", content_type="text/xml"), UnexpectedReply),
        (faults.Body("<AssumeRoleResponse/>", content_type="text/xml"), UnexpectedReply),
        (faults.Body("{}", content_type="application/json"), UnexpectedReply),
    ],
)
def test_faults_of_sts_are_told_apart(
    there: Service, token: AccessToken, fault: faults.Fault, expected: type[Exception]
) -> None:
    there.portal.inject("AssumeRole", fault, times=1)
    with pytest.raises(expected):
        there.fetch(token, chained(AUDIT))


def test_fetches_are_paced(there: Service, token: AccessToken) -> None:
    before = there.clock.now()
    for _ in range(60):
        there.fetch(token)

    assert there.clock.now() - before == timedelta(seconds=2)


ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>
<Arn>arn:aws:sts::ACCOUNT:assumed-role/Audit/x</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>2026-11-22T13:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
