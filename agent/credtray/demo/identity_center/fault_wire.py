"""Turns a fault into bytes, delays and resets on one connection.

It does not choose faults. Waiting is cut short when the server stops.
"""

from __future__ import annotations

import gzip
import io
import socket
import struct
import threading
from collections.abc import Callable
from typing import assert_never

from credtray.demo.identity_center.exchange import Refusal, Response
from credtray.demo.identity_center.faults import (
    Body,
    CaptivePortal,
    Drip,
    Drop,
    Fault,
    GzipBomb,
    Hang,
    Huge,
    Reset,
    Status,
    Throttle,
    Truncate,
)
from credtray.demo.identity_center.refusals import oidc_refusal, portal_refusal, sts_refusal

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
