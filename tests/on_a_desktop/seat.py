"""Somebody at work: a home with the real agent, on the test desktop, with the hands to use both.

Starts nothing by itself.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clock_shim.clock_shim import ShiftedTime
from tests.end_to_end.house import House, until
from tests.on_a_desktop import menus
from tests.on_a_desktop.desktop import Desktop
from tests.on_a_desktop.private_bus import NOTIFICATIONS
from tests.on_a_desktop.screen import Area

PERSON = Path(__file__).with_name("person.py")
_PATH = "/org/freedesktop/Notifications"


class Seat:
    """A House on a Desktop."""

    def __init__(self, house: House, desktop: Desktop, time: ShiftedTime) -> None:
        self.house = house
        self.desktop = desktop
        self.time = time
        house.environ |= {**desktop.environ, **time.environ}
        house.configure()

    def use_chromium(self) -> None:
        """From now on a person signs in, at a real browser."""
        command = shlex.join([sys.executable, str(PERSON), str(self.house.journal)])
        self.house.environ["BROWSER"] = f"{command} %s &"

    @contextmanager
    def agent(self) -> Iterator[Area]:
        """Run the agent; the block begins when its icon is to be seen, and is told where."""
        with self.house.agent():
            yield self.desktop.find_icon()

    def part(self, name: str) -> dict[str, Any]:
        """What `credtray status` tells of the tray, the notifications or the presence."""
        found: dict[str, Any] = self.house.status()["desktop"][name]
        return found

    def sleep(self, **parts: float) -> None:
        """The machine sleeps so long; on waking ~/.aws/config is edited, so that the agent looks at once."""
        self.time.sleep(**parts)
        with self.house.config.open("a") as file:
            file.write("\n")

    def notices(self) -> list[str]:
        """What the agent's log tells of notices: it keeps every one."""
        return [line for line in self.house.log.read_text().splitlines() if " NOTICE " in line]

    def clear_popups(self) -> None:
        """Take away the notifications, as their daemon's own button does, also one that comes meanwhile."""

        def gone() -> bool:
            for popup in range(1, 20):
                self.desktop.bus.call(NOTIFICATIONS, _PATH, f"{NOTIFICATIONS}.CloseNotification", "u", popup)
            return self.desktop.popups() == []

        until(gone)

    # --- the menu ----------------------------------------------------------------------------------------

    def menu(self) -> tuple[menus.Line, ...]:
        return menus.told(self.desktop.bus)

    def places(self, lines: tuple[menus.Line, ...], menu: Area) -> dict[str, tuple[int, int]]:
        """Return where to click for each label of a menu that is open there."""
        return menus.places(lines, menu, self.desktop.screen)

    def choose(self, *path: str) -> None:
        """Click the icon, then through the menu; each step names the beginning of a label."""
        before = set(self.desktop.menus())
        area = self.desktop.open_menu()
        lines = self.menu()
        for depth, word in enumerate(path):
            line = find(lines, word)
            x, y = self.places(lines, area)[line.label]
            known = self.desktop.menus()
            self.desktop.screen.click(x, y)
            if depth < len(path) - 1:
                area = self.desktop.find_menu(known)
                lines = line.children
        until(lambda: set(self.desktop.menus()) <= before)


def find(lines: tuple[menus.Line, ...], word: str) -> menus.Line:
    """Return the line that has this label, or the one line whose label begins with it."""
    for line in lines:
        if line.label.rstrip("\u2007 ") == word:
            return line
    [found] = [line for line in lines if line.label.startswith(word)]
    return found


def every(lines: tuple[menus.Line, ...]) -> Iterator[menus.Line]:
    """Go through a menu and all below it."""
    for line in lines:
        yield line
        yield from every(line.children)
