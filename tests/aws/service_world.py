"""The real clients on the embedded portal, signed in, with short time limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.aws.service_call import Limits
from credtray.core import oauth
from credtray.core.models import AccessToken, Endpoints, Profile, RoleCredentials, Secret, SsoSession
from credtray.core.ports import Issued
from credtray.demo.identity_center import IdentityCenter
from tests.demo.program import answer_of
from tests.fakes_identity_center import CORP, FakeClock
from tests.portal import ask

PATIENT = Limits(connect=60, read=120, total=240)
"""For faults that show at once, however busy the machine that runs the tests is."""
SHORT = Limits(connect=0.5, read=0.3, total=0.8)
"""For faults that are a silence."""
ADMIN = Profile("admin", "corp", "111100000001", "Admin")


@dataclass
class Service:
    """Both halves of the client, and the portal they talk to."""

    portal: IdentityCenter
    clock: FakeClock
    session: SsoSession
    clients: Clients

    def __post_init__(self) -> None:
        self.center = BotocoreIdentityCenter(
            self.clients, self.clock, Portal(self.clients, self.clock, lambda: 0.0)
        )
        self.source = BotocoreRoleCredentials(self.clients, self.clock)

    def sign_in(self) -> AccessToken:
        client = self.center.register(self.session, CORP.start_url, oauth.AUTHORIZATION_CODE)
        pair = oauth.pkce_pair(bytes(range(48)))
        redirect = "http://127.0.0.1:49321/oauth/callback"
        asked = oauth.AuthorizeRequest(
            client.client_id, redirect, oauth.new_state(bytes(32)), pair.challenge, oauth.DEFAULT_SCOPES
        )
        code = answer_of(ask(asked.url(self.portal.url)))["code"]
        return self.center.exchange_code(self.session, client, Secret(code), redirect, pair.verifier)

    def fetch(self, token: AccessToken, profile: Profile = ADMIN) -> Issued[RoleCredentials]:
        there = replace(profile, endpoints=self.session.endpoints)
        return self.source.fetch(self.session, token, there, self.clock.now)


@cache
def _clients(limits: Limits) -> Clients:
    """Let botocore read its models once for all tests; each portal's port gets clients of its own."""
    return Clients(limits)


@contextmanager
def service(limits: Limits = PATIENT, clients: Clients | None = None) -> Iterator[Service]:
    """Run a portal in the time of a clock moved by hand; anybody signs in by themselves."""
    clock = FakeClock()
    with IdentityCenter(clock=clock.now) as portal:
        portal.auto_approve()
        endpoints = Endpoints(portal.url, portal.url, portal.url)
        yield Service(portal, clock, replace(CORP, endpoints=endpoints), clients or _clients(limits))
