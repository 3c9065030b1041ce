"""Finds out who issued a certificate that was refused, so that a person knows which authority to ask for.

Only shakes hands: not one byte of a request goes over the connection, which is closed at once.
"""

from __future__ import annotations

import ssl
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from credtray.aws.proxies import login_headers
from credtray.core.certificate_names import issuer_name

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
