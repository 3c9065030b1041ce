"""pystray's icon for Windows with what it leaves out. Type-checked, but never run there by its authors.

To be used on the main thread, but for ``on_main``.
"""

from __future__ import annotations

import collections
import functools
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from credtray.core.icon_state import IconState
from credtray.desktop.icon import Panel, draw
from credtray.desktop.panel_theme import system_panel
from credtray.desktop.tray.painting import load_pystray

if TYPE_CHECKING:
    from PIL.Image import Image

AMPERSANDS = True
_PIXELS = 32
_WORK = 0x400 + 20
"""A message of our own (WM_USER + 20; pystray uses 10 and 11): there is something in ``_todo``."""


def why_not() -> str | None:
    """See ``native.NativeBackEnd``."""
    return None


def images(look: IconState, panel: Panel) -> Mapping[int, Image]:
    """Return it for the task bar. See ``painting.Draw``."""
    return {_PIXELS: draw(look, _PIXELS, system_panel() if panel is Panel.AUTO else panel)}


@functools.cache
def icon_class() -> Callable[..., Any]:
    """See ``native.NativeBackEnd``."""
    base: Any = load_pystray().Icon
    win32: Any = importlib.import_module("pystray._util.win32")

    class TaskBarIcon(base):  # type: ignore[misc]  # pystray has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._todo: collections.deque[Callable[[], None]] = collections.deque()
            self._menu_is_open = False
            self._message_handlers[_WORK] = self._on_work

        @property
        def images(self) -> Mapping[int, Image]:
            return {_PIXELS: self.icon}

        @images.setter
        def images(self, images: Mapping[int, Image]) -> None:
            self.icon = images[_PIXELS]

        def on_main(self, work: Callable[[], None]) -> None:
            self._todo.append(work)
            win32.PostMessage(self._hwnd, _WORK, 0, 0)

        def _on_work(self, *_: int) -> None:
            # While the menu is open its handle must not be destroyed; messages are delivered all the same.
            while self._todo and not self._menu_is_open:
                self._todo.popleft()()

        def _on_notify(self, wparam: int, lparam: int) -> None:
            self._menu_is_open = True
            try:
                super()._on_notify(wparam, lparam)
            finally:
                self._menu_is_open = False
                self._on_work()

    return TaskBarIcon
