"""Proves that moving code changed nothing: compares every definition of two trees, wherever it stands.

    python packaging/compare_trees.py main HEAD
    python packaging/compare_trees.py main . --renamed wish=desired_sections --renamed names.txt

A tree is a git revision or a directory ("." is the checkout as it lies here). Compared is the multiset of
(name inside its module, syntax tree): functions, methods, constants, class heads with the order of their
fields, and whatever else stands at the top level. Docstrings count. Imports, ``__all__``, the docstrings and
names of modules and the places of things do not. ``wishes.wish()`` equals ``wish()`` where ``wishes`` is a
module of ours: that is what merging two modules makes of it. What is imported from elsewhere counts by its
full name, and a module must not come to define a name twice: no definition gets another meaning from new
neighbours.

Ends with 0 when the trees are equal, with 1 when anything differs, with 2 when they cannot be compared.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import io
import subprocess
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

SOURCE_ROOT = "agent/"
"""What is no part of a module's name; in other folders the name begins at the checkout."""
SHOWN_LINES = 12
"""So much of a changed definition is printed."""


class Origin(NamedTuple):
    """What a name refers to: an object of a module, or the module itself when *name* is empty."""

    module: str
    name: str


Bindings = dict[str, Origin | None]
"""Names of one scope; None for what is not imported."""


class Place(NamedTuple):
    """One definition: its name inside its module, its normalised syntax tree, where it stands."""

    name: str
    dump: str
    node: ast.stmt
    where: str


class CannotCompareError(Exception):
    """A tree that cannot be read or parsed; the text says which and why."""


@dataclass
class Renames:
    """Names of the old tree and what they are called in the new one."""

    everywhere: dict[str, str] = field(default_factory=dict)
    of_module: dict[Origin, str] = field(default_factory=dict)

    def add(self, rule: str) -> None:
        """Take ``old=new``, or ``package.module:old=new`` for the top-level name of one module only."""
        old, equals, new = (part.strip() for part in rule.partition("="))
        module, colon, name = old.rpartition(":")
        if not (equals and name.isidentifier() and new.isidentifier()):
            raise CannotCompareError(f"not a rename: {rule!r} (OLD=NEW or package.module:OLD=NEW)")
        if colon:
            self.of_module[Origin(module, name)] = new
        else:
            self.everywhere[name] = new

    def final(self, origin: Origin) -> str:
        """Return what is left of a reference to one of our objects: its name, as the new tree calls it."""
        name = origin.name or origin.module.rpartition(".")[2]
        return self.of_module.get(origin) or self.everywhere.get(name, name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two trees and print what differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", help="git revision or directory")
    parser.add_argument("new", help="git revision or directory")
    parser.add_argument("--folder", action="append", help="compare this folder (repeatable; default: agent)")
    parser.add_argument(
        "--renamed",
        action="append",
        default=[],
        metavar="OLD=NEW|FILE",
        help="a rename, package.module:OLD=NEW for one module's own name, or a file of such lines",
    )
    given = parser.parse_args(arguments)
    folders: list[str] = given.folder or ["agent"]
    try:
        renames = Renames()
        for rule in rules(given.renamed):
            renames.add(rule)
        old, new = Tree(read(given.old, folders), renames), Tree(read(given.new, folders), Renames())
        known = {name for name, _place in old.hidden(folders)}
        hidden = [(name, place) for name, place in new.hidden(folders) if name not in known]
        differs = report(old.places(folders), new.places(folders))
    except CannotCompareError as error:
        print(f"compare_trees: {error}", file=sys.stderr)
        return 2
    for name, place in hidden:
        print(f"hidden   {name}  defined again in {place}")
    return 1 if differs or hidden else 0


def rules(given: Iterable[str]) -> Iterator[str]:
    """Yield the renames, those of files line by line without comments."""
    for rule in given:
        if "=" in rule:
            yield rule
            continue
        try:
            lines = Path(rule).read_text("utf-8").splitlines()
        except OSError as error:
            raise CannotCompareError(f"{rule}: {error.strerror}") from error
        yield from filter(None, (line.partition("#")[0].strip() for line in lines))


def read(tree: str, folders: Iterable[str]) -> dict[str, str]:
    """Return the Python files of a tree by their paths: those of the folders, and ours that they import."""
    wanted = sorted({"agent", *folders})
    if Path(tree).is_dir():
        found = {
            path.relative_to(tree).as_posix(): path.read_text("utf-8")
            for folder in wanted
            for path in Path(tree, folder).rglob("*.py")
        }
    else:
        found = of_revision(tree, wanted)
    for folder in folders:
        if not any(path.startswith(f"{folder}/") for path in found):
            raise CannotCompareError(f"{tree} has no Python files in {folder}/")
    return found


def of_revision(revision: str, folders: Iterable[str]) -> dict[str, str]:
    """Return the Python files of a git revision below folders."""
    specs = [f":(glob){folder}/**/*.py" for folder in folders]
    command = ["git", "archive", "--format=tar", revision, "--", *specs]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - git, no shell
    if done.returncode:
        raise CannotCompareError(f"{revision}: {done.stderr.decode().strip()}")
    found: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                found[member.name] = content.read().decode()
    return found


class Tree:
    """The modules of one tree, and what a name in them refers to."""

    def __init__(self, files: Mapping[str, str], renames: Renames) -> None:
        self.renames = renames
        self._paths = {module_name(path): path for path in files}
        self._trees = {name: parse(path, files[path]) for name, path in self._paths.items()}
        self._bindings = {
            name: bound(tree.body, name, package=self._paths[name].endswith("/__init__.py"))
            for name, tree in self._trees.items()
        }
        self._tops = {name.partition(".")[0] for name in self._paths}

    def places(self, folders: Iterable[str]) -> list[Place]:
        """Return every definition of the folders."""
        prefixes = tuple(f"{folder}/" for folder in folders)
        found: list[Place] = []
        for name, path in sorted(self._paths.items()):
            if path.startswith(prefixes):
                tree = Normaliser(self, name).visit(self._trees[name])
                found += definitions(without_docstring(tree.body), "", path)
        return found

    def hidden(self, folders: Iterable[str]) -> list[tuple[str, str]]:
        """Return where a module defines a name again, which hides the definition before."""
        prefixes = tuple(f"{folder}/" for folder in folders)
        found: list[tuple[str, str]] = []
        for name, path in sorted(self._paths.items()):
            names: set[str] = set()
            for node in self._trees[name].body if path.startswith(prefixes) else ():
                if (defined := name_of(node)) in names:
                    found.append((defined, f"{path}:{node.lineno}"))
                names |= {name_of(node)} if makes_anew(node) else set()
        return found

    def top_level(self, module: str) -> Bindings:
        """Return what stands at the top level of a module."""
        return self._bindings[module]

    def ours(self, module: str) -> bool:
        """Say whether a dotted name may be one of our modules."""
        return module.partition(".")[0] in self._tops

    def member(self, module: str, name: str) -> Origin:
        """Return what ``module.name`` is, through re-exports; a submodule unless a binding hides it."""
        seen: set[Origin] = set()
        here = Origin(module, name)
        while here.name and here not in seen:
            seen.add(here)
            bindings = self._bindings.get(here.module, {})
            source = bindings.get(here.name)
            if source is not None:
                here = source
            elif here.name not in bindings and f"{here.module}.{here.name}" in self._paths:
                return Origin(f"{here.module}.{here.name}", "")
            else:
                break
        return here


def module_name(path: str) -> str:
    """Return the dotted name under which a file is imported."""
    return path.removeprefix(SOURCE_ROOT).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def parse(path: str, text: str) -> ast.Module:
    """Parse one file."""
    try:
        return ast.parse(text, path)
    except SyntaxError as error:
        raise CannotCompareError(f"{path}:{error.lineno}: {error.msg}") from error


def bound(nodes: Iterable[ast.AST], module: str, *, package: bool) -> Bindings:
    """Return the names that statements bind in their own scope; what nested scopes bind is theirs."""
    found: Bindings = {}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= imported(node, module, package=package)
            continue
        inner: Iterable[ast.AST] = ast.iter_child_nodes(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = None
            inner = ()
        elif isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            inner = (name for name in ast.walk(node) if isinstance(name, ast.NamedExpr))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found[node.id] = None
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found[node.name] = None
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found[node.rest] = None
        found |= bound(inner, module, package=package)
    return found


def imported(node: ast.Import | ast.ImportFrom, module: str, *, package: bool) -> Bindings:
    """Return the names that an import binds."""
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: Origin(
                alias.name if alias.asname else alias.name.partition(".")[0], ""
            )
            for alias in node.names
        }
    source = node.module or ""
    if node.level:
        parents = module.split(".")
        parents = parents[: len(parents) - node.level + (1 if package else 0)]
        source = ".".join([*parents, *filter(None, [source])])
    return {alias.asname or alias.name: Origin(source, alias.name) for alias in node.names}


class Normaliser(ast.NodeTransformer):
    """Takes imports out of a module, reduces references to our objects to their names, and renames."""

    def __init__(self, tree: Tree, module: str) -> None:
        self._tree = tree
        self._module = module
        self._scopes: list[tuple[Bindings, bool]] = []  # innermost last; True for a class body

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Rename whatever else carries a name: arguments, keywords, attributes, patterns, handlers."""
        for name, value in ast.iter_fields(node):
            if isinstance(node, ast.Constant) or name == "type_comment":
                continue
            if isinstance(value, str):
                setattr(node, name, self._renamed(value))
            elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
                setattr(node, name, [self._renamed(item) for item in value])
        return super().generic_visit(node)

    def visit_Import(self, _node: ast.Import) -> None:
        """Drop it: where things come from is what a move changes."""

    def visit_ImportFrom(self, _node: ast.ImportFrom) -> None:
        """Drop it as well."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Drop ``if TYPE_CHECKING:`` when nothing but imports stood in it."""
        checking = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        kept = self.generic_visit(node)
        return None if checking and not node.body and not node.orelse else kept

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Give an imported object its own name, whatever it is called here; one of others its full name."""
        origin = self._origin(node)
        name = self._renamed(node.id) if origin is None else self._final(origin)
        return ast.Name(id=name, ctx=node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Reduce ``module.name`` to ``name``."""
        origin = self._origin(node)
        if origin is None:
            return self.generic_visit(node)
        return ast.Name(id=self._final(origin), ctx=node.ctx)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Visit defaults and decorators outside, the body inside."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Visit it like a function that does not wait."""
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Visit the body in its own scope."""
        names = arguments_of(node.args)
        node.args = self.visit(node.args)
        node.body = self._inside(names, [node.body])[0]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Visit the body in a scope that its methods do not see."""
        body, node.body = node.body, []
        node.name = self._defined(node.name)
        self.generic_visit(node)
        node.body = self._inside(self._bound(body), body, of_class=True)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        """Visit it in the scope of its own targets."""
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        """Visit it in the scope of its own targets."""
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        """Visit it in the scope of its own targets."""
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        """Visit it in the scope of its own targets."""
        return self._comprehension(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.AST:
        self._scopes.append((self._bound(part.target for part in node.generators), False))
        self.generic_visit(node)
        self._scopes.pop()
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        body, node.body = node.body, []
        shared = {
            name
            for part in ast.walk(ast.Module(body, []))
            if isinstance(part, ast.Global | ast.Nonlocal)
            for name in part.names
        }
        names = {name: to for name, to in self._bound(body).items() if name not in shared}
        names |= arguments_of(node.args)
        node.name = self._defined(node.name)
        self.generic_visit(node)
        node.body = self._inside(names, body)
        return node

    def _inside(self, names: Bindings, nodes: Iterable[Any], *, of_class: bool = False) -> list[Any]:
        self._scopes.append((names, of_class))
        visited = [self.visit(node) for node in nodes]
        self._scopes.pop()
        return [node for node in visited if node is not None]

    def _bound(self, nodes: Iterable[ast.AST]) -> Bindings:
        return bound(nodes, self._module, package=False)

    def _defined(self, name: str) -> str:
        """Return what a function or class is called; `generic_visit` renames by the rules for everywhere."""
        if self._scopes:
            return name
        return self._tree.renames.of_module.get(Origin(self._module, name), name)

    def _renamed(self, name: str) -> str:
        return self._tree.renames.everywhere.get(name, name)

    def _origin(self, node: ast.expr) -> Origin | None:
        """Return which object or module of ours an expression names, if it names one."""
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Attribute):
            base = self._origin(node.value)
            if base is not None and not base.name:
                return self._tree.member(base.module, node.attr)
        return None

    def _named(self, name: str) -> Origin | None:
        for depth, (names, of_class) in enumerate(reversed(self._scopes)):
            if name in names and not (of_class and depth):
                return self._followed(names[name])
        top = self._tree.top_level(self._module)
        if name not in top:
            return None
        imported_from = top[name]
        return Origin(self._module, name) if imported_from is None else self._followed(imported_from)

    def _followed(self, origin: Origin | None) -> Origin | None:
        return self._tree.member(*origin) if origin is not None and origin.name else origin

    def _final(self, origin: Origin) -> str:
        if self._tree.ours(origin.module):
            return self._tree.renames.final(origin)
        return ".".join(filter(None, origin))


def arguments_of(arguments: ast.arguments) -> Bindings:
    """Return the names that a function's arguments bind."""
    return {part.arg: None for part in ast.walk(arguments) if isinstance(part, ast.arg)}


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a module's statements without its docstring."""
    return body[1:] if body and text_alone(body[0]) else body


def text_alone(node: ast.AST) -> bool:
    """Say whether a statement is a string, as docstrings are."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def definitions(body: Iterable[ast.stmt], inside: str, path: str) -> Iterator[Place]:
    """Yield what stands in the body of a module or class; the text below a constant counts as its own."""
    before = ""
    for node in body:
        name = name_of(node)
        if name == "__all__":
            continue
        if text_alone(node):
            name = f"{before} (text)".lstrip()
        before = name
        full = f"{inside}{name}"
        if isinstance(node, ast.ClassDef):
            yield from definitions(node.body, f"{full}.", path)
            # The head is left: decorators, bases, and the fields in their order.
            fields = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
            node.body = [ast.Expr(target) for target in fields]
        yield Place(full, ast.dump(node), node, f"{path}:{getattr(node, 'lineno', 0)}")


def makes_anew(node: ast.stmt) -> bool:
    """Say whether a statement defines its name anew, as an overload or a registration does not."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return not node.decorator_list
    return isinstance(node, ast.Assign | ast.AnnAssign)


def name_of(node: ast.stmt) -> str:
    """Return under which name a statement is compared."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign):
        return ", ".join(ast.unparse(target) for target in node.targets)
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return ast.unparse(node.target)
    return f"<{type(node).__name__.lower()}>"


def readable(node: ast.stmt) -> str:
    """Return a definition as code; bodies of which only imports were left are no code any more."""
    try:
        return ast.unparse(ast.fix_missing_locations(node))
    except (AttributeError, IndexError, ValueError):
        return ast.dump(node, indent=1)


def report(old: list[Place], new: list[Place]) -> int:
    """Print what was lost, added and changed, and return how the program ends."""
    lost, added = rest(old, new), rest(new, old)
    for name in sorted(lost.keys() | added.keys()):
        gone, come = lost[name], added[name]
        for before, after in zip(gone, come, strict=False):
            print(f"changed  {name}  {before.where} -> {after.where}")
            print("\n".join(difference(readable(before.node), readable(after.node))))
        for place in gone[len(come) :]:
            print(f"lost     {name}  {place.where}")
        for place in come[len(gone) :]:
            print(f"added    {name}  {place.where}")
    counts = Counter[str]()
    for name in lost.keys() | added.keys():
        both = min(len(lost[name]), len(added[name]))
        counts += Counter(changed=both, lost=len(lost[name]) - both, added=len(added[name]) - both)
    if counts:
        print(", ".join(f"{counts[kind]} {kind}" for kind in ("lost", "added", "changed")))
        return 1
    print(f"equal: {len(old)} definitions, {files(old)} files before, {files(new)} after")
    return 0


def rest(these: list[Place], those: list[Place]) -> defaultdict[str, list[Place]]:
    """Return by name what is in these and not in those, counting how often."""
    there = Counter((place.name, place.dump) for place in those)
    found: defaultdict[str, list[Place]] = defaultdict(list)
    for place in these:
        there[place.name, place.dump] -= 1
        if there[place.name, place.dump] < 0:
            found[place.name].append(place)
    return found


def difference(before: str, after: str) -> list[str]:
    """Return the lines that differ between two definitions, the first ones of many."""
    lines = [
        f"    {line}"
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    return [*lines[:SHOWN_LINES], *(["    ..."] if len(lines) > SHOWN_LINES else [])]


def files(places: Iterable[Place]) -> int:
    """Count the files that hold something."""
    return len({place.where.rpartition(":")[0] for place in places})


if __name__ == "__main__":
    sys.exit(main())
