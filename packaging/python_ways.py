"""Tries the ways to install credtray that Python has, each in an empty home, without a network.

    python packaging/python_ways.py [uv] [pipx] [pip] [venv]      all of them when none is named

Each way: install from a local index, find the command, start the agent, upgrade while it runs, see that it is
to be restarted, restart it, see that the login entry still starts it, remove it. First the source package is
unpacked and built again: it must give the same wheel. What is locked is fetched once, into .venv/wheelhouse.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import release_lock  # beside this file

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("runtime.txt", "build.txt", "ways.txt")
OLD, NEW = "0.1.0", "0.1.1"
PARTS = ("agent", "assets", "packaging", "requirements", "docs", "tests")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "Makefile")


@dataclass(frozen=True, slots=True)
class Bare:
    """A user who has nothing but a system Python, and an index that is a folder."""

    home: Path
    index: Path

    @property
    def command(self) -> str:
        """Where every way puts the command."""
        return str(self.home / ".local" / "bin" / "credtray")

    def run(self, *words: str, code: int = 0) -> str:
        """Run a program and return what it said; another exit code ends all."""
        environ = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "PIPX_DEFAULT_PYTHON": sys.executable,
            "UV_NO_CONFIG": "1",
            "UV_FIND_LINKS": str(self.index),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_LINK_MODE": "copy",
        }
        done = subprocess.run(  # noqa: S603 - commands of our own, no shell
            words, env=environ, cwd=self.home, check=False, capture_output=True, text=True
        )
        if done.returncode != code:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def credtray(self, *words: str, code: int = 0) -> str:
        """Run the installed command."""
        return self.run(self.command, *words, code=code)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to install, upgrade and remove."""

    install: Callable[[], object]
    upgrade: Callable[[], object]
    remove: Callable[[], object]
    named: str
    """How the command for that begins which `credtray uninstall` names."""


def main() -> int:
    """Try them and return 0; whatever does not hold raises."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ways", nargs="*", metavar="WAY", help="uv, pipx, pip or venv")
    names = parser.parse_args().ways or ["uv", "pipx", "pip", "venv"]
    with tempfile.TemporaryDirectory(prefix="credtray-ways-") as name:
        place = Path(name)
        sources = {version: source(place / version, version) for version in (OLD, NEW)}
        index = place / "index"
        shutil.copytree(wheelhouse(), index)
        wheel = built(sources[OLD], index)
        check_sdist(sources[OLD], wheel, place)
        for each in names:
            home = place / f"home of {each}"
            (home / "run").mkdir(parents=True, mode=0o700)
            shelf = place / f"index-of-{each}"
            shutil.copytree(index, shelf)
            bare = Bare(home, shelf)
            live(bare, way(each, bare, sources), lambda shelf=shelf: built(sources[NEW], shelf))
            print(f"{each}: installed, started, upgraded, restarted, removed")
    return 0


def source(place: Path, version: str) -> Path:
    """Return a copy of this checkout that is of that version."""
    for part in PARTS:
        shutil.copytree(
            ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    for file in FILES:
        shutil.copy(ROOT / file, place / file)
    for path in (place / "pyproject.toml", place / "agent" / "credtray" / "__init__.py"):
        path.write_text(path.read_text("utf-8").replace(f'"{OLD}"', f'"{version}"'), "utf-8")
    return place


def built(checkout: Path, to: Path, kind: str = "wheel") -> Path:
    """Build with the locked back-end of this environment and return the path."""
    before = set(to.glob("*")) if to.exists() else set()
    command = (sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(to))
    done = subprocess.run(command, cwd=checkout, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    (made,) = set(to.glob("*")) - before
    return made


def check_sdist(checkout: Path, wheel: Path, place: Path) -> None:
    """Refuse a source package that does not build the very same wheel, or cannot be installed from hashes."""
    package = built(checkout, place / "sdist", "sdist")
    with tarfile.open(package) as opened:
        opened.extractall(place / "unpacked", filter="data")
    (inside,) = (place / "unpacked").iterdir()
    again = built(inside, place / "again")
    first, second = (
        {item.filename: item.CRC for item in zipfile.ZipFile(each).infolist()} for each in (wheel, again)
    )
    if first != second:
        raise SystemExit(f"the source package builds another wheel: {sorted(first.items() ^ second.items())}")
    missing = [name for name in LOCKS if not (inside / "requirements" / name).exists()]
    if missing or not (inside / "packaging" / "install.sh").exists():
        raise SystemExit(f"not in the source package: {missing or 'packaging/install.sh'}")


def wheelhouse() -> Path:
    """Return a folder with everything that is locked, checked against the hashes; fetched once."""
    print_ = hashlib.sha256(b"".join((REQUIREMENTS / name).read_bytes() for name in LOCKS)).hexdigest()
    folder = ROOT / ".venv" / "wheelhouse" / f"{print_[:16]}-{sys.version_info.major}{sys.version_info.minor}"
    if not folder.exists():
        scratch = Path(tempfile.mkdtemp(dir=ROOT / ".venv"))
        locks = [word for name in LOCKS for word in ("-r", str(REQUIREMENTS / name))]
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *locks)
        subprocess.run([*pip, "-d", str(scratch)], check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
        folder.parent.mkdir(exist_ok=True)
        scratch.rename(folder)
    return folder


def way(name: str, bare: Bare, sources: dict[str, Path]) -> Way:
    """Return how a way goes; each as docs/how-to/install-with-python.md has it."""
    match name:
        case "uv":
            uv = str(Path(sys.executable).with_name("uv"))
            return Way(
                lambda: bare.run(uv, "tool", "install", "--no-index", "credtray"),
                lambda: bare.run(uv, "tool", "upgrade", "--no-index", "credtray"),
                lambda: bare.run(uv, "tool", "uninstall", "credtray"),
                "uv tool uninstall credtray",
            )
        case "pipx":
            return by_pipx(bare)
        case "pip":
            return by_pip(bare)
        case "venv":
            return Way(
                lambda: bare.run("sh", str(sources[OLD] / "packaging" / "install.sh")),
                lambda: bare.run("sh", str(sources[NEW] / "packaging" / "install.sh")),
                lambda: bare.run("sh", str(sources[NEW] / "packaging" / "install.sh"), "remove"),
                "rm -rf ",
            )
    raise SystemExit(f"there is no way {name}")


def by_pipx(bare: Bare) -> Way:
    """Return the way of pipx with a release's lock, once a lock with wrong hashes was refused."""
    tool = bare.home / "tools"
    bare.run(sys.executable, "-m", "venv", str(tool))
    bare.run(str(tool / "bin" / "pip"), "install", "--require-hashes", "-r", str(REQUIREMENTS / "ways.txt"))
    pipx = str(tool / "bin" / "pipx")
    bare.run(pipx, "upgrade-shared")
    by_lock = (f"--pip-args=--constraint {release_lock.NAME}", "credtray")
    lock_release(bare, OLD, hashes_of=REQUIREMENTS / "runtime.txt")
    expect(bare.run(pipx, "install", *by_lock, code=1), "DO NOT MATCH THE HASHES")

    def install(version: str, *words: str) -> None:
        lock_release(bare, version)
        bare.run(pipx, "install", *words, *by_lock)

    return Way(
        lambda: install(OLD),
        lambda: install(NEW, "--force"),
        lambda: bare.run(pipx, "uninstall", "credtray"),
        "pipx uninstall credtray",
    )


def by_pip(bare: Bare) -> Way:
    """Return the way of pip with a release's lock, in an environment of its own."""
    place = bare.home / ".local" / "share" / "credtray-venv"

    def install(version: str) -> None:
        lock_release(bare, version)
        bare.run(sys.executable, "-m", "venv", str(place))
        bare.run(str(place / "bin" / "pip"), "install", "--require-hashes", "-r", release_lock.NAME)
        Path(bare.command).parent.mkdir(parents=True, exist_ok=True)
        bare.run("ln", "-sf", str(place / "bin" / "credtray"), bare.command)

    return Way(
        lambda: install(OLD),
        lambda: install(NEW),
        lambda: bare.run("rm", "-rf", str(place), bare.command),
        "rm -rf ",
    )


def lock_release(bare: Bare, version: str, hashes_of: Path | None = None) -> None:
    """Put the lock that a release brings into the home; with another file its hashes are wrong."""
    packages = [hashes_of] if hashes_of else list(bare.index.glob(f"credtray-{version}-*.whl"))
    (bare.home / release_lock.NAME).write_text(release_lock.lock_of(version, packages), "utf-8")


def live(bare: Bare, chosen: Way, publish: Callable[[], object]) -> None:
    """Go through the life of one installation."""
    chosen.install()
    expect(bare.credtray("version"), f"credtray {OLD}")
    bare.credtray("autostart", "enable")
    try:
        bare.credtray("start", "--no-tray")
        publish()
        chosen.upgrade()
        expect(bare.credtray("version"), f"credtray {NEW}")
        expect(bare.credtray("status"), f"restart it to use {NEW}: credtray restart")
        bare.credtray("restart", "--no-tray")
        agent = json.loads(bare.credtray("status", "--json"))["agent"]
        expect(str(agent["version"]), NEW)
        bare.credtray("autostart", "status")  # with 4 it would start something else
    finally:
        bare.credtray("stop")
    expect(bare.credtray("uninstall", "--yes"), f"To remove the program itself, run: {chosen.named}")
    chosen.remove()
    if Path(bare.command).exists() or Path(bare.command).is_symlink():
        raise SystemExit(f"{bare.command} is still there")


def expect(said: str, words: str) -> None:
    """Refuse what does not say so."""
    if words not in said:
        raise SystemExit(f"{words!r} is not in:\n{said}")


if __name__ == "__main__":
    sys.exit(main())
