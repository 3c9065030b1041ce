"""`credtray share --container`: keys in a container that has the directory, and nothing else of this user.

A mount namespace stands in for docker, which needs a daemon: it does what the printed words say.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.end_to_end.far_machine import said, sharing
from tests.end_to_end.house import House
from tests.portal import RunningPortal
from tests.warm_start import Process

MOUNTING = """
mount -t tmpfs none /run && mkdir "$2" && mount --bind "$1" "$2" && mount -o remount,bind,ro "$2" || exit 99
mount -t tmpfs none "$3" || exit 99
shift 3
exec env -i PATH=/usr/bin:/bin "$@"
"""
SDK = "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)"


def can_mount() -> bool:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/run"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="needs root and unshare")


@pytest.fixture
def near(portal: RunningPortal, home: Path) -> House:
    house = House(home, portal)
    house.configure()
    return house


def shared(house: House, profile: str = "synderys-readonly") -> AbstractContextManager[Process]:
    return sharing(house, "--container", "-P", profile)


class Container:
    """What `docker run` starts: with these mounts and variables, and without this user's home."""

    def __init__(self, house: House) -> None:
        [line] = [line.strip() for line in said(house).splitlines() if line.startswith("  docker run ")]
        words = shlex.split(line)
        assert words[:3] == ["docker", "run", "--rm"]
        mount = dict(part.partition("=")[::2] for part in words[words.index("--mount") + 1].split(","))
        assert mount.keys() == {"type", "source", "target", "readonly"}
        self.source = Path(mount["source"])
        self._target = mount["target"]
        self._home = house.home
        self._variables = [words[place + 1] for place, word in enumerate(words) if word == "-e"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        inside = [str(self.source), self._target, str(self._home), *self._variables, *words]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", MOUNTING, "sh", *inside],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def fetch(self, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        return self.run(shell, f"{self._target}/keys.get", "here")


def test_an_sdk_in_a_container_gets_keys_of_one_profile_and_nothing_when_it_ends(near: House) -> None:
    with near.agent():
        near.run("login")
        with shared(near):
            container = Container(near)
            found = container.run(sys.executable, "-I", "-c", SDK)
            assert found.stdout.startswith("ASIA"), found.stderr
            assert sorted(path.name for path in container.source.iterdir()) == [
                "config",
                "keys.get",
                "keys.sock",
            ]
            listed = near.run("share", "--list").stdout
        assert container.run("ls", "-A", "/run/credtray").stdout == ""

    assert listed == "synderys-readonly is shared with container dev, once\n"


def test_a_running_container_gets_keys_again_when_it_is_shared_again(near: House) -> None:
    """A container keeps the directory that it was started with: it must stay the same one."""
    with near.agent():
        near.run("login")
        with shared(near):
            first = Container(near).source.stat().st_ino
        with shared(near, "synderys-dns"):
            again = Container(near)
            assert again.source.stat().st_ino == first
            assert '"Version":1' in again.fetch().stdout.replace(" ", "")


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_each_kind_of_sh_can_fetch_keys(near: House, shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell.partition(" ")[0])
    if program is None:
        pytest.skip(f"{shell} is not installed: packaging/environment.sh tools")
    with near.agent():
        near.run("login")
        with shared(near):
            container = Container(near)
            fetched = container.run(program, *shell.split()[1:], "/run/credtray/keys.get", "here")
    assert '"AccessKeyId"' in fetched.stdout, fetched.stderr


def test_two_for_one_name_are_refused_and_the_first_goes_on(near: House) -> None:
    with near.agent():
        near.run("login")
        with shared(near):
            refused = near.run("share", "--container", "-P", "synderys-dns", code=2)
            assert "container dev has keys already" in refused.stderr
            assert '"AccessKeyId"' in Container(near).fetch().stdout
            words = refused.stderr.partition("To end that: credtray ")[2].split()
            assert words == ["share", "dev", "--container", "--stop"]
            assert "no longer shared with container dev" in near.run(*words).stdout


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "a b", "x" * 33, "-x"])
def test_a_name_that_leads_elsewhere_is_refused(near: House, name: str) -> None:
    refused = near.run("share", "--container", "-P", "synderys-readonly", "--", name, code=2)

    assert "is no name for containers" in refused.stderr


def test_what_a_container_has_left_in_its_directory_leads_nowhere(near: House) -> None:
    """The devcontainer feature mounts it writable."""
    near.run("login")
    place = near.home / "run" / "credtray" / "containers" / "dev"
    place.mkdir(parents=True, mode=0o700)
    place.parent.chmod(0o700)
    own = near.home / "own"
    own.write_text("mine")
    for name in ("config", "keys.get", "keys.sock"):
        (place / name).symlink_to(own)
    with shared(near):
        assert own.read_text() == "mine"
        assert not (place / "config").is_symlink()
    (place / "config").mkdir()
    refused = near.run("share", "--container", "-P", "synderys-readonly", code=1)

    assert own.read_text() == "mine"
    assert str(place / "config") in refused.stderr
