"""A pystray back-end for the trays of X11, on a thread of its own: picture, clicks, and a menu of our own.

Chooses nothing (see ``tray``). Replaces ``pystray._xorg``, whose icons get no click, never dock again, and
wait for ever for a thread that has ended; here no call waits for the X server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agent.desktop.pystray_import import load_pystray
from agent.desktop.x_embedding import Embedding, Picture, Told
from agent.desktop.x_menu import PopupMenu
from agent.desktop.x_thread import XThread

if TYPE_CHECKING:
    from PIL.Image import Image

_LEFT, _RIGHT = 1, 3
"""Buttons of the mouse."""


class _XEmbedIcon:
    """What makes ``pystray.Icon`` an icon in an X tray. See ``Icon``."""

    HAS_NOTIFICATION = False

    if TYPE_CHECKING:
        # of pystray._base.Icon
        _name: str
        _icon: Any
        _icon_valid: bool
        _title: str
        _menu: Any
        _options: dict[str, Any]
        _mark_ready: Callable[[], None]
        _handler: Callable[[Any], Callable[[], None]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._images: Mapping[int, Image] = {}
        told = Told(
            docked=self._options.get("docked", lambda _docked: None),
            pressed=self._pressed,
            other=self._other,
            ended=self._options.get("gone", lambda _reason: None),
        )
        self._popup: PopupMenu | None = None
        self._embedding = Embedding(self._name, told)
        self._thread = XThread("tray", self._options["address"], self._embedding)

    @property
    def images(self) -> Mapping[int, Image]:
        """The icon drawn once for each of some sizes, in pixels; instead of ``icon``, which is scaled."""
        return self._images

    @images.setter
    def images(self, images: Mapping[int, Image]) -> None:
        self._images = dict(images)
        self._icon = self._images[max(self._images)]
        self._update_icon()

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
        drawn = self._images if self._images and self._icon is self._images[max(self._images)] else {}
        picture = _scaled(drawn or {self._icon.width: self._icon})
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

    def _open(self, event: Any) -> None:
        if self._popup is None:
            self._popup = PopupMenu(self._embedding.display, lambda item: self._handler(item)())
        self._popup.open(self._menu, event.root_x, event.root_y, event.time)

    def _other(self, event: Any) -> None:
        if self._popup is not None:
            self._popup.handle(event)


def _scaled(images: Mapping[int, Image]) -> Picture:
    """Return a picture that is scaled as little as possible, and rather down than up."""

    def picture(size: int) -> Image:
        from PIL import Image as Pillow  # noqa: PLC0415 - late: 6 MB

        large_enough = [each for each in images if each >= size]
        image = images[min(large_enough) if large_enough else max(images)].convert("RGBA")
        if image.size != (size, size):
            image = image.resize((size, size), Pillow.Resampling.LANCZOS)
        return image

    return picture


def __getattr__(name: str) -> Any:
    """Give out ``Icon``; it is made when it is wanted, because its base comes with pystray."""
    if name == "Icon":
        return _icon_class()
    raise AttributeError(name)


@functools.cache
def _icon_class() -> type:
    """Make the class ``Icon``: ``pystray.Icon`` with this back-end.

    ``Icon(name, icon, title, menu, xembed_address=":0", xembed_docked=..., xembed_gone=...)``: the X server;
    called with True and False as the icon appears in a tray and disappears; called once at the end, with why
    the X server is gone or None after ``stop``. ``xembed_before_show`` is called with a function before the
    menu is opened, which opens it: there is time to change it. All are called on the connection's thread.
    """
    base = load_pystray()._base.Icon  # noqa: SLF001 - what every back-end of pystray derives from
    return type("Icon", (_XEmbedIcon, base), {"__module__": __name__, "__doc__": base.__doc__})
