"""What goes wrong on our side of the wire is never told as the service's answer."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from credtray.aws import transport
from credtray.aws.clients import Clients
from credtray.aws.error_table import Service as Where
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.service_call import Limits, Request, call
from credtray.core import oauth
from credtray.core.errors import (
    AssetMissing,
    CertificateRefused,
    CredtrayError,
    NetworkSettingRefused,
    Offline,
    OwnFault,
    ProfileRefused,
    ProxyRefused,
    ResourcesExhausted,
    Retry,
    SettingsInvalid,
)
from credtray.core.models import Endpoints, Profile, Secret, Sources
from credtray.core.settings import from_mapping
from credtray.demo.identity_center import IdentityCenter
from tests.aws.service_world import ADMIN, Service, service
from tests.connect_proxy import Certificate, ConnectProxy
from tests.fakes_identity_center import CORP, NOON, FakeClock

SHORT = Limits(connect=2, read=2, total=5)
_NOTHING_SET = Endpoints()
LOGIN = "alice:CANARY-s3cret"


URL = "https://oidc.us-east-1.amazonaws.com/"


def refused(endpoints: Endpoints = _NOTHING_SET, url: str = URL) -> CredtrayError:
    """Return why a request cannot be sent; it quotes no login."""
    way = transport.Transport(endpoints.ca_bundle, SHORT, endpoints.proxy, endpoints.sources)
    with pytest.raises(CredtrayError) as caught:
        way.send(Request("GET", url, {}))
    assert "CANARY" not in f"{caught.value!r} {caught.value.advice} {caught.value.__context__!r}"
    return caught.value


@pytest.mark.met("F14")
def test_sign_in_through_a_socks_proxy_is_no_answer_of_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    clients, clock = Clients(SHORT), FakeClock()
    center = BotocoreIdentityCenter(clients, clock, Portal(clients, clock, lambda: 0.0))
    with pytest.raises(NetworkSettingRefused, match="the proxy in HTTPS_PROXY is a socks5:// proxy"):
        center.register(CORP, CORP.start_url, oauth.AUTHORIZATION_CODE)


# --- proxies ---------------------------------------------------------------------------------------------


@pytest.mark.met("F14")
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("socks5://127.0.0.1:1080", "is a socks5:// proxy"),
        (f"socks5h://{LOGIN}@127.0.0.1:1080", "is a socks5h:// proxy"),
        ("ftp://127.0.0.1:21", "is a ftp:// proxy"),
        ("http://127.0.0.1:proxy", "is not an address with a port"),
        ("http://127.0.0.1:99999", "is not an address with a port"),
        ("http://127.0.0.1:0", "has port 0"),
        (f"http://{LOGIN}#x@127.0.0.1:3128", "is not an address with a port"),
        ("http://", "names no host"),
        ("http://[::1", "is not an address with a port"),
        (f"http://{'p' * 64}.example:3128", "names a host that cannot exist"),
        ("http://pröxy.example:3128", "has a character that no address has"),
        (f"http://{LOGIN} @127.0.0.1:3128", "has a character that no address has"),
    ],
)
def test_proxy_that_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, address: str, reason: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    error = refused()

    assert (type(error), error.detail) == (NetworkSettingRefused, f"the proxy in HTTPS_PROXY {reason}")
    assert error.retry is Retry.PERSON
    assert "http://" in error.advice or "%40" in error.advice


@pytest.mark.met("F14")
def test_proxy_of_the_settings_is_named_as_a_setting() -> None:
    named = Sources(proxy="the setting sessions.corp.proxy")
    error = refused(Endpoints(proxy=Secret("socks4://127.0.0.1:1080"), sources=named))

    assert error.detail == "the proxy in the setting sessions.corp.proxy is a socks4:// proxy"


@pytest.mark.posix("variables of one name in two cases")
def test_lower_case_variable_is_the_one_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")

    assert refused().detail == "the proxy in https_proxy is a socks5:// proxy"


@pytest.mark.met("F14")
@pytest.mark.parametrize(
    "value", ["socks5://127.0.0.1:1080", "http://p:port", f"ftp://{LOGIN}@p", "", "http://", 7]
)
def test_settings_refuse_a_proxy_that_cannot_be_used(value: object) -> None:
    with pytest.raises(SettingsInvalid, match=r"^[^:]*: sessions\.corp\.proxy ") as caught:
        from_mapping({"sessions": {"corp": {"proxy": value}}})

    assert "http://" in caught.value.advice
    assert "CANARY" not in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(
    "value", ["http://proxy.example:3128", "proxy:3128", "https://a:b%40@p:1", "http://[::1]:1"]
)
def test_settings_take_a_proxy_that_can_be_used(value: str) -> None:
    assert from_mapping({"sessions": {"corp": {"proxy": value}}}).session("corp").proxy == value


@pytest.mark.met("F14")
def test_proxy_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{LOGIN}@127.0.0.1:9")
    error = refused()

    assert type(error) is Offline
    assert (
        error.detail == "the proxy http://127.0.0.1:9 (HTTPS_PROXY) cannot be used: it refuses the connection"
    )


def test_proxy_whose_name_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")

    expected = "the proxy http://proxy.invalid:3128 (HTTPS_PROXY) cannot be used: its name cannot be resolved"
    assert refused().detail == expected


def test_proxy_that_wants_a_login_is_named(portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(portal.port, login=LOGIN) as proxy:
        port = proxy.url.rpartition(":")[2]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        error = refused()

    assert type(error) is ProxyRefused
    assert f"http://127.0.0.1:{port} (HTTPS_PROXY) asks for a user name and password" in error.detail


# --- CA bundles --------------------------------------------------------------------------------------------


def _missing(path: Path) -> None:
    assert not path.exists()


def _unreadable(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.met("F14")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_missing, "which does not exist"),
        (Path.mkdir, "a directory without hashed certificates"),
        (Path.touch, "which contains no certificate in PEM format"),
        (lambda path: path.write_bytes(b"\x30\x82\x01"), "which contains no certificate in PEM format"),
        pytest.param(
            _unreadable,
            "which cannot be read (Too many levels of symbolic links)",
            marks=pytest.mark.wine_lacks("links that other programs see"),
        ),
    ],
)
@pytest.mark.parametrize("source", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle in [profile p1]", None])
def test_bundle_that_cannot_be_used_is_named_with_what_named_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    make: Callable[[Path], object],
    reason: str,
    source: str | None,
) -> None:
    path = tmp_path / "corp bundle.pem"
    make(path)
    variable = source is not None and source.isupper()
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(str(source), str(path))
    way = Endpoints() if variable else Endpoints(ca_bundle=str(path), sources=Sources(ca_bundle=source))
    error = refused(way)

    named = source or "the setting ca_bundle"
    assert type(error) is NetworkSettingRefused
    assert error.detail == f'{named} names the CA bundle "{path}", {reason}'
    assert error.retry is Retry.PERSON


def test_certificate_of_another_name_is_not_cured_by_a_bundle(portal: IdentityCenter) -> None:
    with ConnectProxy(portal.port, certificate=Certificate.WRONG_HOST) as proxy:
        error = refused(Endpoints(proxy=Secret(proxy.url), ca_bundle=str(proxy.ca_bundle)))

    assert type(error) is CertificateRefused
    assert "/etc/hosts" in error.advice
    assert "ca_bundle" not in error.advice


# --- addresses ---------------------------------------------------------------------------------------------


@pytest.mark.met("F14")
@pytest.mark.parametrize("host", ["x" * 64 + ".example", "a..b.example", "x" * 300])
def test_host_that_cannot_exist_is_an_address_not_an_outage(host: str) -> None:
    assert type(refused(url=f"https://{host}/")) is NetworkSettingRefused


def test_name_that_does_not_resolve_is_told() -> None:
    assert "the name oidc.invalid cannot be resolved" in refused(url="https://oidc.invalid/").detail


# --- this computer, and this program ---------------------------------------------------------------------


@pytest.fixture
def there() -> Iterator[Service]:
    with service(SHORT) as world:
        yield world


def raising(error: BaseException) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.met("F14")
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), ResourcesExhausted),
        (OSError(errno.ENFILE, os.strerror(errno.ENFILE)), ResourcesExhausted),
        (MemoryError(), ResourcesExhausted),
        (ImportError("no h2", name="h2"), AssetMissing),
        (KeyError("CANARY"), OwnFault),
        (TypeError("CANARY"), OwnFault),
        (UnicodeEncodeError("latin-1", "CANARY", 0, 1, "x"), OwnFault),
        (RecursionError(), OwnFault),
    ],
)
@pytest.mark.parametrize("place", ["_as_request", "approved"])
def test_what_fails_between_botocore_and_the_wire_is_ours(
    there: Service,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    error: Exception,
    expected: type[CredtrayError],
) -> None:
    token = there.sign_in()
    monkeypatch.setattr(f"credtray.aws.clients.{place}", raising(error))
    with pytest.raises(CredtrayError) as caught:
        there.fetch(token)

    assert type(caught.value) is expected
    assert "portal" not in str(caught.value)
    assert "answer" not in str(caught.value)
    assert "CANARY" not in str(caught.value)


@pytest.mark.met("F14")
def test_mistake_of_ours_is_told_with_its_place(there: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    token = there.sign_in()
    monkeypatch.setattr("credtray.aws.clients._text", raising(KeyError("x")))
    with pytest.raises(
        OwnFault, match=r"^This is a fault in credtray: KeyError in credtray\.aws\.clients, line \d+$"
    ):
        there.fetch(token)


def test_no_thread_left_is_no_answer_of_the_portal(there: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    token = there.sign_in()
    monkeypatch.setattr(threading.Thread, "start", raising(RuntimeError("can't start new thread")))
    with pytest.raises(ResourcesExhausted, match="too many threads"):
        there.fetch(token)


def test_file_handles_that_run_out_while_connecting_are_told(
    there: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = there.sign_in()
    full = raising(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    monkeypatch.setattr(transport._WatchedHttp, "connect", full)
    fresh = replace(there, clients=Clients(SHORT))
    with pytest.raises(ResourcesExhausted, match="too many files are open"):
        fresh.fetch(token)


@pytest.mark.met("F14")
@pytest.mark.parametrize(
    "profile", [replace(ADMIN, role_name=""), Profile("x", "corp", "", "Admin")], ids=["role", "account"]
)
def test_value_that_botocore_does_not_send_is_a_setting(there: Service, profile: Profile) -> None:
    token = there.sign_in()
    with pytest.raises(CredtrayError) as caught:
        there.fetch(token, profile)

    assert "shape" not in str(caught.value)


def test_parameter_that_botocore_refuses_is_named_and_not_quoted() -> None:
    client = Clients(SHORT).portal(CORP)
    arguments = {"accountId": 7, "roleName": "Admin", "accessToken": Secret("CANARY")}
    with pytest.raises(ProfileRefused, match=r"accountId cannot be sent to AWS") as caught:
        call(Where.PORTAL, client.get_role_credentials, arguments, dict, lambda: NOON)

    assert "CANARY" not in str(caught.value)
