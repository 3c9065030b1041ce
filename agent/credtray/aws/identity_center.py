"""The sso-oidc and sso services of one sso-session, by botocore: implements ``ports.IdentityCenter``.

Must not decide when to call, keep a token, or open anything.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urljoin

from credtray.aws import service_call
from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.role_credentials import Pacer, TokenBucket
from credtray.aws.service_call import Reply, Request, ServiceRefused, attempt, call
from credtray.core import oauth
from credtray.core.addresses import StartUrlKind, check_resolved, region_in_host, shown, start_url_kind
from credtray.core.errors import CredtrayError, StartUrlRefused, TokenRefused, UnexpectedReply
from credtray.core.models import AccessToken, Account, ClientRegistration, Secret, SsoSession
from credtray.core.ports import Clock, DeviceAuthorization

# What the sso (portal) service tells about a sign-in: its accounts and roles; and how to end it.
#
# Must not fetch role credentials (see role_credentials), nor keep anything.


LISTS_PER_SECOND = 10.0
"""ListAccounts and ListAccountRoles together; the community reads the service's limit as 20 calls/s."""

_PAGE_SIZE = 100
_MOST_PAGES = 1000

Page = TypeVar("Page", service_call.ListAccounts, service_call.ListAccountRoles)


class Portal:
    """The List operations, paced, and Logout. Safe to use from several threads at once."""

    def __init__(
        self, clients: Clients, clock: Clock, jitter: Callable[[], float], rate: float = LISTS_PER_SECOND
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._pacer = Pacer(TokenBucket(rate, 1, clock), clock, jitter)

    def logout(self, session: SsoSession, token: AccessToken) -> None:
        """Logout: end the sign-in at the portal."""
        operation = self._clients.portal(session).logout
        call(Service.PORTAL, operation, {"accessToken": token.value}, dict, self._clock.now)

    def accounts(
        self, session: SsoSession, token: AccessToken, progress: Callable[[int], None]
    ) -> list[Account]:
        """Return all accounts; ``progress`` hears after each page how many there are so far."""
        operation = self._clients.portal(session).list_accounts
        found: list[Account] = []
        for page in self._pages(operation, {"accessToken": token.value}, service_call.ListAccounts):
            found += [
                Account(item.account_id, _printable(item.account_name), _printable(item.email_address))
                for item in page.account_list
            ]
            progress(len(found))
        return found

    def roles(self, session: SsoSession, token: AccessToken, account_id: str) -> list[str]:
        """Return the names of all roles in one account."""
        operation = self._clients.portal(session).list_account_roles
        arguments = {"accessToken": token.value, "accountId": account_id}
        found: list[str] = []
        for page in self._pages(operation, arguments, service_call.ListAccountRoles):
            if any(item.account_id not in {None, account_id} for item in page.role_list):
                raise UnexpectedReply("ListAccountRoles: it is about another account")
            found += [item.role_name for item in page.role_list]
        return found

    def _pages(
        self,
        operation: Callable[..., Mapping[str, object]],
        arguments: Mapping[str, object],
        shape: type[Page],
    ) -> Iterator[Page]:
        asked: dict[str, object] = {**arguments, "maxResults": _PAGE_SIZE}
        for _ in range(_MOST_PAGES):
            page = self._pacer.run(
                lambda: call(Service.PORTAL, operation, asked, shape, self._clock.now).value
            )
            yield page
            if not page.next_token or page.next_token == asked.get("nextToken"):
                return
            asked["nextToken"] = page.next_token
        raise UnexpectedReply("the list never ends")


def _printable(label: str | None) -> str | None:
    """Return the label without control and formatting characters, None when nothing is left."""
    return "".join(char for char in label or "" if char.isprintable()).strip() or None


# Follows a vanity start URL to the AWS access portal behind it, as AWS CLI 2.36 does.
#
# Must not follow more than one redirect, nor trust where it leads: core/addresses judges that.


_log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEAD_NOT_OFFERED = frozenset({405, 501})


def resolve_start_url(session: SsoSession, send: Callable[[Request], Reply]) -> tuple[str, str]:
    """Return (start URL to send, region); a host that is known to be a portal of AWS costs no request.

    An unknown host below a domain of AWS is looked up; where that leads to no portal, it is sent as it is:
    AWS knows its own names.

    Raises:
        StartUrlRefused: it is no https address, or does not lead to AWS in one step.
        Offline, CertificateRefused: the vanity host cannot be asked.
    """
    url = session.start_url
    kind = start_url_kind(url)
    if kind is StartUrlKind.AWS_OWNED:
        return url, session.region
    try:
        resolved = _followed(url, send)
    except CredtrayError as error:
        if kind is not StartUrlKind.OF_AWS:
            raise
        _log.warning("the start URL %s is not known here and tried as it is (%s)", shown(url), error)
        return url, session.region
    return resolved, region_in_host(resolved) or session.region


def _followed(url: str, send: Callable[[Request], Reply]) -> str:
    reply = send(_request("HEAD", url))
    if reply.status in _HEAD_NOT_OFFERED:
        reply = send(_request("GET", url))
    target = reply.headers.get("location", "")
    if reply.status not in _REDIRECTS or not target:
        raise StartUrlRefused(f"{shown(url)} does not lead to an AWS access portal (HTTP {reply.status})")
    return check_resolved(_joined(url, target), url)


def _request(method: str, url: str) -> Request:
    return Request(method, url.partition("#")[0], {"Accept": "*/*"})


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # such as an unclosed bracket
        return target


_UNUSUAL = re.compile(r"[^A-Za-z0-9_-]")
_DEFAULT_INTERVAL = timedelta(seconds=5)  # RFC 8628, section 3.2


class BotocoreIdentityCenter:
    """Safe to use from several threads at once."""

    def __init__(self, clients: Clients, clock: Clock, portal: Portal) -> None:
        self._clients = clients
        self._clock = clock
        self._portal = portal

    def register(self, session: SsoSession, start_url: str, grant: str) -> ClientRegistration:
        """RegisterClient, as AWS CLI 2.36 does it for either grant; legacy sessions ask for no scopes."""
        arguments: dict[str, object] = {"clientName": self._client_name(session), "clientType": "public"}
        scopes = session.scopes or (None if session.legacy else oauth.DEFAULT_SCOPES)
        if scopes:
            arguments["scopes"] = list(scopes)
        grants = None
        if grant == oauth.AUTHORIZATION_CODE:
            grants = (oauth.AUTHORIZATION_CODE, oauth.REFRESH_TOKEN)
            arguments["grantTypes"] = list(grants)
            arguments["redirectUris"] = [oauth.REGISTERED_REDIRECT_URI]
            arguments["issuerUrl"] = start_url
        operation = self._clients.oidc(session).register_client
        told = call(Service.SIGN_IN, operation, arguments, service_call.RegisterClient, self._clock.now).value
        return ClientRegistration(
            told.client_id,
            Secret(told.client_secret),
            datetime.fromtimestamp(min(told.client_secret_expires_at, service_call.LATEST_EPOCH), UTC),
            scopes,
            grants,
        )

    def authorize_endpoint(self, session: SsoSession) -> str:
        """Return the base address of ``/authorize``: where the client's own calls go."""
        return self._clients.oidc(session).meta.endpoint_url

    def exchange_code(
        self,
        session: SsoSession,
        client: ClientRegistration,
        code: Secret,
        redirect_uri: str,
        verifier: Secret,
    ) -> AccessToken:
        """CreateToken with an authorization code; the redirect URI carries the port.

        Raises:
            SignInDenied: the code or the verifier is not accepted.
            SignInTimedOut: the code has expired.
            RegistrationRefused: the client is not known (any more).
        """
        grant = {
            "grantType": oauth.AUTHORIZATION_CODE,
            "code": code,
            "redirectUri": redirect_uri,
            "codeVerifier": verifier,
        }
        return self._create_token(Service.SIGN_IN, session, client, grant)

    def start_device(
        self, session: SsoSession, client: ClientRegistration, start_url: str
    ) -> DeviceAuthorization:
        """StartDeviceAuthorization; the interval is five seconds where the answer names none."""
        asked = self._clock.now()
        arguments = {**_credentials(client), "startUrl": start_url}
        operation = self._clients.oidc(session).start_device_authorization
        told = call(
            Service.SIGN_IN, operation, arguments, service_call.StartDeviceAuthorization, self._clock.now
        ).value
        return DeviceAuthorization(
            Secret(told.device_code),
            told.user_code,
            told.verification_uri,
            told.verification_uri_complete,
            asked + timedelta(seconds=min(told.expires_in, service_call.LONGEST_DEVICE_LIFE)),
            timedelta(seconds=min(told.interval, service_call.LONGEST_INTERVAL)) or _DEFAULT_INTERVAL,
        )

    def poll_device(
        self, session: SsoSession, client: ClientRegistration, device_code: Secret
    ) -> AccessToken | timedelta | None:
        """CreateToken with a device code.

        Raises:
            SignInDenied: the person said no.
            SignInTimedOut: the device code has expired.
        """
        grant = {"grantType": oauth.DEVICE_CODE, "deviceCode": device_code}
        try:
            return self._attempt_token(Service.SIGN_IN, session, client, grant)
        except ServiceRefused as refused:
            if refused.refusal.code in oauth.DEVICE_WAITS:
                return oauth.DEVICE_WAITS[refused.refusal.code]
            raise refused.error from None

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        """CreateToken with the refresh token; a reply without one keeps the old one.

        Raises:
            TokenRefused: InvalidGrant or similar, or the token cannot be refreshed at all.
            RegistrationRefused: the client it was issued to is not known any more.
        """
        if token.refresh_token is None or token.registration is None:
            raise TokenRefused("this sign-in has no refresh token")
        grant = {"grantType": oauth.REFRESH_TOKEN, "refreshToken": token.refresh_token}
        fresh = self._create_token(Service.OIDC, session, token.registration, grant)
        kept = fresh.refresh_token or token.refresh_token
        return replace(fresh, refresh_token=kept)

    def logout(self, session: SsoSession, token: AccessToken) -> None:
        """Logout: end the sign-in at the portal."""
        self._portal.logout(session, token)

    def accounts(
        self, session: SsoSession, token: AccessToken, progress: Callable[[int], None]
    ) -> list[Account]:
        """ListAccounts, all pages; ``progress`` hears after each page how many there are so far."""
        return self._portal.accounts(session, token, progress)

    def roles(self, session: SsoSession, token: AccessToken, account_id: str) -> list[str]:
        """ListAccountRoles, all pages."""
        return self._portal.roles(session, token, account_id)

    def resolve_start_url(self, session: SsoSession) -> tuple[str, str]:
        """Return (start URL to send, region); see ``start_url``."""
        return resolve_start_url(
            session, lambda request: self._clients.transport(session.endpoints).send(request)
        )

    def _create_token(
        self, service: Service, session: SsoSession, client: ClientRegistration, grant: Mapping[str, object]
    ) -> AccessToken:
        try:
            return self._attempt_token(service, session, client, grant)
        except ServiceRefused as refused:
            raise refused.error from None

    def _attempt_token(
        self, service: Service, session: SsoSession, client: ClientRegistration, grant: Mapping[str, object]
    ) -> AccessToken:
        asked = self._clock.now()  # a life counted from the question is never longer than the service meant
        operation = self._clients.oidc(session).create_token
        arguments = {**_credentials(client), **grant}
        told = attempt(service, operation, arguments, service_call.CreateToken, self._clock.now).value
        return AccessToken(
            Secret(told.access_token),
            asked + timedelta(seconds=min(told.expires_in, service_call.LONGEST_TOKEN_LIFE)),
            Secret(told.refresh_token) if told.refresh_token else None,
            client,
            asked,
        )

    def _client_name(self, session: SsoSession) -> str:
        suffix = str(int(self._clock.now().timestamp())) if session.legacy else session.name
        return f"credtray-{_UNUSUAL.sub('-', suffix)[:60]}"


def _credentials(client: ClientRegistration) -> dict[str, object]:
    return {"clientId": client.client_id, "clientSecret": client.client_secret}
