"""Understands the AWS files: which sso-sessions and profiles credtray serves, and why not the others.

Pure: bytes and an environment in, ``AwsConfig`` out. Nothing the files name is executed, opened or followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from credtray.core.addresses import check_region, shown
from credtray.core.config.chains import duration, follow, said_of_source
from credtray.core.config.merging import merged
from credtray.core.config.sources import NotOurs, SsoSource, Unusable, own_source, read_session
from credtray.core.config.text import MAX_VALUE, ConfigText, Section, read_config
from credtray.core.config.written_values import advice
from credtray.core.endpoints import ENDPOINT_SETTINGS, MissingServices, find_endpoints
from credtray.core.errors import RegionRefused
from credtray.core.models import AwsConfig, ConfigWarning, Endpoints, ForeignProfile, Profile, SsoSession

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
        except NotOurs as other:
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
        except (Unusable, NotOurs) as other:
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
