"""Asks the console's federation endpoint for a sign-in token, with the role credentials of a profile.

Must not log, quote or keep an address: keys stand in the one asked, a token in the one returned.
Source: AWS IAM user guide, "Enable custom identity broker access to the AWS console".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from credtray.aws.replies import Token
from credtray.aws.wire import Reply, Request
from credtray.core.console.destinations import Console, sign_in_address, token_address
from credtray.core.errors import CaptivePortal, ConsoleRefused, Offline, ProxyRefused, UnexpectedReply
from credtray.core.protocol import ProcessCredentials
from credtray.core.secret import Secret

_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?/")
_BUSY = 429
_PROXY_LOGIN = 407
_KEYS_REFUSED = frozenset({400, 401, 403})


class _SignInToken(msgspec.Struct, rename="pascal"):
    signin_token: Token


def sign_in(
    console: Console, keys: ProcessCredentials, destination: str, send: Callable[[Request], Reply]
) -> Secret:
    """Return the address that signs a browser in as this role, for 15 minutes to open it.

    Raises:
        ConsoleRefused: the keys are not accepted, the endpoint has a problem, or it would be asked in clear.
        CaptivePortal, ProxyRefused, UnexpectedReply: somebody else answered.
        CertificateRefused: what ``Transport.send`` raises.
    """
    if not console.federation.startswith("https://") and not _LOOPBACK.match(console.federation):
        raise ConsoleRefused("its endpoint is not https, so the keys are not sent there")
    address = token_address(console, keys.access_key_id, keys.secret_access_key, keys.session_token)
    try:
        reply = send(Request("GET", address.reveal(), {"Accept": "application/json"}))
    except Offline as error:
        raise ConsoleRefused(
            f"{urlsplit(console.federation).netloc} cannot be reached: {error.detail}"
        ) from None
    return sign_in_address(console, destination, Secret(_token(reply)))


def _token(reply: Reply) -> str:
    status = reply.status
    if 300 <= status < 400 or status == 511:  # noqa: PLR2004 - redirects; Network Authentication Required
        raise CaptivePortal(f"it answered HTTP {status}")
    if status == _PROXY_LOGIN:
        raise ProxyRefused("it asks for a user name and password (HTTP 407)")
    if status in _KEYS_REFUSED:
        # The endpoint says no with a web page, so a page alone does not tell a stranger.
        raise ConsoleRefused(f"it does not accept the keys of this role (HTTP {status})")
    if status == _BUSY or status >= 500:  # noqa: PLR2004 - server errors
        raise ConsoleRefused(f"it has an internal problem (HTTP {status})", hint="Try again in a minute.")
    if reply.is_web_page:
        raise CaptivePortal(f"it answered HTTP {status} with a web page")
    try:
        return msgspec.json.decode(reply.body, type=_SignInToken).signin_token
    except (ValueError, RecursionError):
        raise UnexpectedReply("getSigninToken: no sign-in token in it") from None
