"""What an address must be to name a proxy. Pure; never quotes the address: it may hold a password."""

from __future__ import annotations

from urllib.parse import urlsplit

SCHEMES = ("http", "https")
SUPPORTED = (
    'credtray goes through proxies at http:// and https:// only, such as "http://proxy.example.com:3128".'
)
_LONGEST_LABEL = 63  # RFC 1035, section 2.3.4
_LOGIN = "Write special characters of the user name and the password as %XX, such as %40 for @."


def with_scheme(text: str) -> str:
    """Return the address with the scheme that is meant where none is written."""
    return text if "://" in text else f"http://{text}"


def proxy_problem(text: str) -> tuple[str, str] | None:
    """Return why this is no address of a proxy that can be used, and what to do; None when it is one."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return "has a character that no address has", _LOGIN
    try:
        parts = urlsplit(with_scheme(text))
        port = parts.port
    except ValueError:  # a port that is no number, an open bracket
        return "is not an address with a port", f"{SUPPORTED} {_LOGIN}"
    reason = None
    if parts.scheme.lower() not in SCHEMES:
        reason = f"is a {parts.scheme[:20]}:// proxy"
    elif not parts.hostname:
        reason = "names no host"
    elif port == 0:
        reason = "has port 0"
    elif not all(0 < len(label) <= _LONGEST_LABEL for label in parts.hostname.rstrip(".").split(".")):
        reason = "names a host that cannot exist"
    return None if reason is None else (reason, SUPPORTED)
