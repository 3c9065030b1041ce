"""The rules of the house as functions from one module's syntax tree to what breaks them.

Reads no file: tests/test_architecture.py hands the sources in, real ones and planted ones.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

WINGS: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "menu": frozenset({"core", "guard.agents", "guard.decisions"}),
    "moment": frozenset({"core"}),
    "ways_out": frozenset({"core"}),
    "files": frozenset({"core"}),
    "aws": frozenset({"core", "files", "ways_out"}),
    "store": frozenset({"core", "files"}),
    "desktop": frozenset({"core", "files", "menu", "pipe_note"}),
    "daemon": frozenset({"core", "pipe_note", "ways_out", "unix_peer", "windows_user"}),
    "web": frozenset({"core", "ways_out"}),
    "demo.identity_center": frozenset(),  # what the product is tried against shares no code with it
    "pipe_note": frozenset(),
    "unix_peer": frozenset(),
    "windows_processes": frozenset(),
    "windows_user": frozenset(),
    "agent_connect": frozenset({"desktop", "unix_peer"}),
    "agent_connect_pipe": frozenset({"pipe_note", "windows_user"}),
    "credentials_fetch": frozenset({"agent_connect", "agent_connect_pipe"}),
    "ipc_client": frozenset({"agent_connect", "agent_connect_pipe", "core"}),
    "environment": frozenset({"aws.locations", "core", "desktop", "store.organisation"}),
}
"""What a wing may import besides itself."""

_PURE_IN_DOCTOR = (
    "all_rules evidence explain_error finding_texts_around finding_texts_of_files finding_texts_of_keys "
    "findings repair_plans resolution rules_of_files rules_of_sign_in symptoms symptoms_of_keys"
)
PURE_ROOMS = frozenset(
    {
        "core",
        "menu",
        "moment",
        "ways_out",
        "aws.cache_format",
        "cli.picking",
        "files.obstacles",
        "pasted.forms",
        "pasted.portal_text",
        "store.locked_settings",
    }
    | {
        "history.derive",
        "history.drawing",
        "history.entries",
        "history.explain",
        "history.sentences",
        "history.timeline",
    }
    | {"guard.agents", "guard.decisions"}
    | {"roles.record"}
    | {"page.actions", "page.findings", "page.picture", "page.views"}
) | {f"doctor.{name}" for name in _PURE_IN_DOCTOR.split()}
"""What touches nothing: the core, and the parts of features that only think."""
WINGS |= dict.fromkeys(PURE_ROOMS - WINGS.keys(), PURE_ROOMS)

JOINERS = frozenset(
    {"__init__", "__main__", "app", "service", "cli", "demo"}
    | {
        "desktop_integration",
        "click_handler",
        "desktop_requests",
        "missing_icon",
        "doctor",
        "guard",
        "history",
        "page",
        "pasted",
        "project",
        "roles",
        "setup",
        "share",
        "tokens",
        "uninstall",
    }
)
"""The only places where wings meet."""

TYPER_ROOMS = frozenset(
    {
        "cli",
        "doctor",
        "guard",
        "history",
        "pasted",
        "project",
        "roles",
        "setup",
        "share",
        "tokens",
        "uninstall",
    }
)
"""Where commands are: an option is a parameter there."""

PURE_LIBRARY = frozenset(
    {"__future__", "base64", "bisect", "collections", "contextlib", "contextvars", "dataclasses", "datetime"}
    | {"difflib", "enum", "functools", "hashlib", "hmac", "html", "ipaddress", "itertools", "json", "math"}
    | {"msgspec", "re", "shlex", "string", "textwrap", "types", "typing", "unicodedata", "urllib.parse"}
    | {"sys.platform"}  # a constant of the Python that runs it
    | {"threading.Lock"}  # keeps two threads apart, and tells nothing
)
"""All that core may import: nothing here reads a clock, a file, the environment, the network or entropy."""

FORBIDDEN_LIBRARY = frozenset({"pickle", "marshal", "shelve", "dill", "yaml", "telnetlib", "ftplib"})
IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval", "__import__"})
CLOCK_CALLS = frozenset({"now", "utcnow", "today"})

READS_OF_TABLES = frozenset({"keys", "values", "items"})
CALLS_AT_IMPORT = frozenset(
    {"re.compile", "re.escape", "frozenset", "tuple", "set", "dict", "object", "range", "chr", "staticmethod"}
    | {"TypeVar", "ContextVar", "logging.getLogger", "struct.Struct", "MappingProxyType", "timedelta", "Path"}
    | {
        "dataclass",
        "field",
        "Meta",
        "msgspec.Meta",
        "msgspec.field",
        "msgspec.json.Decoder",
        "msgspec.json.Encoder",
    }
    | {"typer.Option", "typer.Argument"}
)
"""What a module body may call: it makes a value out of values."""

WRITES = frozenset(
    {"open", "write", "write_text", "write_bytes", "mkdir", "makedirs", "touch", "unlink", "rename", "chmod"}
    | {"symlink_to", "connect", "bind", "listen", "start", "run", "Popen", "system", "send", "sendall", "put"}
)
"""What no constructor calls: asking for an object must not change the world."""

SEAMS: dict[str, str] = {
    "Backend": "all that a command does to the world",
    "Registry": "the registry, which is on Windows only",
    "Waiter": "time",
    "FileCalls": "Win32's own calls for files, which are on Windows only",
    "Pool": "threads",
    "_Stream": "the other implementer is socket.socket",
    "_Proactor": "asyncio, whose stubs know sockets only",
    "NativeBackEnd": "its implementers are modules",
}
"""Protocols outside of core/ports that have one implementer here, and what the other one stands for."""

DRAWER_NAMES = frozenset({"util", "utils", "helper", "helpers", "manager", "common", "misc"})
LONGEST_FUNCTION = 40
LONGEST_FILE = 500
SHORTEST_FILE = 120
MAY_BE_SHORT = re.compile(
    r"\.(macos|windows|linux|ipc_pipe|ipc_unix)$"  # parts of one operating system, and back-ends of a chooser
    r"|\.exec_\w+$|^credtray\.pipe_note$"  # the fast path imports no more than it needs
    r"|\.cli\.picking$"  # pure, in a package that is not
    r"|\.doctor\.online$"  # alone uses the network
    r"|\.demo\.(person|own_browser)$"  # started as programs
)


@dataclass(frozen=True)
class Source:
    """One module."""

    path: PurePosixPath
    """From the root of the checkout: ``agent/credtray/core/desired_sections.py``."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        """Its name for an import statement."""
        parts = self.path.with_suffix("").parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The wing it belongs to, or its own name at the top level."""
        parts = self.path.with_suffix("").parts
        inside = parts[2:] if parts[:2] == ("agent", "credtray") else parts[1:]
        wing = ".".join(inside[:2])
        return wing if wing in WINGS else inside[0]


Rule = Callable[[Source], Iterator[str]]


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for a name or an attribute, and something no list contains for anything else."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, name):
            return f"{dotted(value)}.{name}"
        case _:
            return f"<{type(node).__name__}>"


@lru_cache(maxsize=1)
def _of_module(module: ast.Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(module))


def nodes(tree: ast.AST) -> Iterable[ast.AST]:
    """Return all below it; those of the module that was asked about last are kept for the next rule."""
    return _of_module(tree) if isinstance(tree, ast.Module) else ast.walk(tree)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything imported, wherever it is done."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in nodes(tree) if isinstance(node, ast.Call))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in nodes(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _belongs(name: str, rooms: frozenset[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


# --- the wings ---------------------------------------------------------------------------------------


def wings_keep_apart(source: Source) -> Iterator[str]:
    room = source.room
    if room in JOINERS:
        return
    if room not in WINGS:
        yield f"1: {room} is neither a wing nor a place where wings meet"
        return
    allowed = WINGS[room] | {room, "__version__"}
    for line, name in imported(source.tree):
        inner = name.removeprefix("credtray.")
        if inner != name and not _belongs(inner, frozenset(allowed)):
            yield f"{line}: {room} imports {name}"


def core_is_pure(source: Source) -> Iterator[str]:
    if source.room not in PURE_ROOMS:
        return
    for line, name in imported(source.tree):
        if not _belongs(name, PURE_LIBRARY | {"credtray"}):
            yield f"{line}: imports {name}"
    for call in calls(source.tree):
        name = dotted(call.func)
        if name in IMPURE_CALLS or name.rpartition(".")[2] in CLOCK_CALLS:
            yield f"{call.lineno}: calls {name}"


def no_import_circle(sources: Iterable[Source]) -> Iterator[str]:
    """Yield the first circle of imports, as the way round it.

    An import counts wherever it is written: at the top, in a function, for type checkers only. A late import
    hides a circle from Python, not from a reader. A package counts only where its own names are imported.
    """
    trees = {source.module: source.tree for source in sources}
    left = {module: set(_modules_imported(tree, trees)) - {module} for module, tree in trees.items()}
    while leaves := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in leaves:
            del left[module]
    if left:  # each of these imports another of these: whoever follows them comes round
        way = [min(left)]
        while way[-1] not in way[:-1]:
            way.append(min(left[way[-1]] & left.keys()))
        yield " -> ".join(way[way.index(way[-1]) :])


def _modules_imported(tree: ast.Module, modules: Container[str]) -> Iterator[str]:
    for _, name in imported(tree):
        found = name if name in modules else name.rpartition(".")[0]
        if found in modules:
            yield found


# --- nothing happens by itself -----------------------------------------------------------------------


class _AtImport(ast.NodeVisitor):
    """Finds the calls that run when the module is imported: bodies of functions do not."""

    def __init__(self) -> None:
        self.found: list[ast.Call] = []

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's names

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "__name__ == '__main__'":
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.found.append(node)
        self.generic_visit(node)


def nothing_happens_at_import(source: Source) -> Iterator[str]:
    tree = source.tree
    finder = _AtImport()
    finder.visit(tree)
    ours = {node.name for node in nodes(tree) if isinstance(node, ast.ClassDef)}
    ours |= {name.rpartition(".")[2] for _, name in imported(tree) if name.startswith("credtray.")}
    for call in finder.found:
        name = dotted(call.func)
        last = name.rpartition(".")[2]
        a_value = (name.partition(".")[0] in ours or name in ours) and last.lstrip("_")[:1].isupper()
        harmless = name in CALLS_AT_IMPORT or last in READS_OF_TABLES or source.room in PURE_ROOMS
        if not a_value and not harmless:
            yield f"{call.lineno}: {name}(...) runs at import"
    for node in tree.body:
        if isinstance(node, ast.For | ast.While | ast.With | ast.Try | ast.Delete | ast.AugAssign):
            yield f"{node.lineno}: a module body holds definitions only"


def no_constructor_writes(source: Source) -> Iterator[str]:
    for kind in (node for node in nodes(source.tree) if isinstance(node, ast.ClassDef)):
        methods = {each.name: each for each in functions(kind)}
        for name in ("__init__", "__post_init__", "__new__"):
            if name in methods:
                yield from _writes(kind.name, methods, name)


def _writes(
    kind: str, methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], name: str
) -> Iterator[str]:
    for call in calls(methods[name]):
        called = dotted(call.func)
        last = called.rpartition(".")[2]
        only_reads = called == "os.open" and "O_RDONLY" in ast.unparse(call)
        if last in WRITES and not only_reads:
            yield f"{call.lineno}: {kind}.{name} calls {called}"
        elif called == f"self.{last}" and last in methods and last != name:
            yield from _writes(kind, {**methods, name: methods[last]} | {last: _EMPTY}, name)


_EMPTY = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), [], [], None, None)


# --- size and names ----------------------------------------------------------------------------------


def functions_are_short(source: Source) -> Iterator[str]:
    for node in functions(source.tree):
        first = node.lineno
        if (
            source.room.partition(".")[0] in TYPER_ROOMS and node.body
        ):  # an option of the command line is a parameter
            first = node.body[0].lineno - 1
        length = (node.end_lineno or node.lineno) - first + 1
        if length > LONGEST_FUNCTION:
            yield f"{node.lineno}: {node.name} has {length} lines"


def files_are_short(source: Source) -> Iterator[str]:
    length = source.text.count("\n")
    if length > LONGEST_FILE:
        yield f"{length}: lines in one file"


def files_are_thick(sources: Iterable[Source]) -> Iterator[str]:
    """Yield each short file whose only reader is in its own package: it belongs into that reader.

    Exempt are packages, parts of one operating system, choosers' back-ends, pure parts of a package
    that is not pure, fast paths, and programs that are started by their name.
    """
    of = {source.module: source for source in sources}
    readers: dict[str, set[str]] = {module: set() for module in of}
    for module, source in of.items():
        for needed in _modules_imported(source.tree, of):
            readers[needed].add(module)
    for module, by in sorted(readers.items()):
        source, length = of[module], of[module].text.count("\n")
        if length >= SHORTEST_FILE or source.path.name in {"__init__.py", "__main__.py"} or len(by) != 1:
            continue
        (reader,) = by
        if _package(module) == _package(reader) and not MAY_BE_SHORT.search(module):
            yield f"{source.path}:1: {length} lines that only {reader} reads"


def _package(module: str) -> str:
    """Return the part of the product: ``doctor`` for ``credtray.doctor.resolution.table``."""
    return module.split(".")[1] if module.count(".") > 1 else ""


def nothing_is_a_drawer(source: Source) -> Iterator[str]:
    names = [(1, part) for part in source.path.with_suffix("").parts]
    names += [(node.lineno, node.name) for node in nodes(source.tree) if isinstance(node, ast.ClassDef)]
    for line, name in names:
        words = re.findall(r"[A-Z]?[a-z]+", name)
        if any(word.lower() in DRAWER_NAMES for word in words):
            yield f"{line}: {name} is a drawer, not a name"


# --- what is never written ---------------------------------------------------------------------------


def nothing_dangerous(source: Source) -> Iterator[str]:
    tree = source.tree
    for line, name in imported(tree):
        if name.partition(".")[0] in FORBIDDEN_LIBRARY:
            yield f"{line}: imports {name}"
    for call in calls(tree):
        if dotted(call.func) in {"eval", "exec", "os.system", "os.popen"}:
            yield f"{call.lineno}: {dotted(call.func)}"
        for given in call.keywords:
            if (given.arg, ast.unparse(given.value)) in {("shell", "True"), ("verify", "False")}:
                yield f"{call.lineno}: {given.arg}={ast.unparse(given.value)}"


_READS_BY_TYPE = frozenset({"msgspec.convert", "msgspec.json.decode", "msgspec.json.Decoder"})


def types_are_read_in_one_place(source: Source) -> Iterator[str]:
    """Yield where msgspec may work out a type while another thread does: that ends the process.

    The Identity Center shares no code with the product: its decoders are made while its modules are imported.
    """
    if source.module == "credtray.core.shapes":
        return
    for line, name in imported(source.tree):
        if name in _READS_BY_TYPE:
            yield f"{line}: imports {name}"
    later = {call for function in functions(source.tree) for call in calls(function)}
    for call in calls(source.tree):
        if dotted(call.func) in _READS_BY_TYPE and (call in later or source.room != "demo.identity_center"):
            yield f"{call.lineno}: {dotted(call.func)} instead of core/shapes"


_DIALECT = re.compile(
    r"\b(mend(s|ed)?|to be had|stands? before|of another version|takes? (it|them) away|taken away"
    r"|(is|are) told|for ever|and the like|cannot stand in|leads into nowhere|is torn|waits? for room)\b",
    re.IGNORECASE,
)
"""Words a native speaker would not use; each has a plain one: fix, unavailable, override, remove, hear."""


def errors_are_in_one_place(source: Source) -> Iterator[str]:
    """Yield errors of the tree outside core/errors: what the tree holds may not hang on what was imported."""
    if source.module.startswith("credtray.core.errors"):
        return
    tree = {name.rpartition(".")[2] for _, name in imported(source.tree) if "core.errors." in name}
    for node in nodes(source.tree):
        if isinstance(node, ast.ClassDef):
            for base in map(dotted, node.bases):
                if base in tree or base.startswith("errors."):
                    yield f"{node.lineno}: {node.name} is a {base}"


_SHELL_WORDS = "credtray.core.shell_words"
_TABLE_OF_SHELLS = "credtray.core.forms"
_OF_A_SHELL = re.compile(
    r"(?:^|[`(]|: |; |\bRun |\bthen )"
    r"(?P<word>chmod|chown|chattr|chflags|mv|rm|ls|sudo|kill|pgrep|unset|export|eval|openssl|icacls|attrib|takeown|setx|w32tm"
    r"|Remove-Item|Move-Item|Set-Item|Get-Content|Get-Process|Stop-Process|Invoke-Expression) "
)


def shells_are_spoken_to_in_one_place(source: Source) -> Iterator[str]:
    """Yield what quotes for a shell, and commands of one, elsewhere: each system has its own words.

    Docstrings are left out: help names the shell beside each example.
    """
    if source.module in {_SHELL_WORDS, _TABLE_OF_SHELLS}:
        return
    yield from (f"{line}: imports shlex" for line, name in imported(source.tree) if name.startswith("shlex"))
    documented = {id(node.value) for node in nodes(source.tree) if isinstance(node, ast.Expr)}
    for node in nodes(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            for found in _OF_A_SHELL.finditer(node.value):
                yield f"{node.lineno}: {found['word']} is a word of one shell"


def words_are_plain(source: Source) -> Iterator[str]:
    """Look at every text and docstring, also across line ends."""
    for node in nodes(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in _DIALECT.finditer(" ".join(node.value.split())):
                yield f"{node.lineno}: {found[0]!r} is no word for a reader"


_NOQA = re.compile(r"#\s*noqa\b(?P<rest>.*)")
_NOQA_WITH_REASON = re.compile(r": [A-Z]+\d+(, [A-Z]+\d+)* --? \S.{3,}")
_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<rest>.*)")
_IGNORE_WITH_REASON = re.compile(r"\[[a-z-]+(, ?[a-z-]+)*\]  # \S.{3,}")


def comments(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment, if one may suppress something: in a string, its words do not."""
    if not (_NOQA.search(source.text) or _IGNORE.search(source.text)):
        return  # reading all the words takes longer than any other rule
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def suppressions_say_why(source: Source) -> Iterator[str]:
    for number, comment in comments(source):
        for mark, reasoned in ((_NOQA, _NOQA_WITH_REASON), (_IGNORE, _IGNORE_WITH_REASON)):
            found = mark.search(comment)
            if found and not reasoned.match(found["rest"]):
                yield f"{number}: {found[0]}"


def suppressions(source: Source) -> int:
    """Count them."""
    return sum(bool(_NOQA.search(comment) or _IGNORE.search(comment)) for _, comment in comments(source))


def protocols_have_two_implementers(product: Iterable[Source], tests: Iterable[Source]) -> Iterator[str]:
    """A Protocol has two real implementers, or it is a port with a faithful fake. Nothing else is a Protocol.

    Who implements it is told by the names of its members, inherited ones too.
    """
    real, fakes = _classes(product), _classes(tests)
    members_of = {each.name: each for each in (*fakes, *real)}

    def implementers(needed: frozenset[str], classes: list[_Class]) -> int:
        return sum(needed <= _members(each, members_of) for each in classes if not each.is_protocol)

    for protocol in real:
        if protocol.is_protocol and protocol.name not in SEAMS:
            needed = _members(protocol, members_of)
            at_work = implementers(needed, real)
            is_port = protocol.room.startswith("core.ports") and implementers(needed, fakes) > 0
            if at_work < 1 + (not is_port):
                yield f"{protocol.room}: {protocol.name} has too few implementers: {at_work}"


@dataclass(frozen=True, slots=True)
class _Class:
    room: str
    name: str
    bases: frozenset[str]
    members: frozenset[str]

    @property
    def is_protocol(self) -> bool:
        return "Protocol" in self.bases


def _classes(sources: Iterable[Source]) -> list[_Class]:
    return [
        _Class(
            source.module.removeprefix("credtray."), node.name, frozenset(_bases(node)), frozenset(_own(node))
        )
        for source in sources
        for node in nodes(source.tree)
        if isinstance(node, ast.ClassDef)
    ]


def _bases(node: ast.ClassDef) -> Iterator[str]:
    for base in node.bases:
        yield dotted(base.value if isinstance(base, ast.Subscript) else base).removeprefix("typing.")


def _own(node: ast.ClassDef) -> Iterator[str]:
    """Yield methods, fields and what the methods set."""
    for each in ast.walk(node):
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield name
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)]):
                yield name


def _members(found: _Class, by_name: Mapping[str, _Class]) -> frozenset[str]:
    bases = (by_name[name] for name in found.bases - {found.name} if name in by_name)
    return found.members.union(*(_members(base, by_name) for base in bases))
