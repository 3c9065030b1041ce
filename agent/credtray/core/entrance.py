"""The page in front of a sign-in that ends another: what counts as a visit, as a yes and as a no. Pure.

The browser opens it before AWS's page, so that nothing is given up before a person is there. Looking at it
costs nothing (a link scanner or a prefetching browser may); only its own button, pressed in it, says yes.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from credtray.core.oauth import NotOurs
from credtray.core.secret import Secret

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


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
