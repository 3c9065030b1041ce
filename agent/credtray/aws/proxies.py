"""Says which proxy carries a request, and what a proxy's refusal means.

Opens nothing. The address of a proxy may hold a password: no error and no text here quotes it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import exceptions
from urllib3.util import make_headers

from credtray.core.addresses import proxy_problem, shown, with_scheme
from credtray.core.errors import CredtrayError, NetworkSettingRefused, Offline, ProxyRefused
from credtray.core.models import Secret

_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: ([1-5][0-9][0-9])")
"""How http.client words the answer of a proxy to CONNECT (CPython 3.11 http/client.py ``_tunnel``)."""
_WANTS_LOGIN = 407
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy of one request."""

    url: str = field(repr=False)
    """It may hold a password."""
    source: str
    """What named it, such as ``HTTPS_PROXY``."""

    def __str__(self) -> str:
        """Return its address without its login, and what named it."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port is not None else ""
        address = shown(f"{parts.scheme}://{parts.hostname}{port}").strip('"')
        return f"the proxy {address} ({self.source})"


def proxy_for(url: str, chosen: Secret | None = None, source: str | None = None) -> Proxy | None:
    """Return the proxy for this address: the *chosen* one, else what the environment or the system names.

    Never one for loopback. NO_PROXY makes exceptions from the environment's proxy only.

    Args:
        url: where the request goes.
        chosen: the proxy of the settings.
        source: what named that one.

    Raises:
        NetworkSettingRefused: it is no address of a proxy that can be used.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host):
        return None
    if chosen is not None:
        return _checked(chosen.reveal(), source or "the setting proxy")
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(host):
        return None
    return _checked(proxy, _variable(f"{parts.scheme}_proxy"))


def _variable(name: str) -> str:
    """Return how the variable is written that names the proxy (urllib.request: lower case counts first)."""
    written = {each for each, value in os.environ.items() if value}  # on Windows all in capitals
    named = [each for each in (name, name.upper()) if each in written]
    return named[0] if named else "the system's settings"


def _checked(text: str, source: str) -> Proxy:
    problem = proxy_problem(text)
    if problem is not None:
        raise NetworkSettingRefused(f"the proxy in {source} {problem[0]}", hint=problem[1])
    return Proxy(with_scheme(text), source)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def login_headers(proxy: str) -> Mapping[str, str]:
    """Return the header that carries the user name and password of a proxy's address, if it has them."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def refusal_of_proxy(error: exceptions.ProxyError, proxy: Proxy) -> CredtrayError:
    """Return why a proxy did not carry a request."""
    found = _REFUSED_TUNNEL.search(str(error.original_error))
    status = int(found[1]) if found else None
    if status == _WANTS_LOGIN:
        return wants_login(proxy)
    if status == _FORBIDDEN:
        return ProxyRefused(
            f"{proxy} blocks this address (HTTP 403)", hint="Ask your network administrator to allow it."
        )
    reason = f"HTTP {status}" if status else _why_unreached(error.original_error)
    return Offline(
        f"{proxy} cannot be used: {reason}", hint=f"Check {proxy.source}, the network and the VPN."
    )


def wants_login(proxy: Proxy | None) -> CredtrayError:
    """Return the error for a proxy that answered 407."""
    named = "it" if proxy is None else str(proxy)
    return ProxyRefused(f"{named} asks for a user name and password, or does not accept these (HTTP 407)")


def _why_unreached(error: Exception) -> str:
    return next(text for kind, text in _UNREACHED if isinstance(error, kind))


_UNREACHED: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NameResolutionError, "its name cannot be resolved"),
    (exceptions.NewConnectionError, "it refuses the connection"),
    (exceptions.ConnectTimeoutError, "it does not answer"),
    (exceptions.SSLError, "the TLS handshake with it failed"),
    (Exception, "the connection to it broke"),
)
"""A kind stands above those it derives from."""


# Reads who issued a certificate from its DER bytes (RFC 5280), for a message to a person.
#
# Verifies nothing and trusts nothing: what it returns is what a stranger's certificate says of itself.


_SEQUENCE, _SET, _OID, _VERSION = 0x30, 0x31, 0x06, 0xA0
_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ENCODINGS = {0x1E: "utf-16-be"}
"""BMPString; all other kinds of text in use are read as UTF-8."""
_LONG_FORM = 0x80
_MOST_TEXT = 100


def issuer_name(certificate: bytes) -> str | None:
    """Return organisation and common name of the issuer, printable and short; None where there are none."""
    try:
        names = dict(_issuer(certificate))
    except (IndexError, ValueError):
        return None
    found = dict.fromkeys(
        text for kind in (_ORGANIZATION, _COMMON_NAME) if (text := _clean(names.get(kind, "")))
    )
    return ", ".join(found) or None


def _issuer(certificate: bytes) -> Iterator[tuple[bytes, str]]:
    [(_, whole)] = _elements(certificate, most=1)
    [(_, signed)] = _elements(whole, most=1)
    fields = [content for tag, content in _elements(signed) if tag != _VERSION]
    for _, relative in _elements(fields[2]):  # serial number, signature algorithm, issuer
        for _, pair in _elements(relative):
            (oid, kind), (tag, value) = _elements(pair)
            if oid == _OID:
                yield kind, value.decode(_ENCODINGS.get(tag, "utf-8"), "replace")


def _elements(data: bytes, most: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element; raises IndexError or ValueError for a torn one."""
    at, count = 0, 0
    while at < len(data) and count != most:
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            raise ValueError("torn")
        yield tag, data[at : at + length]
        at, count = at + length, count + 1


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()[:_MOST_TEXT]


# Finds out who issued a certificate that was refused, so that a person knows which authority to ask for.
#
# Only shakes hands: not one byte of a request goes over the connection, which is closed at once.


_HTTPS_PORT = 443


def issuer_at(url: str, proxy: str | None, timeout: float) -> str | None:
    """Return the issuer's name as the certificate shown at this address tells it; None where nobody knows."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _HTTPS_PORT
    way = urlsplit(proxy) if proxy is not None else None
    if way is not None and way.scheme != "http":
        return None  # the certificate refused may be the proxy's own
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it was refused already; it is looked at, nothing is sent
    if way is None or proxy is None:
        connection = HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = HTTPSConnection(way.hostname or "", way.port or 80, timeout=timeout, context=context)
        connection.set_tunnel(host, port, dict(login_headers(proxy)))
    try:
        connection.connect()
        shown = connection.sock.getpeercert(binary_form=True)
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return issuer_name(shown) if shown else None
