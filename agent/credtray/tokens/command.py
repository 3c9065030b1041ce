"""`credtray kube-token`, the slow way (options, no agent that answered, hosts that somebody has chosen).

Prints a token on stdout because that was asked for; in notes and errors there is none.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from credtray.cli.choices import ProfileOption, RegionOption
from credtray.cli.credentials import GIVE_UP_SECONDS, issued_within
from credtray.core.addresses import shown
from credtray.core.errors import UsageError
from credtray.core.models import Endpoints, RoleCredentials, Way
from credtray.core.protocol import Credentials, ProcessCredentials
from credtray.tokens import kube_fast
from credtray.tokens.aws_calls import chosen_region, known_places
from credtray.tokens.presigned import Signer, service_host

_WITHIN = f"{GIVE_UP_SECONDS:.0f}"


def kube_token(
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="The cluster's name in Amazon EKS.")],
    profile: ProfileOption,
    region: RegionOption = None,
    no_agent: Annotated[bool, typer.Option("--no-agent", hidden=True)] = False,
    within: Annotated[str, typer.Option("--within", hidden=True)] = _WITHIN,
) -> None:
    """Print a token for a Kubernetes cluster in Amazon EKS.

    For kubectl and its kind, in place of `aws eks get-token`: the same token, about as fast as Python
    starts. It is made on this computer and lasts for 14 minutes.

    Examples:
      credtray kube-token my-cluster --profile synderys-dns
      credtray kube-token my-cluster -P synderys-dns --region eu-central-1
    """
    if not kube_fast.is_cluster(cluster):
        raise UsageError(
            f"{shown(cluster)} is not the name of a cluster",
            hint="A cluster's name has up to 100 letters, digits, - and _.",
        )
    issued = issued_within(Credentials(profile, Way.KUBE), within, agent=not no_agent)
    known, endpoints = known_places(profile)
    chosen = chosen_region(profile, region or kube_fast.region_around() or known)
    now = time.time()
    if _plain(endpoints):
        signer = Signer(members(issued), chosen, stamp(now))
        host, header = service_host("sts", chosen), {kube_fast.HEADER: cluster}
        address = signer.address("sts", host, kube_fast.ASKED, kube_fast.URL_SECONDS, header)
    else:
        address = _by_botocore(cluster, issued, chosen, endpoints)
    sys.stdout.buffer.write(kube_fast.exec_credential(address, issued.expiration, now))


def members(issued: ProcessCredentials) -> dict[str, str]:
    """Return role credentials as ``Signer`` takes them: the secrets are in it."""
    found: dict[str, str] = json.loads(issued.line())
    return found


def stamp(now: float) -> str:
    """Return the time as a signature names it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _plain(chosen: Endpoints) -> bool:
    return not (chosen.sts or chosen.fips or chosen.dual_stack or chosen.global_sts)


def _by_botocore(cluster: str, issued: ProcessCredentials, region: str, endpoints: Endpoints) -> str:
    """Return the signed address on the host that botocore chooses."""
    from credtray.aws.clients import Clients

    ends = datetime.fromisoformat(issued.expiration)
    keys = RoleCredentials(
        issued.access_key_id, issued.secret_access_key, issued.session_token, ends, datetime.now(UTC)
    )

    def name_the_cluster(request: Any, **_others: Any) -> None:
        request.headers[kube_fast.HEADER] = cluster

    client: Any = Clients().sts(keys, region, endpoints)
    client.meta.events.register("before-sign.sts.GetCallerIdentity", name_the_cluster)
    address: str = client.generate_presigned_url(
        "get_caller_identity", Params={}, ExpiresIn=kube_fast.URL_SECONDS, HttpMethod="GET"
    )
    return address
