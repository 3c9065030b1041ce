"""The list to pick from, in terminals of several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.styles import Style

from credtray.cli.picker import Drawing, cut, padded, pick, width_of
from credtray.cli.picking import Picking
from tests.cli.terminal_session import CTRL_A, CTRL_C, DOWN, ENTER, SPACE, TAB

NAMES = (
    "network",
    "billing",
    "a-very-long-account-name-that-a-rule-of-the-company-made-them-give-it",
    "日本語のアカウント",
)
ROLES = ("AdministratorAccess", "ReadOnly", "DNS  (has a profile)")


def rows(count: int) -> list[tuple[str, str]]:
    return [(f"{NAMES[at % 4]} 1111{at:08d}", ROLES[at % 3]) for at in range(count)]


class Terminal(DummyOutput):
    """One of a size."""

    def __init__(self, lines: int, columns: int) -> None:
        self._size = Size(lines, columns)

    def get_size(self) -> Size:
        return self._size


def picked(keys: str, count: int = 300, lines: int = 24, columns: int = 80) -> list[int]:
    with create_pipe_input() as keyboard, create_app_session(input=keyboard):
        keyboard.send_text(keys)
        return pick("Which?", rows(count), [], Terminal(lines, columns), Style([]))


@pytest.mark.met("M1")
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("0012 net" + TAB + ENTER, [12]),
        ("net 0012" + TAB + ENTER, [12]),
        (SPACE + DOWN + TAB + ENTER, [0, 1]),
        (ENTER + TAB + ENTER, [0]),
        ("zzz" + TAB + ENTER + "\x7f\x7f\x7f" + TAB + ENTER, [0]),
        ("11110000012" + CTRL_A + ENTER, [*range(120, 130)]),
        (CTRL_A + ENTER, list(range(300))),
        ("\x1b[200~billing 00000001\x1b[201~" + TAB + ENTER, [1]),
        ("日本語" + TAB + ENTER, [3]),
        ("\x1b[A" + TAB + ENTER, [299]),
    ],
)
def test_keys_pick_what_they_say(keys: str, expected: list[int]) -> None:
    assert picked(keys) == expected


def test_ctrl_c_is_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        picked(TAB + CTRL_C)


@contextmanager
def drawn(picking: Picking, count: int, lines: int, columns: int) -> Iterator[list[str]]:
    drawing = Drawing("Which accounts and roles?", rows(count), picking, lambda: Size(lines, columns))
    parts = (drawing.head(), drawing.list(), drawing.foot())
    yield "\n".join("".join(text for _, text, *_ in part) for part in parts).split("\n")


@pytest.mark.met("M1")
@pytest.mark.parametrize("count", [3, 300, 2000])
@pytest.mark.parametrize(("lines", "columns"), [(24, 80), (24, 40), (12, 60), (50, 200)])
@pytest.mark.parametrize("search", ["", "zzz", "name rule"])
def test_everything_fits_the_terminal(count: int, lines: int, columns: int, search: str) -> None:
    picking = Picking([" ".join(cells) for cells in rows(count)])
    picking.typed(search)
    with drawn(picking, count, lines, columns) as shown:
        list_lines = [line for line in shown if "] " in line and "[" in line]
        needed = sum(-(-max(1, width_of(line)) // columns) for line in shown)

    assert needed <= lines
    assert all(width_of(line) < columns for line in list_lines)
    assert any("Tab picks" in line for line in shown)
    assert any(line.strip() == "no match" for line in shown) is (search == "zzz")


def test_a_row_that_is_cut_is_told_in_full_below() -> None:
    picking = Picking([" ".join(cells) for cells in rows(300)])
    picking.typed("name rule")
    with drawn(picking, 300, 24, 60) as shown:
        assert f"{NAMES[2]} 111100000002  DNS  (has a profile)" in shown


@pytest.mark.parametrize("width", [1, 2, 9, 20])
@pytest.mark.parametrize("text", ["", "plain", "日本語のアカウント", "a👩‍💻b" * 5, "x" * 60])
def test_cut_text_has_at_most_so_many_cells(text: str, width: int) -> None:
    assert width_of(cut(text, width)) <= width
    assert width_of(padded(cut(text, width), width)) == width
