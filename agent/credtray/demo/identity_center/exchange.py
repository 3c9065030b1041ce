"""One HTTP request and one answer as values, the secrets an answer carries, and how a service says no.

No socket here: the server turns bytes into a ``Request`` and a ``Response`` into bytes.
"""

from __future__ import annotations

import json
import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

# Makes up every identifier and secret that the embedded Identity Center issues.
#
# Each secret carries the word ``CANARY``, so that a scan of logs, files and process lists finds a leak.
# Nothing here keeps what it made.


CANARY = "CANARY"
"""The word to search for: it must appear only where secrets belong."""

_URL_SAFE = string.ascii_letters + string.digits + "-_"
_BASE64 = string.ascii_letters + string.digits + "+/"
_KEY_ID = string.ascii_uppercase + "234567"
_USER_CODE = "BCDFGHJKLMNPQRSTVWXZ"


def _random(alphabet: str, length: int) -> str:
    """Return random characters; one that does not divide 256 is drawn a little unevenly, which is no harm."""
    table = (alphabet * (256 // len(alphabet) + 1))[:256].encode()
    return secrets.token_bytes(length).translate(table).decode()


def _marked(prefix: str, length: int, alphabet: str) -> str:
    """Return *length* characters: the prefix, the canary in the first third, noise around it."""
    rest = length - len(prefix) - len(CANARY)
    head = rest // 3
    return prefix + _random(alphabet, head) + CANARY + _random(alphabet, rest - head)


def client_id() -> str:
    """Return a client id of the live service's length; it is no secret."""
    return _random(_URL_SAFE, 24)


def client_secret() -> str:
    """Return a client secret; the live one is a JSON web token of some hundred characters."""
    return _marked("eyJraWQiOi", 420, _URL_SAFE)


def device_code() -> str:
    """Return the secret half of a device authorization."""
    return _marked("", 64, _URL_SAFE)


def user_code() -> str:
    """Return the half that a person compares: no vowels, so no words (RFC 8628, 6.1)."""
    letters = _random(_USER_CODE, 8)
    return f"{letters[:4]}-{letters[4:]}"


def authorization_code() -> str:
    """Return a code for the redirect."""
    return _marked("eyJraWQiOi", 240, _URL_SAFE)


def access_token() -> str:
    """Return a bearer token shaped like the live ones."""
    return _marked("aoa", 270, _URL_SAFE)


def refresh_token() -> str:
    """Return a refresh token shaped like the live ones."""
    return _marked("aor", 275, _URL_SAFE)


def browser_cookie() -> str:
    """Return the value of the cookie that is a browser's half of a sign-in."""
    return _marked("", 48, _URL_SAFE)


def opaque_id() -> str:
    """Return an unguessable id for page flows and control addresses; it is no credential."""
    return _random(_URL_SAFE, 32)


def access_key_id() -> str:
    """Return a temporary access key id; key ids are no secrets and carry no canary."""
    return "ASIA" + _random(_KEY_ID, 16)


def role_id() -> str:
    """Return a role's unique id, as it appears in GetCallerIdentity."""
    return "AROA" + _random(_KEY_ID, 17)


def secret_access_key() -> str:
    """Return 40 characters, as AWS does."""
    return _marked("", 40, _BASE64)


def session_token() -> str:
    """Return a session token of the usual length."""
    return _marked("IQoJb3JpZ2luX2Vj", 900, _BASE64)


def sign_in_token() -> str:
    """Return a console sign-in token of the federation endpoint."""
    return _marked("VCQgs5qZZt3Q6fn8Tr5EXAMPLETOKEN", 400, _URL_SAFE)


def request_id() -> str:
    """Return an id for x-amzn-RequestId."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    target: str
    """The request line's target as it was sent: path and query, still percent-encoded."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The body read as application/x-www-form-urlencoded."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def host(self) -> str:
        """The Host header, port included."""
        return self.headers.get("host", "")

    def cookie(self, name: str) -> str:
        """Return a cookie's value, or an empty text."""
        try:
            morsel = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel else ""


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out; Date, Content-Length and the request id are added by the server."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def json_response(status: int, content: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return *content* as JSON."""
    return Response(status, json.dumps(content).encode(), "application/json", headers)


def redirect(location: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return a redirect that a browser follows with GET."""
    return Response(303, b"", "", (("Location", location), *headers))


class Refusal(Exception):
    """The service says no; ``response`` is how it says so."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"answered {response.status}")
        self.response = response


# The error answers of the token service, the portal and STS, in the forms real clients parse.
#
# Only shapes: who refuses what, and when, is decided by the services.


_CORAL = "http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"
# botocore cuts the header at the first colon; the tail is what the live service sends (aws-cli #8561).

_OIDC: dict[str, tuple[int, str, str]] = {
    "AuthorizationPendingException": (400, "authorization_pending", ""),
    "SlowDownException": (400, "slow_down", ""),
    "ExpiredTokenException": (400, "expired_token", ""),
    "AccessDeniedException": (400, "access_denied", "The authorization was denied"),
    "InvalidGrantException": (400, "invalid_grant", "Invalid grant provided"),
    "InvalidClientException": (401, "invalid_client", "Invalid client provided"),
    "UnauthorizedClientException": (400, "unauthorized_client", "Client is not authorized for this grant"),
    "UnsupportedGrantTypeException": (400, "unsupported_grant_type", "Unsupported grant type"),
    "InvalidScopeException": (400, "invalid_scope", "Invalid scope provided"),
    "InvalidRequestException": (400, "invalid_request", "Invalid request"),
    "InvalidRequestRegionException": (400, "invalid_request", "Use another Region"),
    "InvalidRedirectUriException": (400, "invalid_redirect_uri", "Invalid redirect uri provided"),
    "InvalidClientMetadataException": (400, "invalid_client_metadata", "Invalid client metadata"),
    "InternalServerException": (500, "server_error", "Internal server error"),
}
"""Error name -> status, OAuth code, usual description (SSO OIDC API reference)."""

_PORTAL: dict[str, tuple[int, str]] = {
    "UnauthorizedException": (401, "Session token not found or invalid"),
    "ForbiddenException": (403, "No access"),
    "ResourceNotFoundException": (404, "Resource not found"),
    "InvalidRequestException": (400, "Invalid request"),
    "TooManyRequestsException": (429, "HTTP 429 Unknown Code"),
}
"""Error name -> status, usual message. ForbiddenException is sent by the live portal but not modelled."""


def oidc_refusal(name: str, description: str | None = None) -> Refusal:
    """Return an error of the token service: JSON without ``message``, the name in x-amzn-ErrorType."""
    status, code, usual = _OIDC[name]
    text = usual if description is None else description
    return Refusal(
        json_response(
            status,
            {"error": code, "error_description": text},
            (("x-amzn-ErrorType", f"{name}:{_CORAL}"),),
        )
    )


def portal_refusal(name: str, message: str | None = None) -> Refusal:
    """Return an error of the portal: the name stands in the body's ``__type`` only (oktaws #512)."""
    status, usual = _PORTAL[name]
    return Refusal(
        json_response(
            status,
            {
                "message": usual if message is None else message,
                "__type": f"com.amazonaws.switchboard.portal#{name}",
            },
        )
    )


def sts_refusal(status: int, code: str, message: str) -> Refusal:
    """Return an error of STS in the query protocol's XML."""
    text = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<Error><Type>Sender</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(message)}</Message></Error>"
        f"<RequestId>{request_id()}</RequestId></ErrorResponse>"
    )
    return Refusal(Response(status, text.encode(), "text/xml"))
