"""Holds the rules of docs/explanation/architecture.md: wings, purity, sizes, names; nothing starts itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from credtray.core import apply
from tests import architecture_rules as rules
from tests.architecture_rules import Rule, Source

ROOT = Path(__file__).parents[1]
CODE = ("agent", "tests", "packaging", "bench")
TEXT_SUFFIXES = {".py", ".pyi", ".md", ".toml", ".txt", ".in", ".sh", ".html", ".css", ".svg", ".service", ""}


def sources(*folders: str) -> Iterator[Source]:
    """Yield the modules below these folders: their syntax trees take much memory, if all are kept."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source(PurePosixPath(path.relative_to(ROOT).as_posix()), path.read_text("utf-8"))


def read(*folders: str) -> list[Source]:
    return list(sources(*folders))


@cache
def texts() -> list[tuple[Path, str]]:
    """Return every file that a person wrote, whatever it is written in."""
    here = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in (*CODE, "docs", "assets", "requirements", ".ci"):
        here += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [
        (path.relative_to(ROOT), path.read_text(errors="replace"))
        for path in here
        if path.suffix in TEXT_SUFFIXES and not {"__pycache__", "node_modules"}.intersection(path.parts)
    ]


PRODUCT_RULES = [
    rules.wings_keep_apart,
    rules.core_is_pure,
    rules.nothing_happens_at_import,
    rules.no_constructor_writes,
    rules.files_are_short,
    rules.nothing_dangerous,
    rules.words_are_plain,
    rules.errors_are_in_one_place,
    rules.shells_are_spoken_to_in_one_place,
    rules.types_are_read_in_one_place,
]
EVERYWHERE_RULES = [rules.functions_are_short, rules.nothing_is_a_drawer, rules.suppressions_say_why]


def test_the_product_keeps_its_rules_and_all_code_those_for_everywhere() -> None:
    """In one test, so that a module is parsed once for all rules: half of the time goes into that."""
    broken = []
    for source in sources(*CODE):
        asked = PRODUCT_RULES if source.path.parts[0] == "agent" else []
        for rule in (*asked, *EVERYWHERE_RULES):
            broken += [f"{rule.__name__}: {source.path}:{found}" for found in rule(source)]

    assert broken == []


PLANTED = [
    (
        rules.errors_are_in_one_place,
        "agent/credtray/desktop/x.py",
        "from credtray.core.errors import Offline\nclass Gone(Offline): ...",
    ),
    (
        rules.errors_are_in_one_place,
        "agent/credtray/aws/x.py",
        "from credtray.core import errors\nclass Gone(errors.Offline): ...",
    ),
    (rules.wings_keep_apart, "agent/credtray/aws/x.py", "from credtray.desktop import paths"),
    (rules.wings_keep_apart, "agent/credtray/core/x.py", "import credtray.aws.sts"),
    (
        rules.wings_keep_apart,
        "agent/credtray/daemon/x.py",
        "def f():\n    from credtray.files.lock import Lock",
    ),
    (rules.wings_keep_apart, "agent/credtray/demo/identity_center/x.py", "from credtray.core import oauth"),
    (rules.wings_keep_apart, "agent/credtray/store/x.py", "from credtray.aws.sts import assume"),
    (rules.wings_keep_apart, "agent/credtray/stray.py", "x = 1"),
    (
        rules.wings_keep_apart,
        "agent/credtray/doctor/all_rules.py",
        "from credtray.doctor.collect import look",
    ),
    (rules.core_is_pure, "agent/credtray/core/x.py", "import os"),
    (rules.core_is_pure, "agent/credtray/doctor/resolution/x.py", "import os"),
    (rules.core_is_pure, "agent/credtray/pasted/forms.py", "def f():\n    return datetime.now(UTC)"),
    (rules.core_is_pure, "agent/credtray/core/x.py", "from urllib import request"),
    (rules.core_is_pure, "agent/credtray/core/x.py", "def f():\n    import secrets"),
    (rules.core_is_pure, "agent/credtray/core/x.py", "def f():\n    return datetime.now(UTC)"),
    (rules.core_is_pure, "agent/credtray/core/x.py", "def f():\n    print(1)"),
    (rules.nothing_happens_at_import, "agent/credtray/aws/x.py", "KEYS = load()"),
    (rules.nothing_happens_at_import, "agent/credtray/aws/x.py", "class A:\n    home = Path.home()"),
    (rules.nothing_happens_at_import, "agent/credtray/aws/x.py", "def f(at=time.time()): ..."),
    (rules.nothing_happens_at_import, "agent/credtray/aws/x.py", "if x:\n    os.mkdir('x')"),
    (rules.nothing_happens_at_import, "agent/credtray/aws/x.py", "for x in y:\n    z = x"),
    (
        rules.no_constructor_writes,
        "agent/credtray/aws/x.py",
        "class A:\n    def __init__(self): self.p.mkdir()",
    ),
    (
        rules.no_constructor_writes,
        "agent/credtray/aws/x.py",
        "class A:\n    def __init__(self): self._a()\n    def _a(self): self._b()\n    def _b(self): open(x)",
    ),
    (rules.files_are_short, "agent/credtray/aws/x.py", "x = 1\n" * 501),
    (rules.functions_are_short, "agent/credtray/aws/x.py", "def f():\n" + "    x = 1\n" * 40),
    (rules.functions_are_short, "agent/credtray/cli/x.py", "def f():\n" + "    x = 1\n" * 41),
    (rules.nothing_is_a_drawer, "agent/credtray/aws/token_utils.py", ""),
    (rules.nothing_is_a_drawer, "agent/credtray/aws/x.py", "class SessionManager: ..."),
    (rules.nothing_dangerous, "agent/credtray/aws/x.py", "run('ls', shell=True)"),
    (rules.nothing_dangerous, "agent/credtray/aws/x.py", "get('x', verify=False)"),
    (rules.nothing_dangerous, "agent/credtray/aws/x.py", "from pickle import loads"),
    (rules.words_are_plain, "agent/credtray/aws/x.py", "HINT = 'Mend the line named.'"),
    (rules.words_are_plain, "agent/credtray/aws/x.py", "x = 'It waits for ever.'"),
    (rules.words_are_plain, "agent/credtray/aws/x.py", "x = 'no port is to be had'"),
    (rules.words_are_plain, "agent/credtray/aws/x.py", 'def f():\n    """Return what is\n    told."""'),
    (rules.words_are_plain, "agent/credtray/aws/x.py", "x = f'{name} is of another version'"),
    (rules.words_are_plain, "agent/credtray/aws/x.py", "x = 'keys stand before every profile'"),
    (rules.shells_are_spoken_to_in_one_place, "agent/credtray/cli/x.py", "import shlex"),
    (
        rules.shells_are_spoken_to_in_one_place,
        "agent/credtray/core/x.py",
        "def f():\n    from shlex import join",
    ),
    (rules.shells_are_spoken_to_in_one_place, "agent/credtray/files/x.py", "x = f'Run: chmod go-w {path}'"),
    (rules.shells_are_spoken_to_in_one_place, "agent/credtray/files/x.py", "x = f'Run: sudo rm -r {path}'"),
    (rules.shells_are_spoken_to_in_one_place, "agent/credtray/doctor/x.py", "x = 'Run: unset AWS_PROFILE'"),
    (rules.shells_are_spoken_to_in_one_place, "agent/credtray/demo/x.py", "x = f'export {name}={value}'"),
    (rules.shells_are_spoken_to_in_one_place, "agent/credtray/cli/x.py", "x = 'Stop it: `kill 12`'"),
    (
        rules.types_are_read_in_one_place,
        "agent/credtray/aws/x.py",
        "def f(data):\n    return msgspec.json.decode(data, type=X)",
    ),
    (rules.types_are_read_in_one_place, "agent/credtray/aws/x.py", "X = msgspec.json.Decoder(int)"),
    (rules.types_are_read_in_one_place, "agent/credtray/store/x.py", "from msgspec import convert"),
    (
        rules.types_are_read_in_one_place,
        "agent/credtray/demo/identity_center/x.py",
        "def f(data):\n    return msgspec.json.decode(data, type=X)",
    ),
    (rules.suppressions_say_why, "agent/credtray/aws/x.py", "import x  # noqa"),
    (rules.suppressions_say_why, "agent/credtray/aws/x.py", "import x  # noqa: E501"),
    (rules.suppressions_say_why, "agent/credtray/aws/x.py", "x = 1  # type: ignore"),
    (rules.suppressions_say_why, "agent/credtray/aws/x.py", "x = 1  # type: ignore[arg-type]"),
]


def test_every_protocol_has_two_implementers_or_is_a_port_with_a_fake() -> None:
    assert list(rules.protocols_have_two_implementers(read("agent"), read("tests"))) == []


@pytest.mark.parametrize(
    ("path", "more", "found"),
    [
        ("core/ports/x.py", "", 1),
        ("core/ports/x.py", "class Fake:\n    def fetch(self): ...", 0),
        ("daemon/x.py", "class Fake:\n    def fetch(self): ...", 1),
    ],
)
def test_a_protocol_with_one_implementer_is_a_port_with_a_fake_or_found(
    path: str, more: str, found: int
) -> None:
    one = "class Wish(Protocol):\n    def fetch(self): ...\nclass Real:\n    def fetch(self): ..."
    product = [Source(PurePosixPath(f"agent/credtray/{path}"), one)]
    tests = [Source(PurePosixPath("tests/x.py"), more)]

    assert len(list(rules.protocols_have_two_implementers(product, tests))) == found


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_a_planted_breach_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(PurePosixPath(path), text))) != []


def test_no_module_of_the_product_imports_itself_in_a_circle() -> None:
    assert list(rules.no_import_circle(read("agent"))) == []


@pytest.mark.parametrize(
    "back",
    [
        "from credtray.app import build",
        "from credtray import app",
        "import credtray.app",
        "def run():\n    from credtray.app import build",
        "if TYPE_CHECKING:\n    from credtray.app import Components",
    ],
)
def test_a_planted_circle_is_found(back: str) -> None:
    planted = {
        "__init__": "",
        "app": "from credtray import service",
        "service": "from credtray.desk import Desk",
        "desk/__init__": back,
        "desk/icon": "from credtray.desk import Desk, panel",
        "desk/panel": "from credtray.core import face",
        "clicks": "from credtray.app import build",
    }
    circle = [Source(PurePosixPath(f"agent/credtray/{name}.py"), text) for name, text in planted.items()]

    assert list(rules.no_import_circle(circle)) == [
        "credtray.app -> credtray.service -> credtray.desk -> credtray.app"
    ]


def test_files_are_thick() -> None:
    assert list(rules.files_are_thick(read("agent"))) == []


@pytest.mark.parametrize(
    ("path", "lines", "reader", "found"),
    [
        ("agent/credtray/aws/x.py", 119, "agent/credtray/aws/y.py", True),
        ("agent/credtray/aws/x.py", 120, "agent/credtray/aws/y.py", False),
        ("agent/credtray/aws/x.py", 9, "agent/credtray/app.py", False),
        ("agent/credtray/aws/x/__init__.py", 9, "agent/credtray/aws/y.py", False),
        ("agent/credtray/desktop/x/macos.py", 9, "agent/credtray/desktop/y.py", False),
        ("agent/credtray/doctor/resolution/x.py", 9, "agent/credtray/doctor/y.py", True),
    ],
)
def test_a_file_that_is_too_thin_is_found(path: str, lines: int, reader: str, *, found: bool) -> None:
    thin = Source(PurePosixPath(path), "x = 1\n" * lines)
    read_by = Source(PurePosixPath(reader), f"from {thin.module} import x\n")

    assert bool(list(rules.files_are_thick([thin, read_by]))) is found


def test_suppressions_stay_rare() -> None:
    """At most one in two hundred lines of the product: more means that the configuration is wrong."""
    product = read("agent")
    lines = sum(source.text.count("\n") for source in product)

    assert sum(rules.suppressions(source) for source in product) <= lines / 200


def test_every_event_has_a_handler() -> None:
    assert [event for event, handlers in apply.HANDLERS.items() if not handlers] == []


IMPORTER = """
import importlib, logging, os, sys, threading

def blamed():
    frame = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_filename.startswith(house):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return None

def watch(event, arguments):
    if event.partition(".")[0] in watched and (where := blamed()):
        done.append(f"{where} {event} {arguments!r:.80}")

house, names, done = sys.argv[1], sys.argv[2:], []
watched = {"open", "os", "socket", "subprocess", "shutil", "tempfile", "signal", "_thread", "ctypes", "fcntl"}
before = dict(os.environ), sys.excepthook
threading.Thread.start = lambda thread: done.append(f"{blamed()} starts {thread}")
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
if logging.root.handlers or (dict(os.environ), sys.excepthook) != before:
    done.append("logging, the environment or excepthook was changed")
print("\\n".join(done))
"""


def import_watched(house: Path, names: list[str]) -> str:
    """Import the modules in a process of their own; return what ``house`` did to the world."""
    command = [sys.executable, "-B", "-c", IMPORTER, str(house), *names]
    environ = {**os.environ, "PYTHONPATH": str(house.parent)}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)

    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def test_importing_any_module_touches_nothing() -> None:
    not_here = "!=" if sys.platform == "win32" else "=="
    elsewhere = re.compile(rf'^assert sys\.platform {not_here} "win32"', re.MULTILINE)
    names = {
        ".".join(source.path.with_suffix("").parts[1:]).removesuffix(".__init__")
        for source in read("agent")
        if not elsewhere.search(source.text)
    }

    assert import_watched(ROOT / "agent" / "credtray", sorted(names)) == ""


@pytest.mark.parametrize(
    "body",
    [
        "import pathlib; pathlib.Path('x').write_text('x')",
        "import os; os.listdir('.')",
        "import socket; socket.socket()",
        "import threading; threading.Thread(target=print).start()",
        "import logging; logging.basicConfig()",
    ],
)
def test_a_module_that_acts_at_import_is_found(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text(body)

    assert import_watched(house, ["house"]) != ""


UNFINISHED = re.compile(rf"\b({'TO' + 'DO'}|{'FIX' + 'ME'}|{'HA' + 'CK'}|{'X' * 3})\b")


def test_nothing_is_marked_as_unfinished() -> None:
    found = [
        f"{path}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert found == []


def test_no_file_names_the_machine_it_was_written_on() -> None:
    own = re.compile(rf"(?<![\w.-]){re.escape(str(ROOT))}(?![\w-])")

    assert [str(path) for path, text in texts() if own.search(text)] == []


def test_locks_and_makefile_name_no_registry() -> None:
    named = re.compile(r"https?://|(?<!no-emit-)index-url|(?<!no-emit-)find-links|trusted-host")
    files = [path for path, _ in texts() if path.parts[0] in {"requirements", "Makefile", "packaging", ".ci"}]

    assert [str(path) for path in files if named.search((ROOT / path).read_text("utf-8"))] == []


def test_every_locked_requirement_has_a_hash() -> None:
    for name in ("runtime.txt", "dev.txt", "build.txt", "ways.txt", "windows.txt", "packaging.txt"):
        text = (ROOT / "requirements" / name).read_text("utf-8")
        entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]

        assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
