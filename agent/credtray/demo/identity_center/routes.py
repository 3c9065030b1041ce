"""Which operation a request means: method, path and (for STS) the form's Action.

Only a table and its look-up; nothing is answered here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from credtray.demo.identity_center import browser, oidc, sts
from credtray.demo.identity_center.exchange import Request, Response, redirect, sts_refusal
from credtray.demo.identity_center.instance import Instance

Answer = Callable[[Instance, Request, datetime], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """An operation by its API name, or a page by its own."""

    operation: str
    answer: Answer
    page: bool = False
    """True for what browsers ask; EVERY does not mean these."""


_NOT_FOUND = Response(404, b'{"message":"Not Found"}', "application/json")

_TABLE: dict[tuple[str, str], Route] = {
    ("POST", "/client/register"): Route("RegisterClient", oidc.register_client),
    ("POST", "/device_authorization"): Route("StartDeviceAuthorization", oidc.start_device_authorization),
    ("POST", "/token"): Route("CreateToken", oidc.create_token),
    ("GET", "/assignment/accounts"): Route("ListAccounts", oidc.list_accounts),
    ("GET", "/assignment/roles"): Route("ListAccountRoles", oidc.list_account_roles),
    ("GET", "/federation/credentials"): Route("GetRoleCredentials", oidc.get_role_credentials),
    ("POST", "/logout"): Route("Logout", oidc.logout),
    ("GET", "/federation"): Route("Federation", sts.federation),
    ("GET", "/console"): Route("ConsolePage", sts.console_page, page=True),
    ("GET", "/authorize"): Route("AuthorizePage", browser.authorize, page=True),
    ("GET", "/signin"): Route("SignInPage", browser.sign_in_page, page=True),
    ("POST", "/signin"): Route("SignIn", browser.sign_in, page=True),
    ("GET", "/consent"): Route("ConsentPage", browser.consent_page, page=True),
    ("POST", "/consent"): Route("Consent", browser.consent, page=True),
    ("GET", "/device"): Route("DevicePage", browser.device_page, page=True),
    ("GET", "/start"): Route("PortalPage", browser.portal_page, page=True),
    ("POST", "/signout"): Route("SignOut", browser.sign_out, page=True),
}

_STS = {"AssumeRole": sts.assume_role, "GetCallerIdentity": sts.get_caller_identity}

OPERATIONS = frozenset({route.operation for route in _TABLE.values()} | set(_STS) | {"VanityPage"})
"""Every name that a fault, a latency or a limit can be meant for."""


def find(instance: Instance, request: Request) -> Route:
    """Return the route of *request*; unknown ones lead to a 404."""
    method = "GET" if request.method == "HEAD" else request.method
    path = request.path.rstrip("/") or "/"
    host = request.host.split(":")[0]
    if method == "GET" and host in instance.directory.vanity_hosts:
        return Route("VanityPage", _to_start, page=True)
    if path == "/" and method == "GET":
        if host.startswith("device."):
            return Route("DevicePage", browser.device_page, page=True)
        return Route("VanityPage", lambda _instance, _request, _now: redirect("/start"), page=True)
    if path == "/" and method == "POST":
        action = request.form.get("Action", "")
        return Route(action, _STS[action]) if action in _STS else Route("Unknown", _unknown_action)
    return _TABLE.get((method, path), Route("Unknown", lambda _instance, _request, _now: _NOT_FOUND))


def _to_start(instance: Instance, _request: Request, _now: datetime) -> Response:
    """Answer as a company's own address does: by a redirect to the start URL."""
    return Response(302, b"", "", (("Location", instance.directory.start_urls[0]),))


def _unknown_action(_instance: Instance, _request: Request, _now: datetime) -> Response:
    return sts_refusal(400, "InvalidAction", "Could not find operation for this version").response
