"""The rule about SSO settings: what they need, and whether a token is there that serves them.

Knows the demands in which the clients differ; asks no portal, so a role that is not assigned looks well here.
"""

from __future__ import annotations

from datetime import timedelta

from agent.core.resolution.answer import Client, Provider, Trouble, TroubleKind
from agent.core.resolution.search import Both, Find, Search, fatal
from agent.core.resolution.surroundings import Section, token_name

ACCOUNT_AND_ROLE = ("sso_account_id", "sso_role_name")
URL_AND_REGION = ("sso_start_url", "sso_region")
SETTINGS = ("sso_session", *URL_AND_REGION, *ACCOUNT_AND_ROLE)

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


def _troubles(search: Search, both: Both, name: str) -> tuple[Trouble, ...]:
    session = search.config.sso_sessions.get(name)
    if name and session is None:
        return fatal(TroubleKind.SESSION_MISSING, f"There is no section [sso-session {name}].")
    if session is not None:
        clash = _clash(search, both, session)
        if clash:
            return fatal(
                TroubleKind.SESSION_INCONSISTENT,
                f"{clash} differs between the profile and [sso-session {name}].",
            )
    missing = [key for key in ACCOUNT_AND_ROLE if not both.text(key)]
    place = both.text if session is None else lambda key: _value(session, key)
    missing += [key for key in URL_AND_REGION if not place(key)]
    if missing:
        return fatal(TroubleKind.INCOMPLETE_SSO, f"The SSO settings lack {' and '.join(missing)}.")
    return _token_troubles(search, name, both.text("sso_start_url"))


def _clash(search: Search, both: Both, session: Section) -> str:
    if search.client in _OVERRULED_BY_SESSION:
        return ""
    for key, setting in session.settings.items():
        if key in both and both.text(key) != setting.value:
            return key
    return ""


def _value(session: Section, key: str) -> str:
    setting = session.settings.get(key)
    return "" if setting is None else setting.value


def _token_troubles(search: Search, session: str, start_url: str) -> tuple[Trouble, ...]:
    token = search.tokens.get(token_name(session or start_url))
    named = session or "this start URL"
    if token is None:
        return fatal(TroubleKind.TOKEN_MISSING, f"Nobody is signed in to {named}: there is no token file.")
    if token.expires_at is None:
        return fatal(TroubleKind.TOKEN_UNREADABLE, f"The token file of {named} holds no whole token.")
    margin = _JAVASCRIPT_MARGIN if session and search.client is Client.JAVASCRIPT else timedelta()
    if token.expires_at - margin <= search.now and not (session and token.refreshable):
        return fatal(TroubleKind.TOKEN_EXPIRED, f"The sign-in to {named} has ended.")
    return ()
