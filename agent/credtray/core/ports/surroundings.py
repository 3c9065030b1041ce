"""Ports to the clock, the browser and the loopback redirect. See the package."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from credtray.core.secret import Secret


class Clock(Protocol):
    """Where time comes from; the demo runs it fast, tests move it by hand."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Block the calling worker thread for that long by this clock."""
        ...


class Browser(Protocol):
    """Opens an address because a person asked."""

    def open(self, url: str, command: str | None = None) -> bool:
        """Open it with this command line, or with the desktop's own browser.

        A command holds ``%s`` where the address goes, or gets it as its last argument. Return False when no
        browser could be started; the caller shows the address.
        """
        ...


class Callback(Protocol):
    """The loopback redirect of one sign-in, bound before the browser opens."""

    @property
    def redirect_uri(self) -> str:
        """``http://127.0.0.1:PORT/oauth/callback``."""
        ...

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        """Return the authorization code of the one request whose path, Host and state are right.

        Raises:
            SignInDenied: the right state came with an error.
            SignInTimedOut: nothing right came in time.
            SignInCancelled: ``cancelled`` became true.
        """
        ...


class CallbackListener(Protocol):
    """Binds the loopback port."""

    def listen(self, state: Secret) -> AbstractContextManager[Callback]:
        """Bind 127.0.0.1 on a free port; closed when the context ends.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        ...
