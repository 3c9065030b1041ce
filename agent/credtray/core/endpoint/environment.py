"""The variables that lead a program to the local credentials endpoint.

Pure: names and values only. Those that override it: core/child_environment. The token stays in its
file, but for programs that are too old to read one.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from credtray.core.child_environment import OVER_ENDPOINT, REGIONS
from credtray.core.secret import Secret

ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 -- the name of a variable
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 -- as above

_HTTP_PORT = 80


def place_here(address: str) -> tuple[str, int] | None:
    """Return host and port to connect to when an address is plain HTTP on this machine; None for any other.

    The host is an IP address: whether ``localhost`` is this machine is asked of nobody.
    """
    try:
        parts = urlsplit(address)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        port = parts.port or _HTTP_PORT
        here = parts.scheme == "http" and ip_address(host).is_loopback
    except ValueError:  # no address, or a name
        return None
    return (host, port) if here else None


def variables(url: str, token_file: str, region: str | None) -> dict[str, str]:
    """Return the variables a program needs to be given."""
    found = {ADDRESS: url, TOKEN_FILE: token_file}
    return found if region is None else found | dict.fromkeys(REGIONS, region)


def with_token(found: Mapping[str, str], token: Secret) -> dict[str, str]:
    """Return the same variables with the token itself, for programs that do not read a file."""
    return {name: value for name, value in found.items() if name != TOKEN_FILE} | {TOKEN: token.reveal()}


def shadows_of(found: Mapping[str, str]) -> tuple[str, ...]:
    """Return what has to go for these variables to count."""
    return tuple(name for name in (*OVER_ENDPOINT, TOKEN_FILE) if name not in found)
