"""Says which proxy carries a request, and what a proxy's refusal means.

Opens nothing. The address of a proxy may hold a password: no error and no text here quotes it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3.exceptions import ProxyError
from urllib3.util import make_headers

from credtray.core.errors import CredtrayError, Offline, ProxyRefused
from credtray.core.secret import Secret

_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: ([1-5][0-9][0-9])")
"""How http.client words the answer of a proxy to CONNECT (CPython 3.11 http/client.py ``_tunnel``)."""
_WANTS_LOGIN = 407
_FORBIDDEN = 403


def proxy_for(url: str, chosen: Secret | None = None) -> str | None:
    """Return the proxy for this address: the *chosen* one, else what the environment or the system names.

    Never one for loopback. NO_PROXY makes exceptions from the environment's proxy only.

    Raises:
        ProxyRefused: the chosen one is no address of a proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host):
        return None
    if chosen is not None:
        return _checked(chosen.reveal())
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _checked(text: str) -> str:
    address = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        good = False
    if not good:
        raise ProxyRefused(
            "the one of the settings is no address", hint='Write it as "http://proxy.example.com:3128".'
        )
    return address


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


def refusal_of_proxy(error: ProxyError) -> CredtrayError:
    """Return why a proxy did not carry a request."""
    found = _REFUSED_TUNNEL.search(str(error.original_error))
    status = int(found[1]) if found else None
    if status == _WANTS_LOGIN:
        return ProxyRefused("it wants a user name and a password, or others than these (HTTP 407)")
    if status == _FORBIDDEN:
        return ProxyRefused(
            "it does not let this address through (HTTP 403)", hint="Ask who runs the proxy for it."
        )
    return Offline("the proxy cannot be used" + (f" (HTTP {status})" if status else ""))
