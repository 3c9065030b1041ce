"""The dev container feature says what `credtray share --container` says, and its script runs in any sh."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from credtray.share.containers import MOUNT, VARIABLES

pytestmark = pytest.mark.posix("containers")
FEATURE = Path("packaging/devcontainer-feature")
KNOWN = {"id", "version", "name", "description", "options", "mounts", "containerEnv"}
"""What the schema of devcontainer-feature.json knows, of which this is a part: it forbids all else."""


def feature() -> dict[str, object]:
    found: dict[str, object] = json.loads((FEATURE / "devcontainer-feature.json").read_text(encoding="utf-8"))
    return found


def test_it_mounts_what_share_makes_and_sets_what_share_prints() -> None:
    found = feature()

    assert found["containerEnv"] == dict(VARIABLES)
    assert found["mounts"] == [
        {"source": "${localEnv:XDG_RUNTIME_DIR}/credtray/containers/dev", "target": MOUNT, "type": "bind"}
    ]
    assert found.keys() <= KNOWN


@pytest.fixture(params=["dash", "busybox"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed: packaging/environment.sh tools")
    return [program, "sh"] if request.param == "busybox" else [program]


class Image:
    """An image that has these programs and no other."""

    def __init__(self, place: Path) -> None:
        self.place = place / "bin"
        self.place.mkdir()
        self.calls = place / "calls"

    def has(self, name: str, does: str = ":") -> None:
        program = self.place / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.calls}"\n{does}\n')
        program.chmod(0o755)

    def install(self, shell: list[str], **options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shell, str(FEATURE / "install.sh")], env={"PATH": str(self.place), **options},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def called(self) -> str:
        return self.calls.read_text() if self.calls.exists() else ""


@pytest.mark.parametrize("program", ["curl", "python3"])
def test_where_something_can_fetch_keys_nothing_is_installed(
    tmp_path: Path, shell: list[str], program: str
) -> None:
    image = Image(tmp_path)
    image.has(program)
    image.has("apt-get", "exit 1")

    assert image.install(shell).returncode == 0
    assert "apt-get" not in image.called()


@pytest.mark.parametrize("manager", ["apt-get", "apk", "dnf", "microdnf", "zypper"])
def test_otherwise_curl_is_installed_by_what_the_image_has(
    tmp_path: Path, shell: list[str], manager: str
) -> None:
    image = Image(tmp_path)
    curl = image.place / "curl"
    image.has(manager, f"echo '#!/bin/sh' >'{curl}'; /bin/chmod 755 '{curl}'")

    assert image.install(shell).returncode == 0
    assert "curl" in image.called()


def test_an_image_in_which_nothing_could_fetch_keys_is_refused(tmp_path: Path, shell: list[str]) -> None:
    image = Image(tmp_path)
    image.has("curl", "exit 2")
    refused = [image.install(shell), image.install(shell, INSTALLCURL="false")]

    assert [each.returncode for each in refused] == [1, 1]
    assert ["could not be installed" in refused[0].stderr, "installCurl is false" in refused[1].stderr] == [
        True,
        True,
    ]
