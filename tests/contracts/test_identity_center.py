"""What every IdentityCenter keeps to: the stand-in of the unit tests, and botocore against the portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Protocol

import pytest

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.core import oauth
from credtray.core.errors import (
    PortalUnauthorized,
    RegistrationRefused,
    SignInDenied,
    SignInTimedOut,
    TokenRefused,
)
from credtray.core.models import AccessToken, ClientRegistration, Endpoints, Secret, SsoSession
from credtray.core.ports import DeviceAuthorization, IdentityCenter
from credtray.demo.identity_center import IdentityCenter as EmbeddedPortal
from credtray.demo.identity_center import Rotation
from tests.demo.program import Browser, answer_of
from tests.fakes_identity_center import CORP, FakeClock, FakeIdentityCenter
from tests.portal import ask

PAIR = oauth.pkce_pair(bytes(range(48)))
STATE = oauth.new_state(bytes(range(32)))
REDIRECT = "http://127.0.0.1:49321/oauth/callback"
LEGACY = replace(CORP, name=CORP.start_url, legacy=True)


class World(Protocol):
    """An implementation and what a person or an administrator does around it."""

    center: IdentityCenter
    clock: FakeClock

    def session(self, of: SsoSession) -> SsoSession: ...
    def visit(self, url: str) -> dict[str, str]: ...
    def confirm(self, device: DeviceAuthorization, *, allow: bool) -> None: ...
    def revoke(self) -> None: ...
    def forget_registrations(self) -> None: ...


class StandIn:
    """The unit tests' service."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeIdentityCenter(self.clock)
        self.center: IdentityCenter = self.fake

    def session(self, of: SsoSession) -> SsoSession:
        return of

    def visit(self, url: str) -> dict[str, str]:
        return self.fake.visit(url)

    def confirm(self, device: DeviceAuthorization, *, allow: bool) -> None:
        self.fake.confirm_device(device.user_code, allow=allow)

    def revoke(self) -> None:
        self.fake.revoke()

    def forget_registrations(self) -> None:
        self.fake.forget_registrations()


@cache
def _clients() -> Clients:
    return Clients()  # botocore reads its models once; each portal has clients of its own


class Real:
    """botocore, our door around it, and a real HTTP service."""

    def __init__(self, portal: EmbeddedPortal, clock: FakeClock) -> None:
        self.clock = clock
        self.portal = portal
        clients = _clients()
        self.center: IdentityCenter = BotocoreIdentityCenter(
            clients, clock, Portal(clients, clock, lambda: 0.5)
        )

    def session(self, of: SsoSession) -> SsoSession:
        return replace(of, endpoints=Endpoints(self.portal.url, self.portal.url, self.portal.url))

    def visit(self, url: str) -> dict[str, str]:
        self.portal.auto_approve()
        return answer_of(ask(url))

    def confirm(self, device: DeviceAuthorization, *, allow: bool) -> None:
        browser = Browser(self.portal.url)
        browser.open(device.verification_uri_complete)
        browser.sign_in()
        browser.submit(decision="allow" if allow else "deny")

    def revoke(self) -> None:
        self.portal.revoke_sign_ins()

    def forget_registrations(self) -> None:
        self.portal.forget_registrations()


@pytest.fixture(params=["stand-in", "real"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "stand-in":
        yield StandIn()
        return
    clock = FakeClock()
    with EmbeddedPortal(clock=clock.now) as portal:
        yield Real(portal, clock)


@dataclass
class Subject:
    """A world with the short cuts the tests share."""

    world: World

    def __post_init__(self) -> None:
        self.center = self.world.center
        self.session = self.world.session(CORP)

    def client(self, grant: str = oauth.AUTHORIZATION_CODE) -> ClientRegistration:
        return self.center.register(self.session, CORP.start_url, grant)

    def code(self, client: ClientRegistration) -> Secret:
        asked = oauth.AuthorizeRequest(
            client.client_id, REDIRECT, STATE, PAIR.challenge, ("sso:account:access",)
        )
        answer = self.world.visit(asked.url(self.center.authorize_endpoint(self.session)))
        assert answer["state"] == STATE.reveal()
        return Secret(answer["code"])

    def signed_in(self) -> AccessToken:
        client = self.client()
        return self.center.exchange_code(self.session, client, self.code(client), REDIRECT, PAIR.verifier)

    def device(self, session: SsoSession | None = None) -> tuple[ClientRegistration, DeviceAuthorization]:
        there = session or self.session
        client = self.center.register(there, CORP.start_url, oauth.DEVICE_CODE)
        return client, self.center.start_device(there, client, CORP.start_url)


@pytest.fixture
def subject(world: World) -> Subject:
    return Subject(world)


def test_registration_for_the_browser_remembers_its_grants_and_scopes(subject: Subject) -> None:
    client = subject.client()

    assert client.grant_types == (oauth.AUTHORIZATION_CODE, oauth.REFRESH_TOKEN)
    assert client.scopes == oauth.DEFAULT_SCOPES
    assert timedelta(days=89) < client.expires_at - subject.world.clock.now() < timedelta(days=91)


def test_registration_for_devices_has_no_grants_and_for_legacy_no_scopes(subject: Subject) -> None:
    legacy = subject.center.register(subject.world.session(LEGACY), CORP.start_url, oauth.DEVICE_CODE)

    assert subject.client(oauth.DEVICE_CODE).grant_types is None
    assert (legacy.grant_types, legacy.scopes) == (None, None)


def test_code_is_exchanged_for_a_token_that_can_be_refreshed(subject: Subject) -> None:
    token = subject.signed_in()

    assert token.refreshable
    assert subject.world.clock.now() + timedelta(hours=1) == token.expires_at
    assert subject.world.clock.now() == token.issued_at


def test_code_is_good_once(subject: Subject) -> None:
    client = subject.client()
    code = subject.code(client)
    subject.center.exchange_code(subject.session, client, code, REDIRECT, PAIR.verifier)
    with pytest.raises(SignInDenied):
        subject.center.exchange_code(subject.session, client, code, REDIRECT, PAIR.verifier)


def test_code_of_another_verifier_is_denied(subject: Subject) -> None:
    client = subject.client()
    code = subject.code(client)
    other = oauth.pkce_pair(bytes(48)).verifier
    with pytest.raises(SignInDenied):
        subject.center.exchange_code(subject.session, client, code, REDIRECT, other)


def test_unknown_client_is_a_refused_registration(subject: Subject) -> None:
    client = subject.client()
    code = subject.code(client)
    subject.world.forget_registrations()
    with pytest.raises(RegistrationRefused):
        subject.center.exchange_code(subject.session, client, code, REDIRECT, PAIR.verifier)


def test_refresh_gives_a_new_token_with_the_same_client(subject: Subject) -> None:
    token = subject.signed_in()
    fresh = subject.center.refresh(subject.session, token)

    assert fresh.value != token.value
    assert fresh.refreshable
    assert fresh.registration == token.registration


def test_used_refresh_token_is_refused_where_tokens_rotate(subject: Subject) -> None:
    if isinstance(subject.world, Real):
        subject.world.portal.set_rotation(Rotation.STRICT)
    token = subject.signed_in()
    subject.center.refresh(subject.session, token)
    with pytest.raises(TokenRefused):
        subject.center.refresh(subject.session, token)


def test_refresh_after_the_sign_in_ended_is_refused(subject: Subject) -> None:
    token = subject.signed_in()
    subject.world.revoke()
    with pytest.raises(TokenRefused):
        subject.center.refresh(subject.session, token)


def test_refresh_by_a_forgotten_client_is_a_refused_registration(subject: Subject) -> None:
    token = subject.signed_in()
    subject.world.forget_registrations()
    with pytest.raises(RegistrationRefused):
        subject.center.refresh(subject.session, token)


def test_token_without_refresh_token_cannot_be_refreshed(subject: Subject) -> None:
    token = replace(subject.signed_in(), refresh_token=None)
    with pytest.raises(TokenRefused):
        subject.center.refresh(subject.session, token)


def test_logout_ends_token_and_sign_in(subject: Subject) -> None:
    token = subject.signed_in()
    subject.center.logout(subject.session, token)
    with pytest.raises(PortalUnauthorized):
        subject.center.accounts(subject.session, token, lambda _count: None)
    with pytest.raises(TokenRefused):
        subject.center.refresh(subject.session, token)


def test_accounts_and_roles_are_listed(subject: Subject) -> None:
    token = subject.signed_in()
    counted: list[int] = []
    accounts = subject.center.accounts(subject.session, token, counted.append)

    assert (accounts[0].account_id, accounts[0].name) == ("111100000001", "Synderys Platform")
    assert counted[-1] == len(accounts)
    assert subject.center.roles(subject.session, token, "111100000001") == ["ReadOnly", "Admin"]


def test_expired_token_is_unauthorized(subject: Subject) -> None:
    token = subject.signed_in()
    subject.world.clock.time += timedelta(hours=1, minutes=1)
    with pytest.raises(PortalUnauthorized):
        subject.center.roles(subject.session, token, "111100000001")


def test_device_code_is_pending_then_a_token(subject: Subject) -> None:
    client, device = subject.device()

    assert device.interval == timedelta(seconds=5)
    assert subject.center.poll_device(subject.session, client, device.device_code) is None
    subject.world.confirm(device, allow=True)
    subject.world.clock.time += timedelta(seconds=6)
    token = subject.center.poll_device(subject.session, client, device.device_code)

    assert isinstance(token, AccessToken)
    assert token.refreshable


def test_device_code_denied_is_a_denial(subject: Subject) -> None:
    client, device = subject.device()
    subject.world.confirm(device, allow=False)
    with pytest.raises(SignInDenied):
        subject.center.poll_device(subject.session, client, device.device_code)


def test_expired_device_code_is_a_time_out(subject: Subject) -> None:
    client, device = subject.device()
    subject.world.clock.time = device.expires_at + timedelta(seconds=1)
    with pytest.raises(SignInTimedOut):
        subject.center.poll_device(subject.session, client, device.device_code)


def test_legacy_session_gets_a_token_that_cannot_be_refreshed(subject: Subject) -> None:
    session = subject.world.session(LEGACY)
    client, device = subject.device(session)
    subject.world.confirm(device, allow=True)
    token = subject.center.poll_device(session, client, device.device_code)

    assert isinstance(token, AccessToken)
    assert token.refresh_token is None


def test_device_codes_of_unknown_clients_are_refused_registrations(subject: Subject) -> None:
    client = subject.client(oauth.DEVICE_CODE)
    subject.world.forget_registrations()
    with pytest.raises(RegistrationRefused):
        subject.center.start_device(subject.session, client, CORP.start_url)


def test_start_url_of_aws_stays_as_it_is(subject: Subject) -> None:
    assert (CORP.start_url, "us-east-1") == subject.center.resolve_start_url(subject.session)
