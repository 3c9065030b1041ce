"""The faults that people met, by name: each has its smallest input and two neighbours among the tests.

A test says which fault it shows by ``@pytest.mark.met("F2")``, on the test or on one row of its table
(``pytest.param(..., marks=pytest.mark.met("F2"))``). It may live anywhere below ``tests``.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

FAULTS = {
    "H1": "signing in again ends the present sign-in before a person is there",
    "M1": "the picker ticks a row below the search, shows all rows for no hit, counts nothing",
    "M2": "colours that cannot be read on a light or a dark terminal",
    "M3": "names folded in the middle of a word at 80 columns",
    "M4": "a green tick on a notice of something that went wrong",
    "M5": "the browser says signed in before it is true",
    "M6": "a failed click answers with commands and codes, without a button",
    "M8": "a repaired file is called broken for another minute",
    "M9": "a guessed end of a sign-in used as knowledge",
    "M13": "a link over SSH that cannot work, a code to compare where it must be entered",
    "M14": "Sign out and Quit act at once, in rows that move",
    "L": "the list of smaller things",
    "F1": "a permanent refusal nobody classified",
    "F2": "a profile merged from both files",
    "F3": "what the folder or PYTHONPATH holds reaches the program",
    "F4": "a list of AWS-owned hosts that is not complete",
    "F5": "the least version of a way out",
    "F6": "a client registration that another program cannot use",
    "F7": "one start URL, several spellings",
    "F8": "everyday error texts that explain does not know",
    "F9": "a pattern wider than its cause",
    "F10": "config settings that choose the host",
    "F11": "errors that hide an override",
    "F12": "quoting in cures",
    "F13": "owners of folders",
    "F14": "own errors told as the portal's",
    "F15": "limits of AWS STS told as a missing assignment",
    "F16": "words of a paste taken for parts of a token",
    "F17": "limits of our own that AWS does not have",
    "F18": "an identifier taken for an address",
    "F19": "a broken profile that doctor finds nothing wrong with",
    "F20": "a tray host that drops the item and keeps its name",
    "F21": "a callback with a parameter that has no value",
    "F22": "file systems without modes",
    "F23": "a name that is empty after cleaning",
    "F24": "one file for config and credentials",
    "F25": "backoff against a person",
}
"""By the name each has in the list of faults: what kind of fault it is."""

FEWEST = 3
"""The smallest input, and two neighbours of it that were not on the list."""


def named(source: str) -> Iterator[str]:
    """Yield the fault of each mark in a module, once for each test or row that carries it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.met":
            yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_fault_has_its_smallest_input_and_two_neighbours() -> None:
    found = Counter(name for path in TESTS.rglob("test_*.py") for name in named(path.read_text("utf-8")))

    assert {name: found[name] for name in FAULTS if found[name] < FEWEST} == {}
    assert set(found) <= set(FAULTS)


@pytest.mark.parametrize(
    "source",
    [
        '@pytest.mark.met("F2")\ndef test_x(): ...',
        'ROWS = [pytest.param(1, marks=pytest.mark.met("F2"))]',
    ],
)
def test_a_mark_is_found_on_a_test_and_on_a_row(source: str) -> None:
    assert list(named(source)) == ["F2"]
