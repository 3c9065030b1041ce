"""`credtray status --watch`: redraws at every change and once a second, until q, Ctrl-C or the agent's end.

Asks nothing by itself: the agent tells of changes.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from credtray.cli import backend, terminal
from credtray.cli.status.words import Reader
from credtray.core.protocol.results import StatusDocument

_REDRAW_SECONDS = 1.0
_QUIT = "q"

Heard = StatusDocument | BaseException | str
"""A status document, the end of the watch, or a key."""


def watch_status(*, json_output: bool) -> None:
    """Show the status live; as one JSON line per change for a program.

    Raises:
        AgentNotRunning: there is none, or it ended.
    """
    if json_output:
        backend.current().watch(lambda document: terminal.show_json(document, lines=True))
    elif sys.stdout.isatty():
        _live()
    else:
        backend.current().watch(_print)


def _print(document: StatusDocument) -> None:
    from credtray.cli.status.view import status_view

    terminal.draw(status_view(document, Reader(document.now)))
    terminal.show("")
    sys.stdout.flush()


def _live() -> None:
    from rich.live import Live

    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(heard,), name="watch", daemon=True).start()
    screen = terminal.console()
    with _single_keys(heard), Live(console=screen, auto_refresh=False, screen=True) as live:
        for document, reader in _frames(heard):
            live.update(_frame(document, reader), refresh=True)


def _frame(document: StatusDocument, reader: Reader) -> Any:
    from rich.console import Group
    from rich.text import Text

    from credtray.cli.status.view import status_view

    clock = reader.now.astimezone(reader.zone).strftime("%H:%M:%S")
    return Group(status_view(document, reader), Text(f"\n{clock}   q ends", "quiet"))


def _listen(heard: queue.SimpleQueue[Heard]) -> None:
    try:
        backend.current().watch(heard.put)
    except BaseException as error:  # noqa: BLE001 -- carried to the main thread and raised there
        heard.put(error)


def _frames(heard: queue.SimpleQueue[Heard]) -> Iterator[tuple[StatusDocument, Reader]]:
    """Yield what to draw: the newest document and how late it is, by the clock of the agent."""
    document: StatusDocument | None = None
    made = came = datetime.now(UTC)
    while True:
        try:
            match heard.get(timeout=_REDRAW_SECONDS):
                case BaseException() as error:
                    raise error
                case str() as key if key == _QUIT:
                    return
                case StatusDocument() as news:
                    document, made, came = news, news.now, datetime.now(UTC)
        except queue.Empty:
            pass
        if document is not None:
            yield document, Reader(made + (datetime.now(UTC) - came))


@contextmanager
def _single_keys(heard: queue.SimpleQueue[Heard]) -> Iterator[None]:
    """Pass single keys on, where the system can read them without Enter; Ctrl-C works everywhere."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    else:  # type checkers take the branch of their platform
        import termios  # not there on Windows
        import tty  # not there on Windows

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        threading.Thread(target=_read_keys, args=(heard,), name="keys", daemon=True).start()
        try:
            tty.setcbreak(descriptor)
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read_keys(heard: queue.SimpleQueue[Heard]) -> None:
    while key := sys.stdin.read(1):
        heard.put(key)
