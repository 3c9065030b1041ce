"""OAuth values and checks: PKCE pair, authorize URL, reading the loopback callback, device polling.

Pure: randomness is an argument and requests are values. Nothing here listens, opens or polls.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import unquote_plus, urlencode

from credtray.core.secret import Secret

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name in RFC 6749, not a token
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

CALLBACK_PATH = "/oauth/callback"
REGISTERED_REDIRECT_URI = f"http://127.0.0.1{CALLBACK_PATH}"
"""As registered: without a port, which RFC 8252 section 7.3 leaves free on loopback (AWS CLI 2.36)."""

DEFAULT_SCOPES = ("sso:account:access",)

STATE_BYTES = 32
VERIFIER_BYTES = 48
"""48 random bytes are 64 characters of base64url; RFC 7636 wants 43 to 128."""

_LONGEST_VALUE = 8192
_COUNTED = frozenset({"code", "state", "error"})
"""The fields of the redirect that decide; all others are ignored (RFC 6749 section 4.1.2)."""
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class PkcePair:
    """RFC 7636: the verifier stays here until CreateToken, the challenge travels through the browser."""

    verifier: Secret
    challenge: str


def pkce_pair(random: bytes) -> PkcePair:
    """Make the pair from ``VERIFIER_BYTES`` random bytes, method S256.

    Raises:
        ValueError: fewer bytes than that.
    """
    if len(random) < VERIFIER_BYTES:
        raise ValueError(f"a PKCE verifier needs {VERIFIER_BYTES} random bytes")
    verifier = Secret(_base64url(random))
    return PkcePair(verifier, challenge_of(verifier))


def challenge_of(verifier: Secret) -> str:
    """Return the S256 challenge of a verifier."""
    return _base64url(hashlib.sha256(verifier.reveal().encode()).digest())


def new_state(random: bytes) -> Secret:
    """Make the ``state`` of one sign-in from ``STATE_BYTES`` random bytes.

    Raises:
        ValueError: fewer bytes than that.
    """
    if len(random) < STATE_BYTES:
        raise ValueError(f"a state needs {STATE_BYTES} random bytes")
    return Secret(_base64url(random))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """What the browser is sent to ``/authorize`` with."""

    client_id: str
    redirect_uri: str
    """With the port: ``http://127.0.0.1:PORT/oauth/callback``."""
    state: Secret
    challenge: str
    scopes: tuple[str, ...]

    def url(self, endpoint: str) -> str:
        """Return the address to open; the parameter is ``scopes``, plural (AWS CLI 2.36)."""
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "state": self.state.reveal(),
                "code_challenge_method": "S256",
                "scopes": " ".join(self.scopes),
                "code_challenge": self.challenge,
            }
        )
        return f"{endpoint.rstrip('/')}/authorize?{query}"


@dataclass(frozen=True, slots=True, repr=False)
class CallbackRequest:
    """One HTTP request that reached the loopback listener; without repr, its target may hold a code."""

    method: bytes
    target: bytes
    hosts: tuple[bytes, ...]
    """Every Host header of the request, in order."""


@dataclass(frozen=True, slots=True)
class CodeReceived:
    """The redirect of this sign-in, with its authorization code."""

    code: Secret


@dataclass(frozen=True, slots=True)
class DenialReceived:
    """The redirect of this sign-in, with an error instead of a code."""

    reason: str
    """The OAuth error code, or a fixed text when it does not look like one. Safe to show."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Anything else: answered with this status and forgotten."""

    status: int


def read_callback(
    request: CallbackRequest, port: int, state: Secret
) -> CodeReceived | DenialReceived | NotOurs:
    """Judge one request; only GET, the exact path, the exact Host and the right ``state`` count.

    An ``error`` is believed only with the right state, so that a web page that finds the port
    can neither inject a code nor end the sign-in.
    """
    if request.hosts != (f"127.0.0.1:{port}".encode(),):
        return NotOurs(421)
    path, _, query = request.target.partition(b"?")
    if path != CALLBACK_PATH.encode():
        return NotOurs(404)
    if request.method != b"GET":
        return NotOurs(405)
    fields = _fields(query)
    given = fields.get("state", "").encode()
    if not hmac.compare_digest(given, state.reveal().encode()):
        return NotOurs(400)
    return _outcome(fields)


def _fields(query: bytes) -> Mapping[str, str]:
    """Return those of the query's fields that count, or none when one of them comes twice or is no UTF-8.

    Everything else is nobody's business here: portals, proxies and browser extensions add to addresses.
    """
    found: dict[str, str] = {}
    for pair in query.decode("latin-1").split("&"):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if name not in _COUNTED:
            continue
        if name in found:
            return {}
        try:
            found[name] = unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            return {}
    return found


def _outcome(fields: Mapping[str, str]) -> CodeReceived | DenialReceived | NotOurs:
    code, error = fields.get("code"), fields.get("error")
    if (code is None) == (error is None):
        return NotOurs(400)
    if error is not None:
        known = _ERROR_CODE.fullmatch(error)
        return DenialReceived(error if known else "the sign-in page reported an error")
    if not code or len(code) > _LONGEST_VALUE or not code.isascii() or not code.isprintable():
        return NotOurs(400)
    return CodeReceived(Secret(code))


SLOW_DOWN_BY = timedelta(seconds=5)
"""RFC 8628 section 3.5, and AWS CLI 2.36: each ``slow_down`` adds five seconds to the interval."""

DEVICE_WAITS: Mapping[str, timedelta | None] = MappingProxyType(
    {"AuthorizationPendingException": None, "SlowDownException": SLOW_DOWN_BY}
)
"""The two refusals of a device poll that mean "ask again", and by how much more slowly."""


def device_interval(current: timedelta, slow_down: timedelta | None) -> timedelta:
    """Return how long to wait before the next poll, given the last poll's answer."""
    return current if slow_down is None else current + slow_down
