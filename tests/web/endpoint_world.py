"""The credentials endpoint in a thread of its own, with made-up keys that can be found anywhere."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from credtray.core.models import Secret
from credtray.core.ports.files import Caller
from credtray.core.protocol import ProcessCredentials
from credtray.web.credentials_endpoint import BoundEndpoint, Limits, listening_on

CANARY = "cAnArY9f3b"
"""In every key that is handed out: no refused request may bring a byte of it."""
TOKEN = "ToKeN-of-dev-0123456789abcdefghijklmnopqrst"
OTHER_TOKEN = "ToKeN-of-prod-123456789abcdefghijklmnopqrst"
KEYS = ProcessCredentials(
    1,
    f"ASIA{CANARY}",
    Secret(f"secret{CANARY}"),
    Secret(f"token{CANARY}"),
    "2026-11-22T13:00:00Z",
    "111100000001",
)


@dataclass
class Reply:
    """What came back until the server closed."""

    raw: bytes

    @property
    def status(self) -> int:
        """0: closed without an answer."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw.startswith(b"HTTP/1.1 ") else 0

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


@dataclass
class Endpoint:
    """One endpoint that serves; ``issued`` counts who got as far as the keys."""

    bound: BoundEndpoint
    tokens: dict[str, Secret] = field(
        default_factory=lambda: {"dev": Secret(TOKEN), "prod": Secret(OTHER_TOKEN)}
    )
    issued: list[str] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    wrong: list[Caller] = field(default_factory=list)
    """Who came with a wrong token."""
    failing: Exception | None = None
    seconds: float = 0.0

    @property
    def port(self) -> int:
        return self.bound.port

    async def issue(self, profile: str, caller: Caller) -> ProcessCredentials:
        self.issued.append(profile)
        self.callers.append(caller)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.given_up.append(profile)
            raise
        if self.failing is not None:
            raise self.failing
        return KEYS

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def send(self, raw: bytes) -> Reply:
        """Send raw bytes and return everything that comes back."""
        with closing(self.connect()) as connection:
            try:
                connection.sendall(raw)
                return Reply(drained(connection))
            except (ConnectionResetError, BrokenPipeError):
                return Reply(b"")

    def get(self, profile: str = "dev", token: str | bytes | None = TOKEN, *more: str) -> Reply:
        """Ask as an SDK does, with *more* header lines."""
        return self.send(request(self.port, profile, token, *more))


def request(port: int, profile: str = "dev", token: str | bytes | None = TOKEN, *more: str) -> bytes:
    head = [f"GET /credentials/{quote(profile, safe='')} HTTP/1.1", f"Host: 127.0.0.1:{port}", *more]
    raw = "".join(f"{line}\r\n" for line in head).encode()
    if token is not None:
        raw += b"Authorization: " + (token.encode() if isinstance(token, str) else token) + b"\r\n"
    return raw + b"\r\n"


def drained(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@contextmanager
def serving(limits: Limits = Limits(), port: int | None = None) -> Iterator[Endpoint]:
    """Serve from a thread until the block ends."""
    wrong: list[Caller] = []
    endpoint = Endpoint(listening_on(port, wrong.append), wrong=wrong)
    ready, loops = threading.Event(), []

    async def work() -> None:
        end = asyncio.Event()
        await endpoint.bound.serve(endpoint.tokens, endpoint.issue, limits)
        loops.append((asyncio.get_running_loop(), end))
        ready.set()
        await end.wait()
        await endpoint.bound.close()

    thread = threading.Thread(target=lambda: asyncio.run(work()), name="endpoint under test")
    thread.start()
    assert ready.wait(10)
    try:
        yield endpoint
    finally:
        # Whoever came before has been let in once this one is shown out: Windows' event loop leaves a socket
        # behind when a port is closed while it lets somebody in.
        endpoint.send(b"\r\n\r\n")
        loop, end = loops[0]
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
