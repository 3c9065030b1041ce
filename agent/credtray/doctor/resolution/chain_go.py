"""The chain of the AWS SDK for Go v2, as terraform and kubectl's plugins use it. Documented, not run.

Source: aws-sdk-go-v2 config/resolve_credentials.go, config/shared_config.go and config/env_config.go.
"""

from __future__ import annotations

from credtray.doctor.resolution import rules
from credtray.doctor.resolution.answer import Chain, ChainMatch, Provider, Search, TroubleKind, fatal, follow
from credtray.doctor.resolution.environment import ACCESS_KEY_ID, PROCESS, SECRET_ACCESS_KEY, WEB_IDENTITY
from credtray.doctor.resolution.rules import (
    CONFIG_FIRST,
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

_ACCESS = ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
_WHILE_LOADING = "The SDK stops while it loads the files."


def _files_are_readable(search: Search) -> ChainMatch | None:
    return refused_file(search, CONFIG_FIRST, _WHILE_LOADING)


def _profile_is_sound(search: Search) -> ChainMatch | None:
    """The SDK checks the profile while it loads the files, before it looks at any key."""
    if not search.knows(search.profile):
        named = search.explicit or bool(search.environ.get("AWS_PROFILE"))
        return missing_profile(search, _WHILE_LOADING) if named else None
    return _half_a_key(search) or _unsound_role(search, ())


def _half_a_key(search: Search) -> ChainMatch | None:
    both = search.both
    section = both.credentials or both.config
    settings = {} if section is None else section.settings
    if (ACCESS_KEY_ID in settings) == (SECRET_ACCESS_KEY in settings):
        return None
    return ChainMatch(
        Provider.NONE,
        both.where(ACCESS_KEY_ID, SECRET_ACCESS_KEY),
        _WHILE_LOADING,
        fatal(TroubleKind.INCOMPLETE_KEYS, f"[{search.profile}] has only half of a key."),
    )


def _unsound_role(search: Search, visited: tuple[str, ...]) -> ChainMatch | None:
    """Walk the chain of source_profile; a profile that comes round again, or has keys, ends it."""
    if visited and (search.profile in visited or _has_keys(search)):
        return None
    both = search.both
    sources = [name for name in (SOURCE, NAMED, PROCESS, WEB_IDENTITY) if both.text(name)]
    source = both.text(SOURCE)
    text = ""
    if len(sources) > 1:
        text = f"{search.profile} has {' and '.join(sources)}: one too many."
    elif sources and sources[0] != PROCESS and not both.text(ROLE):
        text = f"{search.profile} has {sources[0]} without role_arn."
    elif both.text(ROLE) and both.text("mfa_serial"):
        text = "The role needs an MFA code, which the SDK cannot ask for."
    elif source and not search.knows(source):
        text = f"source_profile names {source}, which does not exist."
    if text:
        return unusable_role(search, text)
    return _unsound_role(search.looking_at(source), (*visited, search.profile)) if source else None


def _environment_keys(search: Search) -> ChainMatch | None:
    access = next((name for name in _ACCESS if search.environ.get(name)), None)
    secret = next((name for name in _SECRET if search.environ.get(name)), None)
    if search.explicit or access is None or secret is None:
        return None
    return rules.variables(search, access)


def _web_identity_of_environment(search: Search) -> ChainMatch | None:
    return None if search.explicit else rules.web_identity_of_environment(search)


def _assumed_role(search: Search) -> ChainMatch | None:
    return _role(search, ()) if search.both.text(ROLE) and not search.both.text(WEB_IDENTITY) else None


def _keys_in_files(search: Search) -> ChainMatch | None:
    return rules.merged(search, "Keys in the files override SSO settings.")


def _web_identity(search: Search) -> ChainMatch | None:
    return rules.web_identity_of_profile(search) if search.both.text(WEB_IDENTITY) else None


def _sso(search: Search) -> ChainMatch | None:
    if not any(search.both.text(key) for key in SETTINGS):
        return None
    return sso_role(search, "The profile has no keys in the files, so its SSO settings are used.")


def _container(search: Search) -> ChainMatch | None:
    return rules.container(search, rules.FULL_URI, rules.RELATIVE_URI)


_OF_A_PROFILE: Chain = (_keys_in_files, _web_identity, _sso, rules.process)

GO: Chain = (
    _files_are_readable,
    _profile_is_sound,
    _environment_keys,
    _web_identity_of_environment,
    _assumed_role,
    *_OF_A_PROFILE,
    _container,
    rules.instance_metadata,
)


def _has_keys(search: Search) -> bool:
    both = search.both
    return bool(both.text(ACCESS_KEY_ID) and both.text(SECRET_ACCESS_KEY))


def _role(search: Search, visited: tuple[str, ...]) -> ChainMatch:
    """Return the role of a profile whose chain ``_profile_is_sound`` has walked."""
    both = search.both
    source = both.text(SOURCE)
    if source:
        inner = search.looking_at(source)
        itself = source == search.profile or source in visited
        deeper = not itself and inner.both.text(ROLE) and not inner.both.text(WEB_IDENTITY)
        base = _role(inner, (*visited, search.profile)) if deeper else follow(_OF_A_PROFILE, inner)
        lacking = f"source_profile names {source}, which has no credentials."
    elif _has_keys(search) or not both.text(NAMED):
        base = follow((*_OF_A_PROFILE, _container, rules.instance_metadata), search)
        lacking = f"{search.profile} has no keys to assume its role with."
    else:
        base = named_source(search, both.text(NAMED)) if both.text(NAMED) in NAMED_SOURCES else None
        lacking = "credential_source has an unknown value."
    if base is None:
        return unusable_role(search, lacking)
    if base.provider is Provider.ASSUME_ROLE and base.base is None:
        return base  # broken further down
    return role_of(
        search, base, "The profile's role_arn is assumed with the keys that the rest of the profile provides."
    )
