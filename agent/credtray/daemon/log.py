"""The agent's log: private, bounded, in UTC, and never in anybody's way.

Never raises and never blocks: a full disk or a removed directory costs log lines, nothing else.
Never turns on the debug output of botocore or urllib3: it holds tokens.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import stat
import sys
import threading
import time
from collections.abc import Iterator
from enum import Enum
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import quote

from credtray.core.models import Secret

# Takes the secrets that are alive out of any text that is about to be written.
#
# The last net only: secrets are ``Secret`` objects and reach no message in the first place.


_SHORTEST = 8
"""Shorter than any token or key: replacing it would garble innocent words."""
HIDDEN = "***"


class Redactor:
    """Knows the latest ``most`` secrets; safe from any thread.

    What hundreds of profiles have alive at a time: what has ended need not be hidden, and not be kept either.
    """

    def __init__(self, most: int = 2048) -> None:
        self._most = most
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()

    def register(self, secret: Secret) -> None:
        """Hide this value from now on, also in its URL-encoded form."""
        text = secret.reveal()
        if len(text) < _SHORTEST:
            return
        with self._lock:
            for form in (text, quote(text, safe="")):
                self._known.pop(form, None)
                self._known[form] = None  # the latest is the last: the first one is forgotten
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]

    def redact(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        with self._lock:
            known = [form for form in self._known if form in text]
        # The longest first: what begins another one would leave its tail behind.
        for form in sorted(known, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text


_PRIVATE = 0o600
FILE_LIMIT = 3_200_000
COPIES = 4
"""Rotated files beside the current one; all stay below 20 MB, also with twice the limit in that one."""
LINE_LIMIT = 16_384
"""Characters of one record, traceback included; the rest is cut off."""
_TALKATIVE = ("asyncio", "boto3", "botocore", "hpack", "s3transfer", "schedule", "urllib3", "watchdog")


class PrivateLogFile(RotatingFileHandler):
    """A rotated file of mode 0600, opened again when somebody removed it; what cannot be written is lost."""

    def __init__(self, path: Path, limit: int = FILE_LIMIT, copies: int = COPIES) -> None:
        super().__init__(
            path,
            maxBytes=limit,
            backupCount=copies,
            encoding="utf-8",
            errors="backslashreplace",
            delay=True,
        )

    def doRollover(self) -> None:  # noqa: N802 -- logging's own name
        """Begin a new file; on Windows go on in this one while another program has one of the files open."""
        self._drop()
        path = self.baseFilename
        try:
            # Asked first: each try that fails later has moved the copies on already, until all are gone.
            os.rename(path, path)  # noqa: PTH104 -- the path is a str
            super().doRollover()
        except OSError:
            if os.path.getsize(path) >= 2 * self.maxBytes:  # noqa: PTH202 -- as above
                os.truncate(path, 0)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or lose it."""
        if self.stream and not _is_at(self.stream, self.baseFilename):
            self._drop()
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 -- logging's own name
        """Begin anew with the next record: whatever is wrong with the log must not reach who logs."""
        self._drop()

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_private)

    def _drop(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.close()


def _is_at(stream: TextIOWrapper, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), os.lstat(path))
    except OSError:
        return False


def _private(path: str, flags: int) -> int:
    # Without O_NONBLOCK a FIFO in its place would stop the agent forever.
    extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | extra, _PRIVATE)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError("not a file")
    if sys.platform != "win32" and found.st_mode & 0o077:
        os.fchmod(descriptor, _PRIVATE)
    return descriptor


class _Lines(logging.Formatter):
    """One record as text, in UTC and without secrets, tracebacks included."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))[:LINE_LIMIT]


class _LinesForAPerson(_Lines):
    """The same in the time of this computer's clock, for a person who watches in a terminal."""

    converter = staticmethod(time.localtime)
    default_time_format = "%H:%M:%S"
    default_msec_format = ""


class _Sentences(_Lines):
    """What a person in a terminal should know, and when it was on this computer's clock; no tracebacks."""

    converter = staticmethod(time.localtime)
    default_time_format = "%H:%M"
    default_msec_format = ""

    def format(self, record: logging.LogRecord) -> str:
        text = _KEY.sub("", record.getMessage())
        more = " The log says more." if record.exc_info else ""
        return self._redactor.redact(f"{self.formatTime(record)}  {text}{more}")[:LINE_LIMIT]


_KEY = re.compile(r"^NOTICE \[[^\]]*\] ")
"""What a notice has in front of it in the log."""


class Console(Enum):
    """What the terminal gets that the agent runs in."""

    NOTHING = "nothing"
    LINES = "lines"
    """The lines of the log; on a terminal in local time."""
    SENTENCES = "sentences"
    """Notices and warnings only."""


def _on_console(console: Console, redactor: Redactor) -> Iterator[logging.Handler]:
    if console is Console.NOTHING:
        return
    screen = logging.StreamHandler()
    if console is Console.SENTENCES:
        screen.setLevel(logging.WARNING)
        screen.setFormatter(_Sentences(redactor))
    else:
        screen.setFormatter((_LinesForAPerson if screen.stream.isatty() else _Lines)(redactor))
    yield screen


@contextlib.contextmanager
def logging_to(
    path: Path, redactor: Redactor, *, level: int = logging.INFO, console: Console = Console.NOTHING
) -> Iterator[None]:
    """Send the agent's records to a file, and to stderr as well when asked; undone at the end.

    Args:
        path: as ``desktop.paths.log_file`` gives it; rotated copies are ``path.1`` and so on.
        redactor: knows the secrets that are alive.
        level: of our own records. Libraries are heard from WARNING on, always.
        console: what stderr gets.
    """
    file = PrivateLogFile(path)
    file.setFormatter(_Lines(redactor))
    handlers = [file, *_on_console(console, redactor)]
    with _levels(level), _hooks():
        for handler in handlers:
            logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            for handler in handlers:
                logging.getLogger().removeHandler(handler)
                handler.close()


@contextlib.contextmanager
def _levels(level: int) -> Iterator[None]:
    wanted = {"credtray": level, **dict.fromkeys(_TALKATIVE, logging.WARNING)}
    before = {name: logging.getLogger(name).level for name in wanted}
    for name, value in wanted.items():
        logging.getLogger(name).setLevel(value)
    try:
        yield
    finally:
        for name, value in before.items():
            logging.getLogger(name).setLevel(value)


@contextlib.contextmanager
def _hooks() -> Iterator[None]:
    """What nobody caught goes to the log, not to a terminal that may be gone."""
    log = logging.getLogger("credtray")
    threads, errors = threading.excepthook, logging.raiseExceptions

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else "a thread"
            log.critical("%s died", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    threading.excepthook = in_thread
    logging.raiseExceptions = False  # a closed stderr must not make every record print a traceback
    logging.captureWarnings(True)
    try:
        yield
    finally:
        threading.excepthook, logging.raiseExceptions = threads, errors
        logging.captureWarnings(False)
