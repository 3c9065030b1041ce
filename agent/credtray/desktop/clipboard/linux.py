"""Holds a text on the clipboard of Linux: of Wayland, through wl-copy and wl-paste, or of an X server.

Hands the text over on standard input only, and leaves no copy of it in wl-copy's buffer on the disk.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import hashlib
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from credtray.core.errors import ClipboardUnavailable
from credtray.core.ports.outside import ANSWER_SECONDS
from credtray.desktop.browser import child_environ
from credtray.desktop.x11.thread import XThread

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
    buffer = environ.get("XDG_RUNTIME_DIR") or environ.get("TMPDIR") or "/tmp"  # noqa: S108 - as above
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


# Holds a text as the owner of an X server's CLIPBOARD selection, as ICCCM 2 describes it.
#
# Sends at most ``LONGEST`` bytes (no INCR), and keeps no text once the selection is somebody else's.


_log = logging.getLogger(__name__)

LONGEST = 65_536
"""Bytes of UTF-8. Every X server takes a request of 256 kB."""

_HINT = "x-kde-passwordManagerHint"
"""Klipper, CopyQ and GPaste keep a selection with this target, value ``secret``, out of their history."""
_WORD = 32
"""Bits of what atoms and times are sent as."""


class SelectionHolder:
    """One text on the clipboard of one X server, served by a thread of its own for as long as it is ours."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._thread: XThread | None = None
        self._owner: _Owner | None = None

    async def offer(self, text: str, *, secret: bool) -> None:
        """See ``clipboard.Holder``."""
        data = text.encode()
        if len(data) > LONGEST:
            raise ClipboardUnavailable(f"{len(data)} bytes are more than {LONGEST}")
        self._owner = _Owner(text, secret=secret)
        self._thread = self._owner.thread = XThread("clipboard", self._address, self._owner)
        self._thread.start()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.shield(asyncio.wrap_future(self._owner.taken))
        except TimeoutError:
            raise ClipboardUnavailable(f"the X server {self._address} does not answer") from None

    async def give_up(self) -> None:
        """See ``clipboard.Holder``."""
        if self._thread is None or self._owner is None:
            return
        self._thread.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.shield(asyncio.wrap_future(self._owner.gone))


class _Owner:
    """The guest of the connection: answers those who paste."""

    thread: XThread

    def __init__(self, text: str, *, secret: bool) -> None:
        self.taken: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Done when the selection is ours."""
        self.gone: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Done when nothing of it is left."""
        self._text = text
        self._secret = secret
        self._offers: dict[int, tuple[int, int, Any]] = {}
        """Target -> type, format, value of the property."""

    # --- x11.thread.Guest ----------------------------------------------------------------------

    def begin(self, display: Any) -> None:
        from Xlib import X

        self._display = display
        self._window = display.screen().root.create_window(
            0, 0, 1, 1, 0, X.CopyFromParent, event_mask=X.PropertyChangeMask
        )
        self._clipboard = self._atom("CLIPBOARD")
        # ICCCM 2.1: the time must be the server's, and an empty append is how one asks for it.
        self._window.change_property(
            self._atom("_CREDTRAY"), self._atom("INTEGER"), _WORD, [], X.PropModeAppend
        )

    def handle(self, event: Any) -> None:
        from Xlib import X

        match event.type:
            case X.PropertyNotify if not self.taken.done():
                self._take(event.time)
            case X.SelectionRequest if event.selection == self._clipboard:
                self._answer(event)
            case X.SelectionClear if event.atom == self._clipboard:
                self._offers.clear()
                self.thread.stop()

    def leave(self) -> None:
        # With the time we took it the server sees itself whether it is still ours: no race with who copies.
        if self._offers:
            self._display.set_selection_owner(0, self._clipboard, self._time)
            self._display.sync()

    def ended(self, reason: str | None) -> None:
        self._text = ""
        self._offers.clear()
        if not self.taken.done():
            self.taken.set_exception(ClipboardUnavailable(reason or "credtray ends"))
        self.gone.set_result(None)

    # --- the selection ------------------------------------------------------------------------------------

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    def _take(self, time: int) -> None:
        self._time = time
        self._window.set_selection_owner(self._clipboard, time)
        if self._display.get_selection_owner(self._clipboard) == self._window:
            self._offers = self._offered()
            self.taken.set_result(None)
        else:
            self.taken.set_exception(ClipboardUnavailable("another program is using the clipboard"))
            self.thread.stop()

    def _offered(self) -> dict[int, tuple[int, int, Any]]:
        utf8 = self._text.encode()
        string, utf8_string = self._atom("STRING"), self._atom("UTF8_STRING")
        offers: dict[int, tuple[int, int, Any]] = {
            self._atom("TIMESTAMP"): (self._atom("INTEGER"), _WORD, [self._time]),
            utf8_string: (utf8_string, 8, utf8),
            self._atom("TEXT"): (utf8_string, 8, utf8),
        }
        for name in ("text/plain;charset=utf-8", "text/plain"):
            offers[self._atom(name)] = (self._atom(name), 8, utf8)
        with contextlib.suppress(UnicodeEncodeError):  # STRING is Latin-1 by definition
            offers[string] = (string, 8, self._text.encode("latin-1"))
        if self._secret:
            offers[self._atom(_HINT)] = (self._atom(_HINT), 8, b"secret")
        names = [self._atom("TARGETS"), self._atom("MULTIPLE"), *offers]
        offers[self._atom("TARGETS")] = (self._atom("ATOM"), _WORD, names)
        return offers

    def _answer(self, request: Any) -> None:
        """Write what was asked for to the window of the requestor, and notify it (ICCCM 2.2)."""
        from Xlib.protocol.event import SelectionNotify

        answered = request.property or request.target  # 0: a client from before 1988 (ICCCM 2.2)
        if request.target == self._atom("MULTIPLE"):
            done = bool(request.property) and self._answer_many(request)
        else:
            done = self._write(request.requestor, request.target, answered)
        notify = SelectionNotify(
            time=request.time,
            requestor=request.requestor,
            selection=request.selection,
            target=request.target,
            property=answered if done else 0,
        )
        request.requestor.send_event(notify)

    def _answer_many(self, request: Any) -> bool:
        """Answer several at once; a pair that cannot be had gets None in the list (ICCCM 2.6.2)."""
        pairs = self._atom("ATOM_PAIR")
        asked = request.requestor.get_property(request.property, pairs, 0, 1024)
        if asked is None or asked.format != _WORD:
            return False
        values = list(asked.value)
        for at in range(0, len(values) - 1, 2):
            if not self._write(request.requestor, values[at], values[at + 1]):
                values[at + 1] = 0
        request.requestor.change_property(request.property, pairs, _WORD, values)
        return True

    def _write(self, requestor: Any, target: int, name: int) -> bool:
        if target not in self._offers or not name:
            return False
        kind, width, value = self._offers[target]
        requestor.change_property(name, kind, width, value)
        return True
