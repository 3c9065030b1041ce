"""What a doctor says: one cause with its cure, and where it was seen.

Values only. No text in a finding may hold a secret, a pasted text, or a name that was not made printable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
class Kind:
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


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that applies here and now."""

    kind: Kind
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
