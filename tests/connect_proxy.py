"""A TLS-ending CONNECT proxy on loopback, so that clients without endpoint overrides reach the test portal.

``with ConnectProxy(portal.port) as proxy:`` and start the client with ``proxy.environment``. Hosts that are
not AWS's (or the vanity one) are refused and remembered; nothing ever leaves this computer.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import socketserver
import ssl
import tempfile
import threading
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

HOSTS = frozenset(
    {
        "oidc.us-east-1.amazonaws.com",
        "portal.sso.us-east-1.amazonaws.com",
        "device.sso.us-east-1.amazonaws.com",
        "sts.us-east-1.amazonaws.com",
        "sts.eu-west-1.amazonaws.com",
        "sts.amazonaws.com",
        "signin.aws.amazon.com",
        "aws.synderys.com",
        "d-9067000001.awsapps.com",
        "d-9067000002.awsapps.com",
    }
)


class Certificate(Enum):
    """What the proxy shows for a host."""

    GOOD = "good"
    """Issued for the host by the authority in ``ca_bundle``."""
    WRONG_HOST = "wrong_host"
    EXPIRED = "expired"
    UNKNOWN_AUTHORITY = "unknown_authority"
    """Issued by an authority nobody was told of, as an intercepting proxy does."""


class ConnectProxy:
    """Forwards CONNECT tunnels to a loopback port, in the clear behind its own TLS."""

    def __init__(
        self,
        upstream_port: int,
        *,
        hosts: frozenset[str] = HOSTS,
        certificate: Certificate = Certificate.GOOD,
        login: str | None = None,
    ) -> None:
        self.tunnels: list[str] = []
        """Hosts that were connected, in order."""
        self.refused: list[str] = []
        """Hosts that were asked for and are not served here."""
        self._upstream_port = upstream_port
        self._hosts = hosts
        self._certificate = certificate
        self._login = login
        self._authority = trustme.CA(organization_name="credtray tests")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory()
        self.ca_bundle = Path(self._directory.name) / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_bundle))
        self._server = _Server(("127.0.0.1", 0), _Tunnel)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end_tunnels()
        self._server.server_close()
        self._directory.cleanup()

    @property
    def url(self) -> str:
        """The proxy's address, with its login if it wants one."""
        login = f"{self._login}@" if self._login else ""
        return f"http://{login}127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a client use this proxy and trust its certificates."""
        return {"HTTPS_PROXY": self.url, "AWS_CA_BUNDLE": str(self.ca_bundle)}

    def admits(self, header: str) -> bool:
        """Return whether a Proxy-Authorization header is good enough."""
        if self._login is None:
            return True
        return header == "Basic " + base64.b64encode(self._login.encode()).decode()

    def opens(self, host: str) -> bool:
        """Return whether *host* is served here, and remember that it was asked for."""
        (self.tunnels if host in self._hosts else self.refused).append(host)
        return host in self._hosts

    def upstream(self) -> socket.socket:
        """Return a new connection to the portal."""
        return socket.create_connection(("127.0.0.1", self._upstream_port))

    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS context that speaks for *host*."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._new_context(host)
            return self._contexts[host]

    def _new_context(self, host: str) -> ssl.SSLContext:
        authority, name, until = self._authority, host, None
        if self._certificate is Certificate.UNKNOWN_AUTHORITY:
            authority = trustme.CA(organization_name="Intercepting Proxy Ltd")
        if self._certificate is Certificate.WRONG_HOST:
            name = "wrong.example"
        if self._certificate is Certificate.EXPIRED:
            until = datetime(2020, 1, 1, tzinfo=UTC)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=until).configure_cert(context)
        return context


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    proxy: ConnectProxy

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(address, handler)
        self.open: set[socket.socket] = set()
        self.guard = threading.Lock()

    def end_tunnels(self) -> None:
        with self.guard:
            for connection in self.open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or does not trust us, is part of the tests."""


class _Tunnel(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        proxy = self.server.proxy
        lines = self._head().split("\r\n")
        method, target = lines[0].split(" ")[:2]
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        host = target.partition(":")[0]
        if not proxy.admits(headers.get("proxy-authorization", "")):
            self.request.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="tests"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
            )
            return
        if method != "CONNECT" or not proxy.opens(host):
            self.request.sendall(
                b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with proxy.context(host).wrap_socket(self.request, server_side=True) as inside:
            self._join(inside, proxy.upstream())

    def _head(self) -> str:
        """Read to the empty line byte by byte: what follows is TLS and not ours to buffer."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.request.recv(1)
            if not byte:
                raise ConnectionError
            head += byte
        return head.decode("latin-1")

    def _join(self, inside: ssl.SSLSocket, upstream: socket.socket) -> None:
        with upstream:
            with self.server.guard:
                self.server.open |= {inside, upstream}
            with contextlib.suppress(OSError):
                _relay(inside, upstream)
            with self.server.guard:
                self.server.open -= {inside, upstream}


def _relay(inside: ssl.SSLSocket, upstream: socket.socket) -> None:
    """Copy both ways until one side ends, in one thread: a TLS connection is not safe in two."""
    while True:
        ready = [inside] if inside.pending() else select.select([inside, upstream], [], [])[0]
        if inside in ready:
            inside.setblocking(False)
            try:
                data = inside.recv(65536)
            except ssl.SSLWantReadError:
                continue  # a TLS record without data, such as a session ticket
            finally:
                inside.setblocking(True)
            if not data:
                return
            upstream.sendall(data)
        else:
            data = upstream.recv(65536)
            if not data:
                return
            inside.sendall(data)
