"""Puts entries into a kubeconfig, and takes them out again, without touching another byte of it.

The text is never written anew: a YAML library finds the places, text is inserted there, and the library then
proves that the result says what the old file said, and the new entries. Reads and writes no file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credtray.core.errors import FileRefused
from credtray.core.words import plain
from credtray.store.text_edits import Piece, applied

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

SECTIONS = ("clusters", "contexts", "users")
API = "client.authentication.k8s.io/v1beta1"
_BOM = b"\xef\xbb\xbf"
_DASH = re.compile(r"^( *)-(?=[ \n\r])", re.MULTILINE)
_HEAD = {"apiVersion": "v1", "kind": "Config"}

Item = dict[str, Any]
Additions = Mapping[str, Sequence[Item]]
"""Section -> what is new in it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as EKS describes it."""

    name: str
    server: str
    authority: str
    """Its certificate, in base64."""


def entries(name: str, cluster: Cluster, command: Sequence[str]) -> dict[str, Item]:
    """Return the entry of each section for a cluster whose tokens a command prints."""
    program, *arguments = command
    runs = {"apiVersion": API, "command": program, "args": arguments, "interactiveMode": "Never"}
    where = {"server": cluster.server, "certificate-authority-data": cluster.authority}
    return {
        "clusters": {"name": name, "cluster": where},
        "contexts": {"name": name, "context": {"cluster": name, "user": name}},
        "users": {"name": name, "user": {"exec": runs}},
    }


def kubeconfig_paths(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Return the files that kubectl merges, in its order (client-go, clientcmd/loader.go)."""
    named = environ.get("KUBECONFIG", "")
    found = [Path(each) for each in named.split(os.pathsep) if each]
    return list(dict.fromkeys(found)) or [home / ".kube" / "config"]


def file_to_edit(paths: Sequence[Path]) -> Path:
    """Return the file into which kubectl puts what is new: the first that is there, else the last one."""
    return next((path for path in paths if path.exists()), paths[-1])


# --- what a file says --------------------------------------------------------------------------------


class Kubeconfig:
    """One file, read.

    Raises:
        FileRefused: it is no kubeconfig, or none that can be read; the line is named.
    """

    def __init__(self, path: Path, data: bytes | None) -> None:
        self.path = path
        self.data = data or b""
        self._bom = _BOM if self.data.startswith(_BOM) else b""
        try:
            self._text = self.data.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _refused(path, f"byte {error.start} is not UTF-8") from None
        self._root = _composed(path, self._text)
        made = _constructed(path, self._root) if self._root is not None else {}
        self.says: Mapping[str, Any] = made

    def item(self, section: str, name: str) -> object:
        """Return the entry of that name; None: there is none."""
        items = self.says.get(section)
        found = items if isinstance(items, list) else []
        return next((each for each in found if isinstance(each, Mapping) and each.get("name") == name), None)

    def added(self, additions: Additions) -> list[Piece]:
        """Return what has to be inserted.

        Raises:
            FileRefused: there is no place where that changes nothing else.
        """
        found = _Places(self._text, self._root)
        pieces = list(found.pieces({name: additions[name] for name in SECTIONS if additions.get(name)}))
        shift = len(self._bom)
        inserted = [
            Piece(len(self._text[:at].encode()) + shift, before.encode(), after.encode())
            for at, before, after in pieces
        ]
        self._prove(applied(self.data, inserted), additions)
        return inserted

    def _prove(self, after: bytes, additions: Additions) -> None:
        wanted = dict(_HEAD if self._root is None else self.says)
        for section in SECTIONS:
            if additions.get(section):
                wanted[section] = [*additions[section], *(wanted.get(section) or [])]
        if Kubeconfig(self.path, after).says != wanted:
            raise _refused(self.path, "its form leaves no place to insert anything")

    def without(self, names: Iterable[str]) -> bytes | None:
        """Return it without the entries of these names; None where they are not to be found one by one."""
        gone = set(names)
        root = self._root
        spans = [] if root is None else list(_spans(self._text, root, gone))
        text = self._text
        for first, last in sorted(spans, reverse=True):
            text = text[:first] + text[last:]
        after = self._bom + text.encode()
        try:
            says = Kubeconfig(self.path, after).says
        except FileRefused:
            return None
        same = _others(says, set()) == _others(self.says, gone)
        return after if same and len(spans) == len(SECTIONS) * len(gone) else None


def _others(says: Mapping[str, Any], gone: set[str]) -> dict[str, object]:
    """Return what a file says of everything else; an empty list is as good as none."""
    left = dict(says)
    for section in SECTIONS:
        items = left.get(section)
        if isinstance(items, list):
            kept = [each for each in items if not (isinstance(each, Mapping) and each.get("name") in gone)]
            left[section] = kept or None
    return left


def _refused(path: Path, why: str) -> FileRefused:
    hint = "Nothing was changed. Fix the file; `kubectl config view` reads it, too."
    return FileRefused(f"{path}: {why}", hint=hint)


def _loader() -> Any:
    from ruamel.yaml import YAML  # slow, and needed here only

    return YAML(typ="safe", pure=True)


def _composed(path: Path, text: str) -> MappingNode | None:
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    try:
        root = _loader().compose(text)
    except (YAMLError, RecursionError, ValueError) as error:
        raise _unreadable(path, error) from None
    if isinstance(root, ScalarNode) and root.value == "":
        return None
    if root is not None and not isinstance(root, MappingNode):
        raise _refused(path, "it is a list or a text, not a mapping")
    return root


def _constructed(path: Path, root: MappingNode) -> Mapping[str, Any]:
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    try:
        made: Mapping[str, Any] = SafeConstructor(loader=_loader()).construct_document(root)
    except (YAMLError, RecursionError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from None
    return made


def _unreadable(path: Path, error: Exception) -> FileRefused:
    mark = getattr(error, "problem_mark", None)
    line = "" if mark is None else f"line {mark.line + 1}: "
    return _refused(path, f"{line}{plain(getattr(error, 'problem', None) or type(error).__name__, 80)}")


# --- where something new goes ------------------------------------------------------------------------

Insertion = tuple[int, str, str]
"""Offset, what is there, what comes there."""


class _Places:
    """Finds where the text takes new entries, each before those that are there."""

    def __init__(self, text: str, root: MappingNode | None) -> None:
        self._text = text
        self._root = root
        self._end = "\r\n" if "\r\n" in text else "\n"

    def pieces(self, additions: Additions) -> Iterator[Insertion]:
        root = self._root
        if root is None:
            yield self._whole(additions)
            return
        known = {str(key.value): (key, value) for key, value in root.value}
        missing = {name: items for name, items in additions.items() if name not in known}
        if missing:
            yield self._sections(root, missing)
        for name, items in additions.items():
            if name in known:
                yield self._section(*known[name], items)

    def _whole(self, additions: Additions) -> Insertion:
        start = "" if not self._text or self._text.endswith("\n") else self._end
        head = "".join(f"{key}: {value}{self._end}" for key, value in _HEAD.items())
        return len(self._text), "", start + head + self._blocks(additions, "")

    def _sections(self, root: MappingNode, additions: Additions) -> Insertion:
        if root.flow_style:
            at = self._text.index("{", root.start_mark.index) + 1
            inside = ", ".join(f"{json.dumps(name)}: {_flow(items)}" for name, items in additions.items())
            return at, "", inside + (", " if root.value else "")
        at = root.value[0][0].start_mark.index
        pad = self._text[self._text.rfind("\n", 0, at) + 1 : at]
        return at - len(pad), "", self._blocks(additions, pad)

    def _blocks(self, additions: Additions, pad: str) -> str:
        return "".join(
            f"{pad}{name}:{self._end}{self._items(items, pad)}" for name, items in additions.items()
        )

    def _section(self, key: Node, value: Node, items: Sequence[Item]) -> Insertion:
        from ruamel.yaml.nodes import SequenceNode

        first, last = value.start_mark.index, value.end_mark.index
        if isinstance(value, SequenceNode):
            return self._in_list(value, items)
        if first != last:  # null or ~; anything else is told by the proof
            return first, self._text[first:last], _flow(items)
        line = self._text.find("\n", key.end_mark.index)
        at, start = (line + 1, "") if line >= 0 else (len(self._text), self._end)
        pad = " " * key.start_mark.column
        return at, "", start + self._items(items, pad)

    def _in_list(self, value: SequenceNode, items: Sequence[Item]) -> Insertion:
        first = value.start_mark.index
        if value.flow_style:
            inside = _flow(items)[1:-1]
            return self._text.index("[", first) + 1, "", inside + (", " if value.value else "")
        line = self._text.rfind("\n", 0, first) + 1
        dash = _DASH.search(self._text, line)
        if dash is None:
            return first, "", ""
        return dash.start(), "", self._items(items, dash[1])

    def _items(self, items: Sequence[Item], pad: str) -> str:
        return "".join(f"{pad}{line}{self._end}" for item in items for line in _block([item]))


def _flow(items: Sequence[Item]) -> str:
    return json.dumps(list(items), ensure_ascii=False)


def _block(value: object) -> list[str]:
    """Return lines of YAML in block style; every text is in quotes, whatever is in it."""
    match value:
        case Mapping():
            lines = []
            for key, inner in value.items():
                below = _block(inner)
                nested = isinstance(inner, Mapping | list)
                lines += [f"{key}:", *(f"  {line}" for line in below)] if nested else [f"{key}: {below[0]}"]
            return lines
        case list():
            inside = [_block(each) for each in value]
            return [("  " if at else "- ") + line for lines in inside for at, line in enumerate(lines)]
        case _:
            return [json.dumps(value, ensure_ascii=False)]


# --- where something old ends ------------------------------------------------------------------------


def _spans(text: str, root: MappingNode, names: set[str]) -> Iterator[tuple[int, int]]:
    """Yield where the entries of these names begin and end, in lists of block style."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    for key, value in root.value:
        if key.value not in SECTIONS or not isinstance(value, SequenceNode) or value.flow_style:
            continue
        for item in value.value:
            if isinstance(item, MappingNode) and _named(item) in names:
                first = text.rfind("\n", 0, item.start_mark.index) + 1
                line = text.find("\n", _end_of(item))
                yield first, len(text) if line < 0 else line + 1


def _named(item: MappingNode) -> str | None:
    return next((str(value.value) for key, value in item.value if key.value == "name"), None)


def _end_of(node: Node) -> int:
    """Return where its last word ends: a block's own end is where the next one begins."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end_of(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    return end
