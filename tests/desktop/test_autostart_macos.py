"""Starting at login on macOS: what launchd says counts; launchctl is played by a program."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from credtray.core.errors import AutostartRefused
from credtray.desktop.autostart import ENABLE, Autostart, Outcome
from credtray.desktop.login_entry.macos import LABEL, LaunchAgent
from tests.desktop.mac_programs import MacPrograms

pytestmark = pytest.mark.posix("launchctl is played by a shell script")

RUNNING = "\tstate = running\n\n\tprogram = /opt/python\n\tpid = 4711\n"
WAITING = "\tstate = not running\n\n\tprogram = /opt/python\n\tlast exit code = 0\n"


@pytest.fixture
def programs(tmp_path: Path) -> MacPrograms:
    directory = tmp_path / "bin"
    directory.mkdir()
    return MacPrograms(directory)


@pytest.fixture
def autostart(programs: MacPrograms, tmp_path: Path) -> Autostart:
    home = tmp_path / "home"
    home.mkdir()
    python = tmp_path / "python"
    python.touch()
    agent = LaunchAgent(home, str(programs.directory / "launchctl"))
    return Autostart((str(python), "-I", "-m", "credtray", "run"), agent)


def test_what_launchd_does_not_disable_is_on(autostart: Autostart, programs: MacPrograms) -> None:
    autostart.enable()
    programs.switch_off("com.example.credtray")

    assert (autostart.status().enabled, autostart.status().remark) == (True, None)


@pytest.mark.parametrize("said", ["disabled", "true"])
def test_login_item_that_a_person_turned_off_is_off_and_says_why(
    said: str, autostart: Autostart, programs: MacPrograms
) -> None:
    autostart.enable()
    programs.switch_off(LABEL, said)
    status = autostart.status()

    assert (status.enabled, status.cure) == (False, ENABLE)
    assert "Login Items" in (status.remark or "")


@pytest.mark.parametrize("said", ["enabled", "false"])
def test_login_item_that_was_turned_on_again_is_on(
    said: str, autostart: Autostart, programs: MacPrograms
) -> None:
    autostart.enable()
    programs.switch_off(LABEL, said)

    assert autostart.status().enabled


def test_enabling_turns_it_on_again(autostart: Autostart, programs: MacPrograms) -> None:
    autostart.enable()
    programs.switch_off(LABEL)

    assert (autostart.enable(), autostart.status().enabled) == (Outcome.CHANGED, True)


def test_enabling_what_macos_keeps_turned_off_is_refused_and_writes_nothing(
    autostart: Autostart, programs: MacPrograms
) -> None:
    programs.switch_off(LABEL, for_good=True)
    with pytest.raises(AutostartRefused, match="macOS keeps it turned off"):
        autostart.enable()

    assert not Path(autostart.status().place).exists()


@pytest.mark.parametrize(("state", "stays"), [(RUNNING, True), (WAITING, False)])
def test_disabling_unloads_the_job_but_ends_no_running_agent(
    state: str, stays: object, autostart: Autostart, programs: MacPrograms
) -> None:
    autostart.enable()
    programs.load(state)

    assert (autostart.disable(), programs.is_loaded) == (Outcome.CHANGED, stays)


def test_disabling_what_launchd_never_loaded_is_enough(autostart: Autostart, programs: MacPrograms) -> None:
    autostart.enable()

    assert (autostart.disable(), autostart.disable()) == (Outcome.CHANGED, Outcome.ALREADY)
    assert (programs.directory / "launchctl.log").read_text().splitlines()[-1].startswith("print gui/")


def test_without_launchctl_only_the_file_counts(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.touch()
    autostart = Autostart((str(python), "run"), LaunchAgent(tmp_path, "/nowhere/launchctl"))

    assert (autostart.enable(), autostart.status().enabled, autostart.disable()) == (
        Outcome.CHANGED,
        True,
        Outcome.CHANGED,
    )


@pytest.mark.skipif(
    shutil.which("plistutil") is None, reason="reads the property list as Apple's library would"
)
@pytest.mark.parametrize("name", ["my tools", "R&D <1>", "Zoë 漢字"])
def test_another_reader_of_property_lists_takes_what_is_written(name: str, tmp_path: Path) -> None:
    content = LaunchAgent(tmp_path).content((f"/opt/{name}/python", "-I", "-m", "credtray", "run"))
    plain = tmp_path / "written.plist"
    plain.write_bytes(content)
    binary = tmp_path / "read.plist"
    command = ["plistutil", "-i", str(plain), "-f", "bin", "-o", str(binary)]
    subprocess.run(command, check=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})

    assert plistlib.loads(binary.read_bytes()) == plistlib.loads(content)
    assert binary.read_bytes().startswith(b"bplist00")
