"""Starting at login on macOS and Windows: what would be written there, read back by other means."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import AutostartRefused
from credtray.desktop.autostart import Autostart, Outcome
from credtray.desktop.login_entry.macos import LABEL, LaunchAgent
from credtray.desktop.login_entry.windows import APPROVED, NAME, RUN, RunValue

ARGUMENTS = ("-I", "-m", "credtray", "run")
MAC = ("/Users/ann/my tools/bin/python", *ARGUMENTS)
WINDOWS = (r"C:\Program Files\credtray\pythonw.exe", *ARGUMENTS)


# --- macOS -------------------------------------------------------------------------------------------


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30))
def test_property_list_holds_the_command(name: str) -> None:
    command = (f"/opt/{name}/python", *ARGUMENTS)
    document = plistlib.loads(LaunchAgent(Path("/Users/ann")).content(command))

    assert document["ProgramArguments"] == [*command]
    assert (document["Label"], document["RunAtLoad"]) == (LABEL, True)
    assert "KeepAlive" not in document


@pytest.mark.parametrize("broken", ["\0", "\x1b", "\udcff"])
def test_path_that_no_property_list_can_hold_is_refused(broken: str, tmp_path: Path) -> None:
    with pytest.raises(AutostartRefused, match="property list"):
        Autostart((f"/opt/{broken}/python",), LaunchAgent(tmp_path)).enable()
    assert list(tmp_path.iterdir()) == []


def test_launch_agent_is_switched_on_and_off(tmp_path: Path) -> None:
    autostart = Autostart(MAC, LaunchAgent(tmp_path))
    place = tmp_path / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    assert [autostart.enable(), autostart.enable()] == [Outcome.CHANGED, Outcome.ALREADY]
    assert (autostart.status().enabled, autostart.status().place) == (True, str(place))
    assert autostart.status().stale == f"it starts {MAC[0]}, which no longer exists"
    assert [autostart.disable(), autostart.disable()] == [Outcome.CHANGED, Outcome.ALREADY]
    assert not place.exists()


def test_disabled_launch_agent_is_off(tmp_path: Path) -> None:
    autostart = Autostart(MAC, LaunchAgent(tmp_path))
    autostart.enable()
    place = Path(autostart.status().place)
    place.write_bytes(plistlib.dumps({**plistlib.loads(place.read_bytes()), "Disabled": True}))

    assert (autostart.status().enabled, autostart.status().remark) == (
        False,
        "its property list says Disabled",
    )
    assert (autostart.enable(), autostart.status().enabled) == (Outcome.CHANGED, True)


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"bplist00", b"<plist><array/></plist>", plistlib.dumps({"Label": LABEL})]
)
def test_property_list_of_somebody_else_stays(content: bytes, tmp_path: Path) -> None:
    autostart = Autostart(MAC, LaunchAgent(tmp_path))
    place = Path(autostart.status().place)
    place.parent.mkdir(parents=True)
    place.write_bytes(content)

    with pytest.raises(AutostartRefused, match="was not written by credtray"):
        autostart.enable()
    assert place.read_bytes() == content


# --- Windows -----------------------------------------------------------------------------------------


@dataclass
class FakeRegistry:
    """The user's part of a registry, as a table."""

    values: dict[tuple[str, str], str | bytes] = field(default_factory=dict)

    def get(self, key: str, name: str) -> str | bytes | None:
        return self.values.get((key, name))

    def put(self, key: str, name: str, value: str) -> None:
        self.values[key, name] = value

    def delete(self, key: str, name: str) -> None:
        self.values.pop((key, name), None)


def taken_apart(line: str) -> list[str]:
    """Return the arguments of a command line by the rules of CommandLineToArgvW, for lines without \\"."""
    words, word, quoted = [], "", False
    for character in line + " ":
        if character == '"':
            quoted = not quoted
        elif character == " " and not quoted:
            words.append(word)
            word = ""
        else:
            word += character
    return words


@given(st.text(st.sampled_from("ab c&^!;,()'$`\\é"), min_size=1, max_size=40))
def test_run_value_holds_the_command(name: str) -> None:
    command = (rf"C:\{name}\pythonw.exe", *ARGUMENTS)

    assert taken_apart(RunValue(FakeRegistry()).content(command).decode()) == [*command]


def test_run_value_is_switched_on_and_off() -> None:
    registry = FakeRegistry()
    autostart = Autostart(WINDOWS, RunValue(registry))

    assert [autostart.enable(), autostart.enable()] == [Outcome.CHANGED, Outcome.ALREADY]
    assert registry.values == {(RUN, NAME): f'"{WINDOWS[0]}" -I -m credtray run'}
    assert autostart.status().stale == f"it starts {WINDOWS[0]}, which no longer exists"
    assert [autostart.disable(), autostart.disable()] == [Outcome.CHANGED, Outcome.ALREADY]
    assert registry.values == {}


def test_other_installation_is_told_on_windows(tmp_path: Path) -> None:
    here = tmp_path / "pythonw.exe"
    here.touch()
    registry = FakeRegistry()
    Autostart((str(here), *ARGUMENTS), RunValue(registry)).enable()

    assert Autostart(WINDOWS, RunValue(registry)).status().stale == (
        f'it does not start this installation: "{here}" -I -m credtray run'
    )


@pytest.mark.parametrize(("noted", "outcome"), [(2, Outcome.ALREADY), (3, Outcome.CHANGED)])
def test_choice_of_the_task_manager_counts_until_it_is_enabled_again(noted: int, outcome: Outcome) -> None:
    registry = FakeRegistry()
    autostart = Autostart(WINDOWS, RunValue(registry))
    autostart.enable()
    registry.values[APPROVED, NAME] = bytes([noted]) + bytes(11)

    assert autostart.status().enabled is (outcome is Outcome.ALREADY)
    assert autostart.enable() is outcome
    assert autostart.status().enabled


@pytest.mark.parametrize("value", [r"C:\other\credtray.exe", b"\x01\x02"])
def test_value_of_somebody_else_stays(value: str | bytes) -> None:
    registry = FakeRegistry({(RUN, NAME): value})
    autostart = Autostart(WINDOWS, RunValue(registry))

    for change in (autostart.enable, autostart.disable):
        with pytest.raises(AutostartRefused, match="was not written by credtray"):
            change()
    assert registry.values == {(RUN, NAME): value}


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("C:\\" + "a" * 260 + "\\pythonw.exe", "260"),
        ('C:\\a"b\\pythonw.exe', "cannot be used in a command"),
        ("C:\\%PATH%\\pythonw.exe", "cannot be used in a command"),
        ("C:\\a\nb\\pythonw.exe", "cannot be used in a command"),
        ("C:\\\udcff\\pythonw.exe", "cannot be used in a command"),
    ],
)
def test_command_that_windows_would_not_start_is_refused(program: str, reason: str) -> None:
    registry = FakeRegistry()

    with pytest.raises(AutostartRefused, match=reason):
        Autostart((program, *ARGUMENTS), RunValue(registry)).enable()
    assert registry.values == {}
