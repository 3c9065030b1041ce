"""What the demo sees of its agent from outside: status documents, notices, rewritten credentials files.

Only listens; it asks the agent nothing and changes nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from credtray.core.protocol.results import SessionStatus, StatusDocument
from credtray.demo.pace import PacedClock

T = TypeVar("T")
_LOOK_SECONDS = 0.02
"""How often the credentials file is looked at."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A notice the agent showed."""

    at: datetime
    title: str
    body: str

    @property
    def ended(self) -> bool:
        """True: it says that the sign-in has ended."""
        return self.title.endswith("sign-in ended")

    @property
    def warns(self) -> bool:
        """True: it says that the sign-in ends soon."""
        return "sign-in ends in" in self.title


@dataclass(frozen=True, slots=True)
class Moment:
    """What a status document says, as far as the demo tells of it."""

    session: SessionStatus
    """The one that there is."""
    keys_until: tuple[datetime, ...]
    """Of the active profiles that have keys."""

    @property
    def signed_in_until(self) -> datetime | None:
        """The end of the sign-in, as far as it is known."""
        return self.session.signed_in_until

    @classmethod
    def of(cls, document: StatusDocument) -> Moment | None:
        """Return the moment; None while the agent knows no session yet."""
        if not document.sessions:
            return None
        ends = (item.expires_at for item in document.profiles if item.active)
        return cls(document.sessions[0], tuple(end for end in ends if end is not None))


class Observed:
    """Collects from several threads; the demo waits here for what should happen."""

    def __init__(self, clock: PacedClock, credentials: Path) -> None:
        self._clock = clock
        self._credentials = credentials
        self._changed = threading.Condition()
        self._gone = threading.Event()
        self._looking = threading.Thread(target=self._look, name="rewrites", daemon=True)
        self.moment: Moment | None = None
        self.notices: list[Heard] = []
        self.rewrites = 0
        """How often the credentials file was replaced."""

    def start(self) -> None:
        """Begin to count rewrites."""
        self._looking.start()

    def stop(self) -> None:
        """Stop counting."""
        self._gone.set()
        if self._looking.is_alive():
            self._looking.join()

    def hear_document(self, line: str) -> None:
        """Take one line of `credtray status --watch --json`."""
        moment = Moment.of(msgspec.json.decode(line, type=StatusDocument))
        with self._changed:
            self.moment = moment
            self._changed.notify_all()

    def hear_notice(self, line: str) -> None:
        """Take one notice of the demo's agent."""
        told = json.loads(line)
        with self._changed:
            self.notices.append(Heard(self._clock.now(), told["title"], told["body"]))
            self._changed.notify_all()

    def wait(self, look: Callable[[], T | None], seconds: float) -> T | None:
        """Wait until *look* returns something, at most so many real seconds."""
        found: list[T] = []

        def met() -> bool:
            result = look()
            if result is not None:
                found.append(result)
            return bool(found)

        with self._changed:
            self._changed.wait_for(met, seconds)
        return found[0] if found else None

    def _look(self) -> None:
        before = self._stamp()
        while not self._gone.wait(_LOOK_SECONDS):
            stamp = self._stamp()
            if stamp is not None and stamp != before:
                self.rewrites += 1
                before = stamp

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._credentials.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
