from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.addresses import StartUrlKind, start_url_kind
from credtray.core.errors import ConsoleRefused, StartUrlRefused
from credtray.core.models import SsoSession
from credtray.ways_out.aws_console import portal_link


def at(start_url: str, region: str = "us-east-1") -> SsoSession:
    return SsoSession("corp", start_url, region)


@pytest.mark.parametrize(
    ("start_url", "begins"),
    [
        ("https://aws.synderys.com", "https://aws.synderys.com/#/console?"),
        ("https://aws.synderys.com/", "https://aws.synderys.com/#/console?"),
        ("https://d-9067000001.awsapps.com/start", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://d-9067000001.awsapps.com/start/", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://d-9067000001.awsapps.com/start#/", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://d-9067000001.awsapps.com/start/#/", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://corp.awsapps.com/start/?a=b#", "https://corp.awsapps.com/start/?a=b#/console?"),
    ],
)
def test_link_is_the_portals_own_for_every_spelling_of_the_start_url(start_url: str, begins: str) -> None:
    assert f"{begins}account_id=111100000000&role_name=Admin" == portal_link(
        at(start_url), "111100000000", "Admin"
    )


def test_destination_is_encoded_as_one_value() -> None:
    link = portal_link(
        at("https://aws.synderys.com"),
        "111100000000",
        "Admin",
        "https://console.aws.amazon.com/s3?region=eu&x=1#y",
    )

    assert link.endswith("&destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%3Fregion%3Deu%26x%3D1%23y")


@given(st.text(), st.text(), st.text(min_size=1))
def test_no_name_reaches_beyond_its_value(account: str, role: str, destination: str) -> None:
    link = portal_link(at("https://corp.awsapps.com/start"), account, role, destination)
    parts = urlsplit(link)
    page, _, query = parts.fragment.partition("?")

    assert link.isascii()
    assert (*parts[:3], parts.query) == ("https", "corp.awsapps.com", "/start/", "")
    assert page == "/console"
    assert {"account_id": account, "role_name": role, "destination": destination} == dict(
        parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    )


def test_names_that_are_no_unicode_make_no_broken_link() -> None:
    assert portal_link(at("https://aws.synderys.com"), "1", "A\ud800").endswith("role_name=A%3F")


@pytest.mark.parametrize(
    "start_url",
    ["javascript:alert(1)", "http://aws.synderys.com", "https://user@aws.synderys.com", "file:///x"],
)
def test_start_url_that_is_not_for_a_browser_is_refused(start_url: str) -> None:
    with pytest.raises(StartUrlRefused):
        portal_link(at(start_url), "111100000000", "Admin")


_ISSUERS = {
    "https://identitycenter.amazonaws.com/ssoins-1111222233334444": (
        "eu-west-1",
        "https://ssoins-1111222233334444.portal.eu-west-1.app.aws/#/console?",
    ),
    "https://identitycenter.us-gov.amazonaws.com/ssoins-1111222233334444": (
        "us-gov-west-1",
        "https://ssoins-1111222233334444.portal.us-gov-west-1.app.aws/#/console?",
    ),
    "https://identitycenter.amazonaws.com.cn/ssoins-1111222233334444/": (
        "cn-north-1",
        "https://ssoins-1111222233334444.portal.cn-north-1.app.amazonwebservices.com.cn/#/console?",
    ),
    "https://identitycenter.amazonaws.eu/ssoins-1111222233334444": (
        "eusc-de-east-1",
        "https://ssoins-1111222233334444.eusc-de-east-1.portal.amazonaws.eu/#/console?",
    ),
    "https://identitycenter.us-gov.amazonaws.com/d-9067000001": (
        "us-gov-west-1",
        "https://start.us-gov-home.awsapps.com/directory/d-9067000001/#/console?",
    ),
    "HTTPS://IdentityCenter.amazonaws.com/d-9067000001": (
        "us-east-1",
        "https://d-9067000001.awsapps.com/start/#/console?",
    ),
}


@pytest.mark.met("F18")
@pytest.mark.parametrize("start_url", _ISSUERS)
def test_an_issuer_is_opened_at_its_portal(start_url: str) -> None:
    region, begins = _ISSUERS[start_url]
    link = portal_link(at(start_url, region), "111100000000", "Admin")

    assert link.startswith(begins)
    assert start_url_kind(link) is StartUrlKind.AWS_OWNED


@pytest.mark.met("F18")
@pytest.mark.parametrize(
    ("start_url", "region"),
    [
        ("https://identitycenter.amazonaws.com/", "us-east-1"),
        ("https://identitycenter.amazonaws.com/ssoins-1/x", "us-east-1"),
        ("https://identitycenter.amazonaws.com/../evil.example", "us-east-1"),
        ("https://identitycenter.c2s.ic.gov/ssoins-1111222233334444", "us-iso-east-1"),
        ("https://identitycenter.amazonaws.eu/d-9067000001", "eusc-de-east-1"),
    ],
)
def test_what_the_portal_of_an_issuer_would_be_is_not_guessed(start_url: str, region: str) -> None:
    with pytest.raises(ConsoleRefused, match="not a web page") as caught:
        portal_link(at(start_url, region), "111100000000", "Admin")

    assert "access portal URL" in caught.value.advice


@pytest.mark.met("F18")
@pytest.mark.parametrize(
    "start_url",
    [
        "https://start.us-gov-home.awsapps.com/directory/acme",
        "https://start.home.awsapps.cn/directory/acme",
        "https://aws.synderys.com",
    ],
)
def test_portals_of_other_partitions_and_vanity_urls_are_opened_as_they_are(start_url: str) -> None:
    assert portal_link(at(start_url), "1", "Admin").startswith(f"{start_url}/#/console?")
