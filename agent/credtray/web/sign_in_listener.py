"""Opens a loopback port for each sign-in: implements ``ports.CallbackListener``.

What serves the port is loaded with the first sign-in: most commands, and most days of an agent, have none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from credtray.core.errors import CredtrayError
from credtray.core.models import Secret

if TYPE_CHECKING:
    from credtray.web.sign_in_redirect import LoopbackCallback

LINGER_SECONDS = 300.0
"""How long after the end of a sign-in a browser that comes late finds a page instead of a closed port."""

MOST_LINGERING = 4
"""Ended sign-ins whose port is still open; one more, and the first of them closes."""


class LoopbackCallbackListener:
    """Binds a fresh port for every sign-in."""

    def __init__(self, linger: float = 0.0) -> None:
        """Bind nothing yet; ``linger`` is how many seconds a port answers after its sign-in has ended."""
        self._linger = linger
        self._lingering: deque[LoopbackCallback] = deque()
        self.show_page: Callable[[], None] | None = None
        """Opens credtray's page, from any thread; None: the end of a sign-in leads nowhere."""

    @contextmanager
    def listen(self, state: Secret, port: int | None = None) -> Iterator[LoopbackCallback]:
        """Bind 127.0.0.1 and serve that port from a thread, a while longer than the context lasts.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        from credtray.web.http_connections import page_socket
        from credtray.web.sign_in_redirect import LoopbackCallback

        for ended in tuple(self._lingering) if port is not None else ():
            if ended.port == port:  # the sign-in before this one came back there, too
                self._lingering.remove(ended)
                ended.stop()
        listening = page_socket(port or 0)
        callback = LoopbackCallback(listening, state, self.show_page)
        callback.start()
        try:
            yield callback
        except CredtrayError as error:
            callback.end_with(error)
            raise
        finally:
            callback.stop(self._linger)
            if self._linger:
                self._lingering.append(callback)
                while len(self._lingering) > MOST_LINGERING:
                    self._lingering.popleft().stop()
