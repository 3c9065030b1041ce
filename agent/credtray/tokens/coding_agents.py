"""What coding agents want in their settings to get keys from credtray, and how it comes into their files.

Only forms that the tools document. Reads and writes no file, and knows no key.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from credtray.core.errors import FileRefused
from credtray.core.words import plain
from credtray.store.text_edits import Piece

Block = Mapping[str, Any]
_SPACE = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"\{[ \t]*\r?\n([ \t]+)")
_BOM = "\ufeff"


class Tool(StrEnum):
    """The tools whose settings are known."""

    CLAUDE_CODE = "claude-code"
    OPENCODE = "opencode"
    CODEX = "codex"
    CLINE = "cline"
    CONTINUE = "continue"
    MCP = "mcp"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a tool shall use."""

    profile: str
    region: str
    export: str
    """The command line that prints the keys as STS answers."""
    refresh: str
    """The command line that waits until somebody has signed in."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool has its settings."""

    path: str
    """Below the home."""
    block: Callable[[Wish], Block]
    toml: bool = False


def _claude_code(wish: Wish) -> Block:
    """code.claude.com, "Claude Code on Amazon Bedrock": advanced credential configuration."""
    return {
        "awsAuthRefresh": wish.refresh,
        "awsCredentialExport": wish.export,
        "env": {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": wish.region},
    }


def _opencode(wish: Wish) -> Block:
    """opencode.ai, "Providers", Amazon Bedrock."""
    return {"provider": {"amazon-bedrock": {"options": {"region": wish.region, "profile": wish.profile}}}}


def _codex(wish: Wish) -> Block:
    """developers.openai.com, "Use Codex with Amazon Bedrock"."""
    aws = {"region": wish.region, "profile": wish.profile}
    return {"model_provider": "amazon-bedrock", "model_providers": {"amazon-bedrock": {"aws": aws}}}


PLACES: Mapping[Tool, Place] = {
    Tool.CLAUDE_CODE: Place(".claude/settings.json", _claude_code),
    Tool.OPENCODE: Place(".config/opencode/opencode.json", _opencode),
    Tool.CODEX: Place(".codex/config.toml", _codex, toml=True),
}
"""Of the tools that have a file of their own for this."""


def printed(tool: Tool, wish: Wish) -> str:
    """Return the settings as a person pastes them, or what to choose where there is no file."""
    if tool in PLACES:
        block = PLACES[tool].block(wish)
        return as_toml(block) if PLACES[tool].toml else json.dumps(block, indent=2, ensure_ascii=False)
    variables = {"AWS_PROFILE": wish.profile, "AWS_REGION": wish.region}
    if tool is Tool.MCP:  # modelcontextprotocol.io, and the READMEs of AWS's own servers
        return json.dumps({"env": variables}, indent=2, ensure_ascii=False)
    if tool is Tool.CONTINUE:  # docs.continue.dev, "Amazon Bedrock"
        return (
            "models:\n  - name: Bedrock\n    provider: bedrock\n    model: MODEL\n    env:\n"
            f"      region: {json.dumps(wish.region)}\n"
            f"      profile: {json.dumps(wish.profile, ensure_ascii=False)}"
        )
    # docs.cline.bot, "AWS Bedrock with profile authentication"
    choices = ("API Provider: AWS Bedrock", "Authentication: AWS Profile", f"Profile: {wish.profile}")
    return "\n".join((*choices, f"Region: {wish.region}"))


def as_toml(block: Block) -> str:
    """Return the block as TOML, its tables after its values."""
    import tomlkit  # slow

    return tomlkit.dumps(block).rstrip("\n")


# --- how it comes into a file ------------------------------------------------------------------------


def merged(text: str, block: Block, *, toml: bool) -> str:
    """Return the text with the block in it; everything else stays as it is.

    Raises:
        FileRefused: the text is none of that format, or there is no way that changes nothing else.
    """
    read: Callable[[str], Any] = tomllib.loads if toml else json.loads
    start, rest = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    try:
        before = read(rest) if rest.strip() else {}
    except (ValueError, RecursionError) as error:
        raise FileRefused(f"it cannot be read: {plain(str(error), 80)}", hint=_BY_HAND) from None
    if not isinstance(before, dict):
        raise FileRefused("it holds a list or a text, not settings", hint=_BY_HAND)
    after = _in_toml(rest, block) if toml else _in_json(rest if rest.strip() else "{}\n", block)
    if read(after) != _joined(before, block):
        raise FileRefused("its form leaves no place to insert anything", hint=_BY_HAND)
    return start + after


_BY_HAND = "Nothing was changed. Leave out --write, and paste the settings yourself."


def _joined(there: Any, block: Block) -> dict[str, Any]:
    found = dict(there) if isinstance(there, Mapping) else {}
    for name, value in block.items():
        found[name] = _joined(found.get(name), value) if isinstance(value, Mapping) else value
    return found


def _in_toml(text: str, block: Block) -> str:
    import tomlkit  # slow
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        _set(document, block)
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise FileRefused(f"it cannot be read: {plain(str(error), 80)}", hint=_BY_HAND) from None


def _set(table: Any, block: Block) -> None:
    import tomlkit

    for name, value in block.items():
        if not isinstance(value, Mapping):
            if table.get(name) != value:
                table[name] = value
            continue
        if not isinstance(table.get(name), Mapping):
            inner = any(isinstance(each, Mapping) for each in value.values())
            table[name] = tomlkit.table(is_super_table=inner)
        _set(table[name], value)


def _in_json(text: str, block: Block) -> str:
    """Insert the members one by one, each as text."""
    at = text.index("{")
    for name, value in reversed(list(block.items())):
        text = _with(text, at, name, value, 1)
    return text


def _with(text: str, at: int, name: str, value: Any, depth: int) -> str:
    """Return the text with one member in the object that begins there."""
    found = next(((first, last) for key, first, last in _members(text, at) if key == name), None)
    if found is not None:
        first, last = found
        there = json.loads(text[first:last])
        if isinstance(value, Mapping) and isinstance(there, dict):
            for inner, wanted in reversed(list(value.items())):
                text = _with(text, first, inner, wanted, depth + 1)
            return text
        return text if there == value else text[:first] + _shown(text, value, depth) + text[last:]
    empty = next(_members(text, at), None) is None
    end = "\r\n" if "\r\n" in text else "\n"
    pad = _pad(text)
    member = f"{end}{pad * depth}{json.dumps(name)}: {_shown(text, value, depth)}"
    if not empty:
        return f"{text[: at + 1]}{member},{text[at + 1 :]}"
    rest = _SPACE.sub("", text[at + 1 :], count=1)
    return f"{text[: at + 1]}{member}{end}{pad * (depth - 1)}{rest}"


def _pad(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _shown(text: str, value: Any, depth: int) -> str:
    end, pad = "\r\n" if "\r\n" in text else "\n", _pad(text)
    lines = json.dumps(value, indent=pad, ensure_ascii=False).split("\n")
    return f"{end}{pad * depth}".join(lines)


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, beginning and end of the value of each member of the object that begins there."""
    decoder = json.JSONDecoder()
    at = _after_space(text, at + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        first = _after_space(text, _after_space(text, at) + 1)
        _, last = decoder.raw_decode(text, first)
        yield name, first, last
        at = _after_space(text, last)
        at = _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def pieces_between(before: str, after: str) -> list[Piece]:
    """Return what has changed, line by line, so that each place can be put back alone."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found = []
    for what, first, last, begins, ends in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if what != "equal":
            at = len("".join(old[:first]).encode())
            found.append(Piece(at, "".join(old[first:last]).encode(), "".join(new[begins:ends]).encode()))
    return found
