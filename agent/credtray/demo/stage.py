"""Sets up the demo: portal, throw-away home, clock and agent; watches them; takes everything down again.

Tells nothing and decides nothing; what happens on it is in ``story``.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from credtray.core.protocol.results import SessionStatus, StatusDocument
from credtray.core.shapes import from_json
from credtray.demo.home import FOLDER, ThrowAwayHome, environment
from credtray.demo.identity_center import IdentityCenter
from credtray.demo.pace import PacedClock
from credtray.desktop.paths import one_file

# What the demo sees of its agent from outside: status documents, notices, rewritten credentials files.
#
# Only listens; it asks the agent nothing and changes nothing.


T = TypeVar("T")
_LOOK_SECONDS = 0.02
"""How often the credentials file is looked at."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A notice the agent showed."""

    at: datetime
    title: str
    body: str

    @property
    def ended(self) -> bool:
        """True: it says that the sign-in has ended."""
        return self.title.endswith("sign-in ended")

    @property
    def warns(self) -> bool:
        """True: it says that the sign-in ends soon."""
        return "sign-in ends in" in self.title


@dataclass(frozen=True, slots=True)
class Moment:
    """What a status document says, as far as the demo tells of it."""

    session: SessionStatus
    """The one that there is."""
    default: str | None
    """The default profile."""
    has_icon: bool
    """A panel shows the icon of the demo's agent."""
    keys_until: tuple[datetime, ...]
    """Of the active profiles that have keys."""

    @property
    def signed_in_until(self) -> datetime | None:
        """The end of the sign-in, as far as it is known."""
        return self.session.signed_in_until

    @classmethod
    def of(cls, document: StatusDocument) -> Moment | None:
        """Return the moment; None while the agent knows no session yet."""
        if not document.sessions:
            return None
        ends = (item.expires_at for item in document.profiles if item.active)
        default = next((item.name for item in document.profiles if item.default), None)
        return cls(
            document.sessions[0],
            default,
            document.desktop.tray.back_end is not None,
            tuple(end for end in ends if end is not None),
        )


class Observed:
    """Collects from several threads; the demo waits here for what should happen."""

    def __init__(self, clock: PacedClock, credentials: Path) -> None:
        self._clock = clock
        self._credentials = credentials
        self._changed = threading.Condition()
        self._gone = threading.Event()
        self._looking = threading.Thread(target=self._look, name="rewrites", daemon=True)
        self.moment: Moment | None = None
        self.notices: list[Heard] = []
        self.rewrites = 0
        """How often the credentials file was replaced."""

    def start(self) -> None:
        """Begin to count rewrites."""
        self._looking.start()

    def stop(self) -> None:
        """Stop counting."""
        self._gone.set()
        if self._looking.is_alive():
            self._looking.join()

    def hear_document(self, line: str) -> None:
        """Take one line of `credtray status --watch --json`."""
        moment = Moment.of(from_json(line, StatusDocument))
        with self._changed:
            self.moment = moment
            self._changed.notify_all()

    def hear_notice(self, line: str) -> None:
        """Take one notice of the demo's agent."""
        told = json.loads(line)
        with self._changed:
            self.notices.append(Heard(self._clock.now(), told["title"], told["body"]))
            self._changed.notify_all()

    def wait(self, look: Callable[[], T | None], seconds: float) -> T | None:
        """Wait until *look* returns something, at most so many real seconds."""
        found: list[T] = []

        def met() -> bool:
            result = look()
            if result is not None:
                found.append(result)
            return bool(found)

        with self._changed:
            self._changed.wait_for(met, seconds)
        return found[0] if found else None

    def wait_for_due(self, look: Callable[[], T | None], due: datetime, seconds: float) -> T | None:
        """Wait until the demo's time is *due*, then at most so many real seconds; time stands meanwhile.

        So an agent that a busy machine holds up is not run away from.
        """
        pace = self._clock.speed
        found = self.wait(look, max(0.0, (due - self._clock.now()).total_seconds()) / pace)
        if found is None:
            self._clock.run(1)
            found = self.wait(look, seconds)
            self._clock.run(pace)
        return found

    def _look(self) -> None:
        before = self._stamp()
        while not self._gone.wait(_LOOK_SECONDS):
            stamp = self._stamp()
            if stamp is not None and stamp != before:
                self.rewrites += 1
                before = stamp

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._credentials.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


# The processes of the demo: the real `credtray`, the agent and programs, all ended with the demo.
#
# Each runs in a session of its own, so that Ctrl-C reaches the demo alone, which then ends them in good
# order.


_GRACE_SECONDS = 4.0
"""How long a process may take to end by itself: the agent promises three seconds."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended."""

    code: int
    out: str
    talk: str
    """What it wrote to standard error."""


_MODULE_ELSEWHERE = """
import runpy, sys
sys.path.append(sys.argv[1])
del sys.argv[:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def _to_be_found(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return what starts the same module where ``-m`` does not find it: with credtray.pyz."""
    if arguments[:1] != ("-m",) or one_file() is None:
        return arguments
    return ("-c", _MODULE_ELSEWHERE, str(FOLDER), *arguments[1:])


class Child:
    """One process whose output is read line by line while it runs; ``begin`` makes one."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        readers: tuple[threading.Thread, ...],
        out: list[str],
        talk: list[str],
    ) -> None:
        self._process = process
        self._readers = readers
        self._out = out
        self._talk = talk

    @classmethod
    def begin(
        cls,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        hear: Callable[[str], None] = lambda _line: None,
        talk: Callable[[str], None] = lambda _line: None,
    ) -> Self:
        """Start a process.

        Args:
            arguments: of this Python, which nothing of the caller's folder or PYTHON* variables reaches.
            environment: all of it.
            hear: called in a thread with each line of standard output.
            talk: called in a thread with each line of standard error.
        """
        process = subprocess.Popen(  # noqa: S603 - this Python with arguments of our own
            [sys.executable, "-I", *_to_be_found(arguments)],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        out: list[str] = []
        said: list[str] = []
        readers = (_reader(process.stdout, out, hear), _reader(process.stderr, said, talk))
        return cls(process, readers, out, said)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    @property
    def talk(self) -> str:
        """What it wrote to standard error so far."""
        return "".join(self._talk)

    def finish(self, within: float) -> Finished:
        """Wait until it has ended, at most so many seconds.

        Raises:
            subprocess.TimeoutExpired: it has not.
        """
        code = self._process.wait(within)
        for reader in self._readers:
            reader.join(_GRACE_SECONDS)
        return Finished(code, "".join(self._out), self.talk)

    def end(self) -> None:
        """Make sure that it is gone: politely, then by force."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for reader in self._readers:
            reader.join(_GRACE_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def interrupting_signals() -> list[signal.Signals]:
    """Return what may end the demo, of what this system has."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def begun(begin: Callable[[], Child], ending: ExitStack) -> Child:
    """Begin a process that ends with the stack, whenever the demo is interrupted.

    An interruption in between would leave a process that nobody ends, and that fills the home after its end.
    """
    with _put_off():
        return ending.enter_context(begin())


@contextmanager
def _put_off() -> Iterator[None]:
    """Take signals that interrupt, and raise them again at the end."""
    came: list[int] = []
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():  # signals come to that one only
        before = {number: signal.getsignal(number) for number in interrupting_signals()}
    heard = {number: handler for number, handler in before.items() if callable(handler)}
    for number in heard:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def _reader(stream: IO[str] | None, lines: list[str], hear: Callable[[str], None]) -> threading.Thread:
    def read() -> None:
        if stream is not None:
            with stream:
                for line in stream:
                    lines.append(line)
                    hear(line.rstrip("\n"))

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    return thread


COMMAND_SECONDS = 120.0
"""How long a command may take that nobody has to do anything for, on a busy machine too."""

USER = "alice"


class Missing(Exception):
    """A step of the demo did not happen."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"{step}: {why}")
        self.step = step
        self.why = why


@dataclass(frozen=True, slots=True)
class Plan:
    """How the demo is to go."""

    attended: bool
    """A person signs in, in a real browser; otherwise a scripted one does."""
    speed: float
    """How many times faster time runs, except while somebody signs in."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything the demo works with."""

    plan: Plan
    home: ThrowAwayHome
    clock: PacedClock
    portal: IdentityCenter
    environment: Mapping[str, str]
    observed: Observed
    ending: ExitStack

    def start_agent(self) -> Child:
        """Start the demo's agent; it ends with the stage."""
        desktop = ("--desktop",) if self.plan.attended else ()
        speed = str(self.plan.speed)
        arguments = ("-m", "credtray.demo.paced_agent", str(self.home.pace), speed, *desktop)
        return begun(
            lambda: Child.begin(arguments, self.environment, hear=self.observed.hear_notice), self.ending
        )

    def start_watching(self) -> Child:
        """Start `credtray status --watch --json`; it ends with the stage."""
        arguments = ("-m", "credtray", "status", "--watch", "--json")
        return begun(
            lambda: Child.begin(arguments, self.environment, hear=self.observed.hear_document), self.ending
        )

    def credtray(
        self,
        step: str,
        *words: str,
        within: float = COMMAND_SECONDS,
        talk: Callable[[str], None] = lambda _line: None,
    ) -> Finished:
        """Run a command of the real `credtray` and wait for its end.

        Args:
            step: whose failure it is.
            words: of the command line.
            within: seconds.
            talk: called in a thread with each line of standard error.

        Raises:
            Missing: it did not end in time, or not with 0.
        """
        arguments = ("-m", "credtray", *words)
        return self._finished(step, lambda: Child.begin(arguments, self.environment, talk=talk), within)

    def asked(self, step: str, *words: str, **options: Any) -> str:
        """Run a command with --json and return the JSON text; raises as ``credtray``."""
        return self.credtray(step, *words, "--json", **options).out

    def status(self, step: str) -> StatusDocument:
        """Return what `credtray status` tells; raises as ``credtray``."""
        return from_json(self.asked(step, "status"), StatusDocument)

    def python(self, step: str, *arguments: str) -> str:
        """Run a Python program of a user and return what it prints; raises as ``credtray``."""
        finished = self._finished(step, lambda: Child.begin(arguments, self.environment), COMMAND_SECONDS)
        return finished.out.strip()

    def seconds(self, simulated: timedelta) -> float:
        """Return how many real seconds to wait for something due then: time itself, and some for the work."""
        return max(simulated.total_seconds(), 0) / self.clock.speed + COMMAND_SECONDS / 2

    def _finished(self, step: str, begin: Callable[[], Child], within: float) -> Finished:
        with ExitStack() as ending:
            child = begun(begin, ending)
            try:
                finished = child.finish(within)
            except subprocess.TimeoutExpired:
                raise Missing(step, f"it takes longer than {within:.0f} seconds") from None
        if finished.code != 0:
            raise Missing(step, _reason(finished))
        return finished


def _reason(finished: Finished) -> str:
    """Return the error a command ended with, from its ``error:`` line on."""
    lines = finished.talk.strip().splitlines() or ["it says nothing"]
    first = next((at for at, line in enumerate(lines) if line.startswith(("error:", "warning:"))), -1)
    told = " ".join(line.strip() for line in lines[first:])
    return f"exit code {finished.code}: {told}"


@contextmanager
def set_stage(plan: Plan, caller: Mapping[str, str], home: ThrowAwayHome) -> Iterator[Stage]:
    """Start portal and clock in the home; at the end every process is gone, the home is left.

    Args:
        plan: how it is to go.
        caller: the environment the demo was started in.
        home: made for this demo.
    """
    clock = PacedClock(home.pace)
    clock.start()
    with ExitStack() as ending:
        portal = ending.enter_context(IdentityCenter(clock=clock.now))
        password = portal.directory.users[USER].password
        browser = home.persons_browser(caller) if plan.attended else home.scripted_browser(USER, password)
        replacements = home.replacements(portal.url, browser)
        with suppress(OSError):  # only a convenience
            home.write_env_file(replacements)
        observed = Observed(clock, home.credentials)
        ending.callback(observed.stop)
        observed.start()
        yield Stage(plan, home, clock, portal, environment(caller, replacements), observed, ending)
