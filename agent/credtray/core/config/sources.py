"""Tells where one profile section itself takes its credentials from, in botocore's order.

Looks at no other profile; ``chains`` follows ``source_profile``. Never runs a credential process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from credtray.core.addresses import check_region, shown, start_url_kind
from credtray.core.config.sections import ConfigText, Section, Value, advice, meant
from credtray.core.errors import CredtrayError
from credtray.core.models import SsoSession
from credtray.core.words import did_you_mean

ACCOUNT_ID = re.compile(r"\d{12}\Z", re.ASCII)
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}\Z", re.ASCII)
"""The form that IAM demands of a role name."""

OUR_SESSION = "credtray_sso_session"
OUR_ACCOUNT = "credtray_account_id"
OUR_ROLE = "credtray_role_name"
"""What a profile made by ``credtray setup --credential-process`` carries instead of ``sso_*`` settings, which
would win over the credential process (botocore 1.44 credentials.py). Other programs ignore these keys."""

RUN_SETUP = "or run `credtray setup`"


class Unusable(Exception):
    """A profile or sso-session that was meant for SSO and cannot be used: becomes a ``ConfigWarning``."""

    def __init__(self, text: str, hint: str, key: str = "") -> None:
        self.text = text
        self.hint = hint
        self.key = key
        """The setting it is about; the section's header when empty."""
        super().__init__(text)


class OtherSource(Exception):
    """A profile that takes its credentials from elsewhere: becomes a ``ForeignProfile``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class SsoSource:
    """An SSO role: the first credentials of a profile."""

    session: SsoSession
    account_id: str
    role_name: str


def read_session(name: str, section: Section) -> SsoSession:
    """Read an ``[sso-session]`` section.

    Raises:
        Unusable: a setting is missing or refused.
    """
    settings = _require(section.settings, ("sso_start_url", "sso_region"), f"[sso-session {name}]")
    scopes = section.text("sso_registration_scopes")
    return SsoSession(
        name,
        settings["sso_start_url"],
        settings["sso_region"],
        # AWS CLI 2.36 parse_sso_registration_scopes: an empty list is not the same as none in cache keys
        None if scopes is None else tuple(scope.strip() for scope in scopes.split(",") if scope.strip()),
    )


def own_source(section: Section, config: ConfigText, sessions: Mapping[str, SsoSession]) -> SsoSource:
    """Return the SSO role this section itself names; ``sessions`` are the usable sso-sessions.

    The order is botocore's: web identity, SSO, keys in the credentials file, ``aws login``, credential
    process, keys in the config file.

    Raises:
        NotOurs: it takes its credentials from elsewhere.
        Unusable: SSO settings that are incomplete or contradict each other.
    """
    if section.text("web_identity_token_file"):
        raise OtherSource("takes its credentials from a web identity token (web_identity_token_file)")
    if "sso_account_id" in section.settings or "sso_role_name" in section.settings:
        return _sso_role(section, config, sessions)
    if section.over is not None and "aws_access_key_id" in section.over.settings:
        raise OtherSource("holds static keys in the credentials file (aws_access_key_id)")
    if "login_session" in section.settings:
        raise OtherSource("takes its credentials from `aws login` (login_session)")
    if "credential_process" in section.settings:
        return _our_process(section, sessions)
    if "aws_access_key_id" in section.settings or "aws_secret_access_key" in section.settings:
        raise OtherSource("holds static keys (aws_access_key_id)")
    raise _without_credentials(section)


def _sso_role(section: Section, config: ConfigText, sessions: Mapping[str, SsoSession]) -> SsoSource:
    name = section.text("sso_session")
    if name is None:
        wanted = ("sso_start_url", "sso_region", "sso_account_id", "sso_role_name")
        settings = _require(section.settings, wanted, "the profile")
        url = settings["sso_start_url"]
        session = SsoSession(url, url, settings["sso_region"], legacy=True)
    else:
        merged = {**section.settings, **_consistent(name, section, config).settings}
        settings = _require(merged, ("sso_account_id", "sso_role_name"), "the profile")
        session = _usable(name, sessions)
    return SsoSource(session, settings["sso_account_id"], settings["sso_role_name"])


def _consistent(name: str, section: Section, config: ConfigText) -> Section:
    session = config.sso_sessions.get(name)
    if session is None:
        found = advice("sso_session", name) if meant(name) in config.sso_sessions else None
        if found is not None:
            raise Unusable(*found, "sso_session")
        nearest = did_you_mean(name, config.sso_sessions)
        raise Unusable(
            f"it names the sso-session {shown(name)}, which does not exist{f'.{nearest}' if nearest else ''}",
            f"Add a section [sso-session {name}] with sso_start_url and sso_region, {RUN_SETUP}.",
            "sso_session",
        )
    for key, value in session.settings.items():
        if section.settings.get(key, value) != value:
            raise Unusable(
                f"{key} differs between the profile and its sso-session {shown(name)}",
                f"Remove {key} from the profile.",
                key,
            )
    return session


def _our_process(section: Section, sessions: Mapping[str, SsoSession]) -> SsoSource:
    if not any(key in section.settings for key in (OUR_SESSION, OUR_ACCOUNT, OUR_ROLE)):
        raise OtherSource("takes its credentials from another program (credential_process)")
    settings = _require(section.settings, (OUR_SESSION, OUR_ACCOUNT, OUR_ROLE), "the profile")
    return SsoSource(_usable(settings[OUR_SESSION], sessions), settings[OUR_ACCOUNT], settings[OUR_ROLE])


def _usable(name: str, sessions: Mapping[str, SsoSession]) -> SsoSession:
    session = sessions.get(name)
    if session is None or session.legacy:
        raise Unusable(
            f"its sso-session {shown(name)} does not exist or cannot be used",
            f"Correct the section [sso-session {name}], {RUN_SETUP}.",
        )
    return session


def _without_credentials(section: Section) -> Exception:
    if "sso_session" in section.settings:
        return OtherSource("names only an sso-session: it gives a bearer token, not role credentials")
    if "sso_start_url" in section.settings or "sso_region" in section.settings:
        return Unusable(
            "it lacks sso_account_id and sso_role_name",
            f"Add sso_account_id and sso_role_name, {RUN_SETUP}.",
        )
    return OtherSource("names no source of credentials in either file")


def _require(settings: Mapping[str, Value], wanted: tuple[str, ...], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in wanted:
        value = settings.get(key)
        if isinstance(value, str):
            found[key] = value
    missing = [key for key in wanted if not found.get(key)]
    if missing:
        listed = " and ".join(missing)
        raise Unusable(f"it lacks {listed}", f"Add {listed} to {where}, {RUN_SETUP}.")
    for key, value in found.items():
        try:
            _CHECKS.get(key, _no_check)(key, value)
        except Unusable as problem:
            text, hint = advice(key, value) or (problem.text, problem.hint)
            raise Unusable(text, hint, key) from None
    return found


def _no_check(_key: str, _value: str) -> None:
    return None


def _check_start_url(key: str, value: str) -> None:
    try:
        start_url_kind(value)
    except CredtrayError as error:
        raise Unusable(str(error), error.advice, key) from None


def _check_region(key: str, value: str) -> None:
    try:
        check_region(value)
    except CredtrayError as error:
        raise Unusable(str(error), error.advice, key) from None


def _check_account(key: str, value: str) -> None:
    if not ACCOUNT_ID.match(value):
        raise Unusable(
            f"{key} is {shown(value)}, not 12 digits", "Write the account number with all digits.", key
        )


def _check_role(key: str, value: str) -> None:
    if not ROLE_NAME.match(value):
        raise Unusable(
            f"{key} is {shown(value)}, which no role can be called",
            "Role names have at most 64 letters, digits and +=,.@_-",
            key,
        )


_CHECKS = {
    "sso_start_url": _check_start_url,
    "sso_region": _check_region,
    "sso_account_id": _check_account,
    "sso_role_name": _check_role,
    OUR_ACCOUNT: _check_account,
    OUR_ROLE: _check_role,
}
