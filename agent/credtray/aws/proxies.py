"""Says which proxy carries a request, and what a proxy's refusal means.

Opens nothing. The address of a proxy may hold a password: no error and no text here quotes it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import exceptions
from urllib3.util import make_headers

from credtray.core.addresses import shown
from credtray.core.errors import CredtrayError, NetworkSettingRefused, Offline, ProxyRefused
from credtray.core.proxy_address import proxy_problem, with_scheme
from credtray.core.secret import Secret

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
    named = [each for each in (name, name.upper()) if os.environ.get(each)]
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
