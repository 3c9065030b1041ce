from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Iterator

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ProxyConnectionError
from botocore.exceptions import SSLError as BotocoreSSLError
from mypy_boto3_sso_oidc import SSOOIDCClient

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.faults import Drop, Hang
from tests.connect_proxy import Certificate, ConnectProxy


def _oidc(proxy: ConnectProxy, *, url: str | None = None) -> SSOOIDCClient:
    config = Config(
        signature_version=UNSIGNED,
        proxies={"https": url or proxy.url},
        connect_timeout=5,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    client: SSOOIDCClient = boto3.client(
        "sso-oidc", region_name="us-east-1", verify=str(proxy.ca_bundle), config=config
    )
    return client


def _tunnel(proxy: ConnectProxy, host: str) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(proxy.ca_bundle))
    _, _, port = proxy.url.rpartition(":")
    connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context, timeout=5)
    connection.set_tunnel(host, 443)
    return connection


@pytest.fixture
def proxy(portal: IdentityCenter) -> Iterator[ConnectProxy]:
    with ConnectProxy(portal.port) as proxy:
        yield proxy


def test_botocore_registers_through_the_proxy_by_awss_own_name(
    portal: IdentityCenter, proxy: ConnectProxy
) -> None:
    reply = _oidc(proxy).register_client(clientName="test", clientType="public")

    assert reply["clientId"]
    assert portal.journal.count("RegisterClient") == 1
    assert proxy.tunnels == ["oidc.us-east-1.amazonaws.com"]


def test_vanity_address_redirects_to_the_start_url(proxy: ConnectProxy) -> None:
    connection = _tunnel(proxy, "aws.synderys.com")
    connection.request("HEAD", "/")
    answer = connection.getresponse()
    connection.close()

    assert (answer.status, answer.headers["Location"]) == (302, "https://d-9067000001.awsapps.com/start")


def test_hosts_that_are_not_awss_are_refused_and_remembered(proxy: ConnectProxy) -> None:
    connection = _tunnel(proxy, "evil.example")
    with pytest.raises(OSError, match="502"):
        connection.request("GET", "/")
    connection.close()

    assert (proxy.refused, proxy.tunnels) == (["evil.example"], [])


def test_plain_requests_are_refused(proxy: ConnectProxy) -> None:
    _, _, port = proxy.url.rpartition(":")
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
        connection.sendall(b"GET http://aws.synderys.com/ HTTP/1.1\r\nHost: aws.synderys.com\r\n\r\n")

        assert connection.recv(4096).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        (Certificate.WRONG_HOST, "doesn't match|mismatch"),
        (Certificate.EXPIRED, "expired"),
        (Certificate.UNKNOWN_AUTHORITY, "unable to get local issuer|self-signed"),
    ],
)
def test_bad_certificates_are_noticed(
    portal: IdentityCenter, certificate: Certificate, expected: str
) -> None:
    refused = pytest.raises(BotocoreSSLError, match=expected)
    with ConnectProxy(portal.port, certificate=certificate) as proxy, refused:
        _oidc(proxy).register_client(clientName="test", clientType="public")

    assert portal.journal.totals() == {}


def test_login_is_asked_for_and_accepted(portal: IdentityCenter) -> None:
    with ConnectProxy(portal.port, login="user:password") as proxy:
        _, _, address = proxy.url.rpartition("@")
        with pytest.raises(ProxyConnectionError):
            _oidc(proxy, url=f"http://{address}").register_client(clientName="test", clientType="public")

        assert _oidc(proxy).register_client(clientName="test", clientType="public")["clientId"]
        assert proxy.admits("Basic " + base64.b64encode(b"user:password").decode())
        assert not proxy.admits("Basic " + base64.b64encode(b"user:wrong").decode())


def test_dropped_connections_are_dropped_through_the_proxy(
    portal: IdentityCenter, proxy: ConnectProxy
) -> None:
    portal.inject("RegisterClient", Drop())
    connection = _tunnel(proxy, "oidc.us-east-1.amazonaws.com")
    connection.request("POST", "/client/register", b"{}")
    with pytest.raises((http.client.RemoteDisconnected, ssl.SSLEOFError)):
        connection.getresponse()
    connection.close()


def test_leaving_ends_open_tunnels(portal: IdentityCenter) -> None:
    portal.inject("RegisterClient", Hang())
    with ConnectProxy(portal.port) as proxy:
        connection = _tunnel(proxy, "oidc.us-east-1.amazonaws.com")
        connection.request("POST", "/client/register", b"{}")
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on who was faster
        connection.getresponse()
    connection.close()
