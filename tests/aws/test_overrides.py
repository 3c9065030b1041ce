"""An address that somebody set in place of AWS's: what goes wrong there is never told as AWS's trouble."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from credtray.aws.clients import Clients
from credtray.core.config.sso import parse_config
from credtray.core.errors import (
    CaptivePortal,
    CredtrayError,
    NetworkSettingRefused,
    Offline,
    PortalFailed,
    RequestRefused,
    RoleRefused,
    UnexpectedReply,
)
from credtray.core.models import AccessToken, Sources
from credtray.demo.identity_center import faults
from credtray.doctor import online
from credtray.doctor.rules_of_sign_in import kind_of
from tests.aws.service_world import SHORT, Service, service
from tests.fakes_identity_center import FakeClock

HOME_S = b"""[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile p1]
sso_session = corp
sso_account_id = 111100000000
sso_role_name = Admin
region = us-east-1
"""


@pytest.fixture
def there() -> Iterator[Service]:
    with service() as world:
        named = Sources(*["AWS_ENDPOINT_URL"] * 3)
        yield replace(
            world, session=replace(world.session, endpoints=replace(world.session.endpoints, sources=named))
        )


@pytest.fixture
def token(there: Service) -> AccessToken:
    return there.sign_in()


PAGE = "<html><body>Not Implemented</body></html>"


@pytest.mark.met("F11")
@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (faults.Status(501, PAGE), PortalFailed, "HTTP 501"),
        (faults.Status(501, "", "text/plain"), PortalFailed, "HTTP 501"),
        (faults.Status(502, PAGE), PortalFailed, "HTTP 502"),
        (faults.Status(404, "", "text/plain"), RoleRefused, "HTTP 404"),
        (faults.Status(405, "no", "text/plain"), RequestRefused, "HTTP 405"),
        (faults.Status(401, "", "text/plain"), CredtrayError, "HTTP 401"),
        (faults.Status(200, PAGE), CaptivePortal, "with a web page"),
        (faults.Status(302, "", location="/login"), CaptivePortal, "HTTP 302"),
        (faults.Body("{}"), UnexpectedReply, "GetRoleCredentials"),
        (faults.Drop(), Offline, "broke"),
    ],
)
def test_bad_answer_of_an_override_names_host_and_variable(
    there: Service, token: AccessToken, fault: faults.Fault, kind: type[CredtrayError], reason: str
) -> None:
    there.portal.inject("GetRoleCredentials", fault, times=1)
    with pytest.raises(kind) as caught:
        there.fetch(token)

    host = f"127.0.0.1:{there.portal.port}"
    assert f"({host}, which AWS_ENDPOINT_URL names in place of AWS)" in caught.value.detail
    assert reason in caught.value.detail
    assert caught.value.advice == f"Check what answers at {host}, or remove AWS_ENDPOINT_URL."


@pytest.mark.met("F11")
@pytest.mark.parametrize(
    "address",
    [
        "ftp://x",
        "localhost:4566",
        "https://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://[::1",
        "unix:///run/x",
        "http:/x",
    ],
)
def test_an_override_that_is_no_web_address_is_named_with_its_variable(
    there: Service, token: AccessToken, address: str
) -> None:
    endpoints = replace(there.session.endpoints, portal=address)
    with pytest.raises(NetworkSettingRefused) as caught:
        replace(there, session=replace(there.session, endpoints=endpoints)).fetch(token)

    assert caught.value.detail == f'AWS_ENDPOINT_URL is not an address: "{address}"'
    assert caught.value.advice == "Write it as https://HOST, or remove AWS_ENDPOINT_URL."


@pytest.mark.met("F14")
def test_a_dead_proxy_before_an_override_is_the_proxys_fault(
    there: Service, token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    endpoints = replace(there.session.endpoints, portal="https://portal.test")
    with pytest.raises(Offline) as caught:
        replace(there, session=replace(there.session, endpoints=endpoints)).fetch(token)

    assert (
        caught.value.detail
        == "the proxy http://127.0.0.1:1 (HTTPS_PROXY) cannot be used: it refuses the connection"
    )
    assert caught.value.advice == "Check HTTPS_PROXY, the network and the VPN."


def test_refusal_in_the_services_own_words_needs_no_address(there: Service, token: AccessToken) -> None:
    there.portal.remove_role("111100000001", "Admin")
    with pytest.raises(RoleRefused, match=r"No access$"):
        there.fetch(token)


@pytest.mark.met("F11")
@pytest.mark.parametrize(
    ("environ", "config", "expected"),
    [
        ({"AWS_ENDPOINT_URL": "http://localhost:1"}, b"", "AWS_ENDPOINT_URL"),
        (
            {"AWS_ENDPOINT_URL": "http://x:1", "AWS_ENDPOINT_URL_SSO_OIDC": "http://localhost:1"},
            b"",
            "AWS_ENDPOINT_URL_SSO_OIDC",
        ),
        ({}, b"endpoint_url = http://localhost:1\n", "endpoint_url in [profile p1]"),
        (
            {},
            b"services = lab\n[services lab]\nsso_oidc =\n  endpoint_url = http://localhost:1\n",
            "endpoint_url of sso_oidc in [services lab]",
        ),
    ],
)
def test_what_named_an_override_is_told_wherever_it_stands(
    environ: dict[str, str], config: bytes, expected: str
) -> None:
    session = parse_config(HOME_S + config, environ).sessions["corp"]

    assert (session.endpoints.oidc, session.endpoints.sources.oidc) == ("http://localhost:1", expected)


@pytest.mark.met("F11")
def test_ignored_overrides_are_no_sources() -> None:
    environ = {"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    session = parse_config(HOME_S, environ).sessions["corp"]

    assert (session.endpoints.oidc, session.endpoints.sources) == (None, Sources())


# --- doctor ------------------------------------------------------------------------------------------------


@pytest.mark.met("F11")
def test_online_check_says_which_host_was_reached(there: Service) -> None:
    [sight] = {sight.host: sight for sight in online.endpoints({"corp": there.session}, FakeClock())}.values()

    assert sight.host == f"127.0.0.1:{there.portal.port}"
    assert (sight.trouble, sight.override) == (None, "AWS_ENDPOINT_URL")


class NotAws(BaseHTTPRequestHandler):
    """Whatever else listens on a port."""

    def do_GET(self) -> None:
        self.send_error(501)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.met("F11")
@pytest.mark.parametrize("answering", [True, False])
def test_online_check_takes_no_override_that_fails_for_aws(there: Service, *, answering: bool) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), NotAws) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port if answering else 9}"
        elsewhere = replace(there.session.endpoints, oidc=url, portal=url)
        sights = online.endpoints({"corp": replace(there.session, endpoints=elsewhere)}, FakeClock())
        server.shutdown()
        thread.join()

    [trouble] = {sight.trouble for sight in sights if sight.trouble is not None}
    assert f"{url.removeprefix('http://')}, which AWS_ENDPOINT_URL names in place of AWS" in trouble.text
    assert kind_of(trouble).code == "endpoint_override_failed"


def test_clients_of_the_same_address_named_elsewhere_tell_their_own_source(there: Service) -> None:
    clients = Clients(SHORT)
    for source in ("AWS_ENDPOINT_URL", "endpoint_url in [profile p1]"):
        dead = replace(there.session.endpoints, oidc="http://127.0.0.1:9", sources=Sources(oidc=source))
        with pytest.raises(Offline) as caught:
            replace(there, clients=clients, session=replace(there.session, endpoints=dead)).sign_in()

        assert source in caught.value.detail
