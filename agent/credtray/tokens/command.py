"""`credtray token`, and `credtray kube-token` the slow way (options, no agent, hosts that somebody chose).

Prints a token on stdout because that was asked for; in notes and errors there is none.
"""

from __future__ import annotations

import json
import re
import sys
import time
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from credtray.cli.choices import ProfileOption, RegionOption
from credtray.cli.credentials import GIVE_UP_SECONDS, issued_within
from credtray.core.addresses import shown
from credtray.core.errors import UnexpectedReply, UsageError
from credtray.core.models import Endpoints, Way
from credtray.core.protocol import Credentials, ProcessCredentials
from credtray.tokens import kube_fast
from credtray.tokens.aws_calls import Asker, chosen_region, keys_of, known_places
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
    chosen = chosen_region(profile, region, known)
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

    def name_the_cluster(request: Any, **_others: Any) -> None:
        request.headers[kube_fast.HEADER] = cluster

    client: Any = Clients().sts(keys_of(issued), region, endpoints)
    client.meta.events.register("before-sign.sts.GetCallerIdentity", name_the_cluster)
    address: str = client.generate_presigned_url(
        "get_caller_identity", Params={}, ExpiresIn=kube_fast.URL_SECONDS, HttpMethod="GET"
    )
    return address


# `credtray token`: a password that a database or a package registry takes for a while.
#
# Printed and kept nowhere. Databases: signed here, and nobody is asked.


_DATABASE_SECONDS = 900
"""For how long a database takes it (botocore 1.44, signers.py)."""
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d"
_REGION_OF_HOST = re.compile(
    rf"\.(?P<rds>{_REGION})\.rds\.|\.dsql(?:-[a-z0-9]+)?\.(?P<dsql>{_REGION})\.", re.ASCII
)
_LONGEST_PORT = 65535


class Kind(StrEnum):
    """What takes the token."""

    RDS = "rds"
    DSQL = "dsql"
    ELASTICACHE = "elasticache"
    CODEARTIFACT = "codeartifact"


def token(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    kind: Annotated[Kind, typer.Argument(help="What the token is for.", show_default=False)],
    profile: ProfileOption,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="HOST", help="rds, dsql: of the database; elasticache: the cache's name."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="rds: such as 5432 or 3306.")] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="USER", help="rds, elasticache: who signs in; dsql: admin."),
    ] = None,
    serverless: Annotated[
        bool, typer.Option("--serverless", help="elasticache: the cache is a serverless one.")
    ] = False,
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="NAME", help="codeartifact: the domain.")
    ] = None,
    domain_owner: Annotated[
        str | None,
        typer.Option(
            "--domain-owner", metavar="ACCOUNT", help="codeartifact: its account, if it is another one."
        ),
    ] = None,
    region: RegionOption = None,
) -> None:
    """Print a token for a database or a package registry.

    Databases take it as the password for 15 minutes, CodeArtifact for 12 hours or as long as the
    profile's keys last. The region is that of the host's name, or the profile's.

    Examples:
      credtray token rds -P synderys-dns --host HOST --port 5432 --user app
      credtray token dsql -P synderys-dns --host abc.dsql.eu-west-1.on.aws
      credtray token elasticache -P synderys-dns --host my-cache --user app
      credtray token codeartifact -P synderys-dns --domain packages
    """
    of_kind: dict[Kind, dict[str, object]] = {
        Kind.RDS: {"--host": host, "--port": port, "--user": user},
        Kind.DSQL: {"--host": host},
        Kind.ELASTICACHE: {"--host": host, "--user": user},
        Kind.CODEARTIFACT: {"--domain": domain},
    }
    missing = [name for name, value in of_kind[kind].items() if value is None]
    if missing:
        raise UsageError(f"A token for {kind} needs {' and '.join(missing)}")
    if kind is Kind.CODEARTIFACT:
        text = _of_codeartifact(Asker.of(profile, Way.TOKEN, region), domain or "", domain_owner)
    else:
        place = _checked_host(host or "")
        found = _REGION_OF_HOST.search(place)
        of_host = None if found is None else found["rds"] or found["dsql"]
        asker = Asker.of(profile, Way.TOKEN, region or of_host)
        signer = Signer(members(asker.issued), asker.region, stamp(time.time()))
        text = signed_token(signer, kind, place, port, user, serverless=serverless)
    sys.stdout.write(f"{text}\n")


def signed_token(
    signer: Signer, kind: Kind, host: str, port: int | None, user: str | None, *, serverless: bool = False
) -> str:
    """Return the signed address that a database takes for a password: it stands there without its scheme.

    Raises:
        UsageError: the port is none.
    """
    match kind:
        case Kind.RDS:
            if port is None or not 0 < port <= _LONGEST_PORT:
                raise UsageError(f"{port} is not a port")
            asked, service, place = {"Action": "connect", "DBUser": user or ""}, "rds-db", f"{host}:{port}"
        case Kind.DSQL:
            action = "DbConnectAdmin" if user == "admin" else "DbConnect"
            asked, service, place = {"Action": action}, "dsql", host
        case _:
            asked, service, place = {"Action": "connect", "User": user or ""}, "elasticache", host
            asked |= {"ResourceType": "ServerlessCache"} if serverless else {}
    return signer.address(service, place, asked, _DATABASE_SECONDS).removeprefix("https://")


def _checked_host(host: str) -> str:
    """Return a host in the letters that signatures have.

    Raises:
        UsageError: it is none.
    """
    plain = host.lower()
    if not _HOST.fullmatch(plain):
        raise UsageError(
            f"{shown(host)} is not the name of a host", hint="Leave out the scheme and the port."
        )
    return plain


class _Authorization(msgspec.Struct, rename="camel"):
    authorization_token: str


def _of_codeartifact(asker: Asker, domain: str, owner: str | None) -> str:
    """Return what GetAuthorizationToken answers.

    Raises:
        CredtrayError: it answers none.
    """
    client = asker.client("codeartifact")
    arguments = {"domain": domain, **({} if owner is None else {"domainOwner": owner})}
    found = asker.call(client.get_authorization_token, arguments, _Authorization).authorization_token
    if not found or not found.isascii() or not found.isprintable():
        raise UnexpectedReply("GetAuthorizationToken: no token in it")
    return found
