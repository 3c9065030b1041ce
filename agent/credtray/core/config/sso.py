"""Understands the AWS files: which sso-sessions and profiles credtray serves, and why not the others.

Pure: bytes and an environment in, ``AwsConfig`` out. Nothing the files name is executed, opened or followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from credtray.core.addresses import check_region, shown
from credtray.core.aws_hosts import ENDPOINT_SETTINGS, MissingServices, find_endpoints
from credtray.core.config.sections import (
    MAX_VALUE,
    ConfigText,
    OtherSource,
    Section,
    SsoSource,
    Unusable,
    Value,
    advice,
    is_config_header,
    own_source,
    read_config,
    read_section,
    read_session,
)
from credtray.core.errors import ConfigInvalid, RegionRefused
from credtray.core.ini import scan
from credtray.core.ini.text import DEFAULT_SECTION, SectionSpan
from credtray.core.models import (
    AssumedRole,
    AwsConfig,
    ConfigWarning,
    Endpoints,
    ForeignProfile,
    Profile,
    SsoSession,
)
from credtray.core.section_mark import PREFIX, SectionMark, key_digest, parsed

# Follows ``role_arn`` and ``source_profile`` from profile to profile, as botocore does, and cuts loops.
#
# Reads sections only; assumes no role.


MAX_STEPS = 10
"""Roles in one chain; botocore knows no limit, but each step is a call that has to be made every hour."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The roles a profile assumes, and the profile whose own source begins it."""

    base: str
    roles: tuple[AssumedRole, ...]
    """The first one assumed first."""


def follow(name: str, profiles: Mapping[str, Section]) -> Chain:
    """Follow the chain of one profile; a profile that assumes no role is its own base.

    Source: botocore 1.44 credentials.py ``AssumeRoleProvider``.

    Raises:
        NotOurs: a step needs something credtray does not do (a code from an MFA device, instance metadata).
        Unusable: a loop, or a step that botocore refuses too.
    """
    if "role_arn" not in profiles[name].settings:  # nearly every profile
        return Chain(name, ())
    path = [name]
    try:
        while _assumes_role(profiles[path[-1]], first=len(path) == 1):
            path.append(_source(profiles[path[-1]], path, profiles))
        roles = tuple(_role(profiles[step]) for step in reversed(path[:-1]))
    except (Unusable, OtherSource) as problem:
        raise said_of_source(name, path[-1], problem) from None
    return Chain(path[-1], roles)


def said_of_source(name: str, source: str, problem: Unusable | OtherSource) -> Unusable | OtherSource:
    """Return what is wrong with a source profile in the words for the profile that names it."""
    if source == name:
        return problem
    if isinstance(problem, OtherSource):
        return OtherSource(f"begins with the profile {shown(source)}, which {problem.reason}")
    text = f"its source profile {shown(source)} cannot be used: {problem.text}"
    return Unusable(text, problem.hint, "source_profile")


def duration(section: Section) -> int | None:
    """Return ``duration_seconds``; None when it is absent or, as for botocore, no number."""
    text = section.text("duration_seconds")
    try:
        seconds = int(text) if text is not None else None
    except ValueError:
        return None
    return seconds if seconds is None or seconds > 0 else None


def _assumes_role(section: Section, *, first: bool) -> bool:
    if "role_arn" not in section.settings or "web_identity_token_file" in section.settings:
        return False
    # A source profile with static keys lends those, whatever role it names itself.
    return first or not _has_keys(section)


def _has_keys(section: Section) -> bool:
    return "aws_access_key_id" in section.settings or "aws_secret_access_key" in section.settings


def _role(section: Section) -> AssumedRole:
    role_arn = section.text("role_arn")
    if not role_arn or not role_arn.isprintable():
        raise Unusable("its role_arn is empty or not printable", "Write the ARN of the role.", "role_arn")
    return AssumedRole(
        role_arn, section.text("role_session_name"), section.text("external_id"), duration(section)
    )


def _source(section: Section, visited: list[str], profiles: Mapping[str, Section]) -> str:
    if len(visited) > MAX_STEPS:
        raise Unusable(f"it is more than {MAX_STEPS} roles away", "Shorten the chain of source_profile.")
    source = section.text("source_profile")
    _refuse_other_sources(section, source)
    if source is None or source not in profiles:
        named = shown(source or "")
        raise OtherSource(f"assumes its role with the profile {named}, which is in neither file")
    if source == visited[-1]:
        if "sso_account_id" in section.settings or "sso_role_name" in section.settings:
            if _has_keys(section):
                return source  # botocore means the keys to be lent, and then takes SSO before them
            raise Unusable(
                "its source_profile names the profile itself, which works with static keys only",
                "Put the sso settings into a profile of their own and name that one.",
                "source_profile",
            )
        raise OtherSource("assumes its role with static keys of its own")
    if source in visited:
        raise Unusable(
            f"its chain of source_profile comes back to {shown(source)}",
            "Let one of these profiles name an SSO profile as its source_profile.",
            "source_profile",
        )
    return source


def _refuse_other_sources(section: Section, source: str | None) -> None:
    other = section.text("credential_source")
    if other is not None and source is not None:
        raise Unusable(
            "it has both source_profile and credential_source", "Remove one of them.", "credential_source"
        )
    if other is not None:
        raise OtherSource(f"assumes its role with credentials from {shown(other)} (credential_source)")
    if source is None:
        raise Unusable("it has role_arn but no source_profile", "Add source_profile.", "role_arn")
    if "mfa_serial" in section.settings:
        raise OtherSource("needs a code from an MFA device for its role (mfa_serial)")


# Lays what the credentials file says of a profile over what the config file says, as the SDKs do.
#
# Pure. What credtray itself wrote into the credentials file says nothing about a profile and is left out.


_KEYS = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"})

_HIDDEN = "hidden"
"""Stands for the value of a key: whoever decides about a profile need not know it."""


def merged(config: ConfigText, credentials: Mapping[str, Section]) -> ConfigText:
    """Return the profiles as programs see them: setting by setting, and the credentials file wins.

    A profile may stand in the credentials file alone; sso-sessions and services come from the config file
    only. Source: botocore 1.44 session.py ``full_config``.
    """
    if not credentials:
        return config
    profiles = dict(config.profiles)
    for name, section in credentials.items():
        beneath = profiles.get(name)
        profiles[name] = replace(section, over=section) if beneath is None else _laid_over(beneath, section)
    return replace(config, profiles=profiles)


def read_credentials(data: bytes) -> Mapping[str, Section]:
    """Return what the sections of a credentials file say of the profiles they are named after.

    A header is the profile's name. Left out are the keys that credtray keeps there and the region that it
    wrote with them, sections that hold nothing else, and headers of the config file's kind (there is one
    file for both, or somebody put them into the wrong one). Of keys it only says that they are there.

    Raises:
        ConfigInvalid: botocore would refuse the whole file too.
    """
    found = scan(data)
    if found.problem is not None:
        raise ConfigInvalid(f"line {found.problem.line} of the credentials file: {found.problem.text}")
    defaults: dict[str, str] = {}
    for span in found.sections:
        if span.name == DEFAULT_SECTION:
            defaults |= span.values
    sections = (
        (span.name, _without_ours(_without_secrets(read_section(span, defaults)), span))
        for span in found.sections
        if span.name != DEFAULT_SECTION and not is_config_header(span.name)
    )
    return {name: section for name, section in sections if section is not None}


def whole_credentials(data: bytes) -> Mapping[str, Section]:
    """Return the same, and nothing for a broken file: the file itself is the trouble then, told elsewhere."""
    try:
        return read_credentials(data)
    except ConfigInvalid:
        return MappingProxyType({})


def remembered_section(name: str, settings: Mapping[str, Value]) -> Section:
    """Return a section again whose text is gone: its lines are not known any more."""
    return Section(settings, SectionSpan(name, 1, 0, 0, 0))


def our_mark(span: SectionSpan) -> SectionMark | None:
    """Return credtray's mark of a section, unless somebody has put another access key below it."""
    if PREFIX not in span.text[span.header_end : span.end]:
        return None
    marks = (parsed(comment.text) for comment in span.comments if comment.text.startswith(PREFIX))
    mark = next((mark for mark in marks if mark is not None), None)
    if mark is None:
        return None
    values = span.values
    held = any(name in values for name in _KEYS)
    return mark if not held or key_digest(values.get("aws_access_key_id", "")) == mark.key_digest else None


def _laid_over(beneath: Section, section: Section) -> Section:
    settings = {name: value for name, value in beneath.settings.items() if name not in section.oversized}
    oversized = tuple(name for name in beneath.oversized if name not in section.settings)
    return Section(
        {**settings, **section.settings}, beneath.span, (*oversized, *section.oversized), over=section
    )


def _without_secrets(section: Section) -> Section:
    return replace(
        section,
        settings={name: _HIDDEN if name in _KEYS else value for name, value in section.settings.items()},
    )


def _without_ours(section: Section, span: SectionSpan) -> Section | None:
    mark = our_mark(span)
    if mark is None:
        return section
    left = {name: value for name, value in section.settings.items() if name not in _KEYS}
    if mark.region is not None and mark.region == section.text("region"):
        del left["region"]
        if mark.region_before is not None:
            left["region"] = mark.region_before
    return replace(section, settings=left) if left else None


_NOTHING = Endpoints()


def parse_config(
    data: bytes, environ: Mapping[str, str], credentials: Mapping[str, Section] = MappingProxyType({})
) -> AwsConfig:
    """Understand the bytes of a config file; ``environ`` gives the endpoint overrides.

    *credentials* is what the credentials file says of profiles: programs see one set of both files, see
    ``merging``.

    Raises:
        ConfigInvalid: the file is broken as a whole; line and reason are named.
    """
    return _Reading(merged(read_config(data), credentials), environ).result()


class _Reading:
    """One pass over what both files say."""

    def __init__(self, config: ConfigText, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ
        self._general = find_endpoints(None, config, environ)
        self._sessions: dict[str, SsoSession] = {}
        self._profiles: dict[str, Profile] = {}
        self._foreign: list[ForeignProfile] = []
        self._warnings: list[ConfigWarning] = []

    def result(self) -> AwsConfig:
        for name, section in self._config.sso_sessions.items():
            self._attempt(name, f"sso-session {name}", section, self._add_session)
        # By name, so that the order of sections never decides whose endpoints a session takes.
        for name, section in sorted(self._config.profiles.items()):
            self._attempt(name, name, section, self._add_profile)
        sessions = {
            name: session if session.endpoints != _NOTHING else replace(session, endpoints=self._general)
            for name, session in self._sessions.items()
        }
        return AwsConfig(
            MappingProxyType(sessions),
            MappingProxyType(self._profiles),
            tuple(self._foreign),
            tuple(self._warnings),
        )

    def _attempt(self, name: str, title: str, section: Section, add: Callable[[str, Section], None]) -> None:
        try:
            _check_name(name)
            _check_sizes(section)
            add(name, section)
        except OtherSource as other:
            self._foreign.append(ForeignProfile(name, other.reason))
        except Unusable as problem:
            self._warn(title, section, problem)

    def _warn(self, title: str, section: Section, problem: Unusable) -> None:
        line = section.line_of(problem.key)
        clean = title if title.isprintable() else shown(title)
        over = section.in_credentials(problem.key)
        self._warnings.append(ConfigWarning(clean, line, problem.text, problem.hint, over))

    def _add_session(self, name: str, section: Section) -> None:
        self._sessions[name] = read_session(name, section)

    def _add_profile(self, name: str, section: Section) -> None:
        chain = follow(name, self._config.profiles)
        try:
            source = own_source(self._config.profiles[chain.base], self._config, self._sessions)
        except (Unusable, OtherSource) as other:
            raise said_of_source(name, chain.base, other) from None
        endpoints = self._endpoints(section)
        session = self._share_session(source, endpoints)
        self._profiles[name] = Profile(
            name,
            session.name,
            source.account_id,
            source.role_name,
            self._region(name, section),
            endpoints,
            chain.roles,
        )
        if section.text("duration_seconds") is not None and chain.roles and duration(section) is None:
            problem = Unusable(
                "its duration_seconds is not a number and is not used",
                "Write a number of seconds from 900 to 43200.",
                "duration_seconds",
            )
            self._warn(name, section, problem)

    def _endpoints(self, section: Section) -> Endpoints:
        if ENDPOINT_SETTINGS.isdisjoint(section.settings):
            return self._general
        try:
            return find_endpoints(section, self._config, self._environ)
        except MissingServices as missing:
            text = f"it names the services section {shown(str(missing))}, which does not exist or is empty"
            raise Unusable(text, "Add the section, or remove `services`.", "services") from None

    def _share_session(self, source: SsoSource, endpoints: Endpoints) -> SsoSession:
        known = self._sessions.get(source.session.name, source.session)
        if (known.start_url, known.region) != (source.session.start_url, source.session.region):
            raise Unusable(
                "another profile uses the same start URL with another sso_region",
                "Give all profiles of one start URL the same sso_region.",
                "sso_region",
            )
        if known.endpoints == _NOTHING != endpoints:
            known = replace(known, endpoints=endpoints)
        self._sessions[known.name] = known
        return known

    def _region(self, name: str, section: Section) -> str | None:
        region = section.text("region")
        try:
            return check_region(region) if region else None
        except RegionRefused as error:
            text, hint = advice("region", region or "") or (f"{error}; it is not used", error.advice)
            self._warn(name, section, Unusable(text, hint, "region"))
            return None


def _check_name(name: str) -> None:
    if not name or not name.isprintable():
        raise Unusable("its name is empty or not printable", "Give the section another name.")


def _check_sizes(section: Section) -> None:
    for key in section.oversized:
        if key.startswith(("sso_", "credtray_")) or key in {"role_arn", "source_profile", "external_id"}:
            raise Unusable(f"its {key} is longer than {MAX_VALUE // 1024} KiB", "Correct the setting.", key)
