from __future__ import annotations

import asyncio
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib import X
from Xlib.display import Display

from credtray.core.errors import ClipboardUnreadable
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.clipboard import reading as clipboard_reading
from credtray.desktop.clipboard.reading import LONGEST, clipboard_text, printed_by
from tests.desktop.xvfb import Xvfb, xvfb

pytestmark = pytest.mark.linux_desktop("X11")

PASTE = 'export AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG+bPxRfi"\nü 漢字\n'


@pytest.fixture(scope="module")
def screen() -> Iterator[Xvfb]:
    if not (shutil.which("Xvfb") and shutil.which("xclip")):
        pytest.skip("needs Xvfb and xclip")
    with xvfb() as running:
        yield running


def copy_elsewhere(screen: Xvfb, data: bytes) -> None:
    """Another program takes the clipboard; xclip stays in the background while it owns it."""
    subprocess.run(
        ["xclip", "-selection", "clipboard", "-in", "-target", "UTF8_STRING"],
        input=data,
        env=screen.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=10,
        check=True,
    )


def read(screen: Xvfb) -> bytes:
    return asyncio.run(clipboard_text({"DISPLAY": screen.address}))


def program(directory: Path, name: str, body: str) -> dict[str, str]:
    """Put a program on a PATH of its own."""
    path = directory / name
    path.write_text(f"#!{sys.executable} -IS\nimport os, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(directory)}


# --- X11 ---------------------------------------------------------------------------------------------


def test_what_another_program_copied_is_read_and_stays(screen: Xvfb) -> None:
    copy_elsewhere(screen, PASTE.encode())

    assert read(screen) == PASTE.encode()
    assert read(screen) == PASTE.encode()


def test_what_we_copied_ourselves_is_read(screen: Xvfb) -> None:
    async def story() -> bytes:
        clipboard = Clipboard({"DISPLAY": screen.address})
        await clipboard.put(PASTE, secret=True, seconds=45)
        try:
            return await clipboard_text({"DISPLAY": screen.address})
        finally:
            await clipboard.close()

    assert asyncio.run(story()) == PASTE.encode()


def test_empty_clipboard_is_no_text() -> None:
    with xvfb() as fresh:
        assert read(fresh) == b""


def test_text_that_comes_in_pieces_is_refused(screen: Xvfb) -> None:
    copy_elsewhere(screen, b"a" * 40_000_000)

    with pytest.raises(ClipboardUnreadable, match="too much"):
        read(screen)


def test_owner_that_does_not_answer_is_given_up(screen: Xvfb, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Display(screen.address)
    try:
        window = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        window.set_selection_owner(display.intern_atom("CLIPBOARD"), X.CurrentTime)
        display.sync()
        monkeypatch.setattr(clipboard_reading, "ANSWER_SECONDS", 0.3)

        with pytest.raises(ClipboardUnreadable, match="does not answer"):
            read(screen)
    finally:
        display.close()


def test_no_x_server_is_told() -> None:
    with pytest.raises(ClipboardUnreadable, match="no X server"):
        asyncio.run(clipboard_text({"DISPLAY": ":4242"}))


def test_no_desktop_is_told() -> None:
    with pytest.raises(ClipboardUnreadable, match="no desktop"):
        asyncio.run(clipboard_text({}))


# --- programs ----------------------------------------------------------------------------------------


def test_wayland_asks_wl_paste_without_our_variables(tmp_path: Path) -> None:
    body = "assert not any(n.startswith('AWS_') for n in os.environ)\nprint(*sys.argv[1:], end='')"
    environ = program(tmp_path, "wl-paste", body)
    found = asyncio.run(clipboard_text({**environ, "WAYLAND_DISPLAY": "wayland-0", "AWS_PROFILE": "x"}))

    assert found == b"--no-newline --type text"


def test_wayland_without_wl_paste_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ClipboardUnreadable, match="wl-paste"):
        asyncio.run(clipboard_text({"WAYLAND_DISPLAY": "wayland-0", "PATH": str(tmp_path)}))


def test_program_that_fails_has_no_text(tmp_path: Path) -> None:
    environ = program(tmp_path, "pbpaste", "sys.exit(1)")

    assert asyncio.run(printed_by([str(tmp_path / "pbpaste")], environ)) == b""


def test_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = program(tmp_path, "pbpaste", "time.sleep(60)")
    monkeypatch.setattr(clipboard_reading, "ANSWER_SECONDS", 0.3)

    with pytest.raises(ClipboardUnreadable, match="pbpaste does not answer"):
        asyncio.run(printed_by([str(tmp_path / "pbpaste")], environ))


def test_program_that_never_stops_printing_is_ended(tmp_path: Path) -> None:
    environ = program(tmp_path, "pbpaste", f"while True: os.write(1, b'x' * {LONGEST})")

    with pytest.raises(ClipboardUnreadable, match="more than 256 KiB"):
        asyncio.run(printed_by([str(tmp_path / "pbpaste")], environ))


def test_missing_program_is_told() -> None:
    with pytest.raises(ClipboardUnreadable, match="pbpaste cannot be started"):
        asyncio.run(printed_by(["/nonexistent/pbpaste"], {}))
