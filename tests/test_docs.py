"""What the documentation names exists: commands, options, files, links, decisions, fields of contracts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from credtray.cli.main import COMMANDS, command_named
from credtray.core import settings
from credtray.core.models import Profile, SsoSession
from credtray.core.protocol import messages
from credtray.core.protocol.results import AgentStatus
from credtray.core.state import ProfileState, SessionState, State, frozen
from credtray.core.summary import status_document
from credtray.demo.identity_center import control, faults
from tests.as_json import as_json

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LARGEST_PICTURE = 2_000_000
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
NAMED_FILE = re.compile(
    r"`((?:agent|tests|packaging|docs|requirements)/[\w./-]+\.(?:py|md|txt|service|toml))`"
)
ADR_PARTS = ["## Context", "## Choice", "## Consequences", "## What would change our mind"]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def bad_pictures(page: Path, text: str) -> list[str]:
    """Return the pictures of a page that are not there, are too large, or have no words."""
    shown = [(words, page.parent / path, path) for words, path in PICTURE.findall(text)]
    return [
        path
        for words, file, path in shown
        if not words or not file.is_file() or file.stat().st_size > LARGEST_PICTURE
    ]


@each_page
def test_pictures_are_there_with_words(page: Path) -> None:
    assert bad_pictures(page, page.read_text("utf-8")) == []


def test_a_picture_that_is_gone_or_has_no_words_is_found() -> None:
    text = "![words](docs/images/icons.png) ![](docs/images/icons.png) ![words](docs/images/gone.png)"

    assert bad_pictures(ROOT / "README.md", text) == ["docs/images/icons.png", "docs/images/gone.png"]


def test_moving_picture_is_what_the_readme_shows_first_and_every_picture_is_shown() -> None:
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for _, path in PICTURE.findall(page.read_text("utf-8"))
    }
    first = PICTURE.findall((ROOT / "README.md").read_text("utf-8"))[0]

    assert first[1] == "docs/images/signing-in.gif"
    assert {path for path in (DOCS / "images").rglob("*") if path.is_file()} - shown == set()


def commands_named(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each `credtray COMMAND --option ...` that stands in code, as command and options."""
    for code in CODE.findall(page.read_text("utf-8")):
        for words in re.findall(r"(?:^|[`$\s])(?<!# )credtray ([a-z][^\n`#|]*)", code):
            command, *rest = words.split()
            ours = rest[: rest.index("--")] if "--" in rest else rest  # what follows is another program's
            yield command.strip(".,;:)"), [word.partition("=")[0] for word in ours if word.startswith("--")]


@each_page
def test_commands_and_options_exist(page: Path) -> None:
    unknown = []
    for command, options in commands_named(page):
        if command not in COMMANDS:
            unknown.append(command)
            continue
        known = {
            "--help",
            "--verbose",
            *(name for item in command_named(command).params for name in (*item.opts, *item.secondary_opts)),
        }
        unknown += [f"{command} {option}" for option in options if option not in known]

    assert unknown == []


@each_page
def test_files_of_the_checkout_exist(page: Path) -> None:
    assert [name for name in NAMED_FILE.findall(page.read_text("utf-8")) if not (ROOT / name).exists()] == []


MODULE = re.compile(r"`([a-z_]+(?:/[a-z_]+)+)`")
"""A module as our pages name it: ``core/policy``."""


def modules_missing(text: str) -> list[str]:
    """Return the modules that the text names below a package of ours and that are not there."""
    package = ROOT / "agent" / "credtray"
    named = [name for name in MODULE.findall(text) if (package / name.partition("/")[0]).is_dir()]
    there = (package.joinpath(name).is_dir() or package.joinpath(f"{name}.py").is_file() for name in named)
    return [name for name, found in zip(named, there, strict=True) if not found]


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "adr"], ids=name_of)
def test_modules_exist(page: Path) -> None:
    """Decisions are left out: they also name what there was before."""
    assert modules_missing(page.read_text("utf-8")) == []


def test_a_module_that_is_gone_is_found() -> None:
    assert modules_missing("`core/policy`, `core/ini`, `core/wishes`, `elsewhere/x`") == ["core/wishes"]


@each_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        name
        for code in CODE.findall(page.read_text("utf-8"))
        for name in re.findall(r"\bmake ([a-z]+)", code)
    }

    assert named <= targets


@each_page
def test_examples_of_settings_are_accepted(page: Path) -> None:
    for example in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        settings.from_mapping(tomllib.loads(example))


@each_page
def test_one_page_has_one_title(page: Path) -> None:
    outside_code = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)

    assert len(re.findall(r"^# ", outside_code, re.MULTILINE)) == 1


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    pages = {page for page in PAGES if DOCS in page.parents and page.parent != DOCS / "adr"} - {
        DOCS / "README.md"
    }

    assert pages - linked == set()


def test_every_decision_is_in_the_index_and_has_its_four_parts() -> None:
    index = (DOCS / "adr" / "README.md").read_text("utf-8")
    for page in sorted((DOCS / "adr").glob("[0-9]*.md")):
        number, text = int(page.name[:4]), page.read_text("utf-8")
        title = text.splitlines()[0].removeprefix(f"# {number}. ")

        assert f"| [{page.name[:4]}]({page.name}) | {title} |" in index
        assert re.findall(r"^## .+$", text, re.MULTILINE) == ADR_PARTS


def first_column(page: str) -> set[str]:
    """Return every name in the first cells of a page's tables."""
    cells = re.findall(r"^\| ([^|]+) \|", (DOCS / "reference" / page).read_text("utf-8"), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def keys_of(document: Any) -> set[str]:
    match document:
        case dict():
            return set(document) | {key for value in document.values() for key in keys_of(value)}
        case list():
            return {key for value in document for key in keys_of(value)}
        case _:
            return set()


def test_status_page_names_every_field() -> None:
    session = SsoSession("corp", "https://d-1.awsapps.com/start", "eu-west-1")
    profile = Profile("dev", "corp", "111122223333", "Admin")
    state = State(
        sessions=frozen({"corp": SessionState(session)}), profiles=frozen({"dev": ProfileState(profile)})
    )
    document = status_document(state, AgentStatus(True, 1, "1"), datetime(2026, 11, 22, tzinfo=UTC))
    text = (DOCS / "reference" / "status.md").read_text("utf-8")

    assert [key for key in sorted(keys_of(as_json(document))) if f"`{key}`" not in text] == []


def test_ipc_page_names_every_request() -> None:
    names = {str(kind.__struct_config__.tag) for kind in get_args(messages.Known)}

    assert first_column("ipc.md") == names


def test_identity_center_page_names_every_command_and_fault() -> None:
    commands = {str(kind.__struct_config__.tag) for kind in control.Command.__subclasses__()}
    text = (DOCS / "reference" / "identity-center.md").read_text("utf-8")
    unnamed = [
        kind.__struct_config__.tag
        for kind in get_args(faults.Fault)
        if f"`{kind.__struct_config__.tag}`" not in text
    ]

    assert first_column("identity-center.md") == commands
    assert unnamed == []
