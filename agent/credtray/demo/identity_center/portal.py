"""The portal: ListAccounts, ListAccountRoles, GetRoleCredentials and Logout.

It asks the tokens who is calling and the directory what that person may do; it keeps nothing itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Any

from credtray.demo.identity_center.exchange import Request, Response, json_response, portal_refusal
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.tokens import AccessToken

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
