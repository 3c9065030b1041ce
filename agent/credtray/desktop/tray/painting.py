"""Keeps an icon of pystray showing the latest face: picture, tooltip and menu, each only when it changed.

Knows no back-end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credtray.core.face.face import Face
from credtray.core.face.look import Look
from credtray.core.menu import Item
from credtray.desktop.icon import SIZES, Panel, draw
from credtray.desktop.panel_theme import wanted_panel
from credtray.desktop.tray.menu import TrayMenu

if TYPE_CHECKING:
    from PIL.Image import Image


class Shown:
    """What the tray is to show. Changed on the loop's thread; one painter at a time follows it."""

    def __init__(self, fresh: Callable[[], Face] | None = None) -> None:
        self._fresh = fresh
        self._face: Face | None = None
        self._found = Panel.AUTO
        self._setting = Panel.AUTO.value
        self.changed = asyncio.Event()
        self.doubted: Callable[[], None] = lambda: None
        """Called when whoever shows the icon may have lost it meanwhile; set by who can find out."""

    def show(self, face: Face) -> None:
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

    async def face(self) -> Face:
        """Return the latest face; wait for the first one."""
        while self._face is None:
            self.changed.clear()
            await self.changed.wait()
        return self._face

    def renewed(self) -> Face | None:
        """Return the face of this very moment, where somebody knows it."""
        if self._fresh is not None:
            self._face = self._fresh()
        return self._face


Draw = Callable[[Look, Panel], Mapping[int, "Image"]]
"""Returns the icon by size in pixels; called in a worker."""


def usual_images(look: Look, panel: Panel) -> Mapping[int, Image]:
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
        self._picture: tuple[Look, Panel] | None = None
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

    def _say(self, icon: Any, face: Face) -> None:
        icon.title = face.tooltip  # pystray sends it only when it is another one
        if face.menu is self._items:
            return
        self._items, before = face.menu, self._last
        self._last = self._menu.menu(face.menu)
        if self._last is not before:
            icon.menu = self._last

    async def _new_images(self, look: Look) -> Mapping[int, Image]:
        panel = self._shown.panel
        images = await asyncio.to_thread(self._images, look, panel)
        self._picture = (look, panel)
        return images
