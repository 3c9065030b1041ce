"""The page of `credtray open`: which requests are let in, by deny-by-default. Pure.

Runs before any routing: what is not one of a few shapes is refused, and a refusal says nothing of what there
is. Who is at the other end of the connection is for the server to ask.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from urllib.parse import parse_qsl

from credtray.core.models import Secret
from credtray.ways_out.endpoint import EndpointRequest, raw_refusal

LONGEST_BODY = 256 * 1024
"""Bytes of a form: 20,000 roles can be ticked."""
MOST_FIELDS = 20_000
FORM_TOKEN = "token"  # noqa: S105 - the name of a field
"""The field of every form that holds its token."""

_ROOM = re.compile(r"[0-9a-f]{16}")
_ENTRANCE = re.compile(r"enter/([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*")
_QUERY = re.compile(rb"[A-Za-z0-9._~!$'()*+,;=:@/?%&-]*")
_FORMS = ([b"application/x-www-form-urlencoded"], [b"application/x-www-form-urlencoded;charset=UTF-8"])
"""As a form is sent by itself, and by a script."""
_PASSED_ON = frozenset({b"via", b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
_UNASKED = frozenset({b"upgrade", b"expect", b"transfer-encoding", b"trailer", b"te", b"content-encoding"})


class Kind(Enum):
    """What a request is for."""

    ENTRANCE = "the one-time address"
    VIEW = "a whole view"
    PART = "the inside of a view, fetched by the script"
    EVENTS = "changes as they happen"
    ASSET = "style, script or picture"
    ACTION = "a form that was sent"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is: a port of 127.0.0.1, and a path of its own there.

    Browsers send a cookie to every port of a host. The path keeps ours from whatever else is served on this
    computer, perhaps by another of its users; it is no secret, and by itself it opens nothing.
    """

    port: int
    room: str

    @property
    def host(self) -> str:
        """The only value of ``Host`` that is served."""
        return f"127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """Of the first view; all others are below it."""
        return f"/{self.room}/"

    @property
    def cookie(self) -> str:
        """The cookie's name: that of one port never stands for another's."""
        return f"credtray-{self.port}"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request of the right shape, of a browser that came through the entrance or comes to it."""

    kind: Kind
    name: str
    """Of the view, asset or action; the secret of an entrance. Empty for the first view."""
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    guest: Secret = field(default_factory=lambda: Secret(""))
    """The cookie; empty for an asset, which anybody may see who can see the page, and for a newcomer."""
    scripted: bool = False
    """The script has sent it, and a part of the view is all it needs."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in."""

    status: int
    unknown_guest: bool = False
    """All was right but the cookie: it may have been a good one, before."""


def digest(cookie: str) -> str:
    """Return what the server keeps of a cookie: who reads that cannot enter with it."""
    return sha256(cookie.encode()).hexdigest()


def form_token(key: Secret, guest: Secret) -> str:
    """Return what every form of this guest carries, and no other page can know."""
    return hmac.new(key.reveal().encode(), guest.reveal().encode(), sha256).hexdigest()


def read_form(body: bytes, key: Secret, guest: Secret) -> Mapping[str, tuple[str, ...]] | None:
    """Return the fields of a form without its token; None where that is wrong, or it is no form of ours."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except (UnicodeDecodeError, ValueError):
        return None
    tokens = [value for name, value in pairs if name == FORM_TOKEN]
    expected = form_token(key, guest)
    if len(tokens) != 1 or not hmac.compare_digest(tokens[0].encode("utf-8", "replace"), expected.encode()):
        return None
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if name != FORM_TOKEN:
            fields[name] = (*fields.get(name, ()), value)
    return fields


def judge(
    request: EndpointRequest, head: bytes, rest: bytes, place: Place, guests: Container[str]
) -> Admitted | Refused:
    """Return what the request is let in for, or that it is not.

    Args:
        request: as the parser gave it.
        head: its bytes, up to and with the empty line.
        rest: what came after it and its body.
        place: where we are.
        guests: digests of the cookies that were handed out.
    """
    status = _misshapen(request, head, rest, place)
    found = None if status else _routed(request, place)
    if found is None:
        return Refused(status or 404)
    if not _FETCHED[found.kind](request, place):
        return Refused(403)
    if found.kind is Kind.ASSET:
        return found
    cookies = _cookies(request, place)
    if len(cookies) != 1 or digest(cookies[0]) not in guests:
        if found.kind is Kind.ENTRANCE:
            return found
        return Refused(403, unknown_guest=found.kind in {Kind.VIEW, Kind.ACTION})
    scripted = request.values(b"sec-fetch-mode") != [b"navigate"]
    return Admitted(found.kind, found.name, found.query, Secret(cookies[0]), scripted)


def _misshapen(request: EndpointRequest, head: bytes, rest: bytes, place: Place) -> int:
    """Return the status that refuses what is no request for here; 0 for one that may be."""
    if raw_refusal(head, rest) is not None:
        return 400
    return next((status for check in _CHECKS if (status := check(request, place))), 0)


# --- the checks, in their order: 0, or the status of the refusal --------------------------------------


def _version(request: EndpointRequest, _place: Place) -> int:
    return 0 if request.version == b"1.1" else 505


def _host(request: EndpointRequest, place: Place) -> int:
    """DNS rebinding: a page may give its own name our address, but it cannot give the request our name."""
    return 0 if request.values(b"host") == [place.host.encode()] else 421


def _direct(request: EndpointRequest, _place: Place) -> int:
    names = {name for name, _ in request.headers}
    return 403 if names & _PASSED_ON else 400 if names & _UNASKED else 0


def _method(request: EndpointRequest, _place: Place) -> int:
    lengths = request.values(b"content-length")
    if request.method == b"GET":
        return 0 if lengths in ([], [b"0"]) else 400
    if request.method != b"POST":
        return 405
    if len(lengths) != 1 or not lengths[0].isdigit():
        return 411
    if int(lengths[0]) > LONGEST_BODY:
        return 413
    return 0 if request.values(b"content-type") in _FORMS else 415


_CHECKS: tuple[Callable[[EndpointRequest, Place], int], ...] = (_version, _host, _direct, _method)


def _routed(request: EndpointRequest, place: Place) -> Admitted | None:
    """Return what the target names; None for every other target."""
    path, mark, query = request.target.partition(b"?")
    inside = path.removeprefix(place.path.encode())
    if inside == path or (mark and not _QUERY.fullmatch(query)) or not _ROOM.fullmatch(place.room):
        return None
    try:
        return _named(request.method, inside.decode("ascii"), _fields(query))
    except (UnicodeDecodeError, ValueError):
        return None


def _fields(query: bytes) -> Mapping[str, str]:
    pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    return MappingProxyType(dict(pairs))


def _named(method: bytes, inside: str, query: Mapping[str, str]) -> Admitted | None:
    first, slash, name = inside.partition("/")
    if method == b"POST":
        return Admitted(Kind.ACTION, name) if first == "do" and _NAME.fullmatch(name) else None
    if entrance := _ENTRANCE.fullmatch(inside):
        return None if query else Admitted(Kind.ENTRANCE, entrance[1])
    if inside in _ASSETS:
        return Admitted(Kind.ASSET, inside, query)
    if first == "part" and slash and (not name or _NAME.fullmatch(name)):
        return Admitted(Kind.PART, name, query)
    if inside == "events":
        return None if query else Admitted(Kind.EVENTS, "")
    return Admitted(Kind.VIEW, inside, query) if not inside or _NAME.fullmatch(inside) else None


_ASSETS: Mapping[str, bytes] = MappingProxyType(
    {"style.css": b"style", "page.js": b"script", "icon.svg": b"image"}
)
"""Asset -> the destination a browser fetches it for."""


# --- CSRF: who asks, by the headers that no page can set -----------------------------------------------


def _sent(request: EndpointRequest) -> tuple[bytes, bytes, bytes]:
    """Return site, mode and destination; empty where a header is missing or came twice."""
    found = []
    for name in (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"):
        values = request.values(name)
        found.append(values[0] if len(values) == 1 else b"")
    return found[0], found[1], found[2]


def _origins(request: EndpointRequest) -> list[bytes]:
    return request.values(b"origin")


def _by_entrance(request: EndpointRequest, _place: Place) -> bool:
    """A browser that was told to open an address comes from nowhere; a page that found us does not."""
    foreign = request.values(b"referer") or _origins(request)
    return not foreign and _sent(request) == (b"none", b"navigate", b"document")


def _by_person(request: EndpointRequest, _place: Place) -> bool:
    site, mode, destination = _sent(request)
    ours = site in {b"none", b"same-origin"}
    return ours and (mode, destination) == (b"navigate", b"document") and not _origins(request)


def _by_script(request: EndpointRequest, place: Place) -> bool:
    site, mode, destination = _sent(request)
    own = _origins(request) in ([], [f"http://{place.host}".encode()])
    return own and site == b"same-origin" and mode in {b"cors", b"same-origin"} and destination == b"empty"


def _by_view(request: EndpointRequest, place: Place) -> bool:
    site, mode, destination = _sent(request)
    asset = request.target.removeprefix(place.path.encode()).partition(b"?")[0].decode("ascii", "replace")
    return (
        site == b"same-origin"
        and mode in {b"no-cors", b"cors", b"same-origin"}
        and destination == _ASSETS.get(asset)
    )


def _by_form(request: EndpointRequest, place: Place) -> bool:
    if _origins(request) != [f"http://{place.host}".encode()]:
        return False
    return _sent(request) == (b"same-origin", b"navigate", b"document") or _by_script(request, place)


_FETCHED: Mapping[Kind, Callable[[EndpointRequest, Place], bool]] = MappingProxyType(
    {
        Kind.ENTRANCE: _by_entrance,
        Kind.VIEW: _by_person,
        Kind.PART: _by_script,
        Kind.EVENTS: _by_script,
        Kind.ASSET: _by_view,
        Kind.ACTION: _by_form,
    }
)


def _cookies(request: EndpointRequest, place: Place) -> list[str]:
    """Return the values under our name."""
    found = []
    for header in request.values(b"cookie"):
        for pair in header.decode("latin-1").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == place.cookie:
                found.append(value)
    return found
