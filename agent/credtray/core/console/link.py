"""The address that opens a role in the AWS console through the access portal. Pure; holds no keys.

Opens nothing and asks nobody: the portal sends who is not signed in there to its own sign-in first.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from credtray.core.addresses import ISSUER_PATH, check_region, is_issuer, shown, start_url_kind
from credtray.core.errors import ConsoleRefused
from credtray.core.models import SsoSession


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
