"""Reads who issued a certificate from its DER bytes (RFC 5280), for a message to a person.

Verifies nothing and trusts nothing: what it returns is what a stranger's certificate says of itself.
"""

from __future__ import annotations

from collections.abc import Iterator

_SEQUENCE, _SET, _OID, _VERSION = 0x30, 0x31, 0x06, 0xA0
_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ENCODINGS = {0x1E: "utf-16-be"}
"""BMPString; all other kinds of text in use are read as UTF-8."""
_LONG_FORM = 0x80
_MOST_TEXT = 100


def issuer_name(certificate: bytes) -> str | None:
    """Return organisation and common name of the issuer, printable and short; None where there are none."""
    try:
        names = dict(_issuer(certificate))
    except (IndexError, ValueError):
        return None
    found = dict.fromkeys(
        text for kind in (_ORGANIZATION, _COMMON_NAME) if (text := _clean(names.get(kind, "")))
    )
    return ", ".join(found) or None


def _issuer(certificate: bytes) -> Iterator[tuple[bytes, str]]:
    [(_, whole)] = _elements(certificate, most=1)
    [(_, signed)] = _elements(whole, most=1)
    fields = [content for tag, content in _elements(signed) if tag != _VERSION]
    for _, relative in _elements(fields[2]):  # serial number, signature algorithm, issuer
        for _, pair in _elements(relative):
            (oid, kind), (tag, value) = _elements(pair)
            if oid == _OID:
                yield kind, value.decode(_ENCODINGS.get(tag, "utf-8"), "replace")


def _elements(data: bytes, most: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element; raises IndexError or ValueError for a torn one."""
    at, count = 0, 0
    while at < len(data) and count != most:
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            raise ValueError("torn")
        yield tag, data[at : at + length]
        at, count = at + length, count + 1


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()[:_MOST_TEXT]
