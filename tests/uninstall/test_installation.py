"""Which command is left to be typed, by how credtray was installed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePath

import pytest

from credtray.core.forms import Form
from credtray.uninstall.installation import Facts, Installer, look, others, remaining

PIP = Facts(
    PurePath("/home/ann/venv/lib/python3.13/site-packages/credtray"),
    PurePath("/home/ann/venv"),
    "/home/ann/venv/bin/python",
    recorded_by="pip",
    shell=Form.POSIX,
)
TREE = PurePath("/opt/credtray/lib/python3.13/site-packages/credtray")


@pytest.mark.parametrize(
    ("facts", "installer", "command"),
    [
        (PIP, Installer.PIP, "/home/ann/venv/bin/python -m pip uninstall credtray"),
        (
            replace(PIP, recorded_by="uv"),
            Installer.UV,
            "uv pip uninstall --python /home/ann/venv/bin/python credtray",
        ),
        (replace(PIP, python="/a b/python"), Installer.PIP, "'/a b/python' -m pip uninstall credtray"),
        (
            replace(PIP, python=r"C:\Program Files\py\python.exe", shell=Form.CMD),
            Installer.PIP,
            r'"C:\Program Files\py\python.exe" -m pip uninstall credtray',
        ),
        (
            replace(PIP, python=r"C:\Program Files\py\python.exe", shell=Form.POWERSHELL),
            Installer.PIP,
            r'& "C:\Program Files\py\python.exe" -m pip uninstall credtray',
        ),
        (
            replace(PIP, python=r"C:\$py\python.exe", recorded_by="uv", shell=Form.POWERSHELL),
            Installer.UV,
            r'uv pip uninstall --python "C:\`$py\python.exe" credtray',
        ),
        (
            replace(PIP, markers=frozenset({"pipx_metadata.json"})),
            Installer.PIPX,
            "pipx uninstall credtray",
        ),
        (
            replace(PIP, recorded_by="uv", markers=frozenset({"uv-receipt.toml"})),
            Installer.UV_TOOL,
            "uv tool uninstall credtray",
        ),
        (
            replace(PIP, recorded_by="uv", prefix=PurePath("/home/ann/.cache/uv/archive-v0/abc")),
            Installer.UVX,
            None,
        ),
        (
            replace(PIP, prefix=PurePath("/home/ann/.local/share/credtray-venv")),
            Installer.OWN_FOLDER,
            "rm -rf /home/ann/.local/share/credtray-venv /home/ann/.local/bin/credtray",
        ),
        (replace(PIP, package=TREE, by_dpkg=True), Installer.APT, "sudo apt purge credtray"),
        (replace(PIP, package=TREE), Installer.DNF, "sudo dnf remove credtray"),
        (
            replace(PIP, prefix=PurePath("/opt/homebrew/Cellar/credtray/0.1.0/libexec")),
            Installer.BREW,
            "brew uninstall credtray",
        ),
        (replace(PIP, recorded_by=None), Installer.CHECKOUT, None),
        (replace(PIP, editable=True), Installer.CHECKOUT, None),
        (replace(PIP, one_file="/home/ann/credtray.pyz"), Installer.ONE_FILE, None),
        (replace(PIP, uninstaller=r'"C:\x\uninstall.exe"'), Installer.WINDOWS, r'"C:\x\uninstall.exe"'),
    ],
)
def test_command_is_that_of_the_installer(facts: Facts, installer: Installer, command: str | None) -> None:
    found = remaining(facts)

    assert (found.installer, found.command) == (installer, command)
    assert command is None or installer is Installer.WINDOWS or command in found.words


def test_file_and_checkout_are_named() -> None:
    one_file = remaining(replace(PIP, one_file="/home/ann/credtray.pyz"))
    checkout = remaining(replace(PIP, package=PurePath("/src/credtray/agent/credtray"), editable=True))

    assert one_file.words.endswith("Delete it: /home/ann/credtray.pyz")
    assert checkout.words.endswith(": /src/credtray")


def test_this_checkout_is_known_as_one() -> None:
    assert remaining(look()).installer is Installer.CHECKOUT


@pytest.mark.parametrize("recorded", [True, False])
def test_package_of_debian_is_known_by_dpkg(tmp_path: Path, *, recorded: bool) -> None:
    listing = tmp_path / "var" / "lib" / "dpkg" / "info" / "credtray.list"
    listing.parent.mkdir(parents=True)
    if recorded:
        listing.write_text("/opt/credtray\n")

    assert look(root=tmp_path).by_dpkg is recorded


@pytest.mark.posix("modes and links")
def test_other_installations_on_path_are_named_once(tmp_path: Path) -> None:
    own, other, empty = (tmp_path / name for name in ("own", "other", "empty"))
    for folder in (own, other, empty):
        (folder / "bin").mkdir(parents=True)
    for folder in (own, other):
        (folder / "bin" / "credtray").write_text("#!/bin/sh\n")
        (folder / "bin" / "credtray").chmod(0o755)
    (empty / "bin" / "credtray").symlink_to(own / "bin" / "credtray")
    path = os.pathsep.join(str(folder / "bin") for folder in (empty, own, other, other))

    assert list(others({"PATH": f"{path}:relative:"}, [own])) == [other / "bin" / "credtray"]
