from __future__ import annotations

import pytest

from credtray.core.addresses import same_portal_address
from credtray.core.naming import suggested_name


@pytest.mark.parametrize(
    ("start_url", "taken", "expected"),
    [
        ("https://aws.synderys.com", (), "synderys"),
        ("https://AWS.synderys.com/#/", (), "synderys"),
        ("https://acme.awsapps.com/start", (), "acme"),
        ("https://acme.awsapps.com/start", ("acme",), "acme-2"),
        ("https://acme.awsapps.com/start", ("acme", "acme-2"), "acme-3"),
        ("https://sso.acme.example/start", (), "acme"),
        ("https://d-9067000001.awsapps.com/start", (), "sso"),
        ("https://identitycenter.amazonaws.com/ssoins-7223", (), "sso"),
        ("https://identitycenter.us-gov.amazonaws.com/ssoins-7223", (), "sso"),
        ("https://start.us-gov-home.awsapps.com/directory/acme", (), "acme"),
        ("https://start.home.awsapps.cn/directory/d-9067000001/", (), "sso"),
        ("https://ssoins-7223.portal.eu-west-1.app.aws", ("sso",), "sso-2"),
    ],
)
def test_name_is_the_organisations(start_url: str, taken: tuple[str, ...], expected: str) -> None:
    assert suggested_name(start_url, taken) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("https://acme.awsapps.com/start", True),
        ("https://ACME.awsapps.com/start/", True),
        ("https://acme.awsapps.com/start#/", True),
        ("https://acme.awsapps.com/Start", False),
        ("https://acme.awsapps.com/start?x=1", False),
        ("https://acme.awsapps.com", False),
    ],
)
def test_start_urls_are_compared_without_their_trimmings(other: str, *, expected: bool) -> None:
    assert same_portal_address("https://acme.awsapps.com/start", other) is expected
