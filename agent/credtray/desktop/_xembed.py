"""A pystray back-end for the trays of X11, on a thread of its own: picture, clicks, and a menu of our own.

Chooses nothing (see ``tray``). Replaces ``pystray._xorg``, whose icons get no click, never dock again, and
wait forever for a thread that has ended; here no call waits for the X server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from credtray.desktop.drawn_icon import DrawnIcon, icon_class, scaled
from credtray.desktop.x11.embedding import Embedding, Told
from credtray.desktop.x11.menu import PopupMenu
from credtray.desktop.x11.thread import XThread

_LEFT, _RIGHT = 1, 3
"""Buttons of the mouse."""


class XEmbedIcon(DrawnIcon):
    """``pystray.Icon`` in an X tray.

    ``Icon(name, icon, title, menu, xembed_address=":0", xembed_docked=..., xembed_gone=...)``: the X server;
    called with True and False as the icon appears in a tray and disappears; called once at the end, with why
    the X server is gone or None after ``stop``. ``xembed_before_show`` is called with a function before the
    menu is opened, which opens it: there is time to change it. All are called on the connection's thread.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        told = Told(
            docked=self._options.get("docked", lambda _docked: None),
            pressed=self._pressed,
            other=self._other,
            ended=self._options.get("gone", lambda _reason: None),
            later=self._later,
        )
        self._popup: PopupMenu | None = None
        self._embedding = Embedding(self._name, told)
        self._thread = XThread("tray", self._options["address"], self._embedding)

    def join(self, seconds: float) -> bool:
        """Wait for the end of the thread; False when it did not come in time."""
        return self._thread.join(seconds)

    # --- what pystray asks of a back-end; from any thread -----------------------------------------

    def _run_detached(self) -> None:
        self._thread.start()
        self._mark_ready()  # at once: pystray's own thread waits for it, and an X server may never answer

    def _run(self) -> None:
        self._run_detached()
        self._thread.join(None)

    def _stop(self) -> None:
        self._thread.stop()

    def _show(self) -> None:
        self._thread.post(lambda: self._embedding.want(shown=True))

    def _hide(self) -> None:
        self._thread.post(lambda: self._embedding.want(shown=False))

    def _update_icon(self) -> None:
        picture = functools.partial(scaled, self._drawn())
        self._thread.post(lambda: self._embedding.draw(picture))
        self._icon_valid = True

    def _update_title(self) -> None:
        title = self._title
        self._thread.post(lambda: self._embedding.title(title))

    def _update_menu(self) -> None:
        """Nothing to do: the menu is read when somebody opens it."""

    # --- clicks; on the thread of the connection --------------------------------------------------

    def _pressed(self, event: Any) -> None:
        """A left click means the default item, if there is one; any other click opens the menu."""
        if event.detail not in {_LEFT, _RIGHT} or self._menu is None:
            return
        if event.detail == _LEFT and any(item.default for item in self._menu):
            icon: Any = self
            icon()  # pystray's icons are called for their default action
            return
        before_show = self._options.get("before_show")
        if before_show is None:
            self._open(event)
        else:
            before_show(lambda: self._thread.post(lambda: self._open(event)))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self._thread.post_later(seconds, work)

    def _open(self, event: Any) -> None:
        if self._popup is None:
            self._popup = PopupMenu(self._embedding.display, lambda item: self._handler(item)())
        self._popup.open(self._menu, event.root_x, event.root_y, event.time)

    def _other(self, event: Any) -> None:
        if self._popup is not None:
            self._popup.handle(event)


def __getattr__(name: str) -> Any:
    """Give out ``Icon``; it is made when it is wanted, because its base comes with pystray."""
    if name == "Icon":
        return icon_class(XEmbedIcon)
    raise AttributeError(name)
