"""Stands in for EKS, ECR and CodeArtifact on loopback: checks the signature, answers from a table."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from credtray.demo.identity_center.exchange import Request
from credtray.demo.identity_center.sts import is_signed_with

SECRET = "canary-secret/key+"

Answer = tuple[int, Any]


@dataclass
class StandIn:
    """What it was asked, and what it answers."""

    answers: dict[str, Answer | Callable[[Request], Answer]] = field(default_factory=dict)
    """By method and path, or by the target of an AWS JSON request."""
    asked: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        if not is_signed_with(request, SECRET):
            return 403, {"__type": "InvalidSignatureException", "message": "signed wrongly"}
        key = request.headers.get("x-amz-target") or f"{request.method} {request.path}"
        found = self.answers.get(key, (404, {"__type": "ResourceNotFoundException", "message": f"No {key}"}))
        return found(request) if callable(found) else found


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Serve until the end of the block."""
    service = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = service.answer(Request(self.command, self.path, headers, self.rfile.read(size)))
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if status >= 400 and isinstance(body, dict):
                self.send_header("x-amzn-ErrorType", body.get("__type", ""))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _handle  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 -- http.server's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
