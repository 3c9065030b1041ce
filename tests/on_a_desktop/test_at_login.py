"""Start at login, by what starts things at login: dex, and a real session of XFCE."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.house import House
from tests.on_a_desktop.programs import Program
from tests.on_a_desktop.seat import Seat

# Nothing is saved, nothing but one program that ends at once is started, no keys are held.
_SESSION = """\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-session" version="1.0">
  <property name="general" type="empty">
    <property name="FailsafeSessionName" type="string" value="Failsafe"/>
    <property name="SaveOnExit" type="bool" value="false"/>
  </property>
  <property name="startup" type="empty">
    <property name="ssh-agent" type="empty"><property name="enabled" type="bool" value="false"/></property>
    <property name="gpg-agent" type="empty"><property name="enabled" type="bool" value="false"/></property>
  </property>
  <property name="sessions" type="empty">
    <property name="Failsafe" type="empty">
      <property name="IsFailsafe" type="bool" value="true"/>
      <property name="Count" type="int" value="1"/>
      <property name="Client0_Command" type="array"><value type="string" value="true"/></property>
    </property>
  </property>
</channel>
"""


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


def entry(house: House) -> Path:
    [found] = (house.home / ".config" / "autostart").glob("*.desktop")
    return found


@contextmanager
def ended(house: House) -> Iterator[None]:
    """Whoever was started at login is to end with the block."""
    try:
        yield
    finally:
        house.run("stop", code=None)


@needs("desktop-file-validate")
def test_entry_is_valid_and_gone_when_switched_off(seat: Seat) -> None:
    seat.house.run("autostart", "enable")
    judged = subprocess.run(
        ["desktop-file-validate", entry(seat.house)], capture_output=True, text=True, check=False
    )
    seat.house.run("autostart", "disable")

    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
    assert list((seat.house.home / ".config" / "autostart").glob("*.desktop")) == []


@needs("dex")
def test_dex_starts_it_and_no_window_opens(seat: Seat) -> None:
    seat.house.run("autostart", "enable")
    with ended(seat.house):
        subprocess.run(
            ["dex", "--autostart", "--environment", "XFCE"],
            env=seat.house.environ, stdin=subprocess.DEVNULL, timeout=20, check=True,
        )  # fmt: skip
        seat.desktop.find_icon()
        seat.desktop.screen.still()

        assert seat.desktop.popups() == []
        assert seat.house.visits() == []


@needs("xfce4-session")
def test_session_of_xfce_starts_it(seat: Seat, tmp_path: Path) -> None:
    seat.house.run("autostart", "enable")
    config, autostart = seat.desktop.directory / ".config", entry(seat.house).parent
    (config / "xfce4/xfconf/xfce-perchannel-xml/xfce4-session.xml").write_text(_SESSION)
    # What this machine's packages want to start at login is not ours.
    for other in Path("/etc/xdg/autostart").glob("*.desktop"):
        (autostart / other.name).write_text("[Desktop Entry]\nHidden=true\n")
    environ = {**seat.house.environ, "TMPDIR": str(seat.desktop.directory)}
    session = Program(["xfce4-session"], environ, tmp_path / "session.log")
    try:
        with ended(seat.house):
            seat.desktop.find_icon()

            assert seat.house.status()["sessions"]
    finally:
        session.end()
        # Its socket has this fixed place, and it does not clear up when it is told to end.
        Path("/tmp/.ICE-unix", str(session.pid)).unlink(missing_ok=True)  # noqa: S108 - as libICE says


@needs("dex")
def test_second_start_tells_so_and_the_first_one_stays(seat: Seat) -> None:
    with seat.agent():
        second = seat.house.run("run")

        assert "already running" in second.stdout + second.stderr
        assert len(seat.desktop.bus.items()) == 1
