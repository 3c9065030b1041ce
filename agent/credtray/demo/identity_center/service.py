"""The Identity Center as a thing to start and stop: state, routes, faults and the server under one lock.

It decides only what happens to a request before and after the service answers it.
"""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec

from credtray.demo.identity_center import canary, control, routes
from credtray.demo.identity_center.clock import Clock, system_clock
from credtray.demo.identity_center.control import Steering
from credtray.demo.identity_center.directory import Directory, synderys
from credtray.demo.identity_center.exchange import Refusal, Request, Response
from credtray.demo.identity_center.faults import reaches_service, replaced
from credtray.demo.identity_center.journal import Call
from credtray.demo.identity_center.routes import Route
from credtray.demo.identity_center.server import LOOPBACK, Outcome, Server

_NOTHING = Response(0)


class _Grant(msgspec.Struct, rename="camel", frozen=True):
    grant_type: str | None = None


class IdentityCenter(Steering):
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
        self._secret_path = f"/control/{canary.opaque_id()}"

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
            grant = msgspec.json.decode(request.body, type=_Grant).grant_type
        except (msgspec.DecodeError, UnicodeDecodeError):
            grant = None
        return Call(route.operation, now, status, grant=grant)
    return Call(route.operation, now, status)
