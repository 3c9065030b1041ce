from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.pipe_note import PIPE, pipe_note, read_pipe_note


def test_a_note_names_the_pipe_and_the_proof() -> None:
    assert read_pipe_note(pipe_note("0123456789abcdef" * 2, "f" * 32)) == (
        r"\\.\pipe\credtray-0123456789abcdef0123456789abcdef",
        b"f" * 32,
    )


@given(st.binary(max_size=100) | st.from_regex(rb"[0-9a-f./\\ ]{32} [0-9a-f ]{32}\n?"))
def test_no_note_leads_to_another_computer_or_another_kind_of_pipe(note: bytes) -> None:
    read = read_pipe_note(note)

    assert read is None or (read[0].startswith(PIPE) and read[0].removeprefix(PIPE).isalnum())


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b" ",
        pipe_note("a" * 31, "b" * 33),
        pipe_note("\\" * 32, "b" * 32),
        pipe_note("a" * 32, "b" * 32) * 2,
    ],
)
def test_what_is_no_note_of_ours_names_nothing(note: bytes) -> None:
    assert read_pipe_note(note) is None
