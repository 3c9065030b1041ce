"""Opening our own files on Windows: .toml has no program there, so its own editor takes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credtray.core.errors import FileUnopened
from credtray.desktop import browser

pytestmark = pytest.mark.windows


def test_a_file_without_a_program_goes_to_the_editor_that_windows_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []

    def taken(argv: list[str], *_: object) -> bool:
        opened.append(argv)
        return True

    monkeypatch.setattr(browser, "_taken", taken)
    file = tmp_path / "settings.unknown-to-windows"
    file.touch()
    browser.open_file(file, os.environ)

    assert opened == [[rf"{os.environ['SYSTEMROOT']}\System32\notepad.exe", str(file)]]
    assert Path(opened[0][0]).exists()


def test_without_that_editor_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.unknown-to-windows"
    file.touch()

    with pytest.raises(FileUnopened, match="unknown-to-windows"):
        browser.open_file(file, {"SYSTEMROOT": str(tmp_path)})
