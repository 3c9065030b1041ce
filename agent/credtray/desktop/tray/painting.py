"""Keeps an icon of pystray showing the latest face: picture, tooltip and menu, each only when it changed.

Knows no back-end.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from credtray.core.clicks import Click
from credtray.core.icon_state import IconState
from credtray.core.words import plain
from credtray.desktop.icon import SIZES, Panel, draw
from credtray.desktop.panel_theme import wanted_panel
from credtray.menu import Item, Kind
from credtray.menu.tray_view import TrayView

if TYPE_CHECKING:
    from PIL.Image import Image


# The one door to pystray: its import chooses a back-end, may connect to X and may raise, if not told
# better.
#
# Imports nothing by itself; modules with subclasses of pystray's classes (``_sni``, ``_xembed``) are
# imported after ``load_pystray`` only.


_VARIABLE = "PYSTRAY_BACKEND"


def load_pystray(platform: str = sys.platform) -> Any:
    """Return the module ``pystray``; on Linux without a back-end, because ours are chosen at run time.

    Takes about 0.1 s the first time (Pillow): call it in a worker, and in one thread at a time.

    Raises:
        ImportError: it is not installed, or (macOS, Windows) its back-end cannot be had.
    """
    if platform in {"darwin", "win32"}:
        import pystray  # late: heavy, and it chooses its back-end at import

        return pystray
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "dummy"
    try:
        import pystray  # late: heavy, and it chooses its back-end at import
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
    return pystray


# Turns a menu of values into pystray's menu.
#
# Decides nothing about what is in the menu; a click only hands its value over.


Clicked = Callable[[Click], None]
"""Takes a click and returns at once; called on whatever thread the back-end uses."""

_WIDE_BLANK = "\N{FIGURE SPACE}"
"""As wide as a digit, and so no narrower than a letter is on average."""
_CHECKABLE = (Kind.CHECK, Kind.RADIO)


class TrayMenu:
    """Makes one menu after another, and keeps the branches that did not change: 500 profiles are 4000 items.

    Items carry their ``key``, separators do not. An item that cannot be clicked is shown disabled.
    """

    def __init__(self, clicked: Clicked, *, ampersands: bool = False) -> None:
        """``ampersands`` doubles each ``&``, which Windows takes for the mark of a mnemonic."""
        self._clicked = clicked
        self._ampersands = ampersands
        self._branches: dict[str, tuple[Item, Any]] = {}
        """By key, of the last menu's own items: what each was made from, and the item of pystray."""
        self._last: Any = None

    def menu(self, items: Iterable[Item]) -> Any:
        """Return a ``pystray.Menu``; the same object as before when nothing has changed."""
        branches: dict[str, tuple[Item, Any]] = {}
        for item in items:
            before = self._branches.get(item.key)
            if before is None or before[0] != item:
                before = (item, self._item(item))
            branches[item.key] = before
        made = [each for _, each in branches.values()]
        if self._last is None or made != [each for _, each in self._branches.values()]:
            self._last = load_pystray().Menu(*made)
        self._branches = branches
        return self._last

    def _item(self, item: Item) -> Any:
        if item.kind is Kind.SEPARATOR:
            return load_pystray().Menu.SEPARATOR
        label = item.label.replace("&", "&&") if self._ampersands else item.label
        label = label.ljust(item.room, _WIDE_BLANK)
        submenu = None
        if item.kind is Kind.SUBMENU:
            submenu = load_pystray().Menu(*(self._item(child) for child in item.children))
        return _value_item_class()(item, label, submenu, self._clicked)


@functools.cache
def _value_item_class() -> Any:
    menu_item: Any = load_pystray().MenuItem

    class ValueItem(menu_item):  # type: ignore[misc]  # pystray has no types
        """A ``pystray.MenuItem`` of plain values; pystray's own calls a function for whatever it is asked."""

        fixed = True  # to back-ends: the same object is the same menu
        text = checked = radio = default = visible = enabled = submenu = None

        def __init__(self, item: Item, label: str, submenu: Any, clicked: Clicked) -> None:
            self.key = item.key
            self.text = self.__name__ = label
            self.checked = item.checked if item.kind in _CHECKABLE else None
            self.radio = item.kind is Kind.RADIO
            self.default = item.default
            self.visible = submenu is None or bool(item.children)
            can_be_used = submenu is not None or (item.click is not None and item.kind is not Kind.TEXT)
            self.enabled = item.enabled and can_be_used
            self.submenu = self._action = submenu
            self._click = item.click
            self._clicked = clicked

        def __call__(self, _icon: object) -> None:
            if self._click is not None:
                self._clicked(self._click)

    return ValueItem


class Shown:
    """What the tray is to show. Changed on the loop's thread; one painter at a time follows it."""

    def __init__(self, fresh: Callable[[], TrayView] | None = None) -> None:
        self._fresh = fresh
        self._face: TrayView | None = None
        self._found = Panel.AUTO
        self._setting = Panel.AUTO.value
        self.changed = asyncio.Event()
        self.doubted: Callable[[], None] = lambda: None
        """Called when whoever shows the icon may have lost it meanwhile; set by who can find out."""

    def show(self, face: TrayView) -> None:
        """Show this from now on."""
        self._face = face
        self.changed.set()

    def found(self, panel: Panel) -> None:
        """The desktop has told which panel it has."""
        self._found = panel
        self.changed.set()

    def draw_for(self, setting: str) -> None:
        """Follow the setting ``icon``."""
        self._setting = setting
        self.changed.set()

    @property
    def panel(self) -> Panel:
        """What the icon is drawn for."""
        return wanted_panel(self._setting, self._found)

    async def face(self) -> TrayView:
        """Return the latest face; wait for the first one."""
        while self._face is None:
            self.changed.clear()
            await self.changed.wait()
        return self._face

    def renewed(self) -> TrayView | None:
        """Return the face of this very moment, where somebody knows it."""
        if self._fresh is not None:
            self._face = self._fresh()
        return self._face


Draw = Callable[[IconState, Panel], Mapping[int, "Image"]]
"""Returns the icon by size in pixels; called in a worker."""


def usual_images(look: IconState, panel: Panel) -> Mapping[int, Image]:
    """Draw for a panel. See ``Draw``."""
    return {size: draw(look, size, panel) for size in SIZES}


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a new icon starts with, as pystray wants it."""

    images: Mapping[int, Image]
    tooltip: str
    menu: Any

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Name, image, title and menu, in pystray's order."""
        return "credtray", self.images[max(self.images)], self.tooltip, self.menu


class Painter:
    """Paints one icon, a ``pystray.Icon`` that takes ``images``."""

    def __init__(self, shown: Shown, menu: TrayMenu, images: Draw = usual_images) -> None:
        self._shown = shown
        self._menu = menu
        self._images = images
        self._picture: tuple[IconState, Panel] | None = None
        self._items: tuple[Item, ...] = ()
        self._last: Any = None

    async def begin(self) -> Beginning:
        """Return what the icon starts with, as soon as there is a face.

        Raises:
            AssetMissing: this installation is incomplete.
        """
        face = await self._shown.face()
        images = await self._new_images(face.look)
        self._items, self._last = face.menu, self._menu.menu(face.menu)
        return Beginning(images, face.tooltip, self._last)

    async def follow(self, icon: Any) -> None:
        """Paint what changes, forever. Raises as ``begin``."""
        while True:
            self._shown.changed.clear()
            face = await self._shown.face()
            if (face.look, self._shown.panel) != self._picture:
                icon.images = await self._new_images(face.look)
            self._say(icon, face)
            await self._shown.changed.wait()

    def before_show(self, icon: Any) -> None:
        """Bring tooltip and menu to this very moment; the panel waits for it."""
        face = self._shown.renewed()
        if face is not None:
            self._say(icon, face)

    def _say(self, icon: Any, face: TrayView) -> None:
        icon.title = face.tooltip  # pystray sends it only when it is another one
        if face.menu is self._items:
            return
        self._items, before = face.menu, self._last
        self._last = self._menu.menu(face.menu)
        if self._last is not before:
            icon.menu = self._last

    async def _new_images(self, look: IconState) -> Mapping[int, Image]:
        panel = self._shown.panel
        images = await asyncio.to_thread(self._images, look, panel)
        self._picture = (look, panel)
        return images


# Makes a text one that panels and notification daemons show as it stands. Words nothing itself.


# Daemons disagree about markup: some interpret tags without saying so in their capabilities, some say so and
# show `&amp;` as it stands. These look-alikes mean nothing to any of them and are in every font; the
# full-width ampersand is in few, so "R&D" becomes "R+D", which reads the same.
_LOOK_ALIKES: Final = MappingProxyType(
    {
        0x3C: "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        0x3E: "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        0x26: "+",
    }
)


def without_markup(text: str, length: int) -> str:
    """Return the text in one line of at most ``length`` characters that everybody shows as it stands."""
    return plain(text, length).translate(_LOOK_ALIKES)


# What our two back-ends of pystray share: an icon that is drawn for each size, and the making of its class.
#
# Shows nothing: see ``_sni`` and ``_xembed``.


class DrawnIcon:
    """A back-end of pystray without the showing; ``icon_class`` puts it before ``pystray._base.Icon``."""

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
        _update_icon: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._images: Mapping[int, Image] = {}

    @property
    def images(self) -> Mapping[int, Image]:
        """The icon drawn once for each of some sizes, in pixels; instead of ``icon``, which is scaled."""
        return self._images

    @images.setter
    def images(self, images: Mapping[int, Image]) -> None:
        self._images = dict(images)
        self._icon = self._images[max(self._images)]
        self._update_icon()

    def _drawn(self) -> Mapping[int, Image]:
        """Return what is shown, by size: ``images``, or ``icon`` where that was set later."""
        if self._images and self._icon is self._images[max(self._images)]:
            return self._images
        return {self._icon.width: self._icon}


def scaled(images: Mapping[int, Image], size: int) -> Image:
    """Return a square RGBA picture of that size, scaled as little as possible, and rather down than up."""
    from PIL import Image as Pillow

    large_enough = [each for each in images if each >= size]
    image = images[min(large_enough) if large_enough else max(images)].convert("RGBA")
    if image.size != (size, size):
        image = image.resize((size, size), Pillow.Resampling.LANCZOS)
    return image


@functools.cache
def icon_class(back_end: type[DrawnIcon]) -> type:
    """Make the class ``Icon`` of a back-end's module; late, because its base comes with pystray.

    pystray hands a back-end the options that begin with its module's name, such as ``sni_`` for ``_sni``.
    """
    base = load_pystray()._base.Icon  # noqa: SLF001 - what every back-end of pystray derives from
    return type("Icon", (back_end, base), {"__module__": back_end.__module__, "__doc__": back_end.__doc__})
