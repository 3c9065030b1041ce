"""Which addresses a sign-in may use: more than 300 of them, and only the allowed ones pass."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core.addresses import (
    MAX_LENGTH,
    StartUrlKind,
    browser_address_allowed,
    check_resolved,
    start_url_kind,
)
from credtray.core.errors import StartUrlRefused
from credtray.core.models import Endpoints, SsoSession
from tests.soak import examples

OWNED_HOSTS = (
    "d-9067000001.awsapps.com",
    "synderys.awsapps.com",
    "awsapps.com",
    "d-1.awsapps.cn",
    "start.home.awsapps.cn",
    "ssoins-1.portal.us-east-1.app.aws",
    "app.aws",
    "ssoins-1.eu-central-1.portal.amazonaws.com",
    "ssoins-1.cn-north-1.portal.amazonaws.com.cn",
    "ssoins-1.eusc-de-east-1.portal.amazonaws.eu",
    "ssoins-1.portal.cn-north-1.app.amazonwebservices.com.cn",
    "ssoins-1.portal.eusc-de-east-1.api.amazonwebservices.eu",
    "identitycenter.amazonaws.com",
    "identitycenter.amazonaws.com.cn",
    "identitycenter.amazonaws.eu",
    # every partition: what is in GovCloud shares its domains with the rest
    "identitycenter.us-gov.amazonaws.com",
    "identitycenter.us-gov-west-1.amazonaws.com",
    "start.us-gov-home.awsapps.com",
    "start.us-gov-east-1.us-gov-home.awsapps.com",
    "ssoins-1.portal.us-gov-west-1.app.aws",
    "ssoins-1.us-gov-west-1.portal.amazonaws.com",
    "ssoins-1.portal.mx-central-1.app.aws",
    "identitycenter.c2s.ic.gov",
    "identitycenter.sc2s.sgov.gov",
    "ssoins-1.us-isob-east-1.portal.sc2s.sgov.gov",
    "ssoins-1.eu-isoe-west-1.portal.cloud.adc-e.uk",
    "ssoins-1.us-isof-south-1.portal.csp.hci.ic.gov",
)
OF_AWS_HOSTS = (
    "amazonaws.com",
    "oidc.us-east-1.amazonaws.com",
    "evil-identitycenter.amazonaws.com",
    "identitycenter.s3.amazonaws.com",
    "bucket.s3.us-east-1.amazonaws.com",
    "portal-of-tomorrow.us-east-1.amazonaws.com.cn",
    "new.api.aws",
    "new.signin.aws",
    "x.aws.dev",
    "signin.aws.amazon.com",
    "start.amazonaws-us-gov.com",
    "new.amazonwebservices.com.cn",
    "new.amazonaws.eu",
    "new.aws.ic.gov",
    "new.aws.scloud",
)
"""Names of AWS that are no portal known here; some of these are customers'."""
VANITY_HOSTS = (
    "aws.synderys.com",
    "sso.example.co.uk",
    "evilawsapps.com",
    "awsapps.com.evil.example",
    "d-1.awsapps.com.evil.example",
    "d-1-awsapps.com",
    "d-1.awsapps.org",
    "app.aws.evil.example",
    "myapp.awsx",
    "portal.amazonaws.com.evil.example",
    "x.portal.amazonaws.org",
    "evilamazonaws.com",
    "amazonaws.com.evil.org",
    "identitycenter.us-gov.amazonaws.com.evil.org",
    "awsapps.com.evil.org",
    "evil-awsapps.com",
    "c2s.ic.gov.evil.org",
    "ic.gov",
    "sgov.gov",
    "notaws.dev",
    "identitycenter.amazonaws.com.evil.example",
    "identitycenter.amazonaws.example",
)
SIGN_IN_HOSTS = (
    "oidc.us-east-1.amazonaws.com",
    "oidc-fips.us-gov-west-1.amazonaws.com",
    "oidc.eu-west-1.api.aws",
    "oidc-fips.us-east-1.api.aws",
    "oidc.cn-north-1.amazonaws.com.cn",
    "oidc.cn-north-1.api.amazonwebservices.com.cn",
    "oidc.eusc-de-east-1.amazonaws.eu",
    "oidc.us-isob-east-1.sc2s.sgov.gov",
    "oidc-fips.us-iso-east-1.c2s.ic.gov",
    "oidc.us-iso-east-1.api.aws.ic.gov",
    "oidc.mx-central-1.amazonaws.com",
    "device.sso.us-east-1.amazonaws.com",
    "device.sso.cn-north-1.amazonaws.com.cn",
)
FOREIGN_HOSTS = (
    "oidc.evil.example",
    "oidc.us-east-1.amazonaws.com.evil.example",
    "evil.oidc.us-east-1.amazonaws.com",
    "oidc.us-east-1.amazonaws.org",
    "oidc.us-east-1x.amazonaws.com",
    "oidc.evil.amazonaws.com",
    "oidc-evil.us-east-1.amazonaws.com",
    "device.sso.evil.amazonaws.com",
    "us-east-1.amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    "bucket.s3.us-east-1.amazonaws.com",
    "portal.sso.us-east-1.amazonaws.com",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "169.254.169.254",
)
TAILS = ("", "/", "/start", "/start/#/", "/start?a=b&c=%20d")
# Each is put in the place of HOST's whole address; none may ever be opened or sent.
HOSTILE = (
    "http://HOST/start",
    "HTTP://HOST/start",
    "ftp://HOST/",
    "ws://HOST/",
    "file://HOST/etc/passwd",
    "file:///etc/passwd",
    "javascript:alert(1)//HOST",
    "javascript://HOST/%0aalert(1)",
    "data:text/html,HOST",
    "vbscript:HOST",
    "mailto:x@HOST",
    "-https://HOST/",
    "--new-window https://HOST/",
    " https://HOST/",
    "\thttps://HOST/",
    "https://HOST/ ",
    "https://HOST/\n",
    "https://HOST/\r\nX: y",
    "https://HOST/\x00",
    "https://HOST/a b",
    "https://HOST/\x7f",
    "https://HOST/\u202e",
    "https://HOST\\@evil.example/",
    "https:\\\\HOST\\start",
    "https:/HOST/",
    "https:HOST",
    "https//HOST",
    "//HOST/start",
    "/start",
    "",
    "HOST",
    "https://",
    "https:///start",
    "https://user@HOST/",
    "https://user:secret@HOST/",
    "https://HOST@evil.example/",
    "https://HOST%40evil.example/",
    "https://HOST:443@evil.example/",
    "https://@HOST/",
    "https://HOST:0/",
    "https://HOST:65536/",
    "https://HOST:-1/",
    "https://HOST:/",
    "https://HOST:443x/",
    "https://HOST:4 43/",
    "https://HOST./",
    "https://HOST../",
    "https://.HOST/",
    "https://-HOST/",
    "https://xn--HOST/",
    "https://xn--80ak6aa92e.HOST/",
    "https://\u0430HOST/",
    "https://\uff41\uff57\uff53HOST/",
    "https://HOST\u3002evil.example/",
    "https://HOST\u2044evil.example/",
    "http\u017f://HOST/",
    "https://\u212aHOST/",
    "https://HOST:\u0664\u0664\u0663/",
    "https://HOST\xad/",
    "https://HOST%00.evil.example/",
    "https://HOST%2eevil.example/",
    "https://HOST/'\"<script>",
    "https://HOST/`id`",
    "https://HOST/{a}",
    "https://HOST/a|b",
    "https://HOST/a^b",
    "https://HOST/\\..\\",
    "https://HOST/" + "a" * MAX_LENGTH,
    "https://[HOST]/",
    "https://[::1/",
    "https://1.2.3.4/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://localhost/",
    "https://a_b.HOST/",
    "https://" + "a" * 64 + ".HOST/",
)
SESSION = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1")
DEMO = SsoSession(
    "demo",
    "https://demo.awsapps.com/start",
    "us-east-1",
    endpoints=Endpoints(oidc="http://127.0.0.1:8421/oidc", portal="https://portal.example:8443"),
)


def test_the_corpus_is_large_enough() -> None:
    hosts = len(OWNED_HOSTS) + len(OF_AWS_HOSTS) + len(VANITY_HOSTS) + len(SIGN_IN_HOSTS) + len(FOREIGN_HOSTS)

    assert hosts * len(TAILS) + 2 * len(HOSTILE) >= 300


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("host", OWNED_HOSTS)
def test_portals_of_aws_are_sent_as_they_are(host: str, tail: str) -> None:
    kinds = [start_url_kind(f"https://{host}{tail}"), start_url_kind(f"HTTPS://{host.upper()}:443{tail}")]

    assert kinds == [StartUrlKind.AWS_OWNED] * 2
    assert browser_address_allowed(f"https://{host}{tail}", SESSION)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("host", VANITY_HOSTS)
def test_other_hosts_are_vanity_urls_and_never_opened(host: str, tail: str) -> None:
    url = f"https://{host}{tail}"

    assert start_url_kind(url) is StartUrlKind.VANITY
    assert browser_address_allowed(url, SESSION) is (host in SIGN_IN_HOSTS)


@pytest.mark.met("F4")
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("host", OF_AWS_HOSTS)
def test_an_unknown_name_of_aws_is_tried_and_never_opened(host: str, tail: str) -> None:
    url = f"https://{host}{tail}"

    assert start_url_kind(url) is StartUrlKind.OF_AWS
    assert browser_address_allowed(url, SESSION) is (host in SIGN_IN_HOSTS)
    with pytest.raises(StartUrlRefused, match="leads to"):
        check_resolved(url, "https://aws.synderys.com")


@pytest.mark.met("F4")
def test_the_issuer_of_govcloud_is_sent_as_it_is() -> None:
    url = "https://identitycenter.us-gov.amazonaws.com/ssoins-1111222233334444"

    assert start_url_kind(url) is StartUrlKind.AWS_OWNED


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("host", SIGN_IN_HOSTS)
def test_the_token_service_is_opened(host: str, tail: str) -> None:
    assert browser_address_allowed(f"https://{host}{tail}", SESSION)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_foreign_hosts_are_never_opened(host: str, tail: str) -> None:
    assert not browser_address_allowed(f"https://{host}{tail}", SESSION)


@pytest.mark.parametrize("host", ["d-1.awsapps.com", "aws.synderys.com"])
@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_addresses_are_refused_everywhere(shape: str, host: str) -> None:
    url = shape.replace("HOST", host)
    with pytest.raises(StartUrlRefused) as caught:
        start_url_kind(url)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    assert not browser_address_allowed(url, SESSION)
    assert not browser_address_allowed(url, DEMO)


@pytest.mark.parametrize("port", ["8443", "80", "1"])
def test_a_host_of_aws_on_another_port_is_not_its_portal(port: str) -> None:
    url = f"https://d-1.awsapps.com:{port}/start"

    assert start_url_kind(url) is StartUrlKind.VANITY
    assert not browser_address_allowed(url, SESSION)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8421/authorize?x=1", True),
        ("https://portal.example:8443/", True),
        ("https://PORTAL.example:8443/", True),
        ("http://127.0.0.1:8422/", False),
        ("http://127.0.0.1/", False),
        ("https://127.0.0.1:8421/", False),
        ("http://localhost:8421/", False),
        ("http://127.0.0.1:8421@evil.example/", False),
        ("https://portal.example/", False),
        ("http://portal.example:8443/", False),
        ("https://demo.awsapps.com/start", True),
    ],
)
def test_the_very_origin_of_a_configured_endpoint_is_opened(url: str, allowed: bool) -> None:  # noqa: FBT001 - a table
    assert allowed is browser_address_allowed(url, DEMO)


def test_plain_http_to_another_machine_is_never_opened() -> None:
    session = SsoSession(
        "x", SESSION.start_url, "us-east-1", endpoints=Endpoints(oidc="http://portal.example")
    )

    assert not browser_address_allowed("http://portal.example/authorize", session)


_CHARS = st.text(st.sampled_from("htps:/\\.@-_%[]#?awx019\u0430\n "), max_size=30)


@given(tail=_CHARS, front=st.sampled_from(["", "https://", "https://a.awsapps.com", "https://x@"]))
@settings(max_examples=examples(3_000))
def test_what_is_opened_is_https_on_the_host_a_browser_would_go_to(front: str, tail: str) -> None:
    url = front + tail
    if browser_address_allowed(url, SESSION):
        parts = urlsplit(url)
        host = parts.hostname or ""

        assert parts.scheme == "https"
        assert host.endswith(("awsapps.com", "app.aws"))
        assert "@" not in parts.netloc
        assert url.isascii()
        assert url.isprintable()
