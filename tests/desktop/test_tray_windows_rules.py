"""The rules of the tray on Windows: tooltip, clicks, place, picture. Nothing here needs Windows."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from credtray.core.icon_state import IconState, Shape
from credtray.desktop.icon import Panel
from credtray.desktop.tray.native import NoWindowError
from credtray.desktop.tray.windows import (
    LONGEST_TIP,
    SIZES,
    Clicks,
    Step,
    TaskBarIcon,
    icon_bits,
    images,
    place,
    tip,
)

DOWN, UP, DOUBLE, CONTEXT, SELECT, KEY = 0x0201, 0x0202, 0x0203, 0x007B, 0x0400, 0x0401


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=90))


@given(TEXTS)
@example(["a" * 126 + "\N{ROCKET}"])
@example(["a" * 125 + "e\N{COMBINING ACUTE ACCENT}tude"])
def test_tooltip_fits_and_is_whole_lines_or_the_beginning_of_the_first(lines: list[str]) -> None:
    text = "\n".join(lines)

    cut = tip(text)

    assert units(cut) <= LONGEST_TIP
    if cut != text:
        assert cut.endswith("\N{HORIZONTAL ELLIPSIS}")
        assert text.startswith(cut[:-1])
        assert units(text) > LONGEST_TIP


def test_tooltip_of_five_sessions_ends_with_a_whole_line() -> None:
    lines = [f"session-{number}: signed in, ends at 17:00" for number in range(5)]

    assert tip("\n".join(lines)) == "\n".join([*lines[:3], "\N{HORIZONTAL ELLIPSIS}"])


def test_tooltip_that_just_fits_is_not_cut() -> None:
    assert tip("\N{ROCKET}" * 63 + "a") == "\N{ROCKET}" * 63 + "a"


def test_cut_tooltip_splits_neither_a_rocket_nor_an_accented_letter() -> None:
    assert tip("a" * 125 + "\N{ROCKET}b") == "a" * 125 + "\N{HORIZONTAL ELLIPSIS}"
    assert tip("a" * 125 + "e\N{COMBINING ACUTE ACCENT}b") == "a" * 125 + "\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize(
    ("events", "has_default", "steps"),
    [
        pytest.param([DOWN, UP, SELECT], False, [Step.MENU], id="click"),
        pytest.param([DOWN, UP, SELECT], True, [Step.WAIT], id="click, and a second may come"),
        pytest.param(
            [DOWN, UP, SELECT, DOUBLE, UP, SELECT], True, [Step.WAIT, Step.DEFAULT], id="double click"
        ),
        pytest.param([DOWN, UP, SELECT, DOUBLE, UP, SELECT], False, [Step.MENU], id="nothing to do twice"),
        pytest.param([DOUBLE, UP, SELECT, DOWN, UP, SELECT], True, [Step.DEFAULT, Step.WAIT], id="after one"),
        pytest.param([0x0204, 0x0205, CONTEXT], True, [Step.MENU], id="right click"),
        pytest.param([KEY], True, [Step.MENU], id="Enter"),
        pytest.param([0x0200, 0x0402, 0x0406, 0x0407], True, [], id="moves, balloons, popups"),
    ],
)
def test_clicks_and_keys(events: list[int], has_default: bool, steps: list[Step]) -> None:  # noqa: FBT001 - a parameter of a table
    clicks = Clicks()

    heard = [clicks.heard(event, has_default=has_default) for event in events]

    assert [step for step in heard if step is not Step.NOTHING] == steps


@pytest.mark.parametrize("where", [(0, 0), (1919, 1079), (-1280, 40), (5, -600)])
def test_place_of_a_click_may_be_on_a_monitor_to_the_left(where: tuple[int, int]) -> None:
    x, y = where

    assert place((y & 0xFFFF) << 16 | (x & 0xFFFF)) == where


@pytest.mark.parametrize("size", SIZES)
def test_icon_is_drawn_in_every_size_and_reads_as_a_windows_icon(size: int) -> None:
    picture = images(IconState(Shape.FRESH, 9), Panel.DARK)[size]
    bits = icon_bits(picture)
    directory = struct.pack("<HHHBBBBHHII", 0, 1, 1, size, size, 0, 0, 1, 32, len(bits), 22)

    read = Image.open(io.BytesIO(directory + bits)).convert("RGBA")

    assert (read.size, read.tobytes()) == (picture.size, picture.tobytes())


def test_icon_that_gets_no_window_ends_pystrays_thread_which_would_keep_the_process() -> None:
    done: list[object] = []

    class WithoutWindows:
        _atom = 7

        def _run(self) -> None:
            raise OSError(0, "Success.")

        def _mark_ready(self) -> None:
            done.append("ready")
            self._running = True

        def _unregister_class(self, atom: int) -> None:
            done.append(atom)

    icon: Any = object.__new__(type("Icon", (TaskBarIcon, WithoutWindows), {}))
    with pytest.raises(NoWindowError):
        icon._run()

    assert done == [7, "ready"]
    assert not icon._running
