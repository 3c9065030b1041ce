from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import BadFrame
from credtray.core.protocol.messages import Frames


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.integers(1, 7))
def test_frames_are_found_however_the_bytes_are_cut(lines: list[bytes], size: int) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    frames = Frames(10_000)
    found: list[bytes] = []
    for start in range(0, len(stream), size):
        frames.feed(stream[start : start + size])
        while (frame := frames.next()) is not None:
            found.append(frame)

    assert lines == found


def test_frame_without_an_end_is_refused_at_the_limit() -> None:
    frames = Frames(10)
    frames.feed(b"x" * 10)
    with pytest.raises(BadFrame):
        frames.feed(b"x")
