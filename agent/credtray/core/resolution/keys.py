"""The rules about keys that simply stand somewhere: in variables or in one of the two files.

Judges what stands beside them (expiry, tokens); knows no order of clients.
"""

from __future__ import annotations

from collections.abc import Mapping

from credtray.core.cache_format import read_date
from credtray.core.durations import NOTED_ENDS, noted_end
from credtray.core.resolution.answer import Client, Place, Provider, Trouble, TroubleKind, Where
from credtray.core.resolution.search import Find, Search, fatal, noticed
from credtray.core.resolution.sso import SETTINGS
from credtray.core.resolution.surroundings import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    SECURITY_TOKEN,
    SESSION_TOKEN,
    TEMPORARY,
    Section,
)

_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
"""The second is Go's; a chain that does not know it has looked for the first itself."""
_PARTS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)
_READ_OLD_TOKEN = frozenset({Client.AWS_CLI, Client.BOTO3})
"""Those that read ``aws_security_token``, and read it first (botocore 1.44 credentials.py ``TOKENS``)."""


def variables(search: Search, access: str = "AWS_ACCESS_KEY_ID") -> Find:
    """Return the keys of the environment; the caller has seen *access* there."""
    troubles = _token_troubles(search, _as_settings(search.environ, access))
    ends = search.environ.get("AWS_CREDENTIAL_EXPIRATION")
    if ends and _is_past(ends, search):
        troubles = fatal(TroubleKind.KEYS_EXPIRED, "AWS_CREDENTIAL_EXPIRATION is past.") + troubles
    if not any(search.environ.get(name) for name in _SECRET_VARIABLES):
        lacking = f"{access} is set without AWS_SECRET_ACCESS_KEY."
        troubles = fatal(TroubleKind.INCOMPLETE_KEYS, lacking)
    elif search.named:
        beaten = f"{access} in the environment overrides the profile {search.profile}."
        troubles += noticed(TroubleKind.ENVIRONMENT_WINS, beaten)
    return Find(
        Provider.ENVIRONMENT,
        Where(Place.ENVIRONMENT, access),
        "Keys in the environment override every profile, unless you give one to the program itself.",
        troubles,
        temporary=search.environ[access] == TEMPORARY,
    )


def in_section(search: Search, section: Section, place: Place, why: str) -> Find:
    """Return the keys of one section; the caller has seen ``aws_access_key_id`` there."""
    setting = section.settings[ACCESS_KEY_ID]
    mark = section.mark if place is Place.CREDENTIALS else None
    values = {name: each.value for name, each in section.settings.items()}
    troubles = _expiry_troubles(search, section, values) + _token_troubles(search, values)
    if not values.get(SECRET_ACCESS_KEY):
        troubles = fatal(
            TroubleKind.INCOMPLETE_KEYS,
            f"[{search.profile}] has {ACCESS_KEY_ID} without {SECRET_ACCESS_KEY}.",
        )
    provider = Provider.CREDENTIALS_FILE if place is Place.CREDENTIALS else Provider.CONFIG_FILE
    where = Where(place, ACCESS_KEY_ID, setting.line)
    return Find(
        provider,
        where,
        why,
        troubles,
        kept_fresh=mark is not None and mark.expires_at > search.now,
        temporary=setting.value == TEMPORARY,
    )


def merged(search: Search, why: str) -> Find | None:
    """Return the keys of clients that take the two halves from wherever they stand; None without both."""
    both = search.both
    access, secret = both.find(ACCESS_KEY_ID), both.find(SECRET_ACCESS_KEY)
    if access is None or secret is None:
        return None
    values = {name: both.text(name) for name in (ACCESS_KEY_ID, SESSION_TOKEN, SECURITY_TOKEN, *NOTED_ENDS)}
    section = both.credentials if access[0] is Place.CREDENTIALS else both.config
    troubles = _token_troubles(search, values)
    if section is not None:
        troubles = _expiry_troubles(search, section, values) + troubles
    if len({at[0] for name in _PARTS if (at := both.find(name)) is not None and at[1].value}) > 1:
        text = f"The keys of {search.profile} are put together from both files."
        troubles = fatal(TroubleKind.MIXED_KEYS, text) + troubles
    if any(name in both for name in SETTINGS):
        text = f"Keys in the files are used instead of the SSO settings of {search.profile}."
        troubles += noticed(TroubleKind.SSO_SHADOWED, text)
    provider = Provider.CREDENTIALS_FILE if access[0] is Place.CREDENTIALS else Provider.CONFIG_FILE
    mark = section.mark if section is not None else None
    fresh = mark is not None and mark.expires_at > search.now
    where = Where(access[0], ACCESS_KEY_ID, access[1].line)
    temporary = access[1].value == TEMPORARY
    return Find(provider, where, why, troubles, kept_fresh=fresh, temporary=temporary)


def _as_settings(environ: Mapping[str, str], access: str) -> dict[str, str]:
    return {
        ACCESS_KEY_ID: environ.get(access, ""),
        SESSION_TOKEN: environ.get("AWS_SESSION_TOKEN", ""),
        SECURITY_TOKEN: environ.get("AWS_SECURITY_TOKEN", ""),
    }


def _token_troubles(search: Search, values: Mapping[str, str]) -> tuple[Trouble, ...]:
    old, new = values.get(SECURITY_TOKEN), values.get(SESSION_TOKEN)
    reads_old = search.client in _READ_OLD_TOKEN
    if old and reads_old and new:
        return fatal(
            TroubleKind.STALE_SECURITY_TOKEN,
            "aws_security_token differs from aws_session_token and is read before it.",
        )
    if values.get(ACCESS_KEY_ID) == TEMPORARY and not new and not (old and reads_old):
        return fatal(TroubleKind.TOKENLESS_KEYS, "The keys are temporary, but have no aws_session_token.")
    return ()


def _expiry_troubles(search: Search, section: Section, values: Mapping[str, str]) -> tuple[Trouble, ...]:
    if section.mark is not None and section.mark.expires_at <= search.now:
        ended = (
            f"credtray wrote these keys, and they expired at {section.mark.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        return fatal(TroubleKind.KEYS_EXPIRED, ended)
    noted = noted_end(values)
    if section.mark is None and noted is not None and noted[1] <= search.now:
        return fatal(TroubleKind.KEYS_EXPIRED, f"According to {noted[0]}, these keys have expired.")
    return ()


def _is_past(date: str, search: Search) -> bool:
    try:
        return read_date(date) <= search.now
    except ValueError:
        return False
