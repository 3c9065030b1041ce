"""Time without waiting, and other programs that act at a chosen moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from credtray.aws.credentials_file import CredentialsFile
from credtray.core.models import RoleCredentials, Secret, SectionKeys
from credtray.files.shared_file import SharedFile

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class StandingClock:
    """A ``Waiter`` whose sleeps pass at once; what other programs do meanwhile can be planned."""

    now: float = 1000.0
    epoch: float = 2_000_000_000.0
    slept: float = 0.0
    _planned: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.epoch

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.epoch += seconds
        self.slept += seconds
        due = [entry for entry in self._planned if entry[0] <= self.slept]
        self._planned = [entry for entry in self._planned if entry[0] > self.slept]
        for _, act in due:
            act()

    def at(self, seconds_from_now: float, act: Callable[[], object]) -> None:
        """Let *act* happen during the sleep that reaches so far."""
        self._planned.append((self.slept + seconds_from_now, act))


def shared(path: Path, waiter: StandingClock | None = None) -> SharedFile:
    """A shared file with locks and backup in a folder next to it."""
    state = path.parent.parent / "credtray-state"
    return SharedFile(path, state / "locks", backup_directory=state, waiter=waiter or StandingClock())


def credentials_file(path: Path, waiter: StandingClock | None = None) -> CredentialsFile:
    return CredentialsFile(shared(path, waiter))


def keys(number: int = 1, *, hours: float = 1) -> RoleCredentials:
    """Made-up role credentials, different for each number."""
    return RoleCredentials(
        f"ASIA{number:016d}",
        Secret(f"se/cr+et{number}"),
        Secret(f"to.ken-{number}=="),
        NOW + timedelta(hours=hours),
        NOW,
    )


def wanted(section: str, number: int = 1, *, region: str | None = None, hours: float = 1) -> SectionKeys:
    return SectionKeys(section, f"profile of {section}", keys(number, hours=hours), region)
