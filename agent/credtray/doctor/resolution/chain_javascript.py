"""The chain of the AWS SDK for JavaScript v3: ``fromNodeProviderChain``, what every client of it uses.

Source: @aws-sdk/credential-provider-node and -ini 3.840; compared with the real SDK by tests.
"""

from __future__ import annotations

from dataclasses import replace

from credtray.doctor.resolution import rules
from credtray.doctor.resolution.answer import (
    Chain,
    ChainMatch,
    ProfileSections,
    Provider,
    Search,
    TroubleKind,
    fatal,
    first,
)
from credtray.doctor.resolution.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from credtray.doctor.resolution.rules import (
    NAMED,
    NAMED_SOURCES,
    ROLE,
    SETTINGS,
    SOURCE,
    missing_profile,
    named_source,
    role_of,
    sso_role,
    unusable_role,
)


def _environment_keys(search: Search) -> ChainMatch | None:
    if search.explicit or search.named:  # a profile named by AWS_PROFILE switches them off as well
        return None
    both_there = search.environ.get("AWS_ACCESS_KEY_ID") and search.environ.get("AWS_SECRET_ACCESS_KEY")
    return rules.variables(search) if both_there else None


def _assumed_role(search: Search) -> ChainMatch | None:
    return _role(search, frozenset()) if _assumes(search.both) else None


def _keys_in_files(search: Search) -> ChainMatch | None:
    return rules.merged(search, "Keys in the files override everything except a role_arn, even SSO settings.")


def _sso(search: Search) -> ChainMatch | None:
    if not any(key in search.both for key in SETTINGS):
        return None
    return sso_role(search, "The profile has no keys in the files, so its SSO settings are used.")


def _half_a_key(search: Search) -> ChainMatch | None:
    both = search.both
    if ACCESS_KEY_ID not in both and SECRET_ACCESS_KEY not in both:
        return None
    return ChainMatch(
        Provider.CREDENTIALS_FILE,
        both.where(ACCESS_KEY_ID, SECRET_ACCESS_KEY),
        "Half a key is ignored.",
        fatal(TroubleKind.INCOMPLETE_KEYS, f"The profile {search.profile} has only half of a key."),
        goes_on=True,
    )


def _no_profile(search: Search) -> ChainMatch | None:
    found = missing_profile(search, "The SDK reads no such profile from the files.")
    return None if found is None else replace(found, goes_on=True)


def _container(search: Search) -> ChainMatch | None:
    return rules.container(search, rules.FULL_URI, rules.RELATIVE_URI)


def _web_identity_of_environment(search: Search) -> ChainMatch | None:
    found = rules.web_identity_of_environment(search)
    return None if found is None or found.fatal else found


_WITHOUT_KEYS: Chain = (rules.web_identity_with_role, rules.process, _sso)

_OF_A_PROFILE: Chain = (_assumed_role, _keys_in_files, *_WITHOUT_KEYS, _half_a_key, _no_profile)


def _from_ini(search: Search) -> ChainMatch | None:
    return first(_OF_A_PROFILE, search)


JAVASCRIPT: Chain = (
    _environment_keys,
    _from_ini,
    rules.process,
    _web_identity_of_environment,
    _container,
    rules.instance_metadata,
)


def _assumes(both: ProfileSections) -> bool:
    return ROLE in both and (SOURCE in both) != (NAMED in both)


def _role(search: Search, visited: frozenset[str]) -> ChainMatch:
    both = search.both
    if "mfa_serial" in both:
        text = "The role needs an MFA code, which the SDK cannot ask for."
        return unusable_role(search, text)
    if NAMED in both:
        base = named_source(search, both.text(NAMED)) if both.text(NAMED) in NAMED_SOURCES else None
        lacking = "credential_source has an unknown value."
    else:
        base = _base(search, visited)
        lacking = f"source_profile names {both.text(SOURCE)}, which provides no credentials."
    if base is None:
        return replace(unusable_role(search, lacking), goes_on=True)
    if base.provider is Provider.ASSUME_ROLE and base.base is None:
        return base  # broken further down
    role = role_of(search, base, "A role_arn overrides everything else.")
    return replace(role, goes_on=base.goes_on or (NAMED in both and base.fatal))


def _base(search: Search, visited: frozenset[str]) -> ChainMatch | None:
    source = search.both.text(SOURCE)
    if source in visited:
        text = f"The chain of source_profile comes back to {source}."
        return replace(unusable_role(search, text), goes_on=True)
    inner = search.looking_at(source)
    found = rules.merged(inner, "A source profile's keys come first.")
    if found is not None:
        return found
    if _assumes(inner.both):
        return _role(inner, visited | {source})
    return first(_WITHOUT_KEYS, inner)
