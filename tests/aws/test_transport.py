"""TLS, proxies and vanity hosts: what stands between us and the service."""

from __future__ import annotations

import ctypes
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.proxies import proxy_for
from credtray.aws.service_call import Limits, Reply, Request
from credtray.aws.transport import Transport
from credtray.core import oauth
from credtray.core.errors import (
    CertificateRefused,
    NetworkSettingRefused,
    Offline,
    ProxyRefused,
    StartUrlRefused,
    UnexpectedReply,
)
from credtray.core.models import Endpoints, Secret, SsoSession
from credtray.demo.identity_center import IdentityCenter, faults
from tests.connect_proxy import Certificate, ConnectProxy
from tests.fakes_identity_center import CORP, FakeClock
from tests.systems import on_wine

SHORT = Limits(connect=2, read=2, total=5)
VANITY = replace(CORP, start_url="https://aws.synderys.com")


@contextmanager
def behind(
    portal: IdentityCenter,
    monkeypatch: pytest.MonkeyPatch,
    certificate: Certificate = Certificate.GOOD,
    login: str | None = None,
) -> Iterator[ConnectProxy]:
    """Put the portal behind a TLS-ending proxy, named by the environment as in an office."""
    with ConnectProxy(portal.port, certificate=certificate, login=login) as proxy:
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)
        yield proxy


def center() -> BotocoreIdentityCenter:
    clients, clock = Clients(SHORT), FakeClock()
    return BotocoreIdentityCenter(clients, clock, Portal(clients, clock, lambda: 0.0))


def register(session: SsoSession = CORP) -> str:
    return center().register(session, CORP.start_url, oauth.AUTHORIZATION_CODE).client_id


# --- TLS and proxies ---------------------------------------------------------------------------------


def test_proxy_and_ca_bundle_of_the_environment_are_used(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(portal, monkeypatch) as proxy:
        assert register()
        assert proxy.tunnels == ["oidc.us-east-1.amazonaws.com"]


def test_ca_bundle_of_the_config_file_beats_the_environment(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with behind(portal, monkeypatch) as proxy:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
        session = replace(CORP, endpoints=Endpoints(ca_bundle=str(proxy.ca_bundle)))

        assert register(session)


def test_requests_ca_bundle_comes_last(portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind(portal, monkeypatch) as proxy:
        monkeypatch.delenv("AWS_CA_BUNDLE")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(proxy.ca_bundle))

        assert register()


@pytest.mark.parametrize(
    ("certificate", "text"),
    [
        (Certificate.UNKNOWN_AUTHORITY, "unable to get local issuer certificate"),
        (Certificate.EXPIRED, "certificate has expired"),
        (Certificate.WRONG_HOST, "Hostname mismatch"),
    ],
)
def test_certificate_we_cannot_trust_is_refused_and_says_why(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch, certificate: Certificate, text: str
) -> None:
    with behind(portal, monkeypatch, certificate), pytest.raises(CertificateRefused, match=text):
        register()


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_unusable_ca_bundle_is_named(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    with behind(portal, monkeypatch):
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        with pytest.raises(NetworkSettingRefused, match=r'AWS_CA_BUNDLE names the CA bundle ".*bundle\.pem"'):
            register()


def test_proxy_login_of_the_environment_is_used(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(portal, monkeypatch, login="alice:s3cret"):
        assert register()


def test_proxy_that_wants_a_login_is_told(portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind(portal, monkeypatch, login="alice:s3cret") as proxy:
        port = proxy.url.rpartition(":")[2]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(ProxyRefused, match="user name and password"):
            register()


def test_proxy_of_the_session_beats_the_environment_and_no_proxy(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(portal.port, login="alice:p%40ss") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "*")
        proxy_and_ca = Endpoints(proxy=Secret(proxy.url), ca_bundle=str(proxy.ca_bundle))
        with pytest.raises(ProxyRefused):
            register(replace(CORP, endpoints=proxy_and_ca))
    with ConnectProxy(portal.port, login="alice:p@ss") as proxy:
        address = Secret(proxy.url.replace("p@ss", "p%40ss"))
        way = Endpoints(proxy=address, ca_bundle=str(proxy.ca_bundle))

        assert register(replace(CORP, endpoints=way))
        assert center().resolve_start_url(replace(VANITY, endpoints=way))[1] == "us-east-1"
        assert proxy.tunnels == ["oidc.us-east-1.amazonaws.com", "aws.synderys.com"]


@pytest.mark.parametrize(
    "text", ["", "http://", "socks5://p:1", "http://p:port", "http://p:0", "http://[::1", "file:///x"]
)
def test_proxy_that_is_no_address_is_told_and_not_quoted(text: str) -> None:
    with pytest.raises(NetworkSettingRefused, match="the proxy in the setting proxy") as caught:
        proxy_for("https://oidc.us-east-1.amazonaws.com/", Secret(text))

    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("url", ["https://127.0.0.1:8443/x", "https://localhost/x", "https://[::1]/x"])
def test_loopback_is_not_proxied_by_a_setting_either(url: str) -> None:
    assert proxy_for(url, Secret("http://proxy.example:3128")) is None


def test_proxy_that_does_not_serve_the_host_is_offline(portal: IdentityCenter) -> None:
    with ConnectProxy(portal.port, hosts=frozenset(), login="alice:CANARY") as proxy:
        session = replace(CORP, endpoints=Endpoints(proxy=Secret(proxy.url)))
        with pytest.raises(Offline, match=r"cannot be used: HTTP 502") as caught:
            register(session)

    assert "CANARY" not in f"{caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r}"


def test_two_sessions_do_not_share_a_way(portal: IdentityCenter) -> None:
    clients = Clients(SHORT)
    ways = [Endpoints(proxy=Secret("http://a:1")), Endpoints(proxy=Secret("http://b:1")), Endpoints()]
    transports = {id(clients.transport(way)) for way in (*ways, *ways)}

    assert len(transports) == 3


def test_issuer_of_a_certificate_we_cannot_trust_is_named(portal: IdentityCenter) -> None:
    with ConnectProxy(portal.port, certificate=Certificate.UNKNOWN_AUTHORITY) as proxy:
        session = replace(CORP, endpoints=Endpoints(proxy=Secret(proxy.url)))
        with pytest.raises(CertificateRefused, match='issued by "Intercepting Proxy Ltd'):
            register(session)


@pytest.mark.windows
def test_authority_that_windows_trusts_is_trusted(portal: IdentityCenter) -> None:
    with ConnectProxy(portal.port) as proxy, trusted_by_windows(proxy.ca_bundle):
        session = replace(CORP, endpoints=Endpoints(proxy=Secret(proxy.url)))

        assert register(session)

    with ConnectProxy(portal.port) as proxy, pytest.raises(CertificateRefused):
        register(replace(CORP, endpoints=Endpoints(proxy=Secret(proxy.url))))


@contextmanager
def trusted_by_windows(authority: Path) -> Iterator[None]:
    """Put a certificate among the roots of this user; Windows itself would ask the person first."""
    if not on_wine():
        pytest.skip("a person would be asked")
    encoded = ssl.PEM_cert_to_DER_cert(authority.read_text())
    with users_roots() as (crypt32, store):
        assert crypt32.CertAddEncodedCertificateToStore(store, 1, encoded, len(encoded), 3, None)
    try:
        yield
    finally:
        there = ctypes.c_void_p()
        with users_roots() as (crypt32, store):
            crypt32.CertAddEncodedCertificateToStore(store, 1, encoded, len(encoded), 2, ctypes.byref(there))
            crypt32.CertDeleteCertificateFromStore(there)


@contextmanager
def users_roots() -> Iterator[tuple[Any, ctypes.c_void_p]]:
    """Open the store; what was changed counts once it is closed (wincrypt.h)."""
    crypt32 = ctypes.WinDLL("crypt32")  # type: ignore[attr-defined,unused-ignore]  # on Windows only
    crypt32.CertOpenStore.restype = ctypes.c_void_p
    system, current_user = ctypes.c_void_p(10), 0x10000
    store = ctypes.c_void_p(crypt32.CertOpenStore(system, 0, None, current_user, ctypes.c_wchar_p("ROOT")))
    try:
        yield crypt32, store
    finally:
        crypt32.CertCloseStore(store, 0)


def test_proxy_that_is_down_is_offline(portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(Offline, match="proxy"):
        register()


def test_loopback_is_never_proxied(portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert register(replace(CORP, endpoints=Endpoints(portal.url, portal.url, portal.url)))


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("https://oidc.us-east-1.amazonaws.com/token", "", "http://proxy.corp:8080"),
        ("https://oidc.us-east-1.amazonaws.com/token", "amazonaws.com", None),
        ("https://oidc.us-east-1.amazonaws.com/token", "*", None),
        ("https://127.0.0.1:8443/x", "", None),
        ("https://127.8.9.1/x", "", None),
        ("https://localhost/x", "", None),
        ("https://[::1]/x", "", None),
        ("http://oidc.us-east-1.amazonaws.com/token", "", None),
    ],
)
def test_proxy_is_chosen_by_scheme_host_and_no_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, expected: str | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.corp:8080")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    found = proxy_for(url)

    assert expected == (None if found is None else found.url)


def test_plain_answer_on_a_tls_port_is_offline(portal: IdentityCenter) -> None:
    there = portal.url.replace("http://", "https://")
    with pytest.raises(Offline, match="TLS handshake"):
        register(replace(CORP, endpoints=Endpoints(there, there, there)))


def test_name_that_does_not_resolve_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    session = replace(CORP, endpoints=Endpoints("https://oidc.invalid"))
    with pytest.raises(Offline, match=r"the name oidc\.invalid cannot be resolved"):
        register(session)


# --- vanity start URLs -------------------------------------------------------------------------------


def test_vanity_url_leads_to_the_portal_in_one_step(
    portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(portal, monkeypatch) as proxy:
        found = center().resolve_start_url(VANITY)

        assert found == ("https://d-9067000001.awsapps.com/start", "us-east-1")
        assert proxy.tunnels == ["aws.synderys.com"]


def answering(*replies: Reply) -> tuple[list[Request], Clients]:
    """Return clients whose transport answers these replies, and the requests it got."""
    asked: list[Request] = []
    rest = iter(replies)

    class Scripted(Transport):
        def send(self, request: Request) -> Reply:
            asked.append(request)
            return next(rest)

    class ScriptedClients(Clients):
        def transport(self, endpoints: Endpoints) -> Transport:
            return Scripted(endpoints.ca_bundle, SHORT)

    return asked, ScriptedClients(SHORT)


def resolve(*replies: Reply, session: SsoSession = VANITY) -> tuple[tuple[str, str], list[str]]:
    asked, clients = answering(*replies)
    clock = FakeClock()
    service = BotocoreIdentityCenter(clients, clock, Portal(clients, clock, lambda: 0.0))
    return service.resolve_start_url(session), [request.method for request in asked]


def redirect(target: str, status: int = 302) -> Reply:
    return Reply(status, {"location": target}, b"")


AWS = "https://d-9067000001.awsapps.com/start"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_any_kind_of_redirect_counts(status: int) -> None:
    assert resolve(redirect(f"{AWS}/#/", status)) == ((AWS, "us-east-1"), ["HEAD"])


@pytest.mark.parametrize("status", [405, 501])
def test_host_that_knows_no_head_is_asked_with_get(status: int) -> None:
    assert resolve(Reply(status, {}, b""), redirect(AWS)) == ((AWS, "us-east-1"), ["HEAD", "GET"])


def test_region_comes_from_the_host_name_where_it_is_told() -> None:
    found, _ = resolve(redirect("https://ssoins-7223.portal.eu-west-1.app.aws/?x=1"))

    assert found == ("https://ssoins-7223.portal.eu-west-1.app.aws", "eu-west-1")


@pytest.mark.parametrize(
    "reply",
    [
        redirect("https://evil.example/start"),
        redirect("http://d-9067000001.awsapps.com/start"),
        redirect("https://d-9067000001.awsapps.com.evil.example/start"),
        redirect("https://d-9067000001.awsapps.com@evil.example/start"),
        redirect("javascript:alert(1)"),
        redirect("file:///etc/passwd"),
        redirect("//evil.example/start"),
        redirect("/start"),
        redirect("https://[::1"),
        redirect("\\\\evil.example"),
        redirect(""),
        Reply(302, {}, b""),
        Reply(200, {}, b""),
        Reply(404, {"location": AWS}, b""),
        Reply(500, {}, b""),
    ],
)
def test_vanity_url_that_leads_elsewhere_is_refused(reply: Reply) -> None:
    with pytest.raises(StartUrlRefused):
        resolve(reply)


@pytest.mark.parametrize(
    "url", ["http://aws.synderys.com", "file:///etc/passwd", "https://a@b.example", "-x"]
)
def test_hostile_start_url_is_refused_without_a_request(url: str) -> None:
    with pytest.raises(StartUrlRefused):
        resolve(session=replace(CORP, start_url=url))


GOV_ISSUER = "https://identitycenter.us-gov.amazonaws.com/ssoins-1111222233334444"


@pytest.mark.met("F4")
@pytest.mark.parametrize(
    "url",
    [
        GOV_ISSUER,
        "https://start.us-gov-home.awsapps.com/directory/acme",
        "https://identitycenter.amazonaws.com.cn/ssoins-1111222233334444",
        "https://identitycenter.sc2s.sgov.gov/ssoins-1111222233334444",
    ],
)
def test_names_of_aws_are_sent_as_they_are_without_a_request(url: str) -> None:
    assert resolve(session=replace(CORP, start_url=url)) == ((url, "us-east-1"), [])


@pytest.mark.met("F4")
@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}, b""),
        Reply(404, {}, b""),
        redirect("https://evil.example/start"),
        redirect("https://identitycenter.s3.amazonaws.com/start"),
        redirect(""),
    ],
)
def test_an_unknown_name_of_aws_that_leads_nowhere_is_sent_as_it_is(reply: Reply) -> None:
    url = "https://new-portal.us-east-1.amazonaws.com/ssoins-1"

    assert resolve(reply, session=replace(CORP, start_url=url)) == ((url, "us-east-1"), ["HEAD"])


@pytest.mark.met("F4")
def test_an_unknown_name_of_aws_that_cannot_be_looked_up_is_sent_as_it_is() -> None:
    class Dead(Transport):
        def send(self, request: Request) -> Reply:
            raise Offline("the service's name cannot be resolved")

    class DeadClients(Clients):
        def transport(self, endpoints: Endpoints) -> Transport:
            return Dead(endpoints.ca_bundle, SHORT)

    clients, clock = DeadClients(SHORT), FakeClock()
    service = BotocoreIdentityCenter(clients, clock, Portal(clients, clock, lambda: 0.0))
    url = "https://start.amazonaws-us-gov.com/ssoins-1"

    assert service.resolve_start_url(replace(CORP, start_url=url)) == (url, "us-east-1")
    with pytest.raises(Offline):
        service.resolve_start_url(VANITY)


@pytest.mark.met("F4")
def test_an_unknown_name_of_aws_is_followed_to_its_portal() -> None:
    found, _ = resolve(redirect(AWS), session=replace(CORP, start_url="https://start.new.aws/corp"))

    assert found == (AWS, "us-east-1")


# --- size --------------------------------------------------------------------------------------------


def _answer_of(size: int, portal: IdentityCenter) -> Reply:
    portal.inject("RegisterClient", faults.Body("x" * size), times=1)
    request = Request("POST", f"{portal.url}/client/register", {}, b"{}")
    return Transport(None, replace(SHORT, body=1_000)).send(request)


def test_answer_as_large_as_the_limit_is_whole(portal: IdentityCenter) -> None:
    assert len(_answer_of(1_000, portal).body) == 1_000


def test_answer_of_one_byte_too_many_is_refused(portal: IdentityCenter) -> None:
    with pytest.raises(UnexpectedReply, match="larger than"):
        _answer_of(1_001, portal)
