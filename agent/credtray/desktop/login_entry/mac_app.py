"""macOS: an application of the user that runs credtray in the Python it is installed in.

macOS shows notifications of signed applications only, and a Python outside of one has no name, icon or place
in System Settings. The program inside is py2app's, a few kilobytes that load Python's library into the
application's own process. It is made on the machine itself: nothing of it was downloaded, so Gatekeeper has
nothing to ask. Nobody has run it on a Mac.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credtray import __version__
from credtray.core.errors import AutostartRefused, FileRefused, FileUnwritable
from credtray.core.shell_words import command_line
from credtray.desktop.login_entry import EntryFile, Found
from credtray.desktop.login_entry.macos import MARK, document_in, property_list
from credtray.desktop.paths import asset
from credtray.files.directory_safety import make_directory

IDENTIFIER = "io.credtray.app"
_COMMAND = "CredtrayCommand"
"""A key of ours: what a click starts."""
_CODESIGN = "/usr/bin/codesign"
_SECONDS = 60.0
_OLDEST = "11.0"
_PROGRAM = "main-universal2"
_REACHED = (3, 15)
"""From this Python on there is no ``Py_SetProgramName``, which py2app's program calls."""
_ICON_SIZES = (512, 256, 128, 64, 32)

_BOOT = '''\
"""Starts credtray in its application. Written by credtray; `credtray app` writes it anew."""

import os
import site
import sys

# py2app's program sets these for itself; what credtray starts must not inherit them.
for name in {variables!r}:
    os.environ.pop(name, None)
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if path and os.path.realpath(path) != os.path.realpath(here)]
for packages in {packages!r}:
    site.addsitedir(packages)
sys.executable = {python!r}  # the application's own link to it knows no packages
words = [word for word in sys.argv[1:] if not word.startswith("-psn_")]  # from Finder
sys.argv = ["credtray", *(words or {click!r})]

from credtray.__main__ import main

sys.exit(main())
'''

_VARIABLES = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONOPTIMIZE"),
    *("RESOURCEPATH", "EXECUTABLEPATH", "ARGVZERO", "_PY2APP_LAUNCHED_"),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """The Python that the application runs in, and where its packages are."""

    python: Path
    library: Path
    """Its shared library, which the application loads."""
    packages: tuple[Path, ...]
    program: Path
    """py2app's, which loads it."""

    @classmethod
    def own(cls) -> Installation:
        """Return that of this process.

        Raises:
            AutostartRefused: this Python cannot be loaded into an application.
        """
        if sys.version_info >= _REACHED:
            raise AutostartRefused(
                f"Python {sys.version_info[0]}.{sys.version_info[1]} cannot be loaded into an application",
                hint="Install credtray with Python 3.14 or older.",
            )
        library = library_of(sysconfig.get_config_vars(), sysconfig.get_python_version())
        if library is None or not library.exists():
            raise AutostartRefused(
                "this Python has no shared library, which an application needs",
                hint="Install credtray with a Python from python.org, Homebrew or uv.",
            )
        return cls(Path(sys.executable).absolute(), library, _packages(), _py2app_program())


def library_of(variables: Mapping[str, Any], version: str) -> Path | None:
    """Return the shared library of a Python with these ``sysconfig`` variables; None: it has none."""
    framework, place = variables.get("PYTHONFRAMEWORK"), variables.get("PYTHONFRAMEWORKPREFIX")
    if framework and place:
        return Path(place, f"{framework}.framework", "Versions", version, framework)
    name = str(variables.get("LDLIBRARY") or "")
    shared = name.endswith((".dylib", ".so")) or ".so." in name
    return Path(str(variables.get("LIBDIR")), name) if shared and variables.get("LIBDIR") else None


def _packages() -> tuple[Path, ...]:
    """Return the folders from which credtray and what it needs are imported."""
    source = Path(__file__).parents[3]
    installed = [Path(place) for place in (*site.getsitepackages(), site.getusersitepackages())]
    own = [place for place in installed if str(place) in sys.path]
    return tuple(dict.fromkeys([*own, source]))


def _py2app_program() -> Path:
    found = importlib.util.find_spec("py2app")
    if found is None or found.origin is None:
        raise AutostartRefused(
            "py2app is missing, which is part of credtray on macOS", hint="Install it again."
        )
    return Path(found.origin).parent / "apptemplate" / "prebuilt" / _PROGRAM


@dataclass(frozen=True, slots=True)
class Application:
    """Implements ``LoginEntry`` for what Finder, Launchpad and Spotlight show."""

    folder: Path
    """The application: ``~/Applications/credtray.app``."""
    installation: Installation | None = None
    """This process's own when not given."""
    codesign: str = _CODESIGN

    @classmethod
    def of_user(cls) -> Application:
        """Return that of the user who runs this."""
        return cls(Path.home() / "Applications" / "credtray.app")

    @property
    def place(self) -> str:
        """The application."""
        return str(self.folder)

    @property
    def program(self) -> Path:
        """What runs in it: takes the words that ``credtray`` takes."""
        return self.folder / "Contents" / "MacOS" / "credtray"

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return the property list that describes the application; a click on it does *command*."""
        made_in = self._made_in
        document = {
            "CFBundleDisplayName": "credtray",
            "CFBundleExecutable": "credtray",
            "CFBundleIconFile": "credtray.icns",
            "CFBundleIdentifier": IDENTIFIER,
            "CFBundleInfoDictionaryVersion": "6.0",
            "CFBundleName": "credtray",
            "CFBundlePackageType": "APPL",
            "CFBundleShortVersionString": __version__,
            "CFBundleVersion": __version__,
            "LSMinimumSystemVersion": _OLDEST,
            "LSUIElement": True,  # an icon in the menu bar, and none in the Dock
            "NSHighResolutionCapable": True,
            "PyMainFileNames": ["__boot__"],
            "PyRuntimeLocations": [str(made_in.library)],
            MARK: __version__,
            _COMMAND: list(command),
        }
        return property_list(document, command)

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the command as a shell would take it."""
        return command_line(command, windows=False)

    def found(self) -> Found | None:
        """Return what the application says of itself."""
        if not self.folder.exists() and not self.folder.is_symlink():
            return None
        content = EntryFile(self.folder / "Contents" / "Info.plist").read() or b""
        document = document_in(content)
        words = document.get(_COMMAND)
        command = [str(word) for word in words] if isinstance(words, list) else []
        return Found(
            content,
            ours=MARK in document and not self.folder.is_symlink(),
            starts=command_line(command, windows=False),
            program=command[0] if command else None,
            words=tuple(command),
        )

    def write(self, content: bytes) -> None:
        """Make the application beside its place, sign it, and put it there whole."""
        try:
            make_directory(self.folder.parent)
            with tempfile.TemporaryDirectory(prefix=".credtray-", dir=self.folder.parent) as place:
                made, before = Path(place) / self.folder.name, Path(place) / "before"
                self._fill(made / "Contents", content)
                self._sign(made)
                if self.folder.exists():
                    self.folder.rename(before)
                try:
                    made.rename(self.folder)
                except OSError:
                    if before.exists():
                        before.rename(self.folder)
                    raise
        except OSError as error:
            raise AutostartRefused(f"{self.folder} cannot be written: {error.strerror}") from error
        except (FileRefused, FileUnwritable) as error:
            raise AutostartRefused(error.detail) from error

    def remove(self) -> None:
        """Take the application away; one that runs goes on running."""
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as error:
            raise AutostartRefused(f"{self.folder} cannot be removed: {error.strerror}") from error

    @property
    def _made_in(self) -> Installation:
        return self.installation or Installation.own()

    def _fill(self, contents: Path, info: bytes) -> None:
        made_in, command = self._made_in, document_in(info).get(_COMMAND, [])
        programs, resources = contents / "MacOS", contents / "Resources"
        programs.mkdir(parents=True)
        resources.mkdir()
        (contents / "Info.plist").write_bytes(info)
        (contents / "PkgInfo").write_bytes(b"APPL????")
        shutil.copyfile(made_in.program, programs / "credtray")
        (programs / "credtray").chmod(0o755)
        # Python finds its own modules from here. A file instead of a link would make it look into Resources.
        (programs / "python").symlink_to(made_in.python)
        boot = _BOOT.format(
            variables=_VARIABLES,
            packages=[str(place) for place in made_in.packages],
            python=str(made_in.python),
            click=_words_of(command),
        )
        (resources / "__boot__.py").write_text(boot, "utf-8")
        (resources / "credtray.icns").write_bytes(icon())

    def _sign(self, application: Path) -> None:
        """Sign it with no certificate: Apple's own processors run nothing unsigned.

        Raises:
            AutostartRefused: codesign is missing or refuses.
        """
        command = [self.codesign, "--force", "--sign", "-", str(application)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - a fixed program
        except subprocess.TimeoutExpired:
            raise AutostartRefused(f"{self.codesign} does not end") from None
        if done.returncode != 0:
            told = done.stderr.strip().splitlines()
            raise AutostartRefused(f"it cannot be signed: {told[-1] if told else done.returncode}")


def _words_of(command: list[str]) -> list[str]:
    """Return what follows the name of the program in a command of ours."""
    return command[command.index("credtray") + 1 :] if "credtray" in command else command[3:]


def icon() -> bytes:
    """Return the icon in the sizes that Finder asks for."""
    from PIL import Image  # slow

    largest, *smaller = (Image.open(io.BytesIO(asset(f"credtray-{size}.png"))) for size in _ICON_SIZES)
    made = io.BytesIO()
    largest.save(made, format="ICNS", append_images=smaller)
    return made.getvalue()


def program_in_application(python: str) -> str | None:
    """Return the application's program where there is an application that runs in this Python.

    Started through it, the agent has the application's name, icon and permission to show notifications.
    """
    application = Application.of_user()
    try:
        link = application.program.with_name("python").readlink()
    except OSError:
        return None
    found = application.found()
    return str(application.program) if found is not None and found.ours and link == Path(python) else None
