"""pystray's icon for Windows with what it leaves out. Tried under Wine, never on a real Windows desktop.

To be used on the main thread, but for ``on_main``.
"""

from __future__ import annotations

import collections
import ctypes
import functools
import importlib
import logging
import struct
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from credtray.core.icon_state import IconState
from credtray.desktop.balloons import ELLIPSIS, EVENTS, Balloon, beginning, units
from credtray.desktop.icon import Panel, draw
from credtray.desktop.message_window import (
    WM_ENDSESSION,
    WM_QUERYENDSESSION,
    YES,
    taskbar,
    user32,
    window_procedure,
    windows_library,
)
from credtray.desktop.panel_theme import system_panel
from credtray.desktop.paths import APP_ID
from credtray.desktop.tray.native import NoWindowError
from credtray.desktop.tray.painting import load_pystray, scaled

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

AMPERSANDS = True
SIZES: Final = (16, 20, 24, 28, 32, 36, 40, 48, 56, 64)
"""Pixels of a small icon at what Windows offers as a scale, 100 % to 400 %; it asks for others rarely."""
LONGEST_TIP: Final = 127
"""UTF-16 code units: NOTIFYICONDATAW holds 128, and the last one is zero."""
NO_TASKBAR: Final = "this session has no taskbar, as on Server Core; everything else works"
_BUSY: Final = "the taskbar has not taken the icon; credtray tries again"

_WORK: Final = 0x400 + 20
"""A message of our own (WM_USER + 20; pystray uses 10 and 11): there is something in ``_todo``."""
_WM_NULL: Final = 0x0000
_WM_CANCELMODE: Final = 0x001F
_WM_DISPLAYCHANGE: Final = 0x007E
_WM_TIMER: Final = 0x0113
_WM_DPICHANGED: Final = 0x02E0
_AGAIN, _SINGLE = 1, 2
"""Timers: the taskbar is to be asked again; no second click has come."""
_AGAIN_MS: Final = 10_000
_SM_CXSMICON, _SM_CXICON = 49, 11
_USUAL_DPI: Final = 96
_PER_MONITOR_AWARE: Final = -4
"""DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2; else Windows tells us of 96 dpi and scales what it gets."""
_NIM_ADD, _NIM_MODIFY, _NIM_SETVERSION = 0, 1, 4
_NIF_TIP, _NIF_INFO, _NIF_SHOWTIP = 0x04, 0x10, 0x80
_NIIF_USER, _NIIF_LARGE_ICON = 0x04, 0x20
_QUIET: Final = 0x10 | 0x80
"""NIIF_NOSOUND, as our notices are on every system; NIIF_RESPECT_QUIET_TIME."""
_VERSION: Final = 4
"""NOTIFYICON_VERSION_4: clicks come with their place, and the keyboard's come at all."""


def why_not() -> str | None:
    """See ``native.NativeBackEnd``."""
    return None


def images(look: IconState, panel: Panel) -> Mapping[int, Image]:
    """Return it for the task bar, in every size. See ``painting.Draw``."""
    known = system_panel() if panel is Panel.AUTO else panel
    return {size: draw(look, size, known) for size in SIZES}


# --- rules -------------------------------------------------------------------------------------------


def tip(text: str) -> str:
    """Return as many lines of a tooltip as Windows takes; of a first line that is too long, its beginning."""
    lines, fewer = text.split("\n"), text
    for count in range(len(lines), 0, -1):
        fewer = "\n".join((*lines[:count], *[ELLIPSIS] * (count < len(lines))))
        if units(fewer) <= LONGEST_TIP:
            break
    return beginning(fewer, LONGEST_TIP)


class Step(Enum):
    """What follows from a click or a key."""

    NOTHING = "nothing"
    MENU = "the menu opens"
    WAIT = "the menu opens unless a second click comes in time"
    DEFAULT = "the default item is carried out"


class Clicks:
    """Understands what the taskbar tells of mouse and keyboard (Shell_NotifyIconW, version 4). Pure."""

    def __init__(self) -> None:
        self._was_double = False

    def heard(self, event: int, *, has_default: bool) -> Step:
        """Return what follows; an item is carried out by a double click only where the menu marks one."""
        match event:
            case 0x0201:  # WM_LBUTTONDOWN
                self._was_double = False
            case 0x0203:  # WM_LBUTTONDBLCLK, instead of the second WM_LBUTTONDOWN
                self._was_double = True
                return Step.DEFAULT if has_default else Step.NOTHING
            case 0x0400 if not self._was_double:  # NIN_SELECT, after each WM_LBUTTONUP
                return Step.WAIT if has_default else Step.MENU
            case 0x0401 | 0x007B:  # NIN_KEYSELECT, WM_CONTEXTMENU: by right click, Shift+F10 or the menu key
                return Step.MENU
        return Step.NOTHING


def place(wparam: int) -> tuple[int, int]:
    """Return where on the screen a click was, in pixels; left of the first monitor it is below zero."""
    x, y = struct.unpack("<hh", struct.pack("<I", wparam & 0xFFFFFFFF))
    return x, y


def icon_bits(image: Image) -> bytes:
    """Return a square RGBA picture as Windows keeps an icon: header, rows from below as BGRA, empty mask."""
    size = image.width
    rows = image.convert("RGBA").tobytes("raw", "BGRA", 0, -1)
    mask = bytes((size + 31) // 32 * 4 * size)
    return struct.pack("<IiiHHIIiiII", 40, size, 2 * size, 1, 32, 0, len(rows), 0, 0, 0, 0) + rows + mask


# --- the icon ----------------------------------------------------------------------------------------


@functools.cache
def icon_class() -> Callable[..., Any]:
    """See ``native.NativeBackEnd``."""
    user32().SetThreadDpiAwarenessContext(ctypes.c_void_p(_PER_MONITOR_AWARE))
    windows_library("shell32").SetCurrentProcessExplicitAppUserModelID(APP_ID)
    return type("Icon", (TaskBarIcon, load_pystray().Icon), {"__module__": __name__})


class MenuIcon:
    """A menu for mouse and keyboard, fresh when it opens, never changed while open. Before pystray's icon."""

    if TYPE_CHECKING:
        # of pystray's icon
        menu: Any
        visible: bool
        stop: Callable[[], None]
        icon: Image
        _atom: int
        _hwnd: int
        _icon_handle: int | None
        _menu_handle: tuple[int, list[Callable[[Any], None]]] | None
        _message_handlers: dict[int, Callable[[int, int], object]]
        _update_icon: Callable[[], None]
        _mark_ready: Callable[[], None]
        _running: bool
        _unregister_class: Callable[[int], None]
        _on_stop: Callable[[int, int], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._procedure = window_procedure(self._heard_by)
        self._clicks = Clicks()
        self._place = (0, 0)
        self._todo: collections.deque[Callable[[], None]] = collections.deque()
        self._menu_is_open = False
        self.before_show: Callable[[Callable[[], None]], None] = lambda then: then()
        super().__init__(*args, **kwargs)
        self._message_handlers[_WORK] = self._on_work

    def _heard_by(self, hwnd: int, message: int) -> Callable[[int, int], int] | None:
        # pystray makes two windows, and Windows asks each of them; all else is the icon's alone.
        ours = hwnd == self._hwnd or message == WM_ENDSESSION
        handler = self._message_handlers.get(message) if ours else None
        return None if handler is None else lambda wparam, lparam: _number(handler(wparam, lparam))

    def _register_class(self) -> Any:
        """Register our own procedure: pystray's answers 0 to what it does not know."""
        name = f"credtray icon {id(self)}"
        procedure = ctypes.cast(self._procedure, _win32().WNDPROC)
        made = _win32().WNDCLASSEX(
            cbSize=ctypes.sizeof(_win32().WNDCLASSEX), lpfnWndProc=procedure, lpszClassName=name
        )
        made.hInstance = _win32().GetModuleHandle(None)
        return _win32().RegisterClassEx(made)

    def on_main(self, work: Callable[[], None]) -> None:
        """See ``native.NativeBackEnd``."""
        self._todo.append(work)
        if work == self.stop:  # no work is done while a menu is open, and nobody may ever choose from it
            _win32().PostMessage(self._hwnd, _WM_CANCELMODE, 0, 0)
        _win32().PostMessage(self._hwnd, _WORK, 0, 0)

    def _on_work(self, *_: int) -> None:
        # While the menu is open its handle must not be destroyed; messages are delivered all the same.
        while self._todo and not self._menu_is_open:
            self._todo.popleft()()

    def _on_notify(self, wparam: int, lparam: int) -> None:
        has_default = any(item.default for item in self.menu.items)
        step = self._clicks.heard(lparam & 0xFFFF, has_default=has_default)
        if step is Step.NOTHING or self._menu_is_open:
            return
        user32().KillTimer(self._hwnd, _SINGLE)
        self._place = place(wparam)
        if step is Step.DEFAULT:
            self()  # type: ignore[operator]  # pystray's icon can be called
        elif step is Step.WAIT:
            user32().SetTimer(self._hwnd, _SINGLE, user32().GetDoubleClickTime(), None)
        else:
            self._open()

    def _open(self) -> None:
        """Open the menu as soon as it shows this very moment."""
        self.before_show(lambda: self.on_main(self._track))

    def _track(self) -> None:
        if self._menu_handle is None or self._menu_is_open:
            return
        handle, callbacks = self._menu_handle
        self._menu_is_open = True
        # Only the menu of a foreground window closes when a person clicks elsewhere; and it takes one
        # more message before the next one opens (TrackPopupMenu, remarks).
        _win32().SetForegroundWindow(self._hwnd)
        try:
            flags = _win32().TPM_RIGHTALIGN | _win32().TPM_BOTTOMALIGN | _win32().TPM_RETURNCMD
            number = _win32().TrackPopupMenuEx(handle, flags, *self._place, self._hwnd, None)
            _win32().PostMessage(self._hwnd, _WM_NULL, 0, 0)
        finally:
            self._menu_is_open = False
        if number > 0:
            callbacks[number - 1](self)
        _win32().PostMessage(self._hwnd, _WORK, 0, 0)  # not at once: this is work itself


class TaskBarIcon(MenuIcon):
    """The icon in the size that the taskbar shows, and whether the taskbar took it; before pystray's icon."""

    refusal: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._images: Mapping[int, Image] = {}
        self.after_show: Callable[[], None] = lambda: None
        self.end_session: Callable[[], None] = lambda: None
        self.heard_balloon: Callable[[int], None] = lambda _event: None
        self._balloon_picture: int | None = None
        super().__init__(*args, **kwargs)
        self._message_handlers |= {
            WM_QUERYENDSESSION: lambda *_: YES,
            WM_ENDSESSION: self._on_end_session,
            _WM_DPICHANGED: self._on_display_change,
            _WM_DISPLAYCHANGE: self._on_display_change,
            _WM_TIMER: self._on_timer,
        }

    def _run(self) -> None:
        try:
            super()._run()  # type: ignore[misc]  # pystray's
        except OSError as error:
            self._unregister_class(self._atom)  # each try makes another, and a session has room for 16,000
            self._mark_ready()  # pystray's own thread waits for it, and our process would wait for that
            self._running = False  # else its end would wait for a loop that never ran
            raise NoWindowError from error

    @property
    def images(self) -> Mapping[int, Image]:
        """See ``native.NativeBackEnd``."""
        return self._images

    @images.setter
    def images(self, images: Mapping[int, Image]) -> None:
        self._images = images
        self.icon = images[max(images)]

    def _assert_icon_handle(self) -> None:
        if not self._icon_handle:
            self._icon_handle = _icon_handle(scaled(self._images or {1: self.icon}, _small_icon_pixels()))

    def _on_notify(self, wparam: int, lparam: int) -> None:
        if lparam & 0xFFFF in EVENTS:
            self.heard_balloon(lparam & 0xFFFF)
        else:
            super()._on_notify(wparam, lparam)

    def balloon(self, balloon: Balloon | None) -> bool:
        """Show a balloon, or remove it; tell whether the taskbar took that. Any thread, one at a time."""
        told: dict[str, Any] = {"szInfo": "", "dwInfoFlags": _QUIET}
        picture = None
        if balloon is not None:
            pixels = int(user32().GetSystemMetricsForDpi(_SM_CXICON, _taskbar_dpi()))
            picture = _icon_handle(draw(balloon.picture, pixels, Panel.AUTO))
            told |= {"szInfoTitle": balloon.title, "szInfo": balloon.text, "hBalloonIcon": picture}
            told["dwInfoFlags"] |= _NIIF_USER | _NIIF_LARGE_ICON
        data = _icon_data(self._hwnd, _NIF_INFO, told)
        taken = bool(_win32().Shell_NotifyIcon(_NIM_MODIFY, ctypes.byref(data)))
        before, self._balloon_picture = self._balloon_picture, picture
        if before is not None:
            user32().DestroyIcon(ctypes.c_void_p(before))
        return taken

    def _message(self, code: int, flags: int, **kwargs: Any) -> None:
        """Send it as pystray does, with a tooltip that fits, and keep whether the taskbar took it."""
        if flags & _NIF_TIP:
            flags, kwargs["szTip"] = flags | _NIF_SHOWTIP, tip(kwargs["szTip"])
        data = _icon_data(self._hwnd, flags, kwargs)
        taken = bool(_win32().Shell_NotifyIcon(code, ctypes.byref(data)))
        if code != _NIM_ADD:
            return
        self.refusal = None if taken else _refusal()
        if taken:
            data = _icon_data(self._hwnd, 0, {"uVersion": _VERSION})
            _win32().Shell_NotifyIcon(_NIM_SETVERSION, ctypes.byref(data))
        elif self.refusal == _BUSY:  # else it tells us when it is there: TaskbarCreated
            user32().SetTimer(self._hwnd, _AGAIN, _AGAIN_MS, None)

    def _on_display_change(self, _wparam: int, _lparam: int) -> None:
        if self.visible:
            self._update_icon()

    def _on_taskbarcreated(self, wparam: int, lparam: int) -> None:
        if self.visible:
            super()._on_taskbarcreated(wparam, lparam)  # type: ignore[misc]  # pystray's
            self.after_show()

    def _on_timer(self, timer: int, _lparam: int) -> None:
        user32().KillTimer(self._hwnd, timer)
        if timer == _SINGLE:
            self._open()
        elif self.refusal is not None:
            self._on_taskbarcreated(0, 0)

    def _on_end_session(self, really: int, _reason: int) -> None:
        """Hold Windows up until the keys are out of the files; then be gone."""
        if really:
            self.end_session()
            user32().EndMenu()
            self._on_stop(0, 0)


def _number(answer: object) -> int:
    return answer if isinstance(answer, int) else 0


@functools.cache
def _win32() -> Any:
    """Return pystray's own door to Windows."""
    return importlib.import_module("pystray._util.win32")


def _small_icon_pixels() -> int:
    """Return how large the taskbar shows an icon now."""
    return int(user32().GetSystemMetricsForDpi(_SM_CXSMICON, _taskbar_dpi()))


def _taskbar_dpi() -> int:
    window = taskbar()
    return (user32().GetDpiForWindow(ctypes.c_void_p(window)) if window else 0) or _USUAL_DPI


def _refusal() -> str:
    return _BUSY if taskbar() else NO_TASKBAR


def _icon_handle(image: Image) -> int:
    bits = icon_bits(image)
    make = user32().CreateIconFromResourceEx
    make.restype = ctypes.c_void_p
    handle = make(bits, len(bits), True, 0x00030000, image.width, image.height, 0)
    if not handle:
        raise OSError("Windows has not taken the icon's picture")
    return int(handle)


def _icon_data(hwnd: int, flags: int, values: Mapping[str, Any]) -> Any:
    kind = _win32().NOTIFYICONDATAW
    return kind(cbSize=ctypes.sizeof(kind), hWnd=hwnd, uFlags=flags, **values)
