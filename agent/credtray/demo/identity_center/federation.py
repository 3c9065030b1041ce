"""The federation endpoint of the console: role credentials in, a sign-in token out, then the console.

The live console is not imitated: a page tells whose console it would be.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlencode

import msgspec

from credtray.demo.identity_center import canary, pages
from credtray.demo.identity_center.exchange import Request, Response, json_response, redirect
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.role_sessions import RoleSession

_TOKEN_LIFE = timedelta(minutes=15)
_SHORTEST, _LONGEST = 900, 43200
_BAD_REQUEST = Response(400, b"<html><body>400 Bad Request</body></html>", "text/html")


class _Session(msgspec.Struct, rename="camel", frozen=True):
    session_id: str
    session_key: str
    session_token: str


def federation(instance: Instance, request: Request, now: datetime) -> Response:
    """GET /federation with Action=getSigninToken or login."""
    query = request.query
    if query.get("Action") == "getSigninToken":
        return _sign_in_token(instance, query, now)
    if query.get("Action") == "login":
        return _login(instance, query, now)
    return _BAD_REQUEST


def _sign_in_token(instance: Instance, query: dict[str, str], now: datetime) -> Response:
    try:
        keys = msgspec.json.decode(query.get("Session", ""), type=_Session)
    except msgspec.DecodeError:
        return _BAD_REQUEST
    session = instance.role_sessions.find(keys.session_id)
    if session is None or now >= session.expires_at or not _same(session, keys):
        return _BAD_REQUEST
    duration = query.get("SessionDuration")
    if duration is not None and (session.chained or not _fits(duration)):
        return _BAD_REQUEST
    token = canary.sign_in_token()
    instance.console_tokens[token] = (session, now + _TOKEN_LIFE)
    return json_response(200, {"SigninToken": token})


def _same(session: RoleSession, keys: _Session) -> bool:
    ours = f"{session.secret_access_key} {session.session_token}"
    return compare_digest(ours.encode(), f"{keys.session_key} {keys.session_token}".encode())


def _fits(duration: str) -> bool:
    return duration.isascii() and duration.isdigit() and _SHORTEST <= int(duration) <= _LONGEST


def _login(instance: Instance, query: dict[str, str], now: datetime) -> Response:
    found = instance.console_tokens.pop(query.get("SigninToken", ""), None)
    if found is None or now >= found[1] or not query.get("Destination"):
        return _BAD_REQUEST
    about = {"arn": found[0].arn, "destination": query["Destination"]}
    return redirect(f"/console?{urlencode(about)}")


def console_page(_instance: Instance, request: Request, _now: datetime) -> Response:
    """GET /console: what stands in for the console."""
    query = request.query
    return pages.done("Console", f"{query.get('arn', '')} at {query.get('destination', '')}", good=True)
