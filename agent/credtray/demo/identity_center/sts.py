"""STS: AssumeRole and GetCallerIdentity in the query protocol, for keys that were issued here.

Unknown, expired or wrongly signed keys are refused with the errors of the live service.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

import msgspec

from credtray.demo.identity_center import exchange, pages
from credtray.demo.identity_center.exchange import Request, Response, json_response, redirect, sts_refusal
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.tokens import RoleSession

# Checks AWS Signature Version 4, so that a wrong secret key is refused as STS refuses it.
#
# The age of a signature is not checked: the demo's clock runs faster than its clients' clocks.


_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+),\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


def signing_key_id(request: Request) -> str:
    """Return the access key id that signed *request*, or an empty text."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return match["key"] if match else ""


def is_signed_with(request: Request, secret_access_key: str) -> bool:
    """Return whether the Authorization header was made with *secret_access_key*."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        return False
    scope = match["scope"]
    canonical = hashlib.sha256(_canonical(request, match["headers"].split(";")).encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", request.headers.get("x-amz-date", ""), scope, canonical])
    key = b"AWS4" + secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return hmac.compare_digest(expected, match["signature"])


def _canonical(request: Request, signed: list[str]) -> str:
    """Return the canonical request (AWS General Reference, "Create a signed AWS API request")."""
    parts = urlsplit(request.target)
    query = sorted(
        tuple(quote(unquote(half), safe="-_.~") for half in (*pair.split("=", 1), "")[:2])
        for pair in parts.query.split("&")
        if pair
    )
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed]
    return "\n".join(
        [
            request.method,
            quote(unquote(parts.path) or "/", safe="/-_.~"),
            "&".join(map("=".join, query)),
            *headers,
            "",
            ";".join(signed),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )


_SHORTEST, _LONGEST_CHAINED, _LONGEST = 900, 3600, 43200
_SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def _caller(instance: Instance, request: Request, now: datetime) -> RoleSession:
    session = instance.role_sessions.find(signing_key_id(request))
    token = request.headers.get("x-amz-security-token", "")
    if session is None or not compare_digest(session.session_token.encode(), token.encode()):
        raise sts_refusal(
            403, "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    if not is_signed_with(request, session.secret_access_key):
        raise sts_refusal(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )
    if now >= session.expires_at:
        raise sts_refusal(403, "ExpiredToken", "The security token included in the request is expired")
    return session


def get_caller_identity(instance: Instance, request: Request, now: datetime) -> Response:
    """POST / with Action=GetCallerIdentity."""
    caller = _caller(instance, request, now)
    return _xml(
        "GetCallerIdentity",
        f"<Arn>{escape(caller.arn)}</Arn><UserId>{escape(caller.user_id)}</UserId>"
        f"<Account>{caller.account_id}</Account>",
    )


def assume_role(instance: Instance, request: Request, now: datetime) -> Response:
    """POST / with Action=AssumeRole; at most an hour, since the caller is itself an assumed role."""
    caller = _caller(instance, request, now)
    form = request.form
    arn, name = form.get("RoleArn", ""), form.get("RoleSessionName", "")
    _check_form("roleSessionName", name, _SESSION_NAME)
    if "ExternalId" in form:
        _check_form("externalId", form["ExternalId"], _EXTERNAL_ID)
    life = _life(form.get("DurationSeconds", str(_LONGEST_CHAINED)))
    role = instance.directory.assumable.get(arn)
    if role is None or not role.trusts(form.get("ExternalId")):
        raise sts_refusal(
            403,
            "AccessDenied",
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        )
    account_id, role_name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    session = instance.role_sessions.issue(account_id, role_name, name, now + life, chained=True)
    return _xml(
        "AssumeRole",
        f"<AssumedRoleUser><AssumedRoleId>{escape(session.user_id)}</AssumedRoleId>"
        f"<Arn>{escape(session.arn)}</Arn></AssumedRoleUser><Credentials>"
        f"<AccessKeyId>{session.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{escape(session.secret_access_key)}</SecretAccessKey>"
        f"<SessionToken>{escape(session.session_token)}</SessionToken>"
        f"<Expiration>{session.expires_at:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>",
    )


def _check_form(name: str, value: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(value):
        raise sts_refusal(
            400,
            "ValidationError",
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {form.pattern}",
        )


def _life(text: str) -> timedelta:
    seconds = int(text) if text.isascii() and text.isdigit() else 0
    if not _SHORTEST <= seconds <= _LONGEST:
        bound = (
            f"greater than or equal to {_SHORTEST}"
            if seconds < _SHORTEST
            else f"less than or equal to {_LONGEST}"
        )
        raise sts_refusal(
            400,
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy "
            f"constraint: Member must have value {bound}",
        )
    if seconds > _LONGEST_CHAINED:
        raise sts_refusal(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit "
            "for roles assumed by role chaining",
        )
    return timedelta(seconds=seconds)


def _xml(action: str, result: str) -> Response:
    text = (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{exchange.request_id()}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    )
    return Response(200, text.encode(), "text/xml")


# The federation endpoint of the console: role credentials in, a sign-in token out, then the console.
#
# The live console is not imitated: a page tells whose console it would be.


_TOKEN_LIFE = timedelta(minutes=15)
_SHORTEST_VISIT, _LONGEST_VISIT = 900, 43200
_BAD_REQUEST = Response(400, b"<html><body>400 Bad Request</body></html>", "text/html")


class _Session(msgspec.Struct, rename="camel", frozen=True):
    session_id: str
    session_key: str
    session_token: str


# Made here, before any thread: two threads that use a type of msgspec first at the same time end the process.
_SESSION = msgspec.json.Decoder(_Session)


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
        keys = _SESSION.decode(query.get("Session", ""))
    except msgspec.DecodeError:
        return _BAD_REQUEST
    session = instance.role_sessions.find(keys.session_id)
    if session is None or now >= session.expires_at or not _same(session, keys):
        return _BAD_REQUEST
    duration = query.get("SessionDuration")
    if duration is not None and (session.chained or not _fits(duration)):
        return _BAD_REQUEST
    token = exchange.sign_in_token()
    instance.console_tokens[token] = (session, now + _TOKEN_LIFE)
    return json_response(200, {"SigninToken": token})


def _same(session: RoleSession, keys: _Session) -> bool:
    ours = f"{session.secret_access_key} {session.session_token}"
    return compare_digest(ours.encode(), f"{keys.session_key} {keys.session_token}".encode())


def _fits(duration: str) -> bool:
    return duration.isascii() and duration.isdigit() and _SHORTEST_VISIT <= int(duration) <= _LONGEST_VISIT


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
