from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.on_a_desktop.desktop import Desktop, missing
from tests.on_a_desktop.looks import Furniture

MISSING = missing()


@pytest.fixture
def desktop_with(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Furniture], Desktop]]:
    """Starts desktops that end with the test; one whose test fails leaves a picture behind."""
    if MISSING:
        pytest.skip(f"needs {', '.join(MISSING)}: sh packaging/environment.sh tools")
    with ExitStack() as stack:
        started: list[Desktop] = []

        def start(furniture: Furniture) -> Desktop:
            started.append(stack.enter_context(Desktop(furniture)))
            return started[-1]

        yield start
        for number, desktop in enumerate(started):
            if desktop.screen.program.alive:
                desktop.screen.picture().save(tmp_path / f"last-seen-{number}.png")


@pytest.fixture
def desktop(desktop_with: Callable[[Furniture], Desktop]) -> Desktop:
    """A light desktop with dunst."""
    return desktop_with(Furniture())
