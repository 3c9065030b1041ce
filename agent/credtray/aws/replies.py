"""The shapes of the services' answers, and the check each answer passes before botocore parses it.

Must not send anything. An answer is cut down to the fields named here; texts in errors never quote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta

from credtray.aws.wire import Reply
from credtray.core.errors import CaptivePortal, ProxyRefused, UnexpectedReply

LONGEST_TOKEN_LIFE = 90 * 24 * 3600
"""Seconds; sign-ins last 90 days at most (IAM Identity Center user guide, "session duration"). What claims to
last longer is taken and counted as this: a person went through the browser for it."""
LONGEST_KEY_LIFE = 36 * 3600
"""Seconds; STS knows none that live longer (``durationSecondsType``), and a permission set gives 12 h."""
LONGEST_DEVICE_LIFE = 24 * 3600
LONGEST_INTERVAL = 300
LATEST_EPOCH = 1 << 34
"""Seconds; beyond it no date is left. A later one is taken as this."""
_ANY_NUMBER = 1 << 53
"""The models of AWS name no greatest values; this is where JSON numbers end to be exact."""

Token = Annotated[str, Meta(pattern=r"^[!-~]+\Z", max_length=65536)]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/=._-]+\Z", max_length=65536)]
"""Only what can stand in a credentials file without any quoting."""
AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}\Z")]
RoleName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+=,.@/-]+\Z", max_length=128)]
Label = Annotated[str, Meta(max_length=512)]
Address = Annotated[str, Meta(pattern=r"^[!-~]+\Z", max_length=2048)]


class RegisterClient(msgspec.Struct, rename="camel", omit_defaults=True):
    """RegisterClient; the expiry is an epoch in seconds."""

    client_id: Token
    client_secret: Token
    client_secret_expires_at: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]


class StartDeviceAuthorization(msgspec.Struct, rename="camel", omit_defaults=True):
    """StartDeviceAuthorization; lifetimes in seconds."""

    device_code: Token
    user_code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z", max_length=64)]
    verification_uri: Address
    verification_uri_complete: Address
    expires_in: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]
    interval: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)] = 0


class CreateToken(msgspec.Struct, rename="camel", omit_defaults=True):
    """CreateToken, all three grants; the lifetime in seconds."""

    access_token: Token
    expires_in: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]
    refresh_token: Token | None = None


class AccountItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """One account; name and e-mail may be absent in live answers."""

    account_id: AccountId
    account_name: Label | None = None
    email_address: Label | None = None


class ListAccounts(msgspec.Struct, rename="camel", omit_defaults=True):
    """One page of ListAccounts."""

    account_list: list[AccountItem]
    next_token: Token | None = None


class RoleItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """One role of an account."""

    role_name: RoleName
    account_id: AccountId | None = None


class ListAccountRoles(msgspec.Struct, rename="camel", omit_defaults=True):
    """One page of ListAccountRoles."""

    role_list: list[RoleItem]
    next_token: Token | None = None


class RoleKeys(msgspec.Struct, rename="camel"):
    """Role credentials; the expiration is an epoch in milliseconds."""

    access_key_id: Key
    secret_access_key: Key
    session_token: Key
    expiration: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]


class GetRoleCredentials(msgspec.Struct, rename="camel"):
    """GetRoleCredentials."""

    role_credentials: RoleKeys


class _Nothing(msgspec.Struct):
    """Logout answers an empty body; whatever comes is dropped."""


class _Refusal(msgspec.Struct, omit_defaults=True):
    """An error of the token service (``error``) or of the portal (``__type``, ``message``)."""

    error: str | None = None
    error_description: str | None = None
    message: str | None = None
    type: str | None = msgspec.field(name="__type", default=None)


_SHAPES: Mapping[str, type[msgspec.Struct]] = MappingProxyType(
    {
        "RegisterClient": RegisterClient,
        "StartDeviceAuthorization": StartDeviceAuthorization,
        "CreateToken": CreateToken,
        "ListAccounts": ListAccounts,
        "ListAccountRoles": ListAccountRoles,
        "GetRoleCredentials": GetRoleCredentials,
        "Logout": _Nothing,
    }
)
"""By operation; STS is absent, it answers XML, which is checked after parsing."""


def approved(operation: str, reply: Reply) -> bytes:
    """Return the body botocore may parse: the known fields and nothing else.

    botocore 1.44 raises nothing for a 200 that is not JSON and accepts any types, hence this check.

    Raises:
        CaptivePortal: a web page or a redirect, which no service sends.
        ProxyRefused: the proxy asks for a sign-in of its own.
        UnexpectedReply: a success that has not the shape of this operation, or anything compressed: it was
            not asked to be, and unpacking it could fill the memory.
    """
    _refuse_strangers(reply)
    if reply.headers.get("content-encoding", "").lower() not in {"", "identity"}:
        raise UnexpectedReply(f"{operation}: compressed, which credtray did not ask for")
    shape = _SHAPES.get(operation)
    if shape is None:
        return reply.body
    if reply.status >= 300:  # noqa: PLR2004 - where HTTP success ends; 3xx was refused above
        return _refusal(reply.body)
    body = b"{}" if shape is _Nothing else reply.body
    try:
        return msgspec.json.encode(msgspec.json.decode(body, type=shape))
    except msgspec.ValidationError as error:
        raise UnexpectedReply(f"{operation}: {error}") from None
    except (ValueError, RecursionError):
        raise UnexpectedReply(f"{operation}: not JSON, or cut off") from None


def _refuse_strangers(reply: Reply) -> None:
    status = reply.status
    if 300 <= status < 400 or status == 511:  # noqa: PLR2004 - redirects; Network Authentication Required
        raise CaptivePortal(f"it answered HTTP {status}{_by(reply)}")
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        named = reply.proxy or "it"
        raise ProxyRefused(f"{named} asks for a user name and password, or does not accept these (HTTP 407)")
    if reply.is_web_page and (status < 500 and status != 429):  # noqa: PLR2004 - AWS's front ends may fail in HTML
        raise CaptivePortal(f"it answered HTTP {status} with a web page{_by(reply)}")


def _by(reply: Reply) -> str:
    return "" if reply.proxy is None else f", through {reply.proxy}"


def _refusal(body: bytes) -> bytes:
    try:
        found = msgspec.json.decode(body, type=_Refusal)
    except (ValueError, RecursionError):
        return b"{}"
    if found.error and not found.type:
        # Only for a service that forgets the x-amzn-ErrorType header, which botocore prefers.
        found.type = "".join(part.capitalize() for part in found.error.split("_")) + "Exception"
    if found.error_description and not found.message:
        found.message = found.error_description
    return msgspec.json.encode(found)
