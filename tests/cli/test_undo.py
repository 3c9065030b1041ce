from __future__ import annotations

import json
from typing import Any

from credtray.core.errors import NothingToUndo
from credtray.core.protocol import ListUndo, Undo
from tests.cli.fake_backend import FakeBackend, credtray

PLAN: dict[str, Any] = {
    "credentials": [{"section": "synderys-dns", "profile": "synderys-dns"}],
    "profiles": [
        {"at": "2026-11-22T13:28:00Z", "what": "setup synderys", "sections": ["profile synderys-dns"]}
    ],
}
WORDS = (
    "Credentials file: these sections will be removed:\n"
    "  [synderys-dns]\n"
    "Config file, back to before `setup synderys` of 2026-11-22 13:28:\n"
    "  [profile synderys-dns]\n"
)
DONE: dict[str, Any] = {
    "credentials": {"restored": ["synderys-dns"], "skipped": {}},
    "profiles": {"restored": ["profile synderys-dns"], "skipped": {}},
}


def twice() -> FakeBackend:
    """Answers the question for the plan and the undo itself."""
    return FakeBackend({ListUndo: PLAN, Undo: DONE})


def test_list_shows_and_changes_nothing() -> None:
    fake = twice()
    outcome = credtray("undo", "--list", backend=fake)

    assert fake.asked == [ListUndo()]
    assert (outcome.code, outcome.out, outcome.err) == (0, WORDS, "")


def test_undo_without_a_terminal_needs_yes() -> None:
    fake = twice()
    outcome = credtray("undo", backend=fake)

    assert fake.asked == [ListUndo()]
    assert outcome.code == 2
    assert (
        outcome.err == f"{WORDS}error: Cannot ask for confirmation: not a terminal\n"
        "hint: credtray undo --yes\n"
    )


def test_undo_tells_what_was_taken_back() -> None:
    fake = twice()
    outcome = credtray("undo", "--yes", backend=fake)

    assert fake.asked == [ListUndo(), Undo()]
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "Credentials file: changes undone in 1 section.\nConfig file: changes undone in 1 section.\n"
    )


def test_last_change_alone_is_shown_and_asked_for() -> None:
    older = {**PLAN["profiles"][0], "what": "setup other"}
    fake = FakeBackend({ListUndo: {**PLAN, "profiles": [older, *PLAN["profiles"]]}, Undo: DONE})
    outcome = credtray("undo", "--last", backend=fake)

    assert outcome.err.startswith(WORDS.partition("]\n")[2])
    assert credtray("undo", "--last", "--yes", backend=fake).code == 0
    assert fake.asked[-1] == Undo("last")


def test_what_somebody_changed_since_is_named_and_ends_with_4() -> None:
    DONE["profiles"]["skipped"] = {"profile x": "it was changed since"}
    try:
        outcome = credtray("undo", "--yes", backend=twice())
    finally:
        DONE["profiles"]["skipped"] = {}

    assert outcome.code == 4
    assert outcome.err == "warning: Config file: [profile x] was left as it is: it was changed since\n"


def test_nothing_to_undo_is_an_error_but_an_empty_list_is_not() -> None:
    empty: dict[str, Any] = {"credentials": [], "profiles": []}
    listed = credtray("undo", "--list", backend=FakeBackend({ListUndo: empty}))
    undone = credtray("undo", "--yes", backend=FakeBackend({ListUndo: empty}))

    assert (listed.code, listed.out) == (0, "There is nothing to undo.\n")
    assert (undone.code, undone.err) == (
        1,
        f"error: {NothingToUndo.title}\nhint: {NothingToUndo.hint}\n",
    )


def test_result_as_json() -> None:
    outcome = credtray("undo", "--yes", "--json", backend=twice())

    assert json.loads(outcome.out) == DONE


def test_long_lists_are_cut() -> None:
    sections = [{"section": f"s{number}", "profile": "p"} for number in range(30)]
    outcome = credtray(
        "undo", "--list", backend=FakeBackend({ListUndo: {"credentials": sections, "profiles": []}})
    )

    assert outcome.out.splitlines()[-2:] == ["  [s19]", "  and 10 more"]
