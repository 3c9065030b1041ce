"""The address that opens a role in the AWS console through the access portal. Pure; holds no keys.

Opens nothing and asks nobody: the portal sends who is not signed in there to its own sign-in first.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from credtray.core.addresses import start_url_kind


def portal_link(start_url: str, account_id: str, role_name: str, destination: str | None = None) -> str:
    """Return the access portal's shortcut to a role: ``<start_url>/#/console?account_id=..&role_name=..``.

    Works for vanity start URLs too: browsers keep the fragment when they are redirected. *destination* is a
    page of the console. Source: AWS IAM Identity Center user guide, "Creating shortcut links to AWS
    Management Console destinations".

    Raises:
        StartUrlRefused: the start URL is no plain https address, so it is not for a browser either.
    """
    start_url_kind(start_url)
    parts = urlsplit(start_url)
    query = f"?{parts.query}" if parts.query else ""
    wanted = {"account_id": account_id, "role_name": role_name}
    if destination is not None:
        wanted["destination"] = destination
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{query}"
    return f"{base}#/console?{urlencode(wanted, quote_via=quote, safe='', errors='replace')}"
