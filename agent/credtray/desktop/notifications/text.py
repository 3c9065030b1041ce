"""What all ways to show a notification share: its texts cut to size, its picture, and the wait for a loop.

Must not word anything else.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from credtray.core.errors import NotifierUnavailable
from credtray.core.icon_state import IconState
from credtray.desktop.icon import Panel, draw
from credtray.desktop.notifier import sentence
from credtray.desktop.tray.painting import without_markup

TITLE_LENGTH: Final = 120
BODY_LENGTH: Final = 500
LABEL_LENGTH: Final = 40
"""Characters; buttons stand side by side."""
USE_THE_MENU: Final = "To act, use the tray menu."


def body_text(body: str, *, length: int = BODY_LENGTH, without_buttons: bool = False) -> str:
    """Return a notification's body; where buttons were meant to be and cannot, it says what to do instead."""
    told = [USE_THE_MENU] if without_buttons else []
    if body.strip():
        told.insert(0, without_markup(body, length - sum(len(text) + 1 for text in told)))
    return " ".join(told)


def moved_to_body(title: str, body: str, longest: int) -> tuple[str, str]:
    """Return title and body for a server that cuts titles after so many characters: nothing said is lost.

    Of ``corp: sign-in ended`` the title keeps the name, and the body begins with the rest. A title that
    cannot be parted stays, and the body begins with the whole of it.
    """
    if len(title) <= longest:
        return title, body
    name, colon, rest = title.partition(": ")
    parted = bool(colon) and len(name) <= longest
    told = rest[:1].upper() + rest[1:] if parted else title
    return (name if parted else title), f"{sentence(told)} {body}".strip()


# The picture beside a notification: the icon as it looks then, as each way to show notifications takes it.
#
# Decides nothing about which look that is (see core/problem_words). Blocks for some milliseconds.


PIXELS: Final = 64
"""What daemons draw at 32 to 64 pixels; 16 kB of a message."""
_BITS: Final = 8
_CHANNELS: Final = 4

ImageData = tuple[int, int, int, bool, int, int, bytes]
"""Width, height, bytes of a row, whether it has transparency, bits of a sample, samples of a pixel, rows."""


def image_data(look: IconState) -> ImageData:
    """Return the hint ``image-data`` of the Desktop Notifications Specification 1.2, of type (iiibiiay).

    Raises:
        AssetMissing: this installation is incomplete.
    """
    image = draw(look, PIXELS, Panel.AUTO)
    return image.width, image.height, _CHANNELS * image.width, True, _BITS, _CHANNELS, image.tobytes()


def picture_file(look: IconState, directory: Path) -> Path:
    """Return a PNG of it in the directory, for programs that read pictures themselves; made when not there.

    Raises:
        AssetMissing: as ``image_data``.
        OSError: the directory cannot be written to.
    """
    path = directory / f"{look.shape.value}-{look.steps}.png"
    if not path.exists():
        draw(look, PIXELS, Panel.AUTO).save(path, "png")
    return path


# How a worker thread waits for what a loop does: never longer than two seconds, and hears why.
#
# Must not be called on the thread of that very loop: it would wait for itself.


SHOW_SECONDS: Final = 2.0
"""For a notice, from the worker's call to the answer."""
NOT_JOINED: Final = "the agent is not connected to the desktop yet"


def wait_for_loop(
    loop: asyncio.AbstractEventLoop | None,
    work: Callable[[], Coroutine[Any, Any, None]],
    seconds: float = SHOW_SECONDS,
) -> None:
    """Run ``work`` on the loop and wait until it is done.

    Raises:
        NotifierUnavailable: there is no loop, it takes too long (it is given up), or what ``work`` raised.
    """
    if loop is None:
        raise NotifierUnavailable(NOT_JOINED)
    coroutine = work()
    try:
        outcome = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError as error:  # the loop was closed a moment ago
        coroutine.close()
        raise NotifierUnavailable(NOT_JOINED) from error
    try:
        outcome.result(seconds)
    except (TimeoutError, concurrent.futures.CancelledError) as error:
        outcome.cancel()
        raise NotifierUnavailable(f"nothing was shown within {seconds:g} s") from error
