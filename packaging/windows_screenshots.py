"""Takes the pictures of tray, menu and balloon in Windows' Python, on Wine's taskbar.

    python packaging/windows_screenshots.py          writes docs/images/windows-{menu,balloon}.png

Opens nothing on the screen of whoever runs it: the desk is the one of the tests. Wine's clock cannot be set:
the pictures show the time at which they were taken.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.end_to_end.house import House, until  # noqa: E402 - the checkout is not installed
from tests.on_a_desktop.screen import SIZE, Area  # noqa: E402 - the same
from tests.portal import running  # noqa: E402 - the same
from tests.wine.conftest import BUILD, SET_UP, WindowsPython  # noqa: E402 - the same
from tests.wine.desk import ICON, Desk, desk  # noqa: E402 - the same
from tests.wine.menu import RIGHT, Menu  # noqa: E402 - the same

IMAGES = ROOT / "docs" / "images"
MARGIN = 14


def main() -> int:
    """Take all pictures; return 1 when this machine lacks what it takes."""
    if not (BUILD / "prefix" / "drive_c").exists() or not all(map(shutil.which, ("wine", "Xvfb", "xdotool"))):
        print(f"needs Wine, Xvfb, xdotool and a Python for Windows: {SET_UP}", file=sys.stderr)
        return 1
    command = shlex.split(f"sh {shlex.quote(str(ROOT / 'packaging' / 'windows.sh'))} python")
    with (
        tempfile.TemporaryDirectory() as name,
        running("--auto-approve", "alice") as portal,
        desk(WindowsPython(command, BUILD / "prefix"), Path(name)) as taken,
    ):
        home = Path(name) / "home"
        home.mkdir()
        house = House(home, portal)
        house.configure()
        house.run("login", "synderys")
        agent = taken.start(house)
        take_menu(taken)
        take_balloon(taken, house)
        agent.end()
    return 0


def take_menu(taken: Desk) -> None:
    """Open the menu and its submenu of profiles, after one has been chosen."""
    Menu(taken, RIGHT).choose("Default profile", "synderys-readonly")
    taken.balloon()
    menu = Menu(taken, RIGHT)
    submenu = menu.open("Default profile")
    save(taken, "windows-menu", [menu.area, submenu, ICON])
    menu.close()


def take_balloon(taken: Desk, house: House) -> None:
    """Let the sign-in be gone."""
    house.token_file().unlink()
    balloon = taken.opened("the balloon")
    save(taken, "windows-balloon", [balloon, ICON])
    taken.hand.do("hide_balloon")
    until(taken.is_bare)


def save(taken: Desk, name: str, shown: Sequence[Area]) -> None:
    """Write what is around these places."""
    left = max(0, min(area.left for area in shown) - MARGIN)
    top = max(0, min(area.top for area in shown) - MARGIN)
    picture = taken.screen.still().crop((left, top, *SIZE))
    picture.quantize(256).save(IMAGES / f"{name}.png", optimize=True)
    print(f"docs/images/{name}.png: {picture.width} x {picture.height}")


if __name__ == "__main__":
    sys.exit(main())
