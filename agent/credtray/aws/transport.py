"""Carries one HTTP request to a service and back within fixed limits of time and size.

Must not interpret the service's answer, retry, follow redirects or log. Import it late: urllib3 and botocore
cost memory and start-up time that only a network call is worth.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from botocore.httpsession import get_cert_path
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from credtray.aws.certificate_issuer import issuer_at
from credtray.aws.proxies import login_headers, proxy_for, refusal_of_proxy
from credtray.aws.wire import Limits, Reply, Request
from credtray.core.addresses import shown
from credtray.core.errors import CertificateRefused, CredtrayError, Offline, UnexpectedReply
from credtray.core.secret import Secret

_PART = 1 << 16
_CONNECTIONS = 8
"""Kept open per host: as many as role credentials are fetched at once."""


class Transport:
    """Keeps connections per CA bundle and proxy; safe to use from several threads at once."""

    def __init__(self, ca_bundle: str | None, limits: Limits, proxy: Secret | None = None) -> None:
        self._ca_bundle = ca_bundle
        self._limits = limits
        self._proxy = proxy
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str | None], urllib3.PoolManager] = {}

    def send(self, request: Request) -> Reply:
        """Return the whole answer, whatever its status.

        Raises:
            Offline: no connection, a broken one, silence, or the total time is over.
            CertificateRefused: TLS verification failed, or the CA bundle cannot be read.
            ProxyRefused: the proxy wants another login, does not let the address through, or is no address.
            UnexpectedReply: the answer is too large.
        """
        proxy = proxy_for(request.url, self._proxy)
        pool = self._pool(urlsplit(request.url).scheme, proxy)

        def explained(error: Exception) -> CredtrayError:
            return _translated(error, lambda: issuer_at(request.url, proxy, self._limits.connect))

        fetch = _Fetch(lambda: self._exchange(pool, request), explained)
        fetch.start()
        fetch.join(self._limits.total)
        if fetch.is_alive():
            fetch.abandon()
            raise Offline(f"no complete answer within {self._limits.total:g} s")
        return fetch.outcome()

    def _exchange(self, pool: urllib3.PoolManager, request: Request) -> Reply:
        response = pool.request(
            request.method,
            request.url,
            body=request.body,
            headers=dict(request.headers),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = bytearray()
        for part in response.stream(_PART, decode_content=False):
            body += part
            if len(body) > self._limits.body:
                response.close()  # the rest must not be read, so the connection cannot be used again
                raise UnexpectedReply(f"it is larger than {self._limits.body >> 10} KiB")
        return Reply(response.status, headers, bytes(body))

    def _pool(self, scheme: str, proxy: str | None) -> urllib3.PoolManager:
        with self._lock:
            if (scheme, proxy) not in self._pools:
                context = _tls_context(self._ca_bundle) if scheme == "https" else None
                self._pools[scheme, proxy] = _new_pool(proxy, context, self._limits)
            return self._pools[scheme, proxy]


class _Fetch(threading.Thread):
    """Runs one exchange, so that a caller can walk away from it when its time is over.

    Socket timeouts bound each silence only; a peer that trickles would hold the caller for ever.
    """

    def __init__(
        self, exchange: Callable[[], Reply], explained: Callable[[Exception], CredtrayError]
    ) -> None:
        super().__init__(name="portal-request", daemon=True)
        self._exchange = exchange
        self._explained = explained
        self._connection: socket.socket | None = None
        self._reply: Reply | None = None
        self._error: CredtrayError = Offline("the connection broke")

    def run(self) -> None:
        try:
            self._reply = self._exchange()
        except CredtrayError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - urllib3 lets errors of four libraries through
            self._error = self._explained(error)

    def outcome(self) -> Reply:
        if self._reply is None:
            raise self._error
        return self._reply

    def watch(self, connection: socket.socket | None) -> None:
        self._connection = connection

    def abandon(self) -> None:
        """Break the connection, so that the thread ends instead of waiting for a byte every few seconds."""
        if self._connection is None:
            return
        with suppress(OSError):  # already closed
            # The plain socket's own method: SSLSocket.shutdown would drop the TLS state a reader uses.
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


class _WatchedHttp(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's own override differs too
        _watch(self.sock)
        return super().getresponse()


class _WatchedHttps(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as above
        _watch(self.sock)
        return super().getresponse()


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


def _new_pool(proxy: str | None, context: ssl.SSLContext | None, limits: Limits) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=limits.connect, read=limits.read)
    if proxy is None:
        pool = urllib3.PoolManager(timeout=timeout, ssl_context=context, maxsize=_CONNECTIONS)
    else:
        pool = urllib3.ProxyManager(
            proxy,
            timeout=timeout,
            ssl_context=context,
            maxsize=_CONNECTIONS,
            proxy_headers=login_headers(proxy),
        )
    pool.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return pool


def _watch(connection: socket.socket | None) -> None:
    thread = threading.current_thread()
    if isinstance(thread, _Fetch):
        thread.watch(connection)


def _tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Trust the bundle named, else this computer's own store and the list botocore brings.

    The settings come first, then botocore's order (core/endpoints): who sets the agent's environment?
    """
    named = ca_bundle or os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        if named:
            path = Path(named).expanduser()
            if path.is_dir():
                return ssl.create_default_context(capath=str(path))
            return ssl.create_default_context(cafile=str(path))
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=get_cert_path(verify=True))
    except (OSError, ValueError, RuntimeError):  # ssl.SSLError is an OSError; no home is a RuntimeError
        raise CertificateRefused(f"the CA bundle {named or 'of botocore'} cannot be read") from None
    return context


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.SSLError, "the TLS handshake failed"),
    (exceptions.NameResolutionError, "the service's name cannot be resolved"),
    (exceptions.NewConnectionError, "the connection was refused"),
    (exceptions.ConnectTimeoutError, "the connection was not answered in time"),
    (exceptions.ReadTimeoutError, "the answer did not come in time"),
    (exceptions.LocationParseError, "the address cannot be understood"),
    (Exception, "the connection broke"),
)
"""Why there was no answer; the first row that fits counts; a kind stands above those it derives from."""


def _translated(error: Exception, issuer: Callable[[], str | None]) -> CredtrayError:
    cause = error.args[0] if error.args else None
    if isinstance(error, exceptions.SSLError) and isinstance(cause, ssl.SSLCertVerificationError):
        name = issuer()
        return CertificateRefused(cause.verify_message + (f"; issued by {shown(name)}" if name else ""))
    if isinstance(error, exceptions.ProxyError):
        return refusal_of_proxy(error)
    return Offline(next(text for kind, text in _REASONS if isinstance(error, kind)))
