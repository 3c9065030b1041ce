"""Tells of an address that somebody set in place of AWS's: no error of it may look like AWS's own.

Must not judge the answer; it only adds who gave it and what named it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from credtray.core.addresses import shown
from credtray.core.errors import (
    IN_PLACE_OF_AWS,
    CaptivePortal,
    CertificateRefused,
    CredtrayError,
    Offline,
    UnexpectedReply,
)

HOST_HEADER = "x-credtray-host"
SOURCE_HEADER = "x-credtray-source"
PROXY_HEADER = "x-credtray-proxy"
"""Of our own making, put into an answer for those who judge it later; never sent, never believed."""

_NEEDS_IT = (CaptivePortal, CertificateRefused, Offline, UnexpectedReply)
"""What a wrong address looks like."""


def _of_the_way(error: CredtrayError) -> bool:
    """Tell whether it says what failed before the address was reached: then it is the proxy."""
    return isinstance(error, Offline) and error.advice != Offline.hint


@dataclass(frozen=True, slots=True)
class Override:
    """An address in place of AWS's."""

    host: str
    """With its port."""
    source: str
    """What named it, such as ``AWS_ENDPOINT_URL``."""

    @classmethod
    def of(cls, url: str, source: str | None) -> Override:
        """Return the override that this address is."""
        return cls(shown(urlsplit(url).netloc.rpartition("@")[2]).strip('"'), source or "an override")

    @classmethod
    def told_by(cls, headers: Mapping[str, str]) -> Override | None:
        """Return the override that gave an answer with these headers."""
        host, source = headers.get(HOST_HEADER), headers.get(SOURCE_HEADER)
        return cls(host, source) if host and source else None

    @property
    def headers(self) -> Mapping[str, str]:
        """What ``told_by`` reads."""
        return {HOST_HEADER: self.host, SOURCE_HEADER: self.source}

    @property
    def hint(self) -> str:
        """What to do about it."""
        return f"Check what answers at {self.host}, or remove {self.source}."

    def within(self, detail: str) -> str:
        """Return the text of an error with who gave the answer."""
        return f"{detail} ({self.host}, which {self.source} names {IN_PLACE_OF_AWS})"

    def told(self, error: CredtrayError) -> CredtrayError:
        """Return the error with the address in its text, where the address may be its cause."""
        if not isinstance(error, _NEEDS_IT) or _of_the_way(error):
            return error
        return type(error)(self.within(error.detail), hint=self.hint)
