"""What keeps credtray from writing a file: values, with the words and the cure for a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from credtray.core import shell_words


class Obstacle(StrEnum):
    """What is wrong with a file or a directory."""

    OWNER = "owner"
    """It belongs to somebody else, mostly to root: a command was run with sudo."""
    MODE = "mode"
    """Its own owner may not write, read or enter it."""
    READ_ONLY = "read_only"
    """The file system is mounted read-only."""
    IMMUTABLE = "immutable"
    """It carries a flag that forbids changes, whoever asks."""
    DANGLING = "dangling"
    """A symbolic link into nowhere."""
    NO_DIRECTORY = "no_directory"
    """Something else is where a directory should be."""


_TEXTS = MappingProxyType(
    {
        Obstacle.OWNER: "belongs to {about}{root}",
        Obstacle.MODE: "has permissions that keep you out",
        Obstacle.READ_ONLY: "is on a file system that is mounted read-only",
        Obstacle.IMMUTABLE: "is marked immutable",
        Obstacle.DANGLING: "is a symbolic link to {about}, which does not exist",
        Obstacle.NO_DIRECTORY: "is not a directory, and a directory is needed there",
    }
)


@dataclass(frozen=True, slots=True)
class InTheWay:
    """One obstacle."""

    obstacle: Obstacle
    path: str
    """For a person: below ``~`` where it is."""
    about: str = ""
    """OWNER: the owner's name. DANGLING: where the link leads."""
    by_root: bool = False
    """OWNER: this process is root's own, started by sudo in the home of the owner."""
    elsewhere: bool = False
    """OWNER: it is not below the home directory, so it is not to be given to this user."""
    whole: str | None = None
    """OWNER: the directory to give back with all that is in it, where it is more than ``path``."""

    @property
    def text(self) -> str:
        """What is wrong, in a sentence without its subject and full stop."""
        root = ", and this runs as root" if self.by_root else ""
        return _TEXTS[self.obstacle].format(about=self.about, root=root)

    @property
    def place(self) -> str:
        """The path that is to be cured."""
        return self.whole or self.path

    @property
    def cure(self) -> str:
        """What to do, as a whole sentence; a command follows ``Run: ``."""
        match self.obstacle:
            case Obstacle.OWNER:
                return self._cure_of_owner
            case Obstacle.MODE:
                return f"Run: {shell_words.OPEN_TO_OWNER.on(self.place)}"
            case Obstacle.READ_ONLY:
                return "Make that file system writable, then try again."
            case Obstacle.IMMUTABLE:
                return f"Run: {shell_words.CHANGEABLE.on(self.place)}"
            case Obstacle.DANGLING | Obstacle.NO_DIRECTORY:
                return f"Move it away. Run: {shell_words.MOVE_AWAY.on(self.place)}"

    @property
    def _cure_of_owner(self) -> str:
        if self.by_root:
            return f"Run it as {self.about}, without sudo."
        if self.elsewhere:
            return f"Ask {self.about} for access, or use a file below your home directory."
        return f"Run: {shell_words.GIVE_BACK.on(self.place)}"
