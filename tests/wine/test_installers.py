"""The installers for Windows, as a person's and as an administrator's, under Wine; and their signature."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.soak import SOAK

pytestmark = pytest.mark.posix("Wine runs on Linux")

ROOT = Path(__file__).parents[2]
EXTENT = "whole" if SOAK else "quick"
TRIED = ("-setup.exe", ".msi") if SOAK else ("-setup.exe",)
"""Both do the same by the same installed.py; two minutes each."""


def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CREDTRAY_"))
    }
    return subprocess.run(command, cwd=ROOT, env=environ | more, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both installers, built once for all workers of this run; quick to pack, not small."""
    if os.environ.get("WINDOWS") == "0" or shutil.which("wine") is None:
        pytest.skip("needs Wine (WINDOWS=0 leaves it out)")
    if shutil.which("makensis") is None and os.geteuid() != 0:
        pytest.skip("needs the tools for packages: run `make packages` once")
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "windows"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "built").exists():
            make_certificate(place)
            pack(place, place / "dist", "windows")
            run("sh", "packaging/windows.sh", "setup")
            (place / "built").touch()
    return place / "dist"


def pack(place: Path, dist: Path, way: str) -> None:
    folders = {"CREDTRAY_DIST": str(dist), "CREDTRAY_BUILD": str(place / "build")}
    given = {"CREDTRAY_CERTIFICATE": str(place / "certificate.p12"), "CREDTRAY_COMPRESSION": "zlib"}
    done = run("sh", "packaging/packages.sh", way, SOURCE_DATE_EPOCH="1700000000", **folders, **given)
    assert done.returncode == 0, done.stderr


def make_certificate(place: Path) -> None:
    """Make one that nobody trusts, for signing code."""
    key, certificate, both = (str(place / name) for name in ("key.pem", "certificate.pem", "certificate.p12"))
    subject = ("-subj", "/CN=credtray test", "-addext", "extendedKeyUsage=codeSigning", "-days", "30")
    made = run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
        *subject,
    )
    assert made.returncode == 0, made.stderr
    made = run(
        "openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, "-out", both, "-passout", "pass:"
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ending", TRIED)
def test_it_installs_silently_runs_and_leaves_nothing(dist: Path, ending: str) -> None:
    (installer,) = dist.glob(f"*{ending}")
    done = run("sh", "packaging/try_windows.sh", str(installer), EXTENT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1:] == [
        f"{installer.name}: installed, run ({EXTENT}), uninstalled without a trace"
    ]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ending", ["-setup.exe", ".msi"])
def test_it_is_signed_when_there_is_a_certificate(dist: Path, ending: str) -> None:
    (installer,) = dist.glob(f"*{ending}")
    trusted = str(dist.parent / "certificate.pem")
    done = run("osslsigncode", "verify", "-CAfile", trusted, "-in", str(installer))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "credtray test" in done.stdout


@pytest.mark.timeout(1800)
def test_packed_and_signed_twice_they_are_the_same(dist: Path, tmp_path: Path) -> None:
    pack(dist.parent, tmp_path, "windows-again")
    first, second = ({path.name: path.read_bytes() for path in each.iterdir()} for each in (dist, tmp_path))

    assert {name for name in first if name.endswith((".exe", ".msi"))}
    assert sorted(first) == sorted(second)
    assert [name for name, content in first.items() if second[name] != content] == []


def test_without_a_certificate_it_says_that_nothing_is_signed(tmp_path: Path) -> None:
    (tmp_path / "x.exe").write_bytes(b"as it was")
    done = run("sh", "packaging/sign.sh", str(tmp_path / "x.exe"))

    assert done.returncode == 0
    assert "not signed" in done.stderr
    assert (tmp_path / "x.exe").read_bytes() == b"as it was"
