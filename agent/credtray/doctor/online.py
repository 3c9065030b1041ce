"""Tries to reach the services of each session as the agent would: its proxy, its CA bundle, its endpoints.

Sends a request without any token or key, and looks at nothing in the answer but its date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import urlsplit

from credtray.aws.clients import Clients
from credtray.aws.error_table import http_date
from credtray.aws.overrides import Override
from credtray.aws.proxies import proxy_for
from credtray.aws.service_call import Limits, Request
from credtray.core.errors import CredtrayError, PortalFailed
from credtray.core.models import SsoSession
from credtray.core.ports import Clock
from credtray.doctor.collect_around import PROBE_SECONDS, Probe, together, trouble_of
from credtray.doctor.evidence import EndpointSight, without_login

MOST_SESSIONS = 16
"""Sessions that are tried; whoever has more has them at the same few addresses."""


def endpoints(sessions: Mapping[str, SsoSession], clock: Clock) -> tuple[EndpointSight, ...]:
    """Try token service and portal of each session, all at once."""
    clients = Clients(Limits(connect=PROBE_SECONDS, read=PROBE_SECONDS, total=PROBE_SECONDS))
    probes: dict[str, Probe] = {}
    for session in list(sessions.values())[:MOST_SESSIONS]:
        for url, override in _urls(clients, session):
            key = f"{session.name} {url}"
            probes[key] = partial(_look, key, clients, session, url, override, clock)
    # The transport keeps its own time; the rest is for finding out who issued a refused certificate.
    looked = together(probes, PROBE_SECONDS * 2.5)
    return tuple(looked.fields[key] for key in probes if key in looked.fields)


def _urls(clients: Clients, session: SsoSession) -> Iterator[tuple[str, Override | None]]:
    """Yield where each service of the session is, and whether somebody set that in place of AWS's address."""
    set_so, named = session.endpoints, session.endpoints.sources
    for client, url, source in (
        (clients.oidc, set_so.oidc, named.oidc),
        (clients.portal, set_so.portal, named.portal),
    ):
        try:
            override = None if url is None else Override.of(url, source)
            yield str(client(session).meta.endpoint_url), override
        except CredtrayError:
            continue  # a region or an endpoint that is none: doctor tells of it from the config file


def _look(
    key: str,
    clients: Clients,
    session: SsoSession,
    url: str,
    override: Override | None,
    clock: Clock,
) -> dict[str, EndpointSight]:
    host = urlsplit(url).netloc
    proxy: str | None = None
    named = None if override is None else override.source
    try:
        way = proxy_for(url, session.endpoints.proxy, session.endpoints.sources.proxy)
        proxy = None if way is None else without_login(way.url)
        reply = clients.transport(session.endpoints).send(Request("GET", f"{url.rstrip('/')}/", {}))
        if override is not None and (reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.is_web_page):
            page = " with a web page" if reply.is_web_page else ""
            raise PortalFailed(override.within(f"HTTP {reply.status}{page}"), hint=override.hint)
    except CredtrayError as error:
        told = error if override is None else override.told(error)
        return {key: EndpointSight(session.name, host, trouble_of(told), proxy, override=named)}
    date = http_date(reply.headers.get("date", ""))
    error_of_clock = None if date is None else date - clock.now()
    return {key: EndpointSight(session.name, host, None, proxy, error_of_clock, named)}
