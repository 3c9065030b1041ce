"""What starts at login and is gone: found by the doctor, and replaced by the repair."""

from __future__ import annotations

import json
import plistlib
import sys
from pathlib import Path
from typing import Any

import pytest

from credtray.core.own_commands import OwnCommand, own_start
from credtray.desktop.autostart import Autostart, agent_command
from credtray.desktop.login_entry.macos import MARK as MAC_MARK
from credtray.desktop.login_entry.macos import LaunchAgent
from credtray.desktop.login_entry.windows import NAME, RUN, RunValue
from credtray.desktop.login_entry.xdg import MARK, desktop_entry, exec_value, exec_words, read_keys
from tests.cli.fake_backend import FakeBackend, credtray
from tests.desktop.test_autostart_elsewhere import FakeRegistry

NOW = ("/usr/bin/env", "-I", "-m", "credtray", "run")
OLD = [
    (sys.executable, "-m", "agent", "run"),
    ("/gone/python", "-I", "-m", "credtray", "run"),
    (sys.executable, "-I", "/gone/site packages/agent/__main__.py", "run"),
    ("/gone/100% mine/python", "-I", "-m", "credtray", "run"),
    ('/gone/it\'s "$HOME"/python', "-m", "agent", "run"),
]


@pytest.fixture
def entry(home: Path) -> Path:
    path = home / ".config" / "autostart" / "credtray.desktop"
    path.parent.mkdir(parents=True)
    return path


def repair(*words: str) -> Any:
    return credtray("repair", *words, backend=FakeBackend())


@pytest.mark.linux_desktop("the autostart folder of a desktop")
@pytest.mark.met("F3")
@pytest.mark.parametrize("command", OLD)
def test_old_entry_is_found_and_starts_the_present_one_after_the_repair(
    entry: Path, command: tuple[str, ...]
) -> None:
    entry.write_bytes(desktop_entry(command, "0.0.1"))
    findings = json.loads(credtray("doctor", "--json").out)["findings"]
    finding = next(item for item in findings if item["code"] == "autostart_old")

    assert (finding["repair"], str(entry) in finding["seen"][0]["text"]) == ("old_autostart", True)
    outcome = repair("old_autostart", "--yes")
    assert outcome.code == 0, outcome.err
    assert "`credtray undo` cannot undo this." in outcome.err
    assert outcome.out.endswith("credtray autostart disable\n")
    assert read_keys(entry.read_bytes())["Exec"] == exec_value(agent_command())
    assert "Nothing to repair." in repair("old_autostart").out
    assert "autostart_old" not in credtray("doctor", "--json").out
    assert credtray("autostart", "status").code == 0


@pytest.mark.linux_desktop("the autostart folder of a desktop")
@pytest.mark.met("F3")
def test_only_looking_changes_nothing(entry: Path) -> None:
    entry.write_bytes(desktop_entry(OLD[0], "0.0.1"))
    before = entry.read_bytes()
    outcome = repair("old_autostart", "--dry-run")

    assert f"- {exec_value(OLD[0])}\n+ {exec_value(agent_command())}\n" in outcome.out
    assert entry.read_bytes() == before


@pytest.mark.linux_desktop("the autostart folder of a desktop")
@pytest.mark.met("F3")
@pytest.mark.parametrize(
    "content",
    [
        desktop_entry(NOW, "0.0.1"),  # another installation, which is there
        desktop_entry(OLD[0], "0.0.1") + b"Hidden=true\n",
        b"[Desktop Entry]\nExec=/gone/python -m agent run\n",  # no mark of ours
        f"[Desktop Entry]\nExec=sh -c 'python -m credtray run'\n{MARK}=1\n".encode(),
    ],
)
def test_what_can_start_or_is_not_ours_is_left_alone(entry: Path, content: bytes) -> None:
    entry.write_bytes(content)

    assert "Nothing to repair." in repair("old_autostart", "--yes").out
    assert entry.read_bytes() == content


@pytest.mark.met("F3")
@pytest.mark.parametrize("command", OLD)
def test_old_launch_agent_is_written_anew(command: tuple[str, ...], tmp_path: Path) -> None:
    autostart = Autostart(agent_command(), LaunchAgent(tmp_path))
    place = Path(autostart.status().place)
    place.parent.mkdir(parents=True)
    place.write_bytes(plistlib.dumps({"ProgramArguments": list(command), MAC_MARK: "0.0.1"}))

    assert autostart.outdated() is not None
    autostart.enable()
    assert autostart.outdated() is None


@pytest.mark.met("F3")
@pytest.mark.parametrize(
    "line",
    [
        rf'"{sys.executable}" -m agent run',
        r'"C:\Program Files\old\pythonw.exe" -I -m credtray run',
        rf'"{sys.executable}" -I "C:\old place\agent\__main__.py" run',
    ],
)
def test_old_run_value_is_written_anew(line: str) -> None:
    registry = FakeRegistry({(RUN, NAME): line})
    autostart = Autostart(agent_command(), RunValue(registry))

    assert autostart.outdated() is not None
    autostart.enable()
    assert autostart.outdated() is None


@pytest.mark.parametrize("command", [*OLD, NOW, ("/a\\b/p", "", "x=y", "`z`", "#")])
def test_command_of_an_entry_is_taken_apart_as_it_was_put_together(command: tuple[str, ...]) -> None:
    words = exec_words(exec_value(command))

    assert words[-len(command) :] == command
    assert words[: -len(command)] in {(), ("/usr/bin/env",)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("/x/python", "-m", "agent", "run"), OwnCommand("/x/python", None, "agent", "")),
        (("/usr/bin/env", "/x%/python", "-m", "agent", "run"), OwnCommand("/x%/python", None, "agent", "")),
        (("/x/bin/credtray", "run"), OwnCommand("/x/bin/credtray", None, "credtray", "")),
        (("/x/python", "-m", "other", "run"), None),
        (("/x/bin/credtray", "status"), None),
        (("run",), None),
        ((), None),
    ],
)
def test_what_starts_the_agent_is_recognised(words: tuple[str, ...], expected: OwnCommand | None) -> None:
    assert own_start(words) == expected
