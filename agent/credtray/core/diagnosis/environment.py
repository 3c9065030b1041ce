"""The variables that matter to AWS programs, fit to be shown: secrets are only ``set``.

Takes the environment as a mapping and reads nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from credtray.core.addresses import shown

SET = "set"
"""Stands for a value that is not shown."""

SHOWN = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "AWS_SDK_LOAD_CONFIG",
        "NO_PROXY",
        "no_proxy",
    }
)
PROXIES = frozenset({"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"})
"""Shown without their login."""


def spoken(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that are set and matter; of those that may hold a secret only that they are."""
    found: dict[str, str] = {}
    for name, value in environ.items():
        if not value:
            continue
        if name in SHOWN:
            found[name] = value
        elif name in PROXIES:
            found[name] = without_login(value)
        elif name.startswith("AWS_"):
            found[name] = SET
    return MappingProxyType(found)


def without_login(address: str) -> str:
    """Return a proxy's scheme, host and port; ``set`` when it cannot be taken apart."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return SET
    host = parts.hostname or ""
    return shown(f"{parts.scheme}://{host}{port}").strip('"') if host else SET
