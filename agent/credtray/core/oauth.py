"""OAuth values and checks: PKCE pair, authorize URL, reading the loopback callback, device polling.

Pure: randomness is an argument and requests are values. Nothing here listens, opens or polls.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from urllib.parse import unquote_plus, urlencode

from credtray.core.models import Secret

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


# The page in front of a sign-in that ends another: what counts as a visit, as a yes and as a no. Pure.
#
# The browser opens it before AWS's page, so that nothing is given up before a person is there. Looking at
# it costs nothing (a link scanner or a prefetching browser may); only its own button, pressed in it, says
# yes.


PATH = "/sign-in/"
PATH_BYTES = 32
"""Of randomness in the address of the page, and as many in that of its buttons."""

_AHEAD = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
"""Headers of a browser that fetches what nobody has asked for yet."""


class Wish(Enum):
    """What a visitor wants."""

    LOOK = "look"
    END = "end"
    """End the present sign-in and go on to the new one."""
    KEEP = "keep"
    """Keep the present sign-in."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The three addresses of one sign-in, good for this one only."""

    port: int
    page: Secret
    buttons: Secret
    """Stands in the page only, so that whoever has not read the page cannot press them."""

    @classmethod
    def new(cls, port: int, random: bytes) -> Entrance:
        """Make one from ``2 * PATH_BYTES`` random bytes.

        Raises:
            ValueError: fewer bytes than that.
        """
        if len(random) < 2 * PATH_BYTES:
            raise ValueError(f"an entrance needs {2 * PATH_BYTES} random bytes")
        page, buttons = random[:PATH_BYTES], random[PATH_BYTES : 2 * PATH_BYTES]
        return cls(port, Secret(_base64url(page)), Secret(_base64url(buttons)))

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    def path(self, wish: Wish) -> str:
        """Return the path that stands for this wish."""
        page = f"{PATH}{self.page.reveal()}"
        return page if wish is Wish.LOOK else f"{page}/{wish.value}/{self.buttons.reveal()}"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, as it came: names of headers in lower case."""

    method: bytes
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]

    def values(self, name: bytes) -> list[bytes]:
        """Return every value of a header."""
        return [value for other, value in self.headers if other == name]


def read_visit(visit: Visit, entrance: Entrance) -> Wish | NotOurs:
    """Judge one request; only the exact Host, path and method count.

    A button is believed only when it was pressed in our page: browsers say where a form was sent from.
    """
    if visit.values(b"host") != [f"127.0.0.1:{entrance.port}".encode()]:
        return NotOurs(421)
    wish = next((each for each in Wish if _same(visit.target, entrance.path(each))), None)
    if wish is None:
        return NotOurs(404)
    if wish is Wish.LOOK:
        return _look(visit)
    if visit.method != b"POST":
        return NotOurs(404)  # there is nothing to look at
    return wish if _from_our_page(visit, entrance) else NotOurs(403)


def _look(visit: Visit) -> Wish | NotOurs:
    if visit.method != b"GET":
        return NotOurs(405)
    ahead = any(visit.values(name) for name in _AHEAD)
    # A picture, a frame or a script of another page is no person who looks.
    navigates = visit.values(b"sec-fetch-mode") in ([], [b"navigate"])
    whole = visit.values(b"sec-fetch-dest") in ([], [b"document"])
    return Wish.LOOK if navigates and whole and not ahead else NotOurs(403)


def _from_our_page(visit: Visit, entrance: Entrance) -> bool:
    """Every browser names the origin of a form that is sent; a program without one has read our page."""
    origin = visit.values(b"origin") in ([], [entrance.origin.encode()])
    site = visit.values(b"sec-fetch-site") in ([], [b"same-origin"])
    return origin and site


def _same(given: bytes, path: str) -> bool:
    return hmac.compare_digest(given, path.encode())
