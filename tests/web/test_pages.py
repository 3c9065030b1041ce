"""The pages of the redirect: fixed bytes, strict headers, no script."""

from __future__ import annotations

import base64
import hashlib
import re
from email.message import Message
from email.parser import BytesParser
from html.parser import HTMLParser

import pytest

from credtray.web import sign_in_pages

PAGES = [
    sign_in_pages.signed_in(),
    sign_in_pages.denied(),
    sign_in_pages.gone(),
    *(sign_in_pages.refused(status) for status in (400, 404, 405, 421)),
]


def split(page: bytes) -> tuple[Message, str]:
    head, _, body = page.partition(b"\r\n\r\n")
    return BytesParser().parsebytes(head.partition(b"\r\n")[2]), body.decode()


class Elements(HTMLParser):
    """Collects tags and attribute names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("page", PAGES)
def test_headers_lock_the_page_down(page: bytes) -> None:
    headers, body = split(page)

    expected = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Connection": "close",
        "Content-Length": str(len(body.encode())),
    }
    assert expected == {name: headers[name] for name in expected}
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("page", PAGES)
def test_style_is_the_one_the_policy_allows(page: bytes) -> None:
    headers, body = split(page)
    style = re.search("<style>(.*?)</style>", body, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_runs_loads_or_leads_away(page: bytes) -> None:
    found = Elements(split(page)[1])

    assert not found.tags & {"script", "img", "link", "iframe", "form", "a", "base", "object"}
    assert not [
        name for name in found.attributes if name.startswith("on") or name in {"style", "src", "href"}
    ]


def test_pages_differ_and_stay_the_same() -> None:
    assert len(set(PAGES)) == len(PAGES)
    assert sign_in_pages.signed_in() == sign_in_pages.signed_in()


def test_refused_method_names_the_allowed_one() -> None:
    assert split(sign_in_pages.refused(405))[0]["Allow"] == "GET"
