"""The token service: RegisterClient, StartDeviceAuthorization and CreateToken.

Every answer has the shape of the live service, nulls included; refusals are raised. No page is shown here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from credtray.demo.identity_center import canary
from credtray.demo.identity_center.authorizations import (
    AUTHORIZATION_CODE,
    DEVICE_CODE,
    GRANTS,
    REFRESH_TOKEN,
    DeviceAuthorization,
    RegisterClientRequest,
    Registration,
)
from credtray.demo.identity_center.exchange import Request, Response, json_response, oidc_refusal
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.tokens import Issue, SignIn


class StartDeviceAuthorizationRequest(msgspec.Struct, rename="camel", frozen=True):
    """The members of StartDeviceAuthorization."""

    client_id: str
    client_secret: str
    start_url: str


class CreateTokenRequest(msgspec.Struct, rename="camel", frozen=True):
    """The members of CreateToken for its three grants."""

    client_id: str
    client_secret: str
    grant_type: str
    device_code: str | None = None
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    refresh_token: str | None = None
    scope: list[str] | None = None


_T = TypeVar("_T", RegisterClientRequest, StartDeviceAuthorizationRequest, CreateTokenRequest)


def _decode(request: Request, shape: type[_T]) -> _T:
    try:
        return msgspec.json.decode(request.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec names the member, never its value.
        raise oidc_refusal("InvalidRequestException") from None


def register_client(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /client/register."""
    asked = _decode(request, RegisterClientRequest)
    if asked.issuer_url is not None and not instance.directory.knows_start_url(asked.issuer_url):
        raise oidc_refusal("InvalidRequestException")
    registration = instance.registrations.add(asked, now, instance.lifetimes.registration)
    instance.journal.record_scopes(registration.scopes)
    return json_response(
        200,
        {
            "authorizationEndpoint": None,
            "clientId": registration.client_id,
            "clientIdIssuedAt": int(now.timestamp()),
            "clientSecret": registration.client_secret,
            "clientSecretExpiresAt": int(registration.expires_at.timestamp()),
            "tokenEndpoint": None,
        },
    )


def start_device_authorization(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /device_authorization; the page named is on the host the client asked, or AWS's own for it."""
    asked = _decode(request, StartDeviceAuthorizationRequest)
    registration = instance.registrations.authenticate(asked.client_id, asked.client_secret, now)
    if not instance.directory.knows_start_url(asked.start_url):
        raise oidc_refusal("InvalidRequestException")
    if not registration.may_use(DEVICE_CODE):
        raise oidc_refusal("UnauthorizedClientException")
    lifetimes = instance.lifetimes
    device = DeviceAuthorization(
        flow=canary.opaque_id(),
        client_id=registration.client_id,
        client_name=registration.name,
        scopes=registration.scopes,
        device_code=canary.device_code(),
        user_code=canary.user_code(),
        expires_at=now + lifetimes.device_code,
        interval=lifetimes.interval,
    )
    instance.authorizations.add(device)
    page = _device_page(request.host)
    return json_response(
        200,
        {
            "deviceCode": device.device_code,
            "expiresIn": int(lifetimes.device_code.total_seconds()),
            "interval": int(lifetimes.interval.total_seconds()),
            "userCode": device.user_code,
            "verificationUri": page,
            "verificationUriComplete": f"{page}?user_code={device.user_code}",
        },
    )


def _device_page(host: str) -> str:
    if host.startswith("oidc."):
        region = host.split(".")[1]
        return f"https://device.sso.{region}.amazonaws.com/"
    return f"http://{host}/device"


def create_token(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /token for the grants authorization_code, device_code and refresh_token."""
    asked = _decode(request, CreateTokenRequest)
    registration = instance.registrations.authenticate(asked.client_id, asked.client_secret, now)
    if asked.grant_type not in GRANTS:
        raise oidc_refusal("UnsupportedGrantTypeException")
    if not registration.may_use(asked.grant_type):
        raise oidc_refusal("UnauthorizedClientException")
    if asked.grant_type == REFRESH_TOKEN:
        return _token_response(_refreshed(instance, asked, now))
    if asked.grant_type == AUTHORIZATION_CODE:
        sign_in, scopes = _by_code(instance, asked, now)
    else:
        sign_in, scopes = _by_device_code(instance, asked, now), registration.scopes
    return _token_response(_first_tokens(instance, registration, sign_in, scopes, now))


def _refreshed(instance: Instance, asked: CreateTokenRequest, now: datetime) -> Issue:
    if not asked.refresh_token:
        raise oidc_refusal("InvalidRequestException")
    life = instance.lifetimes.access_token
    return instance.tokens.refresh(asked.refresh_token, asked.client_id, now, life)


def _by_code(instance: Instance, asked: CreateTokenRequest, now: datetime) -> tuple[SignIn, tuple[str, ...]]:
    if not (asked.code and asked.redirect_uri and asked.code_verifier):
        raise oidc_refusal("InvalidRequestException")
    authorization = instance.authorizations.of_code(asked.code)
    if authorization is None or authorization.client_id != asked.client_id:
        raise oidc_refusal("InvalidGrantException")
    return authorization.redeem(asked.redirect_uri, asked.code_verifier, now), authorization.scopes


def _by_device_code(instance: Instance, asked: CreateTokenRequest, now: datetime) -> SignIn:
    if not asked.device_code:
        raise oidc_refusal("InvalidRequestException")
    device = instance.authorizations.of_device_code(asked.device_code)
    if device is None or device.client_id != asked.client_id:
        raise oidc_refusal("InvalidGrantException")
    return device.redeem(now)


def _first_tokens(
    instance: Instance,
    registration: Registration,
    sign_in: SignIn,
    scopes: tuple[str, ...],
    now: datetime,
) -> Issue:
    """Without scopes the client is a legacy one: no refresh token, one token for the whole sign-in."""
    if not scopes:
        return instance.tokens.issue(sign_in, now, None)
    life = instance.lifetimes.access_token
    if not registration.may_use(REFRESH_TOKEN):
        return instance.tokens.issue(sign_in, now, life)
    return instance.tokens.issue_refreshable(sign_in, registration.client_id, now, life)


def _token_response(issue: Issue) -> Response:
    """Answer like the live service, which sends members it has no value for as null."""
    return json_response(
        200,
        {
            "accessToken": issue.access_token,
            "aws_sso_app_session_id": None,
            "expiresIn": issue.expires_in,
            "idToken": None,
            "issuedTokenType": None,
            "originSessionId": None,
            "refreshToken": issue.refresh_token,
            "tokenType": "Bearer",
        },
        (("Cache-Control", "no-store"), ("Pragma", "no-cache")),
    )
