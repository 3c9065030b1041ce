"""The JSON of the token cache, byte for byte as AWS CLI 2.36 and botocore 1.44 write it.

Touches no file. Fields it does not know survive a rewrite; no secret appears in an error.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from credtray.core.addresses import same_portal_address, shown
from credtray.core.errors import TokenMismatch, TokenUnreadable
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.core.oauth import AUTHORIZATION_CODE
from credtray.core.words import read_date

Fields = Mapping[str, Any]


def token_key(session: SsoSession) -> str:
    """Return the sha1 that names the token file.

    Of the session's name, or of the start URL exactly as written for legacy profiles (botocore 1.44 utils.py
    ``SSOTokenLoader``).
    """
    return _sha1(session.start_url if session.legacy else session.name)


def registration_key(session: SsoSession) -> str:
    """Return the sha1 that names the file of the client registration (AWS CLI 2.36 botocore/utils.py)."""
    arguments = {
        "tool": "botocore",
        "startUrl": session.start_url,
        "region": session.region,
        "scopes": None if session.scopes is None else list(session.scopes),
        "session_name": None if session.legacy else session.name,
    }
    return _sha1(json.dumps(arguments, sort_keys=True))


def read_fields(data: bytes) -> Fields:
    """Return the JSON object of a cache file.

    Raises:
        ValueError: torn, empty or not a JSON object.
    """
    try:
        fields = json.loads(data.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one class for everything a cache file can be
    return fields


def read_token(data: bytes, session: SsoSession) -> AccessToken:
    """Read a token file.

    ``refreshToken`` and the registration may be missing; then the token cannot be refreshed.

    Raises:
        TokenUnreadable: torn, empty, garbage, or without a usable access token and date.
        TokenMismatch: a token of another start URL or region than the session's.
    """
    try:
        fields = read_fields(data)
        token = AccessToken(
            _secret(fields, "accessToken"),
            read_date(fields.get("expiresAt")),
            _optional_secret(fields, "refreshToken"),
            _registration_of_token(fields),
        )
    except ValueError:
        reason = "is empty" if not data.strip(b"\0 \r\n\t") else "holds no whole token"
        raise TokenUnreadable(f"the token cache file of {shown(session.name)} {reason}") from None
    if not belongs_to(fields, session):
        raise TokenMismatch(
            f"the one of {shown(session.name)} is for {shown(str(fields.get('startUrl')))} in "
            f"{shown(str(fields.get('region')))}, the config file says {shown(session.start_url)} in "
            f"{session.region}"
        )
    return token


def belongs_to(fields: Fields, session: SsoSession) -> bool:
    """Whether a token file names this session's start URL, however it is spelled, and region (or none)."""
    url = fields.get("startUrl", session.start_url)
    same = isinstance(url, str) and same_portal_address(url, session.start_url)
    return same and fields.get("region", session.region) == session.region


def render_token(session: SsoSession, token: AccessToken, known: Fields) -> bytes:
    """Return the bytes of a token file: the AWS CLI's fields in its order, then what else ``known`` has."""
    fields: dict[str, Any] = {
        "startUrl": session.start_url,
        "region": session.region,
        "accessToken": token.value.reveal(),
        "expiresAt": write_date(token.expires_at),
    }
    if token.registration is not None:
        fields["clientId"] = token.registration.client_id
        fields["clientSecret"] = token.registration.client_secret.reveal()
        fields["registrationExpiresAt"] = write_date(token.registration.expires_at)
    if token.refresh_token is not None:
        fields["refreshToken"] = token.refresh_token.reveal()
    unknown = {name: value for name, value in known.items() if name not in _TOKEN_FIELDS}
    return json.dumps({**fields, **unknown}).encode()


def read_registration(data: bytes) -> ClientRegistration:
    """Read a registration file.

    Raises:
        ValueError: it holds no usable registration.
    """
    fields = read_fields(data)
    return ClientRegistration(
        _text(fields, "clientId"),
        _secret(fields, "clientSecret"),
        read_date(fields.get("expiresAt")),
        _texts(fields, "scopes"),
        _texts(fields, "grantTypes"),
    )


def render_registration(registration: ClientRegistration) -> bytes:
    """Return the bytes of a registration file."""
    fields: dict[str, Any] = {
        "clientId": registration.client_id,
        "clientSecret": registration.client_secret.reveal(),
        "expiresAt": write_date(registration.expires_at),
    }
    if registration.scopes:
        fields["scopes"] = list(registration.scopes)
    if registration.grant_types:
        fields["grantTypes"] = list(registration.grant_types)
    return json.dumps(fields).encode()


def serves_grant(registration: ClientRegistration, grant: str) -> bool:
    """Whether a cached registration was made for this grant.

    One file name serves both grants; the AWS CLI tells them apart by ``grantTypes`` (AWS CLI 2.36
    ``_is_registration_for_auth_code``).
    """
    for_code = AUTHORIZATION_CODE in (registration.grant_types or ())
    return for_code is (grant == AUTHORIZATION_CODE)


def write_date(date: datetime) -> str:
    """Return the date as the AWS CLI writes it: whole seconds, UTC, Z."""
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_TOKEN_FIELDS = frozenset(
    {
        "startUrl",
        "region",
        "accessToken",
        "expiresAt",
        "clientId",
        "clientSecret",
        "registrationExpiresAt",
        "refreshToken",
    }
)


def _registration_of_token(fields: Fields) -> ClientRegistration | None:
    try:
        return ClientRegistration(
            _text(fields, "clientId"),
            _secret(fields, "clientSecret"),
            read_date(fields.get("registrationExpiresAt")),
        )
    except ValueError:
        return None


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    # It becomes part of a request: no control characters, nothing that cannot be encoded.
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise ValueError(name)
    return value


def _secret(fields: Fields, name: str) -> Secret:
    return Secret(_text(fields, name))


def _optional_secret(fields: Fields, name: str) -> Secret | None:
    try:
        return _secret(fields, name)
    except ValueError:
        return None


def _texts(fields: Fields, name: str) -> tuple[str, ...] | None:
    values = fields.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return tuple(values)


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
