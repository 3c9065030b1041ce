"""The local credentials endpoint: which requests are let in (one shape), what it answers, what programs need.

Pure. Runs before any routing, and says nothing that depends on which profiles there are.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import quote, unquote_to_bytes, urlsplit

from msgspec import UNSET, Struct, UnsetType

from credtray.core import errors
from credtray.core.errors import (
    CredtrayError,
    EndpointRefused,
    EndpointTokenMissing,
    EndpointTokenRefused,
    EndpointUnavailable,
    Problem,
    Retry,
)
from credtray.core.models import Secret
from credtray.core.protocol import ProcessCredentials
from credtray.core.protocol.messages import ENCODER
from credtray.ways_out.child_environment import OVER_ENDPOINT, REGIONS

# The variables that lead a program to the local credentials endpoint.
#
# Pure: names and values only; ways_out/child_environment has those that override it. The token stays in its
# file, but for programs that are too old to read one.


ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 -- the name of a variable
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 -- as above

_HTTP_PORT = 80


def place_here(address: str) -> tuple[str, int] | None:
    """Return host and port to connect to when an address is plain HTTP on this machine; None for any other.

    The host is an IP address: whether ``localhost`` is this machine is asked of nobody.
    """
    try:
        parts = urlsplit(address)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        port = parts.port or _HTTP_PORT
        here = parts.scheme == "http" and ip_address(host).is_loopback
    except ValueError:  # no address, or a name
        return None
    return (host, port) if here else None


def variables(url: str, token_file: str, region: str | None) -> dict[str, str]:
    """Return the variables a program needs to be given."""
    found = {ADDRESS: url, TOKEN_FILE: token_file}
    return found if region is None else found | dict.fromkeys(REGIONS, region)


def with_token(found: Mapping[str, str], token: Secret) -> dict[str, str]:
    """Return the same variables with the token itself, for programs that do not read a file."""
    return {name: value for name, value in found.items() if name != TOKEN_FILE} | {TOKEN: token.reveal()}


def shadows_of(found: Mapping[str, str]) -> tuple[str, ...]:
    """Return what has to go for these variables to count."""
    return tuple(name for name in (*OVER_ENDPOINT, TOKEN_FILE) if name not in found)


# From which version on a program can use the local credentials endpoint: it must read its token from a
# file.
#
# Source: Amazon EKS user guide, "Use Pod Identity with the AWS SDK" (EKS hands its token over in the same
# variable). Tried here: botocore 1.44 and the SDK for JavaScript 3.840 can, AWS CLI 2.9.19 cannot. Pure.


LEAST: Mapping[str, str] = MappingProxyType(
    {
        "AWS CLI v2": "2.15.0",
        "AWS CLI v1": "1.30.0",
        "boto3, botocore": "1.34.41",
        "Go v2": "release 2023-11-14",
        "Go v1": "1.47.11",
        "JavaScript v3": "3.458.0",
        "JavaScript v2": "2.1550.0",
        "Java v2": "2.21.30",
        "Java v1": "1.12.746",
        "Kotlin": "1.0.1",
        "Rust": "release 2024-03-13",
        ".NET": "3.7.734.0",
        "PowerShell": "4.1.502",
        "PHP": "3.287.1",
        "Ruby": "3.188.0",
        "C++": "1.11.263",
    }
)

_CLI = {1: (1, 30), 2: (2, 15)}
"""By major version."""


def cli_reads_token_file(version: tuple[int, ...]) -> bool:
    """Tell whether the AWS CLI of this version can use the endpoint."""
    return version >= _CLI.get(version[0], (0,)) if version else False


LONGEST_HEAD = 16 * 1024
"""Bytes of request line and headers."""

_PATH = "/credentials/"
_SEGMENT = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
"""One path segment of RFC 3986 (3.3): no slash, question mark or sharp, and no stray percent sign."""
_DOTS = frozenset({"", ".", ".."})
"""Names that clients take for directories, encoded or not (WHATWG URL, "double-dot URL path segment")."""
_LONE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_FOLDED = re.compile(rb"\r\n[ \t]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_FROM_A_PAGE = frozenset({b"origin", b"referer", b"sec-websocket-key", b"sec-websocket-version"})
"""Headers of browsers; no SDK sends one."""
_PASSED_ON = frozenset({b"via", b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
"""Headers of proxies: what comes through one does not come from a program of this machine's user."""
_UNASKED = frozenset({b"upgrade", b"expect", b"transfer-encoding", b"trailer", b"te", b"content-encoding"})
"""Headers of what this endpoint does not do: bodies, other protocols."""

_TOO_OLD = (
    f"it is too old to read {TOKEN_FILE}; the least versions are AWS CLI {LEAST['AWS CLI v2']}, "
    f"boto3 {LEAST['boto3, botocore']}, and for others see credtray endpoint --help"
)
_DECOY = Secret("-" * 43)
"""Compared with when there is no such profile, so that the comparison is made in any case."""


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """The head of one HTTP request. Header names are in lower case."""

    method: bytes
    target: bytes
    version: bytes
    """Without ``HTTP/``."""
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    """The token is among them."""

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of all headers of this name."""
        return [value for found, value in self.headers if found == name]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The right token for this profile came."""

    profile: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in."""

    status: int
    problem: Problem


def path_of(profile: str) -> str:
    """Return the path under which a profile's role credentials are served.

    Raises:
        EndpointUnavailable: the name is one that clients change in an address.
    """
    try:
        if profile not in _DOTS and profile.isprintable():
            return _PATH + quote(profile, safe="")
    except UnicodeEncodeError:  # half a surrogate pair: nothing that can be sent
        pass
    raise EndpointUnavailable(f"no address can be made of the profile name {profile!a}")


def raw_refusal(head: bytes, rest: bytes) -> Refused | None:
    """Look at the bytes of a request: what a lenient parser would correct is refused here.

    Args:
        head: everything up to and with the empty line.
        rest: what came after it: a body, or a second request.
    """
    if len(head) > LONGEST_HEAD:
        return too_large()
    if any(each.search(head) for each in (_LONE_LINE_END, _FOLDED, _CONTROL)):
        return malformed()
    if rest:
        return _refused(400, "one request, without a body, on each connection")
    return None


def malformed() -> Refused:
    """Return the refusal of what is no HTTP request."""
    return _refused(400, "that is no HTTP request")


def too_large() -> Refused:
    """Return the refusal of a request line and headers that do not end."""
    return _refused(431, f"more than {LONGEST_HEAD} bytes of headers")


def judge(request: EndpointRequest, port: int, tokens: Mapping[str, Secret]) -> Admitted | Refused:
    """Return for which profile the request is let in, or why it is not.

    A wrong token and a profile without one get the same answer, after the same comparison.

    Args:
        request: as the parser gave it.
        port: the one we listen on.
        tokens: profile -> the one token that opens it.
    """
    for check in _CHECKS:
        refused = check(request, port)
        if refused is not None:
            return refused
    profile = _profile_at(request.target)
    if profile is None:
        return _refused(404, "there is nothing at this path")
    if not request.values(b"authorization"):
        return Refused(403, EndpointTokenMissing(_TOO_OLD).problem)
    offered = b"".join(request.values(b"authorization"))
    expected = tokens.get(profile, _DECOY).reveal().encode()
    if hmac.compare_digest(offered, expected) and profile in tokens:
        return Admitted(profile)
    return Refused(403, EndpointTokenRefused().problem)


def _refused(status: int, detail: str, kind: type[CredtrayError] = EndpointRefused) -> Refused:
    return Refused(status, kind(detail).problem)


# --- the checks, in their order ----------------------------------------------------------------------


def _method(request: EndpointRequest, _port: int) -> Refused | None:
    return None if request.method == b"GET" else _refused(405, "only GET is answered")


def _version(request: EndpointRequest, _port: int) -> Refused | None:
    return None if request.version == b"1.1" else _refused(505, "only HTTP/1.1 is spoken")


def _host(request: EndpointRequest, port: int) -> Refused | None:
    """DNS rebinding: a page may give its own name our address, but it cannot give the request our name."""
    ours = (f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode())
    hosts = request.values(b"host")
    if len(hosts) == 1 and hosts[0] in ours:
        return None
    return _refused(421, "this Host is not served here")


def _origin_form(request: EndpointRequest, _port: int) -> Refused | None:
    target = request.target
    if target.startswith(b"/") and not target.startswith(b"//"):
        return None
    return _refused(400, "the request target must be a path")


def _no_page(request: EndpointRequest, _port: int) -> Refused | None:
    """CSRF: no web page has any business here, whatever it could read of the answer."""
    names = {name for name, _ in request.headers}
    foreign = any(value != b"none" for value in request.values(b"sec-fetch-site"))
    if foreign or names & _FROM_A_PAGE:
        return _refused(403, "a web page cannot ask here")
    if names & _PASSED_ON:
        return _refused(403, "a proxy cannot ask here")
    return None


def _no_body(request: EndpointRequest, _port: int) -> Refused | None:
    names = {name for name, _ in request.headers}
    lengths = request.values(b"content-length")
    if names & _UNASKED or lengths not in ([], [b"0"]):
        return _refused(400, "a request without a body is expected")
    return None


def _one_token(request: EndpointRequest, _port: int) -> Refused | None:
    if len(request.values(b"authorization")) <= 1:
        return None
    return _refused(400, "more than one Authorization header")


_CHECKS: tuple[Callable[[EndpointRequest, int], Refused | None], ...] = (
    _method,
    _version,
    _host,
    _origin_form,
    _no_page,
    _no_body,
    _one_token,
)


def _profile_at(target: bytes) -> str | None:
    """Return the profile a path names, decoded once; None for every other path."""
    segment = target.removeprefix(_PATH.encode())
    if segment == target or not _SEGMENT.fullmatch(segment):
        return None
    try:
        name = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    return None if name in _DOTS or not name.isprintable() else name


# What the local credentials endpoint answers: the keys as SDKs want them, or an error with a hint. Pure.
#
# Opens nothing and decides nothing: who may ask is decided in ``filter``.


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body of one HTTP answer."""

    status: int
    body: bytes = field(repr=False)


class _ContainerCredentials(Struct, frozen=True, rename="pascal"):
    """What a container credentials provider expects (botocore 1.44 ``ContainerProvider``)."""

    access_key_id: str
    secret_access_key: Secret
    token: Secret
    expiration: str
    account_id: str | UnsetType = UNSET


class _Told(Struct, frozen=True):
    """An error: aws-sdk-go-v2 (``endpointcreds``) shows ``code`` and ``message``, botocore the whole."""

    code: str
    message: str
    hint: str


def keys(credentials: ProcessCredentials) -> Answer:
    """Return the answer that hands out role credentials."""
    held = _ContainerCredentials(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        credentials.expiration,
        credentials.account_id,
    )
    return Answer(200, ENCODER.encode(held))


def refusal(problem: Problem, status: int | None = None) -> Answer:
    """Return the answer that tells why there are no keys; *status* where the problem does not decide it."""
    body = ENCODER.encode(_Told(problem.code, problem.title, problem.hint))
    return Answer(status if status is not None else _status(problem), body)


def _status(problem: Problem) -> int:
    """Return a 4xx where asking again is of no use: SDKs that retry do so on 5xx only."""
    later = 503 if problem.retry is Retry.LATER else 409
    return _STATUSES.get(problem.code, later)


_STATUSES: Mapping[str, int] = {
    errors.SignInRequired.code: 401,
    errors.SignInDenied.code: 401,
    errors.SignInTimedOut.code: 401,
    errors.SignInCancelled.code: 401,
    errors.TokenRefused.code: 401,
    errors.TokenMismatch.code: 401,
    errors.PortalUnauthorized.code: 401,
    errors.RegistrationRefused.code: 401,
    errors.RoleRefused.code: 403,
    errors.CodingAgentRefused.code: 403,
    errors.AssumeRoleRefused.code: 403,
    errors.UnknownProfile.code: 404,
    errors.ForeignProfile.code: 404,
    errors.IncompleteProfile.code: 404,
    errors.CredtrayError.code: 500,
}


# The pure part of the local credentials endpoint: who may ask, what is answered, what programs receive.
