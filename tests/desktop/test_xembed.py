"""The icon in trays of X11: small ones of the tests' own, a real one, on an X server that dies or hangs."""

from __future__ import annotations

import gc
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from credtray.desktop.tray import _xembed
from credtray.desktop.tray._xembed import Icon
from credtray.desktop.tray.painting import load_pystray
from credtray.desktop.x11.thread import opened_display
from tests.desktop.keyed_items import KeyedItem
from tests.desktop.x_tray import BACKGROUND, pixel, windows_called, x_tray
from tests.desktop.xvfb import Xvfb, xvfb

pytestmark = pytest.mark.linux_desktop("X11")

PATIENCE = 60.0
RED = 0xFF0000


@pytest.fixture(scope="module")
def screen() -> Iterator[Xvfb]:
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("needs Xvfb and xdotool")
    with xvfb() as running:
        yield running


def disc(size: int, colour: str = "red") -> Image.Image:
    """A round icon: its corners are transparent."""
    image = Image.new("RGBA", (size, size))
    ImageDraw.Draw(image).ellipse([3, 3, size - 4, size - 4], fill=colour)
    return image


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


class Shown:
    """An icon, and what it tells."""

    def __init__(self, address: str) -> None:
        self.docked: queue.Queue[bool] = queue.Queue()
        self.gone: queue.Queue[str | None] = queue.Queue()
        self.clicks: queue.Queue[str] = queue.Queue()
        item = KeyedItem("a", "Sign in", lambda: self.clicks.put("sign in"), default=True)
        self.icon: Any = Icon(
            "credtray",
            disc(22),
            "credtray: signed in",
            load_pystray().Menu(item),
            xembed_address=address,
            xembed_docked=self.docked.put,
            xembed_gone=self.gone.put,
        )


@contextmanager
def shown(address: str) -> Iterator[Shown]:
    showing = Shown(address)
    showing.icon.run_detached()
    try:
        yield showing
    finally:
        showing.icon.stop()
        assert showing.icon.join(PATIENCE)


def click(screen: Xvfb, button: int) -> None:
    subprocess.run(
        ["xdotool", "mousemove", "12", "12", "click", str(button)],
        env=screen.environ,
        check=True,
        timeout=PATIENCE,
    )


# --- docking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [24, 32])
def test_icon_is_drawn_on_the_background_of_the_tray(screen: Xvfb, depth: int) -> None:
    with x_tray(screen.address, depth), shown(screen.address):
        until(lambda: pixel(screen.address, 12, 12) == RED, "the middle of the icon")

        assert pixel(screen.address, 1, 1) == BACKGROUND


def test_icon_waits_for_a_tray_that_starts_later(screen: Xvfb) -> None:
    with shown(screen.address) as showing:
        assert showing.docked.get(timeout=PATIENCE) is False

        with x_tray(screen.address):
            assert showing.docked.get(timeout=PATIENCE) is True
            until(lambda: pixel(screen.address, 12, 12) == RED, "the middle of the icon")


def test_icon_is_back_when_the_tray_restarts(screen: Xvfb) -> None:
    with shown(screen.address) as showing:
        for _ in range(3):
            assert showing.docked.get(timeout=PATIENCE) is False

            with x_tray(screen.address):
                assert showing.docked.get(timeout=PATIENCE) is True
                until(lambda: pixel(screen.address, 12, 12) == RED, "the middle of the icon")


def test_without_its_tray_the_icon_is_nowhere_on_the_desktop(screen: Xvfb) -> None:
    with shown(screen.address) as showing:
        assert showing.docked.get(timeout=PATIENCE) is False

        with x_tray(screen.address):
            assert showing.docked.get(timeout=PATIENCE) is True

        assert showing.docked.get(timeout=PATIENCE) is False
        until(lambda: windows_called(screen.address, "credtray") == [], "the window is still there")


def test_second_tray_that_takes_over_gets_the_icon(screen: Xvfb) -> None:
    with shown(screen.address), x_tray(screen.address) as first:
        old = first.wait_for_icon()
        with x_tray(screen.address) as second:
            assert second.wait_for_icon() != old
            until(lambda: windows_called(screen.address, "credtray") == [second.icon], "one window")


@pytest.mark.met("F20")
@pytest.mark.parametrize("destroying", [True, False])
def test_tray_that_lets_go_of_the_icon_and_stays_gets_it_again(screen: Xvfb, destroying: bool) -> None:  # noqa: FBT001 - a row
    with x_tray(screen.address) as tray, shown(screen.address) as showing:
        assert showing.docked.get(timeout=PATIENCE) is True
        old = tray.wait_for_icon()
        tray.let_go(destroying=destroying)

        assert showing.docked.get(timeout=PATIENCE) is False
        assert showing.docked.get(timeout=PATIENCE) is True
        until(lambda: windows_called(screen.address, "credtray") == [tray.icon], "one window")
        assert tray.icon != old


@pytest.mark.met("F20")
def test_tray_that_destroys_every_icon_is_not_fought_with(
    screen: Xvfb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_xembed, "DROPPED_SECONDS", (0.0, 0.0, 3600.0))
    with x_tray(screen.address) as tray, shown(screen.address) as showing:
        assert showing.docked.get(timeout=PATIENCE) is True
        tray.drops = True
        tray.let_go()
        until(lambda: tray.taken == 3, "two more tries")
        until(lambda: windows_called(screen.address, "credtray") == [], "the last one was destroyed")
        caught_up = threading.Event()
        showing.icon._thread.post(caught_up.set)

        assert caught_up.wait(PATIENCE)
        assert tray.taken == 3


def test_new_picture_replaces_the_old_one(screen: Xvfb) -> None:
    with x_tray(screen.address), shown(screen.address) as showing:
        until(lambda: pixel(screen.address, 12, 12) == RED, "the first picture")
        showing.icon.images = {22: disc(22, "lime"), 32: disc(32, "lime"), 48: disc(48, "lime")}
        until(lambda: pixel(screen.address, 12, 12) == 0x00FF00, "the second picture")

        assert pixel(screen.address, 1, 1) == BACKGROUND


def test_hidden_icon_leaves_the_tray_and_comes_back(screen: Xvfb) -> None:
    with x_tray(screen.address) as tray, shown(screen.address) as showing:
        tray.wait_for_icon()
        until(lambda: showing.icon.visible, "pystray's own thread")
        showing.icon.visible = False
        until(lambda: windows_called(screen.address, "credtray") == [], "the window is still there")
        showing.icon.visible = True
        until(lambda: pixel(screen.address, 12, 12) == RED, "the icon again")


def test_a_real_tray_takes_the_icon_and_is_seen_through_it(screen: Xvfb) -> None:
    if not shutil.which("trayer"):
        pytest.skip("needs trayer")
    look = ["--transparent", "true", "--alpha", "0", "--tint", f"0x{BACKGROUND:06x}"]
    place = ["--edge", "top", "--align", "left", "--widthtype", "pixel", "--width", "100", "--height", "24"]
    with shown(screen.address):
        tray = subprocess.Popen(["trayer", *place, *look], env=screen.environ, stderr=subprocess.DEVNULL)
        try:
            until(lambda: pixel(screen.address, 12, 12) == RED, "the icon in trayer")

            assert pixel(screen.address, 1, 1) == pixel(screen.address, 80, 12)
        finally:
            tray.kill()
            tray.wait()


# --- clicks ------------------------------------------------------------------------------------------------


def test_left_click_means_the_default_item(screen: Xvfb) -> None:
    with x_tray(screen.address), shown(screen.address) as showing:
        until(lambda: pixel(screen.address, 12, 12) == RED, "the icon")
        click(screen, 1)

        assert showing.clicks.get(timeout=PATIENCE) == "sign in"


# --- X servers that die, hang or are not there ----------------------------------------------------------


def test_x_server_that_dies_is_told_and_the_process_lives() -> None:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    with xvfb() as dying, shown(dying.address) as showing:
        assert showing.docked.get(timeout=PATIENCE) is False
        dying.kill()

        assert showing.gone.get(timeout=PATIENCE) == "the X server has closed the connection"
        assert showing.icon.join(PATIENCE)
        showing.icon.title = "nobody sees it"
        showing.icon.images = {22: disc(22)}


def test_no_x_server_is_told() -> None:
    with shown(":9999") as showing:
        assert showing.gone.get(timeout=PATIENCE) == "no X server listens there"


def test_rubbish_in_display_is_told() -> None:
    with shown("rubbish") as showing:
        assert showing.gone.get(timeout=PATIENCE) == "DISPLAY does not name an X server"


def test_x_server_that_hangs_keeps_nobody_waiting() -> None:
    number = 1000 + os.getpid()
    path = f"\0/tmp/.X11-unix/X{number}"
    assert not Path(path[1:]).exists()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(path)
        silent.listen()
        showing = Shown(f":{number}")
        showing.icon.run_detached()
        showing.icon.title = "nobody sees it"
        showing.icon.stop()

        assert "tray" in [each.name for each in threading.enumerate()]  # it waits, and nobody waits for it
    # Its connections break with the socket, so that not even the thread is left.
    assert showing.icon.join(PATIENCE)
    assert [each.name for each in threading.enumerate() if each.name == "tray"] == []


def _hang_up(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_x_server_that_goes_before_it_answers_leaves_no_socket_open() -> None:
    number = 2000 + os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(f"\0/tmp/.X11-unix/X{number}")
        with pytest.raises(Exception, match="refused"):
            opened_display(f"unix/:{number}")
        silent.listen()
        goes = threading.Thread(target=_hang_up, args=(silent,))
        goes.start()
        with pytest.raises(Exception, match="closed"):
            opened_display(f"unix/:{number}")
        goes.join()

    # A socket that is forgotten warns here, and a warning is an error.
    gc.collect()


def test_end_leaves_no_window_and_no_thread(screen: Xvfb) -> None:
    with x_tray(screen.address) as tray:
        with shown(screen.address) as showing:
            tray.wait_for_icon()

        assert showing.gone.get(timeout=PATIENCE) is None
        assert windows_called(screen.address, "credtray") == []
        assert [each.name for each in threading.enumerate() if each.name == "tray"] == []
