from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clock_shim.clock_shim import ShiftedTime, compiled
from tests.end_to_end.house import House
from tests.on_a_desktop.desktop import Desktop, missing
from tests.on_a_desktop.looks import Daemon, Furniture
from tests.on_a_desktop.seat import Seat
from tests.portal import RunningPortal, running

MISSING = missing()


@pytest.fixture
def desktop_with(tmp_path: Path) -> Iterator[Callable[[Furniture], Desktop]]:
    """Starts desktops that end with the test and leave a last picture behind, for whom a test failed."""
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


@pytest.fixture(scope="session")
def clock_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc and libc6-dev: sh packaging/environment.sh tools")
    return compiled(tmp_path_factory.mktemp("clock_shim"))


@pytest.fixture
def shifted(clock_shim: Path, tmp_path: Path) -> ShiftedTime:
    """The time in which agent and portal live."""
    return ShiftedTime(clock_shim, tmp_path)


@pytest.fixture
def portal(shifted: ShiftedTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningPortal]:
    with ExitStack() as stack:
        with monkeypatch.context() as environ:
            for name, value in shifted.environ.items():
                environ.setenv(name, value)
            found = stack.enter_context(running("--auto-approve", "alice"))
        yield found


@pytest.fixture
def seat_with(
    desktop_with: Callable[[Furniture], Desktop], portal: RunningPortal, home: Path, shifted: ShiftedTime
) -> Callable[[Furniture], Seat]:
    """Gives somebody a desk, all set up; nobody is signed in and no agent runs yet."""

    def take(furniture: Furniture) -> Seat:
        return Seat(House(home, portal), desktop_with(furniture), shifted)

    return take


@pytest.fixture
def seat(seat_with: Callable[[Furniture], Seat]) -> Seat:
    """A light desktop with dunst."""
    return seat_with(Furniture())


@pytest.fixture
def seat_with_buttons(seat_with: Callable[[Furniture], Seat]) -> Seat:
    """A light desktop with xfce4-notifyd."""
    return seat_with(Furniture(daemon=Daemon.XFCE))
