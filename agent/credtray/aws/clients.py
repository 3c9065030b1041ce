"""Builds botocore clients that depend on nothing but what they are given, and carries their requests.

Must not read the user's profiles, credentials or retry settings, and must not import botocore before the
first network call: it costs 30 MiB and a third of a second.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credtray import __version__
from credtray.aws.overrides import PROXY_HEADER, Override
from credtray.aws.service_call import Limits, Request, approved, blamed
from credtray.core.addresses import check_region, shown
from credtray.core.errors import CredtrayError, NetworkSettingRefused
from credtray.core.models import Endpoints, RoleCredentials, Secret, Sources, SsoSession

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.config import Config
    from botocore.session import Session
    from mypy_boto3_sso.client import SSOClient
    from mypy_boto3_sso_oidc.client import SSOOIDCClient
    from mypy_boto3_sts.client import STSClient

    from credtray.aws.transport import Transport

Way = tuple[str | None, Secret | None, Sources]
"""CA bundle and proxy, and what named them."""

_SCHEMES = frozenset({"http", "https"})
_PASSED_ON = frozenset({"content-type", "date", "retry-after", "x-amzn-errortype", "x-amzn-requestid"})
"""The reply headers botocore gets to see."""


class Clients:
    """Keeps one client per service, region and endpoint; safe to use from several threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._transports: dict[Way, Transport] = {}
        self._clients: dict[tuple[str, str, str | None, bool, bool, Way], Any] = {}

    def oidc(self, session: SsoSession) -> SSOOIDCClient:
        """Return the unsigned sso-oidc client of this session.

        Raises:
            RegionRefused: the region cannot be part of a host name.
            NetworkSettingRefused: the endpoint override is no address.
        """
        client: SSOOIDCClient = self._kept(
            "sso-oidc", session.region, session.endpoints.oidc, session.endpoints
        )
        return client

    def portal(self, session: SsoSession) -> SSOClient:
        """Return the unsigned sso (portal) client of this session; raises as ``oidc`` does."""
        client: SSOClient = self._kept("sso", session.region, session.endpoints.portal, session.endpoints)
        return client

    def sts(self, keys: RoleCredentials, region: str, endpoints: Endpoints) -> STSClient:
        """Return an STS client that signs with these keys; made anew, because keys change hourly.

        Raises: as ``oidc`` does.
        """
        endpoint = endpoints.sts
        if endpoint is None and endpoints.global_sts and not (endpoints.fips or endpoints.dual_stack):
            endpoint, region = _global_sts(region)
        with self._lock:
            client: STSClient = self._made("sts", region, endpoint, endpoints, keys)
        return client

    def signed(
        self,
        service: str,
        keys: RoleCredentials,
        region: str,
        endpoints: Endpoints,
        address: tuple[str, str] | None = None,
    ) -> Any:
        """Return a client of another service that signs with these keys; raises as ``oidc`` does.

        Args:
            service: as botocore names it.
            keys: of the profile.
            region: of the service.
            endpoints: the profile's.
            address: where the service is instead of its usual place, and what says so.
        """
        url, source = address or (None, None)
        if url is not None and not _is_web_address(url):
            raise _no_address(url, source)
        with self._lock:
            return self._made(service, region, url, endpoints, keys)

    def transport(self, endpoints: Endpoints) -> Transport:
        """Return the transport that goes this way: its CA bundle and proxy, or the defaults."""
        with self._lock:
            return self._transport(endpoints)

    def _kept(self, service: str, region: str, endpoint: str | None, endpoints: Endpoints) -> Any:
        key = (service, region, endpoint, endpoints.fips, endpoints.dual_stack, _way(endpoints))
        with self._lock:  # botocore sessions must not create two clients at once
            if key not in self._clients:
                self._clients[key] = self._made(service, region, endpoint, endpoints, None)
            return self._clients[key]

    def _made(
        self,
        service: str,
        region: str,
        endpoint: str | None,
        endpoints: Endpoints,
        keys: RoleCredentials | None,
    ) -> Any:
        if self._session is None:
            self._session = _independent_session()
        if endpoint is not None and not _is_web_address(endpoint):
            raise _no_address(endpoint, _source(service, endpoints))
        make: Any = self._session.create_client  # typed by service name literals; here it is a variable
        try:
            client = make(
                service,
                region_name=check_region(region),
                endpoint_url=endpoint,
                config=_config(endpoints, signed=keys is not None),
                aws_access_key_id=keys.access_key_id if keys else None,
                aws_secret_access_key=keys.secret_access_key.reveal() if keys else None,
                aws_session_token=keys.session_token.reveal() if keys else None,
            )
        except ValueError as error:
            raise _no_client(error, endpoint, _source(service, endpoints)) from None
        except (OSError, MemoryError, ImportError) as error:
            raise blamed(error) from None
        carrier = _carrier(self._transport(endpoints), _override(service, endpoints))
        client.meta.events.register("before-send", carrier)
        return client

    def _transport(self, endpoints: Endpoints) -> Transport:
        from credtray.aws.transport import Transport  # late, see the module's docstring

        way = _way(endpoints)
        if way not in self._transports:
            self._transports[way] = Transport(
                endpoints.ca_bundle, self._limits, endpoints.proxy, endpoints.sources
            )
        return self._transports[way]


def _global_sts(region: str) -> tuple[str | None, str]:
    """Return the address and the region that signs, as ``sts_regional_endpoints = legacy`` means it."""
    from botocore.args import LEGACY_GLOBAL_STS_REGIONS  # late, see the module's docstring

    if region not in LEGACY_GLOBAL_STS_REGIONS:
        return None, region
    return "https://sts.amazonaws.com", "us-east-1"


def _way(endpoints: Endpoints) -> Way:
    return endpoints.ca_bundle, endpoints.proxy, endpoints.sources


def _source(service: str, endpoints: Endpoints) -> str | None:
    sources = endpoints.sources
    return {"sso-oidc": sources.oidc, "sso": sources.portal, "sts": sources.sts}.get(service)


def _override(service: str, endpoints: Endpoints) -> Override | None:
    url = {"sso-oidc": endpoints.oidc, "sso": endpoints.portal, "sts": endpoints.sts}.get(service)
    return None if url is None else Override.of(url, _source(service, endpoints))


def _no_client(error: ValueError, endpoint: str | None, source: str | None) -> CredtrayError:
    """Botocore 1.44 raises a bare ValueError for an endpoint that is no URL."""
    if endpoint is None:
        return blamed(error)
    return _no_address(endpoint, source)


def _is_web_address(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or half an IPv6 address
        return False


def _no_address(endpoint: str, source: str | None) -> CredtrayError:
    named = source or "the endpoint"
    return NetworkSettingRefused(
        f"{named} is not an address: {shown(endpoint)}",
        hint=f"Write it as https://HOST, or remove {named}.",
    )


def _independent_session() -> Session:
    """Return a botocore session blind to files and to the environment.

    An AWS_PROFILE that names no profile, a broken AWS_CONFIG_FILE or an AWS_RETRY_MODE of yesterday would
    otherwise stop every client (botocore 1.44 session.py, configprovider.py).
    """
    from botocore.session import Session  # late, see the module's docstring

    blind: dict[str, Any] = {
        name: (None, None, default, conversion)
        for name, (_, _, default, conversion) in Session.SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        blind[name] = (None, None, os.devnull, None)
    # Overrides, AWS_ENDPOINT_URL included, were resolved by whoever read the config file.
    blind["ignore_configured_endpoint_urls"] = (None, None, True, None)
    return Session(session_vars=blind)


def _config(endpoints: Endpoints, *, signed: bool) -> Config:
    from botocore import UNSIGNED  # late, see the module's docstring
    from botocore.config import Config

    return Config(
        signature_version=None if signed else UNSIGNED,
        retries={"mode": "standard", "total_max_attempts": 1},  # policy retries, and only policy
        use_fips_endpoint=endpoints.fips,
        use_dualstack_endpoint=endpoints.dual_stack,
        proxies={},  # the transport chooses the proxy
        user_agent_extra=f"credtray/{__version__}",
    )


def _carrier(transport: Transport, override: Override | None) -> Callable[..., AWSResponse]:
    """Return a ``before-send`` handler: what it returns, botocore takes for the service's answer."""
    from botocore.awsrequest import AWSResponse  # late, see the module's docstring

    answer: Any = AWSResponse  # takes any mapping and any body with stream(), whatever the stubs say

    def carry(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        try:
            reply = transport.send(_as_request(request))
            body = approved(operation, reply)
        except CredtrayError as error:
            raise (error if override is None else override.told(error)) from None
        kept = {name: value for name, value in reply.headers.items() if name in _PASSED_ON}
        kept |= {} if override is None else override.headers
        kept |= {PROXY_HEADER: reply.proxy} if reply.proxy is not None and reply.is_web_page else {}
        whole: AWSResponse = answer(request.url, reply.status, kept, _Whole(body))
        return whole

    return carry


def _as_request(request: AWSPreparedRequest) -> Request:
    headers = {name: _text(value) for name, value in request.headers.items()}
    body = request.body
    if not isinstance(body, bytes | str | None):
        raise TypeError("none of our requests streams its body")
    return Request(request.method, request.url, headers, body.encode() if isinstance(body, str) else body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _Whole:
    """A body that has been read already, in the shape ``AWSResponse.content`` reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
