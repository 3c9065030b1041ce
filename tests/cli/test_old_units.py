"""systemd units of a user that start a credtray which is gone: a finding with what to write instead."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.doctor.old_units import exec_start, started
from tests.cli.fake_backend import credtray

OURS = (Path(__file__).parents[2] / "packaging" / "credtray.service").read_text("utf-8")


def findings(home: Path, name: str, text: str) -> list[dict[str, Any]]:
    folder = home / ".config" / "systemd" / "user"
    place = folder / name
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    found = json.loads(credtray("doctor", "--json").out)["findings"]
    return [item for item in found if item["code"] == "systemd_unit_old"]


@pytest.mark.linux_desktop("units of systemd")
@pytest.mark.met("F3")
@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (f"{sys.executable} -m agent run", "there is no module agent"),
        ("/gone/bin/credtray run", "/gone/bin/credtray does not exist"),
        ("-/gone/python -I -m credtray run", "/gone/python does not exist"),
        ("@/gone/python credtray -I -m credtray run", "/gone/python does not exist"),
        ('"/gone/my tools/python" -I \\\n  -m credtray run', "/gone/my tools/python does not exist"),
        (f"{sys.executable} -I /gone/agent/__main__.py run", "/gone/agent/__main__.py does not exist"),
        ("/gone/100%%/python -m credtray run", "/gone/100%/python does not exist"),
    ],
)
def test_unit_with_an_old_command_is_found(home: Path, start: str, reason: str) -> None:
    found = findings(home, "my tray.service", f"[Unit]\nExecStart=x\n[Service]\nExecStart={start}\n")

    assert [item["seen"][0]["text"] for item in found] == [reason]
    assert found[0]["cure"] == (
        f"Set ExecStart={sys.executable} -I -m credtray run in ~/.config/systemd/user/my tray.service,"
        " then run: systemctl --user daemon-reload && systemctl --user restart 'my tray.service'"
    )


@pytest.mark.met("F3")
def test_unit_of_ours_without_the_command_it_expects_is_found(home: Path) -> None:
    assert len(findings(home, "credtray.service", OURS)) == 1


def test_unit_of_ours_with_its_command_is_fine(home: Path) -> None:
    command = home / ".local" / "bin" / "credtray"
    command.parent.mkdir(parents=True)
    command.touch()

    assert findings(home, "credtray.service", OURS) == []


@pytest.mark.met("F3")
def test_drop_in_names_its_unit(home: Path) -> None:
    text = "[Service]\nExecStart=\nExecStart=/gone/bin/credtray run\n"
    found = findings(home, "tray.service.d/mine.conf", text)

    assert found[0]["cure"].endswith("systemctl --user restart tray.service")


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nExecStart=/gone/other run\n",
        "[Service]\nExecStart=/gone/bin/credtray status\n",
        "[Service]\n# ExecStart=/gone/bin/credtray run\n",
        "[Install]\nExecStart=/gone/bin/credtray run\n",
        "[Service]\nExecStart=%t/bin/credtray run\n",
        "[Service]\nExecStart='/gone/bin/credtray run\n",
        f"[Service]\nExecStart={sys.executable} -I -m credtray run\n",
    ],
)
def test_other_units_are_left_alone(home: Path, text: str) -> None:
    assert findings(home, "x.service", text) == []


@given(st.lists(st.text("ab/ %$\\\"'é~-", min_size=1, max_size=8), min_size=1, max_size=4))
def test_command_written_for_a_unit_is_read_as_it_was(words: list[str]) -> None:
    command = ["/x/python", *words]

    assert list(started(f"[Service]\nExecStart={exec_start(command)}\n", "/h")) == [tuple(command)]
