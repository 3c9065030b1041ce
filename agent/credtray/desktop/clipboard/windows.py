"""Holds a text on the Windows clipboard, out of its history and its cloud, and reads what is on it.

Takes nothing from the clipboard that somebody else has put there.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from typing import Any

from credtray.core.errors import ClipboardUnavailable, ClipboardUnreadable
from credtray.core.ports.outside import ANSWER_SECONDS

_CF_UNICODETEXT = 13
_GMEM_MOVEABLE = 0x0002
_BUSY_SECONDS = 0.02
"""Between two attempts to open a clipboard that another program has open."""

_MARKS = {
    "ExcludeClipboardContentFromMonitorProcessing": b"\0\0\0\0",
    "CanIncludeInClipboardHistory": b"\0\0\0\0",
    "CanUploadToCloudClipboard": b"\0\0\0\0",
}
"""Keep a secret out of history and cloud (Microsoft, "Clipboard Formats"): a DWORD 0 means no."""


def windows_holder() -> WindowsHolder:
    """Return a holder on this system's libraries. On Windows only."""
    return WindowsHolder(*_libraries())


def windows_text(longest: int) -> bytes:
    """Return the text on the clipboard in UTF-8, empty where there is none. On Windows only.

    Raises:
        ClipboardUnreadable: another program keeps the clipboard, or the text is longer than *longest* bytes.
    """
    return read_text(*_libraries(), longest)


def read_text(user32: Any, kernel32: Any, longest: int) -> bytes:
    """As ``windows_text``, with these libraries."""
    if not _opened(user32, None):
        raise ClipboardUnreadable("another program is using the clipboard")
    try:
        handle = user32.GetClipboardData(_CF_UNICODETEXT)
        address = kernel32.GlobalLock(handle) if handle else None
        if not address:
            return b""
        try:
            # A character has two bytes there and one or more in UTF-8: of what is too long, enough to see it.
            size = min(kernel32.GlobalSize(handle), 2 * longest + 4)
            held = ctypes.string_at(address, size)
        finally:
            kernel32.GlobalUnlock(handle)
    finally:
        user32.CloseClipboard()
    text = held.decode("utf-16-le", "replace").partition("\0")[0].encode()
    if len(text) > longest:
        raise ClipboardUnreadable(f"it contains more than {longest // 1024} KiB")
    return text


def _opened(user32: Any, window: Any) -> bool:
    """Open the clipboard, which one program at a time may have open; False: another one keeps it."""
    until = time.monotonic() + ANSWER_SECONDS
    while not user32.OpenClipboard(window):
        if time.monotonic() > until:
            return False
        time.sleep(_BUSY_SECONDS)
    return True


def _libraries() -> tuple[Any, Any]:
    libraries: Any = ctypes  # WinDLL is there on Windows only, for type checkers too
    user32, kernel32 = libraries.WinDLL("user32"), libraries.WinDLL("kernel32")
    # Handles and addresses are wider than the int ctypes assumes.
    user32.CreateWindowExW.restype = user32.SetClipboardData.restype = ctypes.c_void_p
    user32.GetClipboardData.restype = ctypes.c_void_p
    user32.OpenClipboard.argtypes = user32.DestroyWindow.argtypes = [ctypes.c_void_p]
    user32.SetClipboardData.argtypes = [ctypes.c_uint, ctypes.c_void_p]
    kernel32.GlobalAlloc.restype = kernel32.GlobalLock.restype = ctypes.c_void_p
    kernel32.GlobalAlloc.argtypes = [ctypes.c_uint, ctypes.c_size_t]
    kernel32.GlobalSize.restype = ctypes.c_size_t
    for function in (kernel32.GlobalLock, kernel32.GlobalUnlock, kernel32.GlobalFree, kernel32.GlobalSize):
        function.argtypes = [ctypes.c_void_p]
    return user32, kernel32


class WindowsHolder:
    """One text on the clipboard; ours until the clipboard's sequence number changes."""

    def __init__(self, user32: Any, kernel32: Any) -> None:
        self._user32 = user32
        self._kernel32 = kernel32
        self._sequence: int | None = None

    async def offer(self, text: str, *, secret: bool) -> None:
        """See ``clipboard.Holder``."""
        await asyncio.to_thread(self._put, text, secret=secret)

    async def give_up(self) -> None:
        """See ``clipboard.Holder``."""
        if self._sequence is not None:
            await asyncio.to_thread(self._empty_if_ours)

    # --- in a worker: another program may have the clipboard open -------------------------------------------

    def _put(self, text: str, *, secret: bool) -> None:
        # Without a window EmptyClipboard makes nobody the owner, and SetClipboardData fails (see its page).
        window = self._user32.CreateWindowExW(0, "STATIC", None, 0, 0, 0, 0, 0, None, None, None, None)
        try:
            self._open(window)
            try:
                self._user32.EmptyClipboard()
                self._set(_CF_UNICODETEXT, (text + "\0").encode("utf-16-le"))
                for name, value in _MARKS.items() if secret else ():
                    self._set(self._user32.RegisterClipboardFormatW(name), value)
            finally:
                self._user32.CloseClipboard()
            self._sequence = self._user32.GetClipboardSequenceNumber()
        finally:
            self._user32.DestroyWindow(window)

    def _empty_if_ours(self) -> None:
        if self._user32.GetClipboardSequenceNumber() != self._sequence:
            return
        try:
            self._open(None)
        except ClipboardUnavailable:
            return  # whoever keeps it open for two seconds is about to put something else there
        try:
            if self._user32.GetClipboardSequenceNumber() == self._sequence:
                self._user32.EmptyClipboard()
        finally:
            self._user32.CloseClipboard()

    def _open(self, window: Any) -> None:
        if not _opened(self._user32, window):
            raise ClipboardUnavailable("another program is using the clipboard")

    def _set(self, kind: int, data: bytes) -> None:
        handle = self._kernel32.GlobalAlloc(_GMEM_MOVEABLE, len(data))
        address = self._kernel32.GlobalLock(handle) if handle else None
        if not address:
            raise ClipboardUnavailable("there is not enough memory")
        ctypes.memmove(address, data, len(data))
        self._kernel32.GlobalUnlock(handle)
        if not self._user32.SetClipboardData(kind, handle):
            self._kernel32.GlobalFree(handle)  # ours again: the clipboard did not take it over
            raise ClipboardUnavailable("the clipboard does not accept it")
