"""Opening pages and files on macOS, by a stand-in for open(1)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from credtray.core.errors import FileUnopened
from credtray.desktop import browser
from credtray.desktop.browser import SystemBrowser, open_file
from tests.desktop.mac_programs import MacPrograms

pytestmark = pytest.mark.posix("stand-ins for macOS's programs are scripts")

ENVIRON = {"PATH": "/usr/bin:/bin", "AWS_SECRET_ACCESS_KEY": "CANARY"}
PAGE = "https://example.com/?a=1&b=$(id)"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MacPrograms:
    found = MacPrograms(tmp_path)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(browser, "_OPEN", str(tmp_path / "open"))
    return found


def test_page_is_one_word_and_no_aws_variable_goes_along(programs: MacPrograms) -> None:
    assert SystemBrowser(ENVIRON).open(PAGE)
    assert programs.opened == [f"|{PAGE}|"]


def test_file_of_ours_is_shown_as_text_whatever_its_ending_belongs_to(
    programs: MacPrograms, tmp_path: Path
) -> None:
    file = tmp_path / "my settings.toml"
    file.touch()
    open_file(file, ENVIRON)

    assert programs.opened == [f"text|{file}|"]


def test_open_that_fails_is_told(programs: MacPrograms, tmp_path: Path) -> None:
    with pytest.raises(FileUnopened, match=r"gone\.toml"):
        open_file(tmp_path / "gone.toml", ENVIRON)
    programs.breaks("open")

    assert not SystemBrowser(ENVIRON).open(PAGE)
    assert programs.opened == []
