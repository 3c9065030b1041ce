"""What a doctor says: one cause with its cure, and where it was seen.

Values only. No text in a finding may hold a secret, a pasted text, or a name that was not made printable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from credtray.core.forms import Form
from credtray.core.settings import dotted
from credtray.core.shell_words import ShellCommand, argument, path_word, posix_word, toml_word
from credtray.core.words import short


class Severity(StrEnum):
    """How much it matters, the worst first."""

    BROKEN = "broken"
    """Programs fail, or credtray cannot do its work, until somebody acts."""
    WARNING = "warning"
    """It works now, and will not always."""
    NOTE = "note"
    """Worth knowing when something does not work."""
    FINE = "fine"
    """Looked at and good."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Group(StrEnum):
    """What a finding is about; the order in which doctor shows findings of the same severity."""

    SIGN_IN = "Sign-in"
    KEYS = "Keys"
    CONFIG = "AWS files"
    ENVIRONMENT = "Environment"
    NETWORK = "Network and clock"
    AGENT = "Agent and desktop"


class Repair(StrEnum):
    """What ``credtray repair NAME`` offers."""

    LEGACY_PROFILES = "legacy_profiles"
    STALE_KEYS = "stale_keys"
    OUTDATED_SESSION = "outdated_session"
    OLD_COMMANDS = "old_commands"
    OLD_AUTOSTART = "old_autostart"


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing that was seen."""

    text: str
    """A sentence without its full stop."""
    file: str | None = None
    """The file it was seen in, as a person would name it."""
    line: int | None = None
    """Counted from 1."""

    @property
    def place(self) -> str:
        """``file:line``, as editors and terminals understand it; empty without a file."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One cause that doctor knows: the row of docs/reference/findings.md."""

    code: str
    """Stable: scripts and ``credtray explain`` name it."""
    group: Group
    severity: Severity
    """The usual one; a finding may be milder or worse."""
    title: str
    cause: str
    cure: str
    """An exact command or edit; ``{name}`` places are filled in by the finding."""
    repair: Repair | None = None
    command: ShellCommand | None = None
    """What stands at ``{command}``, in the words of the system's shell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that applies here and now."""

    kind: FindingKind
    severity: Severity
    seen: tuple[Sight, ...]
    cure: str
    profiles: tuple[str, ...] = ()
    """The profiles it is about; empty: not about single profiles."""
    session: str | None = None

    @property
    def code(self) -> str:
        """The kind's stable name."""
        return self.kind.code

    @property
    def repair(self) -> Repair | None:
        """What ``credtray repair`` offers for it."""
        return self.kind.repair


# How rules make findings out of kinds: the cure's places filled in, names made printable, sights joined.
#
# Decides nothing about the facts.


_SETTINGS = ("proxy", "ca_bundle", "device_flow")
"""Of a session: ``{proxy_setting}`` in a cure is the path of the first as a word of a command."""

_GENERAL = MappingProxyType(
    {
        "header": "SESSION",
        **{f"{name}_setting": f"sessions.SESSION.{name}" for name in _SETTINGS},
        "setting": "sessions.SESSION.proxy",
        "hint": "To see what exactly is wrong: credtray doctor",
    }
)


class _Places(dict[str, str]):
    """A place nobody filled in stays a word a person sees is to be replaced."""

    def __missing__(self, key: str) -> str:
        return _GENERAL.get(key, key.upper())


def found(
    kind: FindingKind,
    *seen: Sight,
    severity: Severity | None = None,
    profiles: Iterable[str] = (),
    session: str | None = None,
    path: str | None = None,
    fill: dict[str, str] | None = None,
) -> Finding:
    """Return a finding.

    The cure's ``{session}`` is the session's name as the last word of a command, ``{header}`` as in a header
    of the config file, ``{path}`` the path as a word of a command; other places come from *fill*.
    """
    places = _Places(fill or {})
    if session is not None:
        places["session"] = argument(clean(session))
        places["header"] = posix_word(clean(session)) if {" ", "\t"} & {*session} else clean(session)
        places |= {
            f"{name}_setting": toml_word(dotted(("sessions", clean(session), name))) for name in _SETTINGS
        }
    if path is not None:
        places["path"] = path_word(path)
    if kind.command is not None and "command" not in places:
        places["command"] = kind.command.on("PATH" if path is None else path)
    cure = kind.cure.format_map(places)
    return Finding(kind, severity or kind.severity, seen, cure, tuple(profiles), session)


def general_cure(kind: FindingKind, form: Form = Form.POSIX) -> str:
    """Return the cure with its places as words in capitals, for a reference."""
    command = {} if kind.command is None else {"command": kind.command.on("PATH", form)}
    return kind.cure.format_map(_Places(command))


def clean(text: str) -> str:
    """Return foreign text with what cannot be printed replaced, at most 300 characters."""
    return "".join(char if char.isprintable() else "?" for char in text[:300])


def moment(instant: datetime, now: datetime) -> str:
    """Write an instant for a person: ``14:05 UTC, 2 h 3 min ago`` or ``in 40 min``."""
    form = "%H:%M UTC" if abs(instant - now).days < 1 else "%Y-%m-%d %H:%M UTC"
    distance = short(abs(instant - now))
    when = f"in {distance}" if instant > now else f"{distance} ago"
    return f"{instant.astimezone(UTC).strftime(form)}, {when}"


def joined(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings of the same kind, severity, cure and session; the worst first, then by group.

    Findings that differ in nothing but what was seen are one to a person.
    """
    together: dict[tuple[str, str, str, str | None], list[Finding]] = {}
    for item in findings:
        key = (item.code, item.severity, item.cure, item.session)
        together.setdefault(key, []).append(item)
    return tuple(sorted(map(_one, together.values()), key=_order))


def _one(same: list[Finding]) -> Finding:
    seen = dict.fromkeys(sight for item in same for sight in item.seen)
    profiles = dict.fromkeys(name for item in same for name in item.profiles)
    return replace(same[0], seen=tuple(seen), profiles=tuple(profiles))


def _order(item: Finding) -> tuple[int, int]:
    return item.severity.rank, list(Group).index(item.kind.group)
