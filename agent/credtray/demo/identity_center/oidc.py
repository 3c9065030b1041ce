"""The token service: RegisterClient, StartDeviceAuthorization and CreateToken.

Every answer has the shape of the live service, nulls included; refusals are raised. No page is shown here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from credtray.demo.identity_center import exchange
from credtray.demo.identity_center.authorizations import (
    AUTHORIZATION_CODE,
    DEVICE_CODE,
    GRANTS,
    REFRESH_TOKEN,
    DeviceAuthorization,
    RegisterClientRequest,
    Registration,
)
from credtray.demo.identity_center.exchange import (
    Request,
    Response,
    json_response,
    oidc_refusal,
    portal_refusal,
)
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.tokens import AccessToken, Issue, SignIn


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
# Made here, before any thread: two threads that use a type of msgspec first at the same time end the process.
_REGISTRATION = msgspec.json.Decoder(RegisterClientRequest)
_DEVICE = msgspec.json.Decoder(StartDeviceAuthorizationRequest)
_TOKEN = msgspec.json.Decoder(CreateTokenRequest)


def _decode(request: Request, decoder: msgspec.json.Decoder[_T]) -> _T:
    try:
        return decoder.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec names the member, never its value.
        raise oidc_refusal("InvalidRequestException") from None


def _check_region(instance: Instance, request: Request) -> None:
    """Refuse a token service of a region that the instance was not extended to.

    AWS documents the error for CreateTokenWithIAM only; what it answers elsewhere is not known.
    """
    regions, host = instance.directory.regions, request.host
    if regions and host.startswith("oidc.") and host.split(".")[1] not in regions:
        raise oidc_refusal("InvalidRequestRegionException", f"Use {regions[0]}")


def register_client(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /client/register."""
    asked = _decode(request, _REGISTRATION)
    if asked.issuer_url is not None:
        _check_region(instance, request)
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
    asked = _decode(request, _DEVICE)
    _check_region(instance, request)
    registration = instance.registrations.authenticate(asked.client_id, asked.client_secret, now)
    if not instance.directory.knows_start_url(asked.start_url):
        raise oidc_refusal("InvalidRequestException")
    if not registration.may_use(DEVICE_CODE):
        raise oidc_refusal("UnauthorizedClientException")
    lifetimes = instance.lifetimes
    device = DeviceAuthorization(
        flow=exchange.opaque_id(),
        client_id=registration.client_id,
        client_name=registration.name,
        scopes=registration.scopes,
        device_code=exchange.device_code(),
        user_code=exchange.user_code(),
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
        _, region, services = host.split(".", 2)
        services = "amazonaws.com" if services == "api.aws" else services  # the page has no dual-stack name
        return f"https://device.sso.{region}.{services}/"
    return f"http://{host}/device"


def create_token(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /token for the grants authorization_code, device_code and refresh_token."""
    asked = _decode(request, _TOKEN)
    _check_region(instance, request)
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


# The portal: ListAccounts, ListAccountRoles, GetRoleCredentials and Logout.
#
# It asks the tokens who is calling and the directory what that person may do; it keeps nothing itself.


BEARER = "x-amz-sso_bearer_token"
_MOST = 100
_USUAL = 20


def _caller(instance: Instance, request: Request, now: datetime) -> AccessToken:
    return instance.tokens.bearer(request.headers.get(BEARER, ""), now)


def _page(request: Request, items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str | None]:
    """Cut one page out of *items* as max_result and next_token ask; return it and the next token."""
    query = request.query
    try:
        size = int(query.get("max_result", _USUAL))
        start = int(base64.urlsafe_b64decode(query.get("next_token", "") or "MA==").decode("ascii"))
    except (ValueError, binascii.Error):
        raise portal_refusal("InvalidRequestException") from None
    if not (1 <= size <= _MOST and 0 <= start <= len(items)):
        raise portal_refusal("InvalidRequestException")
    end = start + size
    token = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return items[start:end], token


def list_accounts(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /assignment/accounts; a missing name or e-mail address is absent, not null."""
    _caller(instance, request, now)
    items: list[dict[str, Any]] = []
    for account in instance.directory.accounts.values():
        item = {"accountId": account.account_id}
        if account.name is not None:
            item["accountName"] = account.name
        if account.email is not None:
            item["emailAddress"] = account.email
        items.append(item)
    page, token = _page(request, items)
    return json_response(200, {"accountList": page, "nextToken": token})


def list_account_roles(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /assignment/roles for one account."""
    _caller(instance, request, now)
    account_id = request.query.get("account_id", "")
    if not account_id:
        raise portal_refusal("InvalidRequestException")
    account = instance.directory.accounts.get(account_id)
    if account is None:
        raise portal_refusal("ForbiddenException")
    items = [{"accountId": account_id, "roleName": name} for name in account.roles]
    page, token = _page(request, items)
    return json_response(200, {"nextToken": token, "roleList": page})


def get_role_credentials(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /federation/credentials; ``expiration`` is in epoch milliseconds."""
    caller = _caller(instance, request, now)
    account_id = request.query.get("account_id", "")
    role_name = request.query.get("role_name", "")
    if not (account_id and role_name):
        raise portal_refusal("InvalidRequestException")
    role = instance.directory.role(account_id, role_name)
    if role is None:
        raise portal_refusal("ForbiddenException")
    expires_at = now + (role.life or instance.lifetimes.role_credentials)
    session = instance.role_sessions.issue(
        account_id, reserved_role(account_id, role_name), caller.sign_in.user, expires_at
    )
    return json_response(
        200,
        {
            "roleCredentials": {
                "accessKeyId": session.access_key_id,
                "expiration": int(expires_at.timestamp()) * 1000,
                "secretAccessKey": session.secret_access_key,
                "sessionToken": session.session_token,
            }
        },
    )


def reserved_role(account_id: str, role_name: str) -> str:
    """Return the IAM role's name that Identity Center makes for a permission set."""
    suffix = hashlib.sha256(f"{account_id}/{role_name}".encode()).hexdigest()[:16]
    return f"AWSReservedSSO_{role_name}_{suffix}"


def logout(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /logout: end the sign-in behind the token, and with it all its tokens."""
    _caller(instance, request, now).sign_in.ended = True
    return Response(200)
