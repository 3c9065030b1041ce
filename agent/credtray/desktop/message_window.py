"""A hidden window of our own for what Windows tells by messages, and the end of the session heard with it.

The window belongs to a thread of its own that does nothing but wait for messages: the icon may be missing
(no taskbar), and its thread is busy while the menu is open. Windows sends its broadcasts to top-level
windows only, so it is one.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

_log = logging.getLogger(__name__)

Heard = Callable[[int, int], int]
"""Takes wParam and lParam, on the window's thread; returns what the sender gets."""

WM_CLOSE: Final = 0x0010
WM_DESTROY: Final = 0x0002
WM_QUERYENDSESSION: Final = 0x0011
WM_ENDSESSION: Final = 0x0016
YES: Final = 1
"""The answer to WM_QUERYENDSESSION that lets the session end; 0 would hold up the sign-out."""

_CONSOLE_ENDS: Final = frozenset({2, 5, 6})
"""CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT: Windows ends the process when they are handled.

Ctrl-C and Ctrl-Break (0, 1) are Python's, which makes signals of them.
"""


class MessageWindow:
    """A hidden window and its thread. Nothing happens before ``open``."""

    def __init__(self, heard: Mapping[int, Heard], title: str) -> None:
        """*heard* are the messages that are not Windows' own business; the title is for who looks for it."""
        self._heard = MappingProxyType(dict(heard))
        self._title = title
        self._there = threading.Event()
        self._thread: threading.Thread | None = None
        self._handle: int | None = None

    def open(self) -> int:
        """Make the window and return its handle.

        Raises:
            OSError: this is not Windows, or it makes no windows in this session.
        """
        if not hasattr(ctypes, "WinDLL"):
            raise OSError("no user32.dll here")
        self._thread = threading.Thread(target=self._live, name=self._title, daemon=True)
        self._thread.start()
        self._there.wait()
        if self._handle is None:
            raise OSError("Windows makes no window in this session")
        return self._handle

    def close(self) -> None:
        """Take the window away; harmless when it was not opened."""
        if self._handle is not None and self._thread is not None:
            user32().PostMessageW(self._handle, WM_CLOSE, 0, 0)
            if self._thread is not threading.current_thread():
                self._thread.join()
            self._handle = None

    def _live(self) -> None:
        name = f"credtray {self._title} {id(self)}"
        procedure = window_procedure(lambda _hwnd, message: self._heard.get(message))
        try:
            self._handle = _made(name, self._title, procedure)
        finally:
            self._there.set()
        if self._handle is None:
            return
        message = _message_type()()
        while user32().GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            user32().DispatchMessageW(ctypes.byref(message))
        user32().UnregisterClassW(name, None)


def window_procedure(heard_by: Callable[[int, int], Heard | None]) -> Any:
    """Return a window procedure that asks who hears a message (window, message); nobody: Windows' answer.

    Hold it as long as there is a window of its class. What fails is logged: no exception leaves a callback.
    """

    def procedure(hwnd: int, message: int, wparam: int, lparam: int) -> int:
        heard = heard_by(hwnd, message)
        try:
            if heard is not None:
                return heard(wparam, lparam)
        except Exception as error:  # noqa: BLE001 - an error border: Windows calls us, and knows no exceptions
            _log.error("a message of Windows (%#x) was not handled", message, exc_info=error)
            return 0
        if message == WM_DESTROY:
            user32().PostQuitMessage(0)
        return int(user32().DefWindowProcW(hwnd, message, wparam, lparam))

    return _procedure_type()(procedure)


@contextlib.contextmanager
def heeding_session_end(end: Callable[[], None]) -> Iterator[None]:
    """Call *end* when Windows is about to end this process, at sign-out or when its console is closed.

    Called on a thread that is neither the caller's nor the icon's; Windows ends the process as soon as *end*
    has returned, or after five seconds.
    """

    def session_ends(really: int, _reason: int) -> int:
        if really:  # else another program refused, and the session goes on
            _log.info("the session ends")
            end()
        return 0

    def console_ends(event: int) -> bool:
        if event not in _CONSOLE_ENDS:
            return False
        _log.info("the console is closed")
        end()
        return True

    window = MessageWindow(
        {WM_QUERYENDSESSION: lambda *_: YES, WM_ENDSESSION: session_ends}, "end of the session"
    )
    handler: Any = None
    try:
        window.open()
        handler = _console_handler_type()(console_ends)
        windows_library("kernel32").SetConsoleCtrlHandler(handler, True)
    except OSError as error:
        _log.info("the end of the session cannot be heard: %s", error)
    try:
        yield
    finally:
        if handler is not None:
            windows_library("kernel32").SetConsoleCtrlHandler(handler, False)
        window.close()


def _made(name: str, title: str, procedure: Any) -> int | None:
    made = _class_type()(lpfnWndProc=procedure, lpszClassName=name)
    if not user32().RegisterClassW(ctypes.byref(made)):
        return None
    window = user32().CreateWindowExW(0, name, title, 0, 0, 0, 0, 0, None, None, None, None)
    return None if window is None else int(window)


@functools.cache
def _procedure_type() -> Any:
    """WNDPROC with a result as wide as a pointer: pystray's has 32 bits."""
    pointer = ctypes.c_ssize_t
    libraries: Any = ctypes  # WINFUNCTYPE is there on Windows only, for type checkers too
    return libraries.WINFUNCTYPE(pointer, ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t, pointer)


@functools.cache
def _console_handler_type() -> Any:
    libraries: Any = ctypes  # as above
    return libraries.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint32)


@functools.cache
def _class_type() -> Any:
    class WNDCLASSW(ctypes.Structure):
        _fields_ = (
            ("style", ctypes.c_uint),
            ("lpfnWndProc", _procedure_type()),
            ("cbClsExtra", ctypes.c_int),
            ("cbWndExtra", ctypes.c_int),
            *((name, ctypes.c_void_p) for name in ("hInstance", "hIcon", "hCursor", "hbrBackground")),
            ("lpszMenuName", ctypes.c_wchar_p),
            ("lpszClassName", ctypes.c_wchar_p),
        )

    return WNDCLASSW


@functools.cache
def _message_type() -> Any:
    from ctypes import wintypes

    return wintypes.MSG


@functools.cache
def user32() -> Any:
    """Return user32.dll with the signatures of what is called here: a handle is as wide as a pointer."""
    library = windows_library("user32")
    window, text, number, size = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint, ctypes.c_size_t
    whole = ctypes.c_int
    library.CreateWindowExW.restype = window
    library.CreateWindowExW.argtypes = [number, text, text, number, *[whole] * 4, *[window] * 4]
    library.DefWindowProcW.restype = ctypes.c_ssize_t
    for name in ("DefWindowProcW", "PostMessageW"):
        getattr(library, name).argtypes = [window, number, size, ctypes.c_ssize_t]
    library.GetMessageW.argtypes = [ctypes.c_void_p, window, number, number]
    library.UnregisterClassW.argtypes = [text, window]
    return library


def taskbar() -> int | None:
    """Return the taskbar's window; None: this session has none, or it is not there yet."""
    find = user32().FindWindowW
    find.restype = ctypes.c_void_p
    found: int | None = find("Shell_TrayWnd", None)
    return found


@functools.cache
def windows_library(name: str) -> Any:
    """Return one of Windows' libraries; where it has no signatures, numbers are as wide as an int."""
    libraries: Any = ctypes  # WinDLL is there on Windows only, for type checkers too
    return libraries.WinDLL(name, use_last_error=True)
