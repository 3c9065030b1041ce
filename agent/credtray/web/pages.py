"""The pages of the loopback redirect: whole HTTP answers, one per outcome, always the same bytes.

Nothing a request says ever appears in an answer, so there is nothing to escape and nothing to reflect.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus

_STYLE = """
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#16202b;--quiet:#5a6775;--edge:#e0e6ec;
--good:#12805c;--good-soft:#e2f5ee;--bad:#b3372b;--bad-soft:#fcebe9}
@media (prefers-color-scheme:dark){:root{--page:#12171d;--card:#1b222b;--text:#e9eef4;--quiet:#9fadbc;
--edge:#2b3541;--good:#5fd0a5;--good-soft:#173328;--bad:#ff9d92;--bad-soft:#3d1f1c}}
body{margin:0;min-height:100vh;display:grid;place-content:center;box-sizing:border-box;padding:24px;
background:var(--page);color:var(--text);text-align:center;
font:17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:24rem;padding:40px 36px 32px;background:var(--card);border:1px solid var(--edge);
border-radius:18px;box-shadow:0 1px 2px rgb(0 0 0/5%),0 16px 40px rgb(0 0 0/7%)}
svg{width:64px;height:64px;border-radius:50%;fill:none;stroke:currentColor;stroke-width:4;
stroke-linecap:round;stroke-linejoin:round}
.good{color:var(--good);background:var(--good-soft)}
.bad{color:var(--bad);background:var(--bad-soft)}
h1{margin:20px 0 8px;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:0;color:var(--quiet);text-wrap:balance}
footer{margin-top:28px;padding-top:18px;border-top:1px solid var(--edge);font-size:.85rem;color:var(--quiet)}
code{font:.95em ui-monospace,"DejaVu Sans Mono",monospace;color:var(--text)}
"""

_GOOD = '<svg class="good" viewBox="0 0 64 64" aria-hidden="true"><path d="M20 33l9 9 16-19"/></svg>'
_BAD = '<svg class="bad" viewBox="0 0 64 64" aria-hidden="true"><path d="M23 23l18 18M41 23L23 41"/></svg>'


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str
    good: bool = False


_SIGNED_IN = _Words("You are signed in", "You can close this tab.", good=True)
_DENIED = _Words(
    "Sign-in not allowed",
    "You can close this tab. To try again, run <code>credtray login</code>.",
)
_GONE = _Words("This sign-in is over", "The page was used already. You can close this tab.")
_REFUSED = _Words("Nothing here", "This address only takes the answer of a sign-in.")


def signed_in() -> bytes:
    """Return the answer to the redirect that carried the code."""
    return _answer(HTTPStatus.OK, _SIGNED_IN)


def denied() -> bytes:
    """Return the answer to the redirect that carried an error."""
    return _answer(HTTPStatus.OK, _DENIED)


def gone() -> bytes:
    """Return the answer to a redirect that comes after the one that counted."""
    return _answer(HTTPStatus.GONE, _GONE)


def refused(status: int) -> bytes:
    """Return the answer to anything else, with this 4xx status."""
    return _answer(HTTPStatus(status), _REFUSED)


@cache
def _answer(status: HTTPStatus, words: _Words) -> bytes:
    body = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{words.title} · credtray</title><style>{_STYLE}</style></head>"
        f"<body><main>{_GOOD if words.good else _BAD}<h1>{words.title}</h1><p>{words.text}</p>"
        "<footer>credtray keeps your AWS credentials fresh</footer></main></body></html>\n"
    ).encode()
    style = b64encode(sha256(_STYLE.encode()).digest()).decode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n"
        "Cache-Control: no-store\r\n"
        f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-Frame-Options: DENY\r\n"
        f"{'Allow: GET' + chr(13) + chr(10) if status is HTTPStatus.METHOD_NOT_ALLOWED else ''}"
        "\r\n"
    )
    return head.encode("ascii") + body
