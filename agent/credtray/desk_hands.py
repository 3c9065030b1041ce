"""What clicks need of this desktop, joined: browser, clipboard, files, autostart, notifications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from credtray.app import Components
from credtray.core.errors import Problem
from credtray.core.ports import Browser, Notification, Notifier
from credtray.daemon.workers import Workers
from credtray.desktop import paths
from credtray.desktop.autostart import Autostart
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.file_opener import open_file
from credtray.store.settings_file import SettingsFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DeskHands:
    """Implements ``clicks.Hands``."""

    components: Components
    workers: Workers
    notifier: Notifier
    clipboard: Clipboard
    autostart: Autostart

    @property
    def browser(self) -> Browser:
        """Opens addresses."""
        return self.components.ports.browser

    @property
    def settings_path(self) -> Path:
        """settings.toml."""
        return paths.settings_file()

    @property
    def config_path(self) -> Path:
        """The AWS config file."""
        return self.components.environment.aws.config

    @property
    def credentials_path(self) -> Path:
        """The credentials file."""
        return self.components.environment.aws.credentials

    @property
    def log_path(self) -> Path:
        """The agent's log."""
        return paths.log_file()

    def open_file(self, path: Path) -> None:
        """Open it in the program this desktop prefers."""
        open_file(path, self.components.environment.environ)

    def create_settings(self) -> None:
        """Make settings.toml when there is none."""
        SettingsFile(self.settings_path, paths.state_directory()).create()

    def set_autostart(self, *, enabled: bool) -> None:
        """Start with the desktop session from now on, or no longer."""
        if enabled:
            self.autostart.enable()
        else:
            self.autostart.disable()

    async def off_loop(self, work: Callable[[], T]) -> T:
        """Run what blocks in a thread."""
        return await self.workers.desktop_result_of(work)

    def tell(self, notification: Notification) -> None:
        """Show it soon; who cannot be told finds it in the log."""
        self.workers.notices(lambda: self.notifier.show(notification), _done, _unseen)

    def take_back(self, key: str) -> None:
        """Withdraw it."""
        self.workers.notices(lambda: self.notifier.withdraw(key), _done, _unseen)


def _done(_result: None) -> None:
    """Nothing follows."""


def _unseen(_problem: Problem) -> None:
    """The notifier has written it to the log."""
