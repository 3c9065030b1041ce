"""STS: AssumeRole and GetCallerIdentity in the query protocol, for keys that were issued here.

Unknown, expired or wrongly signed keys are refused with the errors of the live service.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hmac import compare_digest
from xml.sax.saxutils import escape

from credtray.demo.identity_center import canary
from credtray.demo.identity_center.exchange import Request, Response
from credtray.demo.identity_center.instance import Instance
from credtray.demo.identity_center.refusals import sts_refusal
from credtray.demo.identity_center.role_sessions import RoleSession
from credtray.demo.identity_center.signature import is_signed_with, signing_key_id

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
        f"<ResponseMetadata><RequestId>{canary.request_id()}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    )
    return Response(200, text.encode(), "text/xml")
