"""core/shapes: types are read by many threads, also those nobody has used before."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from credtray.core.shapes import fitted, from_json, reader

CROWD = """
import sys, threading
from typing import Annotated
import msgspec
from credtray.core.shapes import fitted, from_json

sys.setswitchinterval(1e-6)  # a thread is interrupted wherever it can be
Text = Annotated[str, msgspec.Meta(max_length=100)]
content = {f"x{number}": "a" for number in range(8)}
for round in range(400):
    Inner = msgspec.defstruct(f"Inner{round}", [(name, Text) for name in content])
    Outer = msgspec.defstruct(f"Outer{round}", [("one", Inner), ("many", list[Inner])])
    plain = {"one": content, "many": [content]}
    data = msgspec.json.encode(plain)
    together = threading.Barrier(4)

    def read(by_type):
        together.wait()
        by_type(Outer)

    ways = (lambda shape: from_json(data, shape), lambda shape: fitted(plain, shape)) * 2
    threads = [threading.Thread(target=read, args=[way]) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("all read")
"""
"""Without a lock it ends with a segmentation fault in nine of ten runs."""


class Point(msgspec.Struct, frozen=True):
    """A value to be read."""

    x: int
    y: int = 0


def test_threads_that_use_a_new_type_first_at_the_same_time_all_read_it() -> None:
    finished = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, check=False)

    assert (finished.returncode, finished.stdout.strip()) == (0, "all read"), finished.stderr


def test_json_and_plain_values_become_the_type() -> None:
    assert from_json(b'{"x": 1, "y": 2}', Point) == fitted({"x": 1, "y": 2}, Point) == Point(1, 2)


def test_what_is_not_of_the_type_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        from_json('{"x": "1"}', Point)
    with pytest.raises(msgspec.ValidationError):
        fitted({"x": "1"}, Point)
    with pytest.raises(msgspec.DecodeError):
        from_json(b"{", Point)


def test_a_number_may_be_a_text_where_it_is_not_strict() -> None:
    assert fitted({"x": "1"}, Point, strict=False) == Point(1)


def test_a_reader_is_made_once_for_each_type_and_hook() -> None:
    def hook(_kind: type, value: object) -> object:
        return value

    assert reader(Point) is reader(Point)
    assert reader(Point, hook) is not reader(Point)
