"""Where the AWS console is: hosts of each partition, pages of services, and the addresses of a sign-in there.

Pure; asks nobody. What ``sign_in_address`` returns signs whoever has it in: it is a ``Secret``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

from credtray.core.addresses import ISSUER_PATH, check_region, is_issuer, shown, start_url_kind
from credtray.core.errors import ConsoleRefused, CredtrayError, UsageError
from credtray.core.models import Profile, Secret, SsoSession
from credtray.core.words import did_you_mean

# The address that opens a role in the AWS console through the access portal. Pure; holds no keys.
#
# Opens nothing and asks nobody: the portal sends who is not signed in there to its own sign-in first.


def portal_page(session: SsoSession) -> str:
    """Return the address of the session's access portal: its start URL, unless that is an issuer's.

    ``https://identitycenter.amazonaws.com/ssoins-..`` names an instance and is no web site.
    Sources for the portals of each partition: AWS GovCloud (US) user guide, "AWS IAM Identity Center";
    AWS CLI 2.36 sso/resolve.py; AWS Toolkit, SsoUtils (directories).

    Raises:
        ConsoleRefused: an issuer whose portal is not known.
        StartUrlRefused: see ``portal_link``.
        RegionRefused: the session's region is none.
    """
    url = session.start_url
    start_url_kind(url)
    if not is_issuer(url):
        return url
    found = ISSUER_PATH.match(urlsplit(url).path)
    region = check_region(session.region)
    page = found and _page_of(found["instance"] or "", found["directory"] or "", region)
    if not page:
        raise ConsoleRefused(
            f"{shown(url)} names an issuer, not a web page, and its access portal is not known",
            hint="Copy the access portal URL from IAM Identity Center > Settings to sso_start_url.",
        )
    return page


def _page_of(instance: str, directory: str, region: str) -> str | None:
    if region.startswith("cn-"):
        instances, directories = "portal.{region}.app.amazonwebservices.com.cn", "start.home.awsapps.cn"
    elif region.startswith("us-gov-"):
        instances, directories = "portal.{region}.app.aws", "start.us-gov-home.awsapps.com"
    elif region.startswith("eusc-"):
        instances, directories = "{region}.portal.amazonaws.eu", ""
    elif "-iso" in region:
        return None
    else:
        instances, directories = "portal.{region}.app.aws", ""
    if instance:
        return f"https://{instance}.{instances.format(region=region)}"
    if directories:
        return f"https://{directories}/directory/{directory}"
    return None if region.startswith("eusc-") else f"https://{directory}.awsapps.com/start"


def portal_link(session: SsoSession, account_id: str, role_name: str, destination: str | None = None) -> str:
    """Return the access portal's shortcut to a role: ``<portal>/#/console?account_id=..&role_name=..``.

    Works for vanity start URLs too: browsers keep the fragment when they are redirected. *destination* is a
    page of the console. Source: AWS IAM Identity Center user guide, "Creating shortcut links to AWS
    Management Console destinations".

    Raises:
        StartUrlRefused: the start URL is no plain https address, so it is not for a browser either.
        ConsoleRefused: it is an issuer's; see ``portal_page``.
    """
    parts = urlsplit(portal_page(session))
    query = f"?{parts.query}" if parts.query else ""
    wanted = {"account_id": account_id, "role_name": role_name}
    if destination is not None:
        wanted["destination"] = destination
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{query}"
    return f"{base}#/console?{urlencode(wanted, quote_via=quote, safe='', errors='replace')}"


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


# Addresses of the AWS console. Pure; opens nothing.
