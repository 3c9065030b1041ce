r"""Lays out what the installers for Windows install, in a folder of one user.

    python packaging/windows_tree.py FOLDER

Wants python.org's embeddable Python in FOLDER\python already (packaging/windows.sh unpack). Adds the locked
wheels and two small programs that start it, and tells that Python to know nothing but this folder.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from one_file import archive
from PIL import Image
from site_packages import ROOT, epoch, fill

VERSION = "3.13"
PATHS = f"python{VERSION.replace('.', '')}.zip\n.\nLib\\site-packages\nimport site\n"
"""With this file beside it, Python reads no PYTHON* variable, no registry, and nothing of the user's."""
STARTS = "import sys\nfrom credtray.__main__ import {0}\nsys.exit({0}())\n"
PROGRAMS = (
    ("credtray.exe", "t64.exe", "python.exe", "main"),
    ("credtrayw.exe", "w64.exe", "pythonw.exe", "main"),
    ("docker-credential-credtray.exe", "t64.exe", "python.exe", "docker_credential"),
)
"""Name, distlib's launcher (with a console or without one), the Python that it starts, what that calls."""
ICON_SIZES = (16, 32, 48, 64, 128, 256)


def lay_out(folder: Path) -> None:
    """Fill the folder."""
    python = folder / "python"
    (name,) = python.glob("python3??.dll")
    if name.stem != f"python{VERSION.replace('.', '')}":
        raise SystemExit(f"windows_tree: {name.name} is no Python {VERSION}")
    (python / f"{name.stem}._pth").write_text(PATHS, "ascii", newline="\r\n")
    fill(python / "Lib" / "site-packages", "x86_64-pc-windows-msvc", VERSION)
    for program, launcher, interpreter, called in PROGRAMS:
        (folder / program).write_bytes(starter(launcher, interpreter, called))
    shutil.copy(ROOT / "packaging" / "windows" / "installed.py", folder)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE.txt")
    icon(folder / "credtray.ico")
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (epoch(), epoch()))


def starter(launcher: str, interpreter: str, called: str) -> bytes:
    """Return a program that starts the Python beside it: distlib's launcher, a line and an archive."""
    (found,) = (ROOT / ".venv" / "packaging").glob(f"lib/python*/site-packages/distlib/{launcher}")
    return found.read_bytes() + archive(
        {"__main__.py": STARTS.format(called).encode()},
        zipfile.ZIP_STORED,
        f"#!<launcher_dir>\\python\\{interpreter} -I\n".encode(),
    )


def icon(path: Path) -> None:
    """Write the icon of installer and shortcut."""
    picture = Image.open(ROOT / "assets" / "credtray-256.png")
    out = BytesIO()
    picture.save(out, "ICO", sizes=[(size, size) for size in ICON_SIZES])
    path.write_bytes(out.getvalue())


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]).resolve())
