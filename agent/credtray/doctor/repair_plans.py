"""The repairs credtray offers: facts in, a plan out that a person sees before anything is written.

Carries nothing out. Names are fixed: findings of `credtray doctor` point at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType

from credtray.core import ini
from credtray.core.addresses import (
    DEFAULT_SCOPES,
    check_region,
    normal_start_url,
    region_in_host,
    same_portal_address,
)
from credtray.core.config.sections import (
    ConfigText,
    OtherSource,
    Section,
    SsoSource,
    Unusable,
    own_source,
    read_config,
    read_session,
)
from credtray.core.config.setup_edits import SetupPlan, difference
from credtray.core.config.sso import merged, whole_credentials
from credtray.core.errors import CredtrayError, IniRefused, RegionRefused
from credtray.core.models import SsoSession
from credtray.core.naming import suggested_name
from credtray.core.own_commands import OldStart, own_command
from credtray.core.ports import Mark
from credtray.core.shell_words import argument, posix_word

# What a repair looks at and what it would do, as values. See ``repairs`` for the repairs themselves.
#
# Holds no secret: a plan for the credentials file names sections, never keys.


@dataclass(frozen=True, slots=True)
class TokenOrigin:
    """What a token file of the token cache says about where its token was got."""

    start_url: str
    region: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything the repairs look at."""

    now: datetime
    config: bytes = field(default=b"", repr=False)
    """Content of the AWS config file."""
    credentials: bytes = field(default=b"", repr=False)
    """Content of the credentials file, which has the last word on a profile's settings."""
    tokens: Mapping[str, TokenOrigin] = field(default_factory=lambda: MappingProxyType({}))
    """By sso-session: where the token in the cache came from, as far as its file says so."""
    marks: tuple[Mark, ...] = ()
    """The sections of ours in the credentials file."""
    gone: frozenset[str] = frozenset()
    """Paths in commands of ours in the config file that do not exist."""
    command: Callable[[str], str] | None = None
    """Profile -> the credential process of this installation; raises UsageError for a name it cannot hold."""
    old_start: OldStart | None = None
    """None: what starts at login can start, or nothing does."""
    owned: frozenset[str] = frozenset()
    """Sections somebody takes care of: those a running agent keeps."""


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """What happens to the config file."""

    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    originals: Mapping[str, bytes | None] = field(repr=False)
    """Section header -> its bytes before, None where there was none: what an undo needs."""
    results: Mapping[str, bytes | None] = field(repr=False)
    """The same afterwards; in front of a new section stand the line ends that were put before it."""

    @property
    def diff(self) -> str:
        """Return it as a unified diff without context: lines beside ours may hold somebody's keys."""
        with ini.shared_scans():
            return difference(SetupPlan((), self.before, self.after, self.originals))


def said_over(scene: Scene) -> Mapping[str, Section]:
    """Return what the credentials file says of profiles; a broken one says nothing."""
    return whole_credentials(scene.credentials)


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What one repair would do now."""

    changes: tuple[str, ...] = ()
    """In words, one thing each; empty when there is nothing to repair."""
    next_steps: tuple[str, ...] = ()
    """What a person does afterwards, each with its command."""
    left_alone: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What looks as if it needed this repair and is not touched, each with the reason."""
    config: ConfigChange | None = None
    removed: tuple[Mark, ...] = ()
    """Sections whose keys go out of the credentials file."""
    start: OldStart | None = None
    """The entry that is written anew for the desktop to start at login."""

    @property
    def needed(self) -> bool:
        """Whether there is anything to repair."""
        return bool(self.changes)

    @property
    def diff(self) -> str:
        """The preview; shows no line with a key."""
        if self.config is not None:
            return self.config.diff
        if self.start is not None:
            return f"- {self.start.before}\n+ {self.start.after}\n"
        return "".join(f"- [{mark.section}] keys of {mark.profile}\n" for mark in self.removed)

    @property
    def decision(self) -> object:
        """What a person agreed to: another plan with an equal decision may be carried out instead."""
        return self.changes, self.diff, frozenset(self.removed)

    @property
    def preview_id(self) -> str:
        """What tells this preview from that of any other change."""
        removed = sorted((mark.section, mark.expires_at.isoformat(), mark.digest) for mark in self.removed)
        return sha256(repr((self.changes, self.diff, removed)).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Repair:
    """One kind of repair."""

    title: str
    plan: Callable[[Scene], RepairPlan]
    """Raises ConfigInvalid when the config file is broken as a whole."""
    undoable: bool = True
    """False: `credtray undo` cannot bring back what it takes away."""


def config_change(before: bytes, edits: Sequence[ini.Edit]) -> ConfigChange | None:
    """Return what these edits do to the config file; None when there are none.

    Raises:
        IniRefused: a name cannot be written into the file.
    """
    if not edits:
        return None
    with ini.shared_scans():  # one walk, not one for each of ten thousand profiles
        return _changed(before, edits)


def _changed(before: bytes, edits: Sequence[ini.Edit]) -> ConfigChange:
    known = ini.scan(before).by_name()
    originals = {edit.section: _text(known, edit.section) for edit in edits}
    after = ini.edit(before, edits)
    written = ini.scan(after).by_name()
    results = {header: _text(written, header) for header in originals}
    gap = ini.append_gap(ini.edit(before, [edit for edit in edits if edit.section in known]))
    for header in (edit.section for edit in edits if edit.section not in known):
        results[header] = b"\n" * gap + (results[header] or b"")
        gap = 1  # see ini.append_gap: before each further section
    return ConfigChange(before, after, MappingProxyType(originals), MappingProxyType(results))


def _text(sections: Mapping[str, ini.SectionSpan], header: str) -> bytes | None:
    return ini.text_of(sections[header]) if header in sections else None


# Plans to replace commands that start a credtray which is not there any more.


_KEY = "credential_process"


def plan_old_commands(scene: Scene) -> RepairPlan:
    """Plan the command of this installation for each of ours that can start nothing.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    edits: list[ini.Edit] = []
    changes: list[str] = []
    for name, section in sorted(read_config(scene.config).profiles.items()):
        text = section.text(_KEY)
        command = own_command(text) if text else None
        reason = None if command is None else command.outdated(lambda path: path not in scene.gone)
        if command is None or reason is None or scene.command is None or _KEY not in section.span.values:
            continue
        edits.append(ini.SectionEdit(section.span.name, {_KEY: scene.command(command.profile)}))
        changes.append(f"profile {name}: its credential process starts this credtray ({reason})")
    return RepairPlan(tuple(changes), config=config_change(scene.config, edits))


def plan_old_autostart(scene: Scene) -> RepairPlan:
    """Plan to let the desktop start this installation at login instead of one that is gone."""
    old = scene.old_start
    if old is None:
        return RepairPlan()
    return RepairPlan(
        (f"{old.place}: starts this credtray at login ({old.reason})",),
        ("If you do not want it to start at login: credtray autostart disable",),
        start=old,
    )


# Plans the way from profiles that carry their own start URL to profiles of an sso-session.
#
# Touches only the two lines that move; never a profile whose meaning it could change.


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
        except OtherSource as other:
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
    return ini.SectionEdit(f"sso-session {posix_word(name)}", values)


# Plans the mending of sso-sessions whose settings do not fit their sign-in (any more).
#
# Leaves token files alone; an Identity Center lives in one region, so a token got for the same start URL,
# or a host name that carries its region, proves which one that is.


def plan_outdated_sessions(scene: Scene) -> RepairPlan:
    """Plan scopes for sessions without any, and the right region where the configured one is proven wrong.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    config = read_config(scene.config)
    plans = _Plans(config, said_over(scene))
    for name, section in sorted(config.sso_sessions.items()):
        try:
            session = read_session(name, section)
            ini.check_section_name(section.span.name)
        except Unusable as problem:
            plans.left_alone[name] = problem.text
        except CredtrayError as error:
            plans.left_alone[name] = error.detail
        else:
            plans.look_at(session, section, scene.tokens.get(name))
    return RepairPlan(
        tuple(plans.changes),
        tuple(plans.next_steps),
        MappingProxyType(plans.left_alone),
        config_change(scene.config, plans.edits),
    )


class _Plans:
    """Collects what is to be done for each session."""

    def __init__(self, config: ConfigText, over: Mapping[str, Section]) -> None:
        self._profiles = merged(config, over).profiles
        self.changes: list[str] = []
        self.next_steps: list[str] = []
        self.left_alone: dict[str, str] = {}
        self.edits: list[ini.Edit] = []

    def look_at(self, session: SsoSession, section: Section, token: TokenOrigin | None) -> None:
        wanted: dict[str, str] = {}
        region = _proven_region(session, token)
        repeats = self._repeats_elsewhere(session.name)
        if region is not None and region != session.region and repeats is not None:
            self.left_alone[session.name] = f"{repeats} repeats sso_region in the credentials file"
        elif region is not None and region != session.region:
            wanted["sso_region"] = region
            self.changes.append(f"session {session.name}: sso_region {region} instead of {session.region}")
        if not session.scopes:
            own = [name for name, profile in self._profiles_of(session.name) if _SCOPES in profile.settings]
            if own:
                self.left_alone[session.name] = f"the profile {own[0]} has its own {_SCOPES}"
            else:
                wanted[_SCOPES] = ",".join(DEFAULT_SCOPES)
                self.changes.append(f"session {session.name}: {_SCOPES} {wanted[_SCOPES]}")
        if not wanted:
            return
        self.edits.append(ini.SectionEdit(section.span.name, wanted))
        if "sso_region" in wanted:
            self._follow(session.name, wanted["sso_region"])
        self.next_steps.append(f"Sign in again: credtray login --fresh {argument(session.name)}")

    def _follow(self, session: str, region: str) -> None:
        """Give the region to profiles that repeat it: botocore refuses a profile that contradicts."""
        for _, profile in self._profiles_of(session):
            if "sso_region" in profile.span.values:
                self.edits.append(ini.SectionEdit(profile.span.name, {"sso_region": region}))

    def _repeats_elsewhere(self, session: str) -> str | None:
        """Return a profile whose sso_region cannot follow, because the credentials file says it."""
        repeating = (
            name
            for name, profile in self._profiles_of(session)
            if profile.over is not None and "sso_region" in profile.over.settings
        )
        return next(repeating, None)

    def _profiles_of(self, session: str) -> Iterator[tuple[str, Section]]:
        for name, section in sorted(self._profiles.items()):
            if section.text("sso_session") == session:
                yield name, section


def _proven_region(session: SsoSession, token: TokenOrigin | None) -> str | None:
    in_host = region_in_host(session.start_url)
    if in_host is not None:
        return in_host
    if token is None or not same_portal_address(token.start_url, session.start_url):
        return None
    try:
        return check_region(token.region)
    except RegionRefused:  # a token file is anybody's
        return None


__all__ = ["REPAIRS", "Repair", "RepairPlan", "Scene", "TokenOrigin"]


def plan_stale_keys(scene: Scene) -> RepairPlan:
    """Plan to take out keys of ours that have ended and that nobody will replace."""
    stale = tuple(
        mark for mark in scene.marks if mark.expires_at <= scene.now and mark.section not in scene.owned
    )
    ended = (mark.expires_at.strftime("%Y-%m-%d %H:%M UTC") for mark in stale)
    changes = (
        f"section {mark.section}: remove the keys of {mark.profile}, which expired on {when}"
        for mark, when in zip(stale, ended, strict=True)
    )
    return RepairPlan(tuple(changes), removed=stale)


REPAIRS: Mapping[str, Repair] = MappingProxyType(
    {
        "legacy_profiles": Repair(
            "Give legacy profiles an sso-session, so that their sign-in can be renewed", plan_legacy_profiles
        ),
        "outdated_session": Repair(
            "Give an sso-session the scopes or the region it needs", plan_outdated_sessions
        ),
        "old_commands": Repair("Make credential processes start the installed credtray", plan_old_commands),
        "old_autostart": Repair(
            "Make the installed credtray start at login", plan_old_autostart, undoable=False
        ),
        "stale_keys": Repair(
            "Remove expired keys from the credentials file", plan_stale_keys, undoable=False
        ),
    }
)
"""By name. Source of the first two: AWS CLI 2.36 ``aws configure sso`` writes sessions this way."""
