"""Writes a DLL for 64-bit Windows that holds no code: it only tells in which other DLLs its functions are.

Wine 8.0 (Debian 12) has no bcryptprimitives.dll, and everything written in Rust since 1.78 asks it for
ProcessPrng. SystemFunction036 (RtlGenRandom) of advapi32.dll takes the same arguments and fills in the same
random bytes.

Usage: forwarder_dll.py PATH NAME=DLL.FUNCTION ...
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from pathlib import Path

_ALIGNMENT = 0x200
"""Of the headers and of the one section, in the file."""
_PAGE = 0x1000
"""Of the section in memory: right behind the headers."""
_BASE = 0x1_8000_0000
_AMD64 = 0x8664
_PE32_PLUS = 0x20B
_IS_DLL = 0x2022
"""Executable image, large addresses, DLL."""
_MOVABLE = 0x0140
"""Dynamic base, data only: nothing here has an address of its own."""
_READ_ONLY_DATA = 0x4000_0040
_DIRECTORIES = 16
_EXPORTS = 40
"""Bytes of the export directory, the first thing in the section."""


def forwarder(name: str, forwards: Mapping[str, str]) -> bytes:
    """Return the DLL *name*, whose functions are those of other DLLs (``{"F": "other.G"}``)."""
    section = _section(name, forwards)
    raw = -(-len(section) // _ALIGNMENT) * _ALIGNMENT
    return _headers(len(section), raw).ljust(_ALIGNMENT, b"\0") + section.ljust(raw, b"\0")


def _section(name: str, forwards: Mapping[str, str]) -> bytes:
    """Return the export directory, its three tables and the texts they point to."""
    names = sorted(forwards)  # Windows looks for a name by halving
    functions = _PAGE + _EXPORTS
    pointers = functions + 4 * len(names)
    ordinals = pointers + 4 * len(names)
    texts, at = bytearray(), ordinals + 2 * len(names)

    def text(word: str) -> int:
        place = at + len(texts)
        texts.extend(word.encode("ascii") + b"\0")
        return place

    own_name = text(name)
    count = len(names)
    directory = struct.pack("<IIHH", 0, 0, 0, 0)
    directory += struct.pack("<IIIIIII", own_name, 1, count, count, functions, pointers, ordinals)
    tables = struct.pack(f"<{count}I", *(text(forwards[each]) for each in names))
    tables += struct.pack(f"<{count}I", *(text(each) for each in names))
    tables += struct.pack(f"<{count}H", *range(count))
    return directory + tables + bytes(texts)


def _headers(size: int, raw: int) -> bytes:
    """Return everything before the section: of DOS, of the file, of the image, of the section."""
    optional = struct.pack("<HBBIIIII", _PE32_PLUS, 14, 0, 0, raw, 0, 0, 0)
    optional += struct.pack("<QIIHHHHHHI", _BASE, _PAGE, _ALIGNMENT, 6, 0, 0, 0, 6, 0, 0)
    optional += struct.pack("<IIIHH", 2 * _PAGE, _ALIGNMENT, 0, 2, _MOVABLE)
    optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, _DIRECTORIES)
    directories = [(_PAGE, size), *[(0, 0)] * (_DIRECTORIES - 1)]
    optional += b"".join(struct.pack("<II", *each) for each in directories)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    file = b"PE\0\0" + struct.pack("<HHIIIHH", _AMD64, 1, 0, 0, 0, len(optional), _IS_DLL)
    section = struct.pack(
        "<8sIIIIIIHHI", b".rdata", size, _PAGE, raw, _ALIGNMENT, 0, 0, 0, 0, _READ_ONLY_DATA
    )
    return dos + file + optional + section


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_bytes(forwarder(path.name, dict(each.split("=", 1) for each in sys.argv[2:])))
