"""Tests are left out for a reason that is written down, and a run that lost some of its tests fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.systems import FOLDERS, TESTS, foreign_marks, is_foreign, module_marks

ROOT = TESTS.parent
MODULES = sorted(TESTS.rglob("*.py"))
WITHOUT_REASON = re.compile(r"pytest\.mark\.(?:posix|linux_desktop|wine_lacks)\b(?!\(\s*\"[^\"]+\")")


def test_every_mark_gives_its_reason() -> None:
    others = [path for path in MODULES if path != Path(__file__)]
    silent = [str(path) for path in others if WITHOUT_REASON.search(path.read_text("utf-8"))]

    assert silent == []


def test_folders_about_one_system_are_there() -> None:
    assert [name for name in FOLDERS if not (TESTS / name).is_dir()] == []


def test_tests_that_import_what_only_windows_has_say_so_in_name_and_mark() -> None:
    marked = {path for path in MODULES if "windows" in module_marks(path)}

    assert {path for path in MODULES if path.name.endswith("_windows.py")} - marked == {
        TESTS / "cli" / "test_exec_on_windows.py",  # about Windows, and runs everywhere
        TESTS / "core" / "test_shells_of_windows.py",  # the same
    }
    assert [path for path in marked if not path.name.endswith("_windows.py")] == []


@pytest.mark.parametrize(
    ("line", "marks"),
    [
        ('pytestmark = pytest.mark.posix("links")', {"posix"}),
        ('pytestmark = [pytest.mark.windows, pytest.mark.met("F1")]', {"windows", "met"}),
        ("later = pytest.mark.posix", set()),
    ],
)
def test_marks_of_a_module_are_known_without_an_import(tmp_path: Path, line: str, marks: set[str]) -> None:
    module = tmp_path / "test_it.py"
    module.write_text(f'"""Text."""\n\nimport nothing_of_this_name\nimport pytest\n\n{line}\n', "utf-8")

    assert module_marks(module) & {"posix", "windows", "met"} == marks


def test_a_module_about_another_system_is_not_imported_here() -> None:
    modules = [path for path in MODULES if path.name.startswith("test_")]
    foreign = {path for path in modules if is_foreign(path)}

    assert foreign >= {path for path in modules if module_marks(path) & foreign_marks()}
    assert not foreign & {path.resolve() for path in map(Path, _imported()) if path.name.startswith("test_")}


def _imported() -> list[str]:
    return [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]


@pytest.mark.parametrize(("least", "code"), [("1", 0), ("1000", 1)])
def test_a_run_of_which_tests_are_missing_fails(least: str, code: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "tests/core/test_nearest.py"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CREDTRAY_LEAST_PASSED": least},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stdout
    assert ("1000 were expected" in done.stdout) == (code == 1)
