"""The sso-oidc and sso services of one sso-session, by botocore: implements ``ports.IdentityCenter``.

Must not decide when to call, keep a token, or open anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from credtray.aws import replies
from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.portal import Portal
from credtray.aws.service_call import ServiceRefused, attempt, call
from credtray.aws.start_url import resolve_start_url
from credtray.core import oauth
from credtray.core.errors import TokenRefused
from credtray.core.models import AccessToken, Account, ClientRegistration, SsoSession
from credtray.core.ports import Clock, DeviceAuthorization
from credtray.core.secret import Secret

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
        told = call(Service.SIGN_IN, operation, arguments, replies.RegisterClient, self._clock.now).value
        return ClientRegistration(
            told.client_id,
            Secret(told.client_secret),
            datetime.fromtimestamp(min(told.client_secret_expires_at, replies.LATEST_EPOCH), UTC),
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
            Service.SIGN_IN, operation, arguments, replies.StartDeviceAuthorization, self._clock.now
        ).value
        return DeviceAuthorization(
            Secret(told.device_code),
            told.user_code,
            told.verification_uri,
            told.verification_uri_complete,
            asked + timedelta(seconds=min(told.expires_in, replies.LONGEST_DEVICE_LIFE)),
            timedelta(seconds=min(told.interval, replies.LONGEST_INTERVAL)) or _DEFAULT_INTERVAL,
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
        told = attempt(service, operation, arguments, replies.CreateToken, self._clock.now).value
        return AccessToken(
            Secret(told.access_token),
            asked + timedelta(seconds=min(told.expires_in, replies.LONGEST_TOKEN_LIFE)),
            Secret(told.refresh_token) if told.refresh_token else None,
            client,
            asked,
        )

    def _client_name(self, session: SsoSession) -> str:
        suffix = str(int(self._clock.now().timestamp())) if session.legacy else session.name
        return f"credtray-{_UNUSUAL.sub('-', suffix)[:60]}"


def _credentials(client: ClientRegistration) -> dict[str, object]:
    return {"clientId": client.client_id, "clientSecret": client.client_secret}
