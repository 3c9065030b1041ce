"""Takes the pictures of menu, page and notification from a desktop, against the embedded Identity Center.

    python packaging/screenshots.py          writes docs/images/signing-in.gif, and in light and dark
                                             docs/images/{menu,notification}-*.png; the page's pictures are
                                             of page_pictures.py

Opens nothing on the screen of whoever runs it: the desktop is the one of the tests. The clock of what is
shown always says the same time, so that a picture changes only with what it shows.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import moving_picture  # noqa: E402 - beside this file

from tests.clock_shim.clock_shim import ShiftedTime, compiled  # noqa: E402 - the checkout is not installed
from tests.end_to_end.house import House, until  # noqa: E402 - the same
from tests.on_a_desktop.desktop import PANEL, Desktop, missing  # noqa: E402 - the same
from tests.on_a_desktop.looks import Daemon, Furniture, Theme  # noqa: E402 - the same
from tests.on_a_desktop.screen import SIZE, Area  # noqa: E402 - the same
from tests.on_a_desktop.seat import Seat, find  # noqa: E402 - the same
from tests.portal import running  # noqa: E402 - the same

IMAGES = ROOT / "docs" / "images"
SHOWN_TIME = time(9, 20)
WALLPAPERS = {Theme.LIGHT: 0x8FA3B8, Theme.DARK: 0x1F2A36}
MARGIN = 14


def main() -> int:
    """Take all pictures; return 1 when this machine lacks what it takes."""
    if absent := missing():
        print(f"missing: {', '.join(absent)}. Run: sh packaging/environment.sh tools", file=sys.stderr)
        return 1
    for theme in Theme:
        with seat(Furniture(theme, Daemon.XFCE)) as taken, taken.agent():
            taken.house.run("login")
            taken.house.run("activate", "synderys-readonly", "synderys-dns")
            taken.house.run("switch", "synderys-readonly")
            taken.clear_popups()
            take_menu(taken, theme)
            take_notification(taken, theme)
    with seat(moving_picture.FURNITURE) as taken:
        moving_picture.take(taken, IMAGES / "signing-in.gif")
    return 0


@contextmanager
def seat(furniture: Furniture) -> Iterator[Seat]:
    """Somebody's desk at the time that is shown."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shifted = ShiftedTime(compiled(home), home)
        # Tomorrow: no file may seem to be of the future, and no picture shows a date.
        now = datetime.now(UTC)
        shown = datetime.combine(now.date() + timedelta(days=1), SHOWN_TIME, UTC)
        shifted.set_clock(seconds=(shown - now).total_seconds())
        with (
            patch.dict(os.environ, shifted.environ),
            running("--auto-approve", "alice") as portal,
            Desktop(furniture) as desktop,
        ):
            desktop.screen.paint(WALLPAPERS[furniture.theme])
            yield Seat(House(home, portal), desktop, shifted)


def take_menu(seat: Seat, theme: Theme) -> None:
    """Open the menu and its submenu of profiles."""
    seat.sleep(minutes=22)
    lasts = ("(3 h 38 min)", "(3 h 40 min)")
    until(lambda: any(left in find(seat.menu(), "synderys").label for left in lasts))
    menu = seat.desktop.open_menu()
    lines = seat.menu()
    place = seat.places(lines, menu)[find(lines, "Default profile").label]
    seat.desktop.screen.move(*place)
    submenu = seat.desktop.find_popup([menu])
    save(seat.desktop, f"menu-{theme.value}", [menu, submenu])
    seat.desktop.screen.key("Escape")
    seat.desktop.screen.key("Escape")
    until(lambda: seat.desktop.popups() == [])


def take_notification(seat: Seat, theme: Theme) -> None:
    """Let the sign-in come to its last half hour."""
    seat.desktop.screen.move(SIZE[0] // 2, SIZE[1] // 2)
    seat.sleep(hours=3, minutes=9)
    save(seat.desktop, f"notification-{theme.value}", [seat.desktop.find_popup()])


def save(desktop: Desktop, name: str, shown: Sequence[Area]) -> None:
    """Write what is around these windows, with the panel where they hang from it."""
    left = min(area.left for area in shown) - MARGIN
    top = min(area.top for area in shown) - MARGIN
    right = max(area.left + area.width for area in shown) + MARGIN
    bottom = max(area.top + area.height for area in shown) + MARGIN
    if top <= PANEL.height:
        top = 0
    box = (max(left, 0), max(top, 0), min(right, SIZE[0]), min(bottom, SIZE[1]))
    picture = desktop.screen.still().crop(box)
    # Without a palette's few colours the letters' edges take four times the bytes.
    picture.quantize(256).save(IMAGES / f"{name}.png", optimize=True)
    print(f"docs/images/{name}.png: {picture.width} x {picture.height}")


if __name__ == "__main__":
    sys.exit(main())
