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


class Door(Protocol):
    """What stands between a person who comes and a sign-in that ends another one."""

    @property
    def onward(self) -> str:
        """The address behind it: AWS's sign-in page."""
        ...

    def question(self) -> str | None:
        """Return what a person has to agree to first, in words; None: nothing. Quick, from any thread."""
        ...

    def through(self) -> str | None:
        """End the active sign-in and return ``onward``; None: another program has signed in meanwhile.

        Blocks for as long as the portal takes.

        Raises:
            CredtrayError: why nobody gets through; nothing was changed.
        """
        ...


class Callback(Protocol):
    """The loopback redirect of one sign-in, bound before the browser opens."""

    @property
    def redirect_uri(self) -> str:
        """``http://127.0.0.1:PORT/oauth/callback``."""
        ...

    def lead_through(self, door: Door) -> str:
        """Serve a page of ours in front of AWS's; return its address, for the browser to open."""
        ...

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        """Return the authorization code of the one request whose path, Host and state are right.

        Whoever comes to the door meanwhile is led through it, in the calling thread.

        Raises:
            SignInDenied: the right state came with an error.
            SignInTimedOut: nothing right came in time.
            SignInCancelled: ``cancelled`` became true, or the person keeps the present sign-in.
            CredtrayError: what ``Door.through`` raises.
        """
        ...

    def tell(self, failure: str | None) -> None:
        """Let the browser that brought the code know: None, there is a token; else why there is none."""
        ...


class CallbackListener(Protocol):
    """Binds the loopback port."""

    def listen(self, state: Secret) -> AbstractContextManager[Callback]:
        """Bind 127.0.0.1 on a free port; closed when the context ends.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        ...
