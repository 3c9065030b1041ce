"""`credtray help`: the documentation in a terminal; a command's name shows that command's own help.

The pages are files beside the package, or of the checkout. Changes nothing and asks no agent.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.main import COMMANDS, HIDDEN, PROGRAM, command_line
from credtray.core.errors import AssetMissing, UsageError
from credtray.core.shell_words import argument
from credtray.core.words import did_you_mean
from credtray.desktop.paths import documents

if TYPE_CHECKING:
    from rich.console import RenderableType

GROUPS = {"tutorial": "Tutorial", "how-to": "How to", "explanation": "Explanation", "reference": "Reference"}
"""Folder -> heading, in the order in which a newcomer needs them."""
_LOOSE = "reference"
"""Where a page is listed that lies in no folder: the glossary."""
_WIDEST = 100
"""Columns of a page; longer lines of prose are hard to read."""

# The pages by their names. A name alone is enough, unless a command or another page has it as well.


@dataclass(frozen=True, slots=True)
class Topic:
    """One page."""

    name: str
    """What a person types."""
    group: str
    title: str
    path: Path


def topics() -> list[Topic]:
    """Return all pages, in the order of the list.

    Raises:
        AssetMissing: they are not there, or cannot be read.
    """
    folder = documents()
    found = [(group, path) for group in GROUPS for path in _files(folder, group)]
    names = Counter(path.stem for _, path in found)
    return [
        Topic(
            path.stem if names[path.stem] == 1 and path.stem not in COMMANDS else f"{group}/{path.stem}",
            group,
            _title(_read(path)),
            path,
        )
        for group, path in found
    ]


def _files(folder: Path, group: str) -> list[Path]:
    found = list((folder / group).glob("*.md"))
    if group == _LOOSE:
        found += [path for path in folder.glob("*.md") if path.name != "README.md"]
    return sorted(found, key=lambda path: path.stem)


def _read(path: Path) -> str:
    """Return the page without the remarks to whoever edits it."""
    try:
        return re.sub(r"<!--.*?-->\s*", "", path.read_text("utf-8"), flags=re.DOTALL)
    except (OSError, UnicodeDecodeError) as error:
        raise AssetMissing(f"{path}: {getattr(error, 'strerror', None) or 'it is no text'}") from None


def _title(text: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].replace("`", "") if found else ""


def topic_named(word: str, known: list[Topic]) -> Topic:
    """Return the page that is meant; its path, as ``docs/how-to/install.md``, is a name as well.

    Raises:
        UsageError: there is none, or more than one; says which are near.
    """
    plain = word.removeprefix("docs/").removesuffix(".md")
    named = [topic for topic in known if plain in {topic.name, f"{topic.group}/{topic.path.stem}"}]
    if named:
        return named[0]
    same = [topic.name for topic in known if topic.path.stem == plain]
    if same:
        several = f"{plain!a} is more than one page: {' and '.join(same)}"
        raise UsageError(several, hint=f"credtray help {argument(same[0])}")
    names = [*(topic.name for topic in known), *(name for name in COMMANDS if name not in HIDDEN)]
    near = did_you_mean(plain, names)
    raise UsageError(f"There is no page or command {word!a}.{near}", hint="credtray help")


def complete_topic(incomplete: str) -> list[tuple[str, str]]:
    """Return the pages and commands that begin like this."""
    pages = [(topic.name, topic.title) for topic in topics()]
    offered = [*pages, *((name, "") for name in COMMANDS if name not in HIDDEN)]
    return [(name, text) for name, text in offered if name.startswith(incomplete)]


# The text of a page for somebody without the files: what a link leads to is a command.


_LINK = re.compile(r"```.*?```|`[^`\n]+`|(?P<picture>!?)\[(?P<text>[^\]]+)\]\((?P<to>[^)\s]+)\)", re.DOTALL)


def page_text(topic: Topic, known: list[Topic]) -> str:
    """Return the page; links to other pages say how those are shown, and pictures what they show."""
    by_path = {other.path: other.name for other in known}

    def told(found: re.Match[str]) -> str:
        text, to = found["text"], found["to"]
        if text is None or to.startswith("https://"):
            return found[0]
        if found["picture"]:
            return f"(Picture: {text})"
        name = by_path.get(Path(os.path.normpath(topic.path.parent / to.partition("#")[0])))
        return f"{text} (`credtray help {argument(name)}`)" if name else text

    return _LINK.sub(told, _read(topic.path))


# --- the command -------------------------------------------------------------------------------------


def help_(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC",
            help="A page, or a command; without one all pages are listed.",
            autocompletion=complete_topic,
            show_default=False,
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Show the documentation: the list of its pages, or one of them.

    A command's name shows that command's help, as `credtray COMMAND --help` does. When a page has the same
    name as a command or another page, put its group in front: reference/settings.

    Examples:
      credtray help
      credtray help when-something-does-not-work
      credtray help reference/settings
      credtray help exec
      credtray help install | less
    """
    if json_output and topic is not None:
        raise UsageError("--json lists the pages; it goes with no TOPIC", hint="credtray help --json")
    if topic in COMMANDS:
        _show_command(topic)
        return
    known = topics()
    if topic is not None:
        _show_page(page_text(topic_named(topic, known), known))
    elif json_output:
        told = [{"topic": each.name, "group": each.group, "title": each.title} for each in known]
        terminal.show_json({"topics": told})
    else:
        _show_list(known)


def _show_command(name: str) -> None:
    command_line().main([name, "--help"], prog_name=PROGRAM, standalone_mode=False)
    pages = [f"credtray help {argument(page)}" for page in _pages_beside(name)]
    if pages:
        sys.stdout.flush()
        terminal.say(f"There is a page, too: {', '.join(pages)}")


def _pages_beside(command: str) -> Iterator[str]:
    """Yield the pages that have the name of a command; a command's help does without them."""
    try:
        yield from (topic.name for topic in topics() if topic.path.stem == command)
    except AssetMissing:
        return


def _show_page(text: str) -> None:
    if not sys.stdout.isatty():
        sys.stdout.write(text.rstrip("\n") + "\n")  # our own text, whose tabs a Makefile needs
        return
    from rich.constrain import Constrain  # both are dear

    terminal.draw(Constrain(_drawn(text), _WIDEST))


def _drawn(text: str) -> RenderableType:
    """Return the page as rich's Markdown in our styles.

    Its code keeps its lines, so that a command can be copied, and its tables lose nothing.
    """
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import CodeBlock, Heading, Markdown, MarkdownContext, TableDataElement
    from rich.text import Text

    class Left(Heading):
        LEVEL_ALIGN: ClassVar = dict.fromkeys(Heading.LEVEL_ALIGN, "left")

    class Lines(CodeBlock):
        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            del console, options
            lines = str(self.text).rstrip().split("\n")
            yield Text("\n".join(f"    {line}" for line in lines), no_wrap=True, overflow="ignore")

    class Cell(TableDataElement):
        def on_enter(self, context: MarkdownContext) -> None:
            super().on_enter(context)
            self.content.overflow = "fold"

    class Page(Markdown):
        elements: ClassVar = {
            **Markdown.elements,
            "heading_open": Left,
            "fence": Lines,
            "code_block": Lines,
            "td_open": Cell,
            "th_open": Cell,
        }

    return Page(text, hyperlinks=False)


def _show_list(known: list[Topic]) -> None:
    from rich.table import Table

    width = max(len(topic.name) for topic in known)
    for group, members in groupby(known, key=lambda topic: topic.group):
        terminal.show(terminal.paint(GROUPS[group], "strong", sys.stdout))
        rows = Table.grid(padding=(0, 2))
        rows.add_column(width=width + 2, no_wrap=True)
        rows.add_column()
        for topic in members:
            rows.add_row(f"  {topic.name}", topic.title)
        terminal.draw(rows)
        terminal.show("")
    terminal.show("`credtray help TOPIC` shows one; `credtray help COMMAND` explains a command.")
