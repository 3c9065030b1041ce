"""Starting at login, switched on and off in a home of the test's own: foreign entries stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.core.errors import AutostartRefused
from credtray.desktop.autostart import Autostart, AutostartStatus, Outcome, agent_command
from credtray.desktop.login_entry.xdg import MARK, DesktopEntry, read_keys
from tests.desktop.test_autostart_entry import taken_apart
from tests.systems import is_root

pytestmark = pytest.mark.linux_desktop("the autostart folder of a desktop")

ROOT = Path(__file__).parents[2]
NOBODY = 65534
FOREIGN = b"[Desktop Entry]\nType=Application\nName=credtray\nExec=/usr/bin/other\n"


def command_in(directory: Path) -> tuple[str, ...]:
    """Return the command of an installation in that directory."""
    interpreter = directory / "bin" / "python"
    interpreter.parent.mkdir(parents=True, exist_ok=True)
    interpreter.touch(0o755)
    return str(interpreter), "-I", "-m", "credtray", "run"


def contents(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return inode, time of writing and content of every file below a directory."""
    return {
        str(path.relative_to(directory)): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def entry(home: Path) -> Path:
    return home / ".config" / "autostart" / "credtray.desktop"


@pytest.fixture
def autostart(tmp_path: Path) -> Autostart:
    return Autostart(command_in(tmp_path / "installed here"))


def put(entry: Path, content: bytes) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_bytes(content)


# --- on and off --------------------------------------------------------------------------------------


def test_nothing_is_enabled_or_written_before_it_is_asked_for(
    autostart: Autostart, entry: Path, home: Path
) -> None:
    before = contents(home)
    status = autostart.status()

    assert (status.enabled, status.place, status.stale, status.remark) == (False, str(entry), None, None)
    assert contents(home) == before


def test_enabled_entry_starts_this_installation(autostart: Autostart, entry: Path) -> None:
    outcome, status = autostart.enable(), autostart.status()

    assert outcome is Outcome.CHANGED
    assert status == AutostartStatus(True, str(entry), status.command)
    assert taken_apart(read_keys(entry.read_bytes())["Exec"]) == [*status.command]
    assert entry.stat().st_mode & 0o777 == 0o644


def test_enabling_twice_is_the_same_as_once(autostart: Autostart, home: Path) -> None:
    autostart.enable()
    once = contents(home)

    assert autostart.enable() is Outcome.ALREADY
    assert contents(home) == once


def test_disabled_leaves_nothing_behind(autostart: Autostart, home: Path) -> None:
    before = contents(home)
    autostart.enable()

    assert autostart.disable() is Outcome.CHANGED
    assert set(contents(home)) - set(before) == {".local/state/credtray/made.jsonl"}  # for `uninstall`


def test_package_that_is_gone_is_not_started_by_a_python_that_stays(home: Path) -> None:
    python, script = home / "bin" / "python", home / "bin" / "credtray"
    for program in (python, script):
        put(program, b"#!/bin/sh\n")
        program.chmod(0o755)
    entry = DesktopEntry.of_user(os.environ)
    installed = Autostart((str(python), "-I", "-m", "credtray", "run"), entry)
    installed.enable()
    needed = read_keys(Path(entry.place).read_bytes())["TryExec"]
    script.unlink()

    assert needed == str(script)
    assert installed.status().stale == f"it starts {script}, which no longer exists"


def test_disabling_what_is_not_enabled_is_fine(autostart: Autostart, home: Path) -> None:
    before = contents(home)

    assert autostart.disable() is Outcome.ALREADY
    assert contents(home) == before


def test_icon_is_installed_for_the_desktop_to_find(autostart: Autostart, home: Path) -> None:
    autostart.enable()
    icons = home / ".local" / "share" / "icons" / "hicolor"

    assert (icons / "48x48/apps/credtray.png").read_bytes().startswith(b"\x89PNG")
    assert (icons / "128x128/apps/credtray.png").read_bytes().startswith(b"\x89PNG")
    assert (icons / "scalable/apps/credtray.svg").read_text().startswith("<svg")


def test_picture_that_is_not_ours_stays(autostart: Autostart, home: Path) -> None:
    icon = home / ".local" / "share" / "icons" / "hicolor" / "48x48" / "apps" / "credtray.png"
    put(icon, b"somebody's own")
    autostart.enable()
    enabled = icon.read_bytes()
    autostart.disable()

    assert (enabled, icon.read_bytes()) == (b"somebody's own", b"somebody's own")


def test_without_room_for_the_icon_it_starts_all_the_same(autostart: Autostart, home: Path) -> None:
    put(home / ".local" / "share" / "icons", b"no directory")

    assert (autostart.enable(), autostart.status().enabled) == (Outcome.CHANGED, True)
    assert autostart.disable() is Outcome.CHANGED


@pytest.mark.parametrize(("given", "used"), [("relative/config", ".config"), ("", ".config")])
def test_relative_config_directory_is_passed_over(given: str, used: str, home: Path) -> None:
    found = DesktopEntry.of_user({"XDG_CONFIG_HOME": given, "XDG_DATA_HOME": given})

    assert found == DesktopEntry(home / used, home / ".local" / "share")


def test_config_directory_of_the_environment_is_used(tmp_path: Path) -> None:
    found = DesktopEntry.of_user(
        {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")}
    )

    assert found == DesktopEntry(tmp_path / "c", tmp_path / "d")


# --- what has changed since --------------------------------------------------------------------------


def test_installation_that_is_gone_is_told_and_mended(tmp_path: Path, entry: Path) -> None:
    gone = command_in(tmp_path / "old")
    Autostart(gone).enable()
    Path(gone[0]).unlink()
    now = Autostart(command_in(tmp_path / "new"))
    status = now.status()

    assert status.enabled
    assert status.stale == f"it starts {gone[0]}, which no longer exists"
    assert (now.enable(), now.status().stale) == (Outcome.CHANGED, None)


def test_other_installation_is_told(tmp_path: Path) -> None:
    other = command_in(tmp_path / "other")
    Autostart(other).enable()
    stale = Autostart(command_in(tmp_path / "this")).status().stale

    assert stale == f"it does not start this installation: {' '.join(other)}"


def test_other_version_at_the_same_place_is_not_stale(autostart: Autostart, entry: Path) -> None:
    autostart.enable()
    text = entry.read_text()
    old = text[: text.index(MARK)] + f"{MARK}=0.0.1\n"
    entry.write_text(old)

    assert (autostart.status().enabled, autostart.status().stale) == (True, None)
    assert (autostart.enable(), entry.read_text()) == (Outcome.CHANGED, text)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("Terminal=false\n", "Terminal=false\nHidden=true\n", "Hidden=true"),
        ("enabled=true", "enabled=false", "X-GNOME-Autostart-enabled=false"),
    ],
)
def test_entry_switched_off_in_the_desktop_is_off_until_it_is_enabled_again(
    autostart: Autostart, entry: Path, before: str, after: str, named: str
) -> None:
    autostart.enable()
    ours = entry.read_text()
    entry.write_text(ours.replace(before, after))
    status = autostart.status()

    assert (status.enabled, status.stale) == (False, None)
    assert named in (status.remark or "")
    assert status.cure == "credtray autostart enable"
    assert (autostart.enable(), entry.read_text()) == (Outcome.CHANGED, ours)


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["enable", "disable"])
def test_entry_of_somebody_else_stays(autostart: Autostart, entry: Path, change: str) -> None:
    put(entry, FOREIGN)
    status = autostart.status()

    with pytest.raises(AutostartRefused, match="was not written by credtray"):
        getattr(autostart, change)()
    assert entry.read_bytes() == FOREIGN
    assert (status.enabled, status.remark) == (False, f"{entry} was not written by credtray")
    assert status.cure == "Move it away, then try again."


@pytest.mark.parametrize("change", ["enable", "disable"])
def test_link_is_neither_followed_nor_replaced(
    autostart: Autostart, entry: Path, tmp_path: Path, change: str
) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(FOREIGN)
    entry.parent.mkdir(parents=True)
    entry.symlink_to(target)

    with pytest.raises(AutostartRefused, match="symbolic link"):
        getattr(autostart, change)()
    assert (entry.readlink(), target.read_bytes()) == (target, FOREIGN)
    assert "symbolic link" in (autostart.status().remark or "")


@pytest.mark.parametrize("change", ["enable", "disable"])
def test_directory_in_its_place_is_refused(autostart: Autostart, entry: Path, change: str) -> None:
    entry.mkdir(parents=True)

    with pytest.raises(AutostartRefused, match="not a regular file"):
        getattr(autostart, change)()
    assert entry.is_dir()


def test_folder_that_is_a_file_is_refused_and_nothing_is_changed(
    autostart: Autostart, entry: Path, home: Path
) -> None:
    put(entry.parent, b"a file")
    before = contents(home)

    with pytest.raises(AutostartRefused, match=str(entry.parent)):
        autostart.enable()
    assert contents(home) == before


ENABLE_AS_A_USER = f"""
import os, sys
from pathlib import Path
from credtray.core.errors import AutostartRefused
from credtray.desktop.autostart import Autostart
from credtray.desktop.login_entry.xdg import DesktopEntry

config = Path(sys.argv[1])
if os.geteuid() == 0:  # whom no permission stops; as somebody else we could not enter root's own directories
    for path in (config, config / "autostart"):
        os.chown(path, {NOBODY}, {NOBODY})
    os.chroot(config)
    os.chdir("/")
    config = Path("/")
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
try:
    Autostart(("/usr/bin/python3", "run"), DesktopEntry(config, config / "data")).enable()
except AutostartRefused as error:
    print(error.detail)
"""


def test_read_only_folder_is_named_and_nothing_is_changed(home: Path) -> None:
    config = home / ".config"
    (config / "autostart").mkdir(parents=True)
    (config / "autostart").chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-B", "-c", ENABLE_AS_A_USER, config],
        env={**os.environ, "PYTHONPATH": str(ROOT / "agent")},
        capture_output=True,
        text=True,
        check=True,
    )
    config = Path("/") if is_root() else config

    place = config / "autostart"
    assert done.stdout == (
        f"writing {place / 'credtray.desktop'}: {place} has permissions that keep you out\n"
    )
    assert contents(home) == {}


def test_path_no_entry_can_hold_is_refused_before_anything_is_written(home: Path) -> None:
    before = contents(home)

    with pytest.raises(AutostartRefused, match="control character"):
        Autostart(("/opt/a\nExec/python", "run")).enable()
    assert contents(home) == before


# --- the command -------------------------------------------------------------------------------------


def test_command_starts_this_very_installation_from_anywhere(tmp_path: Path) -> None:
    interpreter, *arguments = agent_command()
    done = subprocess.run(
        [interpreter, *arguments[:-1], "version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert arguments == ["-I", "-m", "credtray", "run"]
    assert Path(interpreter).is_absolute()
    assert done.stdout.startswith("credtray ")


def test_python_without_a_path_cannot_be_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")

    with pytest.raises(AutostartRefused, match="cannot tell where it is installed"):
        Autostart().enable()
