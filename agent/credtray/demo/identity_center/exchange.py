"""One HTTP request and one answer as values, and how a service says no.

No socket here: the server turns bytes into a ``Request`` and a ``Response`` into bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit


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
