"""The pages of the loopback redirect, and the one in front of it that asks first: whole HTTP answers.

Nothing a request says ever appears in an answer, so there is nothing to reflect. What we say ourselves in
one (a time, the reason of a failure) is escaped all the same.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

_STYLE = """
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#16202b;--quiet:#5a6775;--edge:#e0e6ec;
--good:#12805c;--good-soft:#e2f5ee;--bad:#b3372b;--bad-soft:#fcebe9;--ask:#8a5a00;--ask-soft:#fdf1d8;
--act:#1f5fbf;--on-act:#fff}
@media (prefers-color-scheme:dark){:root{--page:#12171d;--card:#1b222b;--text:#e9eef4;--quiet:#9fadbc;
--edge:#2b3541;--good:#5fd0a5;--good-soft:#173328;--bad:#ff9d92;--bad-soft:#3d1f1c;--ask:#f2c46d;
--ask-soft:#3a2d12;--act:#8ab8ff;--on-act:#0d1a2b}}
body{margin:0;min-height:100vh;display:grid;place-content:center;box-sizing:border-box;padding:24px;
background:var(--page);color:var(--text);text-align:center;
font:17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:24rem;padding:40px 36px 32px;background:var(--card);border:1px solid var(--edge);
border-radius:18px;box-shadow:0 1px 2px rgb(0 0 0/5%),0 16px 40px rgb(0 0 0/7%)}
svg{width:64px;height:64px;border-radius:50%;fill:none;stroke:currentColor;stroke-width:4;
stroke-linecap:round;stroke-linejoin:round}
.good{color:var(--good);background:var(--good-soft)}
.bad{color:var(--bad);background:var(--bad-soft)}
.ask{color:var(--ask);background:var(--ask-soft)}
h1{margin:20px 0 8px;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:0;color:var(--quiet);text-wrap:balance}
.whole{white-space:nowrap}
form{margin:12px 0 0}
p+form{margin-top:28px}
button{width:100%;padding:11px 16px;border:1px solid var(--edge);border-radius:10px;background:none;
color:var(--text);font:inherit;cursor:pointer}
button.act{border-color:var(--act);background:var(--act);color:var(--on-act);font-weight:600}
button:focus-visible{outline:3px solid var(--ask);outline-offset:2px}
footer{margin-top:28px;padding-top:18px;border-top:1px solid var(--edge);font-size:.85rem;color:var(--quiet)}
code{font:.95em ui-monospace,"DejaVu Sans Mono",monospace;color:var(--text)}
@media (max-width:420px){body{padding:16px}main{padding:36px 24px 28px}}
"""

_PATHS = {"good": "M20 33l9 9 16-19", "bad": "M23 23l18 18M41 23L23 41", "ask": "M32 18v17M32 45v.5"}
_MARKS = {
    name: f'<svg class="{name}" viewBox="0 0 64 64" aria-hidden="true"><path d="{path}"/></svg>'
    for name, path in _PATHS.items()
}


_WHOLE = '<span class="whole">sign-in</span>'
"""Never parted at its hyphen."""


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str
    """HTML."""
    mark: str = "bad"


_SIGNED_IN = _Words("You are signed in", "You can close this tab.", "good")
_GONE = _Words("This sign-in is over", "This page has already been used. You can close this tab.")
_REFUSED = _Words("Nothing here", "This address only receives the result of a sign-in.")
_UNSETTLED = _Words(
    "Not finished yet",
    "AWS has not answered yet. Go back to credtray to see how it ends.",
    "ask",
)
_AGAIN = _Words("A new sign-in opens", "It has a tab of its own. You can close this one.", "ask")
_OPENS = _Words("credtray opens", "It has a tab of its own. You can close this one.", "good")
_KEPT = _Words("Nothing was changed", "You keep your current sign-in. You can close this tab.", "good")


def signed_in(page: str | None = None) -> bytes:
    """Return the answer to the redirect that carried the code, once there is a token.

    Args:
        page: the path that a button which opens credtray's page is sent to; None: there is no such button.
    """
    if page is None:
        return _answer(HTTPStatus.OK, _SIGNED_IN)
    form = f'<form method="post" action="{escape(page)}">'
    button = f"{form}<button>Open credtray</button></form><p>"
    words = _Words(_SIGNED_IN.title, f"{_SIGNED_IN.text}</p>{button}", _SIGNED_IN.mark)
    return _page(HTTPStatus.OK, words, "'self'", "same-origin")


def page_opens() -> bytes:
    """Return the answer to that button."""
    return _answer(HTTPStatus.OK, _OPENS)


def failed(reason: str, again: str | None = None) -> bytes:
    """Return the answer to it when there is none.

    Args:
        reason: a sentence of ours without its full stop.
        again: the path that a button for another try is sent to; None: there is no such button.
    """
    return _without_token("Sign-in failed", f"{escape(reason)}. ", again)


def over(reason: str, again: str | None = None) -> bytes:
    """Return the answer to who comes after the end of a sign-in without a token; arguments as ``failed``."""
    return _without_token("This sign-in is over", f"{escape(reason)}. ", again)


def begun_again() -> bytes:
    """Return the answer to that button."""
    return _answer(HTTPStatus.OK, _AGAIN)


def _without_token(title: str, reason: str, again: str | None) -> bytes:
    if again is None:
        text = f"{reason}You can close this tab. To try again, run <code>credtray login</code>."
        return _answer(HTTPStatus.OK, _Words(title, text))
    button = f'<form method="post" action="{escape(again)}"><button class="act">Try again</button></form><p>'
    words = _Words(title, f"{reason}You can close this tab, or try again.</p>{button}")
    return _page(HTTPStatus.OK, words, "'self'", "same-origin")


def unsettled() -> bytes:
    """Return the answer to it when nobody knows yet after a long while."""
    return _answer(HTTPStatus.OK, _UNSETTLED)


def denied(again: str | None = None) -> bytes:
    """Return the answer to the redirect that carried an error; *again* as for ``failed``."""
    return _without_token("Sign-in not allowed", "", again)


def gone() -> bytes:
    """Return the answer to a redirect that comes after the one that counted."""
    return _answer(HTTPStatus.GONE, _GONE)


def refused(status: int) -> bytes:
    """Return the answer to anything else, with this 4xx status."""
    return _answer(HTTPStatus(status), _REFUSED)


# --- in front of a sign-in -------------------------------------------------------------------------------


def question(price: str, end: str, keep: str, onward: str) -> bytes:
    """Return the page that asks before a sign-in is ended that is good for long.

    Args:
        price: what it costs, in sentences of ours.
        end: the path its first button is sent to.
        keep: the path its second button is sent to.
        onward: the address that the first one leads to afterwards.
    """
    text = (
        f"{escape(price).replace('sign-in', _WHOLE)}</p>"
        f'<form method="post" action="{escape(end)}">'
        '<button class="act">End it and sign in again</button></form>'
        f'<form method="post" action="{escape(keep)}"><button>Keep my current sign-in</button></form><p>'
    )
    words = _Words("Sign in again?", text, "ask")
    # Chromium holds every redirect that follows a form against this: AWS's pages and, in their chain, those
    # of an organisation's own sign-in. So https is allowed, and the very host where that is not used.
    place = urlsplit(onward)
    return _page(HTTPStatus.OK, words, f"'self' https: {place.scheme}://{place.netloc}", "same-origin")


def kept() -> bytes:
    """Return the answer to the second button."""
    return _answer(HTTPStatus.OK, _KEPT)


def onward(address: str) -> bytes:
    """Return the redirect to AWS's own page, or from the address that holds a code to one that holds none."""
    lines = [
        "HTTP/1.1 303 See Other",
        f"Location: {address}",
        "Content-Length: 0",
        "Connection: close",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


@cache
def _answer(status: HTTPStatus, words: _Words) -> bytes:
    return _page(status, words, "'none'", "no-referrer")


def _page(status: HTTPStatus, words: _Words, forms: str, referrer: str) -> bytes:
    title = words.title.replace("sign-in", _WHOLE)
    body = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{words.title} · credtray</title><style>{_STYLE}</style></head>"
        f"<body><main>{_MARKS[words.mark]}<h1>{title}</h1><p>{words.text}</p>"
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
        f"base-uri 'none'; form-action {forms}; frame-ancestors 'none'\r\n"
        f"Referrer-Policy: {referrer}\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-Frame-Options: DENY\r\n"
        f"{'Allow: GET' + chr(13) + chr(10) if status is HTTPStatus.METHOD_NOT_ALLOWED else ''}"
        "\r\n"
    )
    return head.encode("ascii") + body
