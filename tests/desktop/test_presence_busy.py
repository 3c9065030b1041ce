"""Who is busy, as the desktop tells it: services on the bus, and the active window of a real X server."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from dbus_fast import Variant
from Xlib.display import Display
from Xlib.error import ConnectionClosedError

from credtray.core.ports import Presence
from credtray.desktop.presence import busy
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.presence_fakes import PROPERTIES, FakeLogind, FakeService, watched
from tests.desktop.until import until
from tests.desktop.window_hints import HintedWindows
from tests.desktop.xvfb import Xvfb, xvfb

pytestmark = pytest.mark.linux_desktop("D-Bus and X11")

NOTIFICATIONS = "org.freedesktop.Notifications"
XFCONF, GNOME = "org.xfce.Xfconf", "org.gnome.SessionManager"
WAIT = "notices wait until that is over"


class Service(FakeService):
    """One that answers a single question, and tells of each change by a signal."""

    def __init__(self, address: str, name: str, place: tuple[str, str], signal: tuple[str, str]) -> None:
        super().__init__(address, name)
        self.place, self.signal = place, signal

    def answer(self, signature: str, value: Any) -> None:
        self.answers[self.place] = (signature, [value])

    def say(self, signature: str, value: Any) -> None:
        self.answer(signature, value)
        path, (interface, member) = self.place[0], self.signal
        self.emit(path, interface, member, "s", ["something has changed"])


def server(address: str) -> Service:
    place = ("/org/freedesktop/Notifications", "Get")
    return Service(address, NOTIFICATIONS, place, (PROPERTIES, "PropertiesChanged"))


def settings(address: str) -> Service:
    return Service(address, XFCONF, ("/org/xfce/Xfconf", "GetProperty"), (XFCONF, "PropertyChanged"))


def gnome(address: str) -> Service:
    place = ("/org/gnome/SessionManager", "IsInhibited")
    return Service(address, GNOME, place, (GNOME, "InhibitorAdded"))


SERVICES = [(server, "v"), (settings, "v"), (gnome, "b")]


def said(signature: str, *, busy: bool) -> Any:
    return Variant("b", busy) if signature == "v" else busy


# --- services ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "signature"), SERVICES)
def test_each_desktops_word_for_busy_is_heard(bus: DbusDaemon, make: Any, signature: str) -> None:
    async def drive() -> None:
        service = make(bus.address)
        service.answer(signature, said(signature, busy=True))
        async with watched(bus.address, service) as seen:
            await seen.becomes(busy=True)
            service.say(signature, said(signature, busy=False))
            await seen.becomes()
            service.say(signature, said(signature, busy=True))
            await seen.becomes(busy=True)
            await service.die()
            await seen.becomes()

            assert seen.told == [Presence(busy=True), Presence()] * 2

    asyncio.run(drive())


@pytest.mark.parametrize("answer", [("s", ["yes"]), ("u", [1]), ("", []), ("v", [Variant("u", 1)])])
def test_rubbish_makes_nobody_busy(bus: DbusDaemon, answer: tuple[str, list[Any]]) -> None:
    async def drive() -> None:
        service = server(bus.address)
        service.answers[service.place] = answer
        async with watched(bus.address, service, FakeLogind(bus.address)) as seen:
            await seen.uses("logind")
            await until(lambda: len(service.asked) > 1)

            assert seen.told == []

    asyncio.run(drive())


def test_why_notices_wait_is_told_beside_who_tells_of_the_lock(bus: DbusDaemon) -> None:
    async def drive() -> None:
        service = server(bus.address)
        async with watched(bus.address, service, FakeLogind(bus.address)) as seen:
            await seen.uses("logind")
            service.say("v", Variant("b", value=True))
            await until(lambda: seen.parts[-1].reason == f"do not disturb is on; {WAIT}")
            service.say("v", Variant("b", value=False))
            await until(lambda: seen.parts[-1].reason is None)

            assert seen.sources == "logind"

    asyncio.run(drive())


def test_who_tells_only_of_being_busy_does_not_tell_that_somebody_is_there(bus: DbusDaemon) -> None:
    async def drive() -> None:
        service = server(bus.address)
        service.answer("v", Variant("b", value=True))
        async with watched(bus.address, service) as seen:
            await seen.becomes(busy=True)

            assert seen.sources is None
            assert str(seen.parts[-1].reason).startswith("screen lock and sleep cannot be detected here")

    asyncio.run(drive())


def test_dunst_that_is_paused_is_heard(bus: DbusDaemon, screen: Xvfb) -> None:
    if not shutil.which("dunst"):
        pytest.skip("needs dunst")

    async def drive() -> None:
        with running("dunst", "-conf", "/dev/null", screen=screen):
            async with watched(bus.address) as seen:
                await until(lambda: paused(bus.address, "true"))
                await seen.becomes(busy=True)
                paused(bus.address, "false")
                await seen.becomes()

    asyncio.run(drive())


@contextlib.contextmanager
def running(*command: str, screen: Xvfb) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=screen.environ, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def paused(address: str, value: str) -> bool:
    """Tell whether dunst took it: it may not be there yet."""
    set_it = ("call", "--address", address, "--dest", NOTIFICATIONS, "--method", f"{PROPERTIES}.Set")
    where = ("--object-path", "/org/freedesktop/Notifications", "org.dunstproject.cmd0", "paused")
    command = ["gdbus", *set_it, *where, f"<{value}>"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


# --- the active window -------------------------------------------------------------------------------


@pytest.fixture
def screen() -> Iterator[Xvfb]:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    with xvfb() as running:
        yield running


@pytest.fixture
def windows(screen: Xvfb) -> Iterator[HintedWindows]:
    windows = HintedWindows(Display(screen.address))
    yield windows
    with contextlib.suppress(ConnectionClosedError):  # a test may kill the server
        windows.display.close()


def test_a_window_that_fills_the_screen_makes_busy_and_no_longer_when_it_shrinks_or_another_is_active(
    bus: DbusDaemon, windows: HintedWindows, screen: Xvfb
) -> None:
    async def drive() -> None:
        environ = {"DISPLAY": screen.address}
        slides, editor = windows.window(), windows.window()
        async with watched(bus.address, environ=environ) as seen:
            windows.activate(slides)
            windows.fills(slides, full=True)
            await seen.becomes(busy=True)
            assert str(seen.parts[-1].reason).endswith(f"a window fills the screen; {WAIT}")
            windows.activate(editor)
            await seen.becomes()
            windows.activate(slides)
            await seen.becomes(busy=True)
            windows.fills(slides, full=False)
            await seen.becomes()
            windows.fills(slides, full=True)
            await seen.becomes(busy=True)
            windows.activate(None)
            await seen.becomes()

    asyncio.run(drive())


def test_a_full_screen_that_was_there_before_the_agent_is_seen_and_a_closed_one_is_none(
    bus: DbusDaemon, windows: HintedWindows, screen: Xvfb
) -> None:
    async def drive() -> None:
        slides = windows.window(full=True)
        windows.activate(slides)
        async with watched(bus.address, environ={"DISPLAY": screen.address}) as seen:
            await seen.becomes(busy=True)
            windows.close(slides)
            windows.activate(slides)  # as some window managers leave it for a moment
            await seen.becomes()

    asyncio.run(drive())


def test_the_last_window_that_is_closed_keeps_nobody_busy_whatever_the_hints_say(
    bus: DbusDaemon, windows: HintedWindows, screen: Xvfb
) -> None:
    async def drive() -> None:
        slides = windows.window(full=True)
        windows.activate(slides)
        async with watched(bus.address, environ={"DISPLAY": screen.address}) as seen:
            await seen.becomes(busy=True)
            windows.close(slides)
            await seen.becomes()

    asyncio.run(drive())


def test_an_x_server_that_dies_keeps_nobody_busy(
    bus: DbusDaemon, windows: HintedWindows, screen: Xvfb
) -> None:
    async def drive() -> None:
        windows.activate(windows.window(full=True))
        async with watched(bus.address, environ={"DISPLAY": screen.address}) as seen:
            await seen.becomes(busy=True)
            screen.kill()
            await seen.becomes()

    asyncio.run(drive())


def test_an_x_server_that_begins_anew_is_heard(
    bus: DbusDaemon, windows: HintedWindows, screen: Xvfb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy, "PAUSES", (0.01,))

    async def drive() -> None:
        environ = {"DISPLAY": ":999999"}
        async with watched(bus.address, FakeLogind(bus.address), environ=environ) as seen:
            await seen.uses("logind")
            windows.activate(windows.window(full=True))
            environ["DISPLAY"] = screen.address
            await seen.becomes(busy=True)

    asyncio.run(drive())


def test_wayland_is_not_asked_for_windows(bus: DbusDaemon, windows: HintedWindows, screen: Xvfb) -> None:
    """An X server that is there for old programs only is not even started by us."""

    async def drive() -> None:
        windows.activate(windows.window(full=True))
        environ = {"DISPLAY": screen.address, "WAYLAND_DISPLAY": "wayland-0"}
        async with watched(bus.address, FakeLogind(bus.address), environ=environ) as seen:
            await seen.uses("logind")

            assert seen.told == []

    asyncio.run(drive())
