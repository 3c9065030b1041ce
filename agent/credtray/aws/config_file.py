"""Loads the AWS config file: implements ``ports.ConfigFile``.

Takes a half-written file for what it is and waits, bounded. Never writes and never executes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from credtray.core.config.sso import parse_config
from credtray.core.config.text import MAX_FILE
from credtray.core.errors import ConfigInvalid, CredtrayError
from credtray.core.models import AwsConfig
from credtray.files.atomic_file import read_bounded
from credtray.files.settling import SETTLE_SECONDS, Stamp
from credtray.files.waiting import RealWaiter, Waiter

QUIET_SECONDS = 1.5
"""How long a file that looks half written must rest before it is believed."""
GIVE_UP_SECONDS = 4.0
"""How long ``load`` waits for that; below the 5 s within which a change has to be taken over."""
_PAUSE = 0.05
_COARSE_SECONDS = 2.0
"""Some file systems count modification times in steps of two seconds."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the file showed."""

    stamp: Stamp | None
    config: AwsConfig | None
    error: ConfigInvalid | None
    rests: bool
    """Nobody has written for a while."""


class AwsConfigFile:
    """The config file at one path.

    Args:
        path: as the user names it.
        environ: gives the endpoint overrides; looked at on each ``load``.
        waiter: time, injected by tests.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], *, waiter: Waiter | None = None) -> None:
        self.path = path
        self._environ = environ
        self._waiter: Waiter = waiter if waiter is not None else RealWaiter()
        self._good: AwsConfig | None = None
        self._good_stamp: Stamp | None = None

    def load(self) -> AwsConfig:
        """Read and understand the file; a missing one is an empty one.

        Usually returns at once. While the file is broken, or profiles have just vanished from it, it is
        probably being written: then this waits until it rests (1.5 s), for at most 4 s, and returns the last
        good state when it does not come to rest.

        Raises:
            ConfigInvalid: it rests and is broken as a whole, or cannot be read; the reason is named.
        """
        deadline = self._waiter.monotonic() + GIVE_UP_SECONDS
        first_seen: dict[Stamp | None, float] = {}
        look: _Look | None = None
        while True:
            stamp = Stamp.at(self.path)
            if self._good is not None and stamp is not None and stamp == self._good_stamp:
                return self._good
            since = first_seen.setdefault(stamp, self._waiter.monotonic())
            if look is None or look.stamp != stamp:
                look = self._look(stamp)
            if self._believed(look, since):
                return self._accepted(look)
            if self._waiter.monotonic() >= deadline:
                return self._good if self._good is not None else self._accepted(look)
            self._waiter.sleep(_PAUSE)

    def stamp(self) -> object:
        """Return something that differs when the file may have changed."""
        return Stamp.at(self.path)

    def _look(self, stamp: Stamp | None) -> _Look:
        rests = stamp is not None and self._waiter.wall() - stamp.modified_ns / 1e9 >= _COARSE_SECONDS
        try:
            data = read_bounded(self.path, MAX_FILE)
            if not rests:
                self._waiter.sleep(SETTLE_SECONDS)
            if Stamp.at(self.path) != stamp:
                return _Look(None, None, ConfigInvalid("it is being written"), rests=False)
            return _Look(stamp, parse_config(data or b"", self._environ), None, rests)
        except ConfigInvalid as error:
            return _Look(stamp, None, error, rests)
        except CredtrayError as error:
            return _Look(stamp, None, ConfigInvalid(error.detail), rests)

    def _believed(self, look: _Look, since: float) -> bool:
        if look.config is not None and not self._loses(look.config):
            return True
        return look.rests or self._waiter.monotonic() - since >= QUIET_SECONDS

    def _loses(self, config: AwsConfig) -> bool:
        if self._good is None:
            return False
        return not (
            self._good.profiles.keys() <= config.profiles.keys()
            and self._good.sessions.keys() <= config.sessions.keys()
        )

    def _accepted(self, look: _Look) -> AwsConfig:
        if look.config is None:
            raise look.error or ConfigInvalid("it cannot be read")
        self._good = look.config
        # A file changed a moment ago can change again within the same tick of a coarse clock.
        self._good_stamp = look.stamp if look.rests else None
        return look.config
