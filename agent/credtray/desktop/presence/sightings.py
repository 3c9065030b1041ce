"""Joins what several sources say about who would see a notice. Touches nothing: no bus, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from credtray.core.ports import DesktopPart, Part, Presence
from credtray.desktop.part_report import PartReport

_NOBODY_TELLS: Final = "screen lock and sleep cannot be detected here; notices are always shown"


class Sightings:
    """What each source saw last. Whoever is away for one of them is away; who is silent counts as present."""

    def __init__(self, changed: Callable[[Presence], None], report: Callable[[DesktopPart], None]) -> None:
        """Do nothing yet; ``changed`` hears of every change, beginning from somebody who is present."""
        self._changed = changed
        self._part = PartReport(Part.PRESENCE, report)
        self._seen: dict[str, Presence] = {}
        self._told = Presence()

    def of(self, source: str) -> Presence:
        """Return what a source saw last."""
        return self._seen.get(source, Presence())

    def see(self, source: str, presence: Presence) -> None:
        """Take what a source says now."""
        self._seen[source] = presence
        self._tell()
        self.report()

    def gone(self, *sources: str) -> None:
        """Forget sources that can be asked no longer: nothing they saw may hold notices forever."""
        if [self._seen.pop(source) for source in sources if source in self._seen]:
            self._tell()
            self.report()

    def report(self) -> None:
        """Tell which sources are in use, if that has changed."""
        names = ", ".join(sorted(self._seen))
        self._part.tell(names or None, None if names else _NOBODY_TELLS)

    def _tell(self) -> None:
        seen = self._seen.values()
        now = Presence(
            locked=any(each.locked for each in seen),
            idle=any(each.idle for each in seen),
            asleep=any(each.asleep for each in seen),
        )
        if now != self._told:
            self._told = now
            self._changed(now)
