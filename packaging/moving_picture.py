"""The moving picture of the README: a warning, a click, a sign-in in the browser, and the ring is full again.

Every frame is what the screen showed, with the pointer where it was; nothing is drawn but by the programs.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from Xlib.display import Display

from tests.end_to_end.house import until
from tests.on_a_desktop.looks import Daemon, Furniture, Theme
from tests.on_a_desktop.person import CHROMIUM, SWITCHES
from tests.on_a_desktop.screen import Area
from tests.on_a_desktop.seat import Seat, find

SCALE = 2
SIZE = (1024 * SCALE, 560 * SCALE)
FURNITURE = Furniture(Theme.DARK, Daemon.XFCE, SIZE, SCALE, panel_size=40)
_SHOWN = Area(128 * SCALE, 0, 896 * SCALE, 560 * SCALE)
"""The rest is empty; on a screen that is narrower, xfce4-notifyd cuts the title."""
_BROWSER = Area(312, 116, 1110, 968)
_ZOOM = 1.46
"""Pixels for each point of a page."""
_STEPS = 6
_STEP_MS, _KEY_MS = 60, 70
_WINDOW = [
    "--test-type",  # no bar that warns of the other switches
    "--no-first-run",
    "--hide-crash-restore-bubble",
    "--force-dark-mode",
    f"--force-device-scale-factor={_ZOOM}",
]


@dataclass
class Film:
    """The frames so far, and how long each is shown."""

    seat: Seat
    frames: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pointer = (SIZE[0] // 2, SIZE[1] // 2)
        environ = {**os.environ, **_pointer_of(self.seat)}
        subprocess.run(["/usr/bin/xsetroot", "-cursor_name", "left_ptr"], env=environ, check=True)
        self.seat.desktop.screen.move(*self.pointer)

    def take(self, milliseconds: int, *, still: bool = True) -> None:
        """Take a frame, once nothing moves any more."""
        screen = self.seat.desktop.screen
        picture = screen.still() if still else screen.picture()
        with _connected(self.seat) as display:
            _add_pointer(picture, display)
        self.frames.append(picture.crop(_SHOWN.box))
        self.durations.append(milliseconds)

    def go_to(self, x: int, y: int) -> None:
        """Move the pointer as a hand does: fast, then slower."""
        left, top = self.pointer
        for step in range(1, _STEPS + 1):
            part = 1 - (1 - step / _STEPS) ** 2
            self.seat.desktop.screen.move(left + round(part * (x - left)), top + round(part * (y - top)))
            self.take(_STEP_MS, still=step == _STEPS)
        self.pointer = (x, y)

    def click(self) -> None:
        """Click where the pointer is."""
        self.seat.desktop.screen.click(*self.pointer)

    def save(self, path: Path) -> None:
        """Write it as a GIF with one palette for all: letters stay sharp, and colours do not flicker."""
        strip = Image.new("RGB", (_SHOWN.width, _SHOWN.height * len(self.frames)))
        for number, frame in enumerate(self.frames):
            strip.paste(frame, (0, _SHOWN.height * number))
        palette = strip.quantize(256, dither=Image.Dither.NONE)
        first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        first.save(path, save_all=True, append_images=rest, duration=self.durations, loop=0, optimize=True)


def take(seat: Seat, path: Path) -> None:
    """Play it at this desk and write the picture."""
    film = Film(seat)
    seat.house.run("login")
    seat.house.journal.unlink()
    seat.house.environ["BROWSER"] = _that_notes(seat.house.journal)
    with seat.agent():
        _set_out(seat)
        _play(film)
    film.save(path)


def _set_out(seat: Seat) -> None:
    seat.house.run("activate", "synderys-readonly", "synderys-dns")
    seat.house.run("switch", "synderys-readonly")
    seat.clear_popups()
    seat.house.portal.command("auto_approve", user=None)


def _play(film: Film) -> None:
    seat = film.seat
    seat.sleep(hours=3, minutes=31)
    popup = seat.desktop.find_popup()
    film.take(2400)
    film.go_to(popup.left + popup.width // 4, popup.top + popup.height - 24 * SCALE)
    film.take(500)
    film.click()
    until(seat.house.journal.exists)
    with _browser(seat) as page:
        page.goto(seat.house.journal.read_text().split()[0])
        _sign_in(film, page)
    film.take(900)
    icon = seat.desktop.find_icon()
    film.go_to(*icon.centre)
    known = seat.desktop.popups()
    film.click()
    menu = seat.desktop.find_popup(known)
    film.take(300)
    lines = seat.menu()
    _, line = seat.places(lines, menu)[find(lines, "synderys").label]
    film.go_to(menu.left + menu.width // 3, line)  # how long it lasts now, and off the ring
    film.take(3000)


def _sign_in(film: Film, page: Page) -> None:
    user, password = page.get_by_label("User name"), page.get_by_label("Password")
    user.wait_for()
    film.take(700)
    for box, text in ((user, "alice"), (password, "demo")):
        box.focus()
        for letter in text:
            box.press(letter)
            film.take(_KEY_MS, still=False)
    film.take(400)
    _press(film, page, "Sign in")
    page.get_by_role("button", name="Allow").wait_for()
    film.take(1000)
    _press(film, page, "Allow")
    page.get_by_role("heading", name="You are signed in").wait_for()
    film.go_to(_BROWSER.left + _BROWSER.width // 2, _BROWSER.top + _BROWSER.height - 60)  # off the words
    film.take(1600)


def _press(film: Film, page: Page, name: str) -> None:
    box = page.get_by_role("button", name=name).bounding_box()
    if box is None:
        raise SystemExit(f"the button {name} is not to be seen")
    top = page.evaluate("window.outerHeight - window.innerHeight")
    x, y = (box["x"] + box["width"] / 2, top + box["y"] + box["height"] * 0.7)
    film.go_to(_BROWSER.left + round(_ZOOM * x), _BROWSER.top + round(_ZOOM * y))
    film.click()


@contextmanager
def _browser(seat: Seat) -> Iterator[Page]:
    """A browser's window on the desktop."""
    # Of our time, not of the desk's: a clock that is shifted would be asked for too often.
    environ = {**os.environ, **_pointer_of(seat), "GTK_THEME": FURNITURE.theme.gtk}
    environ.pop("LD_PRELOAD", None)
    left, top, width, height = (round(value / _ZOOM) for value in astuple(_BROWSER))
    place = [f"--window-position={left},{top}", f"--window-size={width},{height}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=False,
            args=[*SWITCHES, *_WINDOW, *place],
            ignore_default_args=["--enable-automation"],
            env={**environ},
        )
        yield browser.new_context(no_viewport=True, color_scheme="dark").new_page()
        browser.close()


def _that_notes(file: Path) -> str:
    """Return what BROWSER is to be: it writes the address into the file."""
    program = file.with_name("browser.sh")
    program.write_text(f'echo "$1" >>{shlex.quote(str(file))}\n')
    return f"sh {shlex.quote(str(program))} %s &"


def _pointer_of(seat: Seat) -> dict[str, str]:
    """Return what a program is told of the screen, and of the pointer there."""
    return {**seat.desktop.environ, "XCURSOR_THEME": "Adwaita", "XCURSOR_SIZE": str(24 * SCALE)}


# --- the pointer, which is in no picture of a screen -----------------------------------------------------


@contextmanager
def _connected(seat: Seat) -> Iterator[Display]:
    os.environ["XAUTHORITY"] = seat.desktop.screen.environ["XAUTHORITY"]
    display = Display(seat.desktop.screen.display)
    try:
        display.xfixes_query_version()
        yield display
    finally:
        display.close()


def _add_pointer(picture: Image.Image, display: Display) -> None:
    pointer = display.xfixes_get_cursor_image(display.screen().root)
    pixels = b"".join(value.to_bytes(4, "little") for value in pointer.cursor_image)
    size = (pointer.width, pointer.height)
    drawn = Image.frombytes("RGBA", size, pixels, "raw", "BGRa")  # BGRa: alpha is multiplied in
    place = (pointer.x - pointer.xhot, pointer.y - pointer.yhot)
    picture.paste(drawn.convert("RGB"), place, drawn)
