"""The proof that a move changed nothing: what it must not see, and what it must."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "packaging" / "compare_trees.py"
OLD = {
    "core/wishes.py": '''\
"""What a profile should get."""

from __future__ import annotations

LIMIT = 3
"""So many."""


def wish(name: str, *, often: int = LIMIT) -> str:
    """Return what is wanted."""
    return name * often


def _item() -> int:
    return 1
''',
    "core/policy.py": '''\
"""Decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credtray.core import wishes
from credtray.core.wishes import wish as wanted

if TYPE_CHECKING:
    from credtray.core.wishes import LIMIT


@dataclass(frozen=True)
class Look:
    """What is seen."""

    name: str
    size: int = wishes.LIMIT

    def fits(self, size: int) -> bool:
        """Say whether it does."""
        return self.size < size


def decide(look: Look) -> str:
    """Decide."""
    from credtray.core import wishes as lazily

    return wanted(look.name) + wishes.wish(look.name) + lazily.wish(name="x", often=wishes._item())


def shadowed(wishes: Look) -> str:
    return wishes.name
''',
    "core/__init__.py": '"""Touches nothing."""\n',
}
MERGED = {
    "core/policy.py": '''\
"""Decides, and says what a profile should get."""

from __future__ import annotations

from dataclasses import dataclass


def _item() -> int:
    return 1


LIMIT = 3
"""So many."""


@dataclass(frozen=True)
class Look:
    """What is seen."""

    name: str
    size: int = LIMIT

    def fits(self, size: int) -> bool:
        """Say whether it does."""
        return self.size < size


def shadowed(wishes: Look) -> str:
    return wishes.name


def wish(name: str, *, often: int = LIMIT) -> str:
    """Return what is wanted."""
    return name * often


def decide(look: Look) -> str:
    """Decide."""
    return wish(look.name) + wish(look.name) + wish(name="x", often=_item())
''',
    "core/__init__.py": "",
}


def lay(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / "agent" / "credtray" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def compare(*words: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, PROGRAM, *words], capture_output=True, text=True, check=False, cwd=cwd
    )
    return done.returncode, done.stdout + done.stderr


def changed(tmp_path: Path, before: str, after: str, *words: str) -> tuple[int, str]:
    """Compare with the merged tree in which some text is another."""
    text = MERGED["core/policy.py"]
    assert text.count(before) == 1
    new = lay(tmp_path / "new", {**MERGED, "core/policy.py": text.replace(before, after)})
    return compare(lay(tmp_path / "old", OLD), new, *words)


def test_modules_that_were_merged_are_equal(tmp_path: Path) -> None:
    said = compare(lay(tmp_path / "old", OLD), lay(tmp_path / "new", MERGED))

    assert said == (0, "equal: 11 definitions, 2 files before, 1 after\n")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("def _item() -> int:\n    return 1\n", "", "lost     _item  agent/credtray/core/wishes.py:14"),
        ("LIMIT = 3", "LIMIT = 4", "changed  LIMIT"),
        ("self.size < size", "self.size <= size", "changed  Look.fits"),
        ('"""So many."""', '"""So few."""', "changed  LIMIT (text)"),
        ('"""Decide."""', '"""Decides."""', "changed  decide"),
        ("    name: str\n    size: int = LIMIT\n", "    size: int = LIMIT\n    name: str\n", "changed  Look"),
        ("(frozen=True)", "", "changed  Look"),
        ('name="x"', 'nome="x"', "changed  decide"),
        ("wish(look.name) + wish", "_item(look.name) + wish", "changed  decide"),
        ("return wishes.name", "return name", "changed  shadowed"),
        ("_item() -> int", "_thing() -> int", "added    _thing"),
        ("import dataclass\n", "import dataclass\n\nprint(1)\n", "added    <expr>"),
    ],
)
def test_whatever_else_is_another_is_said(tmp_path: Path, before: str, after: str, line: str) -> None:
    code, said = changed(tmp_path, before, after)

    assert (code, line in said) == (1, True), said


def test_one_of_two_equal_functions_that_is_lost_is_missed(tmp_path: Path) -> None:
    old = lay(tmp_path / "old", {**OLD, "core/twice.py": "def _item() -> int:\n    return 1\n"})

    code, said = compare(old, lay(tmp_path / "new", MERGED))

    assert (code, said.splitlines()[-1]) == (1, "1 lost, 0 added, 0 changed")


ELSEWHERE = "from {}\n\n\ndef newer(it: object) -> object:\n    return {}(it)\n"


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (("copy import replace", "replace"), ("copy import replace as copied", "copied"), 0),
        (("copy import replace", "replace"), ("os import replace", "replace"), 1),
    ],
)
def test_names_from_elsewhere_count_by_where_they_come_from(
    tmp_path: Path, before: tuple[str, str], after: tuple[str, str], code: int
) -> None:
    old = lay(tmp_path / "old", {"core/it.py": ELSEWHERE.format(*before)})
    new = lay(tmp_path / "new", {"core/it.py": ELSEWHERE.format(*after)})

    assert compare(old, new)[0] == code


def test_name_that_two_merged_modules_define_is_told(tmp_path: Path) -> None:
    files = {
        f"core/{name}.py": f"_MOST = {most}\n\n\ndef {name}() -> int:\n    return _MOST\n"
        for name, most in (("a", 1), ("b", 2))
    }
    old = lay(tmp_path / "old", files)
    new = lay(tmp_path / "new", {"core/both.py": "\n\n".join(files.values())})

    code, said = compare(old, new)
    assert (code, said.splitlines()[-1]) == (
        1,
        "hidden   _MOST  defined again in agent/credtray/core/both.py:8",
    )


def test_named_renames_are_no_difference(tmp_path: Path) -> None:
    text = MERGED["core/policy.py"].replace("wish(", "desired(").replace("_item", "_wished_item")
    new = lay(tmp_path / "new", {**MERGED, "core/policy.py": text})
    names = tmp_path / "names.txt"
    names.write_text("# how things are called\n\nwish=desired  # the trade's word\n")
    old = lay(tmp_path / "old", OLD)

    assert (
        compare(old, new, "--renamed", "credtray.core.wishes:_item=_wished_item", "--renamed", names)[0] == 0
    )
    assert compare(old, new, "--renamed", names)[0] == 1


def test_name_of_one_module_leaves_the_same_name_of_another_alone(tmp_path: Path) -> None:
    mine, yours = (
        "def _item() -> int:\n    return {}\n\n\ndef {}() -> int:\n    return {}()\n",
        "core/mine.py",
    )
    old = {yours: mine.format(2, "used", "_item"), "core/other.py": mine.format(3, "other", "_item")}
    text = (
        "def _two() -> int:\n    return 2\n\n\ndef used() -> int:\n    return _two()\n\n\n"
        + old["core/other.py"]
    )
    said = compare(
        *(lay(tmp_path / "old", old), lay(tmp_path / "new", {"core/both.py": text})),
        *("--renamed", "credtray.core.mine:_item=_two"),
    )

    assert said == (0, "equal: 4 definitions, 2 files before, 1 after\n")


@pytest.mark.posix("git")
def test_revisions_are_compared_without_being_checked_out(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=e@example.com")
        subprocess.run(["git", *who, *words], cwd=lay(tmp_path, OLD), check=True, capture_output=True)

    git("init", "-q")
    git("add", "agent")
    git("commit", "-qm", "core: before")
    git("tag", "before")
    wishes = tmp_path / "agent" / "credtray" / "core" / "wishes.py"
    wishes.write_text(wishes.read_text().replace("LIMIT = 3", "LIMIT = 4"))

    code, said = compare("before", ".", cwd=tmp_path)
    assert (code, "changed  LIMIT" in said) == (1, True)
    assert compare("before", "HEAD", cwd=tmp_path)[0] == 0


@pytest.mark.posix("git")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nowhere", "."), "nowhere: fatal"),
        ((".", ".", "--folder", "bench"), ". has no Python files in bench/"),
        ((".", ".", "--renamed", "a=b c"), "not a rename: 'a=b c'"),
        ((".", ".", "--renamed", "names.txt"), "names.txt: No such file or directory"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    code, said = compare(*words, cwd=lay(tmp_path, OLD))

    assert (code, why in said, "Traceback" in said) == (2, True, False), said
