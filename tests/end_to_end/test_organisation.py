"""A policy where the real programs look for one: below /etc, which these processes see with a file more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.house import House, until
from tests.systems import is_root

MOUNT = (
    'mount -t overlay none -o lowerdir="$0/below:/etc" /etc'
    ' && mount --bind "$0/policy" /etc/credtray && exec "$@"'
)


def seeing(folder: Path, *argv: str) -> list[str]:
    """Return a command that sees ``folder/policy`` as /etc/credtray; nobody else does."""
    return ["unshare", "--mount", "sh", "-c", MOUNT, str(folder), *argv]


def can_mount(folder: Path) -> bool:
    if not is_root() or shutil.which("unshare") is None:
        return False
    return subprocess.run(seeing(folder, "true"), capture_output=True, check=False).returncode == 0


class Machine:
    """A computer whose administrator may write a policy."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self._folder = folder
        self.policy = folder / "policy" / "policy.toml"
        for path in (folder / "below" / "credtray", self.policy.parent):
            path.mkdir(parents=True, mode=0o755)

    def says(self, text: str) -> None:
        """Replace the policy, as programs that roll one out do."""
        draft = self.policy.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(0o644)
        draft.replace(self.policy)

    def start(self, *words: str) -> subprocess.Popen[str]:
        argv = seeing(self._folder, sys.executable, "-I", "-m", "credtray", *words)
        return subprocess.Popen(
            argv, env=self.house.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *words: str, code: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, out + err
        return out + err

    def setting(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("settings", "get", name, "--json"))
        return found

    def log(self) -> str:
        return self.house.log.read_text() if self.house.log.exists() else ""

    @contextmanager
    def agent(self) -> Iterator[None]:
        process = self.start("run")
        try:
            until((self.house.home / "run" / "credtray" / "agent.sock").exists)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture
def machine(house: House, tmp_path: Path) -> Machine:
    made = Machine(house, tmp_path / "machine")
    if not can_mount(tmp_path / "machine"):
        pytest.skip("needs root and mounts of its own")
    return made


def test_an_agent_notices_the_policy_and_its_mistakes_and_goes_on(machine: Machine) -> None:
    machine.house.configure("synderys-dns")
    with machine.agent():
        machine.says('history = false\n[profiles.synderys-dns]\ntags = ["locked"]\n')
        until(lambda: "your organisation sets history" in machine.log())
        until(lambda: machine.house.profile("synderys-dns")["tags"] == ["locked"])
        refused = machine.run("settings", "set", "history", "true", code=1)
        machine.says('histori = 1\n[profiles.synderys-dns]\ntags = ["other"]\nregion = "eu-')
        until(lambda: machine.house.profile("synderys-dns")["tags"] == ["other"])
        told = machine.run("doctor", code=1)
        machine.policy.unlink()
        until(lambda: machine.house.profile("synderys-dns")["tags"] == [])

    assert "set by your organisation" in refused
    assert "/etc/credtray/policy.toml" in refused
    assert "histori is not a setting" in told
    assert "only what is above its mistake is used" in told
    assert "histori is not a setting" in machine.log()


def test_no_variable_leads_around_it(machine: Machine) -> None:
    machine.says("history = false\n")
    own = machine.house.home / "xdg"
    (own / "credtray").mkdir(parents=True)
    (own / "credtray" / "policy.toml").write_text("history = true\n")
    machine.house.environ |= {
        "XDG_CONFIG_DIRS": str(own),
        "CREDTRAY_POLICY": str(own),
        "XDG_CONFIG_HOME": str(own),
    }
    found = machine.setting("history")

    assert (found["value"], found["locked"]) == (False, True)


def test_a_policy_that_anybody_can_write_locks_nothing(machine: Machine) -> None:
    machine.says("history = false\n")
    machine.policy.chmod(0o666)

    assert not machine.setting("history")["locked"]
    assert "others than root can write to /etc/credtray/policy.toml" in machine.run("settings")
