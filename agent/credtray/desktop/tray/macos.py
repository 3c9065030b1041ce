"""pystray's icon for macOS with what it leaves out. Type-checked, but never run there by its authors.

To be used on the main thread, but for ``on_main``.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from credtray.core.icon_state import IconState
from credtray.desktop.icon import Panel, template
from credtray.desktop.tray.painting import load_pystray

if TYPE_CHECKING:
    from PIL.Image import Image

AMPERSANDS = False
_PIXELS = 44
_POINTS = 22
"""Height of the icon in the menu bar; two pixels a point on the screens Apple has sold since 2014."""
_ACCESSORY = 1
"""NSApplicationActivationPolicyAccessory: no icon in the Dock."""


def images(look: IconState, _panel: Panel) -> Mapping[int, Image]:
    """Return a template: the system chooses the colour. See ``painting.Draw``."""
    return {_PIXELS: template(look, _PIXELS)}


@functools.cache
def icon_class() -> Callable[..., Any]:
    """See ``native.NativeBackEnd``."""
    base: Any = load_pystray().Icon

    class MenuBarIcon(base):  # type: ignore[misc]  # pystray has no types
        @property
        def images(self) -> Mapping[int, Image]:
            return {_PIXELS: self.icon}

        @images.setter
        def images(self, images: Mapping[int, Image]) -> None:
            self.icon = images[_PIXELS]

        def on_main(self, work: Callable[[], None]) -> None:
            from PyObjCTools import AppHelper  # type: ignore[import-not-found]  # macOS only

            AppHelper.callAfter(work)

        def _run(self) -> None:
            """Without pystray's handler of Ctrl-C, which ends the process at once: see ``main_thread``."""
            self._app.setActivationPolicy_(_ACCESSORY)
            self._mark_ready()
            try:
                self._app.run()
            finally:
                self._status_bar.removeStatusItem_(self._status_item)

        def _assert_image(self) -> None:
            self._icon_image = _template_image(self.icon)
            self._status_item.button().setImage_(self._icon_image)

    return MenuBarIcon


def _template_image(image: Image) -> Any:
    """Return an NSImage with all pixels, whose colour the system chooses."""
    import AppKit  # type: ignore[import-not-found]  # macOS only
    import Foundation  # type: ignore[import-not-found]  # macOS only

    buffer = io.BytesIO()
    image.save(buffer, "png")
    made = AppKit.NSImage.alloc().initWithData_(Foundation.NSData(buffer.getvalue()))
    made.setSize_((_POINTS, _POINTS))
    made.setTemplate_(True)
    return made
