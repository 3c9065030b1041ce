"""Starting at login on Windows, in the real registry, split by Windows' own rules."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from ctypes import wintypes

import pytest

from credtray.core.shell_words import command_words

assert sys.platform == "win32"

import winreg  # noqa: E402 -- type checkers know it only after the word on the platform

from credtray.desktop.login_entry.windows import APPROVED, NAME, RUN, RunValue, user_registry  # noqa: E402 -- the same

pytestmark = pytest.mark.windows

SCRATCH = r"Software\credtray-tests"
COMMAND = (r"C:\Users\Zoë Smith\my apps\pythonw.exe", "-I", "-m", "credtray", "run")


class Scratch:
    """Implements ``Registry`` below a key of the tests: a person's own Run key stays as it is."""

    def __init__(self) -> None:
        self._real = user_registry()

    def get(self, key: str, name: str) -> str | bytes | None:
        return self._real.get(rf"{SCRATCH}\{key}", name)

    def put(self, key: str, name: str, value: str) -> None:
        self._real.put(rf"{SCRATCH}\{key}", name, value)

    def delete(self, key: str, name: str) -> None:
        self._real.delete(rf"{SCRATCH}\{key}", name)


@pytest.fixture
def entry() -> Iterator[RunValue]:
    yield RunValue(Scratch())
    for key in (RUN, APPROVED):
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, rf"{SCRATCH}\{key}")


def switch(state: bytes) -> None:
    """Note what a person did in the task manager: the state, and since when."""
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"{SCRATCH}\{APPROVED}") as key:
        winreg.SetValueEx(key, NAME, 0, winreg.REG_BINARY, state + bytes(11))


def words_of_windows(line: str) -> list[str]:
    """Return what CommandLineToArgvW makes of a line."""
    split = ctypes.WinDLL("shell32").CommandLineToArgvW
    split.restype, split.argtypes = (
        ctypes.POINTER(wintypes.LPWSTR),
        (wintypes.LPCWSTR, ctypes.POINTER(ctypes.c_int)),
    )
    count = ctypes.c_int()
    found = split(line, ctypes.byref(count))
    return [str(found[at]) for at in range(count.value)]


def test_the_value_starts_what_it_was_written_for(entry: RunValue) -> None:
    switch(b"\2")
    entry.write(entry.content(COMMAND))
    found = entry.found()

    assert found is not None
    assert (found.ours, found.words, found.switched_off) == (True, COMMAND, None)
    assert words_of_windows(found.starts) == list(COMMAND) == command_words(found.starts, windows=True)


def test_what_the_task_manager_switched_off_is_told_until_it_is_written_again(entry: RunValue) -> None:
    entry.write(entry.content(COMMAND))
    switch(b"\3")
    off = entry.found()
    entry.write(entry.content(COMMAND))
    again = entry.found()

    assert off is not None
    assert again is not None
    assert (off.switched_off, again.switched_off) == ("it is turned off in the task manager", None)


def test_a_removed_value_leaves_nothing_of_the_task_managers_note(entry: RunValue) -> None:
    entry.write(entry.content(COMMAND))
    switch(b"\3")
    entry.remove()

    assert entry.found() is None
    assert Scratch().get(APPROVED, NAME) is None
