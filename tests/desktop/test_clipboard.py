from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from Xlib import X
from Xlib.display import Display

from credtray.core.errors import ClipboardUnavailable, ClipboardUnreadable
from credtray.desktop.clipboard import Clipboard, holder_for, windows
from credtray.desktop.clipboard.windows import WindowsHolder, read_text
from tests.desktop.xvfb import Xvfb, xvfb

pytestmark = pytest.mark.linux_desktop("X11 and Wayland")

SECRET = "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfi ü 漢字\n"
LONG = 45.0
PATIENCE = 60.0


@pytest.fixture(scope="module")
def screen() -> Iterator[Xvfb]:
    """An X server, and xclip as the foreign program on it."""
    if not (shutil.which("Xvfb") and shutil.which("xclip")):
        pytest.skip("needs Xvfb and xclip")
    with xvfb() as running:
        yield running


def pasted(screen: Xvfb, target: str = "UTF8_STRING") -> str | None:
    """What another program gets; None where it gets nothing."""
    command = ["xclip", "-selection", "clipboard", "-out", "-target", target]
    done = subprocess.run(command, env=screen.environ, capture_output=True, timeout=PATIENCE, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def copy_elsewhere(screen: Xvfb, text: str) -> None:
    """Another program takes the clipboard; xclip stays in the background while it owns it."""
    subprocess.run(
        ["xclip", "-selection", "clipboard", "-in"],
        input=text.encode(),
        env=screen.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )


def with_clipboard(screen: Xvfb, story: Callable[[Clipboard], Coroutine[Any, Any, None]]) -> None:
    async def scene() -> None:
        clipboard = Clipboard({"DISPLAY": screen.address})
        try:
            await story(clipboard)
        finally:
            await clipboard.close()

    asyncio.run(scene())


async def until(expected: str | None, look: Callable[[], str | None]) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        if await asyncio.to_thread(look) == expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"expected {expected!r}")


# --- X11 ---------------------------------------------------------------------------------------------


def test_another_program_pastes_what_was_copied(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put(SECRET, secret=True, seconds=LONG)

        assert await asyncio.to_thread(pasted, screen) == SECRET
        assert await asyncio.to_thread(pasted, screen, "text/plain;charset=utf-8") == SECRET

    with_clipboard(screen, story)


def test_secrets_are_marked_for_clipboard_histories_and_other_texts_are_not(screen: Xvfb) -> None:
    hint = "x-kde-passwordManagerHint"

    async def story(clipboard: Clipboard) -> None:
        await clipboard.put(SECRET, secret=True, seconds=LONG)

        assert await asyncio.to_thread(pasted, screen, hint) == "secret"

        await clipboard.put("https://example.com/sign-in", secret=False, seconds=LONG)

        assert hint not in (await asyncio.to_thread(pasted, screen, "TARGETS") or "")

    with_clipboard(screen, story)


def test_end_in_the_middle_of_clearing_waits_until_it_is_cleared() -> None:
    class SlowHolder:
        def __init__(self) -> None:
            self.giving_up = asyncio.Event()
            self.gave_up = False

        async def offer(self, text: str, *, secret: bool) -> None:
            """It is there."""

        async def give_up(self) -> None:
            self.giving_up.set()
            await asyncio.sleep(0.05)
            self.gave_up = True

    async def story() -> None:
        holder = SlowHolder()
        clipboard = Clipboard({}, lambda _environ: holder)
        await clipboard.put("text", secret=True, seconds=0)
        await holder.giving_up.wait()
        await clipboard.close()

        assert holder.gave_up

    asyncio.run(story())


def test_string_is_offered_only_where_latin_1_can_say_it(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put("plain", secret=False, seconds=LONG)
        offered = (await asyncio.to_thread(pasted, screen, "TARGETS") or "").split()

        assert await asyncio.to_thread(pasted, screen, "STRING") == "plain"
        assert {"TARGETS", "TIMESTAMP", "MULTIPLE", "UTF8_STRING", "STRING"} <= set(offered)

        await clipboard.put("漢字", secret=False, seconds=LONG)

        assert await asyncio.to_thread(pasted, screen, "STRING") is None

    with_clipboard(screen, story)


def test_clipboard_is_cleared_after_its_time(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put(SECRET, secret=True, seconds=0.2)
        await until(None, lambda: pasted(screen))

    with_clipboard(screen, story)


def test_text_somebody_copied_since_is_left_alone(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put(SECRET, secret=True, seconds=0.3)
        await asyncio.to_thread(copy_elsewhere, screen, "a shopping list")
        await asyncio.sleep(0.6)

        assert await asyncio.to_thread(pasted, screen) == "a shopping list"

        await clipboard.close()

        assert await asyncio.to_thread(pasted, screen) == "a shopping list"

    with_clipboard(screen, story)


def test_second_text_replaces_the_first_and_has_its_own_time(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put("first", secret=True, seconds=0.2)
        await clipboard.put("second", secret=True, seconds=LONG)
        await asyncio.sleep(0.5)

        assert await asyncio.to_thread(pasted, screen) == "second"

    with_clipboard(screen, story)


def test_the_end_clears_the_clipboard_and_leaves_no_thread(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put(SECRET, secret=True, seconds=LONG)
        await clipboard.close()
        await clipboard.close()

        assert await asyncio.to_thread(pasted, screen) is None

    with_clipboard(screen, story)
    until_time = time.monotonic() + PATIENCE
    while time.monotonic() < until_time and any(each.name == "clipboard" for each in threading.enumerate()):
        time.sleep(0.01)

    assert [each.name for each in threading.enumerate() if each.name == "clipboard"] == []


def test_several_targets_are_had_at_once(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        await clipboard.put("both", secret=False, seconds=LONG)

        assert await asyncio.to_thread(_multiple, screen) == ([b"both", b"both"], [True, True, False])

    with_clipboard(screen, story)


def _multiple(screen: Xvfb) -> tuple[list[bytes], list[bool]]:
    """Ask for UTF8_STRING, STRING and rubbish with one MULTIPLE request, as ICCCM 2.6.2 has it."""
    display = Display(screen.address)
    try:
        atom = display.intern_atom
        window = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        asked = [
            (atom("UTF8_STRING"), atom("_A")),
            (atom("STRING"), atom("_B")),
            (atom("RUBBISH"), atom("_C")),
        ]
        pairs = [each for pair in asked for each in pair]
        window.change_property(atom("_PAIRS"), atom("ATOM_PAIR"), 32, pairs)
        window.convert_selection(atom("CLIPBOARD"), atom("MULTIPLE"), atom("_PAIRS"), X.CurrentTime)
        while display.next_event().type != X.SelectionNotify:
            pass
        got = [window.get_full_property(atom(name), X.AnyPropertyType).value for name in ("_A", "_B")]
        answered = list(window.get_full_property(atom("_PAIRS"), atom("ATOM_PAIR")).value)
        return got, [bool(name) for name in answered[1::2]]
    finally:
        display.close()


def test_x_server_that_dies_takes_the_text_with_it_and_nothing_else() -> None:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")

    async def scene(screen: Xvfb) -> None:
        clipboard = Clipboard({"DISPLAY": screen.address})
        await clipboard.put(SECRET, secret=True, seconds=LONG)
        screen.kill()
        await clipboard.close()
        with pytest.raises(ClipboardUnavailable):
            await clipboard.put(SECRET, secret=True, seconds=LONG)
        await clipboard.close()

    with xvfb() as screen:
        asyncio.run(scene(screen))


def test_text_that_is_too_long_is_refused_without_being_quoted(screen: Xvfb) -> None:
    async def story(clipboard: Clipboard) -> None:
        with pytest.raises(ClipboardUnavailable) as refused:
            await clipboard.put("secret" * 20_000, secret=True, seconds=LONG)

        assert "secretsecret" not in str(refused.value)

    with_clipboard(screen, story)


def test_secret_is_in_no_log_line(screen: Xvfb, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def story(clipboard: Clipboard) -> None:
        await clipboard.put(SECRET, secret=True, seconds=LONG)
        await asyncio.to_thread(pasted, screen)

    with_clipboard(screen, story)

    assert "wJalrXUtnFEMI" not in caplog.text


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="they always have a clipboard")
def test_without_a_desktop_the_reason_is_told() -> None:
    with pytest.raises(ClipboardUnavailable, match="neither WAYLAND_DISPLAY nor DISPLAY"):
        holder_for({})


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="there is no Wayland")
def test_wayland_without_its_programs_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ClipboardUnavailable, match="wl-copy") as missing:
        holder_for({"WAYLAND_DISPLAY": "wayland-0", "PATH": str(tmp_path)})

    assert "wl-clipboard" in missing.value.hint


# --- Wayland, with programs that behave like wl-clipboard 2.1 ------------------------------------------

WL_COPY = """#!/bin/sh
# The compositor is the directory $WAYLAND_WORLD: "text" is on the clipboard, "owner" is who holds it.
echo "$*" >> "$WAYLAND_WORLD/calls"; env >> "$WAYLAND_WORLD/calls"
case "$1" in
  --help) echo "  -f, --foreground"; exit 0;;
  --clear) rm -f "$WAYLAND_WORLD/text" "$WAYLAND_WORLD/owner"; exit 0;;
esac
cat > "$WAYLAND_WORLD/text"; echo $$ > "$WAYLAND_WORLD/owner"
while [ "$(cat "$WAYLAND_WORLD/owner" 2>/dev/null)" = "$$" ]; do sleep 0.05; done
"""
WL_PASTE = """#!/bin/sh
exec cat "$WAYLAND_WORLD/text"
"""


class Wayland:
    """A made-up compositor: wl-copy, wl-paste and what they share."""

    def __init__(self, directory: Path) -> None:
        self.world = directory / "world"
        self.programs = directory / "bin"
        self.runtime = directory / "run"
        for each in (self.world, self.programs, self.runtime):
            each.mkdir()
        self.program("wl-copy", WL_COPY)
        self.program("wl-paste", WL_PASTE)
        self.environ = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "WAYLAND_DISPLAY": "wayland-7",
            "WAYLAND_WORLD": str(self.world),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "AWS_SECRET_ACCESS_KEY": "of somebody else",
        }

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    @property
    def text(self) -> str | None:
        try:
            return (self.world / "text").read_text()
        except FileNotFoundError:
            return None

    def copy_elsewhere(self, text: str) -> None:
        (self.world / "owner").write_text("somebody else")
        (self.world / "text").write_text(text)


@pytest.fixture
def wayland(tmp_path: Path) -> Wayland:
    if sys.platform in {"darwin", "win32"}:
        pytest.skip("there is no Wayland")
    return Wayland(tmp_path)


def test_wayland_takes_the_text_on_standard_input_only(wayland: Wayland) -> None:
    async def scene() -> None:
        clipboard = Clipboard(wayland.environ)
        await clipboard.put(SECRET, secret=True, seconds=LONG)

        assert wayland.text == SECRET

        await clipboard.close()

    asyncio.run(scene())
    calls = (wayland.world / "calls").read_text()

    assert wayland.text is None
    assert "wJalrXUtnFEMI" not in calls
    assert "of somebody else" not in calls


def test_wayland_text_somebody_copied_since_is_left_alone(wayland: Wayland) -> None:
    async def scene() -> None:
        clipboard = Clipboard(wayland.environ)
        await clipboard.put(SECRET, secret=True, seconds=LONG)
        wayland.copy_elsewhere("a shopping list")
        await asyncio.sleep(0.3)
        await clipboard.close()

    asyncio.run(scene())

    assert wayland.text == "a shopping list"
    assert "--clear" not in (wayland.world / "calls").read_text()


def test_wl_copy_that_hangs_is_ended_and_its_buffer_removed(wayland: Wayland) -> None:
    buffer = wayland.runtime / "wl-copy-buffer-abc123"
    wayland.program(
        "wl-copy",
        f'#!/bin/sh\nmkdir -p {buffer}; [ "$1" = --foreground ] && cat > {buffer}/stdin\n'
        f"echo $$ >> {wayland.world}/pids; exec sleep 1000\n",
    )

    async def scene() -> None:
        clipboard = Clipboard(wayland.environ)
        with pytest.raises(ClipboardUnavailable):
            await clipboard.put(SECRET, secret=False, seconds=LONG)

    asyncio.run(scene())
    pids = (wayland.world / "pids").read_text().split()

    assert not [pid for pid in pids if Path("/proc", pid, "cmdline").exists()]
    assert not buffer.exists()


def test_wl_copy_that_fails_is_told(wayland: Wayland) -> None:
    wayland.program("wl-copy", "#!/bin/sh\nexit 1\n")

    async def scene() -> None:
        with pytest.raises(ClipboardUnavailable, match="ended with 1"):
            await Clipboard(wayland.environ).put(SECRET, secret=True, seconds=LONG)

    asyncio.run(scene())


# --- Windows, with a stand-in for the system ------------------------------------------------------------


# ruff: noqa: N802 - the names are Microsoft's
class FakeWindows:
    """user32 and kernel32 as far as the clipboard goes: handles are numbers, memory is real."""

    def __init__(self) -> None:
        self.sequence = 1
        self.board: dict[int | str, bytes] = {}
        self.is_open = False
        self.windows = 0
        self.memory: dict[int, ctypes.Array[ctypes.c_char]] = {}

    def CreateWindowExW(self, *_: object) -> int:
        self.windows += 1
        return 77

    def DestroyWindow(self, window: int) -> None:
        self.windows -= 1

    def OpenClipboard(self, window: int | None) -> bool:
        self.is_open = True
        return True

    def CloseClipboard(self) -> None:
        self.is_open = False

    def EmptyClipboard(self) -> None:
        assert self.is_open
        self.board.clear()
        self.sequence += 1

    def SetClipboardData(self, kind: int | str, handle: int) -> int:
        assert self.is_open
        self.board[kind] = self.memory[handle].raw
        self.sequence += 1
        return handle

    def RegisterClipboardFormatW(self, name: str) -> str:
        return name

    def GetClipboardSequenceNumber(self) -> int:
        return self.sequence

    def GlobalAlloc(self, _flags: int, size: int) -> int:
        handle = len(self.memory) + 1
        self.memory[handle] = ctypes.create_string_buffer(size)
        return handle

    def GlobalLock(self, handle: int) -> int:
        return ctypes.addressof(self.memory[handle])

    def GlobalUnlock(self, handle: int) -> None:
        pass

    def GlobalSize(self, handle: int) -> int:
        return len(self.memory[handle])

    def GetClipboardData(self, kind: int | str) -> int | None:
        assert self.is_open
        if kind not in self.board:
            return None
        handle = self.GlobalAlloc(0, len(self.board[kind]) + 4)  # Windows rounds up
        ctypes.memmove(self.memory[handle], self.board[kind], len(self.board[kind]))
        return handle


@pytest.mark.parametrize("text", ["", "Grüße\r\n日本\U0001f600", "x" * 4096])
def test_windows_text_is_read_up_to_its_end(text: str) -> None:
    system = FakeWindows()
    system.board[13] = f"{text}\0".encode("utf-16-le")

    assert read_text(system, system, 4096) == text.encode()
    assert not system.is_open


def test_windows_clipboard_without_a_text_is_empty() -> None:
    system = FakeWindows()

    assert read_text(system, system, 4096) == b""
    assert not system.is_open


@pytest.mark.parametrize("text", ["x" * 4097, "日" * 1366, "x" * 9000])
def test_too_long_a_text_on_the_windows_clipboard_is_refused(text: str) -> None:
    system = FakeWindows()
    system.board[13] = f"{text}\0".encode("utf-16-le")

    with pytest.raises(ClipboardUnreadable, match="more than 4 KiB"):
        read_text(system, system, 4096)
    assert not system.is_open


def test_windows_clipboard_that_another_program_keeps_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "ANSWER_SECONDS", -1.0)
    system = FakeWindows()
    monkeypatch.setattr(system, "OpenClipboard", lambda _window: False)

    with pytest.raises(ClipboardUnreadable, match="another program"):
        read_text(system, system, 4096)


def test_windows_text_stays_out_of_history_and_is_cleared_only_while_it_is_ours() -> None:
    system = FakeWindows()

    async def scene() -> None:
        holder = WindowsHolder(system, system)
        await holder.offer("Grüße", secret=True)

        assert system.board[13].decode("utf-16-le") == "Grüße\0"
        assert system.board["ExcludeClipboardContentFromMonitorProcessing"] == bytes(4)
        assert (system.is_open, system.windows) == (False, 0)

        await holder.give_up()

        assert system.board == {}

        await holder.offer("Grüße", secret=False)
        system.board, system.sequence = {13: b"a shopping list"}, system.sequence + 1
        await holder.give_up()

        assert system.board == {13: b"a shopping list"}

    asyncio.run(scene())
