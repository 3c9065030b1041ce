"""Lays out what the .deb and the .rpm install: one tree in /opt/credtray with a Python of its own.

    python packaging/linux_tree.py FOLDER

Python and the libraries it needs are Debian's, fetched by apt, which checks their signatures; the C
library is not among them. docs/adr/0058-linux-packages.md says why not PyInstaller.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from man_page import page
from site_packages import ROOT, epoch, fill, run, write_bytecode

from credtray import __version__
from credtray.desktop.login_entry.xdg import menu_entry

VERSION = "3.11"
PYTHON_PACKAGES = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")
LIBRARY_PACKAGES = ("libssl3", "libffi8", "libexpat1", "zlib1g", "libbz2-1.0", "liblzma5")
LIBRARIES = (
    *("libssl.so.3", "libcrypto.so.3", "libffi.so.8", "libexpat.so.1", "libz.so.1"),
    *("libbz2.so.1.0", "liblzma.so.5"),
)
UNUSED = (
    *("sitecustomize.py", "test", "pydoc_data", "unittest", "turtle.py", "distutils", "lib2to3", "xmlrpc"),
    *("doctest.py", "pickletools.py", "_pyio.py", "this.py", "antigravity.py", "EXTERNALLY-MANAGED"),
)
"""Of Python's own library; the first is a link into /etc, for another package."""
UNUSED_MODULES = re.compile(
    r"^(_curses|_curses_panel|_dbm|_crypt|nis|readline|_sqlite3|ossaudiodev|audioop|_uuid"
    r"|_test\w*|_xx\w*|xxlimited\w*)\."
)
"""Compiled modules that nothing imports, and that would ask for ten more libraries."""
MAINTAINER = "The credtray authors <authors@credtray.invalid>"
RELEASE = "1"
_TREE = "opt/credtray"


def lay_out(root: Path) -> None:
    """Fill the folder *root* as if it were the root of a file system."""
    home = root / _TREE
    interpreter(home / "python", root)
    packages = home / "lib" / f"python{VERSION}" / "site-packages"
    fill(packages, f"{os.uname().machine}-manylinux_2_28", VERSION)
    (home / "pyvenv.cfg").write_text(
        f"home = /{_TREE}/python/bin\ninclude-system-site-packages = false\nversion = {VERSION}\n", "ascii"
    )
    commands(home / "bin", root / "usr" / "bin")
    program = str(home / "python" / "bin" / f"python{VERSION}")
    for folder in (home / "python" / "lib", home / "lib"):
        write_bytecode(folder, program, f"/{folder.relative_to(root)}")
    share(root / "usr" / "share")
    unit(root / "usr" / "lib" / "systemd" / "user" / "credtray.service")
    documents(root / "usr" / "share" / "doc" / "credtray", home)
    settle(root)


# --- the interpreter ---------------------------------------------------------------------------------


def interpreter(place: Path, root: Path) -> None:
    """Put Debian's Python and its libraries below *place*, to run from there only."""
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        scratch = Path(name)
        files = fetched(scratch)
        for file in files:
            run("dpkg-deb", "--extract", str(file), str(scratch / "all"))
        (root.parent / "debian.txt").write_text("".join(f"{file.stem}\n" for file in files), "utf-8")
        system = scratch / "all" / "usr"
        (place / "bin").mkdir(parents=True)
        shutil.copy2(system / "bin" / f"python{VERSION}", place / "bin")
        library = place / "lib" / f"python{VERSION}"
        shutil.copytree(system / "lib" / f"python{VERSION}", library, symlinks=True)
        for unused in UNUSED:
            path = library / unused
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in [path for path in (library / "lib-dynload").iterdir() if UNUSED_MODULES.match(path.name)]:
            path.unlink()
        libraries(scratch / "all", place / "lib")
        for package in (*PYTHON_PACKAGES, *LIBRARY_PACKAGES):
            licence(system / "share" / "doc", package, place / "licences")
    run("patchelf", "--force-rpath", "--set-rpath", "$ORIGIN/../lib", str(place / "bin" / f"python{VERSION}"))


def fetched(scratch: Path) -> list[Path]:
    """Fetch the packages of Debian that the tree is made of."""
    release = Path("/etc/os-release").read_text("utf-8") if Path("/etc/os-release").exists() else ""
    if not re.search(r'^VERSION_ID="?12"?$', release, re.MULTILINE):
        raise SystemExit(
            "linux_tree: the tree is made of Debian 12, and so on Debian 12 (a container will do)"
        )
    names = (*PYTHON_PACKAGES, *LIBRARY_PACKAGES)
    (scratch / "fetched").mkdir(mode=0o777)
    fetch = f"apt-get -q -o APT::Sandbox::User=root download {' '.join(names)}"
    # The lists of packages may be missing, or too old: only then are they fetched.
    run("sh", "-c", f"cd '{scratch}/fetched' && {{ {fetch} || {{ apt-get -q update && {fetch}; }}; }}")
    return sorted((scratch / "fetched").glob("*.deb"))


def libraries(system: Path, place: Path) -> None:
    """Copy each shared library under the name that programs ask for."""
    for name in LIBRARIES:
        (found,) = system.rglob(name)
        shutil.copy(found.resolve(), place / name)


def licence(documents: Path, package: str, place: Path) -> None:
    """Keep the licence of one of Debian's packages."""
    place.mkdir(parents=True, exist_ok=True)
    path = documents / package / "copyright"
    if not path.exists():  # some packages of Python lead to another one's
        path = documents / PYTHON_PACKAGES[0] / "copyright"
    shutil.copy(path.resolve(), place / package)


# --- what leads to it --------------------------------------------------------------------------------


def commands(bin_folder: Path, system_bin: Path) -> None:
    """Put the scripts that are the commands, as an installer of wheels would, and links to them."""
    bin_folder.mkdir(parents=True)
    for name in ("credtray", "credtray-python", "docker-credential-credtray"):
        text = (ROOT / "packaging" / "commands" / name).read_text("utf-8")
        (bin_folder / name).write_text(text.replace("#!python\n", f"#!/{_TREE}/bin/python3\n", 1), "utf-8")
        (bin_folder / name).chmod(0o755)
    (bin_folder / "python3").symlink_to(f"../python/bin/python{VERSION}")
    system_bin.mkdir(parents=True)
    for name in ("credtray", "docker-credential-credtray"):
        (system_bin / name).symlink_to(f"/{_TREE}/bin/{name}")


def share(place: Path) -> None:
    """Put what a desktop, a shell and `man` look for where they do."""
    assets = ROOT / "assets"
    for picture in assets.glob("credtray-*.png"):
        size = picture.stem.partition("-")[2]
        copy(picture, place / "icons" / "hicolor" / f"{size}x{size}" / "apps" / "credtray.png")
    copy(assets / "credtray.svg", place / "icons" / "hicolor" / "scalable" / "apps" / "credtray.svg")
    entry = menu_entry(("/usr/bin/credtray", "start", "--clicked"), __version__)
    (place / "applications").mkdir(parents=True)
    (place / "applications" / "credtray.desktop").write_bytes(entry)
    copy(assets / "completion" / "credtray.bash", place / "bash-completion" / "completions" / "credtray")
    copy(assets / "completion" / "credtray.fish", place / "fish" / "vendor_completions.d" / "credtray.fish")
    for folder in ("vendor-completions", "site-functions"):  # Debian's and everybody else's
        copy(assets / "completion" / "credtray.zsh", place / "zsh" / folder / "_credtray")
    copy(ROOT / "packaging" / "linux" / "lintian-overrides", place / "lintian" / "overrides" / "credtray")
    write_packed(place / "man" / "man1" / "credtray.1.gz", page())
    (place / "man" / "man1" / "docker-credential-credtray.1.gz").symlink_to("credtray.1.gz")


def unit(path: Path) -> None:
    """Put the unit for systems without a desktop; it starts nothing until a user enables it."""
    text = (ROOT / "packaging" / "credtray.service").read_text("utf-8")
    text = re.sub(r"^# Where pipx.*\n", "", text, flags=re.MULTILINE)
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("%h/.local/bin/credtray", "/usr/bin/credtray"), "utf-8")


def documents(place: Path, home: Path) -> None:
    """Put the change logs, and who holds which right in what."""
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(epoch()))
    entry = f"credtray ({__version__}-{RELEASE}) stable; urgency=medium\n\n  * See changelog.gz.\n\n"
    write_packed(place / "changelog.Debian.gz", f"{entry} -- {MAINTAINER}  {when}\n")
    write_packed(place / "changelog.gz", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    (place / "copyright").write_text("\n".join(rights(home)) + "\n", "utf-8")


def rights(home: Path) -> Iterator[str]:
    """Yield the lines of the file `copyright`."""
    yield "credtray keeps AWS IAM Identity Center credentials fresh. Upstream: its own authors.\n"
    yield (ROOT / "LICENSE").read_text("utf-8")
    yield "On Debian systems the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n"
    yield f"The package carries other works, unchanged, in /{_TREE}. Their licences lie beside them.\n"
    for metadata in sorted(home.glob("lib/python*/site-packages/*.dist-info/METADATA")):
        facts = HeaderParser().parsestr(metadata.read_text("utf-8"))
        if facts["Name"] == "credtray":
            continue
        said = facts["License-Expression"] or facts["License"] or "see its files"
        folder = metadata.parent.relative_to(home)
        yield f"{facts['Name']} {facts['Version']}: {said.strip().splitlines()[0]} (/{_TREE}/{folder})"
    yield ""
    for path in sorted((home / "python" / "licences").iterdir()):
        yield f"{path.name} of Debian 12: /{_TREE}/{path.relative_to(home)}"


def copy(source: Path, target: Path) -> None:
    """Copy a file to where no folder may be yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_packed(path: Path, text: str) -> None:
    """Write a compressed file, the same each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def settle(root: Path) -> None:
    """Give everything the modes and the time that do not depend on who makes it, and when."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]).resolve())
