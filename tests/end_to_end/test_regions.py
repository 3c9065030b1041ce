"""An Identity Center in several regions: a session in any of them signs in, one elsewhere is told why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.connect_proxy import HOSTS, ConnectProxy
from tests.end_to_end.house import House
from tests.portal import RunningPortal

SECOND = frozenset({"oidc.eu-west-1.amazonaws.com", "portal.sso.eu-west-1.amazonaws.com"})
THIRD = frozenset({"oidc.ap-south-1.amazonaws.com", "portal.sso.ap-south-1.amazonaws.com"})


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> Iterator[House]:
    """A house that reaches the portal under AWS's own names only, which tell the region."""
    port = urlsplit(portal.url).port
    assert port is not None
    portal.command("regions", regions=["us-east-1", "eu-west-1"])
    with ConnectProxy(port, hosts=HOSTS | SECOND | THIRD) as proxy:
        made = House(home, portal)
        for name in ("AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"):
            del made.environ[name]
        made.environ |= {**proxy.environment, "SSL_CERT_FILE": str(proxy.ca_bundle), "NO_PROXY": "127.0.0.1"}
        made.configure("synderys-dns")
        yield made


def put_into(house: House, region: str) -> None:
    text = house.config.read_text()
    house.config.write_text(text.replace("sso_region = us-east-1", f"sso_region = {region}"))


def test_a_session_in_an_additional_region_signs_in_and_gets_keys(house: House) -> None:
    put_into(house, "eu-west-1")
    house.run("login")
    given = json.loads(house.run("credentials", "synderys-dns").stdout)

    assert given["SessionToken"]
    assert house.session()["state"] == "fresh"
    assert "oidc.eu-west-1.amazonaws.com" in house.visits()[0]


@pytest.mark.parametrize("way", [(), ("--device",)])
def test_a_region_that_was_not_added_is_told_in_these_words(house: House, way: tuple[str, ...]) -> None:
    put_into(house, "ap-south-1")
    told = house.run("login", *way, code=None)

    assert told.returncode != 0
    assert "This Region is not authorised yet" in told.stderr
    assert "Use us-east-1" in told.stderr
    assert "Set sso_region of the sso-session" in told.stderr
    house.portal.command("regions", regions=["us-east-1", "eu-west-1", "ap-south-1"])
    house.run("login")
    assert house.session()["state"] == "fresh"
