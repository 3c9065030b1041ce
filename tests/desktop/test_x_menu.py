"""The menu an icon brings to an X tray, used with mouse and keys as a person would."""

from __future__ import annotations

import queue
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from PIL import Image
from Xlib.display import Display
from Xlib.error import BadDrawable, BadWindow

from credtray.core import protocol
from credtray.core.clicks import About, Click, OpenLog
from credtray.desktop.tray._xembed import Icon
from credtray.desktop.tray.painting import TrayMenu
from credtray.desktop.x11.menu import MenuLevel, rows_of
from credtray.desktop.x11.thread import Area
from credtray.menu import Item, Kind
from tests.desktop.x_tray import x_tray
from tests.desktop.xvfb import Xvfb, xvfb

pytestmark = pytest.mark.linux_desktop("X11")

PATIENCE = 60.0
MENU = (
    Item("header", Kind.TEXT, "corp: signed in"),
    Item("log", Kind.COMMAND, "Log", OpenLog()),
    Item("separator:log", Kind.SEPARATOR),
    Item(
        "default",
        Kind.SUBMENU,
        "Default profile",
        children=tuple(
            Item(f"d:{n}", Kind.RADIO, f"profile-{n}", protocol.Switch(f"profile-{n}"), checked=n == 1)
            for n in range(80)
        ),
    ),
    Item("about", Kind.CHECK, "About", About(), checked=True),
)


@pytest.fixture(scope="module")
def screen() -> Iterator[Xvfb]:
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("needs Xvfb and xdotool")
    with xvfb() as running:
        yield running


class Person:
    """Somebody in front of the screen, an icon in its tray, and what arrives of the clicks."""

    def __init__(self, screen: Xvfb) -> None:
        self.screen = screen
        self.clicks: queue.Queue[Click] = queue.Queue()
        self.sheet = MenuLevel(rows_of(TrayMenu(self.clicks.put).menu(MENU)))

    def does(self, *what: str) -> None:
        subprocess.run(["xdotool", *what], env=self.screen.environ, check=True, timeout=PATIENCE)

    def menus(self) -> list[Area]:
        """Where menus are open, the first one first."""
        display = Display(self.screen.address)
        try:
            windows = display.screen().root.query_tree().children
            found = []
            for window in windows:
                with suppress(BadWindow, BadDrawable):  # closed since
                    if (window.get_wm_class() or [""])[0] == "credtray-menu":
                        shape = window.get_geometry()
                        found.append(Area(shape.x, shape.y, shape.width, shape.height))
            return found
        finally:
            display.close()

    def sees_menus(self, count: int) -> list[Area]:
        end = time.monotonic() + PATIENCE
        while len(found := self.menus()) != count:
            assert time.monotonic() < end, f"{len(found)} menus instead of {count}"
            time.sleep(0.02)
        return found

    def opens(self) -> Area:
        self.does("mousemove", "12", "12", "click", "3")
        return self.sees_menus(1)[0]

    def points_at(self, menu: Area, row: int) -> None:
        y = menu.y + (self.sheet.top(row) + self.sheet.top(row + 1)) // 2
        self.does("mousemove", str(menu.x + 40), str(y))

    def nothing_arrived(self) -> bool:
        return self.clicks.empty()


@contextmanager
def at_the_screen(screen: Xvfb, items: tuple[Item, ...] = MENU, **options: Any) -> Iterator[Person]:
    person = Person(screen)
    with x_tray(screen.address) as tray:
        icon: Any = Icon(
            "credtray",
            Image.new("RGBA", (22, 22), "red"),
            "credtray",
            TrayMenu(person.clicks.put).menu(items),
            xembed_address=screen.address,
            **options,
        )
        icon.run_detached()
        try:
            tray.wait_for_icon()
            yield person
        finally:
            icon.stop()
            assert icon.join(PATIENCE)


def test_right_click_opens_the_menu_and_a_click_on_an_item_arrives(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        person.points_at(person.opens(), 1)
        person.does("click", "1")

        assert person.clicks.get(timeout=PATIENCE) == OpenLog()
        person.sees_menus(0)


def test_left_click_opens_the_menu_where_no_item_is_the_default(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        person.does("mousemove", "12", "12", "click", "1")
        person.sees_menus(1)


def test_submenu_opens_under_the_pointer_and_its_item_arrives(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        person.points_at(person.opens(), 3)
        submenu = person.sees_menus(2)[1]
        person.does("mousemove", str(submenu.x + 40), str(submenu.y + 60), "click", "1")

        assert person.clicks.get(timeout=PATIENCE) == protocol.Switch("profile-2")


def test_long_menu_stays_on_the_screen_and_scrolls(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        person.points_at(person.opens(), 3)
        submenu = person.sees_menus(2)[1]
        assert submenu.y >= 0
        assert submenu.y + submenu.height <= 600

        person.does("mousemove", str(submenu.x + 40), "300", "click", "--repeat", "40", "5", "click", "1")

        chosen = person.clicks.get(timeout=PATIENCE)
        assert isinstance(chosen, protocol.Switch)
        assert chosen.profile is not None
        assert int(chosen.profile.removeprefix("profile-")) > 60


def test_keys_reach_every_item(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        person.opens()
        person.does("key", "Down", "Down", "Right", "Down", "Down", "Return")

        assert person.clicks.get(timeout=PATIENCE) == protocol.Switch("profile-2")

        person.sees_menus(0)  # a click while it closes would only close it
        person.opens()
        person.does("key", "Up", "Return")

        assert person.clicks.get(timeout=PATIENCE) == About()


@pytest.mark.parametrize(
    "leaving",
    [("key", "Escape"), ("mousemove", "700", "500", "click", "1")],
    ids=["escape", "click elsewhere"],
)
def test_menu_closes_without_a_choice(screen: Xvfb, leaving: tuple[str, ...]) -> None:
    with at_the_screen(screen) as person:
        person.opens()
        person.does(*leaving)
        person.sees_menus(0)

        assert person.nothing_arrived()


def test_what_cannot_be_chosen_is_not(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        menu = person.opens()
        for row in (0, 2):
            person.points_at(menu, row)
            person.does("click", "1")
        person.does("key", "Escape")
        person.sees_menus(0)

        assert person.nothing_arrived()


def test_menu_can_be_changed_before_it_is_shown(screen: Xvfb) -> None:
    asked: queue.Queue[Callable[[], None]] = queue.Queue()
    with at_the_screen(screen, xembed_before_show=asked.put) as person:
        person.does("mousemove", "12", "12", "click", "3")
        then = asked.get(timeout=PATIENCE)

        assert person.menus() == []

        then()
        person.sees_menus(1)


def test_end_of_the_icon_closes_its_menu(screen: Xvfb) -> None:
    with at_the_screen(screen) as person:
        person.opens()

    person.sees_menus(0)


# --- without a screen ------------------------------------------------------------------------------------


def sheet_of(*items: Item) -> MenuLevel:
    return MenuLevel(rows_of(TrayMenu(lambda _click: None).menu(items)))


def test_arrow_keys_go_round_and_leave_out_what_cannot_be_chosen() -> None:
    sheet = sheet_of(*MENU)

    assert [sheet.next_row(at, 1) for at in (None, 1, 3, 4)] == [1, 3, 4, 1]
    assert [sheet.next_row(at, -1) for at in (None, 4, 3, 1)] == [4, 3, 1, 4]
    assert sheet_of(MENU[0]).next_row(None, 1) is None


def test_every_point_of_a_row_belongs_to_it() -> None:
    sheet = sheet_of(*MENU)

    for index in (0, 1, 3, 4):
        assert {sheet.row_at(y) for y in range(sheet.top(index), sheet.top(index + 1))} == {index}
    assert {sheet.row_at(y) for y in (0, sheet.top(2), sheet.height - 1)} == {None}


def test_label_of_500_characters_is_shortened() -> None:
    long = sheet_of(Item("long", Kind.COMMAND, "profile-" * 63, OpenLog()))

    assert long.width < 520


@pytest.mark.parametrize("label", ["", "&_%<b>", "\u202eright to left", "🦜" * 300, "漢字", "a\nb\tc"])
def test_any_label_can_be_drawn(label: str) -> None:
    sheet = sheet_of(Item("odd", Kind.CHECK, label, OpenLog(), checked=True), MENU[4])

    assert sheet.picture(0, 0, sheet.height).size == (sheet.width, sheet.height)


def test_finer_screens_get_larger_rows() -> None:
    rows = rows_of(TrayMenu(lambda _click: None).menu(MENU))

    assert MenuLevel(rows, 192).height == pytest.approx(2 * MenuLevel(rows, 96).height, rel=0.05)


def test_area_is_moved_into_the_monitor() -> None:
    monitor = Area(100, 0, 800, 600)

    assert Area(850, 590, 200, 100).moved_into(monitor) == Area(700, 500, 200, 100)
    assert Area(0, -5, 200, 900).moved_into(monitor) == Area(100, 0, 200, 900)
