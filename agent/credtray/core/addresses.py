"""Says which start URLs, regions and browser addresses credtray will use.

Only looks at text: nothing is resolved, fetched or opened here.
"""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from urllib.parse import urlsplit

from credtray.core.errors import RegionRefused, StartUrlRefused
from credtray.core.models import SsoSession

MAX_LENGTH = 2048
"""Longer addresses are refused: browsers and the service cut at about this length."""

_HTTPS_PORT = 443
_USUAL_PORTS = {"https": _HTTPS_PORT, "http": 80}
_AROUND = string.whitespace + "\"'`<>()[]{},;\u00a0\u200b\u2060\ufeff\u2018\u2019\u201c\u201d\u00ab\u00bb"
_BARE_ADDRESS = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?(?:[/?#]\S*)?\Z", re.ASCII)
"""A host name of two parts at least, with port and path or without: a scheme has no dot in it."""

# botocore 1.44, data/partitions.json: what the names of services end in, and those of dual-stack endpoints.
_SERVICES = (
    "amazonaws.com",  # aws and aws-us-gov
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",  # the four isolated partitions
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
)
_DUAL_STACK = (
    "api.aws",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "api.aws.ic.gov",
    "api.aws.scloud",
    "api.cloud-aws.adc-e.uk",
    "api.aws.hci.ic.gov",
)

# AWS CLI 2.36, awscli/customizations/sso/resolve.py: the hosts a start URL may have without being followed.
_OWNED_DOMAINS = (
    "app.aws",
    "app.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "awsapps.com",
    "awsapps.cn",
    *(f"portal.{services}" for services in _SERVICES),
)

_OTHER_DOMAINS = (
    "aws",
    "aws.dev",
    "aws.amazon.com",
    "amazonaws.cn",
    "amazonaws-us-gov.com",
    "amazonaws-eusc.eu",
    "amazonwebservices.com.cn",
    "amazonwebservices.eu",
    "aws.ic.gov",
    "aws.scloud",
    "cloud-aws.adc-e.uk",
    "aws.hci.ic.gov",
    *_SERVICES,
)
"""Only AWS gives out names here, some of them to customers: an unknown one may be a portal's new name."""

_REGION = r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}"  # not \d, which takes the digits of all scripts
_REGION_FORM = re.compile(rf"{_REGION}\Z")


def _either(domains: Iterable[str]) -> str:
    return "|".join(re.escape(domain) for domain in domains)


# The issuer of each partition: aws-us-gov shares its domain with aws and has a word of its own (AWS Toolkit,
# SsoUtils; AWS SDK for .NET, SSOEndpointResolver). Any other word could be a customer's name.
_ISSUER_HOST = re.compile(rf"identitycenter\.(?:(?:us-gov|{_REGION})\.)?(?:{_either(_SERVICES)})\Z")

ISSUER_PATH = re.compile(r"/(?:(?P<instance>ssoins-[a-z0-9]+)|(?P<directory>d-[a-z0-9]+))/?\Z")
"""Path of an issuer: an instance of Identity Center, or its directory."""

# Where a sign-in begins: /authorize of the token service (all partitions, FIPS and dual-stack forms of
# botocore's endpoints), and the page that takes a device code.
_SIGN_IN_HOST = re.compile(
    rf"(?:(?:oidc|oidc-fips)\.{_REGION}\.(?:{_either((*_SERVICES, *_DUAL_STACK))})"
    rf"|device\.sso\.{_REGION}\.(?:{_either(_SERVICES)}))\Z"
)

# AWS CLI 2.36, resolve.py: where the host name of a portal carries its region.
_REGION_IN_HOST = re.compile(
    r"[^.]+\.(?:portal\.(?P<after>[a-z0-9-]+)\.(?:app\.aws|app\.amazonwebservices\.com\.cn"
    r"|api\.amazonwebservices\.eu)"
    r"|(?P<before>[a-z0-9-]+)\.portal\.amazonaws\.(?:com(?:\.cn)?|eu))\Z"
)

# RFC 3986 characters only: no space, control, quote, backslash, angle bracket, and no non-ASCII letter.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?#][A-Za-z0-9._~%:/?#\[\]@!$&'()*+,;=-]*)?\Z",
    re.IGNORECASE | re.ASCII,  # without ASCII the Kelvin sign is a k and the long s an s
)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")


class StartUrlKind(Enum):
    """How a start URL is used."""

    AWS_OWNED = "aws_owned"
    """A portal or an issuer: sent as it is."""
    OF_AWS = "of_aws"
    """A name of AWS that is not known here: followed where it leads to a portal, else sent as it is."""
    VANITY = "vanity"
    """An organisation's own name: followed once, and must lead to an AWS host (AWS CLI 2.36)."""


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    host: str
    port: int


def start_url_kind(url: str) -> StartUrlKind:
    """Check a start URL and say whether it must be followed first.

    Raises:
        StartUrlRefused: not https, not a plain host name, a user name or odd characters in it, too long.
    """
    problem = _start_url_problem(url)
    if problem is not None:
        raise StartUrlRefused(f"{shown(url)} {problem}")
    address = _parse(url)
    if is_aws_owned(address):
        return StartUrlKind.AWS_OWNED
    of_aws = address is not None and address.port == _HTTPS_PORT and _below(address.host, _OTHER_DOMAINS)
    return StartUrlKind.OF_AWS if of_aws else StartUrlKind.VANITY


def check_resolved(url: str, original: str) -> str:
    """Return where a vanity start URL led, fit to be sent as start URL: host and path only.

    The result has no query, fragment or final slash (AWS CLI 2.36, resolve.py ``_normalize_url``).

    Raises:
        StartUrlRefused: it did not lead to an https address of AWS.
    """
    problem = _start_url_problem(url)
    if problem is None and start_url_kind(url) is not StartUrlKind.AWS_OWNED:
        problem = "is no access portal of AWS"
    if problem is not None:
        raise StartUrlRefused(f"{shown(original)} leads to {shown(url)}, which {problem}")
    parts = urlsplit(url)
    return f"https://{(parts.hostname or '').lower()}{parts.path.rstrip('/')}"


def region_in_host(url: str) -> str | None:
    """Return the region that the host name of an AWS portal carries, or None."""
    match = _REGION_IN_HOST.match((urlsplit(url).hostname or "").lower())
    found = match and (match["after"] or match["before"])
    return found if found and _REGION_FORM.match(found) else None


def check_region(region: str) -> str:
    """Return the region, when it has the form of one such as ``eu-central-1``.

    Raises:
        RegionRefused: anything else; a region becomes part of host names.
    """
    if not _REGION_FORM.match(region):
        raise RegionRefused(f"{shown(region)} is not a region name")
    return region


def browser_address_allowed(url: str, session: SsoSession) -> bool:
    """Whether a sign-in of this session may open this address in a browser.

    That is https on a host of AWS, or the very origin of an endpoint the user configured (which may be
    plain http only on this machine).
    """
    address = _parse(url)
    if address is None:
        return False
    if address.scheme == "https" and address.port == _HTTPS_PORT:
        if is_aws_owned(address) or _SIGN_IN_HOST.match(address.host):
            return _host_problem(address.host) is None
    elif address.scheme == "http" and not _is_loopback(address.host):
        return False
    configured = (session.endpoints.oidc, session.endpoints.portal)
    return any(origin and _parse(origin) == address for origin in configured)


def is_aws_owned(address: _Address | None) -> bool:
    """Whether the host is on AWS's own list of portal hosts."""
    if address is None or address.port != _HTTPS_PORT:
        return False
    return _ISSUER_HOST.match(address.host) is not None or _below(address.host, _OWNED_DOMAINS)


def is_issuer(url: str) -> bool:
    """Whether a start URL is the name of an instance at ``identitycenter.*``: sent, but no web site."""
    address = _parse(url)
    return address is not None and _ISSUER_HOST.match(address.host) is not None


def same_portal_address(one: str, other: str) -> bool:
    """Whether two start URLs differ only in how they are written: see ``normal_start_url``."""
    return one == other or normal_start_url(one) == normal_start_url(other)


def normal_start_url(url: str) -> str:
    """Return a start URL as far as it says which portal is meant; for comparing, never for cache keys.

    Without the case of scheme and host, the usual port, a final dot of the host, final slashes and a
    fragment; what is no address stays as it is.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:  # an unclosed bracket, or a port that is no number
        return url
    if not host.isascii():
        with suppress(UnicodeError):  # no name that could be written in ASCII
            host = host.encode("idna").decode()
    user, at, _ = parts.netloc.rpartition("@")
    where = host if port in {None, _USUAL_PORTS.get(parts.scheme)} else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{user}{at}{where}{parts.path.rstrip('/')}{query}"


def pasted_start_url(text: str) -> str:
    """Return the address in what a person pasted: without blanks, quotes and brackets around it.

    A host name without a scheme gets ``https://``; everything else is left for ``start_url_kind`` to judge.
    """
    url = text.strip(_AROUND)
    return f"https://{url}" if _BARE_ADDRESS.match(url) else url


def _below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def shown(text: str) -> str:
    """Return foreign text fit for a message: printable, quoted, at most about 80 characters."""
    clean = "".join(char if char.isprintable() else "?" for char in text[:80])
    return f'"{clean}{"..." if len(text) > len(clean) else ""}"'


def _start_url_problem(url: str) -> str | None:
    if len(url) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if not url.lower().startswith("https://"):
        return "does not begin with https://"
    if "@" in re.split(r"[/?#]", url[len("https://") :], maxsplit=1)[0]:
        return "has a user name before the host"
    address = _parse(url)
    return "is not a plain web address" if address is None else _host_problem(address.host)


def _host_problem(host: str) -> str | None:
    *names, domain = host.split(".")
    if not names or not all(_LABEL.match(label) for label in (*names, domain)) or domain.isdigit():
        return "has no plain host name"
    if any(label.startswith("xn--") for label in (*names, domain)):
        return "has an internationalised host name, which can look like another one"
    return None


def _parse(url: str) -> _Address | None:
    match = _ADDRESS.match(url) if len(url) <= MAX_LENGTH else None
    if match is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else _HTTPS_PORT if scheme == "https" else 80
    return _Address(scheme, match["host"].lower(), port) if 0 < port < 2**16 else None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


# What an address must be to name a proxy. Pure; never quotes the address: it may hold a password.


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


DEFAULT_SCOPES = ("sso:account:access",)
"""The one scope credtray needs; the AWS CLI's own default."""

DEFAULT_SIGN_IN_LENGTH = timedelta(hours=8)
"""The service's default for a sign-in (15 minutes to 90 days can be configured)."""
