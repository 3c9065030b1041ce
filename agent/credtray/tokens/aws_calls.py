"""Asks services of AWS that only tokens are about, with the keys of one profile.

Must not retry, keep keys or follow an address of an answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from credtray.cli.backend import ask
from credtray.core.addresses import check_region, shown
from credtray.core.errors import RequestRefused, UnexpectedReply, UnknownProfile, UsageError
from credtray.core.models import Endpoints, RoleCredentials, Way
from credtray.core.protocol import Credentials, ProcessCredentials
from credtray.core.shell_words import argument
from credtray.core.words import did_you_mean
from credtray.tokens import kube_fast
from credtray.tokens.kubeconfig import Cluster

S = TypeVar("S")

_NOT_FOUND = "ResourceNotFoundException"
_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
_MOST_CLUSTERS = 1000


@dataclass(frozen=True, slots=True)
class Asker:
    """A profile's keys, and where they are used."""

    profile: str
    issued: ProcessCredentials
    region: str
    endpoints: Endpoints

    @classmethod
    def of(cls, profile: str, way: Way, region: str | None) -> Asker:
        """Ask for the keys of a profile, for this way.

        Raises:
            CredtrayError: there are none, or there is no region.
        """
        issued = ask(Credentials(profile, way))
        known, endpoints = known_places(profile)
        return cls(profile, issued, chosen_region(profile, region, known), endpoints)

    def client(self, service: str) -> Any:
        """Return a client of the service, at the address that a variable names or at its own."""
        from credtray.aws.clients import Clients

        names = (f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}", "AWS_ENDPOINT_URL")
        ignored = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
        found = () if ignored else (name for name in names if os.environ.get(name))
        chosen = next(((os.environ[name], name) for name in found), None)
        return Clients().signed(service, keys_of(self.issued), self.region, self.endpoints, chosen)

    def call(
        self, operation: Callable[..., Mapping[str, object]], arguments: Mapping[str, object], shape: type[S]
    ) -> S:
        """Return the answer of one operation.

        Raises:
            RequestRefused: the service says no; its words are quoted.
            UsageError: what was named is not there.
            CredtrayError: there was no answer, or one of another shape.
        """
        from credtray.aws.error_table import Service
        from credtray.aws.service_call import ServiceRefused, attempt

        try:
            return attempt(Service.OTHER, operation, arguments, shape, lambda: datetime.now(UTC)).value
        except ServiceRefused as refused:
            code, told = refused.refusal.code, refused.error
            if code == _NOT_FOUND:
                raise UsageError(f"AWS knows nothing of that name in {self.region}: {told.detail}") from None
            if isinstance(told, RequestRefused):
                hint = f"Ask your administrator for it, or use another profile than {self.profile}."
                other = f"`credtray whoami {argument(self.profile)}` shows whose keys were used."
                raise RequestRefused(told.detail, hint=hint if code in _DENIED else other) from None
            raise told from None


def known_places(name: str) -> tuple[str | None, Endpoints]:
    """Return the region of a profile, and what chooses its hosts.

    Raises:
        UnknownProfile: there is no such profile.
    """
    from credtray.app import build
    from credtray.cli.configured import configuration

    config, settings = configuration(build())
    profile = config.profiles.get(name)
    if profile is None:
        raise UnknownProfile(f"{name!r}.{did_you_mean(name, config.profiles)}")
    endpoints = profile.endpoints_in(config.sessions[profile.session])
    return settings.profile(name).region or profile.region, endpoints


def keys_of(issued: ProcessCredentials) -> RoleCredentials:
    """Return the keys as our clients take them."""
    ends = datetime.fromisoformat(issued.expiration)
    return RoleCredentials(
        issued.access_key_id, issued.secret_access_key, issued.session_token, ends, datetime.now(UTC)
    )


def chosen_region(profile: str, wanted: str | None, known: str | None) -> str:
    """Return the region that was *wanted*, else that of the environment, else what is *known* of the profile.

    Raises:
        UsageError, RegionRefused: there is none, or it is none.
    """
    found = wanted or kube_fast.region_around() or known
    if not found:
        raise UsageError(f"{profile} has no region", hint="Name one: --region REGION")
    return check_region(found)


# --- clusters ----------------------------------------------------------------------------------------


class _Page(msgspec.Struct, rename="camel"):
    clusters: list[str]
    next_token: str | None = None


class _Authority(msgspec.Struct):
    data: str = ""


class _Described(msgspec.Struct, rename="camel"):
    name: str
    endpoint: str | None = None
    certificate_authority: _Authority = msgspec.field(default_factory=_Authority)


class _Answer(msgspec.Struct):
    cluster: _Described


def cluster_names(asker: Asker) -> list[str]:
    """Return the names of all clusters of the account in this region; odd ones are left out."""
    client = asker.client("eks")
    return sorted(name for name in _names(asker, client) if kube_fast.is_cluster(name))


def _names(asker: Asker, client: Any) -> Iterator[str]:
    more: dict[str, object] = {}
    found = 0
    while found < _MOST_CLUSTERS:
        page = asker.call(client.list_clusters, {"maxResults": 100, **more}, _Page)
        yield from page.clusters
        found += len(page.clusters)
        if not page.next_token or not page.clusters:
            return
        more = {"nextToken": page.next_token}


def described(asker: Asker, names: Iterable[str]) -> Iterator[tuple[str, Cluster | None]]:
    """Yield each cluster; None: it is being made and cannot be reached yet.

    Raises:
        UnexpectedReply: what EKS says of it cannot be.
    """
    client = asker.client("eks")
    for name in names:
        told = asker.call(client.describe_cluster, {"name": name}, _Answer).cluster
        if told.endpoint is None:
            yield name, None
            continue
        authority = told.certificate_authority.data
        plain = authority.replace("=", "").replace("+", "").replace("/", "")
        if told.name != name or not told.endpoint.startswith("https://") or not told.endpoint.isprintable():
            raise UnexpectedReply(f"DescribeCluster of {name}: {shown(told.name)} at {shown(told.endpoint)}")
        if not (plain.isascii() and plain.isalnum()):
            raise UnexpectedReply(f"DescribeCluster of {name}: its certificate is not base64")
        yield name, Cluster(name, told.endpoint, authority)
