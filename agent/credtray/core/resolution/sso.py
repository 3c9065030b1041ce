"""The rule about SSO settings: what they need, and whether a token is there that serves them.

Knows the demands in which the clients differ; asks no portal, so a role that is not assigned looks well here.
"""

from __future__ import annotations

import re
from datetime import timedelta

from credtray.core.config.sources import ACCOUNT_ID, ROLE_NAME
from credtray.core.resolution.answer import Client, Place, Provider, Trouble, TroubleKind
from credtray.core.resolution.search import Both, Find, Search, fatal
from credtray.core.resolution.surroundings import HIDDEN, Section, Setting, token_name

ACCOUNT_AND_ROLE = ("sso_account_id", "sso_role_name")
URL_AND_REGION = ("sso_start_url", "sso_region")
SETTINGS = ("sso_session", *URL_AND_REGION, *ACCOUNT_AND_ROLE)

_FORMS = (
    ("sso_start_url", re.compile(r"\S+")),
    ("sso_region", re.compile(r"[a-z0-9-]{1,63}")),
    ("sso_account_id", ACCOUNT_ID),
    ("sso_role_name", ROLE_NAME),
)
_JAVASCRIPT_MARGIN = timedelta(minutes=5)
"""Under this the SDK for JavaScript refreshes an sso-session's token, and fails without a refresh token."""
_OVERRULED_BY_SESSION = frozenset({Client.JAVASCRIPT})
"""Who takes the session's values without comparing them with the profile's."""


def sso_role(search: Search, why: str) -> Find:
    """Return the SSO role of a profile that the caller found to have SSO settings."""
    both = search.both
    name = both.text("sso_session")
    troubles = _troubles(search, both, name)
    return Find(
        Provider.SSO_SESSION if name else Provider.SSO_LEGACY,
        both.where(*SETTINGS),
        why,
        troubles,
        kept_fresh=bool(name) and not troubles,
        renews=True,
    )


def session_troubles(search: Search, name: str) -> tuple[Trouble, ...]:
    """Return what is wrong with the section of an sso-session."""
    session = search.config.sso_sessions.get(name)
    if session is None:
        return fatal(TroubleKind.SESSION_MISSING, f"There is no section [sso-session {name}].")
    missing = [key for key in URL_AND_REGION if not _text(session, key)]
    if not missing:
        return ()
    return fatal(TroubleKind.INCOMPLETE_SSO, f"[sso-session {name}] lacks {' and '.join(missing)}.")


def _troubles(search: Search, both: Both, name: str) -> tuple[Trouble, ...]:
    broken = session_troubles(search, name) if name else ()
    if broken:
        return broken
    session = search.config.sso_sessions.get(name) if name else None
    clash = _clash(search, both, session)
    if clash:
        text = f"{clash} differs between the profile and [sso-session {name}]."
        return fatal(TroubleKind.SESSION_INCONSISTENT, text)
    values = {key: both.text(key) for key in ACCOUNT_AND_ROLE}
    values |= {key: both.text(key) if session is None else _text(session, key) for key in URL_AND_REGION}
    missing = [key for key, value in values.items() if not value]
    if missing:
        return fatal(TroubleKind.INCOMPLETE_SSO, f"The SSO settings lack {' and '.join(missing)}.")
    malformed = [key for key, form in _FORMS if not form.fullmatch(values[key])]
    if malformed:
        text = f"{malformed[0]} is wrong; a comment needs its own line."
        return fatal(TroubleKind.SSO_MALFORMED, text)
    return _token_troubles(search, name, values["sso_start_url"])


def _clash(search: Search, both: Both, session: Section | None) -> str:
    if session is None or search.client in _OVERRULED_BY_SESSION:
        return ""
    return next((key for key, its in session.settings.items() if _differ(both.find(key), its)), "")


def _differ(found: tuple[Place, Setting] | None, of_session: Setting) -> bool:
    """Compare; a hidden value is the same only where both have it from the same line, that of [DEFAULT]."""
    if found is None or found[1] == of_session:
        return False
    return found[1].value != of_session.value or of_session.value in HIDDEN


def _text(session: Section, key: str) -> str:
    setting = session.settings.get(key)
    return "" if setting is None else setting.value


def _token_troubles(search: Search, session: str, start_url: str) -> tuple[Trouble, ...]:
    token = search.tokens.get(token_name(session or start_url))
    named = session or "this start URL"
    if token is None:
        return fatal(TroubleKind.TOKEN_MISSING, f"You are not signed in to {named}: there is no token file.")
    if token.expires_at is None:
        return fatal(
            TroubleKind.TOKEN_UNREADABLE, f"The token file of {named} does not contain a complete token."
        )
    margin = _JAVASCRIPT_MARGIN if session and search.client is Client.JAVASCRIPT else timedelta()
    if token.expires_at - margin <= search.now and not (session and token.refreshable):
        return fatal(TroubleKind.TOKEN_EXPIRED, f"The sign-in to {named} has ended.")
    return ()
