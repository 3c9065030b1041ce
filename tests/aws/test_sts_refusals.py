"""A chained profile that gets no keys: the true cause, the setting, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core.errors import (
    AssumeRoleRefused,
    ClockOff,
    CredtrayError,
    PortalFailed,
    ProfileRefused,
    Retry,
)
from credtray.core.models import AccessToken, AssumedRole, Profile
from credtray.demo.identity_center import faults
from credtray.demo.identity_center.instance import AssumableRole
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


def refused(there: Service, token: AccessToken, profile: Profile) -> CredtrayError:
    with pytest.raises(CredtrayError) as caught:
        there.fetch(token, profile)
    return caught.value


@pytest.mark.met("F15")
@pytest.mark.parametrize("seconds", [43200, 3601, 7200, 60 * 60 * 13])
def test_more_than_an_hour_for_a_chained_role_names_setting_and_limit(
    there: Service, token: AccessToken, seconds: int
) -> None:
    error = refused(there, token, chained(replace(AUDIT, duration_seconds=seconds)))

    assert type(error) is ProfileRefused
    expected = f"duration_seconds is {seconds}; AWS gives 3600 (1 hour) at most to a role that is assumed by "
    assert error.detail == f"{expected}another role (role chaining)"
    assert error.advice == "Set duration_seconds = 3600, or remove it."
    assert error.retry is Retry.PERSON


def test_an_hour_for_a_chained_role_is_fine(there: Service, token: AccessToken) -> None:
    assert there.fetch(token, chained(replace(AUDIT, duration_seconds=3600))).value.access_key_id


@pytest.mark.met("F15")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"duration_seconds": 899}, "duration_seconds is 899, the minimum is 900 (15 minutes)"),
        ({"duration_seconds": 1}, "duration_seconds is 1, the minimum is 900 (15 minutes)"),
        ({"role_session_name": "Jane Doe"}, 'role_session_name is "Jane Doe"'),
        ({"role_session_name": "x"}, 'role_session_name is "x"'),
        ({"role_session_name": "münchen"}, 'role_session_name is "münchen"'),
        ({"external_id": "a b"}, "external_id has a character or length that AWS does not accept"),
        ({"external_id": "7"}, "external_id has a character or length that AWS does not accept"),
    ],
)
def test_setting_that_no_role_takes_is_named_without_a_request(
    there: Service, token: AccessToken, changes: dict[str, object], expected: str
) -> None:
    error = refused(there, token, chained(replace(AUDIT, **changes)))  # type: ignore[arg-type]  # the fields are named by the rows

    assert (type(error), error.detail) == (ProfileRefused, expected)
    assert there.portal.journal.count("AssumeRole") == 0


@pytest.mark.met("F15")
@pytest.mark.parametrize(
    ("external_id", "cause"),
    [(None, "asks for an external_id"), ("wrong", "asks for a different external_id")],
)
def test_role_that_lets_nobody_in_is_no_missing_assignment(
    there: Service, token: AccessToken, external_id: str | None, cause: str
) -> None:
    error = refused(there, token, chained(replace(PARTNER, external_id=external_id)))

    assert type(error) is AssumeRoleRefused
    assert "arn:aws:iam::222200000002:role/Partner" in error.detail
    assert cause in error.detail
    assert "assigned" not in str(error)


def test_role_that_wants_a_second_factor_is_told_among_the_causes(there: Service, token: AccessToken) -> None:
    arn = "arn:aws:iam::222200000003:role/Vault"
    there.portal.directory.assumable[arn] = AssumableRole(arn, mfa=True)

    assert "MFA code" in refused(there, token, chained(AssumedRole(arn))).detail


def test_step_of_a_longer_chain_that_fails_is_the_one_named(there: Service, token: AccessToken) -> None:
    error = refused(there, token, chained(AUDIT, replace(PARTNER, external_id="wrong"), AUDIT))

    assert "role/Partner" in error.detail
    assert there.portal.journal.count("AssumeRole") == 2


def xml(code: str, message: str) -> str:
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )


NO_PERMISSION = (
    "User: arn:aws:sts::111100000001:assumed-role/"
    + "x" * 200
    + " is not authorized to perform: sts:AssumeRole because no identity-based policy allows it"
)
TOLD = [
    (403, "RegionDisabledException", "It is not activated", ProfileRefused, "region is eu-south-2"),
    (403, "InvalidClientTokenId", "The token is invalid", AssumeRoleRefused, "does not know the keys"),
    (403, "ExpiredToken", "The token is expired", AssumeRoleRefused, "the keys of the role before it"),
    (400, "MalformedPolicyDocument", "Syntax errors", AssumeRoleRefused, "policies or tags"),
    (400, "PackedPolicyTooLarge", "It consumes 112%", AssumeRoleRefused, "policies or tags"),
    (403, "AccessDenied", "with an explicit deny in a policy", AssumeRoleRefused, "policy denies"),
    (403, "AccessDenied", NO_PERMISSION, AssumeRoleRefused, "your first role has no permission"),
    (400, "ValidationError", "DurationSeconds exceeds the MaxSessionDuration", ProfileRefused, "MaxSession"),
    (400, "ValidationError", "Something else", ProfileRefused, "Something else"),
    (403, "SomethingNew", "Who knows", AssumeRoleRefused, "SomethingNew: Who knows"),
    (503, "ServiceUnavailable", "Try again", PortalFailed, "HTTP 503"),
]


@pytest.mark.met("F15")
@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told[1]}-{told[4]}")
def test_refusals_of_sts_are_told_as_what_they_are(
    there: Service, token: AccessToken, told: tuple[int, str, str, type[CredtrayError], str]
) -> None:
    status, code, message, kind, expected = told
    there.portal.inject("AssumeRole", faults.Body(xml(code, message), status, "text/xml"), times=1)
    role = replace(AUDIT, duration_seconds=1800)
    error = refused(there, token, chained(role, region="eu-south-2"))

    assert type(error) is kind
    assert expected in error.detail
    assert error.advice


def test_refusal_by_a_wrong_clock_stays_a_wrong_clock(there: Service, token: AccessToken) -> None:
    there.portal.set_clock_offset(timedelta(hours=-1))
    there.portal.inject(
        "AssumeRole", faults.Body(xml("SignatureDoesNotMatch", "Signature expired"), 403, "text/xml"), times=1
    )

    assert isinstance(refused(there, token, chained(AUDIT)), ClockOff)
