"""Tries to reach the services of each session as the agent would: its proxy, its CA bundle, its endpoints.

Sends a request without any token or key, and looks at nothing in the answer but its date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from credtray.aws.clients import Clients
from credtray.aws.error_table import http_date
from credtray.aws.proxies import proxy_for
from credtray.aws.wire import Limits, Request
from credtray.checkup.around import trouble_of
from credtray.checkup.probes import PROBE_SECONDS, Probe, together
from credtray.core.diagnosis.environment import without_login
from credtray.core.diagnosis.facts import EndpointSight
from credtray.core.errors import CredtrayError
from credtray.core.models import SsoSession
from credtray.core.ports import Clock

MOST_SESSIONS = 16
"""Sessions that are tried; whoever has more has them at the same few addresses."""


def endpoints(sessions: Mapping[str, SsoSession], clock: Clock) -> tuple[EndpointSight, ...]:
    """Try token service and portal of each session, all at once."""
    clients = Clients(Limits(connect=PROBE_SECONDS, read=PROBE_SECONDS, total=PROBE_SECONDS))
    probes: dict[str, Probe] = {}
    for session in list(sessions.values())[:MOST_SESSIONS]:
        for url in _urls(clients, session):
            key = f"{session.name} {url}"
            probes[key] = partial(_look, key, clients, session, url, clock)
    # The transport keeps its own time; the rest is for finding out who issued a refused certificate.
    looked = together(probes, PROBE_SECONDS * 2.5)
    return tuple(looked.fields[key] for key in probes if key in looked.fields)


def _urls(clients: Clients, session: SsoSession) -> Iterator[str]:
    for client in (clients.oidc, clients.portal):
        try:
            yield str(client(session).meta.endpoint_url)
        except CredtrayError:
            continue  # a region or an endpoint that is none: doctor tells of it from the config file


def _look(
    key: str, clients: Clients, session: SsoSession, url: str, clock: Clock
) -> dict[str, EndpointSight]:
    host = urlsplit(url).netloc
    proxy: str | None = None
    try:
        way = proxy_for(url, session.endpoints.proxy)
        proxy = None if way is None else without_login(way)
        reply = clients.transport(session.endpoints).send(Request("GET", f"{url.rstrip('/')}/", {}))
    except CredtrayError as error:
        return {key: EndpointSight(session.name, host, trouble_of(error), proxy)}
    date = http_date(reply.headers.get("date", ""))
    error_of_clock = None if date is None else date - clock.now()
    return {key: EndpointSight(session.name, host, None, proxy, error_of_clock)}
