"""Measures the credentials endpoint of a real agent against a bare asyncio server that knows the answer.

One client alone, fifty that ask at their own pace, and fifty that ask without a pause; rounds of both servers
alternate, so the ratios count, not the times.

    python -m bench.endpoint [ROUNDS]
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.world import profile_names, world

CLIENTS = 50
ROUNDS = 8
REQUESTS = 1000
"""In one round, of all clients together."""
ALONE = 200
ALONE_LIMIT = 2.0
"""Milliseconds, median of a client that is alone."""
PACE = 0.5
"""Seconds between two requests of one client: fifty programs that ask a hundred times a second."""
PACED_TIMES = 6
PACED_LIMIT = 20.0
"""Milliseconds, 99th percentile of these."""

BARE = """
import asyncio, sys
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(ANSWER)
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
ANSWER = sys.stdin.buffer.readline().strip().decode("unicode_escape").encode()
asyncio.run(main())
"""
"""The floor: reads a head, says what it was given."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of one server, in milliseconds."""

    alone: float
    """Median of a client that is alone."""
    paced: float
    """99th percentile of fifty at their own pace."""
    half: float
    """Median of fifty at once."""
    almost_all: float
    """99th percentile of fifty at once."""


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the rounds."""

    floor: Times
    ours: Times

    @property
    def passed(self) -> bool:
        """True when one client alone, and nearly all of fifty at their own pace, are answered in time."""
        return self.ours.alone < ALONE_LIMIT and self.ours.paced < PACED_LIMIT

    def lines(self) -> Iterator[str]:
        """Yield the table for a person."""
        yield _row(
            "endpoint, one client, p50", self.ours.alone, self.floor.alone, f" (< {ALONE_LIMIT:.0f} ms)"
        )
        yield _row(
            f"endpoint, {CLIENTS} paced clients, p99",
            self.ours.paced,
            self.floor.paced,
            f" (< {PACED_LIMIT:.0f} ms)",
        )
        yield _row(f"endpoint, {CLIENTS} clients, p50", self.ours.half, self.floor.half)
        yield _row(f"endpoint, {CLIENTS} clients, p99", self.ours.almost_all, self.floor.almost_all)


def _row(name: str, ours: float, floor: float, target: str = "") -> str:
    return f"{name:32s}{ours:9.2f} ms  {ours / floor:.2f} x a bare asyncio server ({floor:.2f} ms){target}"


def measure(rounds: int = ROUNDS) -> Result:
    """Ask both servers in turn."""
    with world(1) as house:
        (profile,) = profile_names(house)
        with house.agent():
            house.run("login")
            told = json.loads(house.run("endpoint", profile, "--json").stdout)
            request = _request(told["url"], Path(told["token_file"]).read_text())
            answer = asyncio.run(_ask(told["port"], request))
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError("the endpoint handed out no keys")
            with _bare(answer) as port:
                found = [_round(each, request) for _ in range(rounds) for each in (port, told["port"])]
    return Result(_median(found[::2]), _median(found[1::2]))


def _request(url: str, token: str) -> bytes:
    """Return what botocore sends."""
    parts = urlsplit(url)
    head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n"
    return f"{head}Authorization: {token}\r\nUser-Agent: bench\r\n\r\n".encode()


@contextmanager
def _bare(answer: bytes) -> Iterator[int]:
    command = [sys.executable, "-I", "-S", "-c", BARE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 -- ours
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        process.stdin.write(answer.decode().encode("unicode_escape") + b"\n")
        process.stdin.flush()
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _round(port: int, request: bytes) -> Times:
    alone = asyncio.run(_asked(port, request, clients=1, times=ALONE))
    paced = asyncio.run(_asked(port, request, clients=CLIENTS, times=PACED_TIMES, pace=PACE))
    crowd = asyncio.run(_asked(port, request, clients=CLIENTS, times=REQUESTS // CLIENTS))
    return Times(statistics.median(alone), _almost_all(paced), statistics.median(crowd), _almost_all(crowd))


def _almost_all(times: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(times)[round(len(times) * 0.99) - 1]


async def _asked(port: int, request: bytes, *, clients: int, times: int, pace: float = 0) -> list[float]:
    async def client(number: int) -> list[float]:
        await asyncio.sleep(pace * number / clients)  # each at its own moment
        took = []
        for _ in range(times):
            took.append(await _timed(port, request))
            await asyncio.sleep(pace)
        return took

    found = await asyncio.gather(*(client(number) for number in range(clients)))
    return [each for took in found for each in took]


async def _timed(port: int, request: bytes) -> float:
    began = time.perf_counter()
    await _ask(port, request)
    return 1000 * (time.perf_counter() - began)


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def _median(rounds: list[Times]) -> Times:
    return Times(
        statistics.median(each.alone for each in rounds),
        statistics.median(each.paced for each in rounds),
        statistics.median(each.half for each in rounds),
        statistics.median(each.almost_all for each in rounds),
    )


def main() -> int:
    """Print the table; exit 1 when the target is missed."""
    result = measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
    sys.stdout.write("\n".join(result.lines()) + "\n")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
