"""The Identity Center as a thing to start and stop: state, routes, faults and the server under one lock.

It decides only what happens to a request before and after the service answers it.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self

import msgspec

from credtray.demo.identity_center import control, exchange, routes
from credtray.demo.identity_center.control import Controls
from credtray.demo.identity_center.exchange import Refusal, Request, Response
from credtray.demo.identity_center.faults import Fault, broken, reaches_service, replaced
from credtray.demo.identity_center.instance import Call, Clock, Directory, synderys, system_clock
from credtray.demo.identity_center.routes import Route

# The HTTP server on loopback: bytes in, bytes out, faults in between.
#
# It binds 127.0.0.1 only, logs nothing, and knows no rule of Identity Center.


LOOPBACK = "127.0.0.1"
_LARGEST_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer on its way out."""

    response: Response
    at: datetime
    """The portal's time, for the Date header."""
    fault: Fault | None = None
    """How the connection breaks while the answer is sent."""
    delay: float = 0.0
    """Seconds of real time before anything is sent."""


Handle = Callable[[Request], Outcome]


class Server(socketserver.ThreadingTCPServer):
    """Serves until ``close``; every open connection ends then."""

    allow_reuse_address = sys.platform != "win32"
    # On Windows the option would let another program take the port over.
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, handle: Handle, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.handle = handle
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        """The bound port."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop, end open connections and hanging answers, and wait for the serving thread."""
        self.stopping.set()
        with socket.create_connection((LOOPBACK, self.port)):
            self._thread.join()
        with self._guard:
            for connection in self._open:
                _end(connection)
        self.server_close()

    def _serve(self) -> None:
        """Wait for connections without polling; ``close`` wakes it with one of its own."""
        while not self.stopping.is_set():
            self.handle_request()

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Remember the connection, so that ``close`` can end it."""
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Forget the connection and close it."""
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: clients that go away are the daily bread of a server for fault tests."""


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster


class _Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection."""

    protocol_version = "HTTP/1.1"
    server: Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log nothing: targets hold codes."""

    def _answer(self) -> None:
        length = _length(self.headers.get("Content-Length", "0"))
        if length is None or length > _LARGEST_BODY:
            self.close_connection = True
            status = HTTPStatus.BAD_REQUEST if length is None else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            self.wfile.write(f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        outcome = self.server.handle(request)
        if outcome.delay and self.server.stopping.wait(outcome.delay):
            self.close_connection = True
            return
        self._send(outcome)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - http.server's names

    def _send(self, outcome: Outcome) -> None:
        response = outcome.response
        if outcome.fault is not None:
            self.close_connection = True
            broken(
                outcome.fault,
                self.connection,
                lambda length: _head(response, outcome.at, length, last=True),
                response.body,
                self.server.stopping,
            )
            return
        body = b"" if self.command == "HEAD" else response.body
        self.wfile.write(_head(response, outcome.at, len(response.body)) + body)


def _length(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _head(response: Response, at: datetime, length: int, *, last: bool = False) -> bytes:
    """Return status line and headers; Date is the portal's time, not this computer's.

    *last*: the connection is closed afterwards, which is said so that nobody sends another request on it.
    """
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [
        f"HTTP/1.1 {response.status} {phrase}",
        f"Date: {format_datetime(at, usegmt=True)}",
        f"Content-Length: {length}",
        f"x-amzn-RequestId: {exchange.request_id()}",
    ]
    if response.content_type:
        lines.append(f"Content-Type: {response.content_type}")
    if last:
        lines.append("Connection: close")
    lines += [f"{name}: {value}" for name, value in response.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


_NOTHING = Response(0)


class _Grant(msgspec.Struct, rename="camel", frozen=True):
    grant_type: str | None = None


# Made here, before any thread: two threads that use a type of msgspec first at the same time end the process.
_GRANT = msgspec.json.Decoder(_Grant)


class IdentityCenter(Controls):
    """A small Identity Center with portal, STS and federation endpoint on 127.0.0.1.

    ``with IdentityCenter() as portal:`` serves at ``portal.url`` until the block ends; nothing is bound
    before ``start``. All hosts of AWS are served by the one address: pass it as every ``endpoint_url``.
    """

    def __init__(
        self, directory: Directory | None = None, *, clock: Clock = system_clock, port: int = 0
    ) -> None:
        super().__init__(directory if directory is not None else synderys(), clock)
        self._port = port
        self._server: Server | None = None
        self._secret_path = f"/control/{exchange.opaque_id()}"

    def start(self) -> Self:
        """Bind and serve in a thread. Raises OSError when a chosen port is taken."""
        self._server = Server(self._handle, self._port)
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving and close every connection; harmless when not started."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The bound port. Raises RuntimeError before ``start``."""
        if self._server is None:
            raise RuntimeError("the Identity Center is not started")
        return self._server.port

    @property
    def url(self) -> str:
        """The address of every endpoint, without a trailing slash."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def control_url(self) -> str:
        """The unguessable address that takes commands (see ``control``)."""
        return f"{self.url}{self._secret_path}"

    def _handle(self, request: Request) -> Outcome:
        if request.path == self._secret_path and request.method == "POST":
            return Outcome(control.obey(self, request.body), self.now())
        with self._lock:
            now = self.now()
            route = routes.find(self._instance, request)
            role = request.query.get("role_name")
            fault = self._faults.take(route.operation, now, page=route.page, role=role)
            delay = self._faults.latency(route.operation, page=route.page)
            response = _NOTHING
            if fault is None or reaches_service(fault):
                response = self._answer(route, request, now)
        if fault is not None:
            substitute = replaced(fault, route.operation)
            if substitute is not None:
                response, fault = substitute, None
        status = response.status if fault is None else 0
        self.journal.record(_call(route, request, now, status))
        return Outcome(response, now, fault, delay)

    def _answer(self, route: Route, request: Request, now: datetime) -> Response:
        try:
            return route.answer(self._instance, request, now)
        except Refusal as refusal:
            return refusal.response


def _call(route: Route, request: Request, now: datetime, status: int) -> Call:
    if route.operation == "GetRoleCredentials":
        query = request.query
        return Call(route.operation, now, status, query.get("account_id"), query.get("role_name"))
    if route.operation == "CreateToken":
        try:
            grant = _GRANT.decode(request.body).grant_type
        except (msgspec.DecodeError, UnicodeDecodeError):
            grant = None
        return Call(route.operation, now, status, grant=grant)
    return Call(route.operation, now, status)
