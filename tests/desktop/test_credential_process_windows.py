"""On Windows each SDK can start what ``credential_process`` is to hold, also in a folder with spaces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from botocore.compat import compat_shell_split

from credtray.desktop import autostart

pytestmark = pytest.mark.windows

SAYS_ITS_WORDS = "import sys\nprint(*sys.argv[1:])\n"


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "My Apps & Zoë" / "credtray"
    (package / "desktop").mkdir(parents=True)
    (package / "__main__.py").write_text(SAYS_ITS_WORDS)
    monkeypatch.setattr(autostart, "__file__", str(package / "desktop" / "autostart.py"))
    return autostart.credential_process_command("dev")


def test_each_sdk_starts_it(line: str) -> None:
    ways = {
        "boto3": list(compat_shell_split(line, platform="win32")),
        "Go": ["cmd.exe", "/C", line],
        "JavaScript": f'cmd.exe /d /s /c "{line}"',
        ".NET before 2026": f"cmd.exe /c {line}",
    }

    said = {
        sdk: subprocess.run(way, capture_output=True, text=True, check=False).stdout.split()
        for sdk, way in ways.items()
    }

    assert list(said.values()) == 4 * [["credentials", "dev"]]


def test_no_folder_but_those_with_spaces_gets_another_name(line: str) -> None:
    assert line.startswith(f"{sys.executable} -I -S ")
    assert line.endswith(r"\credtray\__main__.py credentials dev")
    assert '"' not in line
