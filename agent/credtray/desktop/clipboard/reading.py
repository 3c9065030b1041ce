"""Reads the text on the clipboard, for a person who asked for it. Leaves the clipboard as it is.

Must not let what it reads into an argument, an environment variable, a log line or an error.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import shutil
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from credtray.core.errors import ClipboardUnreadable
from credtray.desktop.browser import child_environ
from credtray.desktop.clipboard.windows import windows_text
from credtray.desktop.x11.thread import XThread

ANSWER_SECONDS = 5.0
"""How long the program that holds the text may take to hand it over."""
LONGEST = 256 * 1024
"""Bytes; an X server hands no more over in one piece."""

_PBPASTE = "/usr/bin/pbpaste"


async def clipboard_text(environ: Mapping[str, str]) -> bytes:
    """Return the text on this desktop's clipboard in UTF-8; empty where it holds no text.

    Raises:
        ClipboardUnreadable: there is no clipboard, it does not answer, or it holds more than 256 KiB.
    """
    if sys.platform == "darwin":
        # Without a UTF-8 locale it would print MacRoman (pbpaste(1)).
        text = await printed_by([_PBPASTE], {"LC_CTYPE": "UTF-8"})
    elif sys.platform == "win32":
        text = await _in_time(windows_text)
    else:
        text = await _linux(environ)
    return text


async def _in_time(read: Callable[[int], bytes]) -> bytes:
    """Let a thread of its own read: the program that holds the text is asked for it now, and may hang."""
    answer: concurrent.futures.Future[bytes] = concurrent.futures.Future()

    def work() -> None:
        try:
            answer.set_result(read(LONGEST))
        except ClipboardUnreadable as error:
            answer.set_exception(error)

    threading.Thread(target=work, name="clipboard reading", daemon=True).start()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.shield(asyncio.wrap_future(answer))
    except TimeoutError:
        raise ClipboardUnreadable("the program that owns the clipboard does not answer") from None


async def _linux(environ: Mapping[str, str]) -> bytes:
    """Prefer wl-paste on Wayland: what was copied there reaches X only now and then."""
    if environ.get("WAYLAND_DISPLAY"):
        wl_paste = shutil.which("wl-paste", path=environ.get("PATH"))
        if wl_paste is not None:
            return await printed_by([wl_paste, "--no-newline", "--type", "text"], environ)
        if not environ.get("DISPLAY"):
            raise ClipboardUnreadable("this Wayland desktop needs the program wl-paste")
    if environ.get("DISPLAY"):
        return await _of_x_server(environ["DISPLAY"])
    raise ClipboardUnreadable("there is no desktop: neither WAYLAND_DISPLAY nor DISPLAY is set")


async def printed_by(command: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """Return what a program prints; its exit code does not matter: an empty clipboard is no text.

    Raises:
        ClipboardUnreadable: it cannot be started, hangs, or prints more than 256 KiB.
    """
    name = command[0].rpartition("/")[2]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environ(environ),
        )
    except OSError as error:
        raise ClipboardUnreadable(f"{name} cannot be started: {error.strerror}") from None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _bounded(process)
    except TimeoutError:
        raise ClipboardUnreadable(f"{name} does not answer") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _bounded(process: asyncio.subprocess.Process) -> bytes:
    said = b""
    while process.stdout is not None and (piece := await process.stdout.read(LONGEST)):
        said += piece
        if len(said) > LONGEST:
            raise ClipboardUnreadable(f"it contains more than {LONGEST // 1024} KiB")
    return said


# --- X11 ---------------------------------------------------------------------------------------------


async def _of_x_server(address: str) -> bytes:
    asker = _Asker()
    thread = asker.thread = XThread("clipboard reading", address, asker)
    thread.start()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.wrap_future(asker.answer)
    except TimeoutError:
        raise ClipboardUnreadable("the program that owns the clipboard does not answer") from None
    finally:
        thread.stop()
        await asyncio.to_thread(thread.join, ANSWER_SECONDS)


class _Asker:
    """The guest of the connection: asks the owner of CLIPBOARD for its text (ICCCM 2.4)."""

    thread: XThread

    def __init__(self) -> None:
        self.answer: concurrent.futures.Future[bytes] = concurrent.futures.Future()

    def begin(self, display: Any) -> None:
        from Xlib import X

        self._display = display
        self._window = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        self._property = int(display.intern_atom("_CREDTRAY"))
        utf8 = display.intern_atom("UTF8_STRING")
        self._window.convert_selection(display.intern_atom("CLIPBOARD"), utf8, self._property, X.CurrentTime)

    def handle(self, event: Any) -> None:
        from Xlib import X

        if event.type != X.SelectionNotify:
            return
        if not event.property:  # nobody owns it, or its owner has no text
            self._give(b"")
            return
        found = self._window.get_full_property(self._property, X.AnyPropertyType)
        self._window.delete_property(self._property)
        if found is None or found.format != 8:  # noqa: PLR2004 - a text is in bytes; INCR, a count, is not
            self._fail("it contains too much, or no text")
        else:
            self._give(bytes(found.value))

    def leave(self) -> None:
        """Nothing of it stays: the window goes with the connection."""

    def ended(self, reason: str | None) -> None:
        self._fail(reason or "credtray ends")

    def _give(self, text: bytes) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # given up meanwhile
            self.answer.set_result(text)

    def _fail(self, reason: str) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # answered, or given up
            self.answer.set_exception(ClipboardUnreadable(reason))
