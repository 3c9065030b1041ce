"""`credtray help`: pages found, listed and shown; every page that a text of the product names is there."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from credtray.cli.main import COMMANDS
from credtray.cli.manual import GROUPS, page_text, topic_named, topics
from credtray.core.errors import AssetMissing, UsageError
from credtray.desktop import paths
from tests.cli.fake_backend import credtray
from tests.cli.real_world import World
from tests.cli.terminal_session import TerminalSession

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "agent" / "credtray"
NAMED = re.compile(r"credtray help ([a-z][\w/-]*)")


def test_every_page_but_the_decisions_and_the_index_is_listed_once() -> None:
    known = topics()
    pages = {path for path in DOCS.rglob("*.md") if "adr" not in path.parts and path.name != "README.md"}

    assert {topic.path for topic in known} == pages
    assert len({topic.name for topic in known}) == len(known)
    assert not {topic.name for topic in known} & COMMANDS.keys()
    assert all(topic.title and "`" not in topic.title for topic in known)


def test_without_a_topic_the_pages_are_listed_by_group_with_their_titles() -> None:
    outcome = credtray("help")
    lines = outcome.out.splitlines()

    assert (outcome.code, outcome.err) == (0, "")
    assert [line for line in lines if line in GROUPS.values()] == list(GROUPS.values())
    assert any(line.split() == ["install", "Install", "it"] for line in lines)
    assert any(line.startswith("  reference/settings ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_list_for_programs_has_the_same_pages() -> None:
    found = json.loads(credtray("help", "--json").out)

    assert [each["topic"] for each in found["topics"]] == [topic.name for topic in topics()]
    assert {"topic": "install", "group": "how-to", "title": "Install it"} in found["topics"]
    assert credtray("help", "install", "--json").code == 2


@pytest.mark.parametrize("name", ["install", "how-to/install", "how-to/install.md", "docs/how-to/install.md"])
def test_page_is_shown_by_its_name_and_by_its_path(name: str) -> None:
    outcome = credtray("help", name)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("# Install it\n")


def test_links_to_pages_become_commands_and_pictures_words() -> None:
    install = credtray("help", "install").out

    assert "see uninstall (`credtray help how-to/uninstall`)" in install
    assert "| the .deb |" in install
    assert "(Picture: All states of the icon" in credtray("help", "tray-and-notifications").out


def test_no_page_is_left_with_a_link_into_the_checkout() -> None:
    known = topics()
    link = re.compile(r"```.*?```|`[^`\n]+`|(\]\((?!https://)[^)\s]+\))", re.DOTALL)
    left = {topic.name: [each for each in link.findall(page_text(topic, known)) if each] for topic in known}

    assert {name: links for name, links in left.items() if links} == {}


def test_tabs_of_an_example_stay_tabs() -> None:
    assert "\n\t@credtray wait" in credtray("help", "long-jobs-and-scripts").out


def test_name_of_a_command_shows_its_help_and_names_the_page_beside_it() -> None:
    outcome = credtray("help", "exec")
    beside = credtray("help", "settings")

    assert outcome.out == credtray("exec", "--help").out
    assert outcome.err == ""
    assert beside.out == credtray("settings", "--help").out
    assert beside.err == "There is a page, too: credtray help reference/settings\n"


def test_wrong_topic_offers_the_nearest() -> None:
    outcome = credtray("help", "behind-proxy")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: There is no page or command 'behind-proxy'. Did you mean behind-a-proxy?\n"
        "hint: credtray help\n"
    )


def test_name_of_two_pages_offers_both() -> None:
    with pytest.raises(UsageError) as told:
        topic_named("files", topics())

    assert str(told.value) == "'files' is more than one page: explanation/files and reference/files"
    assert told.value.advice == "credtray help explanation/files"


def test_installation_without_its_pages_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "lib" / "credtray" / "desktop" / "paths.py"))
    (tmp_path / "docs").mkdir()  # of somebody else

    with pytest.raises(AssetMissing):
        paths.documents()
    assert credtray("help", "exec").code == 0


@pytest.mark.posix("a pseudo-terminal")
def test_terminal_shows_a_page_drawn_and_a_pipe_as_it_is_written(world: World) -> None:
    piped = world.credtray("help", "install")
    with TerminalSession(world, "help", "install") as session:
        code = session.end()
    lines = [line.rstrip() for line in session.screen.splitlines()]

    assert (piped.returncode, piped.stderr, code) == (0, "", 0)
    assert piped.stdout.startswith("# Install it\n")
    assert "Install it" in lines
    assert "    sudo apt install ./credtray_*_amd64.deb" in lines
    assert not any("```" in line or line.startswith("#") for line in lines)
    assert "…" not in session.screen.replace("credtray-…-setup.exe", "")
    assert max(map(len, lines)) <= 100


# --- what the product says ---------------------------------------------------------------------------


def told(path: Path) -> Iterator[str]:
    """Yield the texts of a module that a person may see: all but those that explain the code."""
    tree = ast.parse(path.read_text("utf-8"))
    explanations = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explanations:
            yield node.value


@cache
def names_shown() -> frozenset[str]:
    return frozenset({*COMMANDS, *(topic.name for topic in topics())})


def pages_missing(text: str) -> list[str]:
    """Return what a text names that `credtray help` does not show."""
    return [name for name in NAMED.findall(text) if name not in names_shown()]


def test_no_text_names_a_page_as_a_file_or_one_that_is_not_there() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for text in told(path):
            if path.name != "reference.py" and re.search(r"\bdocs/[\w/-]+", text.removeprefix("docs/")):
                wrong.append(f"{path.name}: {text}")
            wrong += [f"{path.name}: {name}" for name in pages_missing(text)]

    assert wrong == []


def test_every_page_that_docstrings_of_commands_and_pages_name_is_there() -> None:
    sources = [*PACKAGE.rglob("*.py"), *(topic.path for topic in topics()), ROOT / "README.md"]

    assert [(path, name) for path in sources for name in pages_missing(path.read_text("utf-8"))] == []


def test_a_page_that_is_not_there_is_found() -> None:
    assert pages_missing("See `credtray help nowhere`, `credtray help install`.") == ["nowhere"]
