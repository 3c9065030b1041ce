"""Holds a text on the macOS pasteboard: AppKit's, or where that is missing through pbcopy and pbpaste.

Only AppKit can mark a secret. Hands the text to the programs on standard input only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

from credtray.core.errors import ClipboardUnavailable
from credtray.core.ports.outside import ANSWER_SECONDS

_DIRECTORY = "/usr/bin"
_MARKS = ("org.nspasteboard.ConcealedType", "org.nspasteboard.TransientType")
"""Keep a secret out of the histories of clipboard programs (nspasteboard.org)."""


def macos_holder(
    environ: Mapping[str, str], load: Callable[[str], Any] = importlib.import_module
) -> PasteboardHolder | ProgramHolder:
    """Return the better one there is; ``load`` imports a module by name."""
    try:
        return PasteboardHolder(load("AppKit"))
    except ImportError:
        return ProgramHolder(environ)


class PasteboardHolder:
    """One text on the pasteboard; ours until its change count is another.

    It is never read back: since macOS 15.4 a person is asked whether we may.
    """

    def __init__(self, appkit: Any) -> None:
        self._appkit = appkit
        self._count: int | None = None
        self._is_given_up = False
        self._turn = threading.Lock()

    async def offer(self, text: str, *, secret: bool) -> None:
        """See ``clipboard.Holder``."""
        await self._within(self._put, text, secret)

    async def give_up(self) -> None:
        """See ``clipboard.Holder``."""
        self._is_given_up = True
        with contextlib.suppress(ClipboardUnavailable):
            await self._within(self._take_back)

    @staticmethod
    async def _within(work: Callable[..., None], *arguments: object) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.to_thread(work, *arguments)
        except TimeoutError:
            raise ClipboardUnavailable("the pasteboard does not answer") from None

    # --- in a worker: the pasteboard is another process, which may hang -------------------------------------

    def _put(self, text: str, secret: bool) -> None:  # noqa: FBT001 - called by ``_within`` only
        with self._turn:
            self._copy(text, secret=secret)
            if self._is_given_up:  # while this hung
                self._empty_if_ours()

    def _take_back(self) -> None:
        with self._turn:
            self._empty_if_ours()

    def _copy(self, text: str, *, secret: bool) -> None:
        board = self._appkit.NSPasteboard.generalPasteboard()
        if secret:  # also kept from the owner's other devices (Universal Clipboard)
            board.prepareForNewContentsWithOptions_(self._appkit.NSPasteboardContentsCurrentHostOnly)
        else:
            board.clearContents()
        self._count = board.changeCount()
        for mark in _MARKS if secret else ():  # before the text: whoever looks meanwhile sees them
            board.setString_forType_("", mark)
        if not board.setString_forType_(text, self._appkit.NSPasteboardTypeString):
            raise ClipboardUnavailable("another program is using the pasteboard")

    def _empty_if_ours(self) -> None:
        board = self._appkit.NSPasteboard.generalPasteboard()
        if self._count is not None and board.changeCount() == self._count:
            board.clearContents()
        self._count = None


class ProgramHolder:
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
