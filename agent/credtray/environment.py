"""What this process found around itself: environment variables, home, clock, platform, and our own places.

Touches nothing, and knows of the wings only where files lie and what time it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from credtray.aws.locations import AwsLocations, locate
from credtray.core.ports import Clock, Notifier
from credtray.desktop import paths
from credtray.desktop.clock_watch import SystemClock
from credtray.store.organisation import Policy, machine_policy


@dataclass(frozen=True, slots=True)
class Environment:
    """Where this process finds things; tests and the demo put their own here."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=Path.home)
    clock: Clock = field(default_factory=SystemClock)
    speed: float = 1.0
    """How fast ``clock`` runs against real time."""
    notifier: Notifier | None = None
    """What shows notices where there is no desktop; None: the log."""
    desktop: bool = True
    """Whether an agent shows an icon and notifications where there is a desktop."""
    policy: Policy = field(default_factory=machine_policy)
    """What an organisation sets for everybody here. Only code can name another; no variable does."""
    lends_main_thread: bool = sys.platform in {"darwin", "win32"}
    """Whether an agent with a desktop leaves the main thread to the icon."""

    @property
    def aws(self) -> AwsLocations:
        """The AWS files."""
        return locate(self.environ, self.home)

    @property
    def locks(self) -> Path:
        """Our own directory for lock files."""
        return paths.state_directory() / "locks"
