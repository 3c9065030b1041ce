"""Measures the page of `credtray open`: memory, first view, a change on the screen, search; and the history.

Times are of a real agent over its own sockets, or in Chromium; memory is compared with the same modules
without the page and the history.

    python -m bench.page
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page, sync_playwright

from bench.world import profile_names, world
from credtray.core import protocol
from credtray.core.events import ConfigLoaded
from credtray.core.models import Profile, Way
from credtray.core.state import State
from credtray.daemon.requests import Recipient
from credtray.history.journal import Journal
from credtray.history.recorder import Recorder
from credtray.ipc_client import AgentClient
from tests.browser.browsers import CHROMIUM, SWITCHES
from tests.core.making import after, config, held
from tests.end_to_end.house import House
from tests.page import scene
from tests.page.still_page import serving

NEVER_LIMIT, OPEN_LIMIT = 4.0, 12.0
"""MiB."""
VIEW_LIMIT, CHANGE_LIMIT, KEY_LIMIT = 300.0, 200.0, 50.0
"""Milliseconds."""
NOTE_LIMIT = 2.0
"""Percent of the endpoint's latency."""
ROUNDS = 5
PAUSES = (
    (protocol.PauseNotices(datetime.now(UTC) + timedelta(hours=1)), "Show notices again"),
    (protocol.PauseNotices(None), "Pause notices for an hour"),
)
"""Two changes that need nothing but the loop, and what shows them."""
PROFILES = 1000

_IMPORT = """
import sys, types
for name, words in {stubs!r}.items():
    module = sys.modules[name] = types.ModuleType(name)
    for word in words:
        setattr(module, word, None)
import credtray.service
print(int(open("/proc/self/statm").read().split()[1]) * 4096)
"""
_STUBS = {
    "credtray.history.journal": ("Journal",),
    "credtray.history.recorder": ("Recorder",),
    "credtray.page.opening": ("Page", "loading"),
}
"""What an agent imports of the feature before anybody asks for it."""


def _row(name: str, value: float, unit: str, told: str) -> str:
    return f"{name:40s}{value:9.2f} {unit}  {told}"


# --- memory ----------------------------------------------------------------------------------------------


def never_opened(rounds: int = 7) -> float:
    """Return the MiB that an agent's modules take more with the page and the history than without."""
    with_it, without = [], []
    for _ in range(rounds):
        with_it.append(_imported({}))
        without.append(_imported(_STUBS))
    return statistics.median(with_it) - statistics.median(without)


def _imported(stubs: dict[str, tuple[str, ...]]) -> float:
    command = [sys.executable, "-c", _IMPORT.format(stubs=stubs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- ours
    return int(done.stdout) / 2**20


# --- an agent's page over its sockets ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Served:
    """Medians over a few agents with twenty active profiles."""

    grown: float
    """MiB that the agent has grown once a view was shown and a browser listens."""
    asked: float
    """Milliseconds from the request to open the page to its address."""
    view: float
    """From the request of the address to the whole view."""
    bare: float
    """The same from a bare asyncio server that knows both answers."""
    change: float
    """From the request of a change to the view that shows it, fetched as the script would."""
    screen: float
    """From the request of a change to when it is in Chromium's view."""

    def lines(self, never: float) -> Iterator[str]:
        """Yield the rows of the table; *never* MiB are there without being asked for."""
        yield _row("memory, page never opened", never, "MiB more", f"(<= {NEVER_LIMIT:.0f})")
        yield _row("memory, page open", never + self.grown, "MiB more", f"(<= {OPEN_LIMIT:.0f})")
        ratio = (
            f"(< {VIEW_LIMIT:.0f}; {self.view / self.bare:.1f} x a bare asyncio server, {self.bare:.1f} ms)"
        )
        yield _row("first view, address to whole HTML", self.view, "ms", ratio)
        yield _row("asking for the address, before that", self.asked, "ms", "(loads the templates)")
        told = f"(< {CHANGE_LIMIT:.0f}; 50 of them wait for others); at a bare client {self.change:.0f}"
        yield _row("a change on the screen of Chromium", self.screen, "ms", told)


def served(rounds: int = ROUNDS) -> Served:
    """Open the page of a few agents for the first time."""
    with world(20) as house:
        os.environ["XDG_RUNTIME_DIR"] = house.environ["XDG_RUNTIME_DIR"]
        found = [_opened(house) for _ in range(rounds)]
        screen = _on_the_screen(house)
    grown, asked, view, bare, change = map(statistics.median, zip(*found, strict=True))
    return Served(grown, asked, view, bare, change, screen)


def _opened(house: House) -> tuple[float, float, float, float, float]:
    for noted in house.home.rglob(
        "page.json"
    ):  # or it would come back by itself, and this were no first time
        noted.unlink()
    with house.agent() as process:
        house.run("login")
        house.run("activate", *profile_names(house), seconds=120)
        before = _memory(process.pid)
        with AgentClient.connect() as client:
            began = time.perf_counter()
            address = client.ask(protocol.OpenPage()).address.reveal()
            asked = 1000 * (time.perf_counter() - began)
            view, bare, change = asyncio.run(_seen(address, client))
        return _memory(process.pid) - before, asked, view, bare, change


def _memory(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 2**20


async def _seen(address: str, client: AgentClient) -> tuple[float, float, float]:
    began = time.perf_counter()
    redirect = await _fetch(address)
    cookie = _header(redirect, "set-cookie").partition(";")[0]
    room = f"http://{urlsplit(address).netloc}{_header(redirect, 'location')}"
    whole = await _fetch(room, cookie)
    view = 1000 * (time.perf_counter() - began)
    if b"Time line" not in whole:
        raise RuntimeError("the page showed no view")
    return view, await _bare(redirect, whole), await _changed(room, cookie, client)


def _header(answer: bytes, name: str) -> str:
    lines = answer.partition(b"\r\n\r\n")[0].decode().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:"))


async def _ask(url: str, cookie: str, mode: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection("127.0.0.1", parts.port or 0)
    site = "same-origin" if cookie else "none"
    kind = "document" if mode == "navigate" else "empty"
    lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Sec-Fetch-Site: {site}"]
    lines += [f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {kind}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    writer.write("\r\n".join([*lines, "", ""]).encode())
    return reader, writer


async def _fetch(url: str, cookie: str = "", mode: str = "navigate") -> bytes:
    reader, writer = await _ask(url, cookie, mode)
    answer = await reader.read()
    writer.close()
    return answer


async def _bare(*answers: bytes) -> float:
    """Return the milliseconds that both requests take where both answers are known."""
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    began = time.perf_counter()
    for _ in answers:
        await _fetch(url)
    took = 1000 * (time.perf_counter() - began)
    server.close()
    return took


async def _changed(room: str, cookie: str, client: AgentClient) -> float:
    reader, writer = await _ask(f"{room}events", cookie, "cors")
    await reader.readuntil(b"event: change\ndata: 1\n\n")
    took = []
    for number in range(2 * ROUNDS):
        request, shown = PAUSES[number % 2]
        began = time.perf_counter()
        await asyncio.to_thread(client.ask, request)
        while True:
            await reader.readuntil(b"event: change\ndata: 1\n\n")
            if shown in (await _fetch(f"{room}part/", cookie, "cors")).decode():
                break
        took.append(1000 * (time.perf_counter() - began))
    writer.close()
    return statistics.median(took)


# --- in Chromium -------------------------------------------------------------------------------------------

_WATCH = """() => {
  window.shown = {};
  new MutationObserver(() => {
    const now = Date.now();
    for (const each of document.querySelectorAll("main button.plain")) window.shown[each.textContent] ||= now;
  }).observe(document.getElementById("main"), {childList: true});
}"""


def _on_the_screen(house: House) -> float:
    took = []
    with house.agent(), AgentClient.connect() as client:
        address = client.ask(protocol.OpenPage()).address.reveal()
        with _chromium(address) as page:
            page.locator("html.live").wait_for()
            for number in range(2 * ROUNDS):
                request, words = PAUSES[number % 2]
                page.evaluate(_WATCH)
                began = 1000 * time.time()
                client.ask(request)
                page.get_by_role("button", name=words).wait_for()
                took.append(cast("float", page.evaluate("words => window.shown[words]", words)) - began)
    return statistics.median(took)


_LISTEN = """() => {
  window.painted = [];
  const box = document.getElementById("q");
  let pressed = 0;
  box.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  document.addEventListener("input", () => {
    const began = pressed;
    pressed = 0;
    const painted = () => window.painted.push(performance.now() - began);
    if (began) requestAnimationFrame(() => setTimeout(painted, 0));
  });
}"""
"""From the key to the frame that shows what it found."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Milliseconds from a key to the frame with what it found, of a thousand profiles."""

    middle: float
    most: float
    """Of nine in ten."""

    def line(self) -> str:
        """Return the row of the table."""
        told = f"(< {KEY_LIMIT:.0f}; nine of ten {self.most:.0f}), to the painted frame"
        return _row(f"a key in the search of {PROFILES} profiles", self.middle, "ms", told)


def keys() -> Keys:
    """Type into the search in Chromium."""
    with (
        tempfile.TemporaryDirectory(prefix="credtray-bench-") as directory,
        _environment("XDG_STATE_HOME", directory),
        serving(_crowd(), (), scene.NOW) as page,
        _chromium(page.entrance()) as shown,
    ):
        shown.locator("html.live").wait_for()
        shown.evaluate(_LISTEN)
        for words in ("admin 0042", "team-7", "account 12"):
            shown.locator("#q").press_sequentially(words, delay=120)
            shown.locator("#q").fill("")
        took = cast("list[float]", shown.evaluate("window.painted"))
    return Keys(statistics.median(took), sorted(took)[len(took) * 9 // 10])


def _crowd() -> State:
    found = (
        Profile(f"team-{number % 40}-{number:04}", "corp", f"{number // 4:012d}", "Admin", region="eu-west-1")
        for number in range(PROFILES)
    )
    return after(State(seed="bench"), ConfigLoaded(config(*found)), now=scene.NOW)


@contextmanager
def _chromium(address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        yield page
        browser.close()


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


# --- what the history costs the endpoint -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Note:
    """Microseconds of processor time that one request of the endpoint costs the history, writing included."""

    took: float

    def line(self, endpoint: float) -> str:
        """Return the row of the table, beside the median of the endpoint in milliseconds."""
        share = self.took / (10 * endpoint)
        return _row(
            "history, of one endpoint request",
            self.took,
            "µs",
            f"{share:.2f} % of it (<= {NOTE_LIMIT:.0f} %)",
        )


class _Here:
    """Workers that do it at once, so that all of it is counted."""

    def files(self, work: Callable[[], Any], done: Callable[[Any], None], _failed: object) -> None:
        done(work())

    async def desktop_result_of(self, _work: object) -> None:
        return None


def note(times: int = 20_000) -> Note:
    """Have it noted many times that a program was given keys by the endpoint."""

    async def noted() -> float:
        with tempfile.TemporaryDirectory(prefix="credtray-bench-") as directory:
            state = held()
            recorder = Recorder(
                Journal(Path(directory)), cast("Any", _Here()), lambda: datetime.now(UTC), lambda: state, str
            )
            to = Recipient(Way.ENDPOINT, ("127.0.0.1", 40_000))
            began = time.process_time()
            for number in range(times):
                recorder.given("dev", to, None)
                if number % 100 == 0:
                    await asyncio.sleep(0)
            return (time.process_time() - began) / times

    return Note(1e6 * statistics.median(asyncio.run(noted()) for _ in range(ROUNDS)))


def main() -> int:
    """Print the table; exit 1 when a target is missed."""
    never, page, typed = never_opened(), served(), keys()
    sys.stdout.write("\n".join([*page.lines(never), typed.line()]) + "\n")
    good = never <= NEVER_LIMIT and never + page.grown <= OPEN_LIMIT and page.view < VIEW_LIMIT
    return 0 if good and page.screen < CHANGE_LIMIT and typed.middle < KEY_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
