"""The real clipboard of Windows: what one program copies, `import --clipboard` reads, and in good time."""

from __future__ import annotations

import asyncio
import sys

import pytest

from credtray.core.errors import ClipboardUnreadable
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.clipboard import reading as clipboard_reading
from credtray.desktop.clipboard.reading import clipboard_text

assert sys.platform == "win32"

pytestmark = pytest.mark.windows
PASTE = '$Env:AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG+bPxRfi"\r\nü 漢字 \U0001f600\r\n'


def test_what_was_copied_is_read_and_stays() -> None:
    async def scene() -> list[bytes]:
        clipboard = Clipboard({})
        await clipboard.put(PASTE, secret=True, seconds=60)
        found = [await clipboard_text({}) for _ in range(2)]
        await clipboard.close()
        return [*found, await clipboard_text({})]

    assert asyncio.run(scene()) == [PASTE.encode(), PASTE.encode(), b""]


def test_owner_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = asyncio.Event()

    async def scene() -> None:
        loop = asyncio.get_running_loop()

        def hang(_longest: int) -> bytes:
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
            return b""

        monkeypatch.setattr(clipboard_reading, "ANSWER_SECONDS", 0.05)
        monkeypatch.setattr(clipboard_reading, "windows_text", hang)
        with pytest.raises(ClipboardUnreadable, match="does not answer"):
            await clipboard_text({})
        released.set()

    asyncio.run(scene())
