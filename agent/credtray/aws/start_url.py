"""Follows a vanity start URL to the AWS access portal behind it, as AWS CLI 2.36 does.

Must not follow more than one redirect, nor trust where it leads: core/addresses judges that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urljoin

from credtray.aws.wire import Reply, Request
from credtray.core.addresses import StartUrlKind, check_resolved, region_in_host, shown, start_url_kind
from credtray.core.errors import CredtrayError, StartUrlRefused
from credtray.core.models import SsoSession

_log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEAD_NOT_OFFERED = frozenset({405, 501})


def resolve_start_url(session: SsoSession, send: Callable[[Request], Reply]) -> tuple[str, str]:
    """Return (start URL to send, region); a host that is known to be a portal of AWS costs no request.

    An unknown host below a domain of AWS is looked up; where that leads to no portal, it is sent as it is:
    AWS knows its own names.

    Raises:
        StartUrlRefused: it is no https address, or does not lead to AWS in one step.
        Offline, CertificateRefused: the vanity host cannot be asked.
    """
    url = session.start_url
    kind = start_url_kind(url)
    if kind is StartUrlKind.AWS_OWNED:
        return url, session.region
    try:
        resolved = _followed(url, send)
    except CredtrayError as error:
        if kind is not StartUrlKind.OF_AWS:
            raise
        _log.warning("the start URL %s is sent as it is: looking it up failed (%s)", shown(url), error)
        return url, session.region
    return resolved, region_in_host(resolved) or session.region


def _followed(url: str, send: Callable[[Request], Reply]) -> str:
    reply = send(_request("HEAD", url))
    if reply.status in _HEAD_NOT_OFFERED:
        reply = send(_request("GET", url))
    target = reply.headers.get("location", "")
    if reply.status not in _REDIRECTS or not target:
        raise StartUrlRefused(f"{shown(url)} does not lead to an AWS access portal (HTTP {reply.status})")
    return check_resolved(_joined(url, target), url)


def _request(method: str, url: str) -> Request:
    return Request(method, url.partition("#")[0], {"Accept": "*/*"})


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # such as an unclosed bracket
        return target
