"""Reads settings.toml, and edits it without losing the user's comments. Their meaning is in core/settings."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from agent.core.errors import SettingsInvalid
from agent.core.settings import Settings, from_mapping
from agent.files.atomic_file import read_bounded, write_atomically

_LIMIT = 1024 * 1024
_HEADER = """\
# Settings of credtray. Everything has a default: this file may be empty or missing.
# The reference of all settings is docs/reference/settings.md.
"""


class SettingsFile:
    """Implements ``ports.SettingsFile``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> object:
        """Return what changes when the file does."""
        try:
            found = self.path.stat()
        except OSError as error:
            return error.errno
        return found.st_ino, found.st_size, found.st_mtime_ns

    def load(self) -> Settings:
        """Read the settings; defaults when there is no file.

        Raises:
            SettingsInvalid: not TOML (the line is named), an unknown setting, a value of the wrong kind.
        """
        text = self._text()
        try:
            return from_mapping(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise SettingsInvalid(f"{self.path}: {error}") from None
        except RecursionError:
            raise SettingsInvalid(f"{self.path} is nested too deeply") from None

    def set(self, keys: Sequence[str], value: str | None) -> None:
        """Set (or with None take out) one value, keeping comments and layout; the result is checked first.

        Raises:
            SettingsInvalid: the file is broken already, or would be with this value. Nothing was changed.
        """
        import tomlkit  # noqa: PLC0415 - the agent itself never edits: 3 MiB it need not carry
        from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

        before = self._text()
        try:
            document = tomlkit.parse(before or _HEADER)
            table: tomlkit.container.Container | tomlkit.items.Table = document
            for key in keys[:-1]:
                if value is None and key not in table:
                    return
                table = table.setdefault(key, tomlkit.table())
            if value is None:
                table.pop(keys[-1], None)
            else:
                table[keys[-1]] = value
        except (TOMLKitError, AttributeError, TypeError, RecursionError) as error:
            raise SettingsInvalid(f"{self.path}: {error}") from None
        text = tomlkit.dumps(document)
        from_mapping(tomllib.loads(text))
        if text != before:
            write_atomically(self.path, text.encode())

    def create(self) -> None:
        """Make the file when there is none, for a person to edit."""
        if read_bounded(self.path, _LIMIT) is None:
            write_atomically(self.path, _HEADER.encode())

    def _text(self) -> str:
        data = read_bounded(self.path, _LIMIT)
        try:
            return (data or b"").decode()
        except UnicodeDecodeError as error:
            raise SettingsInvalid(f"{self.path} is not UTF-8 at byte {error.start}") from None
