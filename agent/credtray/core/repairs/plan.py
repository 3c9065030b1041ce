"""What a repair looks at and what it would do, as values. See ``repairs`` for the repairs themselves.

Holds no secret: a plan for the credentials file names sections, never keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from credtray.core import ini
from credtray.core.config.edits import SetupPlan, difference
from credtray.core.config.sso import whole_credentials
from credtray.core.config.text import Section
from credtray.core.own_commands import OldStart
from credtray.core.ports import Mark


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
    known = ini.scan(before).by_name()
    originals = {edit.section: ini.section_text(before, edit.section) for edit in edits}
    after = ini.edit(before, edits)
    results = {header: ini.section_text(after, header) for header in originals}
    gap = ini.append_gap(ini.edit(before, [edit for edit in edits if edit.section in known]))
    for header in (edit.section for edit in edits if edit.section not in known):
        results[header] = b"\n" * gap + (results[header] or b"")
        gap = 1  # see ini.append_gap: before each further section
    return ConfigChange(before, after, MappingProxyType(originals), MappingProxyType(results))
