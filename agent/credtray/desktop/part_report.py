"""Tells how one part of the desktop is served, whenever that changes. Keeps only what it told last."""

from __future__ import annotations

from collections.abc import Callable

from credtray.core.ports import DesktopPart, Part


class PartReport:
    """What one part tells of itself."""

    def __init__(self, name: Part, report: Callable[[DesktopPart], None]) -> None:
        self._name = name
        self._report = report
        self._told: DesktopPart | None = None

    @property
    def reason(self) -> str | None:
        """What was told last of why there is none, or none better."""
        return None if self._told is None else self._told.reason

    @property
    def is_served(self) -> bool:
        """Whether it was there, as was told last."""
        return self._told is not None and self._told.back_end is not None

    def tell(self, back_end: str | None, reason: str | None = None) -> None:
        """Report it, unless that is what was told last. See ``DesktopPart``."""
        part = DesktopPart(self._name, back_end, reason)
        if part != self._told:
            self._told = part
            self._report(part)
