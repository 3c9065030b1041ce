"""A whole desktop without a monitor: screen, bus, XFCE's panel, a notification daemon; each can be broken.

Needs no root, no login and no window manager. Leaves no process and no file behind, also after a failed test.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image, ImageChops

from tests.on_a_desktop.looks import PANEL_SIZE, Daemon, Furniture, furnish
from tests.on_a_desktop.private_bus import NOTIFICATIONS, WATCHER, XFCONF, PrivateBus
from tests.on_a_desktop.programs import Program
from tests.on_a_desktop.screen import SIZE, Area, Screen, seen

NEEDED = ("Xvfb", "dbus-daemon", "xfce4-panel", "dunst", "xdotool", "notify-send", "setpriv")

PANEL = Area(0, 0, SIZE[0], PANEL_SIZE)
_NOTICEABLE = 40
"""A pixel that differs from the panel's colour by less belongs to the panel: a border, a shadow."""
_SMALLEST_ICON = 8


def missing() -> list[str]:
    """Return what this machine lacks for a desktop."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if xfce_notifyd() is None:
        absent.append("xfce4-notifyd")
    if not XFCONF.exists():
        absent.append("xfconf")
    return absent


def xfce_notifyd() -> Path | None:
    """Return the program, which is not on the path and lies in a directory named after the processor."""
    return next(iter(sorted(Path("/usr/lib").glob("*/xfce4/notifyd/xfce4-notifyd"))), None)


class Desktop:
    """Up and ready inside its ``with`` block."""

    def __init__(self, furniture: Furniture | None = None) -> None:
        self.furniture = furniture or Furniture()
        self._scale = self.furniture.scale
        self.panel_area = Area(0, 0, self.furniture.size[0], self._scale * self.furniture.panel_size)
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        with self._ending:
            self._begin()
            self._ending = self._ending.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.close()

    def _begin(self) -> None:
        # A socket's path may have 107 characters: pytest's own directories are too deep.
        self.directory = Path(self._ending.enter_context(tempfile.TemporaryDirectory(prefix="desktop-")))
        (self.directory / "run").mkdir(mode=0o700)
        furnish(self.directory / ".config", self.furniture)
        self._own = self._environ()
        self.screen = Screen(self.directory, self._own, self.furniture.size)
        self._ending.callback(self.screen.program.end)
        self._own |= self.screen.environ
        self.bus = PrivateBus(self.directory, self._own)
        self._own["DBUS_SESSION_BUS_ADDRESS"] = self.bus.address
        self._start_bus()
        self._start_panel()
        self._start_daemon()
        self._await_panel()
        self._await_daemon()

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "XDG_CONFIG_HOME": str(self.directory / ".config"),
            "XDG_CONFIG_DIRS": str(self.directory / "etc"),  # what this machine starts at login is not ours
            "XDG_CACHE_HOME": str(self.directory / ".cache"),
            "XDG_DATA_HOME": str(self.directory / ".local" / "share"),
            "XDG_STATE_HOME": str(self.directory / ".local" / "state"),
            "XDG_RUNTIME_DIR": str(self.directory / "run"),
            "XDG_CURRENT_DESKTOP": "XFCE",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
            "GSETTINGS_BACKEND": "memory",
            "GTK_THEME": self.furniture.theme.gtk,
            "GDK_SCALE": str(self._scale),
        }

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to be on this desktop."""
        return {
            **self.screen.environ,
            "DBUS_SESSION_BUS_ADDRESS": self.bus.address,
            "XDG_CURRENT_DESKTOP": "XFCE",
        }

    # --- its parts come and go ------------------------------------------------------------------------------

    def start_panel(self) -> None:
        """Start the panel anew; returns once items can register with it."""
        self._start_panel()
        self._await_panel()

    def start_daemon(self) -> None:
        """Start the notification daemon anew; returns once it can be told something."""
        self._start_daemon()
        self._await_daemon()

    def end_tray_plugin(self) -> None:
        """End the panel's part that shows icons, a process of its own; the panel starts it anew by itself."""
        [plugin] = self._tray_plugins()
        os.kill(plugin, signal.SIGTERM)
        seen(lambda: self._tray_plugins() not in ([], [plugin]) or None, "a new tray plugin", 20)

    def _tray_plugins(self) -> list[int]:
        found = []
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # ended in between
                pid = int(command.parent.name)
                if b"libsystray" in command.read_bytes() and os.getpgid(pid) == self.panel.pid:
                    found.append(pid)
        return found

    def restart_bus(self) -> None:
        """Start the bus anew after it was killed, and all that ended with it."""
        self._start_bus()
        self.panel.end()
        if self.daemon is not None:
            self.daemon.end()
        self.start_panel()
        self.start_daemon()

    def _start_panel(self) -> None:
        self.panel = self._program("xfce4-panel", "--disable-wm-check")

    def _start_daemon(self) -> None:
        match self.furniture.daemon:
            case Daemon.DUNST:
                self.daemon: Program | None = self._program(
                    "dunst", "-conf", self._own["XDG_CONFIG_HOME"] + "/dunst/dunstrc"
                )
            case Daemon.XFCE:
                self.daemon = self._program(str(xfce_notifyd()))
            case None:
                self.daemon = None

    def _start_bus(self) -> None:
        self._ending.callback(self.bus.start().end)

    def _await_panel(self) -> None:
        self.bus.wait_for_owner(WATCHER)

    def _await_daemon(self) -> None:
        if self.furniture.daemon is not None:
            self.bus.wait_for_owner(NOTIFICATIONS)

    def _program(self, *command: str) -> Program:
        output = self.directory / f"{Path(command[0]).name}.log"
        program = Program(command, self._own, output)
        self._ending.callback(program.end)
        return program

    # --- what a person sees and does ------------------------------------------------------------------------

    def screenshot(self, file: Path, area: Area | None = None) -> Image.Image:
        """Save what the screen shows, once it is still."""
        image = self.screen.still(area)
        image.save(file)
        return image

    def icon(self) -> Area | None:
        """Return where the one icon is that the panel shows."""
        picture = self.screen.picture(self.panel_area)
        # Left of the tray there is nothing but the panel; its own edge has another colour too.
        plain = Image.new("RGB", picture.size, picture.getpixel((PANEL_SIZE, picture.height // 2)) or 0)
        strange = ImageChops.difference(picture, plain).convert("L").point(_noticeable)
        box = strange.crop((0, 2, strange.width, strange.height - 2)).getbbox()
        if box is None or box[2] - box[0] < _SMALLEST_ICON or box[3] - box[1] < _SMALLEST_ICON:
            return None
        return Area(box[0], box[1] + 2, box[2] - box[0], box[3] - box[1])

    def find_icon(self, seconds: float = 60) -> Area:
        """Return where the icon is, as soon as it can be seen."""
        return seen(self.icon, "an icon in the panel", seconds)

    def popups(self, without: str = "") -> list[Area]:
        """Return the windows over the desktop, the panel left out: menus, notifications, tooltips."""
        return [area for area in self.screen.windows(without) if area.width < self.screen.size[0]]

    def menus(self) -> list[Area]:
        """Return the popups that are no notification: one may come at any moment while a menu is used."""
        return self.popups(without="NOTIFICATION")

    def find_popup(self, seconds: float = 60) -> Area:
        """Return a popup, as soon as there is one."""
        return seen(lambda: next(iter(self.popups()), None), "a popup", seconds)

    def find_menu(self, known: list[Area], seconds: float = 60) -> Area:
        """Return a menu that is not among the *known* ones, as soon as there is one."""

        def new() -> Area | None:
            return next((area for area in self.menus() if area not in known), None)

        return seen(new, "a menu", seconds)

    def click_button(self, popup: Area, number: int, *, of: int) -> None:
        """Click one of the buttons that xfce4-notifyd draws: equal ones in a row at the lower edge."""
        self.screen.still(popup)
        width = popup.width / of
        self.screen.click(
            popup.left + round((number + 0.5) * width), popup.top + popup.height - 30 * self._scale
        )

    def open_menu(self, button: int = 1) -> Area:
        """Click the icon; return where its menu is."""
        known = self.menus()
        icon = self.find_icon()
        self.screen.still(self.panel_area)  # a click on a picture that is just being changed is lost
        self.screen.click(*icon.centre, button)
        return self.find_menu(known)


def _noticeable(difference: float) -> float:
    return 255.0 if difference > _NOTICEABLE else 0.0
