"""Signs an address with AWS Signature Version 4 in its query, byte for byte as botocore does.

Written here because a token has to be there before botocore could be imported; the tests hold it against
botocore. Must not read a clock or an environment, and imports next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers understand it; importing typing costs as much as the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_ALGORITHM = "AWS4-HMAC-SHA256"
_USUAL_PORT = ":443"
"""Which clients leave out of the header, so the signature has to, too."""
_BLOCK = 64
"""Bytes that SHA-256 takes at a time (FIPS 180-4), which HMAC pads its key to."""
_HASHES = ("_sha2", "_sha256", "hashlib")
"""Where SHA-256 is: Python 3.12 and later, 3.11, and builds without either. The last one loads OpenSSL."""

_SUFFIXES = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isof-", "csp.hci.ic.gov"),
    ("eusc-", "amazonaws.eu"),
)
"""botocore 1.44, data/partitions.json: regions outside of the partitions aws and aws-us-gov."""


class Signer:
    """Role credentials, and what every signature made with them at one moment has in common."""

    __slots__ = ("_day", "_key_id", "_region", "_secret", "_token", "now")

    def __init__(self, keys: Mapping[str, str], region: str, now: str) -> None:
        """Remember them.

        Args:
            keys: members of the credential_process contract.
            region: the one that the signature is good for.
            now: UTC, as in 20261122T183643Z.
        """
        self._key_id, self._secret, self._token = (
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
        )
        self._region = region
        self.now = now
        self._day = now[:8]

    def address(
        self,
        service: str,
        host: str,
        asked: Mapping[str, str],
        seconds: int,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Return the signed https address, for a GET of ``/``.

        Args:
            service: as signatures name it.
            host: with its port, if it has one.
            asked: the query. Nothing in it is signed twice, so it holds no ``X-Amz-``.
            seconds: for how long it is good.
            headers: that whoever uses the address has to send, in lower case.
        """
        signed = {"host": host.removesuffix(_USUAL_PORT), **(headers or {})}
        names = ";".join(sorted(signed))
        scope = f"{self._day}/{self._region}/{service}/aws4_request"
        query = {
            **asked,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self._key_id}/{scope}",
            "X-Amz-Date": self.now,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": names,
            "X-Amz-Security-Token": self._token,
        }
        pairs = [f"{quoted(name)}={quoted(value)}" for name, value in query.items()]
        sent = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
        ordered = "&".join(f"{name}={value}" for name, value in sorted(_halves(pairs)))
        request = f"GET\n/\n{ordered}\n{sent}\n{names}\n{_hash(b'').hexdigest()}"
        to_sign = f"{_ALGORITHM}\n{self.now}\n{scope}\n{_hash(request.encode()).hexdigest()}"
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part.encode())
        signature = _hmac(key, to_sign.encode()).hex()
        return f"https://{host}/?{'&'.join(pairs)}&X-Amz-Signature={signature}"


def quoted(text: str) -> str:
    """Return the text as signatures want it in a query (RFC 3986, upper case)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def service_host(service: str, region: str) -> str:
    """Return the host of a service in a region, where nobody has chosen another one."""
    suffix = next((suffix for prefix, suffix in _SUFFIXES if region.startswith(prefix)), "amazonaws.com")
    return f"{service}.{region}.{suffix}"


def _halves(pairs: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs)]


def _hmac(key: bytes, message: bytes) -> bytes:
    """RFC 2104: the module ``hmac`` loads OpenSSL."""
    block = (_hash(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = _hash(bytes(byte ^ 0x36 for byte in block) + message).digest()
    digest: bytes = _hash(bytes(byte ^ 0x5C for byte in block) + inner).digest()
    return digest


def _hash(data: bytes) -> Any:
    return _sha256()(data)


def _sha256() -> Callable[[bytes], Any]:
    for name in _HASHES[:-1]:
        try:
            found: Callable[[bytes], Any] = __import__(name).sha256
        except ImportError:
            continue
        return found
    import hashlib

    return hashlib.sha256
