"""Holds a text on the macOS pasteboard through its own programs pbcopy and pbpaste.

Hands the text over on standard input only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping

from credtray.core.errors import ClipboardUnavailable
from credtray.core.ports.outside import ANSWER_SECONDS

_DIRECTORY = "/usr/bin"


class PasteboardHolder:
    """One text on the pasteboard; ours for as long as pbpaste still shows it."""

    def __init__(self, environ: Mapping[str, str], directory: str = _DIRECTORY) -> None:
        # Without a UTF-8 locale both programs use MacRoman (pbcopy(1)), and a started app has no locale.
        self._environ = {"PATH": environ.get("PATH", _DIRECTORY), "LC_CTYPE": "UTF-8"}
        self._directory = directory
        self._digest: bytes | None = None

    async def offer(self, text: str, *, secret: bool) -> None:  # noqa: ARG002 - pbcopy knows no mark for secrets
        """See ``clipboard.Holder``."""
        data = text.encode()
        await self._run("pbcopy", data)
        self._digest = hashlib.sha256(data).digest()

    async def give_up(self) -> None:
        """See ``clipboard.Holder``."""
        digest, self._digest = self._digest, None
        if digest is None:
            return
        with contextlib.suppress(ClipboardUnavailable):
            if hashlib.sha256(await self._run("pbpaste", b"")).digest() == digest:
                await self._run("pbcopy", b"")

    async def _run(self, program: str, given: bytes) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                f"{self._directory}/{program}",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environ,
            )
        except OSError as error:
            raise ClipboardUnavailable(f"{program} cannot be started: {error.strerror}") from None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                said, _ = await process.communicate(given)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise ClipboardUnavailable(f"{program} does not answer") from None
        if process.returncode != 0:
            raise ClipboardUnavailable(f"{program} ended with {process.returncode}")
        return said
