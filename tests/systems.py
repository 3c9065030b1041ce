"""Which tests are about which system, and what a whole module or folder says about it before it is imported.

A test that cannot run here is not skipped but left out, by one of four marks that says why: ``posix``,
``linux_desktop``, ``windows`` and ``wine_lacks``. On a module (``pytestmark``) and on a folder (below), they
hold without an import, which may not succeed.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

FOLDERS = {
    "browser": ("linux_desktop", "browsers of Debian and their driver"),
    "clock_shim": ("posix", "a library that the loader puts before the C library"),
    "crash": ("posix", "strace stops the program at each system call"),
    "end_to_end": (
        "posix",
        "a house of signals, sockets and shell scripts",
    ),
    "on_a_desktop": ("linux_desktop", "X11, D-Bus and a panel"),
    "resolution": ("posix", "the AWS CLI of Debian"),
    "rotation": ("posix", "agents with a socket each"),
    "sharing": ("posix", "the AWS CLI of Debian"),
}
"""Folders that are about one kind of system as a whole."""


def on_wine() -> bool:
    """Return whether this is Windows as Wine plays it."""
    if sys.platform == "win32":
        import ctypes

        return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
    return False


def is_root() -> bool:
    """Return whether permissions do not bind us."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def foreign_marks() -> set[str]:
    """Return the marks of tests that are about something else than this system."""
    if sys.platform == "win32":
        return {"posix", "linux_desktop", *(["wine_lacks"] if on_wine() else [])}
    return {"windows"} if sys.platform == "linux" else {"windows", "linux_desktop"}


def module_marks(path: Path) -> set[str]:
    """Return the marks that a module gives itself by ``pytestmark``, without importing it."""
    text = path.read_text("utf-8")
    if "\npytestmark = " not in text:
        return set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            return {node.attr for node in ast.walk(statement.value) if isinstance(node, ast.Attribute)}
    return set()


def is_foreign(path: Path) -> bool:
    """Return whether nothing in *path*, a module or a folder of tests, is for this system."""
    marks = foreign_marks()
    folder = FOLDERS.get(path.relative_to(TESTS).parts[0]) if path != TESTS else None
    if folder is not None and folder[0] in marks:
        return True
    return path.suffix == ".py" and path.name.startswith("test_") and bool(module_marks(path) & marks)


def folder_mark(path: Path) -> pytest.MarkDecorator | None:
    """Return the mark that the folder gives to each test in it."""
    name, reason = FOLDERS.get(path.relative_to(TESTS).parts[0], ("", ""))
    return getattr(pytest.mark, name)(reason) if name else None
