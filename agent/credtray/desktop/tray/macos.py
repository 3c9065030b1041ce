"""pystray's icon for macOS with what it leaves out. Type-checked, but never run there by its authors.

To be used on the main thread, but for ``on_main``.
"""

from __future__ import annotations

import functools
import importlib
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
_TERMINATE_NOW = 1
"""NSTerminateNow: AppKit calls exit(3) next, and nothing of ours runs any more."""


def why_not() -> str | None:
    """See ``native.NativeBackEnd``. Without the window server AppKit ends the process."""
    quartz: Any = importlib.import_module("Quartz")
    if quartz.CGSessionCopyCurrentDictionary() is None:
        return "this session has no screen, as over SSH"
    return None


def images(look: IconState, _panel: Panel) -> Mapping[int, Image]:
    """Return a template: the system chooses the colour. See ``painting.Draw``."""
    return {_PIXELS: template(look, _PIXELS)}


@functools.cache
def icon_class() -> Callable[..., Any]:
    """See ``native.NativeBackEnd``."""
    load_pystray()
    darwin: Any = importlib.import_module("pystray._darwin")
    base: Any = _menu_class(darwin)

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
            self._app.setDelegate_(self._delegate)
            self._kept_awake = _kept_awake()
            self._mark_ready()
            try:
                self._app.run()
            finally:
                self._status_bar.removeStatusItem_(self._status_item)

        def _assert_image(self) -> None:
            self._icon_image = _template_image(self.icon)
            self._status_item.button().setImage_(self._icon_image)

    return MenuBarIcon


def _menu_class(darwin: Any) -> Any:
    """Return pystray's icon with a menu that may change while it is open; each item does what it says.

    pystray replaces the menu at any time, and looks up what a clicked item does by the item's number, in the
    menu that is there by then.
    """
    base: Any = darwin.Icon

    class MenuIcon(base):  # type: ignore[misc]  # pystray has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._menu_is_open = False
            self._delegate = _delegate_class(darwin).alloc().init()
            self._delegate.icon = self
            self._status_item.button().setTarget_(self._delegate)

        def _update_menu(self) -> None:
            if self._menu_is_open:  # whatever comes meanwhile is shown as soon as it is closed
                return
            super()._update_menu()
            if self._menu_handle is not None:
                self._menu_handle[0].setDelegate_(self._delegate)

        def _create_menu_item(self, descriptor: Any, callbacks: list[Any]) -> Any:
            made = super()._create_menu_item(descriptor, callbacks)
            made.setRepresentedObject_(self._handler(descriptor))
            return made

        def menu_opened(self) -> None:
            self._menu_is_open = True

        def menu_closed(self) -> None:
            self._menu_is_open = False
            self.on_main(self.update_menu)  # later: AppKit closes a menu before it sends the item's action

    return MenuIcon


def _kept_awake() -> Any:
    """Keep macOS from slowing us down as an app that nobody looks at (App Nap), for as long as this is held.

    Commands wait for answers, and keys have to be renewed in time. The machine may sleep all the same.
    """
    foundation: Any = importlib.import_module("Foundation")
    return foundation.NSProcessInfo.processInfo().beginActivityWithOptions_reason_(
        foundation.NSActivityUserInitiatedAllowingIdleSystemSleep, "keeps AWS credentials fresh"
    )


@functools.cache
def _delegate_class(darwin: Any) -> Any:
    """Return pystray's delegate with ours above it; the Objective-C runtime takes each class once."""
    objc: Any = importlib.import_module("objc")

    class CredtrayMenuDelegate(darwin.IconDelegate):  # type: ignore[misc]  # pyobjc has no types
        @objc.namedSelector(b"activateMenuItem:sender")  # type: ignore[untyped-decorator]  # as above
        def activate_menu_item(self, sender: Any) -> None:
            sender.representedObject()(self.icon)

        def menuWillOpen_(self, _menu: Any) -> None:  # noqa: N802 - Apple's name
            self.icon.menu_opened()

        def menuDidClose_(self, _menu: Any) -> None:  # noqa: N802 - Apple's name
            self.icon.menu_closed()

        @objc.typedSelector(b"Q@:@")  # type: ignore[untyped-decorator]  # as above
        def applicationShouldTerminate_(self, _app: Any) -> int:  # noqa: N802 - Apple's name
            # At logout, restart and shutdown: the keys must be out of the files before the process is gone.
            self.icon.end_session()
            return _TERMINATE_NOW

    return CredtrayMenuDelegate


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
