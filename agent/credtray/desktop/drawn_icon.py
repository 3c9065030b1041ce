"""What our two back-ends of pystray share: an icon that is drawn for each size, and the making of its class.

Shows nothing: see ``_sni`` and ``_xembed``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from credtray.desktop.pystray_import import load_pystray

if TYPE_CHECKING:
    from PIL.Image import Image


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
