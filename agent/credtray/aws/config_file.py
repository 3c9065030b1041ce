"""Loads the AWS config file and what the credentials file adds to it: implements ``ports.ConfigFile``.

Takes a half-written file for what it is and waits, bounded. Never writes and never executes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from credtray.core.config.sections import MAX_FILE, Section, Value
from credtray.core.config.sso import parse_config, read_credentials, remembered_section
from credtray.core.errors import ConfigInvalid, CredtrayError
from credtray.core.models import AwsConfig
from credtray.files.atomic_file import is_null, read_bounded
from credtray.files.open_directory import RealWaiter, Waiter
from credtray.files.settling import SETTLE_SECONDS, Stamp

QUIET_SECONDS = 1.5
"""How long a file that looks half written must rest before it is believed."""
GIVE_UP_SECONDS = 4.0
"""How long ``load`` waits for that; below the 5 s within which a change has to be taken over."""
_PAUSE = 0.05
_COARSE_SECONDS = 2.0
"""Some file systems count modification times in steps of two seconds."""

_Stamps = tuple[Stamp | None, Stamp | None]
"""Of the config file and of the credentials file."""
Settings = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at both files showed."""

    stamps: _Stamps
    config: AwsConfig | None
    error: ConfigInvalid | None
    rests: bool
    """Nobody has written to either for a while."""
    held: Mapping[str, Settings] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What the credentials file says of profiles; no secret is among it."""


class AwsConfigFile:
    """The config file, and what the credentials file says of its profiles.

    Args:
        path: of the config file, as the user names it.
        environ: gives the endpoint overrides; looked at on each ``load``.
        credentials: path of the credentials file; None: there is none.
        waiter: time, injected by tests.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        credentials: Path | None = None,
        *,
        waiter: Waiter | None = None,
    ) -> None:
        self.path = path
        self._credentials = credentials
        self._environ = environ
        self._waiter: Waiter = waiter if waiter is not None else RealWaiter()
        self._good: _Look | None = None

    def load(self) -> AwsConfig:
        """Read and understand both files; a missing one is an empty one.

        Usually returns at once. While the config file is broken, or profiles or settings have just vanished
        from either, it is probably being written: then this waits until it rests (1.5 s), for at most 4 s,
        and returns the last good state when it does not come to rest. A credentials file that is broken or
        cannot be read says what it said last.

        Raises:
            ConfigInvalid: the config file rests and is broken as a whole, or cannot be read; the reason is
                named.
        """
        deadline = self._waiter.monotonic() + GIVE_UP_SECONDS
        first_seen: dict[_Stamps, float] = {}
        look: _Look | None = None
        while True:
            stamps = self._stamps()
            if self._is_known(stamps):
                return self._last_good()
            since = first_seen.setdefault(stamps, self._waiter.monotonic())
            if look is None or look.stamps != stamps:
                look = self._look(stamps)
            if self._believed(look, since):
                return self._accepted(look)
            if self._waiter.monotonic() >= deadline:
                return self._last_good() if self._good is not None else self._accepted(look)
            self._waiter.sleep(_PAUSE)

    def stamp(self) -> object:
        """Return something that differs when what the files say of profiles may have changed.

        The credentials file changes with every renewal of keys; only what it says of profiles counts here.
        """
        config, credentials = self._stamps()
        good = self._good
        if good is not None and good.rests and good.stamps[1] == credentials:
            return config, good.held
        return config, _settings(self._sections())

    def _stamps(self) -> _Stamps:
        return Stamp.at(self.path), None if self._credentials is None else Stamp.at(self._credentials)

    def _is_known(self, stamps: _Stamps) -> bool:
        # A file changed a moment ago can change again within the same tick of a coarse clock.
        good = self._good
        return good is not None and good.rests and stamps[0] is not None and stamps == good.stamps

    def _last_good(self) -> AwsConfig:
        if self._good is None or self._good.config is None:
            raise ConfigInvalid("it cannot be read")
        return self._good.config

    def _look(self, stamps: _Stamps) -> _Look:
        rests = stamps[0] is not None and all(self._rests(stamp) for stamp in stamps if stamp is not None)
        try:
            data, sections = _read(self.path), self._sections()
            if not rests:
                self._waiter.sleep(SETTLE_SECONDS)
            if self._stamps() != stamps:
                return _Look((None, None), None, ConfigInvalid("it is being written"), rests=False)
            config = parse_config(data, self._environ, sections)
            if self._good is not None and self._good.config == config:
                config = self._last_good()
            return _Look(stamps, config, None, rests, _settings(sections))
        except ConfigInvalid as error:
            return _Look(stamps, None, error, rests)
        except CredtrayError as error:
            return _Look(stamps, None, ConfigInvalid(error.detail), rests)

    def _rests(self, stamp: Stamp) -> bool:
        return self._waiter.wall() - stamp.modified_ns / 1e9 >= _COARSE_SECONDS

    def _believed(self, look: _Look, since: float) -> bool:
        if look.config is not None and not self._loses(look):
            return True
        return look.rests or self._waiter.monotonic() - since >= QUIET_SECONDS

    def _loses(self, look: _Look) -> bool:
        good = self._good
        if good is None or good.config is None or look.config is None:
            return False
        return not (
            good.config.profiles.keys() <= look.config.profiles.keys()
            and good.config.sessions.keys() <= look.config.sessions.keys()
            and all(good.held[name].keys() <= look.held.get(name, {}).keys() for name in good.held)
        )

    def _accepted(self, look: _Look) -> AwsConfig:
        if look.config is None:
            raise look.error or ConfigInvalid("it cannot be read")
        self._good = look
        return look.config

    def _sections(self) -> Mapping[str, Section]:
        """Return what the credentials file says of profiles; broken (told elsewhere), what it said last."""
        if self._credentials is None:
            return {}
        try:
            return read_credentials(_read(self._credentials))
        except (ConfigInvalid, CredtrayError):
            last = {} if self._good is None else self._good.held
            return {name: remembered_section(name, settings) for name, settings in last.items()}


def _settings(sections: Mapping[str, Section]) -> Mapping[str, Settings]:
    return {name: section.settings for name, section in sections.items()}


def _read(path: Path) -> bytes:
    """Read a file; a missing one and /dev/null (botocore: not ``os.path.isfile``) are empty ones."""
    return b"" if is_null(path) else read_bounded(path, MAX_FILE) or b""
