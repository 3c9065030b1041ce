"""A shared profile whose ssh, or whose far end, does not do what it should: an end is an end all the same."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

pytestmark = pytest.mark.posix("Unix sockets")

if sys.platform != "win32":
    from credtray.share.hand_out import Doors, HandOut
    from credtray.share.link import Link, Scripts, Told, Wanted

KEYS = b'{"Version": 1, "AccessKeyId": "ASIACANARY"}'
READY = """
far=$(for word; do case $word in /tmp/credtray-*) word=${word%%:*}; echo "${word#/tmp/}";; esac; done)
"""
"""What a false ssh knows: the word of this connection."""


class Shared:
    """A link over a false ssh, a script of sh."""

    def __init__(self, place: Path, ssh: str, keys: Callable[[], bytes]) -> None:
        self.files: list[str] = []
        self.causes: list[str] = []
        self.pauses: list[float] = []
        self.bears = 1
        """So many breaks, and then it is stopped."""
        self.heard = asyncio.Event()
        self.doors = Doors(place / "k", place / "c")
        self.floods = 0
        script = place / "ssh"
        script.write_text(f"{READY}{ssh}\n")
        wanted = Wanted("far", "dns", None, "here", self.doors.keys)
        about = {"host": "far", "profile": "dns"}
        self.hand_out = HandOut(self.doors, about, keys, self._flooded)
        scripts = Scripts(b"exit 0\n", b"")
        told = Told(self._ready, self._broken)
        self.link = Link(wanted, scripts, self.hand_out, told, ("sh", str(script)))

    def _flooded(self) -> None:
        self.floods += 1

    def _ready(self, file: str) -> None:
        self.files.append(file)
        self.heard.set()

    def _broken(self, why: str, seconds: float) -> None:
        self.causes.append(why)
        self.pauses.append(seconds)
        if len(self.pauses) >= self.bears:
            self.hand_out.stop()

    async def begun(self) -> None:
        """Wait until its socket is there: nothing tells, so each turn of the loop looks."""
        await asyncio.sleep(0)
        if not self.doors.control.exists():
            await self.begun()

    async def ask(self, request: str) -> bytes:
        return (await self.told(request)).partition(b"\r\n\r\n")[2]

    async def told(self, request: str) -> bytes:
        """Return all that is answered."""
        return await answered(self.doors.keys if request.endswith("/keys") else self.doors.control, request)


async def answered(door: Path, request: str) -> bytes:
    reader, writer = await asyncio.open_unix_connection(door)
    writer.write(f"{request} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = b""
    with suppress(ConnectionResetError):  # closed before it was read
        answer = await reader.read()
    writer.close()
    return answer


async def asked(door: Path, request: str) -> bytes:
    return (await answered(door, request)).partition(b"\r\n\r\n")[2]


def shared(
    place: Path,
    ssh: str,
    then: Callable[[Shared], Awaitable[None]],
    keys: Callable[[], bytes] = lambda: KEYS,
) -> Shared:
    """Share until *then* is done and has stopped it, or until ssh ends; raises TimeoutError if it goes on."""

    async def run() -> Shared:
        found = Shared(place, ssh, keys)
        running = asyncio.create_task(found.link.run(None))
        async with asyncio.timeout(20):
            await found.begun()
            await then(found)
            found.causes.append(str(await running))
        return found

    return asyncio.run(run())


async def stopped(found: Shared) -> None:
    await found.heard.wait()
    found.hand_out.stop()


async def left_alone(_found: Shared) -> None:
    return


def test_it_is_stopped_before_the_far_end_says_that_it_is_ready(tmp_path: Path) -> None:
    async def stopped_early(found: Shared) -> None:
        assert await found.ask("GET /keys") == KEYS
        assert json.loads(await found.ask("POST /stop"))["profile"] == "dns"

    assert shared(tmp_path, "exec sleep 300", stopped_early).files == []


def test_after_it_was_stopped_nothing_is_handed_out(tmp_path: Path) -> None:
    async def asked_late(found: Shared) -> None:
        reader, writer = await asyncio.open_unix_connection(found.doors.keys)
        await found.ask("POST /stop")
        writer.write(b"GET /keys HTTP/1.1\r\n\r\n")
        assert b"ASIACANARY" not in await reader.read()
        writer.close()

    shared(tmp_path, "trap '' TERM; cat >/dev/null; sleep 300", asked_late)


def test_a_far_end_that_hangs_takes_so_many_connections_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credtray.share.hand_out._MOST_AT_ONCE", 3)

    async def full(found: Shared) -> None:
        hanging = [await asyncio.open_unix_connection(found.doors.keys) for _ in range(3)]
        assert await found.ask("GET /keys") == b""
        for _, writer in hanging:
            writer.close()
        while await found.ask("GET /keys") != KEYS:
            pass
        found.hand_out.stop()

    shared(tmp_path, "exec sleep 300", full)


def test_a_flood_is_refused_counted_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credtray.share.hand_out._AT_A_TIME", 3.0)
    monkeypatch.setattr("credtray.share.hand_out._PER_SECOND", 0.0)
    fetched: list[bytes] = []

    def keys() -> bytes:
        fetched.append(KEYS)
        return KEYS

    async def flooded(found: Shared) -> None:
        answers = [await found.told("GET /keys") for _ in range(20)]
        assert [KEYS in answer for answer in answers] == [True] * 3 + [False] * 17
        assert answers[-1].startswith(b"HTTP/1.1 429 ")
        about = json.loads(await found.ask("GET /about"))
        assert (about["served"], about["refused"]) == (3, 17)
        found.hand_out.stop()

    assert shared(tmp_path, "exec sleep 300", flooded, keys).floods == 1
    assert len(fetched) == 3


def test_a_far_end_that_takes_every_connection_does_not_keep_this_one_from_stopping_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credtray.share.hand_out._MOST_AT_ONCE", 3)

    async def full(found: Shared) -> None:
        hanging = [await asyncio.open_unix_connection(found.doors.keys) for _ in range(3)]
        assert await found.ask("GET /keys") == b""
        assert json.loads(await found.ask("POST /stop"))["profile"] == "dns"
        for _, writer in hanging:
            writer.close()

    shared(tmp_path, "exec sleep 300", full)


def test_the_far_end_can_ask_for_keys_and_nothing_else(tmp_path: Path) -> None:
    async def curious(found: Shared) -> None:
        for request in (b"POST /stop", b"GET /about", b"GET /", b"POST /keys"):
            reader, writer = await asyncio.open_unix_connection(found.doors.keys)
            writer.write(request + b" HTTP/1.1\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
            writer.close()
        assert await found.ask("GET /keys") == KEYS
        found.hand_out.stop()

    shared(tmp_path, "exec sleep 300", curious)


def test_keys_that_are_long_in_coming_do_not_keep_it_from_ending(tmp_path: Path) -> None:
    asked, over = threading.Event(), threading.Event()

    def keys() -> bytes:
        asked.set()
        over.wait()
        return KEYS

    async def amid(found: Shared) -> None:
        _, writer = await asyncio.open_unix_connection(found.doors.keys)
        writer.write(b"GET /keys HTTP/1.1\r\n\r\n")
        await asyncio.to_thread(asked.wait)
        found.hand_out.stop()
        writer.close()

    shared(tmp_path, "exec sleep 300", amid, keys)
    over.set()


def test_a_time_that_ended_while_the_computer_slept_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return cls.fromtimestamp(time.time() + 7200.0, tz)

    async def slept() -> None:
        hand_out = HandOut(Doors(tmp_path / "k", tmp_path / "c"), {}, lambda: KEYS, print)
        async with hand_out.serving(7200.0):
            assert await asked(tmp_path / "k", "GET /keys") == KEYS
            monkeypatch.setattr("credtray.share.hand_out.datetime", Later)
            assert await asked(tmp_path / "k", "GET /keys") == b""
            assert hand_out.stopping.is_set()

    asyncio.run(slept())


@pytest.mark.parametrize(
    ("said", "status"),
    [("", 403), ("Authorization: other\r\n", 403), ("authorization:right\r\n", 200), ("X: right\r\n", 403)],
)
def test_where_others_could_ask_the_token_of_the_connection_is_needed(
    tmp_path: Path, said: str, status: int
) -> None:
    async def by_token(found: Shared) -> None:
        found.hand_out.token = "right"
        reader, writer = await asyncio.open_unix_connection(found.doors.keys)
        writer.write(f"GET /keys HTTP/1.1\r\nHost: x\r\n{said}\r\n".encode())
        answer = await reader.read()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert (KEYS in answer) == (status == 200)
        writer.close()
        found.hand_out.stop()

    shared(tmp_path, "exec sleep 300", by_token)


def test_its_end_amid_a_request_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_UNIX) as client:

        async def amid(found: Shared) -> None:
            client.connect(str(found.doors.keys))
            client.sendall(b"GET ")
            await found.ask("POST /stop")

        shared(tmp_path, "exec sleep 300", amid)

    assert caplog.records == []


def test_only_the_line_that_names_the_socket_says_that_it_is_ready(tmp_path: Path) -> None:
    ssh = 'echo "ready to serve you"; echo "ready $far /home/me/x"; echo "ready $far /home/me/y"; cat'

    assert shared(tmp_path, ssh, stopped).files == ["/home/me/x"]


def test_a_far_end_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    ssh = r'printf "ready %s /x\033]52;c;eA==\007\n" "$far"; printf "no\033[2Jway\n" >&2; exit 1'

    found = shared(tmp_path, ssh, left_alone)

    assert found.files == []
    assert all(cause.isprintable() for cause in found.causes)
    assert "way" in found.causes[-1]


@pytest.mark.parametrize("descriptor", ["1", "2"])
def test_a_flood_without_a_line_end_is_read_and_forgotten(tmp_path: Path, descriptor: str) -> None:
    flood = f"head -c 3000000 /dev/zero >&{descriptor}"

    found = shared(tmp_path, f'{flood}; echo; echo "ready $far /x"; {flood}; cat', stopped)

    assert found.files == ["/x"]


def test_a_process_that_ssh_leaves_behind_does_not_keep_it(tmp_path: Path) -> None:
    left = tmp_path / "left"
    behind = f"sleep 300 & echo $! >{shlex.quote(str(left))}"
    try:
        found = shared(tmp_path, f'{behind}; echo "ready $far /x"; exit 1', stopped)
    finally:
        os.kill(int(left.read_text()), signal.SIGKILL)

    assert found.files == ["/x"]


@pytest.mark.parametrize(("steady", "pauses"), [(60.0, [0.01, 0.02, 0.03, 0.03]), (0.0, [0.01] * 4)])
def test_a_far_end_that_is_ready_and_ends_at_once_is_tried_less_and_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steady: float, pauses: list[float]
) -> None:
    monkeypatch.setattr("credtray.share.link._PAUSES", (0.01, 0.02, 0.03))
    monkeypatch.setattr("credtray.share.link._STEADY", steady)

    async def four_times(found: Shared) -> None:
        found.bears = 4

    assert shared(tmp_path, 'echo "ready $far /x"; exit 1', four_times).pauses == pauses
