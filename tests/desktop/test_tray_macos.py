"""pystray's own back-end for macOS and what credtray adds to it, on stand-ins for pyobjc."""

from __future__ import annotations

from typing import Any

import pytest

from credtray.core.clicks import Click, CopyCredentials, OpenLog
from credtray.core.forms import Form
from credtray.core.icon_state import IconState, Shape
from credtray.core.protocol import Logout
from credtray.desktop.icon import Panel
from credtray.desktop.tray import macos
from credtray.desktop.tray.painting import TrayMenu
from credtray.menu import Item, Kind
from tests.desktop.mac_fakes import Mac, NSMenu, ProcessGoneError

COPY = Item("copy", Kind.COMMAND, "Copy credentials", CopyCredentials("dev", Form.POSIX))
SIGN_OUT = Item("sign-out", Kind.COMMAND, "Sign out", Logout("corp"))
LOG = Item("log", Kind.COMMAND, "Log", OpenLog())


class MenuBar:
    """The menu bar of a session with credtray's icon in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mac = Mac()
        self.mac.install(monkeypatch)
        self.clicks: list[Click] = []
        self._menus = TrayMenu(self.clicks.append)
        [image] = macos.images(IconState(Shape.FRESH, 9), Panel.AUTO).values()
        icon_class = macos.icon_class.__wrapped__()  # not the one of the run before
        self.icon: Any = icon_class(
            "credtray", image, "credtray: signed in", self._menus.menu([COPY, SIGN_OUT])
        )
        self.icon.update_menu()

    @property
    def menu(self) -> NSMenu:
        """What a person sees who clicks the icon now."""
        menu = self.mac.items[0].menu
        assert menu is not None
        return menu

    @property
    def titles(self) -> list[str]:
        return [item.title for item in self.menu.items]

    def show(self, *items: Item) -> None:
        """The painter has another menu: it is set on the main thread, also while a menu is open."""
        menu = self._menus.menu(items)
        self.icon.on_main(lambda: setattr(self.icon, "menu", menu))
        self.mac.turn()


def test_click_in_a_menu_that_was_replaced_while_it_was_open_does_what_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bar = MenuBar(monkeypatch)
    seen = bar.menu
    seen.open()
    bar.show(LOG, SIGN_OUT, COPY)
    seen.click("Copy credentials")
    bar.mac.turn()

    assert bar.clicks == [COPY.click]


def test_open_menu_stays_and_the_latest_comes_when_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = MenuBar(monkeypatch)
    seen = bar.menu
    seen.open()
    bar.show(LOG)
    assert bar.menu is seen

    seen.close()
    bar.mac.turn()

    assert bar.titles == ["Log"]


def test_click_between_closing_and_the_next_menu_is_the_old_items(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = MenuBar(monkeypatch)
    seen = bar.menu
    seen.open()
    bar.show(LOG, SIGN_OUT, COPY)
    seen.close()
    bar.mac.turn()
    seen.choose("Copy credentials")

    assert bar.clicks == [COPY.click]


def test_submenu_and_separator_click_right(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = MenuBar(monkeypatch)
    bar.show(COPY, Item("line", Kind.SEPARATOR), Item("more", Kind.SUBMENU, "More", children=(LOG, SIGN_OUT)))
    submenu = bar.menu.items[2].submenu
    assert submenu is not None
    submenu.choose("Log")
    bar.menu.choose("Copy credentials")

    assert bar.clicks == [LOG.click, COPY.click]


def test_icon_is_a_template_of_22_points_and_keeps_out_of_the_dock(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = MenuBar(monkeypatch)
    bar.icon.visible = True
    image = bar.mac.items[0].image
    [shown] = bar.mac.items
    bar.icon._run()

    assert bar.mac.activities == 0xEFFFFF  # no App Nap, and the machine may sleep
    assert (image.size, image.is_template, bar.mac.policy) == ((22, 22), True, 1)
    assert (shown.tooltip, bar.mac.items) == ("credtray: signed in", [])


def test_session_ends_only_when_the_agent_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = MenuBar(monkeypatch)
    happened: list[str] = []
    bar.icon.end_session = lambda: happened.append("the keys are out")
    bar.mac.logs_out = True
    with pytest.raises(ProcessGoneError):
        bar.icon._run()

    assert happened == ["the keys are out"]


def test_session_without_a_screen_has_no_icon_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    mac = Mac()
    mac.install(monkeypatch)
    assert macos.why_not() is None

    mac.session = None

    assert macos.why_not() == "this session has no screen, as over SSH"
