"""The picture beside a notification: the icon as it looks then, as each way to show notifications takes it.

Decides nothing about which look that is (see core/notice_pictures). Blocks for some milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from credtray.core.face.look import Look
from credtray.desktop.icon import Panel, draw

PIXELS: Final = 64
"""What daemons draw at 32 to 64 pixels; 16 kB of a message."""
_BITS: Final = 8
_CHANNELS: Final = 4

ImageData = tuple[int, int, int, bool, int, int, bytes]
"""Width, height, bytes of a row, whether it has transparency, bits of a sample, samples of a pixel, rows."""


def image_data(look: Look) -> ImageData:
    """Return the hint ``image-data`` of the Desktop Notifications Specification 1.2, of type (iiibiiay).

    Raises:
        AssetMissing: this installation is incomplete.
    """
    image = draw(look, PIXELS, Panel.AUTO)
    return image.width, image.height, _CHANNELS * image.width, True, _BITS, _CHANNELS, image.tobytes()


def picture_file(look: Look, directory: Path) -> Path:
    """Return a PNG of it in the directory, for programs that read pictures themselves; made when not there.

    Raises:
        AssetMissing: as ``image_data``.
        OSError: the directory cannot be written to.
    """
    path = directory / f"{look.shape.value}-{look.steps}.png"
    if not path.exists():
        draw(look, PIXELS, Panel.AUTO).save(path, "png")
    return path
