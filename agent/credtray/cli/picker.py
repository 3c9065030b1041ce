"""Draws a ``Picking`` in the terminal and gives it the keys that a person presses. Decides nothing.

The whole of it fits 24 rows and 40 columns: what does not fit is cut in the middle, and the row at the
pointer is shown in full below the list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle
from prompt_toolkit.utils import get_cwidth

from credtray.cli.picking import Picking

# Text measured in the cells of a terminal, where a Chinese letter or an emoji takes two. Pure.


_ELLIPSIS = "…"


def width_of(text: str) -> int:
    """Return how many cells the text takes."""
    return get_cwidth(text)


def padded(text: str, width: int) -> str:
    """Return the text with blanks up to *width* cells."""
    return text + " " * max(0, width - width_of(text))


def cut(text: str, width: int) -> str:
    """Return the text in at most *width* cells (1 or more); a longer one loses its middle."""
    if width_of(text) <= width:
        return text
    room = max(width, 1) - 1
    head, tail = "", ""
    for char in text:
        if width_of(head + char) > room - room // 2:
            break
        head += char
    for char in reversed(text):
        if width_of(char + tail) > room - width_of(head):
            break
        tail = char + tail
    return f"{head}{_ELLIPSIS}{tail}"


_LEGEND = (
    "Tab picks",
    "Ctrl-A picks all that match",
    "Esc clears the search",
    "Enter continues",
    "Ctrl-C cancels",
)
_MOST_ROWS = 15
_OTHER_ROWS = 9
"""Rows of the terminal that are not the list's: question, search, remark, legend, each may be two lines."""
_GAP = 2
_ESCAPE_SECONDS = 0.05
"""How long Esc waits for the rest of an arrow key."""


def pick(
    question: str,
    rows: Sequence[tuple[str, ...]],
    picked: Collection[int],
    output: Output,
    style: BaseStyle,
) -> list[int]:
    """Let a person pick at least one row; return the numbers of those picked.

    Args:
        question: without an end of line.
        rows: the cells of each, fit to be shown.
        picked: numbers of the rows that are picked from the start.
        output: of the terminal that is asked.
        style: of the classes question, pointer, picked, hint and remark.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    picking = Picking([" ".join(cells) for cells in rows], set(picked))
    drawn = Drawing(question, rows, picking, output.get_size)
    app: Application[Collection[int]] = Application(
        layout=Layout(HSplit([_window(drawn.head), _window(drawn.list, wrap=False), _window(drawn.foot)])),
        key_bindings=_keys(picking, drawn),
        style=style,
        output=output,
        erase_when_done=True,
    )
    app.ttimeoutlen = app.timeoutlen = _ESCAPE_SECONDS
    return list(app.run())


def _window(text: Any, *, wrap: bool = True) -> Window:
    return Window(
        FormattedTextControl(text, show_cursor=False),
        wrap_lines=wrap,
        dont_extend_height=True,
        always_hide_cursor=True,
    )


class Drawing:
    """The texts of a ``Picking`` as the terminal is wide and high now."""

    def __init__(
        self, question: str, rows: Sequence[tuple[str, ...]], picking: Picking, size: Callable[[], Size]
    ) -> None:
        self._size = size
        self._question = question
        self._rows = rows
        self._picking = picking
        self._widths = [max(map(width_of, column), default=0) for column in zip(*rows, strict=True)]

    @property
    def height(self) -> int:
        """Rows of the list."""
        return max(3, min(_MOST_ROWS, self._size().rows - _OTHER_ROWS))

    def head(self) -> StyleAndTextTuples:
        """Return the question, the counter and the search."""
        picking = self._picking
        search = f"Search: {picking.search}" if picking.search else "Type to search"
        return [
            ("class:question", self._question),
            ("", f"  {picking.counter}\n"),
            ("" if picking.search else "class:hint", search),
            ("class:pointer", "_" if picking.search else ""),
        ]

    def list(self) -> StyleAndTextTuples:
        """Return the rows around the pointer, or that there are none."""
        picking = self._picking
        if not picking.matches:
            return [("class:remark", "  no match")]
        lines: StyleAndTextTuples = []
        for row in picking.shown(self.height):
            at_pointer = row == picking.pointed
            style = "class:pointer" if at_pointer else "class:picked" if row in picking.picked else ""
            mark = "x" if row in picking.picked else " "
            lines += [
                ("", "\n" if lines else ""),
                (style, f"{'>' if at_pointer else ' '} [{mark}] {self._cells(row)}"),
            ]
        return lines

    def foot(self) -> StyleAndTextTuples:
        """Return a remark or the whole of a cut row, and what the keys do."""
        lines: StyleAndTextTuples = []
        if self._picking.remark:
            lines.append(("class:remark", f"{self._picking.remark}\n"))
        elif self._is_cut and self._picking.pointed is not None:
            lines.append(("class:hint", f"{'  '.join(self._rows[self._picking.pointed])}\n"))
        return [*lines, ("class:hint", _folded(_LEGEND, self._size().columns))]

    @property
    def _room(self) -> int:
        return self._size().columns - len("> [x] ") - 1

    @property
    def _is_cut(self) -> bool:
        return sum(self._widths) + _GAP * (len(self._widths) - 1) > self._room

    def _cells(self, row: int) -> str:
        *others, last = self._rows[row]
        *widths, last_width = self._widths
        if not others:
            return cut(last, self._room)
        last_width = min(last_width, max(self._room // 2, self._room - sum(widths) - _GAP * len(widths)))
        each = (self._room - last_width) // len(widths) - _GAP
        first = [
            padded(cut(cell, each), min(width, each)) for cell, width in zip(others, widths, strict=True)
        ]
        return (" " * _GAP).join([*first, cut(last, last_width)])


def _folded(words: Sequence[str], columns: int) -> str:
    """Return the words with commas, broken only between them."""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]}, {word}" if lines[-1] else word
        if len(longer) < columns:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _keys(picking: Picking, drawn: Drawing) -> KeyBindings:
    keys = KeyBindings()
    steps: dict[Keys, Callable[[], int]] = {
        Keys.Up: lambda: -1,
        Keys.Down: lambda: 1,
        Keys.ControlP: lambda: -1,
        Keys.ControlN: lambda: 1,
        Keys.PageUp: lambda: -drawn.height,
        Keys.PageDown: lambda: drawn.height,
        Keys.Home: lambda: -len(picking.rows),
        Keys.End: lambda: len(picking.rows),
    }
    for key, step in steps.items():
        keys.add(key, eager=True)(lambda _event, step=step: picking.move(step()))
    plain: dict[Keys, Callable[[], None]] = {
        Keys.Tab: picking.toggle,
        Keys.ControlA: picking.toggle_matches,
        Keys.Escape: picking.clear,
        Keys.ControlU: picking.clear,
        Keys.Backspace: picking.erase,
    }
    for key, do in plain.items():
        keys.add(key, eager=True)(lambda _event, do=do: do())
    _add_ends(keys, picking)
    return keys


def _add_ends(keys: KeyBindings, picking: Picking) -> None:
    @keys.add(Keys.ControlC, eager=True)
    @keys.add(Keys.ControlQ, eager=True)
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt())

    @keys.add(Keys.Enter, eager=True)
    def _(event: KeyPressEvent) -> None:
        picked = picking.finish()
        if picked is not None:
            event.app.exit(result=picked)

    @keys.add(Keys.BracketedPaste)
    @keys.add(Keys.Any)
    def _(event: KeyPressEvent) -> None:
        pasted = event.key_sequence[0].key == Keys.BracketedPaste
        if event.data and (pasted or event.data.isprintable()):
            picking.typed(event.data)
