"""What we and pystray take from pyobjc is looked up in its own metadata, out of its wheels for macOS."""

from __future__ import annotations

import ast
import importlib.util
import sys
import types
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from credtray.desktop.clipboard import macos as clipboard_macos
from credtray.desktop.presence import macos as presence_macos
from credtray.desktop.tray import macos as tray_macos

WHEELS = Path(__file__).parents[2] / ".venv" / "macos-wheels"
"""Fetched by ``packaging/environment.sh tools``, checked against requirements/runtime.txt."""
PLACES = {
    "AppKit": ("pyobjc_framework_cocoa", "AppKit"),
    "Foundation": ("pyobjc_framework_cocoa", "Foundation"),
    "Quartz": ("pyobjc_framework_quartz", "Quartz/CoreGraphics"),
}
FRAMEWORKS = {"AppKit": "AppKit", "appkit": "AppKit", "_appkit": "AppKit"} | {
    name: name.title() for name in ("Foundation", "foundation", "Quartz", "quartz")
}
"""How our code and pystray's name a framework."""
STRUCTURES = {"NSPoint"}
"""Types that C knows and that metadata has no line for; ``AppKit`` takes them over from ``Foundation``."""

VARIADIC = "initWithObjectsAndKeys_"
"""Of pystray: a selector that takes as many arguments as one likes."""

pytestmark = pytest.mark.skipif(
    not WHEELS.is_dir(), reason="needs pyobjc's wheels: sh packaging/environment.sh tools"
)


@dataclass
class Framework:
    """The metadata of one framework."""

    values: dict[str, Any] = field(default_factory=dict)
    """Constants (None: known at run time only), enumerations (as texts), functions."""
    selectors: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(class, selector) -> what pyobjc cannot find out by itself: BOOLs, blocks."""
    binary: bytes = b""
    """The compiled part, which names the selectors of protocols."""

    @property
    def classes(self) -> set[str]:
        return {name for name, _ in self.selectors}


def read(name: str, monkeypatch: pytest.MonkeyPatch) -> Framework:
    """Run the generated module ``_metadata`` on a stand-in for ``objc`` that writes down what it is told."""
    prefix, folder = PLACES[name]
    [wheel] = WHEELS.glob(f"{prefix}-*.whl")
    framework = Framework()
    with zipfile.ZipFile(wheel) as archive:
        source = archive.read(f"{folder}/_metadata.py")
        binaries = [
            each for each in archive.namelist() if each.startswith(f"{folder}/_") and each.endswith(".so")
        ]
        framework.binary = b"".join(archive.read(each) for each in binaries)

    class Objc(types.ModuleType):
        arch = "arm64"

        def registerMetaDataForSelector(  # noqa: N802 - pyobjc's name
            self, kind: bytes, selector: bytes, told: dict[str, Any]
        ) -> None:
            framework.selectors[kind.decode(), selector.decode()] = told

        def __getattr__(self, _name: str) -> Any:
            return lambda *_arguments, **_named: None

    monkeypatch.setitem(sys.modules, "objc", Objc("objc"))
    found: dict[str, Any] = {}
    exec(compile(source, f"{folder}/_metadata.py", "exec"), found)  # noqa: S102 - checked by its hash
    for constant in found["constants"].strip("$").split("$"):
        framework.values[constant.partition("@")[0]] = None
    for enumerated in found["enums"].strip("$").split("$"):
        key, _, value = enumerated.partition("@")
        framework.values[key] = value
    framework.values |= found["misc"] | found["functions"]
    return framework


@pytest.fixture(scope="module")
def frameworks() -> dict[str, Framework]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return {name: read(name, monkeypatch) for name in PLACES}


def names_used(source: str) -> set[tuple[str, str]]:
    """Return each framework's names a module uses: ``AppKit.X``, ``self._appkit.X``."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = (
                owner.id
                if isinstance(owner, ast.Name)
                else owner.attr
                if isinstance(owner, ast.Attribute)
                else ""
            )
            if name in FRAMEWORKS:
                used.add((FRAMEWORKS[name], node.attr))
    return used


def sources() -> list[Path]:
    pystray = importlib.util.find_spec("pystray")
    assert pystray is not None
    assert pystray.origin is not None
    ours = [Path(str(module.__file__)) for module in (clipboard_macos, presence_macos, tray_macos)]
    return [*ours, Path(pystray.origin).with_name("_darwin.py")]


@pytest.mark.parametrize("source", sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_name_taken_from_a_framework_exists(source: Path, frameworks: dict[str, Framework]) -> None:
    used = names_used(source.read_text(encoding="utf-8"))
    known = {name: {*each.values, *each.classes, *STRUCTURES} for name, each in frameworks.items()}
    known["AppKit"] |= known["Foundation"]

    assert used
    assert [f"{framework}.{name}" for framework, name in sorted(used) if name not in known[framework]] == []


def test_a_name_that_does_not_exist_is_found(frameworks: dict[str, Framework]) -> None:
    [(framework, name)] = names_used("AppKit.NSWorkspaceWillSlumberNotification")

    assert name not in frameworks[framework].values


def test_numbers_and_texts_written_out_are_apples(frameworks: dict[str, Framework]) -> None:
    assert frameworks["AppKit"].values["NSApplicationActivationPolicyAccessory"] == str(tray_macos._ACCESSORY)
    assert int(frameworks["Foundation"].values["NSActivityUserInitiatedAllowingIdleSystemSleep"]) == 0xEFFFFF
    assert frameworks["AppKit"].values["NSTerminateNow"] == str(tray_macos._TERMINATE_NOW)
    assert frameworks["Quartz"].values["kCGSessionOnConsoleKey"] == "kCGSSessionOnConsoleKey"


@pytest.mark.parametrize(
    ("framework", "kind", "selector", "argument", "wanted"),
    [
        ("AppKit", "NSImage", "setTemplate:", 2, "Z"),
        ("AppKit", "NSMenu", "setAutoenablesItems:", 2, "Z"),
        ("AppKit", "NSMenuItem", "setEnabled:", 2, "Z"),
        ("AppKit", "NSView", "setHidden:", 2, "Z"),
    ],
)
def test_what_is_handed_over_is_a_bool(
    framework: str, kind: str, selector: str, argument: int, wanted: str, frameworks: dict[str, Framework]
) -> None:
    assert frameworks[framework].selectors[kind, selector]["arguments"][argument]["type"] == wanted


def test_pasteboard_says_whether_it_took_the_text(frameworks: dict[str, Framework]) -> None:
    assert frameworks["AppKit"].selectors["NSPasteboard", "setString:forType:"]["retval"]["type"] == "Z"


def test_observers_block_takes_one_notification_and_returns_nothing(frameworks: dict[str, Framework]) -> None:
    told = frameworks["Foundation"].selectors[
        "NSNotificationCenter", "addObserverForName:object:queue:usingBlock:"
    ]
    block = told["arguments"][5]["callable"]

    assert (block["retval"]["type"], sorted(block["arguments"])) == (b"v", [0, 1])


@pytest.mark.parametrize("selector", ["menuWillOpen:", "menuDidClose:", "applicationShouldTerminate:"])
def test_menus_delegate_is_told(selector: str, frameworks: dict[str, Framework]) -> None:
    method = selector.replace(":", "_")
    source = Path(str(tray_macos.__file__)).read_text(encoding="utf-8")

    assert selector.encode() in frameworks["AppKit"].binary
    assert f"def {method}(self" in source


def calls_of_selectors(source: str) -> dict[str, tuple[int, int]]:
    """Return the selectors that a module calls, as ``setSize_``: how many arguments each takes and gets."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name.endswith("_") and not name.startswith("_") and name != VARIADIC:
                found[name] = (name.count("_"), len(node.args))
    return found


@pytest.mark.parametrize("source", sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_selector_gets_as_many_arguments_as_it_has_colons(source: Path) -> None:
    called = calls_of_selectors(source.read_text(encoding="utf-8"))

    assert called
    assert [name for name, (colons, arguments) in called.items() if colons != arguments] == []


def test_a_call_with_too_few_arguments_is_found() -> None:
    assert calls_of_selectors("board.setString_forType_(text)") == {"setString_forType_": (2, 1)}
