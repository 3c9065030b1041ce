"""Picking several rows of a long list by typing: what matches, where the pointer is, what is picked.

Pure. Knows no terminal: cli/picker draws it and hands it the keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Picking:
    """One list that somebody picks from. Rows are counted from 0, the pointer counts the rows that match."""

    rows: Sequence[str]
    """What a search looks at, of each row."""
    picked: set[int] = field(default_factory=set)
    search: str = ""
    pointer: int = 0
    remark: str = ""
    """What the last key did not do, and what to do instead."""
    _matches: list[int] = field(init=False)
    _folded: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._folded = [row.casefold() for row in self.rows]
        self._matches = list(range(len(self.rows)))

    @property
    def matches(self) -> Sequence[int]:
        """The rows that hold every word of the search, in any order and case."""
        return self._matches

    @property
    def pointed(self) -> int | None:
        """The row at the pointer; None: nothing matches."""
        return self._matches[self.pointer] if self._matches else None

    @property
    def counter(self) -> str:
        """How many rows are picked and how many match, in words."""
        told = f"{len(self.picked)} of {len(self.rows)} picked"
        return f"{told}, {len(self._matches)} match" if self.searching else told

    @property
    def searching(self) -> bool:
        """Whether the search holds more than blanks."""
        return bool(self.search.strip())

    def shown(self, height: int) -> Sequence[int]:
        """Return at most *height* matching rows around the pointer."""
        first = max(0, min(self.pointer - height // 2, len(self._matches) - height))
        return self._matches[first : first + height]

    # --- keys -------------------------------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Add to the search; a blank picks while there is no search."""
        if text == " " and not self.searching:
            self.toggle()
            return
        self._look_for(self.search + "".join(char if char.isprintable() else " " for char in text))

    def erase(self) -> None:
        """Take the last character of the search away."""
        self._look_for(self.search[:-1])

    def clear(self) -> None:
        """Take the whole search away; the pointer stays on its row."""
        self._look_for("")

    def move(self, rows: int) -> None:
        """Move the pointer, around the ends by single steps only."""
        self.remark = ""
        if not self._matches:
            return
        last = len(self._matches) - 1
        if abs(rows) == 1:
            self.pointer = (self.pointer + rows) % len(self._matches)
        else:
            self.pointer = max(0, min(last, self.pointer + rows))

    def toggle(self) -> None:
        """Pick the row at the pointer, or no longer."""
        self.remark = ""
        if self.pointed is not None:
            self.picked ^= {self.pointed}

    def toggle_matches(self) -> None:
        """Pick all rows that match; where they all are picked, none of them."""
        self.remark = ""
        if self.picked.issuperset(self._matches):
            self.picked.difference_update(self._matches)
        else:
            self.picked.update(self._matches)

    def finish(self) -> Collection[int] | None:
        """Return what is picked, in the order of the list; None: not yet, ``remark`` says why."""
        pointed = self.pointed
        if not self.picked:
            self.remark = "Nothing is picked yet: Tab picks the marked row, Ctrl-C cancels."
            return None
        unsaid = self.searching and pointed is not None and self.picked.isdisjoint(self._matches)
        if unsaid and not self.remark:
            others = f"the {len(self.picked)} picked before"
            self.remark = f"None of these is picked. Tab picks, Enter again goes on with {others}."
            return None
        return sorted(self.picked)

    def _look_for(self, search: str) -> None:
        self.remark = ""
        before = self.pointed
        self.search = search
        words = search.casefold().split()
        self._matches = [at for at, row in enumerate(self._folded) if all(word in row for word in words)]
        self.pointer = self._matches.index(before) if before in self._matches else 0
