"""Answers the one question of the resolution table: which keys does this client really use, and why?

Decides from the surroundings alone; runs nothing and asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from credtray.doctor.resolution.answer import (
    Chain,
    ChainMatch,
    Client,
    Place,
    ProfileSections,
    Provider,
    Resolution,
    Rule,
    Search,
    Trouble,
    TroubleKind,
    Where,
    fatal,
    follow,
    noticed,
)
from credtray.doctor.resolution.chain_botocore import BOTOCORE, sso_session_is_sound
from credtray.doctor.resolution.chain_go import GO
from credtray.doctor.resolution.chain_java import JAVA
from credtray.doctor.resolution.chain_javascript import JAVASCRIPT
from credtray.doctor.resolution.environment import (
    ACCESS_KEY_ID,
    PROCESS,
    SECRET_ACCESS_KEY,
    SESSION_TOKEN,
    WEB_IDENTITY,
    ClientEnvironment,
    Dialect,
)
from credtray.doctor.resolution.read_by_line import DEFAULT_PROFILE

_PROFILE = "AWS_PROFILE"
_OLD_PROFILE = "AWS_DEFAULT_PROFILE"


@dataclass(frozen=True, slots=True)
class _Ways:
    """How one client goes about it."""

    dialect: Dialect
    chain: Chain
    profile_variables: tuple[str, ...]
    """The one that is looked at first, first."""
    afterwards: Rule | None = None
    """What else can stop the client when it has found its keys."""
    takes_empty: bool = False
    """A variable that is set to nothing names a profile of that name, which there cannot be."""


_WAYS: Mapping[Client, _Ways] = MappingProxyType(
    {
        Client.AWS_CLI: _Ways(
            Dialect.BOTOCORE, BOTOCORE, (_PROFILE, _OLD_PROFILE), sso_session_is_sound, takes_empty=True
        ),
        Client.BOTO3: _Ways(
            Dialect.BOTOCORE, BOTOCORE, (_OLD_PROFILE, _PROFILE), sso_session_is_sound, takes_empty=True
        ),
        Client.GO: _Ways(Dialect.GO, GO, (_PROFILE, _OLD_PROFILE)),
        Client.JAVASCRIPT: _Ways(Dialect.JAVASCRIPT, JAVASCRIPT, (_PROFILE,)),
        Client.JAVA: _Ways(Dialect.JAVA, JAVA, (_PROFILE,)),
    }
)


_KEYS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)
_USED: Mapping[Provider, tuple[str, ...]] = MappingProxyType(
    {
        Provider.CREDENTIALS_FILE: _KEYS,
        Provider.CONFIG_FILE: _KEYS,
        Provider.PROCESS: (PROCESS,),
        Provider.WEB_IDENTITY: (WEB_IDENTITY, "role_arn"),
        Provider.ASSUME_ROLE: ("role_arn",),
    }
)
"""The settings of the profile that have to be right for a provider."""


def resolve(
    surroundings: ClientEnvironment, profile: str | None, client: Client, *, explicit: bool = False
) -> Resolution:
    """Tell what *client* uses for *profile*.

    Args:
        surroundings: what its search looks at.
        profile: None: as the variables in *surroundings* say, or ``default`` when they name none.
        client: whose rules.
        explicit: True: *profile* is given to the program itself (``--profile``, ``profile_name``); False: it
            is named by AWS_PROFILE, and AWS_DEFAULT_PROFILE stays what it is.
    """
    ways = _WAYS[client]
    search = _search(surroundings, profile, client, ways, explicit=explicit and profile is not None)
    found = follow(ways.chain, search) or _nothing()
    if ways.afterwards is not None and not found.fatal:
        found = ways.afterwards(search) or found
    troubles = found.troubles + _commented(search, found) + _disagreement(search) + _shadowed(search, found)
    return Resolution(
        client=client,
        asked=profile,
        profile=search.profile,
        provider=found.provider,
        where=found.where,
        why=found.why,
        kept_fresh_by_us=found.kept_fresh and not any(trouble.fatal for trouble in troubles),
        troubles=tuple(sorted(troubles, key=lambda trouble: not trouble.fatal)),
        will_notice_renewal=found.renews,
        base=None if found.base is None else found.base.provider,
        base_where=None if found.base is None else found.base.where,
    )


def _search(
    surroundings: ClientEnvironment, profile: str | None, client: Client, ways: _Ways, *, explicit: bool
) -> Search:
    environ = surroundings.environ
    if profile is not None and not explicit:
        environ = {**environ, _PROFILE: profile}
    name = profile if explicit else _named_by(environ, ways)
    used = DEFAULT_PROFILE if name is None else name
    config, credentials = surroundings.config[ways.dialect], surroundings.credentials[ways.dialect]
    return Search(
        client=client,
        profile=used,
        both=ProfileSections(config.profiles.get(used), credentials.profiles.get(used)),
        named=name is not None,
        explicit=explicit,
        environ=environ,
        config=config,
        credentials=credentials,
        tokens=surroundings.tokens,
        endpoint_answers=surroundings.endpoint_answers,
        now=surroundings.now,
    )


def _named_by(environ: Mapping[str, str], ways: _Ways) -> str | None:
    values = (environ.get(name) for name in ways.profile_variables)
    return next((value for value in values if value or (value is not None and ways.takes_empty)), None)


def _nothing() -> ChainMatch:
    return ChainMatch(
        Provider.NONE,
        Where(Place.NOWHERE),
        "This client finds no credentials.",
        fatal(TroubleKind.NOTHING_FOUND, "There are no credentials for this client."),
    )


def _disagreement(search: Search) -> tuple[Trouble, ...]:
    if search.explicit:
        return ()
    new, old = search.environ.get(_PROFILE), search.environ.get(_OLD_PROFILE)
    if not new or not old or new == old:
        return ()
    return noticed(
        TroubleKind.VARIABLES_DISAGREE,
        f"AWS_PROFILE says {new} and AWS_DEFAULT_PROFILE says {old}; this client uses {search.profile}.",
    )


def _commented(search: Search, found: ChainMatch) -> tuple[Trouble, ...]:
    """Look for comments behind the values that are used; those who split them off never come to see them."""
    both, names = search.both, _USED.get(found.provider, ())
    settings = ((name, both.find(name)) for name in names)
    line = next(((name, at[1].line) for name, at in settings if at is not None and at[1].commented), None)
    if line is None:
        return ()
    text = f"The comment after {line[0]} in line {line[1]} becomes part of its value."
    return fatal(TroubleKind.COMMENT_IN_VALUE, text)


def _shadowed(search: Search, found: ChainMatch) -> tuple[Trouble, ...]:
    section = search.both.credentials
    if section is None or section.mark is None or found.provider is Provider.CREDENTIALS_FILE:
        return ()
    return noticed(
        TroubleKind.KEYS_SHADOWED,
        f"This client does not use the keys that credtray keeps in [{search.profile}].",
    )
