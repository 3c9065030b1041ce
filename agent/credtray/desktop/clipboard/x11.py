"""Holds a text as the owner of an X server's CLIPBOARD selection, as ICCCM 2 describes it.

Sends at most ``LONGEST`` bytes (no INCR), and keeps no text once the selection is somebody else's.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from typing import Any

from credtray.core.errors import ClipboardUnavailable
from credtray.core.ports.desktop import ANSWER_SECONDS
from credtray.desktop.x11.thread import XThread

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
