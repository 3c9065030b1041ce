"""What a panel gets to see of a pystray menu, whatever is in it and however it changes."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from dbus_fast import MessageType, Variant
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import BusCallFailed
from credtray.desktop.tray.dbus_menu import INTERFACE, PATH, DbusMenu, label
from credtray.desktop.tray.painting import load_pystray
from tests.core.making import calls_of
from tests.desktop.keyed_items import KeyedItem
from tests.desktop.panel_fakes import PROPERTIES, Entry, PaperPanel, menu_entries

pytestmark = pytest.mark.linux_desktop("a menu on D-Bus")

pystray = load_pystray()
Menu, MenuItem = pystray.Menu, pystray.MenuItem


@dataclass(frozen=True)
class Line:
    """One line of a menu, from which a ``pystray.MenuItem`` is made."""

    label: str = "item"
    key: str | None = None
    enabled: bool = True
    visible: bool = True
    checked: bool | None = None
    radio: bool = False
    below: tuple[Line, ...] | None = None
    separator: bool = False
    fixed: bool = False
    """True: the item is the same object each time, and says that it does not change."""


class FixedItem(KeyedItem):
    fixed = True


@functools.cache
def fixed_item(line: Line) -> Any:
    return FixedItem(line.key, line.label, *arguments(line), **options(line))


def item_for(line: Line) -> Any:
    if line.separator:
        return Menu.SEPARATOR
    if line.fixed:
        return fixed_item(line)
    if line.key is None:
        return MenuItem(line.label, *arguments(line), **options(line))
    return KeyedItem(line.key, line.label, *arguments(line), **options(line))


def arguments(line: Line) -> list[Any]:
    return [None if line.below is None else menu_for(line.below)]


def options(line: Line) -> dict[str, Any]:
    checked: Any = None if line.checked is None else lambda _: line.checked
    return {"checked": checked, "radio": line.radio, "enabled": line.enabled, "visible": line.visible}


def menu_for(lines: tuple[Line, ...]) -> Any:
    """Half of the menus are made by a callable, as pystray allows."""
    items = [item_for(line) for line in lines]
    return Menu(lambda: iter(items)) if len(items) % 2 else Menu(*items)


class Desk:
    """A menu and a panel that shows it."""

    def __init__(self, *lines: Line, depth: int = -1) -> None:
        self.menu: Any = menu_for(lines)
        self.clicked: list[str] = []
        self.late_change: Any = None
        """The menu as it is when somebody wants to look."""
        self.served = DbusMenu(
            lambda: self.menu, lambda item: self.clicked.append(item.text), self._before_show
        )
        self.served.refresh()
        self.panel = PaperPanel(self.served.handle, PATH, depth)
        self.served.tell(self.panel)
        self.panel.look()

    def change(self, *lines: Line) -> bool:
        self.menu = menu_for(lines)
        return bool(self.served.refresh())

    def _before_show(self) -> None:
        self.menu = self.late_change or self.menu

    @property
    def signals(self) -> list[tuple[str, list[Any]]]:
        return [(str(signal.member), signal.body) for signal in self.panel.signals]


# Few labels and keys, so that menus drawn one after the other have much in common and differ at the edges.
LABELS = st.sampled_from(["a", "b", "_", "a_b", "__", "", "&<b>", "שלום", "👩‍💻", "x" * 300])
LEAVES = st.builds(
    Line,
    label=LABELS,
    key=st.sampled_from([None, None, "k1", "k2", "k3"]),
    enabled=st.booleans(),
    visible=st.sampled_from([True, True, True, False]),
    checked=st.sampled_from([None, None, True, False]),
    radio=st.booleans(),
    fixed=st.booleans(),
    separator=st.sampled_from([False, False, False, True]),
)
LINES = st.recursive(
    LEAVES,
    lambda lines: st.builds(
        replace, LEAVES, below=st.lists(lines, max_size=4).map(tuple), separator=st.just(False)
    ),
    max_leaves=12,
)
MENUS = st.lists(LINES, max_size=5).map(tuple)


@given(MENUS, st.sampled_from([-1, 1]))
def test_a_panel_reads_just_what_pystray_shows(lines: tuple[Line, ...], depth: int) -> None:
    desk = Desk(*lines, depth=depth)

    assert tuple(menu_entries(desk.menu)) == desk.panel.seen.entries()


@given(st.lists(st.tuples(MENUS, st.booleans()), min_size=1, max_size=5), st.sampled_from([-1, 1]))
def test_following_the_signals_leads_to_the_present_menu(
    steps: list[tuple[tuple[Line, ...], bool]], depth: int
) -> None:
    desk = Desk(depth=depth)
    for lines, quick in steps:
        desk.change(*lines)
        if quick:
            desk.panel.catch_up()
    desk.panel.catch_up()

    assert tuple(menu_entries(desk.menu)) == desk.panel.seen.entries()


@given(MENUS)
def test_an_unchanged_menu_is_not_mentioned(lines: tuple[Line, ...]) -> None:
    desk = Desk(*lines)

    assert desk.change(*lines) is False
    assert desk.signals == []


@given(st.permutations(["p", "q", "r", "s"]), st.permutations(["p", "q", "r"]))
def test_keyed_items_keep_their_numbers_wherever_they_move_in_their_menu(
    before: list[str], after: list[str]
) -> None:
    desk = Desk(*(Line(key, key) for key in before))
    numbers = desk.panel.seen.numbers()
    desk.change(*(Line(key, key, checked=True) for key in after))
    desk.panel.look()

    assert {(key,): numbers[(key,)] for key in after} == desk.panel.seen.numbers()


@given(st.lists(MENUS, min_size=2, max_size=6))
def test_no_number_is_ever_given_to_another_item(menus: list[tuple[Line, ...]]) -> None:
    desk = Desk()
    kinds: dict[int, tuple[Any, ...]] = {}
    for lines in menus:
        desk.change(*lines)
        desk.panel.look()
        for number, properties in desk.panel.seen.properties.items():
            kind = (properties.get("type"), properties.get("children-display"))
            assert kinds.setdefault(number, kind) == kind


def test_one_changed_label_is_one_signal_with_this_label() -> None:
    desk = Desk(Line("a", "a"), Line("b", "b", checked=False, radio=True))
    number = desk.panel.seen.numbers()[("b",)]
    desk.change(Line("a", "a"), Line("c", "b", checked=False, radio=True))

    assert [("ItemsPropertiesUpdated", [[(number, {"label": Variant("s", "c")})], []])] == desk.signals


def test_a_check_mark_that_goes_is_told_as_removed() -> None:
    desk = Desk(Line("a", "a", checked=True))
    number = desk.panel.seen.numbers()[("a",)]
    desk.change(Line("a", "a"))

    assert [("ItemsPropertiesUpdated", [[], [(number, ["toggle-type", "toggle-state"])]])] == desk.signals


def test_only_the_submenu_that_changed_is_laid_out_anew() -> None:
    here, there = Line("here", "h", below=(Line("a"),)), Line("there", "t", below=(Line("a"),))
    desk = Desk(here, there)
    number = desk.panel.seen.numbers()[("there",)]
    desk.change(here, replace(there, below=(Line("a"), Line("b"))))

    assert [("LayoutUpdated", [3, number])] == desk.signals


def test_an_item_that_moves_to_another_submenu_is_another_item() -> None:
    """Qt's importer would delete it together with its place in the old one."""
    moving = Line("x", "x")
    desk = Desk(Line("h", "h", below=(Line("a"), moving)), Line("t", "t", below=(Line("a"),)))
    before = desk.panel.seen.numbers()[("h", "x")]
    desk.change(Line("h", "h", below=(Line("a"),)), Line("t", "t", below=(Line("a"), moving)))
    desk.panel.look()

    assert desk.panel.seen.numbers()[("t", "x")] != before


def test_a_branch_that_was_fixed_for_a_while_keeps_its_numbers() -> None:
    branch = Line("more", "m", below=(Line("a", "a"),), fixed=True)
    desk = Desk(branch)
    numbers = desk.panel.seen.numbers()
    desk.change(branch, Line("other"))
    desk.change(replace(branch, enabled=False), Line("other"))
    desk.panel.look()

    assert numbers.items() <= desk.panel.seen.numbers().items()


def test_two_items_with_the_same_key_are_still_two() -> None:
    desk = Desk(Line("a", "k"), Line("b", "k"))

    assert [Entry("a"), Entry("b")] == list(desk.panel.seen.entries())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dev_admin", "dev__admin"),
        ("__", "____"),
        ("&Save <b>", "&Save <b>"),
        ("two\nlines\tand", "two lines and"),
        ("nul\0", "nul\N{REPLACEMENT CHARACTER}"),
        ("half \ud83d", "half ?"),
        ("x" * 501, "x" * 499 + "…"),
    ],
)
def test_a_label_draws_the_text_and_nothing_else(text: str, expected: str) -> None:
    assert expected == label(text)


@given(st.text(st.characters(codec=None), max_size=30))
def test_every_text_can_be_a_label(text: str) -> None:
    [entry] = Desk(Line(text)).panel.seen.entries()

    assert "\0" not in entry.label


# --- what panels ask ---------------------------------------------------------------------------------

TREE = (Line("a", "a", below=(Line("b", "b", below=(Line("c", "c", checked=True),)),)), Line("d", "d"))


def test_the_layout_can_be_asked_for_in_part() -> None:
    desk = Desk(*TREE)
    numbers = desk.panel.seen.numbers()
    a, b = numbers[("a",)], numbers[("a", "b")]

    assert [2, (a, {"label": "a"}, [(b, {"label": "b"}, [])])] == desk.panel.ask(
        "GetLayout", "iias", a, 1, ["label"]
    )
    assert desk.panel.ask("GetLayout", "iias", 0, 0, []) == [2, (0, {"children-display": "submenu"}, [])]


def test_properties_are_told_for_some_or_for_all_items() -> None:
    desk = Desk(*TREE)
    numbers = desk.panel.seen.numbers()
    c = numbers[("a", "b", "c")]

    assert [[(c, {"toggle-state": 1})]] == desk.panel.ask(
        "GetGroupProperties", "aias", [c, 999], ["toggle-state"]
    )
    [everything] = desk.panel.ask("GetGroupProperties", "aias", [], [])
    assert {0, *numbers.values()} == {number for number, _ in everything}


def test_item_that_is_asked_for_again_and_again_is_told_once() -> None:
    desk = Desk(*TREE)
    d = desk.panel.seen.numbers()[("d",)]

    assert [[(d, {"label": "d"})]] == desk.panel.ask("GetGroupProperties", "aias", [d] * 10_000, ["label"])


def test_one_property_is_told_also_when_it_is_the_default() -> None:
    desk = Desk(*TREE)
    d = desk.panel.seen.numbers()[("d",)]

    assert desk.panel.ask("GetProperty", "is", d, "label") == ["d"]
    assert desk.panel.ask("GetProperty", "is", d, "toggle-state") == [-1]
    assert desk.panel.ask("GetProperty", "is", 0, "children-display") == ["submenu"]


@pytest.mark.parametrize(
    ("member", "signature", "body"),
    [
        ("GetLayout", "iias", [999, -1, []]),
        ("GetProperty", "is", [999, "label"]),
        ("GetProperty", "is", [0, "colour"]),
        ("Event", "isvu", [999, "clicked", Variant("s", ""), 0]),
        ("EventGroup", "a(isvu)", [[[999, "clicked", Variant("s", ""), 0]]]),
        ("AboutToShow", "i", [-1]),
        ("AboutToShowGroup", "ai", [[998, 999]]),
        ("GetLayout", "s", ["all of it"]),
        ("Event", "", []),
    ],
)
def test_what_is_not_there_is_a_proper_error(member: str, signature: str, body: list[Any]) -> None:
    with pytest.raises(BusCallFailed, match="InvalidArgs"):
        Desk(*TREE).panel.ask(member, signature, *body)


def test_the_properties_panels_look_for_are_there() -> None:
    desk = Desk()
    answer = desk.panel.send(PROPERTIES, "GetAll", "s", [INTERFACE])

    assert {name: value.value for name, value in answer.body[0].items()} == {
        "Version": 3,
        "TextDirection": "ltr",
        "Status": "normal",
        "IconThemePath": [],
    }


BODIES = {
    "s": st.text(max_size=5).filter(lambda text: "\0" not in text),
    "i": st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 6),
    "u": st.integers(0, 2**32 - 1),
    "v": st.sampled_from([Variant("s", ""), Variant("i", 3), Variant("av", [])]),
    "ai": st.lists(st.integers(-2, 6), max_size=4),
    "as": st.lists(st.sampled_from(["label", "type", "rubbish"]), max_size=3),
    "a(isvu)": st.lists(
        st.tuples(
            st.integers(-2, 6), st.sampled_from(["clicked", "x"]), st.just(Variant("i", 1)), st.just(0)
        ).map(list),
        max_size=3,
    ),
}
MEMBERS = [
    "GetLayout",
    "GetGroupProperties",
    "GetProperty",
    "Event",
    "EventGroup",
    "AboutToShow",
    "AboutToShowGroup",
]
MEMBERS += ["Introspect", "Get", "GetAll", "Set", "Nonsense"]
RIGHT = [
    ["i", "i", "as"],
    ["ai", "as"],
    ["i", "s"],
    ["i", "s", "v", "u"],
    ["a(isvu)"],
    ["i"],
    ["ai"],
    ["s", "s", "v"],
]


@given(
    st.sampled_from(MEMBERS),
    st.sampled_from([INTERFACE, PROPERTIES, "org.freedesktop.DBus.Introspectable"]),
    st.sampled_from(RIGHT) | st.lists(st.sampled_from(sorted(BODIES)), max_size=4),
    st.data(),
)
def test_every_call_gets_an_answer_or_an_error(
    member: str, interface: str, types: list[str], data: st.DataObject
) -> None:
    desk = Desk(*TREE)
    body = [data.draw(BODIES[one]) for one in types]
    answer = desk.panel.send(interface, member, "".join(types), body)

    assert answer.message_type in {MessageType.METHOD_RETURN, MessageType.ERROR}


# --- clicks and looking ------------------------------------------------------------------------------


def test_a_click_reaches_the_item() -> None:
    desk = Desk(*TREE)
    desk.panel.click(desk.panel.seen.numbers()[("a", "b", "c")])

    assert desk.clicked == ["c"]


def test_only_clicks_on_enabled_items_count() -> None:
    desk = Desk(Line("off", enabled=False), Line(separator=True), Line("sub", below=(Line("x"),)))
    number = desk.panel.seen.numbers()
    for one in (0, *number.values()):
        if one != number[("sub", "x")]:
            desk.panel.click(one)
    for kind in ("hovered", "opened", "closed", "rubbish", ""):
        desk.panel.ask("Event", "isvu", number[("sub", "x")], kind, Variant("i", 1), 0)

    assert desk.clicked == []


def test_a_group_of_events_names_those_that_meant_nothing() -> None:
    desk = Desk(*TREE)
    d = desk.panel.seen.numbers()[("d",)]
    events = [[number, "clicked", Variant("s", ""), 0] for number in (999, d)]

    assert desk.panel.ask("EventGroup", "a(isvu)", events) == [[999]]
    assert desk.clicked == ["d"]


def test_before_it_is_shown_the_menu_may_change() -> None:
    desk = Desk(Line("9 min left", "left"))

    assert desk.panel.ask("AboutToShow", "i", 0) == [False]
    desk.late_change = menu_for((Line("8 min left", "left"),))
    assert desk.panel.ask("AboutToShow", "i", 0) == [True]
    assert desk.panel.ask("AboutToShowGroup", "ai", [0, 999]) == [[], [999]]
    desk.panel.catch_up()
    assert (Entry("8 min left"),) == desk.panel.seen.entries()


# --- five hundred profiles ---------------------------------------------------------------------------


def large(changed: str = "profile_7") -> tuple[Line, ...]:
    """About two thousand items: four submenus of 25 accounts with 20 profiles each."""

    def profiles(section: str, account: int) -> tuple[Line, ...]:
        names = (f"profile_{account * 20 + number}" for number in range(20))
        return tuple(
            Line(
                changed if name == "profile_7" else name,
                f"{section}/{name}",
                checked=False,
                radio=True,
                fixed=True,
            )
            for name in names
        )

    return tuple(
        Line(
            section,
            section,
            below=tuple(
                Line(f"account {account}", f"{section}/{account}", below=profiles(section, account))
                for account in range(25)
            ),
        )
        for section in ("default", "active", "copy", "console")
    )


def test_menu_of_the_same_fixed_items_is_not_read_again() -> None:
    class Counted(FixedItem):
        reads = 0

        @property
        def visible(self) -> bool:
            Counted.reads += 1
            return True

    items = [Counted(name, name, lambda: None) for name in "abc"]
    desk = Desk()
    desk.menu = Menu(*items)
    desk.served.refresh()
    before = Counted.reads
    desk.menu = Menu(*items)
    again = desk.served.refresh()
    assert (False, before) == (again, Counted.reads)

    desk.menu = Menu(*reversed(items))
    assert desk.served.refresh()


def test_one_label_among_two_thousand_items_costs_little_and_says_little() -> None:
    desk = Desk(*large())
    desk.change(*large("profile_7: 9 min left"))
    desk.menu = menu_for(large("profile_7: 8 min left"))
    desk.panel.sizes.clear()
    called = calls_of(desk.served.refresh)

    assert len(desk.panel.seen.properties) > 2000
    assert len(desk.panel.sizes) == 1
    assert sum(desk.panel.sizes) < 500
    assert called < 30 * 2000  # 14 for each item
