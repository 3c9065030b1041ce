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
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOREIGN = ("tests/", "docs/", "packaging/", "bench/", "requirements/")
"""Folders of the checkout that have no place in a wheel."""
DRAWING = """
from credtray.core.face.look import Look, Shape
from credtray.desktop.icon import Panel, draw
assert draw(Look(Shape.FRESH, 19), 22, Panel.AUTO).getbbox() is not None
"""
"""What only works when the assets are in the wheel, and found there."""


def main() -> int:
    """Check the wheel and return 0; whatever does not hold raises."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="borrow this environment's dependencies")
    quick: bool = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="credtray wheel ") as name:
        place = Path(name)
        wheel = build(place)
        check_contents(wheel)
        commands = borrow(wheel, place) if quick else install(wheel, place)
        home = place / "home"
        home.mkdir()
        run(home, *commands, "--help")
        run(home, *commands, "version")
        run(home, commands[0], "-I", "-c", DRAWING)
        if not quick:
            run(home, commands[0], "-m", "credtray.demo", "--unattended")
    print(f"{wheel.name}: built, installed, run")
    return 0


def build(place: Path) -> Path:
    """Build with the locked back-end of this environment and return the wheel's path."""
    run(ROOT, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place / "dist"))
    (wheel,) = (place / "dist").glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Refuse a wheel that lacks a file of the package or of its assets, or that carries something else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {name.removeprefix("agent/") for name in files_of("agent")}
    ours |= {f"credtray/{name}" for name in files_of("assets")}
    missing = sorted(ours - names)
    foreign = sorted(name for name in names if name.startswith(FOREIGN))
    licences = [name for name in names if name.endswith("licenses/LICENSE")]
    if missing or foreign or not licences:
        raise SystemExit(f"missing: {missing}; not to be there: {foreign}; licences: {licences}")


def files_of(folder: str) -> Iterator[str]:
    """Yield the path of every file below a folder of the checkout."""
    for path in (ROOT / folder).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT).as_posix()


def install(wheel: Path, place: Path) -> tuple[str, ...]:
    """Install into a new environment from the lock, and return how to start a command in it."""
    venv.create(place / "venv", with_pip=True)
    pip = (python_of(place), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(place, *pip, "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt"))
    run(place, *pip, "--no-deps", str(wheel))
    return python_of(place), "-m", "credtray"


def borrow(wheel: Path, place: Path) -> tuple[str, ...]:
    """Unpack into a new environment that finds the dependencies in this one, and return as ``install``."""
    venv.create(place / "venv", with_pip=False)
    (packages,) = (place / "venv").rglob("site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    # Behind the wheel on the path, and without this environment's own .pth files: the checkout stays hidden.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python_of(place), "-m", "credtray"


def python_of(place: Path) -> str:
    """Return the new environment's interpreter."""
    return str(place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")


def run(directory: Path, *command: str) -> None:
    """Run a command far from the checkout; its failure is ours."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
    if directory != ROOT:
        environ |= {"HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
    done = subprocess.run(  # noqa: S603 - commands of our own, no shell
        command, cwd=directory, env=environ, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
