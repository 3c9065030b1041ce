"""A session token that was wrapped over several lines, put together only where that is certain.

Pure. What is not certain is refused: a word on the next line must never become the end of a token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from credtray.core.errors import PasteRefused
from credtray.core.paste_forms import known

_PIECE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_CONTINUES = re.compile(r"[ ]*(?P<piece>[A-Za-z0-9+/_-]+={0,2})(?P<end>[\"']?[ ]*[;,]?[ ]*)", re.ASCII)
_BEGINS = re.compile(
    r"(?P<before>.*(?:session|security)[ _]?token[\"']?[ ]*(?:[=:,][ ]*|[ ]+))(?P<quote>[\"']?)"
    r"(?P<piece>[A-Za-z0-9+/_-]{16,}={0,2})",
    re.IGNORECASE | re.ASCII,
)
_ALONE = re.compile(
    r"[ ]*(?:value:[ ]*)?(?P<quote>[\"']?)(?P<piece>[A-Za-z0-9+/_-]{16,}={0,2})", re.IGNORECASE | re.ASCII
)
_LABEL = re.compile(
    r"(?:.*[ \"'])?(?:aws[ _])?(?:session|security)[ _]token[\"']?:?[ ]*", re.IGNORECASE | re.ASCII
)
_NO_WORD = re.compile(r"[0-9+/=]")
_NARROWEST, _WIDEST = 40, 400
"""Columns of what wraps lines."""
_GROUP = 4
"""Base64 has its characters in groups of four (RFC 4648, section 4)."""
_ENOUGH = 3


def unwrapped(lines: Sequence[str]) -> tuple[list[str], bool]:
    """Return the lines with each wrapped session token on one line, and whether there was one.

    Raises:
        PasteRefused: a line that may or may not be more of the token follows it.
    """
    joined: list[str] = []
    wrapped = False
    at = 0
    while at < len(lines):
        line = lines[at]
        begins = _BEGINS.fullmatch(line) or (_ALONE.fullmatch(line) if _labelled(lines[:at]) else None)
        at += 1
        if begins:
            end, tail = _end(lines, at)
            pieces = [begins["piece"], *filter(None, map(_piece_of, lines[at:end]))]
            if len(pieces) > 1:
                line = f"{line[: begins.start('piece')]}{together(pieces, len(line.rstrip(' ')))}{tail}"
                wrapped, at = True, end
            if not begins["quote"] and _doubtful_below(lines[at:]):
                raise doubt()
        joined.append(line)
    return joined, wrapped


def together(pieces: Sequence[str], first_width: int = 0) -> str:
    """Return the token of these pieces, each one line; ``first_width``: of the first line with its name.

    Certain is: all lines but the last are equally wide, and no part that ends earlier could be whole.

    Raises:
        PasteRefused: it is not certain.
    """
    *full, last = pieces
    if not full:
        return last
    widths = {len(piece) for piece in full[1:]} or {first_width or len(full[0]), len(full[0])}
    width = max(widths)
    before = sum(map(len, full))
    certain = (
        len({len(piece) for piece in full[1:]}) <= 1
        and width in {len(full[0]), first_width}
        and _NARROWEST <= width <= _WIDEST
        and len(last) <= width
        and not any(piece.endswith("=") for piece in full)
        and _is_the_end(last, before, len(pieces))
    )
    if not certain:
        raise doubt()
    return "".join(pieces)


def doubt() -> PasteRefused:
    """Return the refusal of what may or may not be a part of the token."""
    return PasteRefused(
        "a line below the session token may or may not be more of it",
        hint="Copy the keys again, in a wider window or with the copy button of the portal.",
    )


def is_piece(word: str) -> bool:
    """Tell whether a word has only characters of a session token."""
    return _PIECE.fullmatch(word) is not None


def _is_the_end(last: str, before: int, count: int) -> bool:
    whole_before, whole = before % _GROUP == 0, (before + len(last)) % _GROUP == 0
    if last.endswith("="):
        return count >= _ENOUGH or (whole and not whole_before)
    return count >= _ENOUGH and whole and not whole_before


def _doubtful_below(lines: Sequence[str]) -> bool:
    """Tell whether the lines below a token, up to an empty one, may hold more of it."""
    for index, line in enumerate(lines):
        if not line.strip(" "):
            return False
        if _CONTINUES.fullmatch(line) or (index == 0 and not known(line)):
            return True
    return False


def _labelled(before: Sequence[str]) -> bool:
    """Tell whether the last line with something in it says that the session token comes next."""
    last = next((line for line in reversed(before[-3:]) if line.strip(" ")), "")
    return _LABEL.fullmatch(last) is not None


def _end(lines: Sequence[str], at: int) -> tuple[int, str]:
    """Return the index after the last line that can belong to the token, and what ends it there."""
    tail = ""
    end = at
    for index in range(at, len(lines)):
        if not lines[index].strip(" "):
            continue
        found = _CONTINUES.fullmatch(lines[index])
        apart = index > end
        if found is None or (apart and not _NO_WORD.search(found["piece"])):
            break
        end, tail = index + 1, found["end"]
        if found["piece"].endswith("=") or tail.strip(" "):
            break
    return end, tail


def _piece_of(line: str) -> str:
    found = _CONTINUES.fullmatch(line)
    return "" if found is None else found["piece"]
