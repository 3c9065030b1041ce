"""The browser's half: /authorize, sign-in, consent, the device page and the portal page.

It moves authorizations on and picks the page; HTML is made in ``pages``, tokens elsewhere.
"""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest
from urllib.parse import urlencode

from credtray.demo.identity_center import exchange, pages
from credtray.demo.identity_center.authorizations import (
    AUTHORIZATION_CODE,
    CodeAuthorization,
    DeviceAuthorization,
    Registration,
)
from credtray.demo.identity_center.exchange import Request, Response, redirect
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.tokens import SignIn

COOKIE = "demo_sso_session"


def authorize(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /authorize: join the active sign-in and go straight back, or ask for one first."""
    query = request.query
    registration = instance.registrations.find(query.get("client_id", ""), now)
    redirect_uri = query.get("redirect_uri", "")
    if registration is None or not registration.accepts_redirect(redirect_uri):
        # A redirect that is not registered is never followed: the answer stays on this page.
        return pages.problem("This sign-in cannot start", "The program or its address is not known here.")
    state = query.get("state", "")
    scopes = tuple(query.get("scopes", "").split())
    error = _authorize_error(registration, query, scopes)
    if error:
        return _back(redirect_uri, {"error": error, "error_description": error, "state": state})
    authorization = CodeAuthorization(
        flow=exchange.opaque_id(),
        client_id=registration.client_id,
        client_name=registration.name,
        redirect_uri=redirect_uri,
        state=state,
        challenge=query["code_challenge"],
        scopes=scopes or registration.scopes,
        expires_at=now + instance.lifetimes.authorization_code,
    )
    instance.authorizations.add(authorization)
    sign_in = _signed_in(instance, request, now)
    if sign_in is None:
        return redirect(f"/signin?{urlencode({'flow': authorization.flow})}")
    return _grant(instance, authorization, sign_in, now)


def _authorize_error(registration: Registration, query: dict[str, str], scopes: tuple[str, ...]) -> str:
    """Return the OAuth error of an authorize request, or an empty text."""
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if not registration.may_use(AUTHORIZATION_CODE):
        return "unauthorized_client"
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        return "invalid_request"
    if not set(scopes) <= set(registration.scopes):
        return "invalid_scope"
    return ""


def _signed_in(instance: Instance, request: Request, now: datetime) -> SignIn | None:
    """Return this browser's active sign-in; with auto-approve there is one virtual browser that has one."""
    sign_in = instance.sign_ins.of_browser(request.cookie(COOKIE), now)
    if sign_in is not None or instance.auto_approve is None:
        return sign_in
    user = instance.auto_approve
    active = instance.sign_ins.active(now, user)
    return active[-1] if active else instance.sign_ins.start(user, now, instance.lifetimes.sign_in)


def _back(redirect_uri: str, answer: dict[str, str]) -> Response:
    return redirect(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}")


def _grant(
    instance: Instance,
    authorization: CodeAuthorization | DeviceAuthorization,
    sign_in: SignIn,
    now: datetime,
) -> Response:
    if isinstance(authorization, DeviceAuthorization):
        authorization.sign_in = sign_in
        return pages.done("Request approved", "You can close this page and go back.", good=True)
    code = authorization.grant(sign_in, now + instance.lifetimes.authorization_code)
    instance.authorizations.granted(authorization)
    return _back(authorization.redirect_uri, {"code": code, "state": authorization.state})


def _deny(authorization: CodeAuthorization | DeviceAuthorization) -> Response:
    if isinstance(authorization, DeviceAuthorization):
        authorization.denied = True
        return pages.done("Request denied", "Nothing was allowed. You can close this page.", good=False)
    answer = {
        "error": "access_denied",
        "error_description": "The user denied the request",
        "state": authorization.state,
    }
    return _back(authorization.redirect_uri, answer)


def sign_in_page(instance: Instance, request: Request, _now: datetime) -> Response:
    """GET /signin."""
    flow = request.query.get("flow", "")
    return pages.sign_in(flow, reason=_reason(instance, flow))


def _reason(instance: Instance, flow: str) -> str:
    authorization = instance.authorizations.of_flow(flow)
    return f"to continue to {authorization.client_name}" if authorization else "to see your accounts"


def sign_in(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /signin: check the password, give the browser its cookie, go on with the flow."""
    form = request.form
    flow = form.get("flow", "")
    user = instance.directory.users.get(form.get("user", ""))
    password = form.get("password", "")
    if user is None or not compare_digest(user.password.encode(), password.encode()):
        return pages.sign_in(flow, reason=_reason(instance, flow), wrong=True)
    started = instance.sign_ins.start(user.name, now, instance.lifetimes.sign_in)
    cookie = ("Set-Cookie", f"{COOKIE}={started.cookie}; Path=/; HttpOnly; SameSite=Lax")
    where = f"/consent?{urlencode({'flow': flow})}" if instance.authorizations.of_flow(flow) else "/start"
    return redirect(where, (cookie,))


def consent_page(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /consent."""
    authorization = instance.authorizations.of_flow(request.query.get("flow", ""))
    signed_in = instance.sign_ins.of_browser(request.cookie(COOKIE), now)
    if authorization is None or signed_in is None:
        return pages.problem("This page has ended", "Start the sign-in again in your program.")
    return pages.consent(
        authorization.flow,
        authorization.client_name,
        signed_in.user,
        authorization.scopes,
        user_code=authorization.user_code if isinstance(authorization, DeviceAuthorization) else "",
    )


def consent(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /consent: allow or deny, once, and only from a browser that is signed in."""
    authorization = instance.authorizations.of_flow(request.form.get("flow", ""))
    signed_in = instance.sign_ins.of_browser(request.cookie(COOKIE), now)
    if authorization is None or signed_in is None or not _open(authorization, now):
        return pages.problem("This page has ended", "Start the sign-in again in your program.")
    if request.form.get("decision") != "allow":
        return _deny(authorization)
    return _grant(instance, authorization, signed_in, now)


def _open(authorization: CodeAuthorization | DeviceAuthorization, now: datetime) -> bool:
    return authorization.sign_in is None and not authorization.used and now < authorization.expires_at


def device_page(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /device: ask for the code, or take it from the address; a person always confirms it."""
    typed = request.query.get("user_code", "")
    if not typed:
        return pages.device()
    device = instance.authorizations.of_user_code(typed, now)
    if device is None:
        return pages.device(wrong=True)
    if instance.auto_approve is not None:
        signed_in = _signed_in(instance, request, now)
        if signed_in is not None:
            return _grant(instance, device, signed_in, now)
    if instance.sign_ins.of_browser(request.cookie(COOKIE), now) is None:
        return redirect(f"/signin?{urlencode({'flow': device.flow})}")
    return redirect(f"/consent?{urlencode({'flow': device.flow})}")


def portal_page(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /start: the accounts of whoever is signed in, or the form; never a redirect, like the live one."""
    signed_in = instance.sign_ins.of_browser(request.cookie(COOKIE), now)
    if signed_in is None:
        return pages.sign_in("", reason=_reason(instance, ""))
    rows = [
        (account.name or "Account without a name", account.account_id, account.email or "", account.roles)
        for account in instance.directory.accounts.values()
    ]
    return pages.portal(signed_in.user, f"{signed_in.ends_at:%H:%M} UTC", rows)


def sign_out(instance: Instance, request: Request, now: datetime) -> Response:
    """POST /signout: end this browser's sign-in."""
    signed_in = instance.sign_ins.of_browser(request.cookie(COOKIE), now)
    if signed_in is not None:
        signed_in.ended = True
    return redirect("/signin")
