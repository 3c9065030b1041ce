"""Joins what several sources say about who would see a notice and is free for it. Touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from credtray.core.ports import DesktopPart, Part, Presence
from credtray.desktop.part_report import PartReport

_WAIT: Final = "notices wait until that is over"
_NOBODY_TELLS: Final = "screen lock and sleep cannot be detected here; notices are always shown"


class Sightings:
    """What each source saw last. Whoever is away for one of them is away; who is silent counts as present."""

    def __init__(self, changed: Callable[[Presence], None], report: Callable[[DesktopPart], None]) -> None:
        """Do nothing yet; ``changed`` hears of every change, beginning from somebody who is present."""
        self._changed = changed
        self._part = PartReport(Part.PRESENCE, report)
        self._seen: dict[str, Presence] = {}
        self._busy: dict[str, str] = {}
        """By source: why a person is busy, in words."""
        self._told = Presence()

    def of(self, source: str) -> Presence:
        """Return what a source saw last."""
        return self._seen.get(source, Presence())

    def see(self, source: str, presence: Presence) -> None:
        """Take what a source says now."""
        self._seen[source] = presence
        self._tell()
        self.report()

    def occupied(self, source: str, why: str | None) -> None:
        """Take why a source says that a person is not to be disturbed now; None: for it nothing is so."""
        if why != self._busy.get(source):
            self._busy.pop(source, None)
            self._busy |= {source: why} if why is not None else {}
            self._tell()
            self.report()

    def gone(self, *sources: str) -> None:
        """Forget sources that can be asked no longer: nothing they saw may hold notices forever."""
        known = [source for source in sources if source in self._seen or source in self._busy]
        for source in known:
            self._seen.pop(source, None)
            self._busy.pop(source, None)
        if known:
            self._tell()
            self.report()

    def report(self) -> None:
        """Tell which sources are in use and why notices wait, if that has changed."""
        names = ", ".join(sorted(self._seen))
        missing = () if names else (_NOBODY_TELLS,)
        busy = (f"{', '.join(sorted(set(self._busy.values())))}; {_WAIT}",) if self._busy else ()
        self._part.tell(names or None, "; ".join((*missing, *busy)) or None)

    def _tell(self) -> None:
        seen = self._seen.values()
        now = Presence(
            locked=any(each.locked for each in seen),
            idle=any(each.idle for each in seen),
            asleep=any(each.asleep for each in seen),
            busy=bool(self._busy),
        )
        if now != self._told:
            self._told = now
            self._changed(now)
