"""A desk with Windows on it: an unseen screen, Wine's taskbar, the real agent, and hands to use both.

Knows nothing about what is tested.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from tests.end_to_end.house import House
from tests.on_a_desktop.screen import SIZE, Area, Screen, seen
from tests.wine.conftest import WindowsPython

HAND = Path(__file__).with_name("hand.py")
SECONDS = 60.0
"""For what Wine does; it is slow, and often the processor is another program's."""
_KEPT = frozenset({"PATH", "LANG", "HOME", "WINDOWS_PYTHON_VERSION"})
_BAR = 20
"""Pixels of Wine's taskbar, at the lower edge."""
ICON = Area(SIZE[0] - _BAR, SIZE[1] - _BAR, _BAR, _BAR)
"""Where the only icon is."""
ELSEWHERE = (200, 200)
"""Where nothing of ours ever is. A mouse that rests on the icon brings its tooltip."""
END_OF_SESSION = 0x0016
ASKED_TO_END = 0x0011


def windows_path(path: Path | str) -> str:
    """Return the path of a file of this machine as programs in Windows know it under Wine."""
    return "Z:" + str(path).replace("/", "\\")


class Hand:
    """What ``hand.py`` can do, asked from here."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rwb")

    def do(self, name: str, **arguments: object) -> Any:
        """Ask for it and return the answer."""
        self._lines.write(json.dumps({"do": name, **arguments}).encode() + b"\n")
        self._lines.flush()
        return json.loads(self._lines.readline())

    def let_go(self) -> None:
        """Let it end, and everything in its Windows."""
        self._connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Agent:
    """A running agent in Windows."""

    hand: Hand
    pid: int
    ended: bool = False

    def windows(self, begin: str = "credtray") -> list[int]:
        """Return its top-level windows whose class is called so."""
        found = self.hand.do("windows", pid=self.pid)
        return [window for window, name in found if name.startswith(begin)]

    def send(self, message: int, wparam: int = 0) -> list[int]:
        """Send all its windows a message, as Windows does at the end of a session; return the answers."""
        return [
            self.hand.do("send", window=each, message=message, wparam=wparam, lparam=0)
            for each in self.windows()
        ]

    def post_to_icon(self, message: int, lparam: int) -> None:
        """Post the icon's windows a message."""
        for each in self.windows("credtray icon"):
            self.hand.do("post", window=each, message=message, wparam=0, lparam=lparam)

    def end(self) -> int | None:
        """End it as the end of a session does; return the exit code, None when it does not end."""
        self.send(END_OF_SESSION, 1)
        code: int | None = self.hand.do("wait", pid=self.pid, seconds=SECONDS)
        self.ended = True
        return code


@dataclass
class Desk:
    """A screen with Wine's taskbar."""

    screen: Screen
    hand: Hand
    python: str = field(init=False)
    """python.exe, as Windows knows it."""
    bare: Image.Image = field(init=False)
    """The screen with nothing on it but the icon, as that looked when the agent was begun."""

    def __post_init__(self) -> None:
        self.python = self.hand.do("python")

    def start(self, house: House) -> Agent:
        """Start the agent in a house; return when its icon is to be seen."""
        output = windows_path(house.home / "agent-output")
        words = ["-I", "-m", "credtray", "run"]
        pid = self.hand.do("start", words=words, environ=self.environ(house), output=output)
        try:
            seen(lambda: self.icon() or None, "the icon", SECONDS)
        except AssertionError:
            self.hand.do("kill", pid=pid)
            raise
        self.screen.move(*ELSEWHERE)
        self.bare = self.screen.still()
        return Agent(self.hand, pid)

    def run(self, house: House, *words: str) -> str:
        """Run Python in Windows as the person in the house; return what it printed."""
        output = house.home / "said"
        output.unlink(missing_ok=True)
        arguments = {"environ": self.environ(house), "output": windows_path(output)}
        pid = self.hand.do("start", words=["-I", *words], **arguments)
        code = self.hand.do("wait", pid=pid, seconds=SECONDS)
        said = output.read_text("utf-8", "replace")
        assert code == 0, said
        return said

    def environ(self, house: House) -> dict[str, str]:
        """The variables that lead into the house, for programs in Windows."""
        home = windows_path(house.home)
        visit = [self.python, "-I", windows_path(HAND), "visit", windows_path(house.journal), "%s"]
        return {
            **{name: value for name, value in house.environ.items() if name.startswith("AWS_")},
            "USERPROFILE": home,
            "USERNAME": house.home.name,
            "WIN_PD_OVERRIDE_APPDATA": home,
            "WIN_PD_OVERRIDE_LOCAL_APPDATA": home,
            "BROWSER": subprocess.list2cmdline(visit).replace("\\", "/"),
        }

    def icon(self) -> bool:
        """Tell whether there is something in the notification area, on the one colour of the taskbar."""
        return len(self.screen.picture(ICON).getcolors() or ()) > 1

    def looks_as_begun(self) -> bool:
        """Tell whether the icon looks as it did when the agent was begun."""
        return self.screen.picture(ICON).tobytes() == self.bare.crop(ICON.box).tobytes()

    def opened(self, what: str, beside: Area | None = None) -> Area:
        """Return what lies on the screen beside the icon, or beside this too, once it has come to rest."""
        return seen(lambda: self._above(self.screen.still(), beside), what, SECONDS)

    def is_bare(self) -> bool:
        """Tell whether there is nothing on the screen but the icon."""
        return self._above(self.screen.picture()) is None

    def _above(self, picture: Image.Image, beside: Area | None = None) -> Area | None:
        changed = ImageChops.difference(picture, self.bare)
        for area in (ICON, beside):
            if area is not None:
                changed.paste(0, area.box)
        box = changed.getbbox()
        return None if box is None else Area(box[0], box[1], box[2] - box[0], box[3] - box[1])

    def balloon(self) -> Area:
        """Return where the balloon is, as soon as it has come, which takes seconds; hide it."""
        found = self.opened("the balloon")
        self.hand.do("hide_balloon")
        seen(lambda: self.is_bare() or None, "a screen without a balloon", SECONDS)
        return found


@contextmanager
def desk(python: WindowsPython, directory: Path) -> Iterator[Desk]:
    """Give one, with a C: drive of its own; whatever runs on it ends with the block."""
    environ = {name: value for name, value in os.environ.items() if name in _KEPT}
    with ExitStack() as stack:
        screen = Screen(directory, environ)
        stack.callback(screen.program.kill)
        environ |= {**screen.environ, "WINDOWS_PREFIX": str(stack.enter_context(own_prefix(python.prefix)))}
        said, _ = _run_hand(python, environ, "taskbar", f"{SIZE[0]}x{SIZE[1]}").communicate(timeout=SECONDS)
        assert "Error" not in said.decode(errors="replace"), said
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(SECONDS)
        process = _run_hand(python, environ, str(listener.getsockname()[1]))
        stack.callback(process.communicate, timeout=SECONDS)
        hand = Hand(stack.enter_context(listener.accept()[0]))
        stack.callback(hand.let_go)
        yield Desk(screen, hand)


def _run_hand(python: WindowsPython, environ: Mapping[str, str], *words: str) -> subprocess.Popen[bytes]:
    command = [*python.command, windows_path(HAND), *words]
    # To a pipe: Wine gives Python no valid handle of a plain file.
    return subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def own_prefix(prefix: Path) -> Iterator[Path]:
    """Give a copy of a C: drive: a desktop belongs to one, and other tests may run in it without a screen.

    Made of links, in a blink, for neither Wine nor we write into its programs. The registry is copied: Wine
    writes into a file in place when that has two names.
    """
    copy = prefix.with_name(f"desk-{os.getpid()}")
    subprocess.run(["cp", "--archive", "--link", str(prefix), str(copy)], check=True)
    try:
        for file in prefix.glob("*.reg"):
            (copy / file.name).unlink()
            shutil.copy2(file, copy)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)
