"""Cuts what comes over a socket into frames: lines of bounded length.

Knows neither the socket nor what the frames say; see ``protocol``.
"""

from __future__ import annotations

from credtray.core.errors import BadFrame


class Frames:
    """Cuts a stream of bytes into frames; holds at most ``limit`` bytes."""

    __slots__ = ("_held", "_limit", "_searched")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they came.

        Raises:
            BadFrame: the frame has no end within the limit.
        """
        self._held += data
        if len(self._held) > self._limit:
            size = len(self._held)
            self._held.clear()
            raise BadFrame(f"no end of the frame within {size} bytes")

    def next(self) -> bytes | None:
        """Return the next whole frame without its newline, or None until more bytes came."""
        end = self._held.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._held)  # a long reply comes in many pieces: look at each byte once
            return None
        frame = bytes(self._held[:end])
        del self._held[: end + 1]
        self._searched = 0
        return frame
