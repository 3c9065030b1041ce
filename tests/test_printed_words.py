"""A name, path or address within a command that is printed is quoted as one word of it: core/shell_words.

Found by walking the syntax trees: the text in front of a value says whether it is part of a command.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from credtray.cli.main import command_line

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "agent" / "credtray"
_PROGRAM = command_line()
COMMANDS = "|".join(_PROGRAM.list_commands(_PROGRAM.make_context("credtray", [], resilient_parsing=True)))
PROGRAMS = r"chmod|chown|chattr|mv|rm|ls|sudo|kill|unset|systemctl --user|openssl rehash|aws sso"
QUOTING = frozenset(
    {"word", "argument", "path_word", "toml_word", "with_options", "credential_process_command"}
)
IN_A_COMMAND = re.compile(
    rf"(?:^|(?<=[\s`'\"(]))(?:credtray (?:{COMMANDS})|{PROGRAMS})"
    r"(?P<rest>(?: [^\s`;:,()]+)*)(?P<joint> |=)$"
)
"""From the beginning of a command up to the value, with nothing in between that ends a command in prose."""
NO_WORDS = {
    "doctor/view.py": ("kind.repair", "option"),  # ours
    "cli/exec_files.py": ("seen", "sys.executable", "__file__"),  # a sentence in a file nobody types from
    "cli/reference.py": ("kind.repair.value",),  # ours
    "core/notice_texts.py": ("minutes",),  # a number
    "core/shell_words.py": ("pid",),  # a number
    "cli/agent_start.py": ("words",),  # quoted one by one
    "core/forms.py": ("name",),  # of a variable; the text is a shell's
}
"""File -> what may stand in a command as it is."""


def values(joined: ast.JoinedStr) -> Iterator[tuple[str, ast.expr]]:
    """Yield (text before it, value); values before it are an X in that text."""
    before = ""
    for part in joined.values:
        if isinstance(part, ast.FormattedValue):
            yield before, part.value
            before += "X"
        else:
            assert isinstance(part, ast.Constant)
            before += str(part.value)


def quoted(value: ast.expr, allowed: Collection[str]) -> bool:
    """Whether the value is one word, or a number of words, of a command."""
    match value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in QUOTING
        case _:
            return ast.unparse(value) in allowed


def breaches(source: str, allowed: Collection[str] = ()) -> list[str]:
    """Return every value in a command that nothing quotes, as it stands there."""
    tree = ast.parse(source)
    found = [
        ast.unparse(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for before, value in values(node)
        if IN_A_COMMAND.search(before) and not quoted(value, allowed)
    ]
    added = [
        ast.unparse(node.right)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
        for text in [_end(node.left)]
        if text is not None and IN_A_COMMAND.search(text) and not quoted(node.right, allowed)
    ]
    return found + added


def _end(left: ast.expr) -> str | None:
    if isinstance(left, ast.BinOp):
        return _end(left.right)
    if not isinstance(left, ast.Constant) or not isinstance(left.value, str):
        return None
    return left.value.removesuffix("%s")


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "demo" not in path.relative_to(PACKAGE).parts)


@pytest.mark.met("F12")
def test_every_value_in_a_printed_command_is_quoted() -> None:
    found = {}
    for path in sources():
        file = path.relative_to(PACKAGE).as_posix()
        found[file] = breaches(path.read_text("utf-8"), NO_WORDS.get(file, ()))

    assert {file: wrong for file, wrong in found.items() if wrong} == {}


@pytest.mark.met("F12")
@pytest.mark.parametrize(
    "planted",
    [
        'f"Run: credtray login {session}"',
        'f"Run: credtray login {session} --fresh"',
        'f"Or: credtray login --fresh {session.name}"',
        'f"Use it: credtray activate {argument(a)} --section {section}"',
        'f"`credtray activate {a}`"',
        'f"Run: chmod go-w {path}"',
        "f\"credtray pause 10m {item['name']}\"",
        'f"credtray exec --profile={name} -- ls"',
        '"Run: credtray login " + session',
        '"Run: credtray login %s" % session',
        'f"Run: credtray login {str(session)}"',
    ],
)
def test_a_planted_name_without_quotes_is_found(planted: str) -> None:
    assert len(breaches(planted)) == 1


@pytest.mark.parametrize(
    "fine",
    [
        'f"Run: credtray login {argument(session)}"',
        "f\"Run: credtray login {with_options(session, '--fresh')}\"",
        'f"credtray does not know the console of {region}"',
        'f"`credtray undo` cannot undo this: {error}"',
        'f"Run: credtray status, then look at {path}"',
    ],
)
def test_what_is_quoted_or_no_command_is_left_alone(fine: str) -> None:
    assert breaches(fine) == []
