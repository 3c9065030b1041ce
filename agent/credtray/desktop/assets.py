"""Finds the files that belong to credtray and are no code: the icon's colours and its pictures.

Reads only; knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

from credtray.core.errors import AssetMissing

PICTURE = "credtray-64.png"
"""The application's icon, as it stands beside a notification."""


def asset(name: str) -> bytes:
    """Return the content of one file of ``assets/``.

    Raises:
        AssetMissing: there is no such file, or it cannot be read.
    """
    reason = "there is no such file"
    for folder in _folders():
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = error.strerror or reason
    raise AssetMissing(f"{_folders()[0] / name}: {reason}")


def asset_path(name: str) -> Path | None:
    """Return the absolute path of one file of ``assets/``, for programs that read it themselves."""
    return next((folder / name for folder in _folders() if (folder / name).is_file()), None)


def _folders() -> tuple[Path, Path]:
    """Return where it may be: inside the package, as in a wheel; two folders up, as in a checkout."""
    package = Path(__file__).resolve().parent.parent
    return package / "assets", package.parent.parent / "assets"
