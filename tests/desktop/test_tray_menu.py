from __future__ import annotations

from typing import Any

from credtray.core import protocol
from credtray.core.clicks import About, Click, OpenLog
from credtray.desktop.tray.painting import TrayMenu, load_pystray
from credtray.menu import Item, Kind

MENU = (
    Item("header", Kind.TEXT, "corp: signed in", About()),
    Item("sign-in", Kind.COMMAND, "Sign in", protocol.Login("corp"), default=True),
    Item("separator:sign-in", Kind.SEPARATOR),
    Item(
        "default",
        Kind.SUBMENU,
        "Default profile",
        children=(
            Item("d:a", Kind.RADIO, "R&D_a", protocol.Switch("a"), checked=True),
            Item("d:b", Kind.RADIO, "b", protocol.Switch("b")),
        ),
    ),
    Item("empty", Kind.SUBMENU, "Nothing in it"),
    Item("active", Kind.CHECK, "a", protocol.Activate(("a",)), checked=False),
    Item("later", Kind.COMMAND, "Not now", OpenLog(), enabled=False),
)


def seen(menu: Any) -> list[tuple[Any, ...]]:
    """What a back-end of pystray reads of each item it shows."""
    return [
        (item.text, item.checked, item.radio, item.default, item.enabled, item.submenu is not None)
        for item in menu
        if item is not menu.SEPARATOR
    ]


def test_every_kind_of_item_becomes_the_one_pystray_knows() -> None:
    menu = TrayMenu(lambda _click: None).menu(MENU)
    [default] = [item for item in menu if item.text == "Default profile"]

    assert [item is menu.SEPARATOR for item in menu] == [False, False, True, False, False, False]
    assert seen(menu) == [
        ("corp: signed in", None, False, False, False, False),
        ("Sign in", None, False, True, True, False),
        ("Default profile", None, False, False, True, True),
        ("a", False, False, False, True, False),
        ("Not now", None, False, False, False, False),
    ]
    assert seen(default.submenu) == [
        ("R&D_a", True, True, False, True, False),
        ("b", False, True, False, True, False),
    ]


def test_items_are_pystray_items_and_carry_their_key() -> None:
    menu = TrayMenu(lambda _click: None).menu(MENU)

    assert all(isinstance(item, load_pystray().MenuItem) for item in menu)
    assert [getattr(item, "key", None) for item in menu] == [
        "header",
        "sign-in",
        None,
        "default",
        "active",
        "later",
    ]


def test_click_hands_its_value_over() -> None:
    clicks: list[Click] = []
    menu = TrayMenu(clicks.append).menu(MENU)
    items = {item.text: item for item in menu}

    items["Sign in"](None)
    list(items["Default profile"].submenu)[1](None)
    menu(None)

    assert clicks == [protocol.Login("corp"), protocol.Switch("b"), protocol.Login("corp")]


def test_ampersand_is_doubled_where_it_would_vanish() -> None:
    menu = TrayMenu(lambda _click: None, ampersands=True).menu(MENU)

    assert [item.text for item in list(menu)[3].submenu] == ["R&&D_a", "b"]


def test_branch_that_did_not_change_is_kept_and_one_that_did_is_made_anew() -> None:
    menus = TrayMenu(lambda _click: None)
    before = list(menus.menu(MENU))
    header = Item("header", Kind.TEXT, "corp: ends in 9 min")
    after = list(menus.menu((header, *MENU[1:])))

    assert after[0].text == "corp: ends in 9 min"
    assert [new is old for new, old in zip(after, before, strict=True)] == [
        False,
        True,
        True,
        True,
        True,
        True,
    ]


def test_equal_menu_is_the_same_object() -> None:
    menus = TrayMenu(lambda _click: None)
    before = menus.menu(MENU)

    assert menus.menu(tuple(MENU)) is before
    assert menus.menu(MENU[1:]) is not before
