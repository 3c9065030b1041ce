"""The error answers of the token service, the portal and STS, in the forms real clients parse.

Only shapes: who refuses what, and when, is decided by the services.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from credtray.demo.identity_center import canary
from credtray.demo.identity_center.exchange import Refusal, Response, json_response

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
        f"<RequestId>{canary.request_id()}</RequestId></ErrorResponse>"
    )
    return Refusal(Response(status, text.encode(), "text/xml"))
