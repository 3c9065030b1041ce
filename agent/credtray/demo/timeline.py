"""What the demo prints: one line for each thing that happens, at the demo's time. Decides nothing.

In colours on a terminal, with a moving clock below; plain anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

from rich.console import RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from credtray.cli.terminal import screen
from credtray.demo.identity_center.canary import CANARY

_LABEL_WIDTH = 10
_PLAIN_WIDTH = 100
_WIDEST = 110
_STYLES = {
    "portal": "quiet",
    "your turn": "strong accent",
    "set up": "accent",
    "signed in": "strong good",
    "agent": "quiet",
    "kept": "good",
    "switched": "good",
    "asked": "accent",
    "refreshed": "good",
    "warned": "strong warning",
    "ended": "strong bad",
    "signed out": "warning",
    "removed": "good",
    "stopped": "quiet",
    "failed": "strong bad",
}


class Timeline:
    """The printed timeline.

    Args:
        stream: where to.
        now: the demo's time.
    """

    def __init__(self, stream: TextIO, now: Callable[[], datetime]) -> None:
        width = None if stream.isatty() else _PLAIN_WIDTH
        self._console = screen(stream, width)
        self._console.width = min(self._console.width, _WIDEST)
        self._now = now
        self._printed: list[str] = []

    @property
    def secrets(self) -> int:
        """How many secrets were printed: every secret of the demo's portal carries a word to find it by."""
        return sum(text.count(CANARY) for text in self._printed)

    def say(self, text: str = "", style: str = "") -> None:
        """Print a paragraph that belongs to no time."""
        self._print(text, Text(text, style))

    def tell(self, label: str, text: str) -> None:
        """Print what happened just now."""
        clock = self._now().astimezone().strftime("%H:%M")
        self._print(text, _row(Text(clock, "quiet"), Text(label, _STYLES.get(label, "")), Text(text)))

    def detail(self, text: str) -> None:
        """Print something that belongs to the line above."""
        self._print(text, _row(Text(), Text(), Text(text, "good" if text.startswith("+") else "quiet")))

    def _print(self, text: str, shape: RenderableType) -> None:
        """Print without the blanks that rich fills lines with: nobody wants to copy those."""
        self._printed.append(text)
        for line in self._console.render_lines(shape, pad=False):
            shown = Text.assemble(*((part.text, part.style or "") for part in line))
            shown.rstrip()
            self._console.print(shown)

    @contextmanager
    def moving(self, moment: Callable[[], str]) -> Iterator[None]:
        """Show the time and *moment* below the timeline while it goes on, on a terminal only."""
        if not self._console.is_terminal:
            yield
            return

        def below() -> Padding:
            clock = self._now().astimezone().strftime("%H:%M:%S")
            return Padding(Text(f"{clock}  {moment()}", "reverse"), (1, 1, 0, 1), expand=False)

        with Live(console=self._console, get_renderable=below, refresh_per_second=8, transient=True):
            yield


def _row(clock: Text, label: Text, text: Text) -> Table:
    """Return one line of three columns; a long text goes on below itself."""
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=6, justify="right")
    row.add_column(width=_LABEL_WIDTH)
    row.add_column(overflow="fold")
    row.add_row(clock, label, text)
    return row
