"""What can give a client its keys: variables, the two files, SSO settings, roles, processes.

Each rule judges what it finds (expiry, tokens); none knows the order of a client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from credtray.core.config.sections import ACCOUNT_ID, ROLE_NAME
from credtray.core.words import NOTED_ENDS, noted_end, read_date
from credtray.doctor.resolution.answer import (
    ChainMatch,
    Client,
    Place,
    ProfileSections,
    Provider,
    Search,
    Trouble,
    TroubleKind,
    Where,
    fatal,
    noticed,
)
from credtray.doctor.resolution.environment import (
    ACCESS_KEY_ID,
    HIDDEN,
    LOGIN,
    OURS,
    PROCESS,
    SECRET_ACCESS_KEY,
    SECURITY_TOKEN,
    SESSION_TOKEN,
    TEMPORARY,
    WEB_IDENTITY,
    Section,
    Setting,
    token_name,
)

# The rule about SSO settings: what they need, and whether a token is there that serves them.
#
# Knows the demands in which the clients differ; asks no portal, so a role that is not assigned looks well
# here.


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


def sso_role(search: Search, why: str) -> ChainMatch:
    """Return the SSO role of a profile that the caller found to have SSO settings."""
    both = search.both
    name = both.text("sso_session")
    troubles = _troubles(search, both, name)
    return ChainMatch(
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


def _troubles(search: Search, both: ProfileSections, name: str) -> tuple[Trouble, ...]:
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
    return _sso_token_troubles(search, name, values["sso_start_url"])


def _clash(search: Search, both: ProfileSections, session: Section | None) -> str:
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


def _sso_token_troubles(search: Search, session: str, start_url: str) -> tuple[Trouble, ...]:
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


_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
"""The second is Go's; a chain that does not know it has looked for the first itself."""
_PARTS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)
_READ_OLD_TOKEN = frozenset({Client.AWS_CLI, Client.BOTO3})
"""Those that read ``aws_security_token``, and read it first (botocore 1.44 credentials.py ``TOKENS``)."""


def variables(search: Search, access: str = "AWS_ACCESS_KEY_ID") -> ChainMatch:
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
    return ChainMatch(
        Provider.ENVIRONMENT,
        Where(Place.ENVIRONMENT, access),
        "Keys in the environment override every profile, unless you give one to the program itself.",
        troubles,
        temporary=search.environ[access] == TEMPORARY,
    )


def in_section(search: Search, section: Section, place: Place, why: str) -> ChainMatch:
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
    return ChainMatch(
        provider,
        where,
        why,
        troubles,
        kept_fresh=mark is not None and mark.expires_at > search.now,
        temporary=setting.value == TEMPORARY,
    )


def merged(search: Search, why: str) -> ChainMatch | None:
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
    return ChainMatch(provider, where, why, troubles, kept_fresh=fresh, temporary=temporary)


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


# The rules that need one setting or variable: process, login, web identity, container, instance metadata.
#
# Nothing is run, read or asked here.


FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - the name of a variable
ROLE_ARN = "AWS_ROLE_ARN"


def process(search: Search) -> ChainMatch | None:
    """Return the profile's ``credential_process``."""
    both = search.both
    if PROCESS not in both:
        return None
    ours = both.text(PROCESS) == OURS
    named = "credtray" if ours else "the command"
    return ChainMatch(
        Provider.PROCESS,
        both.where(PROCESS),
        f"The profile's credential_process asks {named} for keys whenever they expire.",
        kept_fresh=ours,
        renews=True,
    )


def login(search: Search) -> ChainMatch | None:
    """Return the profile's ``aws login`` session."""
    both = search.both
    if LOGIN not in both:
        return None
    troubles: tuple[Trouble, ...] = ()
    if search.client is Client.BOTO3:
        troubles = noticed(TroubleKind.UNSUPPORTED, "boto3 needs the extra package botocore[crt] for it.")
    return ChainMatch(
        Provider.LOGIN,
        both.where(LOGIN),
        "The profile belongs to `aws login`, which has its own cache.",
        troubles,
        renews=True,
    )


def web_identity_of_profile(search: Search) -> ChainMatch:
    """Return the profile's web identity; the caller has seen its settings."""
    return ChainMatch(
        Provider.WEB_IDENTITY,
        search.both.where(WEB_IDENTITY),
        "The profile names a web identity token, which is exchanged for a role's keys.",
        renews=True,
    )


def web_identity_with_role(search: Search) -> ChainMatch | None:
    """Return the profile's web identity where the profile names a role for it, too."""
    both = search.both
    return web_identity_of_profile(search) if WEB_IDENTITY in both and ROLE in both else None


def web_identity_of_environment(search: Search) -> ChainMatch | None:
    """Return the web identity that two variables name."""
    if not search.environ.get(TOKEN_FILE):
        return None
    troubles: tuple[Trouble, ...] = ()
    if not search.environ.get(ROLE_ARN):
        troubles = fatal(TroubleKind.ROLE_UNUSABLE, f"{TOKEN_FILE} is set without {ROLE_ARN}.")
    return ChainMatch(
        Provider.WEB_IDENTITY,
        Where(Place.ENVIRONMENT, TOKEN_FILE),
        "The environment sets a web identity token, which is exchanged for a role's keys.",
        troubles,
        renews=True,
    )


def container(search: Search, *order: str) -> ChainMatch | None:
    """Return the endpoint of the first variable in *order* that is set."""
    name = next((name for name in order if search.environ.get(name)), None)
    if name is None:
        return None
    troubles: tuple[Trouble, ...] = ()
    if name == FULL_URI and search.endpoint_answers is False:
        troubles = fatal(TroubleKind.ENDPOINT_SILENT, f"The endpoint that {name} names does not answer.")
    return ChainMatch(
        Provider.CONTAINER,
        Where(Place.ENVIRONMENT, name),
        "Nothing overrides the endpoint set in the environment.",
        troubles,
        kept_fresh=name == FULL_URI and search.endpoint_answers is True,
        renews=True,
    )


def instance_metadata(search: Search) -> ChainMatch | None:
    """Return the last resort, unless it is switched off: then nothing is found."""
    if search.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    only_there = "No keys were found; the instance metadata answers only on EC2."
    return ChainMatch(
        Provider.INSTANCE_METADATA,
        Where(Place.NOWHERE),
        "Nothing else was found, so the client asks the EC2 metadata service.",
        fatal(TroubleKind.NOTHING_FOUND, only_there),
        goes_on=True,
        renews=True,
    )


# What the assumed roles of all clients have in common: the named sources, and how a role is described.
#
# Which settings make a role, and in which order sources are tried, is each client's own; see the chains.


ROLE = "role_arn"
SOURCE = "source_profile"
NAMED = "credential_source"

NAMED_SOURCES = ("Environment", "Ec2InstanceMetadata", "EcsContainer")
_STATIC = frozenset({Provider.ENVIRONMENT, Provider.CREDENTIALS_FILE, Provider.CONFIG_FILE})


def role_of(search: Search, base: ChainMatch, why: str) -> ChainMatch:
    """Return the role that is assumed with the keys of *base*."""
    return ChainMatch(
        Provider.ASSUME_ROLE,
        search.both.where(ROLE),
        why,
        base.troubles,
        kept_fresh=base.kept_fresh,
        renews=base.renews or (base.provider in _STATIC and not base.temporary),
        base=base,
    )


def unusable_role(search: Search, text: str) -> ChainMatch:
    """Return a role that fails before anything is asked."""
    return ChainMatch(
        Provider.ASSUME_ROLE,
        search.both.where(ROLE, SOURCE, NAMED),
        "The profile assumes a role.",
        fatal(TroubleKind.ROLE_UNUSABLE, text),
    )


def named_source(search: Search, name: str) -> ChainMatch | None:
    """Return where the keys of a ``credential_source`` come from; None for a name nobody knows."""
    if name == "EcsContainer":
        found = container(search, RELATIVE_URI, FULL_URI)
    elif name == "Ec2InstanceMetadata":
        found = instance_metadata(search)
    elif name == "Environment":
        return _environment(search)
    else:
        return None
    nothing = fatal(TroubleKind.NOTHING_FOUND, f"{name} provides no keys here.")
    return found or ChainMatch(Provider.NONE, Where(Place.NOWHERE), "", nothing)


def _environment(search: Search) -> ChainMatch:
    there = search.environ.get("AWS_ACCESS_KEY_ID") and search.environ.get("AWS_SECRET_ACCESS_KEY")
    lacking = "The role needs keys from the environment, which has none."
    return ChainMatch(
        Provider.ENVIRONMENT,
        Where(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID"),
        "The profile uses the environment as its source.",
        () if there else fatal(TroubleKind.NOTHING_FOUND, lacking),
        temporary=search.environ.get("AWS_ACCESS_KEY_ID") == TEMPORARY,
    )


# The rules about the two files as a whole: one that the client refuses, a profile that stands in neither.
#
# Looks at no setting; which file is read first, and what follows, is each client's own.


CONFIG_FIRST = (Place.CONFIG, Place.CREDENTIALS)
CREDENTIALS_FIRST = (Place.CREDENTIALS, Place.CONFIG)


def refused_file(search: Search, order: tuple[Place, ...], why: str) -> ChainMatch | None:
    """Return the first file in *order* that the client refuses as a whole."""
    views = {Place.CONFIG: search.config, Place.CREDENTIALS: search.credentials}
    for place in order:
        problem = views[place].problem
        if problem is not None:
            text = f"Line {problem.line} of the {place.value}: {problem.text}."
            where = Where(place, "", problem.line)
            return ChainMatch(Provider.NONE, where, why, fatal(TroubleKind.FILE_UNPARSABLE, text))
    return None


def missing_profile(search: Search, why: str) -> ChainMatch | None:
    """Return that the profile somebody named is in neither file, as this client reads them."""
    if not search.named or search.knows(search.profile):
        return None
    text = f"There is no profile {search.profile} in either file, as this client reads them."
    return ChainMatch(Provider.NONE, Where(Place.NOWHERE), why, fatal(TroubleKind.PROFILE_MISSING, text))
