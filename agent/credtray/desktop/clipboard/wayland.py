"""Holds a text on a Wayland clipboard through the programs wl-copy and wl-paste (wl-clipboard).

Hands the text over on standard input only, and leaves no copy of it in wl-copy's buffer on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from credtray.core.errors import ClipboardUnavailable
from credtray.core.ports.desktop import ANSWER_SECONDS
from credtray.desktop.child_environ import child_environ

_END_SECONDS = 0.5
"""How long wl-copy may take to end: also the end of the agent waits for it."""
_LOOK_SECONDS = 0.05
"""Between two looks whether the compositor has taken the text."""
_SENSITIVE = "--sensitive"
"""Keeps the text out of clipboard histories; known to wl-copy from 2.3 on."""
_BUFFERS = "wl-copy-buffer-*/*"
_TEXT = "text/plain;charset=utf-8"


class WlCopyHolder:
    """One text, held by one wl-copy in the foreground: that lives as long as the text is on the clipboard.

    Seen with wl-clipboard 2.1: wl-copy ends by itself when another program copies; stopped by a signal it
    leaves its buffer, with the text, in the temporary directory. So ``wl-copy --clear`` asks it to end first.
    """

    def __init__(self, wl_copy: str, environ: Mapping[str, str]) -> None:
        self._wl_copy = wl_copy
        self._environ = _surroundings(environ)
        self._process: asyncio.subprocess.Process | None = None
        self._digest = b""

    async def offer(self, text: str, *, secret: bool) -> None:
        """See ``clipboard.Holder``."""
        data = text.encode()
        self._digest = hashlib.sha256(data).digest()
        options = ["--foreground", "--type", _TEXT]
        if secret and _SENSITIVE.encode() in await self._answer([self._wl_copy, "--help"]):
            options.append(_SENSITIVE)
        try:
            self._process = await asyncio.create_subprocess_exec(
                self._wl_copy,
                *options,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environ,
                start_new_session=True,  # Ctrl-C in our terminal must not leave its buffer behind
            )
        except OSError as error:
            raise ClipboardUnavailable(f"wl-copy cannot be started: {error.strerror}") from None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._feed(self._process, data)
                await self._seen(self._process)
        except TimeoutError:
            raise ClipboardUnavailable("the Wayland desktop does not accept what wl-copy offers") from None

    async def give_up(self) -> None:
        """See ``clipboard.Holder``."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            await self._answer([self._wl_copy, "--clear"], _END_SECONDS)
            await _ended(process, _END_SECONDS)
        await asyncio.to_thread(_sweep, self._digest, self._buffer_places())

    async def _feed(self, process: asyncio.subprocess.Process, data: bytes) -> None:
        if process.stdin is not None:
            with contextlib.suppress(ConnectionError):  # it has ended: _seen tells
                process.stdin.write(data)
                await process.stdin.drain()
            process.stdin.close()

    async def _seen(self, process: asyncio.subprocess.Process) -> None:
        """Wait until the clipboard shows our text: wl-copy does not say when it is done."""
        wl_paste = shutil.which("wl-paste", path=self._environ.get("PATH"))
        while process.returncode is None:
            await asyncio.sleep(_LOOK_SECONDS)
            if wl_paste is None:
                return
            shown = await self._answer([wl_paste, "--no-newline", "--type", _TEXT])
            if hashlib.sha256(shown).digest() == self._digest:
                return
        raise ClipboardUnavailable(f"wl-copy ended with {process.returncode}")

    async def _answer(self, command: Sequence[str], seconds: float = ANSWER_SECONDS) -> bytes:
        """Run a short command; return what it says, nothing when it fails or hangs."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environ,
            )
        except OSError:
            return b""
        try:
            async with asyncio.timeout(seconds):
                said, _ = await process.communicate()
                return said
        except TimeoutError:
            return b""
        finally:
            await _ended(process, 0)

    def _buffer_places(self) -> set[Path]:
        return {Path(self._environ["TMPDIR"]), Path("/tmp")}  # noqa: S108 - where wl-copy 2.1 puts it


def _surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the programs' environment: no keys, and a buffer in memory where the version heeds TMPDIR."""
    buffer = environ.get("XDG_RUNTIME_DIR") or environ.get("TMPDIR") or tempfile.gettempdir()
    return child_environ(environ) | {"TMPDIR": buffer}


async def _ended(process: asyncio.subprocess.Process, patience: float) -> None:
    """See to it that a process is gone when this returns."""
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _sweep(digest: bytes, places: Iterable[Path]) -> None:
    """Remove a buffer with our text that a killed wl-copy has left. Blocks."""
    for place in places:
        for buffer in place.glob(_BUFFERS):
            with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
                if hashlib.sha256(buffer.read_bytes()).digest() == digest:
                    buffer.unlink()
                    buffer.parent.rmdir()
