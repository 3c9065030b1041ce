"""The chain of the AWS SDK for Java 2.x. Documented, not run.

Source: aws-sdk-java-v2 DefaultCredentialsProvider.java, ProfileCredentialsUtils.java and
AwsCredentialsProviderChain.java, which goes on with the next provider whenever one fails. A profile that is
given to the program means ``ProfileCredentialsProvider``, which has nothing behind it. System properties
(``aws.accessKeyId``) come before everything and cannot be seen from here.
"""

from __future__ import annotations

from credtray.doctor.resolution import rules
from credtray.doctor.resolution.answer import (
    Chain,
    ChainMatch,
    Provider,
    Rule,
    Search,
    TroubleKind,
    fatal,
    follow,
    going_on,
)
from credtray.doctor.resolution.environment import (
    ACCESS_KEY_ID,
    PROCESS,
    SECRET_ACCESS_KEY,
    SESSION_TOKEN,
)
from credtray.doctor.resolution.rules import (
    CREDENTIALS_FIRST,
    NAMED,
    NAMED_SOURCES,
    ROLE,
    SETTINGS,
    SOURCE,
    missing_profile,
    named_source,
    refused_file,
    role_of,
    sso_role,
    unusable_role,
)


def _environment_keys(search: Search) -> ChainMatch | None:
    there = search.environ.get("AWS_ACCESS_KEY_ID", "").strip()
    if search.explicit or not (there and search.environ.get("AWS_SECRET_ACCESS_KEY", "").strip()):
        return None
    return rules.variables(search)


def _web_identity_of_environment(search: Search) -> ChainMatch | None:
    return None if search.explicit else rules.web_identity_of_environment(search)


def _files_are_readable(search: Search) -> ChainMatch | None:
    return refused_file(
        search, CREDENTIALS_FIRST, "The SDK reads no profile when it refuses one of the files."
    )


def _profile_exists(search: Search) -> ChainMatch | None:
    return missing_profile(search, "The SDK reads no such profile from the files.")


def _sso(search: Search) -> ChainMatch | None:
    if not any(key in search.both for key in SETTINGS):
        return None
    return sso_role(search, "Any SSO setting overrides roles, processes and keys in the files.")


def _assumed_role(search: Search) -> ChainMatch | None:
    return _role(search, ())


def _process(search: Search) -> ChainMatch | None:
    return rules.process(search) if PROCESS in search.both else None


def _keys_in_files(search: Search) -> ChainMatch | None:
    both = search.both
    if SESSION_TOKEN not in both and ACCESS_KEY_ID not in both:
        return None
    found = rules.merged(search, "The profile has only its keys in the files.")
    if found is not None:
        return found
    return ChainMatch(
        Provider.CREDENTIALS_FILE,
        both.where(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN),
        "Keys in the files must be complete.",
        fatal(TroubleKind.INCOMPLETE_KEYS, f"The profile {search.profile} has only part of a key."),
    )


def _container(search: Search) -> ChainMatch | None:
    return None if search.explicit else rules.container(search, rules.RELATIVE_URI, rules.FULL_URI)


def _instance_metadata(search: Search) -> ChainMatch | None:
    return None if search.explicit else rules.instance_metadata(search)


_OF_A_PROFILE: Chain = (rules.web_identity_with_role, _sso, _assumed_role, _process, _keys_in_files)

_PROFILE: Rule = going_on(
    lambda search: follow((_files_are_readable, _profile_exists, *_OF_A_PROFILE), search)
)

JAVA: Chain = (
    _environment_keys,
    going_on(_web_identity_of_environment),
    _PROFILE,
    going_on(_container),
    _instance_metadata,
)


def _role(search: Search, visited: tuple[str, ...]) -> ChainMatch | None:
    both = search.both
    if ROLE not in both or not (SOURCE in both or NAMED in both):
        return None
    if SOURCE in both and NAMED in both:
        return unusable_role(search, f"{search.profile} has both source_profile and credential_source.")
    if NAMED in both:
        base = named_source(search, both.text(NAMED)) if both.text(NAMED) in NAMED_SOURCES else None
        lacking = "credential_source has an unknown value."
    else:
        base = _base(search, visited)
        lacking = f"source_profile names {both.text(SOURCE)}, which has no credentials."
    if base is None:
        return unusable_role(search, lacking)
    if base.provider is Provider.ASSUME_ROLE and base.base is None:
        return base  # broken further down
    return role_of(search, base, "The role is assumed, since the profile has no SSO settings.")


def _base(search: Search, visited: tuple[str, ...]) -> ChainMatch | None:
    if search.profile in visited:
        return unusable_role(search, f"The chain of source_profile comes back to {search.profile}.")
    source = search.both.text(SOURCE)
    if not search.knows(source):
        return None
    inner = search.looking_at(source)
    return (
        follow((rules.web_identity_with_role, _sso), inner)
        or _role(inner, (*visited, search.profile))
        or follow((_process, _keys_in_files), inner)
    )
