"""Carries out the check-up of the page: `credtray doctor` and `credtray repair` as programs of their own.

A doctor that hangs on a dead disk leaves no thread behind in the agent, and none of its modules. The id
of a preview is how a person agrees to exactly that change.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from credtray.app import Components
from credtray.core.config.setup_edits import Change
from credtray.core.errors import CommandRefused, CredtrayError, TimedOut, UsageError
from credtray.core.events import FilesChanged
from credtray.core.protocol import Undo
from credtray.core.shapes import fitted, from_json
from credtray.core.state_words import clock_time
from credtray.core.words import plain
from credtray.daemon.loop import Loop
from credtray.desktop.autostart import own_command
from credtray.page.actions import Fields, Message, one, out_of_date, outcome
from credtray.page.findings import (
    Checkup,
    CheckupView,
    Preview,
    RepairCase,
    Repairs,
    checkup_view,
    preview,
)

PATIENCE_SECONDS = 120.0
"""For one of our commands; a check-up of ten thousand profiles takes two of them."""
_MOST_SUBJECTS = 8
"""Check-ups that are remembered: the whole one, and those of single profiles."""
_AT_ONCE = 2
"""Programs that check at once: after a repair all subjects are due, and one may be waited for."""
_MOST_OUTPUT = 64 * 1024 * 1024
_LONGEST_NAME = 2000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ran:
    """What one of our commands printed."""

    code: int
    output: bytes
    errors: str


RunOurselves = Callable[[Sequence[str]], Awaitable[Ran]]


async def run_ourselves(words: Sequence[str]) -> Ran:
    """Run a command of this installation to its end; it ends with us.

    Raises:
        CommandRefused: it cannot be started.
        TimedOut: it hangs.
    """
    told = {**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        process = await asyncio.create_subprocess_exec(
            *own_command(*words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=told,
            creationflags=_no_window(),
        )
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "a name that no program can be given").lower()
        raise CommandRefused(f"credtray {words[0]}: {reason}") from None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await process.communicate()
    except TimeoutError:
        hint = f"Run it in a terminal: credtray {words[0]}"
        raise TimedOut(f"credtray {words[0]} takes too long", hint=hint) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Ran(process.returncode or 0, output, errors.decode("utf-8", "replace"))


def _no_window() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW
    else:  # noqa: RET505 - type checkers take the branch of their platform
        return 0


@dataclass(slots=True)
class _Look:
    """One check-up, and what it found."""

    task: asyncio.Task[None] | None = None
    online: bool = False
    at: str = ""
    found: CheckupView | None = None
    problem: Message | None = None


@dataclass(slots=True)
class _Repair:
    """What becomes of one repair."""

    shown: Preview
    state: str = "shown"
    change: Change | None = None
    """What an undo takes back."""


@dataclass(frozen=True, slots=True)
class RepairView:
    """One repair as it is shown."""

    state: str
    """``shown``, ``done``: it can be taken back, or ``final``: it cannot."""
    preview: Preview


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the view shows."""

    subject: str
    """The profile as it is, for forms; empty: everything."""
    title: str
    running: bool
    online: bool
    at: str
    found: CheckupView | None
    problem: Message | None
    repairs: Mapping[str, RepairView]
    apart: tuple[RepairView, ...]
    """Repairs whose finding is not shown (any more)."""
    planned: frozenset[str]
    """Repairs whose preview is in the making."""

    @property
    def waits(self) -> bool:
        """True while it goes on by itself."""
        return self.running or bool(self.planned)


class Checking:
    """The check-ups of one agent. On the loop's thread."""

    def __init__(
        self,
        components: Components,
        loop: Loop,
        changed: Callable[[], None],
        run: RunOurselves = run_ourselves,
    ) -> None:
        self._components = components
        self._loop = loop
        self._changed = changed
        self._run = run
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._repairs: dict[str, _Repair] = {}
        self._planned: set[str] = set()
        """Repairs whose preview is in the making."""
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._turn = asyncio.Lock()
        """One repair at a time."""
        self.handlers: Mapping[str, Callable[[Fields], Awaitable[Message]]] = {
            "check-up": self._check,
            "which-keys": self._check,
            "repair-show": self._show,
            "repair-back": self._back,
            "repair-write": self._write,
            "repair-undo": self._undo,
        }
        """What carries out which form."""

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [look.task for look in self._looks.values() if look.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def view(self, subject: str) -> CheckView:
        """Return what the view shows now, of one profile or of everything."""
        look = self._looks.get(subject, _Look())
        cards = () if look.found is None else (*look.found.urgent, *look.found.rest)
        repairs = {name: RepairView(_stage(each), each.shown) for name, each in self._repairs.items()}
        there = {card.repair for card in cards}
        return CheckView(
            subject,
            plain(subject) if subject else "",
            look.task is not None,
            look.online,
            look.at,
            look.found,
            look.problem,
            repairs,
            tuple(view for name, view in repairs.items() if name not in there),
            frozenset(self._planned),
        )

    # --- looking ----------------------------------------------------------------------------------------

    async def _check(self, fields: Fields) -> Message:
        subject = fields.get("of", ("",))[0]
        if len(subject) > _LONGEST_NAME:
            raise out_of_date()
        self._begin(subject, online=fields.get("online") == ("yes",))
        return Message("")  # the view says it

    def _begin(self, subject: str, *, online: bool) -> None:
        look = self._looks.setdefault(subject, _Look())
        self._looks.move_to_end(subject)
        if look.task is not None:  # two tabs, or twice: one check-up for both
            return
        look.online = online
        look.task = asyncio.create_task(self._looked(subject, look), name="page check-up")
        look.task.add_done_callback(lambda _: self._ended(look))
        idle = [name for name, each in self._looks.items() if each.task is None]
        for name in idle[: max(0, len(self._looks) - _MOST_SUBJECTS)]:
            del self._looks[name]

    async def _looked(self, subject: str, look: _Look) -> None:
        words = ("doctor", "--json", *(("--online",) if look.online else ()))
        try:
            async with self._room:
                found = await self._asked((*words, *(("--", subject) if subject else ())), Checkup)
            look.found = await asyncio.to_thread(checkup_view, found, named=bool(subject))
            look.problem = None
        except CredtrayError as error:
            look.problem = Message.of(error.problem)

    def _ended(self, look: _Look) -> None:
        look.task, now = None, self._loop.now()
        look.at = clock_time(now, now, None)
        self._changed()

    async def _asked(self, words: Sequence[str], shape: type[T]) -> T:
        """Run a command that prints JSON, and return that.

        Raises:
            CredtrayError: it printed none; its own words say why.
        """
        ran = await self._run(words)
        if not ran.output.strip() or len(ran.output) > _MOST_OUTPUT:
            raise _refusal(ran, words[0])
        try:
            return await asyncio.to_thread(_read, ran.output, shape)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise UsageError(_VERSIONS, hint="Run: credtray restart") from None

    # --- repairing --------------------------------------------------------------------------------------

    async def _case(self, *words: str) -> RepairCase:
        found = await self._asked(("repair", *words, "--json"), Repairs)
        if len(found.repairs) != 1:
            raise out_of_date()
        return found.repairs[0]

    async def _show(self, fields: Fields) -> Message:
        name = _word(fields, "repair")
        self._planned.add(name)
        try:
            async with self._turn:
                case = await self._case(name, "--dry-run")
        finally:
            self._planned.discard(name)
            self._changed()
        if case.problem is not None:
            return Message(plain(case.problem, 400), good=False)
        if not case.needed and not case.left_alone:
            self._repairs.pop(name, None)
            return Message("There is nothing to repair any more", "Check again to see what is left.")
        self._repairs[name] = _Repair(await asyncio.to_thread(preview, case))
        return Message("Nothing is written yet", "Look at the change first.")

    async def _back(self, fields: Fields) -> Message:
        if self._repairs.pop(_word(fields, "repair"), None) is None:
            raise out_of_date()
        return Message("Closed")

    async def _write(self, fields: Fields) -> Message:
        name, agreed = _word(fields, "repair"), _word(fields, "preview")
        async with self._turn:
            shown = self._repairs.get(name)
            if shown is not None and shown.state == "done" and shown.shown.preview_id == agreed:
                return Message("Written already")  # sent twice
            case = await self._case(name, "--yes", "--preview-id", agreed)
            self._loop.take(FilesChanged())
            if not case.done:
                return await self._not_written(name, case)
            change = await self._recorded(name) if case.undoable else None
            kept = self._repairs.get(name) or _Repair(preview(case))
            kept.state, kept.change = "done", change
            self._repairs[name] = kept
        self._again()
        return Message("Done", "This page checks again whether anything is left.")

    async def _not_written(self, name: str, case: RepairCase) -> Message:
        """Tell why, and show what would be written by now."""
        if case.needed:
            self._repairs[name] = _Repair(await asyncio.to_thread(preview, case))
        else:
            self._repairs.pop(name, None)
        if case.problem is None:
            return Message("There is nothing to repair any more", "Check again to see what is left.")
        return Message("Nothing was written", plain(case.problem, 400), good=False)

    async def _recorded(self, name: str) -> Change | None:
        """Return the record of what was just written; None: it cannot be taken back by itself."""
        try:
            last = (await self._loop.file_work(self._components.undo_file.changes))[-1:]
        except CredtrayError:
            return None
        return last[0] if last and last[0].what == f"repair {name}" else None

    async def _undo(self, fields: Fields) -> Message:
        name = _word(fields, "repair")
        async with self._turn:
            done = self._repairs.get(name)
            if done is None or done.change is None:
                raise out_of_date()
            result = await self._components.changes.undo_last(self._loop, done.change)
            del self._repairs[name]
        self._again()
        return outcome(Undo("last"), result)

    def _again(self) -> None:
        """Check again what was checked before a file was changed, what was asked for last first."""
        subjects = list(self._looks)
        for subject in reversed(subjects):
            self._begin(subject, online=False)
        for subject in subjects:
            self._looks.move_to_end(subject)


_VERSIONS = "The running agent and the installed command are different versions"


def _stage(repair: _Repair) -> str:
    return "final" if repair.state == "done" and repair.change is None else repair.state


def _word(fields: Fields, name: str) -> str:
    """Return a field that goes into a command: what begins with a dash would be an option there."""
    value = one(fields, name)
    if not value.replace("_", "").isalnum() or not value.isascii():
        raise out_of_date()
    return value


def _read(output: bytes, shape: type[T]) -> T:
    try:
        return from_json(output, shape)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # half a surrogate pair in a name: Python writes it and reads it
        return fitted(json.loads(output), shape)


def _refusal(ran: Ran, command: str) -> CredtrayError:
    """Return the error of a command in its own words."""
    said = dict.fromkeys(("error", "hint"), "")
    for line in ran.errors.splitlines():
        label, mark, text = line.partition(": ")
        if mark and label in said and not said[label]:
            said[label] = plain(text, 400)
    if not said["error"]:
        said["error"] = f"credtray {command} printed nothing (exit code {ran.code})"
        said["hint"] = f"Run it in a terminal: credtray {command}"
    return UsageError(said["error"], hint=said["hint"])
