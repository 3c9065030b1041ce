"""The check-up of the page: a command of ours in a process of its own, and what a person agrees to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from credtray.app import build
from credtray.core.config.setup_edits import MARK
from credtray.core.errors import CommandRefused, NothingToUndo, TimedOut, UsageError
from credtray.page import checking
from credtray.page.actions import Message
from credtray.page.checking import Checking, CheckView, Ran, run_ourselves
from credtray.page.findings import Checkup
from tests.core.making import NOON
from tests.daemon.fakes import Daemon, run

FOUND = {
    "code": "legacy_profiles",
    "severity": "warning",
    "title": "Old form",
    "seen": [],
    "cause": "",
    "cure": "See it: credtray repair legacy_profiles",
    "repair": "legacy_profiles",
}
CASE = {
    "name": "legacy_profiles",
    "title": "Title",
    "needed": True,
    "undoable": True,
    "preview_id": "0123456789abcdef",
    "changes": ["one"],
    "diff": "+one\n",
    "left_alone": {},
    "next_steps": [],
}
REPAIR = {"repair": ("legacy_profiles",)}
AGREED = {**REPAIR, "preview": ("0123456789abcdef",)}


def printed(document: object, code: int = 0) -> Ran:
    return Ran(code, json.dumps(document).encode(), "")


class Ourselves:
    """Answers as our commands would; ``hold`` keeps them from ending."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.running = self.most = 0
        """Programs now, and the most there were."""
        self.doctor = printed({"findings": [FOUND]})
        self.case: dict[str, Any] = dict(CASE)
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, words: Sequence[str]) -> Ran:
        self.asked.append(tuple(words))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.may_end.wait()
        finally:
            self.running -= 1
        if words[0] == "doctor":
            return self.doctor
        return printed({"repairs": [{**self.case, "done": "--yes" in words and "problem" not in self.case}]})


class Desk:
    """A check-up with the agent's real loop, and real files below this test's home."""

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.ourselves = Ourselves()
        self.changes = 0
        self.components = build()
        self.checking = Checking(self.components, self.daemon.loop, self._changed, self.ourselves)

    def _changed(self) -> None:
        self.changes += 1

    async def press(self, action: str, **fields: tuple[str, ...]) -> Message:
        return await self.checking.handlers[action](fields)

    async def checked(self, subject: str = "") -> CheckView:
        await self.press("check-up", **({"of": (subject,)} if subject else {}))
        return await self.ended(subject)

    async def ended(self, subject: str = "") -> CheckView:
        running = [task for task in asyncio.all_tasks() if task.get_name() == "page check-up"]
        await asyncio.gather(*running)
        return self.checking.view(subject)


def driven(work: Callable[[Desk], Awaitable[None]]) -> None:
    async def drive() -> None:
        desk = Desk()
        await desk.daemon.started()
        await work(desk)
        await desk.checking.close()

    run(drive())


def test_click_returns_at_once_and_a_second_one_waits_for_the_same() -> None:
    async def work(desk: Desk) -> None:
        desk.ourselves.may_end.clear()
        await desk.press("check-up")
        await desk.press("check-up", online=("yes",))
        view = desk.checking.view("")
        assert (view.running, view.waits, view.found) == (True, True, None)
        desk.ourselves.may_end.set()
        view = await desk.ended()

        assert desk.ourselves.asked == [("doctor", "--json")]
        assert view.found is not None
        assert view.at
        assert desk.changes == 1

    driven(work)


def test_profile_is_a_word_of_the_command_whatever_its_name() -> None:
    async def work(desk: Desk) -> None:
        await desk.checked("--all")
        await desk.press("check-up", of=("x",), online=("yes",))
        await desk.ended("x")

        assert desk.ourselves.asked == [
            ("doctor", "--json", "--", "--all"),
            ("doctor", "--json", "--online", "--", "x"),
        ]
        assert desk.checking.view("").found is None

    driven(work)


def test_after_a_repair_few_programs_check_at_once_and_the_last_subject_first() -> None:
    async def work(desk: Desk) -> None:
        subjects = [f"p{number}" for number in range(6)]
        for subject in subjects:
            await desk.checked(subject)
        desk.ourselves.asked.clear()
        desk.ourselves.may_end.clear()
        desk.checking._again()
        assert all(desk.checking.view(subject).running for subject in subjects)
        for _ in range(10):
            await asyncio.sleep(0)
        assert [words[-1] for words in desk.ourselves.asked] == ["p5", "p4"]
        desk.ourselves.may_end.set()
        await desk.ended()

        assert {words[-1] for words in desk.ourselves.asked} == set(subjects)
        assert desk.ourselves.most == 2

    driven(work)


def test_only_the_latest_check_ups_are_remembered() -> None:
    async def work(desk: Desk) -> None:
        for number in range(20):
            await desk.checked(f"p{number}")

        assert desk.checking.view("p19").found is not None
        assert desk.checking.view("p0").found is None

    driven(work)


@pytest.mark.parametrize(
    ("ran", "title"),
    [
        (Ran(2, b"", "error: No such profile.\nhint: credtray profiles\n"), "No such profile."),
        (Ran(-9, b"", ""), "credtray doctor printed nothing (exit code -9)"),
        (
            Ran(0, b'{"findings": 3}', ""),
            "The running agent and the installed command are different versions",
        ),
        (Ran(0, b"\xff", ""), "The running agent and the installed command are different versions"),
        (Ran(0, b"[" * 100_000, ""), "The running agent and the installed command are different versions"),
    ],
)
def test_command_that_failed_says_why(ran: Ran, title: str) -> None:
    async def work(desk: Desk) -> None:
        desk.ourselves.doctor = ran
        view = await desk.checked()

        assert view.problem is not None
        assert view.problem.title == title
        assert view.problem.text

    driven(work)


def test_half_a_surrogate_pair_in_a_name_is_read() -> None:
    async def work(desk: Desk) -> None:
        desk.ourselves.doctor = printed({"findings": [{**FOUND, "title": "a\udc80"}]})
        view = await desk.checked()

        assert view.found is not None
        assert view.problem is None

    driven(work)


@pytest.mark.parametrize("name", ["--yes", "", "a b", "../x", "legacy profiles", "é"])
def test_repair_of_no_such_name_is_none(name: str) -> None:
    async def work(desk: Desk) -> None:
        for action in ("repair-show", "repair-back", "repair-write", "repair-undo"):
            with pytest.raises(UsageError, match="out of date"):
                await desk.press(action, repair=(name,), preview=("0123",))

        assert desk.ourselves.asked == []

    driven(work)


def test_preview_is_shown_in_its_finding_and_what_it_showed_is_what_is_agreed_to() -> None:
    async def work(desk: Desk) -> None:
        await desk.checked()
        await desk.press("repair-show", **REPAIR)
        view = desk.checking.view("")
        assert (view.repairs["legacy_profiles"].state, view.apart) == ("shown", ())
        await desk.press("repair-write", **AGREED)
        assert await desk.press("repair-write", **AGREED) == Message("Written already")
        view = await desk.ended()

        assert desk.ourselves.asked[1:] == [
            ("repair", "legacy_profiles", "--dry-run", "--json"),
            ("repair", "legacy_profiles", "--yes", "--preview-id", "0123456789abcdef", "--json"),
            ("doctor", "--json"),
        ]
        assert view.repairs["legacy_profiles"].state == "final"  # nothing was recorded here

    driven(work)


def test_preview_in_the_making_is_waited_for() -> None:
    async def work(desk: Desk) -> None:
        await desk.checked()
        desk.ourselves.may_end.clear()
        shown = asyncio.create_task(desk.press("repair-show", **REPAIR))
        await asyncio.sleep(1)
        view = desk.checking.view("")
        assert (view.planned, view.waits) == (frozenset({"legacy_profiles"}), True)
        desk.ourselves.may_end.set()
        await shown

        assert not desk.checking.view("").waits

    driven(work)


def test_other_change_than_agreed_to_is_shown_instead_of_written() -> None:
    async def work(desk: Desk) -> None:
        await desk.press("repair-show", **REPAIR)
        desk.ourselves.case |= {"problem": "it was changed", "preview_id": "ffff", "changes": ["another"]}
        message = await desk.press("repair-write", **AGREED)
        shown = desk.checking.view("").apart[0]

        assert message == Message("Nothing was written", "it was changed", good=False)
        assert (shown.state, shown.preview.changes) == ("shown", ("another",))

    driven(work)


def test_nothing_left_to_repair_is_said() -> None:
    async def work(desk: Desk) -> None:
        await desk.press("repair-show", **REPAIR)
        desk.ourselves.case |= {"needed": False}
        shown = await desk.press("repair-show", **REPAIR)

        assert (shown.title, desk.checking.view("").repairs) == ("There is nothing to repair any more", {})

    driven(work)


def recorded(desk: Desk, what: str) -> None:
    desk.components.undo_file.remember(NOON, what, {"profile dev": None})


def test_undo_takes_back_the_repair_and_nothing_that_was_done_since(home: Path) -> None:
    config = home / ".aws" / "config"
    config.parent.mkdir(mode=0o700)
    config.write_text(f"[profile old]\nregion = us-east-1\n\n[profile dev]\n{MARK}\nregion = us-east-1\n")

    async def work(desk: Desk) -> None:
        await desk.press("repair-show", **REPAIR)
        recorded(desk, "repair legacy_profiles")
        await desk.press("repair-write", **AGREED)
        assert desk.checking.view("").repairs["legacy_profiles"].state == "done"
        recorded(desk, "setup other")
        with pytest.raises(NothingToUndo, match="another change"):
            await desk.press("repair-undo", **REPAIR)
        desk.components.undo_file.forget(desk.components.undo_file.changes()[-1])
        message = await desk.press("repair-undo", **REPAIR)

        assert message == Message("Restored: profile dev")
        assert config.read_text() == "[profile old]\nregion = us-east-1\n"
        with pytest.raises(UsageError):
            await desk.press("repair-undo", **REPAIR)

    driven(work)


def test_check_up_that_is_given_up_leaves_nothing_running() -> None:
    async def work(desk: Desk) -> None:
        desk.ourselves.may_end.clear()
        await desk.press("check-up")
        await desk.checking.close()

        assert not desk.checking.view("").running

    driven(work)


# --- as a process --------------------------------------------------------------------------------------


def started(monkeypatch: pytest.MonkeyPatch, code: str) -> Coroutine[Any, Any, Ran]:
    monkeypatch.setattr(checking, "own_command", lambda *_: (sys.executable, "-I", "-S", "-c", code))
    return run_ourselves(("doctor",))


def test_doctor_of_this_installation_is_what_runs(home: Path) -> None:
    ran = asyncio.run(run_ourselves(("doctor", "--json")))

    assert checking._read(ran.output, Checkup).findings


def test_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checking, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(TimedOut, match="takes too long") as caught:
        asyncio.run(started(monkeypatch, "import threading; threading.Event().wait()"))

    assert caught.value.advice == "Run it in a terminal: credtray doctor"


def test_program_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "own_command", lambda *words: ("/nonexistent/python", *words))
    with pytest.raises(CommandRefused, match="credtray doctor"):
        asyncio.run(run_ourselves(("doctor", "--json")))
    with pytest.raises(CommandRefused, match="no program can be given"):
        asyncio.run(run_ourselves(("doctor", "--", "a\0b")))


def test_program_prints_in_utf8_and_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = asyncio.run(run_ourselves(("doctor", "--json", "--", "ü")))

    assert ran.errors.startswith("error: No such profile")
    assert "\x1b" not in ran.errors
