"""The chain of boto3 and the AWS CLI, which carries its own copy of the same code.

Source: botocore 1.44 credentials.py ``create_credential_resolver``; compared with the real botocore and the
real AWS CLI 2.9 by tests. The CLI learned ``aws login`` in 2.32.
"""

from __future__ import annotations

from credtray.doctor.resolution import rules
from credtray.doctor.resolution.answer import (
    Chain,
    ChainMatch,
    Place,
    ProfileSections,
    Provider,
    Search,
    follow,
)
from credtray.doctor.resolution.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY, WEB_IDENTITY
from credtray.doctor.resolution.rules import (
    ACCOUNT_AND_ROLE,
    CONFIG_FIRST,
    NAMED,
    NAMED_SOURCES,
    ROLE,
    SOURCE,
    missing_profile,
    named_source,
    refused_file,
    role_of,
    session_troubles,
    sso_role,
    unusable_role,
)


def _files_are_readable(search: Search) -> ChainMatch | None:
    return refused_file(search, CONFIG_FIRST, "botocore refuses the whole file, whichever profile is wanted.")


def _profile_exists(search: Search) -> ChainMatch | None:
    why = "botocore stops at a profile that does not exist, even with keys in the environment."
    return missing_profile(search, why)


def sso_session_is_sound(search: Search) -> ChainMatch | None:
    """Return what stops every client of the profile, once it has its keys.

    Whoever makes a client asks for the profile's bearer token as well (session.py ``create_client``).
    """
    both = search.both
    if "sso_session" not in both:
        return None
    troubles = session_troubles(search, both.text("sso_session"))
    if not troubles:
        return None
    return ChainMatch(
        Provider.SSO_SESSION,
        both.where("sso_session"),
        "botocore cannot use a profile whose sso_session is broken, even with keys elsewhere.",
        troubles,
    )


def _environment_keys(search: Search) -> ChainMatch | None:
    if search.explicit or not search.environ.get("AWS_ACCESS_KEY_ID"):
        return None
    return rules.variables(search)


def _assumed_role(search: Search) -> ChainMatch | None:
    return _role(search, (search.profile,)) if _assumes(search.both) else None


def _web_identity(search: Search) -> ChainMatch | None:
    if not search.explicit and rules.TOKEN_FILE in search.environ:
        return _web_identity_of_variables(search)
    both = search.both
    if not both.text(WEB_IDENTITY):
        return None
    if both.text(ROLE) or (not search.explicit and search.environ.get(rules.ROLE_ARN)):
        return rules.web_identity_of_profile(search)
    return unusable_role(search, f"{WEB_IDENTITY} is set without role_arn.")


def _web_identity_of_variables(search: Search) -> ChainMatch | None:
    found = rules.web_identity_of_environment(search)
    if found is None or not (found.fatal and search.both.text(ROLE)):
        return found
    return rules.web_identity_of_profile(search)  # the token of the variable, the role of the profile


def _sso(search: Search) -> ChainMatch | None:
    both = search.both
    if not any(key in both for key in ACCOUNT_AND_ROLE):
        return None
    return sso_role(search, "SSO settings override keys in either file.")


def _credentials_file_keys(search: Search) -> ChainMatch | None:
    section = search.both.credentials
    if section is None or ACCESS_KEY_ID not in section.settings:
        return None
    return rules.in_section(
        search,
        section,
        Place.CREDENTIALS,
        "The profile has no SSO settings, so its keys in the file are used.",
    )


def _config_file_keys(search: Search) -> ChainMatch | None:
    section = search.both.config
    if section is None or ACCESS_KEY_ID not in section.settings:
        return None
    return rules.in_section(search, section, Place.CONFIG, "Nothing overrides the keys in the config file.")


def _container(search: Search) -> ChainMatch | None:
    return rules.container(search, rules.RELATIVE_URI, rules.FULL_URI)


_OF_A_PROFILE: Chain = (
    _web_identity,
    _sso,
    _credentials_file_keys,
    rules.login,
    rules.process,
    _config_file_keys,
)

BOTOCORE: Chain = (
    _files_are_readable,
    _profile_exists,
    _environment_keys,
    _assumed_role,
    *_OF_A_PROFILE,
    _container,
    rules.instance_metadata,
)


def _assumes(both: ProfileSections) -> bool:
    return ROLE in both and WEB_IDENTITY not in both


def _has_keys(both: ProfileSections) -> bool:
    return ACCESS_KEY_ID in both or SECRET_ACCESS_KEY in both


def _role(search: Search, visited: tuple[str, ...]) -> ChainMatch:
    both = search.both
    if (SOURCE in both) == (NAMED in both):
        how_many = "both source_profile and" if SOURCE in both else "neither source_profile nor"
        return unusable_role(search, f"{search.profile} has {how_many} credential_source.")
    base = _named_base(search) if NAMED in both else _base(search, visited)
    if base.provider is Provider.ASSUME_ROLE and base.base is None:
        return base  # broken further down
    return role_of(search, base, "A role_arn overrides everything else in a profile.")


def _named_base(search: Search) -> ChainMatch:
    name = search.both.text(NAMED)
    if name not in NAMED_SOURCES:
        return unusable_role(search, "credential_source has an unknown value.")
    return named_source(search, name) or unusable_role(search, "credential_source provides nothing.")


def _base(search: Search, visited: tuple[str, ...]) -> ChainMatch:
    source = search.both.text(SOURCE)
    if not search.knows(source):
        return unusable_role(search, f"source_profile names {source}, which does not exist.")
    there = search.of(source)
    if source in visited and not (source == search.profile and _has_keys(there)):
        return unusable_role(search, f"The chain of source_profile comes back to {source}.")
    inner = search.looking_at(source)
    if _assumes(there) and not _has_keys(there):
        return _role(inner, (*visited, source))
    found = follow(_OF_A_PROFILE, inner)
    return found or unusable_role(search, f"source_profile names {source}, which has no credentials.")
