"""Which answers go wrong, and how: faults as values, and the plan that deals them out.

Nothing is broken here; ``fault_wire`` turns a fault into bytes, delays and resets.
"""

from __future__ import annotations

import gzip
import io
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from credtray.demo.identity_center.exchange import (
    Refusal,
    Response,
    oidc_refusal,
    portal_refusal,
    sts_refusal,
)

EVERY = "*"
"""Stands for all operations that programs call (not the browser's pages)."""


class Throttle(msgspec.Struct, frozen=True, tag_field="fault", tag="throttle"):
    """429 on the portal, SlowDown on the token service, Throttling on STS."""

    retry_after: int | None = None
    """Seconds in a Retry-After header, or no such header."""


class Status(msgspec.Struct, frozen=True, tag_field="fault", tag="status"):
    """Any status with a chosen body, such as a load balancer's 500, 502, 503 or a 511."""

    status: int
    body: str = "<html><body><h1>Service Unavailable</h1></body></html>"
    content_type: str = "text/html"
    location: str | None = None
    """A Location header, for 302."""


class Hang(msgspec.Struct, frozen=True, tag_field="fault", tag="hang"):
    """Nothing for *seconds* of real time, then the connection is closed."""

    seconds: float = 3600.0


class Drop(msgspec.Struct, frozen=True, tag_field="fault", tag="drop"):
    """The connection is closed instead of an answer."""

    processed: bool = False
    """True: the service did its work, only the answer is lost (a rotated refresh token is gone)."""


class Reset(msgspec.Struct, frozen=True, tag_field="fault", tag="reset"):
    """The true answer begins, then the connection is reset in the middle of its body."""


class Truncate(msgspec.Struct, frozen=True, tag_field="fault", tag="truncate"):
    """The true answer's body ends half-way while Content-Length promises (or hides) the rest."""

    honest: bool = False
    """True: Content-Length fits the half body, so that only parsing can notice."""


class CaptivePortal(msgspec.Struct, frozen=True, tag_field="fault", tag="captive_portal"):
    """200 with a log-in page in HTML, as hotels answer everything."""


class Body(msgspec.Struct, frozen=True, tag_field="fault", tag="body"):
    """A chosen body, for answers of the wrong shape."""

    body: str
    status: int = 200
    content_type: str = "application/json"


class Huge(msgspec.Struct, frozen=True, tag_field="fault", tag="huge"):
    """A JSON body of *mebibytes*."""

    mebibytes: int = 50


class GzipBomb(msgspec.Struct, frozen=True, tag_field="fault", tag="gzip_bomb"):
    """A gzip-encoded body that unpacks to *mebibytes*."""

    mebibytes: int = 200


class Drip(msgspec.Struct, frozen=True, tag_field="fault", tag="drip"):
    """The true answer at one byte per *seconds*."""

    seconds: float = 1.0


Fault = Throttle | Status | Hang | Drop | Reset | Truncate | CaptivePortal | Body | Huge | GzipBomb | Drip


def reaches_service(fault: Fault) -> bool:
    """Return whether the service still does its work, so that only the answer suffers."""
    if isinstance(fault, Drop):
        return fault.processed
    return isinstance(fault, Reset | Truncate | Drip)


@dataclass(slots=True)
class _Planned:
    operation: str
    fault: Fault
    left: int | None
    role: str | None


class Faults:
    """The plan: what is to go wrong next for each operation."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._latency: dict[str, float] = {}
        self._rate: dict[str, int] = {}
        self._recent: dict[str, deque[datetime]] = {}

    def inject(
        self, operation: str, fault: Fault, *, times: int | None = None, role: str | None = None
    ) -> None:
        """Let *operation* (or EVERY) fail *times* times, None: until cleared; *role* narrows it to one."""
        self._planned.append(_Planned(operation, fault, times, role))

    def clear(self, operation: str | None = None) -> None:
        """Take back the faults, latency and limits of *operation*, or all."""
        if operation is None:
            self._planned.clear()
            self._latency.clear()
            self._rate.clear()
            return
        self._planned = [planned for planned in self._planned if planned.operation != operation]
        self._latency.pop(operation, None)
        self._rate.pop(operation, None)

    def set_latency(self, operation: str, seconds: float) -> None:
        """Delay every answer of *operation* (or EVERY) by *seconds* of real time."""
        self._latency[operation] = seconds

    def limit_rate(self, operation: str, per_second: int) -> None:
        """Throttle *operation* above *per_second* calls within one second of the portal's time."""
        self._rate[operation] = per_second

    def latency(self, operation: str, *, page: bool) -> float:
        """Return the delay in seconds that is set for *operation*."""
        usual = 0.0 if page else self._latency.get(EVERY, 0.0)
        return self._latency.get(operation, usual)

    def take(self, operation: str, now: datetime, *, page: bool, role: str | None = None) -> Fault | None:
        """Return the fault due for this call and count it off; the one injected first goes first."""
        for planned in self._planned:
            hits = planned.operation == operation or (planned.operation == EVERY and not page)
            if hits and planned.left != 0 and planned.role in {None, role}:
                if planned.left is not None:
                    planned.left -= 1
                return planned.fault
        return Throttle() if self._over_rate(operation, now) else None

    def _over_rate(self, operation: str, now: datetime) -> bool:
        limit = self._rate.get(operation)
        if limit is None:
            return False
        recent = self._recent.setdefault(operation, deque())
        while recent and now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= limit:
            return True
        recent.append(now)
        return False


# Turns a fault into bytes, delays and resets on one connection.
#
# It does not choose faults. Waiting is cut short when the server stops.


_MEBIBYTE = 1024 * 1024
_CAPTIVE = "<!doctype html><html><title>Hotel Wi-Fi</title><body>Welcome! Please log in.</body></html>"
_TOKEN_SERVICE = {"RegisterClient", "StartDeviceAuthorization", "CreateToken"}
_STS = {"AssumeRole", "GetCallerIdentity"}


def replaced(fault: Fault, operation: str) -> Response | None:
    """Return the whole answer that *fault* sends instead of the true one; None: it breaks the true one."""
    response: Response | None = None
    match fault:
        case Throttle():
            response = _throttled(fault, operation)
        case Status():
            headers = (("Location", fault.location),) if fault.location else ()
            response = Response(fault.status, fault.body.encode(), fault.content_type, headers)
        case CaptivePortal():
            response = Response(200, _CAPTIVE.encode(), "text/html; charset=utf-8")
        case Body():
            response = Response(fault.status, fault.body.encode(), fault.content_type)
        case Huge():
            filling = b"x" * (fault.mebibytes * _MEBIBYTE)
            response = Response(200, b'{"filling": "' + filling + b'"}', "application/json")
        case GzipBomb():
            packed = (("Content-Encoding", "gzip"),)
            response = Response(200, _bomb(fault.mebibytes), "application/json", packed)
        case Hang() | Drop() | Reset() | Truncate() | Drip():
            pass
        case _:
            assert_never(fault)
    return response


def _throttled(fault: Throttle, operation: str) -> Response:
    refusal: Refusal
    if operation in _TOKEN_SERVICE:
        refusal = oidc_refusal("SlowDownException")
    elif operation in _STS:
        refusal = sts_refusal(400, "Throttling", "Rate exceeded")
    else:
        refusal = portal_refusal("TooManyRequestsException")
    answer = refusal.response
    if fault.retry_after is None:
        return answer
    wait = ("Retry-After", str(fault.retry_after))
    return Response(answer.status, answer.body, answer.content_type, (*answer.headers, wait))


def _bomb(mebibytes: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(mebibytes):
            file.write(b" " * _MEBIBYTE)
    return packed.getvalue()


def broken(
    fault: Fault,
    connection: socket.socket,
    head: Callable[[int], bytes],
    body: bytes,
    stopping: threading.Event,
) -> None:
    """Send what *fault* leaves of the true answer; the connection is of no more use afterwards.

    *head* returns the status line and headers for a given Content-Length; *body* is the true body.
    """
    half = body[: len(body) // 2]
    match fault:
        case Hang():
            stopping.wait(fault.seconds)
        case Reset():
            connection.sendall(head(len(body)) + half)
            # SO_LINGER with a time of zero makes the coming close() send RST instead of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case Truncate():
            connection.sendall(head(len(half) if fault.honest else len(body)) + half)
        case Drip():
            for byte in head(len(body)) + body:
                connection.sendall(bytes([byte]))
                if stopping.wait(fault.seconds):
                    return
        case _:
            return
