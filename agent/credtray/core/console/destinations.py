"""Where the AWS console is: hosts of each partition, pages of services, and the addresses of a sign-in there.

Pure; asks nobody. What ``sign_in_address`` returns signs whoever has it in: it is a ``Secret``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode

from credtray.core.addresses import check_region, shown
from credtray.core.console.link import portal_page
from credtray.core.errors import ConsoleRefused, CredtrayError, UsageError
from credtray.core.models import Profile, SsoSession
from credtray.core.nearest import did_you_mean
from credtray.core.secret import Secret

GOOD_FOR_MINUTES = 15
"""A sign-in address must be opened this soon (AWS IAM user guide, "custom identity broker")."""

_LONGEST_DESTINATION = 2048
_PAGE = r"(?:[/?#][A-Za-z0-9._~%:/?#\[\]@!$&'()*+,;=|-]*)?"


@dataclass(frozen=True, slots=True)
class Partition:
    """One of AWS's separate clouds."""

    name: str
    """As in ARNs."""
    console: str
    """Host of the console."""
    sign_in: str
    """Host of the federation endpoint; ``{region}`` where it is named after the region."""
    regional: bool = False
    """Whether ``<region>.<console>`` is a host, too, for every region."""


_AWS = Partition("aws", "console.aws.amazon.com", "signin.aws.amazon.com", regional=True)
_BY_REGION: Mapping[str, Partition] = MappingProxyType(
    {
        "cn-": Partition("aws-cn", "console.amazonaws.cn", "signin.amazonaws.cn"),
        "us-gov-": Partition("aws-us-gov", "console.amazonaws-us-gov.com", "signin.amazonaws-us-gov.com"),
        # AWS SDKs 2026, the endpoint rules of the service "signin"; no public account to try it with.
        "eusc-": Partition("aws-eusc", "console.amazonaws-eusc.eu", "{region}.signin.amazonaws-eusc.eu"),
    }
)
_UNKNOWN = ("us-iso", "eu-iso")

SERVICES: Mapping[str, str] = MappingProxyType(
    {
        "apigateway": "apigateway/main/apis",
        "athena": "athena/home",
        "bedrock": "bedrock/home",
        "billing": "costmanagement/home",
        "cloudformation": "cloudformation/home",
        "cloudfront": "cloudfront/v4/home",
        "cloudtrail": "cloudtrailv2/home",
        "cloudwatch": "cloudwatch/home",
        "codebuild": "codesuite/codebuild/projects",
        "codepipeline": "codesuite/codepipeline/pipelines",
        "dynamodb": "dynamodbv2/home",
        "ec2": "ec2/home",
        "ecr": "ecr/repositories",
        "ecs": "ecs/v2/clusters",
        "eks": "eks/home",
        "events": "events/home",
        "glue": "glue/home",
        "home": "console/home",
        "iam": "iam/home",
        "kms": "kms/home",
        "lambda": "lambda/home",
        "logs": "cloudwatch/home#logsV2:log-groups",
        "organizations": "organizations/v2/home",
        "rds": "rds/home",
        "route53": "route53/v2/home",
        "s3": "s3/home",
        "sagemaker": "sagemaker/home",
        "secretsmanager": "secretsmanager/listsecrets",
        "sns": "sns/v3/home",
        "sqs": "sqs/v3/home",
        "ssm": "systems-manager/home",
        "stepfunctions": "states/home",
        "support": "support/home",
        "vpc": "vpcconsole/home",
    }
)
"""What ``--service`` knows, and the page of each; the region follows as a parameter."""


@dataclass(frozen=True, slots=True)
class Console:
    """The console as one profile sees it."""

    partition: Partition
    region: str
    federation: str
    """Address of the federation endpoint."""
    issuer: str
    """Where the console sends a person whose time is over: the access portal."""


def console_of(profile: Profile, session: SsoSession, region: str | None) -> Console:
    """Return the console of a profile; *region* is where its pages begin, when it is of that partition.

    Raises:
        ConsoleRefused: a partition whose console credtray does not know.
        RegionRefused: the session's region is none.
    """
    partition = _partition(check_region(session.region))
    there = next((name for name in (region, profile.region) if name and _within(name, partition)), None)
    host = partition.sign_in.format(region=session.region)
    base = session.endpoints.signin or f"https://{host}"
    return Console(partition, there or session.region, f"{base.rstrip('/')}/federation", _issuer(session))


def _issuer(session: SsoSession) -> str:
    try:
        return portal_page(session)
    except CredtrayError:  # a person whose time is over then lands where the sign-in goes to
        return session.start_url


def _partition(region: str) -> Partition:
    if region.startswith(_UNKNOWN):
        raise ConsoleRefused(f"credtray does not know the console of {region}")
    return next((found for start, found in _BY_REGION.items() if region.startswith(start)), _AWS)


def _within(region: str, partition: Partition) -> bool:
    return not region.startswith(_UNKNOWN) and _partition(region) == partition


def service_page(service: str, console: Console) -> str:
    """Return the page of a service in the profile's region.

    Raises:
        UsageError: none of ``SERVICES``; the nearest are offered.
    """
    path = SERVICES.get(service.strip().lower())
    if path is None:
        raise UsageError(
            f"{service!a} is not a service that credtray knows.{did_you_mean(service, SERVICES)}",
            hint="Give the page itself with --destination.",
        )
    page, mark, fragment = path.partition("#")
    host = console.partition.console
    if console.partition.regional:
        host = f"{console.region}.{host}"
    return f"https://{host}/{page}?region={console.region}{mark}{fragment}"


def checked_destination(url: str, console: Console) -> str:
    """Return an address that is one of the console's in the profile's partition.

    Raises:
        UsageError: any other: the sign-in would end with somebody else, or nowhere.
    """
    form = rf"https://(?:[a-z0-9-]+\.)*{re.escape(console.partition.console)}{_PAGE}"
    if len(url) > _LONGEST_DESTINATION or not re.fullmatch(form, url, re.ASCII):
        raise UsageError(
            f"{shown(url)} is not a page of the console of {console.partition.name}",
            hint=f"It begins with https://{console.partition.console}/",
        )
    return url


def token_address(console: Console, access_key_id: str, secret_key: Secret, session_token: Secret) -> Secret:
    """Return what is asked for a sign-in token; SessionDuration is left out: chained keys refuse it."""
    session = {
        "sessionId": access_key_id,
        "sessionKey": secret_key.reveal(),
        "sessionToken": session_token.reveal(),
    }
    query = {"Action": "getSigninToken", "Session": json.dumps(session, separators=(",", ":"))}
    return Secret(f"{console.federation}?{_encoded(query)}")


def sign_in_address(console: Console, destination: str, token: Secret) -> Secret:
    """Return the address that signs a browser in and leads it to *destination*."""
    query = {
        "Action": "login",
        "Issuer": console.issuer,
        "Destination": destination,
        "SigninToken": token.reveal(),
    }
    return Secret(f"{console.federation}?{_encoded(query)}")


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote, safe="")
