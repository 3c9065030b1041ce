"""A pystray back-end for the trays of X11, on a thread of its own: picture, clicks, and a menu of our own.

Chooses nothing (see ``tray``). Replaces ``pystray._xorg``, whose icons get no click, never dock again, and
wait forever for a thread that has ended; here no call waits for the X server.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credtray.core.backoff import pause_after
from credtray.desktop.tray.painting import DrawnIcon, icon_class, scaled
from credtray.desktop.x11.menu import PopupMenu
from credtray.desktop.x11.thread import DEPTHS, XThread, background, put

if TYPE_CHECKING:
    from PIL.Image import Image


# A window that lives in the system tray of an X server (System Tray Protocol, XEMBED) while there is one.
#
# Knows nothing of pystray and of menus. Everything here runs on the thread of the connection.


_log = logging.getLogger(__name__)

Picture = Callable[[int], "Image"]
"""Returns the icon as a square RGBA picture of so many pixels."""

_REQUEST_DOCK = 0
"""Opcode of the System Tray Protocol."""
_EMBED_VERSION, _EMBED_MAPPED = 0, 1
"""``_XEMBED_INFO``: we follow XEMBED 0, and the tray is to map the window."""
DROPPED_SECONDS = (0.2, 2.0, 10.0, 60.0, 600.0)
"""Before a tray that let go of the icon so many times in a row is asked again; the last one for good."""
KEPT_SECONDS = 300.0
"""An icon that stayed so long was welcome: the next time it is dropped counts as the first."""
_USUAL = 24
"""Pixels we ask for; the tray decides."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """The listener for what happens; called on the thread of the connection."""

    docked: Callable[[bool], None]
    """The icon is in a tray from now on, or no longer."""
    pressed: Callable[[Any], None]
    """A mouse button went down on the icon: the event."""
    other: Callable[[Any], None]
    """An event that is not about the icon."""
    ended: Callable[[str | None], None]
    """See ``x11.thread.Guest``."""
    later: Callable[[float, Callable[[], None]], None]
    """Has something called after so many seconds; not what happens, but what is needed."""


class Embedding:
    """The guest of a connection."""

    def __init__(self, name: str, told: Callbacks) -> None:
        self._name = name
        self._told = told
        self._title = name
        self._picture: Picture | None = None
        self._wanted = False
        self._tray: Any = None
        """The tray's window, while there is a tray."""
        self._window: Any = None
        self._gc: Any = None
        self._depth = 0
        self._docked = False
        self._docked_at = 0.0
        self._drops = 0
        self._said: bool | None = None
        """What was told last of whether it is docked."""
        self.display: Any = None
        """The connection, from ``begin`` on."""

    # --- what is wanted ---------------------------------------------------------------------------

    def want(self, *, shown: bool) -> None:
        """Be in the tray from now on, or not."""
        self._wanted = shown
        self._settle()

    def draw(self, picture: Picture) -> None:
        """Look like this."""
        self._picture = picture
        self._paint()

    def title(self, title: str) -> None:
        """Be called so by programs that list windows: X trays have no tooltips."""
        self._title = title
        self._set_title()

    # --- x11.thread.Guest ----------------------------------------------------------------------

    def begin(self, display: Any) -> None:
        """See ``x11.thread.Guest``."""
        from Xlib import X

        self.display = display
        self._root = display.screen().root
        self._selection = self._atom(f"_NET_SYSTEM_TRAY_S{display.get_default_screen()}")
        # A tray that begins tells so there, with the message MANAGER (ICCCM 2.8): no need to look for it.
        self._root.change_attributes(event_mask=X.StructureNotifyMask)
        self._settle()

    def handle(self, event: Any) -> None:
        """See ``x11.thread.Guest``."""
        from Xlib import X

        ours = self._window is not None and getattr(event, "window", None) == self._window
        match event.type:
            case X.ClientMessage if event.client_type == self._atom("MANAGER"):
                if event.data[1][1] == self._selection:
                    self._drops = 0  # another tray
                    self._settle()
            case X.DestroyNotify if event.window == self._tray:
                self._tray = None
                self._settle()
            case X.DestroyNotify if ours:
                self._window = None
                self._dropped()
            case X.ReparentNotify if ours:
                self._reparented(event.parent)
            case X.ConfigureNotify | X.Expose if ours:
                self._paint()
            case X.ButtonPress if ours:
                self._told.pressed(event)
            case _:
                self._told.other(event)

    def leave(self) -> None:
        """See ``x11.thread.Guest``."""
        self._undock()
        self.display.sync()

    def ended(self, reason: str | None) -> None:
        """See ``x11.thread.Guest``."""
        self._window = self._tray = self._picture = self.display = None
        self._told.ended(reason)

    # --- the tray ---------------------------------------------------------------------------------

    def _atom(self, name: str) -> int:
        return int(self.display.intern_atom(name))

    def _settle(self) -> None:
        """Be where we should be: in the tray there is now, or nowhere."""
        if self.display is None:
            return
        tray = self._present_tray() if self._wanted else None
        if self._window is not None and tray is not None and tray == self._tray:
            return
        self._undock()
        self._tray = tray
        if tray is not None:
            self._dock(tray)
        elif self._wanted:
            self._tell(docked=False)

    def _present_tray(self) -> Any:
        """Return the tray's window, already watched for its end; None when there is none."""
        from Xlib import X

        owner = self.display.get_selection_owner(self._selection)
        if owner == X.NONE:
            return None
        owner.change_attributes(event_mask=X.StructureNotifyMask)
        # It may have ended before it was watched; whoever follows it says MANAGER.
        return owner if self.display.get_selection_owner(self._selection) == owner else None

    def _dock(self, tray: Any) -> None:
        from Xlib import X
        from Xlib.protocol.event import ClientMessage

        self._window = self._new_window(tray)
        self._gc = self._window.create_gc()
        request = (X.CurrentTime, _REQUEST_DOCK, self._window.id, 0, 0)
        opcode = self._atom("_NET_SYSTEM_TRAY_OPCODE")
        tray.send_event(ClientMessage(window=tray, client_type=opcode, data=(32, request)))
        _log.debug("asked the tray to accept the icon")

    def _new_window(self, tray: Any) -> Any:
        from Xlib import X, Xutil

        visual, self._depth = self._visual(tray)
        window = self._root.create_window(
            -_USUAL,
            -_USUAL,
            _USUAL,
            _USUAL,
            0,
            self._depth,
            X.InputOutput,
            visual,
            # All three must be given where the depth is not the root's.
            background_pixel=0,
            border_pixel=0,
            colormap=self._root.create_colormap(visual, X.AllocNone),
            event_mask=X.ExposureMask | X.StructureNotifyMask | X.ButtonPressMask | X.ButtonReleaseMask,
        )
        window.set_wm_class(self._name, self._name)
        window.set_wm_normal_hints(
            flags=Xutil.PMinSize | Xutil.PBaseSize,
            min_width=_USUAL,
            min_height=_USUAL,
            base_width=_USUAL,
            base_height=_USUAL,
        )
        info = self._atom("_XEMBED_INFO")
        window.change_property(info, info, 32, [_EMBED_VERSION, _EMBED_MAPPED])
        self._window = window
        self._set_title()
        return window

    def _visual(self, tray: Any) -> tuple[int, int]:
        """Return the visual the tray wants, and its depth: with 32 bits the tray shows through."""
        screen = self.display.screen()
        wanted = tray.get_full_property(self._atom("_NET_SYSTEM_TRAY_VISUAL"), self._atom("VISUALID"))
        for allowed in screen.allowed_depths:
            for visual in allowed.visuals if allowed.depth in DEPTHS else ():
                if wanted is not None and len(wanted.value) and visual.visual_id == wanted.value[0]:
                    return visual.visual_id, allowed.depth
        return screen.root_visual, screen.root_depth

    def _undock(self) -> None:
        """Take the window away; before its tray can leave it on the desktop, where nobody wants it."""
        if self._window is not None:
            self._window.destroy()
            self._window = None
        self._docked = False

    def _reparented(self, parent: Any) -> None:
        """Tell the X server to paint the tray's own background behind the icon."""
        from Xlib import X

        if parent == self._root:  # the tray lets go of us; its end may follow
            self._dropped()
            return
        self._window.change_attributes(background_pixmap=X.ParentRelative)
        if not self._docked:
            self._docked, self._docked_at = True, time.monotonic()
            self._tell(docked=True)
        self._paint()

    def _dropped(self) -> None:
        """Ask the tray again after a while: it has let go of the icon, perhaps only by mistake."""
        _log.info("the tray has released the icon")
        stayed = time.monotonic() - self._docked_at if self._docked else 0.0
        self._drops = 1 if stayed > KEPT_SECONDS else self._drops + 1
        self._undock()
        self._tell(docked=False)
        self._told.later(pause_after(self._drops - 1, DROPPED_SECONDS), self._dock_again)

    def _dock_again(self) -> None:
        if self._window is None:
            self._settle()

    def _tell(self, *, docked: bool) -> None:
        if docked is not self._said:
            self._said = docked
            self._told.docked(docked)

    # --- the picture ------------------------------------------------------------------------------

    def _set_title(self) -> None:
        if self._window is not None:
            title = self._title.encode()
            self._window.change_property(self._atom("_NET_WM_NAME"), self._atom("UTF8_STRING"), 8, title)

    def _paint(self) -> None:
        """Put the icon in the middle of the window, over the tray's background."""
        from Xlib import error

        if self._window is None or self._picture is None or not self._docked or self._depth not in DEPTHS:
            return
        try:
            shape = self._window.get_geometry()
            self._window.clear_area()
            behind = background(self._window, shape.width, shape.height, self._depth)
        except error.XError:  # it is not on the screen yet, or no longer; an Expose follows
            return
        size = min(shape.width, shape.height)
        place = ((shape.width - size) // 2, (shape.height - size) // 2)
        behind.alpha_composite(self._picture(size), place)
        put(self._window, self._gc, behind, self._depth)


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
        told = Callbacks(
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
