"""Reads JSON and plain values into the types they are to be, from any thread. The only place that does.

msgspec works out what a type looks like when it is used first. Another thread that uses it meanwhile finds it
half done, and the process ends with a segmentation fault (seen with msgspec 0.22): docs/adr/0065.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
Hook = Callable[[type, Any], Any]
"""msgspec's ``dec_hook``: makes a value of a type that JSON does not know."""

_ONE_AT_A_TIME = Lock()
_READERS: dict[tuple[object, Hook | None], msgspec.json.Decoder[Any]] = {}
"""A type that is in here is worked out, with all types in it."""


def reader(shape: Any, hook: Hook | None = None) -> msgspec.json.Decoder[Any]:
    """Return what decodes JSON into this type, made at the first call; any thread may use it."""
    key = (shape, hook)
    found = _READERS.get(key)
    if found is None:
        with _ONE_AT_A_TIME:
            found = _READERS.get(key)
            if found is None:
                found = _READERS[key] = msgspec.json.Decoder(shape, dec_hook=hook)
    return found


def from_json(data: bytes | str, shape: type[T]) -> T:
    """Return JSON as a value of this type.

    Raises:
        msgspec.DecodeError: it is not JSON, or not of that shape.
        UnicodeDecodeError: it is not UTF-8.
        RecursionError: nested too deeply.
    """
    found: T = reader(shape).decode(data)
    return found


def fitted(value: object, shape: type[T], *, strict: bool = True) -> T:
    """Return a plain value (dicts, lists, numbers) as a value of this type; not *strict*: "1" is a number.

    Raises:
        msgspec.ValidationError: it is not of that shape.
    """
    reader(shape)
    return msgspec.convert(value, shape, strict=strict)
