"""Decides what `credtray setup` changes in the AWS config file: bytes and a wish in, bytes and a plan out.

Never overwrites a profile somebody else made, and never prunes one that does not carry our mark.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from credtray.core import ini
from credtray.core.addresses import same_portal_address, shown
from credtray.core.config.sections import OUR_ACCOUNT, OUR_ROLE, OUR_SESSION, ConfigText, Section, read_config
from credtray.core.config.sso import merged
from credtray.core.errors import UsageError
from credtray.core.ini.text import SectionSpan
from credtray.core.models import SsoSession
from credtray.core.naming import DEFAULT_TEMPLATE, RoleChoice, profile_names
from credtray.core.own_commands import own_command
from credtray.core.shell_words import posix_word

MARK = "# credtray: made by setup"
"""The comment that tells a profile of ours from all others."""
_OUR_MARK = ini.Mark(MARK, MARK)

_SSO_KEYS = ("sso_session", "sso_account_id", "sso_role_name")
_PROCESS_KEYS = ("credential_process", OUR_SESSION, OUR_ACCOUNT, OUR_ROLE)
PROFILE_KEYS = frozenset({*_SSO_KEYS, *_PROCESS_KEYS, "region", "output"})
"""Every setting that setup writes into a profile."""
SESSION_KEYS = frozenset({"sso_start_url", "sso_region", "sso_registration_scopes"})
"""Every setting that setup writes into an sso-session."""

Key = tuple[str, str]
"""Account id and role name."""


@dataclass(frozen=True, slots=True)
class SetupWish:
    """What a person chose in setup."""

    session: SsoSession
    choices: tuple[RoleChoice, ...]
    template: str = DEFAULT_TEMPLATE
    region: str | None = None
    """For each profile; None leaves it as it is."""
    region_of_new: str | None = None
    """For profiles that are not there yet, when ``region`` is None."""
    output: str | None = None
    command: Callable[[str], str] | None = None
    """Returns the ``credential_process`` line for a profile's name (see aws/profile_writer). None writes
    profiles exactly as `aws configure sso` does."""
    prune: bool = False
    """Take out profiles of ours in this session whose role was not chosen."""
    taken: frozenset[str] = frozenset()
    """Further names that must not be given out, such as sections of the credentials file."""
    credentials: Mapping[str, Section] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What the credentials file says of profiles: which role one has is decided by both files."""


class ProfileOutcome(Enum):
    """What happens to one profile."""

    ADDED = "added"
    UPDATED = "updated"
    KEPT = "kept"
    """It is there already, and as it should be or not ours to change."""
    PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """One profile in the plan."""

    profile: str
    account_id: str
    role_name: str
    change: ProfileOutcome


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """What setup would do to one content of the file."""

    profiles: tuple[ProfileChange, ...]
    """Sorted by name."""
    before: bytes
    after: bytes
    originals: Mapping[str, bytes | None]
    """Section header -> its bytes before, None where there was none: what an undo needs."""

    @property
    def decision(self) -> frozenset[tuple[str, str, str]]:
        """Which profile stands for which role: what a person agreed to in the preview."""
        return frozenset(
            (item.profile, item.account_id, item.role_name)
            for item in self.profiles
            if item.change is not ProfileOutcome.PRUNED
        )


def plan_setup(data: bytes, wish: SetupWish) -> SetupPlan:
    """Plan a setup for this content of the config file.

    Raises:
        ConfigInvalid: the file is broken as a whole.
        UsageError: the template cannot be used, or the file has an sso-session of this name for another
            start URL or region.
        IniRefused: a name cannot be written into the file.
    """
    written = read_config(data)
    config = merged(written, wish.credentials)
    edits = list(_session_edit(config, wish.session))
    changes: list[ProfileChange] = []
    known = _roles_of(config, wish.session.name)
    fitting = {key: _fitting(names, config, wish) for key, names in known.items()}
    kept = {choice.key: name for choice in wish.choices if (name := fitting.get(choice.key))}
    new = [choice for choice in wish.choices if choice.key not in kept]
    names = kept | profile_names(wish.template, wish.session.name, new, {*config.profiles, *wish.taken})
    for key, name in sorted(names.items(), key=lambda item: item[1]):
        section = config.profiles.get(name)
        edit = (
            None
            if section is not None and not _is_setups(section, wish)
            else _profile_edit(written.profiles.get(name), name, key, wish)
        )
        edits += [edit] if edit is not None else []
        changed = (
            ProfileOutcome.KEPT
            if edit is None
            else ProfileOutcome.ADDED
            if section is None
            else ProfileOutcome.UPDATED
        )
        changes.append(ProfileChange(name, *key, changed))
    for key, name in _prunable(config, known, set(names.values()) | {""}, wish):
        edits.append(removal(config.profiles[name].span))
        changes.append(ProfileChange(name, *key, ProfileOutcome.PRUNED))
    after = ini.edit(data, edits)
    originals = {edit.section: ini.section_text(data, edit.section) for edit in edits}
    return SetupPlan(tuple(sorted(changes, key=lambda item: item.profile)), data, after, originals)


def is_ours(section: Section) -> bool:
    """Whether setup made this profile."""
    return any(
        comment.text.startswith(MARK) and comment.start < section.span.content_end
        for comment in section.span.comments
    )


def _is_setups(section: Section, wish: SetupWish) -> bool:
    """Whether setup writes this profile anew: also one without the mark that a credtray is to serve."""
    if wish.command is None or is_ours(section):
        return is_ours(section)
    return (
        OUR_SESSION in section.settings and own_command(section.text("credential_process") or "") is not None
    )


def removal(span: SectionSpan, gap: int = 1) -> ini.Edit:
    """Return the edit that takes a section of ours out, with the line ends that were put before it."""
    return ini.SectionEdit(
        span.name,
        remove_keys=frozenset(span.values),
        mark=ini.Mark(MARK, None),
        drop_if_empty=True,  # a comment of the user keeps the header
        gap=gap,
    )


def _session_edit(config: ConfigText, session: SsoSession) -> Iterable[ini.Edit]:
    wanted = {"sso_start_url": session.start_url, "sso_region": session.region}
    if session.scopes:
        wanted["sso_registration_scopes"] = ",".join(session.scopes)
    section = config.sso_sessions.get(session.name)
    if section is None:
        yield ini.SectionEdit(_header("sso-session", session.name), wanted)
        return
    for name in ("sso_start_url", "sso_region"):
        there = section.settings.get(name, wanted[name])
        spelled = isinstance(there, str) and same_portal_address(there, wanted[name])
        if there != wanted[name] and not (name == "sso_start_url" and spelled):
            raise UsageError(
                f"The config file has an sso-session {session.name} with another {name}: {shown(str(there))}",
                hint="Choose another --session name.",
            )
    # Scopes are left as they are: with others the AWS CLI would need another client registration.
    missing = {name: wanted[name] for name in ("sso_start_url", "sso_region") if name not in section.settings}
    if missing:
        yield ini.SectionEdit(section.span.name, missing)


def _roles_of(config: ConfigText, session: str) -> dict[Key, list[str]]:
    """Return the profiles of this session by their role, names sorted."""
    found: dict[Key, list[str]] = {}
    for name, section in sorted(config.profiles.items()):
        for keys in (_SSO_KEYS, (OUR_SESSION, OUR_ACCOUNT, OUR_ROLE)):
            in_session, account, role = (section.text(key) for key in keys)
            if in_session == session and account and role:
                found.setdefault((account, role), []).append(name)
    return found


def _fitting(names: list[str], config: ConfigText, wish: SetupWish) -> str | None:
    """Return the profile that serves a role already: one of ours, or one written as it would be now."""
    ours = [name for name in names if is_ours(config.profiles[name])]
    if ours:
        return ours[0]
    wanted = _SSO_KEYS[0] if wish.command is None else OUR_SESSION
    return next((name for name in names if wanted in config.profiles[name].settings), None)


def _profile_edit(section: Section | None, name: str, key: Key, wish: SetupWish) -> ini.Edit | None:
    wanted = _settings(name, key, wish)
    if section is None:
        if wish.region is None and wish.region_of_new:
            wanted["region"] = wish.region_of_new
        return ini.SectionEdit(_header("profile", name), wanted, mark=_OUR_MARK)
    other = _PROCESS_KEYS if wish.command is None else _SSO_KEYS
    stale = frozenset(other) & section.settings.keys()
    if not stale and all(section.settings.get(option) == value for option, value in wanted.items()):
        return None
    return ini.SectionEdit(section.span.name, wanted, stale)


def _settings(name: str, key: Key, wish: SetupWish) -> dict[str, str]:
    # AWS CLI 2.36 configure/sso.py writes these keys in this order.
    values = (wish.session.name, *key)
    if wish.command is None:
        settings = dict(zip(_SSO_KEYS, values, strict=True))
    else:
        settings = dict(zip(_PROCESS_KEYS, (wish.command(name), *values), strict=True))
    extra = {"region": wish.region, "output": wish.output}
    return settings | {option: value for option, value in extra.items() if value}


def _prunable(
    config: ConfigText, known: Mapping[Key, list[str]], used: set[str], wish: SetupWish
) -> list[tuple[Key, str]]:
    if not wish.prune:
        return []
    chosen = {choice.key for choice in wish.choices}
    sources = {section.text("source_profile") for section in config.profiles.values()}
    return [
        (key, name)
        for key, names in known.items()
        if key not in chosen
        for name in names
        if name not in used
        and name not in sources
        and is_ours(config.profiles[name])
        # What is left of one in the credentials file would be a broken profile.
        and config.profiles[name].over is None
    ]


def _header(kind: str, name: str) -> str:
    # AWS CLI 2.36 configure/__init__.py get_section_header
    if any(char in " \t" for char in name):
        name = posix_word(name)
    return f"{kind} {name}"


# Takes back what `credtray setup` changed in the AWS config file, section by section, and shows changes.
#
# Leaves alone what somebody changed since; never shows a line that setup did not write.


class Change(Struct, frozen=True, kw_only=True):
    """A recorded change of the file, as far as it must be known to take it back."""

    at: Annotated[datetime, Meta(tz=True)]
    what: str
    """In a person's words: ``setup synderys``."""
    sections: dict[str, str | None]
    """Section -> its bytes before in base64, None where it did not exist."""
    written: dict[str, str | None] = {}
    """The same of the bytes afterwards: who finds others there leaves the section alone."""

    @classmethod
    def of(
        cls,
        at: datetime,
        what: str,
        originals: Mapping[str, bytes | None],
        results: Mapping[str, bytes | None],
    ) -> Change:
        """Return a change that took sections from *originals* to *results*."""
        return cls(at=at, what=what, sections=_coded(originals), written=_coded(results))

    def originals(self) -> dict[str, bytes | None]:
        """Return section -> its bytes before."""
        return _decoded(self.sections)

    def results(self) -> dict[str, bytes | None]:
        """Return section -> its bytes afterwards."""
        return _decoded(self.written)


def _decoded(sections: Mapping[str, str | None]) -> dict[str, bytes | None]:
    def decoded(text: str | None) -> bytes | None:
        return None if text is None else base64.b64decode(text, validate=True)

    return {name: decoded(text) for name, text in sections.items()}


def _coded(sections: Mapping[str, bytes | None]) -> dict[str, str | None]:
    def coded(text: bytes | None) -> str | None:
        return None if text is None else base64.b64encode(text).decode()

    return {name: coded(text) for name, text in sections.items()}


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo does to one content of the file."""

    after: bytes
    restored: tuple[str, ...]
    """Section headers that are as they were."""
    skipped: Mapping[str, str]
    """Section headers left alone, each with the reason."""


def undo_setup(
    data: bytes,
    originals: Mapping[str, bytes | None],
    results: Mapping[str, bytes | None] = MappingProxyType({}),
    credentials: Mapping[str, Section] = MappingProxyType({}),
) -> Undone:
    """Put sections back as they were before a setup, except those that are not what it made of them.

    Profiles first: an sso-session goes only when no profile names it any more, in *credentials* (what the
    credentials file says, see ``merging``) either. *results* are the sections as they were left, a new one
    with the line ends that were put before it; one not known there is judged by what setup never writes.

    Raises:
        ConfigInvalid: the file is broken as a whole.
        IniRefused: the result would not be a file botocore can read.
    """
    done: list[str] = []
    skipped: dict[str, str] = {}
    after = data
    for header in _in_order(data, originals):
        original = originals[header]
        if ini.section_text(after, header) == original:
            done.append(header)  # the change was recorded and never made, or somebody took it back
            continue
        objection = _objection(after, header, original, results, credentials)
        reason = _changed_since(after, header, results) or objection
        if reason is not None:
            skipped[header] = reason
            continue
        if original is None:
            after = _without(after, header, results.get(header))
        else:
            after = ini.replace_section_text(after, header, original)
        done.append(header)
    for header in done:
        original = originals[header]
        if original is not None and ini.section_text(after, header) != original:
            # It had no line end and got one while another section stood behind it.
            after = ini.replace_section_text(after, header, original)
    return Undone(after, tuple(sorted(done)), skipped)


def _in_order(data: bytes, headers: Iterable[str]) -> list[str]:
    """Return profiles first, and what stands last in the file first: it was appended last."""
    places = {section.name: section.start for section in ini.scan(data).sections}
    return sorted(headers, key=lambda header: (header.startswith("sso-session"), -places.get(header, 0)))


def difference(plan: SetupPlan) -> str:
    """Return the change as a unified diff without context: lines beside ours may hold somebody's keys."""
    lines: list[str] = []
    for header in plan.originals:
        before, after = _lines(plan.before, header), _lines(plan.after, header)
        changed = list(difflib.unified_diff(before, after, n=0, lineterm=""))
        if changed:
            lines.append(f"@@ [{header}] @@")
            lines += [line for line in changed if not line.startswith(("---", "+++", "@@"))]
    return "\n".join([*lines, ""]) if lines else ""


def _lines(data: bytes, header: str) -> list[str]:
    text = ini.section_text(data, header)
    return [] if text is None else text.decode("utf-8", "replace").splitlines()


def _changed_since(data: bytes, header: str, results: Mapping[str, bytes | None]) -> str | None:
    result = results.get(header)
    there = ini.section_keys(data, header)
    if result is None or there is None or there == ini.section_keys(result, header):
        return None
    return "somebody has changed it since"


def _objection(
    data: bytes,
    header: str,
    original: bytes | None,
    results: Mapping[str, bytes | None],
    credentials: Mapping[str, Section],
) -> str | None:
    section = ini.scan(data).last(header)
    if section is None:
        # Gone, or one of ours that setup itself pruned.
        return None if original is None or MARK.encode() in original else "it has been removed since"
    ours = SESSION_KEYS if header.startswith("sso-session") else PROFILE_KEYS
    before = {} if original is None else ini.section_keys(original, header) or {}
    there = {name: value for name, value in section.values.items() if name not in ours}
    known = results.get(header) is not None  # then it is as it was left, see _changed_since
    if not known and there != {name: value for name, value in before.items() if name not in ours}:
        return "somebody has changed it since"
    if original is None and ours is PROFILE_KEYS and not _marked(section):
        return "it no longer carries credtray's mark"
    if original is None and ours is SESSION_KEYS and _used(data, header, credentials):
        return "profiles still name it"
    return None


def _marked(section: SectionSpan) -> bool:
    return any(comment.text.startswith(MARK) for comment in section.comments)


def _used(data: bytes, header: str, credentials: Mapping[str, Section]) -> bool:
    config = merged(read_config(data), credentials)
    names = {name for name, section in config.sso_sessions.items() if section.span.name == header}
    return any(
        section.text("sso_session") in names or section.text("credtray_sso_session") in names
        for section in config.profiles.values()
    )


def _without(data: bytes, header: str, result: bytes | None) -> bytes:
    section = ini.scan(data).last(header)
    gap = 1 if result is None else len(result) - len(result.lstrip(b"\n"))
    return data if section is None else ini.edit(data, [removal(section, gap)])
