"""Carries one HTTP request to a service and back within fixed limits of time and size.

Must not interpret the service's answer, retry, follow redirects or log. Import it late: urllib3 and botocore
cost memory and start-up time that only a network call is worth.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from botocore.httpsession import get_cert_path
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from credtray.aws.proxies import Proxy, issuer_at, login_headers, proxy_for, refusal_of_proxy
from credtray.aws.service_call import Limits, Reply, Request, blamed, exhausted
from credtray.core.addresses import shown
from credtray.core.errors import (
    CertificateRefused,
    CredtrayError,
    NetworkSettingRefused,
    Offline,
    ResourcesExhausted,
    UnexpectedReply,
)
from credtray.core.models import Secret, Sources
from credtray.core.shell_words import HASH_CERTIFICATES

_UNNAMED = Sources()
_PART = 1 << 16
_CONNECTIONS = 8
"""Kept open per host: as many as role credentials are fetched at once."""


class Transport:
    """Keeps connections per CA bundle and proxy; safe to use from several threads at once."""

    def __init__(
        self,
        ca_bundle: str | None,
        limits: Limits,
        proxy: Secret | None = None,
        sources: Sources = _UNNAMED,
    ) -> None:
        self._ca_bundle = ca_bundle
        self._limits = limits
        self._proxy = proxy
        self._sources = sources
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str | None], urllib3.PoolManager] = {}

    def send(self, request: Request) -> Reply:
        """Return the whole answer, whatever its status.

        Raises:
            Offline: no connection, a broken one, silence, or the total time is over.
            CertificateRefused: TLS verification failed.
            ProxyRefused: the proxy wants another login, or does not let the address through.
            NetworkSettingRefused: a proxy, a CA bundle or an address that somebody set cannot be used.
            ResourcesExhausted: no file handle, thread or memory is left.
            UnexpectedReply: the answer is too large.
            OwnFault: a mistake of ours.
        """
        proxy = proxy_for(request.url, self._proxy, self._sources.proxy)
        pool = self._pool(urlsplit(request.url).scheme, proxy)
        way = _Way(request.url, proxy, self._limits.connect)
        fetch = _Fetch(lambda: self._exchange(pool, request, proxy), way.explained)
        try:
            fetch.start()
        except RuntimeError:
            raise ResourcesExhausted("there are too many threads") from None
        fetch.join(self._limits.total)
        if fetch.is_alive():
            fetch.abandon()
            raise Offline(f"no complete answer within {self._limits.total:g} s")
        return fetch.outcome()

    def _exchange(self, pool: urllib3.PoolManager, request: Request, proxy: Proxy | None) -> Reply:
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
        return Reply(response.status, headers, bytes(body), None if proxy is None else str(proxy))

    def _pool(self, scheme: str, proxy: Proxy | None) -> urllib3.PoolManager:
        address = None if proxy is None else proxy.url
        with self._lock:
            if (scheme, address) not in self._pools:
                context = (
                    _tls_context(self._ca_bundle, self._sources.ca_bundle) if scheme == "https" else None
                )
                self._pools[scheme, address] = _new_pool(address, context, self._limits)
            return self._pools[scheme, address]


class _Fetch(threading.Thread):
    """Runs one exchange, so that a caller can walk away from it when its time is over.

    Socket timeouts bound each silence only; a peer that trickles would hold the caller forever.
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


def _tls_context(ca_bundle: str | None, source: str | None) -> ssl.SSLContext:
    """Trust the bundle named, else what this computer trusts.

    The settings come first, then botocore's order (core/aws_hosts): who sets the agent's environment?

    Raises:
        NetworkSettingRefused: the bundle named holds no certificate that can be read.
        ResourcesExhausted: no file handle is left to read it.
        OwnFault: the list that botocore brings cannot be read.
    """
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        if not ca_bundle and os.environ.get(name):
            ca_bundle, source = os.environ[name], name
    try:
        if ca_bundle:
            path = Path(ca_bundle).expanduser()
            if path.is_dir():
                return _of_directory(path)
            return ssl.create_default_context(cafile=str(path))
        context = _of_this_computer()
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # ssl.SSLError is an OSError; no home, a RuntimeError
        if not ca_bundle:
            raise blamed(error) from None
        raise exhausted(error) or _bundle_refused(
            ca_bundle, source or "the setting ca_bundle", error
        ) from None
    return context


def _of_this_computer() -> ssl.SSLContext:
    """Trust what the system's own programs trust, so that an authority of the organisation counts.

    OpenSSL reads the directory of Linux and the stores of Windows by itself; a minimal system has none, so
    botocore's list counts as well. The keychain of macOS it cannot read: there the system judges (ADR 70).
    """
    if sys.platform == "darwin":
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return context
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=get_cert_path(verify=True))
        return context


_LONGEST_PATH = 1000
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""How OpenSSL looks certificates up in a directory (X509_LOOKUP_hash_dir)."""


def _of_directory(path: Path) -> ssl.SSLContext:
    if not any(_HASHED.fullmatch(each.name) for each in path.iterdir()):
        raise IsADirectoryError(errno.EISDIR, "no hashed certificates")
    return ssl.create_default_context(capath=str(path))


def _bundle_refused(path: str, source: str, error: Exception) -> CredtrayError:
    whole = "".join(char if char.isprintable() else "?" for char in path[:_LONGEST_PATH])
    named = f'{source} names the CA bundle "{whole}"'
    hint = f"Let {source} name a file of certificates in PEM format, or remove it."
    if isinstance(error, ssl.SSLError):
        return NetworkSettingRefused(f"{named}, which contains no certificate in PEM format", hint=hint)
    if isinstance(error, IsADirectoryError):
        hint = f"{hint} Or hash the directory: {HASH_CERTIFICATES.on(path)}"
        return NetworkSettingRefused(f"{named}, a directory without hashed certificates", hint=hint)
    if isinstance(error, FileNotFoundError):
        return NetworkSettingRefused(f"{named}, which does not exist", hint=hint)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
    return NetworkSettingRefused(f"{named}, which cannot be read ({reason})", hint=hint)


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.SSLError, "the TLS handshake with {host} failed"),
    (exceptions.NameResolutionError, "the name {host} cannot be resolved"),
    (exceptions.NewConnectionError, "{host} refused the connection"),
    (exceptions.ConnectTimeoutError, "{host} did not answer in time"),
    (exceptions.ReadTimeoutError, "the answer of {host} did not come in time"),
    (exceptions.HTTPError, "the connection to {host} broke"),
    (HTTPException, "the connection to {host} broke"),
    (OSError, "the connection to {host} broke"),
)
"""Why there was no answer; the first row that fits counts; a kind stands above those it derives from."""

_NO_ADDRESS = (exceptions.LocationValueError, InvalidURL, UnicodeError)
"""What the address itself is at fault for, before a connection is tried."""

_OF_A_CERTIFICATE = {
    10: "Set this computer's clock; if it is right, the owner of that host has to renew its certificate.",
    62: "Something else answers for this name: check /etc/hosts and DNS, or ask your network administrator.",
}
"""What to do, by what OpenSSL found (x509_vfy.h: expired, host name mismatch); else it is the authority."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a request went, to tell why no answer came."""

    url: str
    proxy: Proxy | None
    seconds: float
    """For finding out who issued a certificate."""

    def explained(self, error: Exception) -> CredtrayError:
        """Return the error of ours."""
        lacking = exhausted(error)
        if lacking is not None:
            return lacking
        if isinstance(error, exceptions.ProxyError) and self.proxy is not None:
            return self._of_proxy(error, self.proxy)
        if isinstance(error, _NO_ADDRESS):
            return NetworkSettingRefused(f"{self._host} is not a valid host name")
        if isinstance(error, exceptions.SSLError):
            refused = self._certificate_refused(error)
            if refused is not None:
                return refused
        for kind, text in _REASONS:
            if isinstance(error, kind):
                return Offline(text.format(host=self._host))
        return blamed(error)

    @property
    def _host(self) -> str:
        return shown(urlsplit(self.url).netloc.rpartition("@")[2]).strip('"')

    def _of_proxy(self, error: exceptions.ProxyError, proxy: Proxy) -> CredtrayError:
        if isinstance(error.original_error, _NO_ADDRESS):
            return NetworkSettingRefused(f"the host of {proxy} is not a valid host name")
        return refusal_of_proxy(error, proxy)

    def _certificate_refused(self, error: exceptions.SSLError) -> CredtrayError | None:
        cause = error.args[0] if error.args else None
        if isinstance(cause, ssl.SSLCertVerificationError):
            name = issuer_at(self.url, None if self.proxy is None else self.proxy.url, self.seconds)
            told = cause.verify_message + (f"; issued by {shown(name)}" if name else "")
            return CertificateRefused(told, hint=_OF_A_CERTIFICATE.get(cause.verify_code))
        if "CERTIFICATE_REQUIRED" in str(cause):
            return CertificateRefused(
                f"{self._host} asks for a client certificate",
                hint="credtray has none. Ask your network administrator for a way without one.",
            )
        return None
