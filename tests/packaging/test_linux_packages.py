"""The .deb and the .rpm: what is in them, and what a bare Debian says of them."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.soak import SOAK

pytestmark = pytest.mark.posix("packages of Linux")

ROOT = Path(__file__).parents[2]
DEBIAN_12 = 'VERSION_ID="12"'
EPOCH = "1700000000"


def run(*command: str, **more: str) -> str:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CREDTRAY_"))
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environ | more, capture_output=True, text=True, check=False, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(dist: Path, folder: Path, way: str = "linux") -> None:
    """Build the packages; but for a soak, the .deb is not compressed, which takes longest."""
    more = {"CREDTRAY_DIST": str(dist), "CREDTRAY_BUILD": str(folder), "SOURCE_DATE_EPOCH": EPOCH}
    run("sh", "packaging/packages.sh", way, **more, **({} if SOAK else {"CREDTRAY_DEB_COMPRESSION": "none"}))


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both packages, built once for all workers of this run."""
    release = Path("/etc/os-release")
    if not release.exists() or DEBIAN_12 not in release.read_text("utf-8"):
        pytest.skip("they are made of Debian 12, and on it")
    if os.geteuid() != 0 and not Path(ROOT, ".venv", "credtray-packaging").exists():
        pytest.skip("needs the tools for packages: run `make packages` once")
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "linux"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "built").exists():
            build(place / "dist", place / "build")
            (place / "built").touch()
    return place / "dist"


@pytest.fixture
def deb(dist: Path) -> Path:
    (found,) = dist.glob("*.deb")
    return found


@pytest.fixture
def rpm(dist: Path) -> Path:
    (found,) = dist.glob("*.rpm")
    return found


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")


@pytest.mark.timeout(900)
def test_a_bare_debian_installs_each_runs_the_demo_and_is_as_before_once_it_is_purged(
    deb: Path, rpm: Path
) -> None:
    needs("mmdebstrap")
    needs("rpm")
    if os.geteuid() != 0:
        pytest.skip("needs root, for chroot")

    said = run("sh", "packaging/try_linux.sh", *(["whole"] if SOAK else []), str(deb), str(rpm))

    assert said.splitlines() == [
        f"{package.name}: installed, run, replaced beside an agent, purged without a trace"
        for package in (deb, rpm)
    ]


@pytest.mark.timeout(900)
def test_debians_own_judge_finds_nothing(deb: Path) -> None:
    needs("lintian")

    packed = () if SOAK else ("--suppress-tags", "uses-no-compression-for-data-tarball")
    words = ("--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", *packed)

    assert run("lintian", *words, str(deb)) == ""


if SOAK:  # it asks what try_linux.sh asks, takes minutes, and needs a network

    @pytest.mark.timeout(1800)
    def test_debians_own_installer_and_remover_finds_nothing(deb: Path) -> None:
        needs("piuparts")
        if os.geteuid() != 0:
            pytest.skip("needs root, for chroot")
        mirror = (
            "apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' "
            "| awk '$2 == \"bookworm\" { print $1; exit }'"
        )
        options = "--distribution bookworm --no-eatmydata"
        said = run("sh", "-c", f'piuparts {options} --mirror "$({mirror}) main" "$0"', str(deb))

        assert "PASS: All tests" in said


@pytest.mark.timeout(900)
def test_both_packages_have_the_same_files_with_the_same_modes(deb: Path, rpm: Path) -> None:
    needs("rpm")
    contents = run("dpkg-deb", "--contents", str(deb)).splitlines()
    listed = run("rpm", "--dbpath=/nowhere", "-qp", "--qf", r"[%{FILEMODES:perms} %{FILENAMES}\n]", str(rpm))
    debian = {(line.split()[0], line.split(" ./", 1)[1]) for line in contents if line[0] == "-"}
    fedora = {(line.split()[0], line.split(" /", 1)[1]) for line in listed.splitlines() if line[0] == "-"}
    links = {line.split(" ./", 1)[1].split(" -> ")[0] for line in contents if line[0] == "l"}

    assert debian == fedora
    assert links == {line.split(" /", 1)[1] for line in listed.splitlines() if line[0] == "l"}
    assert not [name for mode, name in debian if "w" in mode[5:]]
    assert len(debian) > 2000


@pytest.mark.timeout(900)
def test_nothing_is_outside_of_the_tree_but_what_leads_to_it(deb: Path) -> None:
    contents = run("dpkg-deb", "--contents", str(deb))
    names = {line.split(" ./", 1)[1].split(" -> ")[0] for line in contents.splitlines()}
    outside = {name for name in names if not name.startswith("opt/") and not name.endswith("/") and name}
    version = run("sh", "-c", f"dpkg-deb -f '{deb}' Version").strip()

    assert re.fullmatch(r"\d+\.\d+\.\d+-1", version)
    assert {name.replace(platform.machine(), "") for name in outside if "icons" not in name} == {
        "usr/bin/credtray",
        "usr/bin/docker-credential-credtray",
        "usr/lib/systemd/user/credtray.service",
        "usr/share/applications/credtray.desktop",
        "usr/share/bash-completion/completions/credtray",
        "usr/share/doc/credtray/changelog.Debian.gz",
        "usr/share/doc/credtray/changelog.gz",
        "usr/share/doc/credtray/copyright",
        "usr/share/fish/vendor_completions.d/credtray.fish",
        "usr/share/lintian/overrides/credtray",
        "usr/share/man/man1/credtray.1.gz",
        "usr/share/man/man1/docker-credential-credtray.1.gz",
        "usr/share/zsh/site-functions/_credtray",
        "usr/share/zsh/vendor-completions/_credtray",
    }
    assert sum("icons" in name for name in outside) == 8


@pytest.mark.timeout(3600)
def test_two_builds_are_byte_equal(dist: Path, deb: Path, rpm: Path, tmp_path: Path) -> None:
    if SOAK:
        build(tmp_path / "dist", tmp_path / "build")  # all of it anew
    else:
        build(tmp_path / "dist", dist.parent / "build", "linux-again")

    for made in (deb, rpm, dist / "credtray.cdx.json", dist / "SHA256SUMS"):
        assert (tmp_path / "dist" / made.name).read_bytes() == made.read_bytes(), made.name
