"""The clipboard of macOS: stand-ins for AppKit's pasteboard and for pbcopy and pbpaste."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from credtray.core.errors import ClipboardUnavailable
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.clipboard.macos import PasteboardHolder, ProgramHolder, macos_holder
from tests.desktop.mac_programs import MacPrograms

SECRET = "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfi ü 漢字\n"
TEXT = "public.utf8-plain-text"
CONCEALED = "org.nspasteboard.ConcealedType"
TRANSIENT = "org.nspasteboard.TransientType"


class Pasteboard:
    """NSPasteboard, and a clipboard history that looks at it after every call, as such programs do."""

    NSPasteboardTypeString = TEXT
    NSPasteboardContentsCurrentHostOnly = 1

    def __init__(self) -> None:
        self.count = 7
        self.types: dict[str, str] = {TEXT: "a shopping list"}
        self.only_here = False
        self.history: list[str] = []
        self.can_go_on = threading.Event()
        self.can_go_on.set()
        self.NSPasteboard = SimpleNamespace(generalPasteboard=self._general)

    def _general(self) -> Pasteboard:
        self.can_go_on.wait(60)
        return self

    def prepareForNewContentsWithOptions_(self, options: int) -> int:  # noqa: N802 - Apple's name
        self.clearContents()
        self.only_here = options == self.NSPasteboardContentsCurrentHostOnly
        return self.count

    def clearContents(self) -> int:  # noqa: N802 - Apple's name
        self.count += 1
        self.types, self.only_here = {}, False
        return self.count

    def setString_forType_(self, text: str, kind: str) -> bool:  # noqa: N802 - Apple's name
        self.types[kind] = text
        if TEXT in self.types and CONCEALED not in self.types:
            self.history.append(self.types[TEXT])
        return True

    def changeCount(self) -> int:  # noqa: N802 - Apple's name
        return self.count

    def copy_elsewhere(self, text: str) -> None:
        self.clearContents()
        self.setString_forType_(text, TEXT)


def test_secret_is_on_the_pasteboard_and_in_no_history_and_on_no_other_device() -> None:
    board = Pasteboard()
    asyncio.run(PasteboardHolder(board).offer(SECRET, secret=True))

    assert (board.types[TEXT], board.history, board.only_here) == (SECRET, [], True)
    assert TRANSIENT in board.types


def test_what_is_no_secret_is_copied_as_everything_else() -> None:
    board = Pasteboard()
    asyncio.run(PasteboardHolder(board).offer("https://example.com", secret=False))

    assert (board.types, board.history, board.only_here) == (
        {TEXT: "https://example.com"},
        ["https://example.com"],
        False,
    )


def test_text_is_cleared_only_while_it_is_ours() -> None:
    async def scene(board: Pasteboard, *, copied_meanwhile: bool) -> None:
        holder = PasteboardHolder(board)
        await holder.offer(SECRET, secret=True)
        if copied_meanwhile:
            board.copy_elsewhere("milk")
        await holder.give_up()
        await holder.give_up()

    ours, theirs = Pasteboard(), Pasteboard()
    asyncio.run(scene(ours, copied_meanwhile=False))
    asyncio.run(scene(theirs, copied_meanwhile=True))

    assert (ours.types, theirs.types) == ({}, {TEXT: "milk"})


def test_pasteboard_that_hangs_is_given_up_and_keeps_no_secret_later() -> None:
    board = Pasteboard()
    board.can_go_on.clear()

    async def scene() -> None:
        clipboard = Clipboard({}, lambda _environ: PasteboardHolder(board))
        with pytest.raises(ClipboardUnavailable, match="does not answer"):
            await clipboard.put(SECRET, secret=True, seconds=45)
        board.can_go_on.set()

    asyncio.run(scene())  # waits for the workers

    assert SECRET not in board.types.values()


def test_without_pyobjc_the_systems_programs_do_it() -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    assert isinstance(macos_holder({}, missing), ProgramHolder)
    assert isinstance(macos_holder({}, lambda _name: Pasteboard()), PasteboardHolder)


@pytest.mark.posix("pbcopy and pbpaste are played by shell scripts")
def test_programs_take_the_text_in_utf8_and_clear_it_only_while_it_is_ours(tmp_path: Path) -> None:
    programs = MacPrograms(tmp_path)

    async def scene() -> None:
        holder = ProgramHolder({"PATH": "/usr/bin:/bin"}, str(tmp_path))
        await holder.offer(SECRET, secret=True)
        assert programs.board.read_text() == SECRET

        await holder.give_up()
        assert programs.board.read_text() == ""

        await holder.offer(SECRET, secret=True)
        programs.board.write_text("a shopping list")
        await holder.give_up()
        assert programs.board.read_text() == "a shopping list"

    asyncio.run(scene())
