"""Regions, and where a vanity start URL may lead."""

from __future__ import annotations

import pytest

from credtray.core.addresses import (
    check_region,
    check_resolved,
    pasted_start_url,
    region_in_host,
    same_portal_address,
    shown,
    start_url_kind,
)
from credtray.core.errors import RegionRefused, StartUrlRefused


@pytest.mark.parametrize(
    "region",
    [
        "us-east-1",
        "eu-central-2",
        "us-gov-west-1",
        "cn-northwest-1",
        "ap-south-10",
        "mx-central-1",
        "eusc-de-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
    ],
)
def test_regions_are_accepted(region: str) -> None:
    assert region == check_region(region)


@pytest.mark.parametrize(
    "region",
    [
        "",
        "us-east",
        "us-east-1\n",
        " us-east-1",
        "US-EAST-1",
        "evil.com/#",
        "us-east-1.evil.com/",
        "us-east-1/@x",
        "us-east-123",
        "us--1",
        "-us-east-1",
        "us-east-\u0661",
        "us-\u0435ast-1",
        "a" * 500 + "-b-1",
        "us-east-1:443",
        "aws-global",
    ],
)
def test_other_texts_are_no_regions(region: str) -> None:
    with pytest.raises(RegionRefused):
        check_region(region)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ssoins-1.portal.us-west-2.app.aws/start", "us-west-2"),
        ("https://ssoins-1.us-west-2.portal.amazonaws.com", "us-west-2"),
        ("https://SSOINS-1.CN-NORTH-1.portal.amazonaws.com.cn/", "cn-north-1"),
        ("https://ssoins-1.portal.cn-north-1.app.amazonwebservices.com.cn", "cn-north-1"),
        ("https://ssoins-1.eusc-de-east-1.portal.amazonaws.eu", "eusc-de-east-1"),
        ("https://ssoins-1.portal.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"),
        ("https://d-1.awsapps.com/start", None),
        ("https://ssoins-1.evil.portal.amazonaws.com", None),
    ],
)
def test_the_region_of_a_portal_is_in_its_host(url: str, expected: str | None) -> None:
    assert expected == region_in_host(url)


def test_a_vanity_url_must_lead_to_aws() -> None:
    resolved = check_resolved("https://D-1.awsapps.com:443/start/?a=b#c", "https://aws.synderys.com")

    assert resolved == "https://d-1.awsapps.com/start"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/start",
        "http://d-1.awsapps.com/start",
        "https://d-1.awsapps.com:8443/",
        "javascript:x",
    ],
)
def test_a_vanity_url_that_leads_elsewhere_is_refused(target: str) -> None:
    with pytest.raises(StartUrlRefused, match="leads to"):
        check_resolved(target, "https://aws.synderys.com")


def test_foreign_text_is_shown_short_and_printable() -> None:
    text = shown("\x1b[31m" + "x" * 500)

    assert text.isprintable()
    assert len(text) < 100


PORTAL = "https://d-9067000001.awsapps.com/start"


@pytest.mark.met("F7")
@pytest.mark.parametrize(
    "spelling",
    [
        f"{PORTAL}/",
        f"{PORTAL}/#/",
        f"{PORTAL}#",
        f"{PORTAL}#/",
        f"{PORTAL}/#/?tab=accounts",
        f"{PORTAL}//",
        "HTTPS://D-9067000001.awsapps.com/start",
        "https://D-9067000001.AWSApps.com:443/start/",
        "https://d-9067000001.awsapps.com./start",
        f" {PORTAL}\n",
    ],
)
def test_one_portal_is_spelled_in_several_ways(spelling: str) -> None:
    assert same_portal_address(PORTAL, spelling)
    assert same_portal_address(spelling, PORTAL)


@pytest.mark.met("F7")
@pytest.mark.parametrize(
    "other",
    [
        "https://d-9067000002.awsapps.com/start",
        "https://d-9067000001.awsapps.com/Start",
        "https://d-9067000001.awsapps.com",
        "https://d-9067000001.awsapps.com:8443/start",
        "http://d-9067000001.awsapps.com/start",
        "https://d-9067000001.awsapps.com.evil.org/start",
        "https://x@d-9067000001.awsapps.com/start",
        f"{PORTAL}?a=b",
        "https://[/start",
        "https://d-9067000001.awsapps.com:x/start",
        "",
    ],
)
def test_another_portal_is_another_portal(other: str) -> None:
    assert not same_portal_address(PORTAL, other)


@pytest.mark.met("F7")
def test_a_name_in_its_own_letters_is_the_same_as_in_ascii() -> None:
    assert same_portal_address("https://b\u00fccher.example/start", "https://xn--bcher-kva.example/start/")


@pytest.mark.met("F7")
@pytest.mark.parametrize(
    "pasted",
    [
        PORTAL,
        f"  {PORTAL}\n",
        f'"{PORTAL}"',
        f"<{PORTAL}>",
        f"'{PORTAL}',",
        f"\ufeff{PORTAL}\u200b",
        f"\u201c{PORTAL}\u201d",
        "d-9067000001.awsapps.com/start",
        " <d-9067000001.awsapps.com/start> ",
    ],
)
def test_what_stands_around_a_pasted_address_is_taken_off(pasted: str) -> None:
    assert pasted_start_url(pasted) == PORTAL


@pytest.mark.met("F7")
@pytest.mark.parametrize(
    "pasted",
    [
        "http://d-1.awsapps.com/start",
        "javascript:alert(1)",
        "user@d-1.awsapps.com/start",
        "https://user@d-1.awsapps.com/start",
        "d-1.awsapps.com/start https://evil.example",
        "file:///etc/passwd",
        "corp",
        "-d.awsapps.com/start",
        "",
    ],
)
def test_a_paste_that_is_no_portal_stays_refused(pasted: str) -> None:
    with pytest.raises(StartUrlRefused):
        start_url_kind(pasted_start_url(pasted))
