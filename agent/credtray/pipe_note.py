"""Where on Windows the agent notes the name of its pipe, and what is in that note.

Reads and writes no file. A module by itself, and outside of every package: each further file and each further
directory is dear for the credentials fast path on that system.
"""

from __future__ import annotations

import os

PIPE = "\\\\.\\pipe\\credtray-"
"""How the names of our pipes begin."""
NOTE_LIMIT = 256
"""Bytes; more than any note has."""
_DIGITS = 32
"""Characters of the name's end and of the proof: 128 bits each."""


def note_paths() -> list[str]:
    """Return where a client looks, in this order; the agent writes the first one.

    The second one serves programs that were started without LOCALAPPDATA.
    """
    local = os.environ.get("LOCALAPPDATA", "")
    in_home = os.path.expanduser("~") + r"\AppData\Local\credtray\agent.pipe"  # noqa: PTH111 -- pathlib is dear
    rooted = os.path.isabs(local)  # noqa: PTH117 -- as above
    return [local + r"\credtray\agent.pipe", in_home] if rooted else [in_home]


def pipe_note(end: str, proof: str) -> bytes:
    """Return what the agent notes for its clients, in a file that only its user can read.

    Args:
        end: of the pipe's name.
        proof: what the agent says first on each connection, so that a client knows that it is the agent.
    """
    return f"{end} {proof}\n".encode()


def read_pipe_note(note: bytes) -> tuple[str, bytes] | None:
    """Return the pipe's name and the proof; None for what is no note of ours.

    Nothing but letters and digits ends up in the name: a path in there could lead to another computer.
    """
    end, _, proof = note.removesuffix(b"\n").partition(b" ")
    if len(end) == len(proof) == _DIGITS and end.isalnum() and proof.isalnum():
        return PIPE + end.decode(), proof
    return None
