"""Stand-ins for pyobjc, faithful to what pystray and credtray use of it; no Mac is at hand.

``Mac.install`` puts them where the real modules would be: pystray's own back-end for macOS runs on them. What
is used of pyobjc is looked up in its metadata by ``test_pyobjc_metadata.py``.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest


class NSObject:
    """Anything of Objective-C: made by ``alloc().init()``."""

    @classmethod
    def alloc(cls) -> Any:
        return cls.__new__(cls)

    def init(self) -> Any:
        return self


class NSImage(NSObject):
    def initWithData_(self, data: bytes) -> NSImage:  # noqa: N802 - Apple's name
        self.data = data
        return self

    def setSize_(self, size: tuple[int, int]) -> None:  # noqa: N802 - Apple's name
        self.size = size

    def setTemplate_(self, is_template: bool) -> None:  # noqa: N802, FBT001 - Apple's call
        self.is_template = is_template


class NSMenuItem(NSObject):
    """One line of a menu; ``choose`` is what AppKit does when a person clicks it."""

    @classmethod
    def separatorItem(cls) -> NSMenuItem:  # noqa: N802 - Apple's name
        return cls().initWithTitle_action_keyEquivalent_("", b"", "")

    def initWithTitle_action_keyEquivalent_(  # noqa: N802 - Apple's name
        self, title: str, action: bytes, _key: str
    ) -> NSMenuItem:
        self.title, self.action = title, action
        self.submenu: NSMenu | None = None
        self.target: Any = None
        self.number, self.state, self.enabled = 0, 0, True
        self.represented: Any = None
        return self

    def setAction_(self, action: bytes) -> None:  # noqa: N802 - Apple's name
        self.action = action

    def setSubmenu_(self, menu: NSMenu) -> None:  # noqa: N802 - Apple's name
        self.submenu = menu

    def setTarget_(self, target: Any) -> None:  # noqa: N802 - Apple's name
        self.target = target

    def setTag_(self, number: int) -> None:  # noqa: N802 - Apple's name
        self.number = number

    def tag(self) -> int:
        return self.number

    def setState_(self, state: int) -> None:  # noqa: N802 - Apple's name
        self.state = state

    def setEnabled_(self, enabled: bool) -> None:  # noqa: N802, FBT001 - Apple's call
        self.enabled = enabled

    def setAttributedTitle_(self, title: Any) -> None:  # noqa: N802 - Apple's name
        self.bold = title

    def setRepresentedObject_(self, represented: Any) -> None:  # noqa: N802 - Apple's name
        self.represented = represented

    def representedObject(self) -> Any:  # noqa: N802 - Apple's name
        return self.represented

    def choose(self) -> None:
        methods = (method for kind in type(self.target).__mro__ for method in vars(kind).values())
        sent = next(method for method in methods if getattr(method, "selector", None) == self.action)
        sent(self.target, self)


class NSMenu(NSObject):
    def initWithTitle_(self, _title: str) -> NSMenu:  # noqa: N802 - Apple's name
        self.items: list[NSMenuItem] = []
        self.delegate: Any = None
        return self

    def setAutoenablesItems_(self, _does: bool) -> None:  # noqa: N802, FBT001 - Apple's call
        pass

    def addItem_(self, item: NSMenuItem) -> None:  # noqa: N802 - Apple's name
        self.items.append(item)

    def setDelegate_(self, delegate: Any) -> None:  # noqa: N802 - Apple's name
        self.delegate = delegate

    def open(self) -> None:
        """A person has clicked the icon."""
        if self.delegate is not None and hasattr(self.delegate, "menuWillOpen_"):
            self.delegate.menuWillOpen_(self)

    def click(self, title: str) -> None:
        """A person chooses an item: AppKit closes the menu first, and sends the action then."""
        self.close()
        self.choose(title)

    def close(self) -> None:
        if self.delegate is not None and hasattr(self.delegate, "menuDidClose_"):
            self.delegate.menuDidClose_(self)

    def choose(self, title: str) -> None:
        next(item for item in self.items if item.title == title).choose()


class Application:
    """NSApplication: its loop, and what it does when the session ends."""

    def __init__(self, mac: Mac) -> None:
        self._mac = mac
        self.delegate: Any = None

    def setActivationPolicy_(self, policy: int) -> None:  # noqa: N802 - Apple's name
        self._mac.policy = policy

    def setDelegate_(self, delegate: Any) -> None:  # noqa: N802 - Apple's name
        self.delegate = delegate

    def run(self) -> None:
        self._mac.turn()
        if self._mac.logs_out:
            self.terminate_(None)

    def terminate_(self, _sender: object) -> None:
        """Ask the delegate as AppKit does; unless it wants to wait, the process is gone."""
        asked = getattr(self.delegate, "applicationShouldTerminate_", lambda _: 1)
        if asked(self) == 1:
            raise ProcessGoneError


class ProcessGoneError(BaseException):
    """exit(3): no code of ours runs after it."""


class StatusItem:
    """NSStatusItem and its button in one."""

    def __init__(self) -> None:
        self.menu: NSMenu | None = None
        self.is_shown = True
        self.tooltip = ""
        self.target: Any = None

    def button(self) -> StatusItem:
        return self

    def setMenu_(self, menu: NSMenu | None) -> None:  # noqa: N802 - Apple's name
        self.menu = menu

    def setTarget_(self, target: Any) -> None:  # noqa: N802 - Apple's name
        self.target = target

    def setAction_(self, _action: bytes) -> None:  # noqa: N802 - Apple's name
        pass

    def setHidden_(self, hidden: bool) -> None:  # noqa: N802, FBT001 - Apple's call
        self.is_shown = not hidden

    def setToolTip_(self, text: str) -> None:  # noqa: N802 - Apple's name
        self.tooltip = text

    def setImage_(self, image: NSImage) -> None:  # noqa: N802 - Apple's name
        self.image = image


class Mac:
    """One session: its menu bar, and a main run loop that runs what was handed to it when told to."""

    def __init__(self) -> None:
        self.items: list[StatusItem] = []
        self.policy: int | None = None
        self.session: dict[str, Any] | None = {"kCGSSessionOnConsoleKey": True}
        """None: this process was not started at the screen."""
        self.activities = 0
        """What keeps the process from being put to sleep."""
        self.logs_out = False
        """Whether the session ends as soon as the application runs."""
        self._later: deque[Callable[[], None]] = deque()

    def call_after(self, work: Callable[[], None]) -> None:
        self._later.append(work)

    def turn(self) -> None:
        """Let the run loop do what was handed to it, as it does while a menu is open, too."""
        while self._later:
            self._later.popleft()()

    def _begin_activity(self, options: int, _reason: str) -> object:
        self.activities |= options
        return object()

    def new_item(self, _length: float) -> StatusItem:
        self.items.append(StatusItem())
        return self.items[-1]

    def modules(self) -> dict[str, types.ModuleType]:
        """Return the modules by name."""
        bar = types.SimpleNamespace(statusItemWithLength_=self.new_item, removeStatusItem_=self.items.remove)
        application = Application(self)
        process = types.SimpleNamespace(beginActivityWithOptions_reason_=self._begin_activity)
        appkit = _module(
            "AppKit",
            NSApplication=types.SimpleNamespace(sharedApplication=lambda: application),
            NSStatusBar=types.SimpleNamespace(systemStatusBar=lambda: bar),
            NSVariableStatusItemLength=-1.0,
            NSMenu=NSMenu,
            NSMenuItem=NSMenuItem,
            NSImage=NSImage,
            NSOnState=1,
            NSOffState=0,
        )
        objc = _module(
            "objc", namedSelector=_named_selector, typedSelector=lambda _types: lambda method: method
        )
        helper = _module("PyObjCTools.AppHelper", callAfter=self.call_after)
        signals = _module("PyObjCTools.MachSignals")
        tools = _module("PyObjCTools", AppHelper=helper, MachSignals=signals)
        foundation = _module(
            "Foundation",
            NSObject=NSObject,
            NSData=bytes,
            NSProcessInfo=types.SimpleNamespace(processInfo=lambda: process),
            NSActivityUserInitiatedAllowingIdleSystemSleep=0xEFFFFF,
        )
        quartz = _module("Quartz", CGSessionCopyCurrentDictionary=lambda: self.session)
        return {each.__name__: each for each in (appkit, objc, helper, signals, tools, foundation, quartz)}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the modules where the real ones would be; pystray's back-end is imported anew on them."""
        for name, module in self.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.delitem(sys.modules, "pystray._darwin", raising=False)


def _module(name: str, **what: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(what)
    return module


def _named_selector(selector: bytes) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def named(method: Callable[..., None]) -> Callable[..., None]:
        vars(method)["selector"] = selector
        return method

    return named
