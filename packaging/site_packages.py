"""Fills a folder with credtray and its locked dependencies, for the ways of installing that bring their own.

    python packaging/site_packages.py FOLDER SYSTEM PYTHON
    python packaging/site_packages.py build/x x86_64-manylinux_2_28 3.11

SYSTEM is uv's name of it. The same inputs make the same bytes: times come from SOURCE_DATE_EPOCH, and
nothing says where it was made.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
SERVICES = frozenset({"sso", "sso-oidc", "sts"})
"""What credtray asks of AWS, and its demo with boto3: botocore describes 400 services more, in 25 MB."""


def fill(folder: Path, system: str, python: str) -> None:
    """Put everything that an interpreter of *system* imports into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = str(ROOT / "requirements" / "runtime.txt")
    words = ("--quiet", "--link-mode", "copy", "--target", str(folder.resolve()), "-r", lock)
    run("sh", "packaging/wheels.sh", system, python, *words)
    with tempfile.TemporaryDirectory() as place:
        wheel = build_wheel(Path(place), "win_amd64" if "windows" in system else "posix")
        unpack(wheel, folder)
    trim(folder)


def build_wheel(place: Path, system: str) -> Path:
    """Build our own wheel with the locked back-end and return its path."""
    hatchling = (sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel", "-d", str(place))
    run(*hatchling, more={"CREDTRAY_WHEEL_FOR": system})
    (wheel,) = place.glob("*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> None:
    """Unpack what is imported; the commands of each way of installing are its own."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".data/" not in name.partition("/")[0] + "/":
                archive.extract(name, folder)
    (record,) = folder.glob("credtray-*.dist-info/RECORD")
    (record.parent / "INSTALLER").write_text("credtray\n", "ascii")


def trim(folder: Path) -> None:
    """Remove what nothing here reads: programs, tests, other services; and tell pip's records so."""
    for name in ("bin", "Scripts", ".lock"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for service in (folder / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    for resources in (folder / "boto3" / "data", folder / "boto3" / "examples"):
        for entry in resources.iterdir() if resources.is_dir() else ():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for record in folder.glob("*.dist-info/RECORD"):
        record.write_text("".join(_kept_lines(record, folder)), "utf-8")
        for left in ("REQUESTED", "direct_url.json", "uv_cache.json"):
            (record.parent / left).unlink(missing_ok=True)


def _kept_lines(record: Path, folder: Path) -> Iterator[str]:
    """Yield the lines about files that are there, in a fixed order."""
    rows = csv.reader(io.StringIO(record.read_text("utf-8")))
    for row in sorted(rows):
        parts = PurePosixPath(row[0]).parts
        if ".." not in parts and (folder / row[0]).exists():
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerow(row)
            yield out.getvalue()


def write_bytecode(folder: Path, python: str, shown: str) -> None:
    """Translate all of it with the interpreter that will run it, as if it were in the folder *shown* already.

    It checks no times: nobody who runs it could write it anew.
    """
    words = ("-m", "compileall", "-q", "-f", "-j", "2", "--invalidation-mode", "unchecked-hash")
    # Without -I, which would ignore the seed: sets among the constants would have another order each time.
    run(
        python,
        "-s",
        "-P",
        "-B",
        *words,
        "-s",
        str(folder),
        "-p",
        shown,
        str(folder),
        more={"PYTHONHASHSEED": "0"},
    )


def epoch() -> int:
    """Return the time that everything made here carries."""
    return int(os.environ["SOURCE_DATE_EPOCH"])


def run(*command: str, more: dict[str, str] | None = None) -> None:
    """Run a command at the root of the checkout; its failure is ours."""
    done = subprocess.run(  # noqa: S603 -- commands of our own, no shell
        command, cwd=ROOT, env=dict(os.environ) | (more or {}), check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    fill(Path(sys.argv[1]), *sys.argv[2:])
