"""Plans the way from profiles that carry their own start URL to profiles of an sso-session.

Touches only the two lines that move; never a profile whose meaning it could change.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from credtray.core import ini
from credtray.core.addresses import DEFAULT_SCOPES, normal_start_url
from credtray.core.config.sources import NotOurs, SsoSource, Unusable, own_source
from credtray.core.config.text import ConfigText, Section, read_config
from credtray.core.errors import IniRefused
from credtray.core.naming import suggested_name
from credtray.core.repairs.plan import RepairPlan, Scene, config_change, said_over
from credtray.core.words import argument

_MOVED = frozenset({"sso_start_url", "sso_region"})
_SCOPES = "sso_registration_scopes"
_STATIC = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")

Portal = tuple[str, str]
"""Start URL as compared, and region."""


@dataclass(frozen=True, slots=True)
class _Legacy:
    """One profile that can move."""

    name: str
    section: Section
    source: SsoSource

    @property
    def portal(self) -> Portal:
        return normal_start_url(self.source.session.start_url), self.source.session.region


def plan_legacy_profiles(scene: Scene) -> RepairPlan:
    """Plan one sso-session for each start URL and region, and every legacy profile as a profile of it.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    config = read_config(scene.config)
    left_alone: dict[str, str] = {}
    movable = list(_movable(config, said_over(scene), left_alone))
    reused = _existing(config)
    sessions = dict(reused)
    edits: list[ini.Edit] = []
    new_sessions: list[ini.Edit] = []
    changes: list[str] = []
    for legacy in movable:
        if legacy.portal not in sessions:
            name = suggested_name(legacy.source.session.start_url, {*config.sso_sessions, *sessions.values()})
            sessions[legacy.portal] = name
            new_sessions.append(_new_session(name, legacy))
            changes.append(f"add the sso-session {name}")
        name = sessions[legacy.portal]
        edits.append(ini.SectionEdit(legacy.section.span.name, {"sso_session": name}, _MOVED))
        changes.append(f"profile {legacy.name} signs in through {name}")
    used = dict.fromkeys(sessions[legacy.portal] for legacy in movable)
    return RepairPlan(
        tuple(changes),
        tuple(f"Sign in once: credtray login {argument(name)}" for name in used),
        MappingProxyType(left_alone),
        config_change(scene.config, [*edits, *new_sessions]),
    )


def _movable(
    config: ConfigText, over: Mapping[str, Section], left_alone: dict[str, str]
) -> Iterator[_Legacy]:
    for name, section in sorted(over.items()):
        if "sso_start_url" in section.settings and "sso_session" not in section.settings:
            left_alone[name] = "its sso settings are in the credentials file"
    for name, section in sorted(config.profiles.items()):
        if name in left_alone or "sso_session" in section.settings or "sso_start_url" not in section.settings:
            continue
        try:
            source = own_source(section, config, {})
            reason = _said_elsewhere(over.get(name)) or _objection(name, section)
        except NotOurs as other:
            reason = f"it {other.reason}"
        except Unusable as problem:
            reason = problem.text
        if reason is None:
            yield _Legacy(name, section, source)
        else:
            left_alone[name] = reason


def _said_elsewhere(section: Section | None) -> str | None:
    """Return why a profile cannot move whose settings the credentials file has a say in."""
    if section is None:
        return None
    if any(name.startswith("sso_") for name in section.settings):
        return "some of its sso settings are in the credentials file"
    if any(name in section.settings for name in _STATIC):
        return (
            "the credentials file holds static keys for it, and programs differ in which of the two they use"
        )
    return None


def _objection(name: str, section: Section) -> str | None:
    """Return why a profile must stay as it is, None when it can move."""
    try:
        ini.check_section_name(section.span.name)
    except IniRefused as error:
        return error.detail
    if not name.isprintable():
        return "its name contains characters that cannot be printed"
    if not section.span.values.keys() >= _MOVED:
        return "[DEFAULT] sets its start URL or region, for every other profile too"
    if any(key in section.settings for key in _STATIC):
        return "it holds static keys as well, and programs differ in which of the two they use"
    if section.settings.get(_SCOPES, ",".join(DEFAULT_SCOPES)) != ",".join(DEFAULT_SCOPES):
        return f"it has its own {_SCOPES}"
    return None


def _existing(config: ConfigText) -> Mapping[Portal, str]:
    """Return the sso-sessions that legacy profiles can join, by their portal; the first name counts."""
    found: dict[Portal, str] = {}
    for name, section in sorted(config.sso_sessions.items()):
        url, region = section.text("sso_start_url"), section.text("sso_region")
        others = section.settings.keys() - {*_MOVED, _SCOPES}
        scopes = section.settings.get(_SCOPES, ",".join(DEFAULT_SCOPES))
        if url and region and name.isprintable() and not others and scopes == ",".join(DEFAULT_SCOPES):
            found.setdefault((normal_start_url(url), region), name)
    return found


def _new_session(name: str, legacy: _Legacy) -> ini.Edit:
    session = legacy.source.session
    values = {
        "sso_start_url": session.start_url,
        "sso_region": session.region,
        _SCOPES: ",".join(DEFAULT_SCOPES),
    }
    return ini.SectionEdit(f"sso-session {shlex.quote(name)}", values)
