"""Looks at several things at once, none for longer than its time; what does not answer is left behind.

Must not wait for a thread that hangs: they are daemons and end with the process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PROBE_SECONDS = 2.0
"""What one look may take."""

Probe = Callable[[], Mapping[str, Any]]
"""Looks at something and returns fields of ``Facts``."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it."""

    fields: dict[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """The looks that gave nothing, each with why."""


class _Look(threading.Thread):
    def __init__(self, name: str, probe: Probe) -> None:
        super().__init__(name=f"look-{name}", daemon=True)
        self._probe = probe
        self.fields: Mapping[str, Any] | None = None
        self.reason = f"no answer within {PROBE_SECONDS:g} s"

    def run(self) -> None:
        try:
            self.fields = self._probe()
        except Exception as error:  # noqa: BLE001 -- one look that fails must not hide what the others saw
            # Its text may quote anything; the kind is enough to begin with.
            self.reason = f"it failed ({type(error).__name__})"


def together(probes: Mapping[str, Probe], seconds: float = PROBE_SECONDS) -> Looked:
    """Run all probes at once and return what those saw that were done in time."""
    looks = {name: _Look(name, probe) for name, probe in probes.items()}
    for look in looks.values():
        look.start()
    deadline = time.monotonic() + seconds
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    for name, look in looks.items():
        look.join(max(0.0, deadline - time.monotonic()))
        if look.fields is None:
            unknown.append(f"{name}: {look.reason}")
        else:
            fields |= look.fields
    return Looked(fields, tuple(unknown))
