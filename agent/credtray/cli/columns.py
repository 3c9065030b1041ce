"""A table whose cells never break: too narrow, it leaves columns out, and then puts a row on several lines.

Draws only. Widths are counted in cells of the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

_GAP = 2
_DEEPER = 4
"""Blanks before what belongs to a first cell on the line above."""
_SHARE = 0.75
"""Of the rows have to fit in one line each, before a column is left out for the others."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str = ""
    leaves: int = 0
    """Which one is left out first where it is narrow: 1, then 2 ...; 0: never."""


class Columns:
    """Rows of cells below each other.

    Args:
        columns: from left to right.
        rows: each as many cells as there are columns.
        headed: show the titles.
        indent: blanks before each line.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Text]],
        *,
        headed: bool = False,
        indent: int = 0,
    ) -> None:
        self._columns = columns
        self._rows = rows
        self._headed = headed
        self._indent = indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines for this width."""
        del console
        room = options.max_width - self._indent
        kept, inline = self._fitting(room)
        widths = self._widths(kept, inline)
        if self._headed and inline:
            titles = [Text(self._columns[at].title, "bold") for at in kept]
            yield self._line(titles, widths)
        for number, row in enumerate(self._rows):
            if number in inline:
                yield self._line([row[at] for at in kept], widths)
            else:
                yield from self._stacked(row, room)

    def _fitting(self, room: int) -> tuple[list[int], set[int]]:
        """Return the columns that are kept, and the rows that are one line then.

        A few rows with long names do not cost all others a column: they are put on several lines first.
        """
        everything = set(range(len(self._rows)))
        kept = list(range(len(self._columns)))
        for leaving in (None, *self._leaving()):
            if leaving is not None:
                kept.remove(leaving)
            inline = self._without_long(kept, everything, room)
            if len(inline) >= len(everything) * _SHARE:
                return kept, inline
        return kept, inline

    def _leaving(self) -> list[int]:
        leaving = [at for at, column in enumerate(self._columns) if column.leaves]
        return sorted(leaving, key=lambda at: self._columns[at].leaves)

    def _without_long(self, kept: list[int], rows: set[int], room: int) -> set[int]:
        """Return the rows that fit below each other, leaving out those with the longest first cells."""
        inline = sorted(rows, key=lambda number: self._rows[number][0].cell_len)
        while inline and self._needed(kept, set(inline)) > room:
            inline.pop()
        return set(inline)

    def _needed(self, kept: list[int], rows: set[int]) -> int:
        widths = [width for width in self._widths(kept, rows) if width]
        return sum(widths) + _GAP * (len(widths) - 1)

    def _widths(self, kept: list[int], rows: set[int]) -> list[int]:
        """Return how wide each column is; 0 where it has nothing to show."""
        found = []
        for at in kept:
            widest = max((self._rows[number][at].cell_len for number in rows), default=0)
            found.append(max(widest, len(self._columns[at].title)) if widest and self._headed else widest)
        return found

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Text:
        line = Text(" " * self._indent, no_wrap=True, overflow="ignore")
        for cell, width in zip(cells, widths, strict=True):
            if width:
                line.append_text(cell).append(" " * (width - cell.cell_len + _GAP))
        line.rstrip()
        return line

    def _stacked(self, row: Sequence[Text], room: int) -> Iterator[Text]:
        """Yield the first cell, and below it the others as they fit."""
        first, *others = (cell for cell in row if cell.plain)
        yield self._line([first], [first.cell_len])
        deeper = " " * (self._indent + _DEEPER)
        line = Text(deeper, no_wrap=True, overflow="ignore")
        for cell in others:
            if line.plain.strip() and line.cell_len + _GAP + cell.cell_len > room + self._indent:
                yield line
                line = Text(deeper, no_wrap=True, overflow="ignore")
            line.append(" " * (_GAP if line.plain.strip() else 0)).append_text(cell)
        if line.plain.strip():
            yield line
