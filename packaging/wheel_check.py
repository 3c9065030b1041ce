"""Builds the wheel, installs it far from the checkout and runs it: what a user gets, not what lies here.

    python packaging/wheel_check.py            locked dependencies, installed anew; runs the whole demo
    python packaging/wheel_check.py --quick    dependencies of this environment; only starts the commands

Writes nothing outside a temporary directory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[1]
FOREIGN = ("tests/", "docs/", "packaging/", "bench/", "requirements/")
"""Folders of the checkout that have no place in a wheel."""
PAGES = ("docs/tutorial/", "docs/how-to/", "docs/explanation/", "docs/reference/", "docs/glossary.md")
"""What `credtray help` shows."""
DRAWING = """
from credtray.core.icon_state import IconState, Shape
from credtray.desktop.icon import Panel, draw
assert draw(IconState(Shape.FRESH, 19), 22, Panel.AUTO).getbbox() is not None
"""
"""What only works when the assets are in the wheel, and found there."""
TRAPS = (
    *("credtray/__init__.py", "credtray/__main__.py", "agent/__init__.py"),
    *("sitecustomize.py", "usercustomize.py", "encodings/__init__.py", "os.py"),
    *(
        "re.py",
        "json.py",
        "typer.py",
        "rich/__init__.py",
        "msgspec/__init__.py",
        "schedule.py",
        "botocore.py",
    ),
    "startup.py",
)
"""Python files of a folder, any of which would end what imports it."""
HOSTILE = MappingProxyType(
    {
        "PYTHONPATH": ".:{folder}",
        "PYTHONHOME": "{folder}",
        "PYTHONUSERBASE": "{folder}",
        "PYTHONSTARTUP": "{folder}/startup.py",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "PYTHONINSPECT": "1",
        "PYTHONDEVMODE": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONPLATLIBDIR": "nowhere",
        "PYTHONVERBOSE": "1",
        "PYTHONPROFILEIMPORTTIME": "1",
        "PYTHONBREAKPOINT": "re.x",
    }
)
"""Variables that change what Python does, with the folder for ``{folder}``."""


def main() -> int:
    """Check the wheel and return 0; whatever does not hold raises."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="borrow this environment's dependencies")
    quick: bool = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="credtray wheel ") as name:
        place = Path(name)
        windows = build(place, "win_amd64")
        check_contents(windows, windows=True)
        wheel = build(place, "posix")
        check_contents(wheel, windows=False)
        (borrow if quick else install)(wheel, place)
        home = place / "home"
        home.mkdir()
        commands = place / "venv" / "bin" / "credtray"
        run(home, str(commands), "--help")
        run(home, str(commands), "version")
        run(home, str(commands), "help", "install")
        run(home, python_of(place), "-I", "-c", DRAWING)
        check_isolation(commands, place)
        if not quick:
            run(home, python_of(place), "-I", "-m", "credtray.demo", "--unattended")
    print(f"{wheel.name}: built, installed, run; {windows.name}: built")
    return 0


def build(place: Path, system: str) -> Path:
    """Build with the locked back-end of this environment for a system and return the wheel's path."""
    dist = place / "dist" / system
    hatchling = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist))
    run(ROOT, *hatchling, more={"CREDTRAY_WHEEL_FOR": system})
    (wheel,) = dist.glob("*.whl")
    return wheel


def check_contents(wheel: Path, *, windows: bool) -> None:
    """Refuse a wheel that lacks a file of the package, its assets or its pages, or carries something else.

    Its command is scripts for POSIX systems, and an entry point with a tag for Windows: never both.
    """
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {name.removeprefix("agent/") for name in files_of("agent")}
    ours |= {f"credtray/{name}" for name in files_of("assets")}
    ours |= {f"credtray/{name}" for name in files_of("docs") if name.startswith(PAGES)}
    missing = sorted(ours - names)
    foreign = sorted(name for name in names if name.startswith(FOREIGN))
    licences = [name for name in names if name.endswith("licenses/LICENSE")]
    if missing or foreign or not licences:
        raise SystemExit(f"missing: {missing}; not to be there: {foreign}; licences: {licences}")
    scripts = sorted(name.rpartition("/")[2] for name in names if ".data/scripts/" in name)
    entry_point = any(name.endswith("/entry_points.txt") for name in names)
    tag = wheel.stem.rpartition("-")[2]
    expected = (
        ([], True, "win_amd64")
        if windows
        else (["credtray", "credtray-python", "docker-credential-credtray"], False, "any")
    )
    if (scripts, entry_point, tag) != expected:
        raise SystemExit(f"{wheel.name}: {(scripts, entry_point, tag)}, not {expected}")


def check_isolation(command: Path, place: Path) -> None:
    """Refuse a command that anything of the folder it is run in, or of PYTHON* variables, gets into.

    Started as it is and by a link from elsewhere, as pipx makes one.
    """
    folder, link, seen = place / "folder of somebody", place / "link", place / "seen"
    link.symlink_to(command)
    trap = f"open({str(seen)!r}, 'a').write(__name__ + chr(10))\nraise RuntimeError(__name__)\n"
    for name in TRAPS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trap)
    hostile = {name: value.format(folder=folder) for name, value in HOSTILE.items()}
    for program in (str(command), str(link)):
        for words in (("version",), ("--help",), ("doctor", "--json"), ("autostart", "status")):
            said = run(folder, program, *words, more=hostile)
            if seen.exists() or said.stderr:
                raise SystemExit(f"credtray {words}: {seen.exists() and seen.read_text()}{said.stderr}")


def files_of(folder: str) -> Iterator[str]:
    """Yield the path of every file below a folder of the checkout."""
    for path in (ROOT / folder).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT).as_posix()


def install(wheel: Path, place: Path) -> None:
    """Install into a new environment from the lock."""
    venv.create(place / "venv", with_pip=True)
    pip = (python_of(place), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(place, *pip, "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt"))
    run(place, *pip, "--no-deps", str(wheel))


def borrow(wheel: Path, place: Path) -> None:
    """Install into a new environment that finds the dependencies in this one."""
    venv.create(place / "venv", with_pip=False)
    pip = (sys.executable, "-m", "pip", "--python", python_of(place), "install")
    run(place, *pip, "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", str(wheel))
    (packages,) = (place / "venv").rglob("site-packages")
    # Behind the wheel on the path, and without this environment's own .pth files: the checkout stays hidden.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")


def python_of(place: Path) -> str:
    """Return the new environment's interpreter."""
    return str(place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")


def run(
    directory: Path, *command: str, more: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run a command far from the checkout and return what it said; its failure is ours."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
    if directory != ROOT:
        environ |= {"HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
    done = subprocess.run(  # noqa: S603 - commands of our own, no shell
        command, cwd=directory, env=environ | dict(more), check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


if __name__ == "__main__":
    sys.exit(main())
