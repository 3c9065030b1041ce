from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from credtray.core.errors import ConsoleRefused, UsageError
from credtray.core.models import Endpoints, Profile, Secret, SsoSession
from credtray.ways_out.aws_console import (
    SERVICES,
    Console,
    checked_destination,
    console_of,
    service_page,
    sign_in_address,
    token_address,
)

START = "https://acme.awsapps.com/start"


def console(
    session_region: str = "us-east-1", region: str | None = None, chosen: str | None = None
) -> Console:
    profile = Profile("dev", "acme", "111100000001", "ReadOnly", region)
    return console_of(profile, SsoSession("acme", START, session_region), chosen)


@pytest.mark.parametrize(
    ("region", "federation", "page"),
    [
        (
            "us-east-1",
            "https://signin.aws.amazon.com/federation",
            "https://us-east-1.console.aws.amazon.com/s3/home?region=us-east-1",
        ),
        (
            "cn-north-1",
            "https://signin.amazonaws.cn/federation",
            "https://console.amazonaws.cn/s3/home?region=cn-north-1",
        ),
        (
            "us-gov-west-1",
            "https://signin.amazonaws-us-gov.com/federation",
            "https://console.amazonaws-us-gov.com/s3/home?region=us-gov-west-1",
        ),
        (
            "eusc-de-east-1",
            "https://eusc-de-east-1.signin.amazonaws-eusc.eu/federation",
            "https://console.amazonaws-eusc.eu/s3/home?region=eusc-de-east-1",
        ),
    ],
)
def test_each_partition_has_its_own_hosts(region: str, federation: str, page: str) -> None:
    found = console(region)

    assert (found.federation, service_page("s3", found)) == (federation, page)


@pytest.mark.parametrize(
    ("profile", "chosen", "expected"),
    [
        (None, None, "eu-central-1"),
        ("eu-west-1", None, "eu-west-1"),
        ("eu-west-1", "ap-south-1", "ap-south-1"),
        ("cn-north-1", None, "eu-central-1"),
        ("eu-west-1", "us-gov-west-1", "eu-west-1"),
    ],
)
def test_pages_begin_in_the_profiles_region_of_its_partition(
    profile: str | None, chosen: str | None, expected: str
) -> None:
    assert console("eu-central-1", profile, chosen).region == expected


@pytest.mark.parametrize("region", ["us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"])
def test_partition_whose_console_nobody_here_knows_is_refused(region: str) -> None:
    with pytest.raises(ConsoleRefused, match=region):
        console(region)


def test_every_service_leads_to_a_page_that_is_the_consoles() -> None:
    for region in ("us-east-1", "cn-north-1"):
        found = console(region)
        for service in SERVICES:
            page = service_page(service, found)

            assert checked_destination(page, found) == page
            assert urlsplit(page).query == f"region={region}"


def test_unknown_service_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean lambda"):
        service_page("lamda", console())


@pytest.mark.parametrize(
    "url",
    [
        "https://console.aws.amazon.com",
        "https://console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:sort=x",
        "https://s3.console.aws.amazon.com/s3/buckets/my-bucket?tab=objects",
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home",
    ],
)
def test_pages_of_the_console_may_be_the_destination(url: str) -> None:
    assert checked_destination(url, console()) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "console.aws.amazon.com",
        "http://console.aws.amazon.com/",
        "https://evil.example/",
        "https://console.aws.amazon.com.evil.example/",
        "https://evilconsole.aws.amazon.com/",
        "https://console.aws.amazon.com@evil.example/",
        "https://console.aws.amazon.com:8443/",
        "https://CONSOLE.aws.amazon.com/",
        "https://console.aws.amazon.com/\n",
        "https://console.aws.amazon.com/ x",
        'https://console.aws.amazon.com/"',
        "https://console.aws.amazon.com/é",
        "https://console.amazonaws.cn/",
        "https://console.aws.amazon.com/" + "a" * 3000,
        "javascript:alert(1)",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not a page of the console"):
        checked_destination(url, console())


def test_question_for_a_sign_in_token_is_the_documented_one() -> None:
    address = token_address(console(), "ASIA1", Secret("se/cr+et"), Secret("to&k=en"))
    parts = urlsplit(address.reveal())
    query = parse_qs(parts.query, strict_parsing=True)

    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://signin.aws.amazon.com/federation"
    assert list(query) == ["Action", "Session"]
    assert query["Action"] == ["getSigninToken"]
    assert json.loads(query["Session"][0]) == {
        "sessionId": "ASIA1",
        "sessionKey": "se/cr+et",
        "sessionToken": "to&k=en",
    }
    assert "se" not in repr(address)


def test_sign_in_leads_to_the_destination_and_back_to_the_portal() -> None:
    page = "https://us-east-1.console.aws.amazon.com/s3/home?region=us-east-1"
    parts = urlsplit(sign_in_address(console(), page, Secret("tok+en")).reveal())

    assert parse_qs(parts.query) == {
        "Action": ["login"],
        "Issuer": [START],
        "Destination": [page],
        "SigninToken": ["tok+en"],
    }


def test_endpoint_override_moves_the_federation() -> None:
    session = SsoSession("acme", START, "us-east-1", endpoints=Endpoints(signin="http://127.0.0.1:8080/"))
    profile = replace(Profile("dev", "acme", "111100000001", "ReadOnly"))

    assert console_of(profile, session, None).federation == "http://127.0.0.1:8080/federation"
