"""How this credtray was installed, and so which command takes the program itself away.

Recognised by what each installer leaves beside it. Runs none of them, and asks no network.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path, PurePath

from credtray.core.forms import Form
from credtray.core.shell_words import PURGE_WITH_APT, REMOVE_WITH_DNF, command_line, program_word, word
from credtray.desktop.paths import one_file

_NAME = "credtray"
_OPT = Path("/opt/credtray")
_UVX_FOLDERS = ("archive-v", "environments-v")
"""How folders of uv's cache begin in which it runs what is not installed."""
_OWN_FOLDER = (".local", "share", "credtray-venv")
"""Where `make install` puts it, and our pages tell people to put it; the command is a link beside."""
_DPKG = "var/lib/dpkg/info/credtray.list"


class Installer(Enum):
    """What has installed it."""

    APT = "apt"
    DNF = "dnf"
    BREW = "brew"
    PIPX = "pipx"
    UV_TOOL = "uv tool"
    UVX = "uvx"
    UV = "uv"
    PIP = "pip"
    OWN_FOLDER = "make install"
    ONE_FILE = "credtray.pyz"
    WINDOWS = "Windows installer"
    CHECKOUT = "checkout"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of an installation."""

    package: PurePath
    """The directory of our code."""
    prefix: PurePath
    python: str
    markers: frozenset[str] = frozenset()
    """Of ``pipx_metadata.json`` and ``uv-receipt.toml`` those that lie in the prefix."""
    recorded_by: str | None = None
    """The installer that the package's metadata names; None: there are none, it was never installed."""
    editable: bool = False
    by_dpkg: bool = False
    """dpkg knows of it."""
    one_file: str | None = None
    """The path of credtray.pyz, when it runs from there."""
    uninstaller: str | None = None
    """The command that the registry of Windows holds."""
    shell: Form | None = None
    """Whose words the command is to be in; None: the one in use."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to do about the program itself."""

    installer: Installer
    command: str | None
    """To be typed; None where there is none."""
    words: str
    """For a person."""


_RUN = {
    Installer.APT: PURGE_WITH_APT.posix,
    Installer.DNF: REMOVE_WITH_DNF.posix,
    Installer.BREW: "brew uninstall credtray",
    Installer.PIPX: "pipx uninstall credtray",
    Installer.UV_TOOL: "uv tool uninstall credtray",
}


def remaining(facts: Facts) -> Remaining:
    """Return which command removes the program."""
    installer = installer_of(facts)
    command = _RUN.get(installer)
    match installer:
        case Installer.UVX:
            return Remaining(installer, None, "The program itself was only run by uvx: nothing is installed.")
        case Installer.ONE_FILE:
            words = f"The program itself is one file. Delete it: {facts.one_file}"
            return Remaining(installer, None, words)
        case Installer.CHECKOUT:
            words = f"The program itself runs from a checkout. Delete it if you like: {_checkout(facts)}"
            return Remaining(installer, None, words)
        case Installer.WINDOWS:
            words = "To remove the program itself: Settings > Apps > Installed apps > credtray > Uninstall"
            return Remaining(installer, facts.uninstaller, words)
        case Installer.OWN_FOLDER:
            link = facts.prefix.parents[1] / "bin" / _NAME
            command = command_line(["rm", "-rf", str(facts.prefix), str(link)], windows=False)
        case Installer.PIP:
            command = f"{program_word(facts.python, facts.shell)} -m pip uninstall {_NAME}"
        case Installer.UV:
            command = f"uv pip uninstall --python {word(facts.python, facts.shell)} {_NAME}"
    return Remaining(installer, command, f"To remove the program itself, run: {command}")


def installer_of(facts: Facts) -> Installer:
    """Return who has installed it, the surest sign first."""
    parts = {*facts.package.parts, *facts.prefix.parts}
    signs = (
        (facts.one_file is not None, Installer.ONE_FILE),
        (facts.uninstaller is not None, Installer.WINDOWS),
        (facts.package.is_relative_to(_OPT), Installer.APT if facts.by_dpkg else Installer.DNF),
        ("Cellar" in parts, Installer.BREW),
        ("pipx_metadata.json" in facts.markers, Installer.PIPX),
        ("uv-receipt.toml" in facts.markers, Installer.UV_TOOL),
        (facts.recorded_by is None or facts.editable, Installer.CHECKOUT),
        (facts.prefix.parts[-3:] == _OWN_FOLDER, Installer.OWN_FOLDER),
        (any(part.startswith(_UVX_FOLDERS) for part in facts.prefix.parts), Installer.UVX),
        (facts.recorded_by == "uv", Installer.UV),
    )
    return next((installer for found, installer in signs if found), Installer.PIP)


def _checkout(facts: Facts) -> PurePath:
    """Return the checkout's own directory: two above the code."""
    return facts.package.parents[1]


def look(uninstaller: str | None = None, root: Path = Path("/")) -> Facts:
    """Look at this installation.

    Args:
        uninstaller: what the registry of Windows holds of it.
        root: where the machine's own files begin.
    """
    package, prefix = Path(__file__).resolve().parents[1], Path(sys.prefix)
    recorded, editable = _recorded(package)
    return Facts(
        package,
        prefix,
        sys.executable,
        frozenset(name for name in ("pipx_metadata.json", "uv-receipt.toml") if (prefix / name).is_file()),
        recorded,
        editable,
        by_dpkg=(root / _DPKG).is_file(),
        one_file=_one_file(package),
        uninstaller=uninstaller,
    )


def _recorded(package: Path) -> tuple[str | None, bool]:
    """Return who installed the package of that name, if it is this very code, and whether as a checkout."""
    try:
        found = metadata.distribution(_NAME)
    except metadata.PackageNotFoundError:
        return None, False
    editable = '"editable": true' in (found.read_text("direct_url.json") or "")
    beside = Path(str(found.locate_file(_NAME)))
    if not editable and beside.resolve() != package:
        return None, False  # another one, which this code only sees
    return (found.read_text("INSTALLER") or "pip").strip(), editable


def _one_file(package: Path) -> str | None:
    """Return credtray.pyz, when that is what runs."""
    if "one-file" not in package.parts:
        return None
    return str(one_file() or Path(sys.argv[0]).absolute())


def own_directories() -> list[Path]:
    """Return the directories that hold this installation and its command."""
    package, own = Path(__file__).resolve().parents[1], [Path(sys.prefix).resolve()]
    base = Path(site.getuserbase())
    if package.is_relative_to(base.resolve()):  # by `pip install --user`
        own.append((base / "bin").resolve())
    return [*own, _OPT]


def others(environ: Mapping[str, str], own: Sequence[Path]) -> Iterator[Path]:
    """Yield further commands called credtray on PATH, which do not belong to this installation.

    Args:
        environ: where PATH is.
        own: directories of this installation.
    """
    suffixes = ("", ".exe", ".cmd") if os.name == "nt" else ("",)
    seen: set[Path] = set()
    for folder in environ.get("PATH", "").split(os.pathsep):
        for suffix in suffixes:
            command = Path(folder, _NAME + suffix)
            if not os.path.isabs(folder) or not os.access(command, os.X_OK) or command.is_dir():  # noqa: PTH117 -- an empty one is no path
                continue
            real = command.resolve()
            if real not in seen and not any(real.is_relative_to(each) for each in own):
                seen.add(real)
                yield command
