"""Every form of start URL, in every partition of botocore: a whole sign-in by AWS's own host names.

The names are those that botocore works out; a proxy of the tests leads them to the embedded portal, so a host
that is not of its partition is refused there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

import pytest
from botocore.loaders import Loader

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.core import oauth
from credtray.core.addresses import browser_address_allowed, start_url_kind
from credtray.core.models import AccessToken, Endpoints, Secret, SsoSession
from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.instance import synderys
from tests.connect_proxy import ConnectProxy
from tests.demo.program import Browser, answer_of
from tests.fakes_identity_center import CORP, FakeClock
from tests.portal import ask

PAIR = oauth.pkce_pair(bytes(range(48)))
STATE = oauth.new_state(bytes(range(32)))
REDIRECT = "http://127.0.0.1:49321/oauth/callback"
INSTANCE = "ssoins-7223d8f0a1b2c3d4"


@dataclass(frozen=True)
class Form:
    """A start URL, and where its Identity Center is."""

    region: str
    services: str
    """What names of services end in there."""
    start_url: str


FORMS = [
    Form(region, services, f"https://{start_url}")
    for region, services, start_urls in (
        (
            "us-east-1",
            "amazonaws.com",
            (
                "d-9067000001.awsapps.com/start",
                "d-9067000001.awsapps.com/start/#/",
                "my-company.awsapps.com/start",
                f"{INSTANCE}.portal.us-east-1.app.aws",
                f"{INSTANCE}.us-east-1.portal.amazonaws.com",
                f"identitycenter.amazonaws.com/{INSTANCE}",
                f"identitycenter.amazonaws.com/{INSTANCE}/",
                "identitycenter.amazonaws.com/d-9067000001",
                f"identitycenter.us-east-1.amazonaws.com/{INSTANCE}",
                "aws.synderys.com",
            ),
        ),
        (
            "eu-central-2",
            "amazonaws.com",
            (f"{INSTANCE}.portal.eu-central-2.app.aws", "d-9967.awsapps.com/start"),
        ),
        (
            "us-gov-west-1",
            "amazonaws.com",
            (
                "start.us-gov-home.awsapps.com/directory/acme",
                "start.us-gov-west-1.us-gov-home.awsapps.com/directory/d-9867",
                f"identitycenter.us-gov.amazonaws.com/{INSTANCE}",
                f"{INSTANCE}.us-gov-west-1.portal.amazonaws.com",
            ),
        ),
        ("us-gov-east-1", "amazonaws.com", (f"identitycenter.us-gov.amazonaws.com/{INSTANCE}",)),
        (
            "cn-north-1",
            "amazonaws.com.cn",
            (
                "start.home.awsapps.cn/directory/acme",
                "d-9b67.awsapps.cn/start",
                f"{INSTANCE}.portal.cn-north-1.app.amazonwebservices.com.cn",
                f"{INSTANCE}.cn-north-1.portal.amazonaws.com.cn",
                f"identitycenter.amazonaws.com.cn/{INSTANCE}",
            ),
        ),
        ("cn-northwest-1", "amazonaws.com.cn", ("start.cn-northwest-1.home.awsapps.cn/directory/acme",)),
        (
            "eusc-de-east-1",
            "amazonaws.eu",
            (
                f"{INSTANCE}.portal.eusc-de-east-1.api.amazonwebservices.eu",
                f"{INSTANCE}.eusc-de-east-1.portal.amazonaws.eu",
                f"identitycenter.amazonaws.eu/{INSTANCE}",
            ),
        ),
        ("us-iso-east-1", "c2s.ic.gov", (f"identitycenter.c2s.ic.gov/{INSTANCE}",)),
        ("us-isob-east-1", "sc2s.sgov.gov", (f"{INSTANCE}.us-isob-east-1.portal.sc2s.sgov.gov",)),
        ("eu-isoe-west-1", "cloud.adc-e.uk", (f"identitycenter.cloud.adc-e.uk/{INSTANCE}",)),
        ("us-isof-south-1", "csp.hci.ic.gov", (f"{INSTANCE}.us-isof-south-1.portal.csp.hci.ic.gov",)),
    )
    for start_url in start_urls
]


@cache
def _clients() -> Clients:
    return Clients()


@pytest.fixture(scope="module")
def portal() -> Iterator[IdentityCenter]:
    directory = synderys()
    known = {form.start_url.partition("#")[0].rstrip("/") for form in FORMS}
    directory.start_urls = (*directory.start_urls, *sorted(known))
    clock = FakeClock()
    with IdentityCenter(directory, clock=clock.now) as center:
        yield center


@pytest.fixture(scope="module")
def network(portal: IdentityCenter) -> Iterator[ConnectProxy]:
    """The hosts of every partition's own services, and of the vanity URL; nothing else is there."""
    names = {
        f"{service}.{form.region}.{form.services}"
        for form in FORMS
        for service in ("oidc", "portal.sso", "device.sso")
    }
    with ConnectProxy(portal.port, hosts=frozenset({*names, "aws.synderys.com"})) as proxy:
        yield proxy


@dataclass(frozen=True)
class Place:
    """One Identity Center as the agent meets it."""

    form: Form
    session: SsoSession
    center: BotocoreIdentityCenter
    portal: IdentityCenter

    def here(self, url: str) -> str:
        """Return the address of the portal's process for an address of AWS."""
        parts = urlsplit(url)
        path = (
            "/device"
            if parts.hostname == f"device.sso.{self.form.region}.{self.form.services}"
            else parts.path
        )
        return f"{self.portal.url}{path}?{parts.query}"


@pytest.fixture(params=FORMS, ids=lambda form: f"{form.region}-{form.start_url.removeprefix('https://')}")
def place(request: pytest.FixtureRequest, portal: IdentityCenter, network: ConnectProxy) -> Place:
    form: Form = request.param
    endpoints = Endpoints(ca_bundle=str(network.ca_bundle), proxy=Secret(network.url))
    session = replace(CORP, start_url=form.start_url, region=form.region, endpoints=endpoints)
    clients, clock = _clients(), FakeClock()
    center = BotocoreIdentityCenter(clients, clock, Portal(clients, clock, lambda: 0.5))
    network.refused.clear()
    return Place(form, session, center, portal)


def test_there_are_as_many_forms_as_promised_over_all_partitions() -> None:
    partitions = Loader().load_data("partitions")["partitions"]
    served = {form.region for form in FORMS}

    assert len(FORMS) >= 25
    assert [p["id"] for p in partitions if not served & p["regions"].keys()] == []


def test_a_browser_sign_in_ends_with_accounts(place: Place, network: ConnectProxy) -> None:
    sent, region = place.center.resolve_start_url(place.session)
    client = place.center.register(place.session, sent, oauth.AUTHORIZATION_CODE)
    base = place.center.authorize_endpoint(place.session)
    asked = oauth.AuthorizeRequest(client.client_id, REDIRECT, STATE, PAIR.challenge, oauth.DEFAULT_SCOPES)
    address = asked.url(base)
    assert browser_address_allowed(address, place.session)
    place.portal.auto_approve()
    answer = answer_of(ask(place.here(address)))
    token = place.center.exchange_code(place.session, client, Secret(answer["code"]), REDIRECT, PAIR.verifier)

    assert isinstance(token, AccessToken)
    assert region == place.form.region
    assert len(place.center.accounts(place.session, token, lambda _count: None)) > 0
    assert network.refused == []


def test_a_code_for_another_device_does_too(place: Place, network: ConnectProxy) -> None:
    sent, _ = place.center.resolve_start_url(place.session)
    client = place.center.register(place.session, sent, oauth.DEVICE_CODE)
    device = place.center.start_device(place.session, client, sent)
    assert browser_address_allowed(device.verification_uri_complete, place.session)
    browser = Browser(place.portal.url)
    browser.open(place.here(device.verification_uri_complete))
    browser.sign_in()
    browser.submit(decision="allow")

    token = place.center.poll_device(place.session, client, device.device_code)

    assert isinstance(token, AccessToken)
    assert network.refused == []


def test_a_start_url_of_aws_is_never_followed(place: Place) -> None:
    kind = start_url_kind(place.form.start_url)

    assert (kind.value == "vanity") == (place.form.start_url == "https://aws.synderys.com")
