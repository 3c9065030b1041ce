"""Real bash, zsh and fish with the hook: AWS_PROFILE comes with a project and goes with it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.desktop import paths
from tests.cli.fake_backend import credtray
from tests.cli.terminal_session import TerminalSession

pytestmark = pytest.mark.posix("its shells")

NAME = ".credtray.toml"
SHELLS = pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
_PROGRAM = f'#!/bin/sh\necho "$*" >> "$HOME/asked"\nexec {shlex.quote(sys.executable)} -I -m credtray "$@"\n'


class Shell:
    """One shell in a home with two projects, asked line by line what AWS_PROFILE is."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self.environment = {
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "XDG_RUNTIME_DIR": str(home / "run"),
        }
        (home / "bin").mkdir()
        program = home / "bin" / "credtray"
        program.write_text(_PROGRAM)
        program.chmod(0o755)

    def command(self, *words: str) -> list[str]:
        return list(words)

    def project(self, folder: str, text: str, *, trusted: bool = True) -> Path:
        place = self.home / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / NAME).write_text(text)
        if trusted:
            assert credtray("trust", str(place), "--yes").code == 0
        return place / NAME

    def run(self, *lines: str, before: str = "") -> list[str]:
        """Run lines as at a prompt, the hook after each; return AWS_PROFILE|AWS_REGION after each."""
        named = "$AWS_PROFILE|$AWS_REGION" if self.name == "fish" else "${AWS_PROFILE-}|${AWS_REGION-}"
        shown = f'echo "<{named}>"'
        steps = [f"{line}\n_credtray_hook\n{shown}" for line in lines]
        hook = credtray("hook", self.name).out
        script = "\n".join([before, hook, *steps])
        if shutil.which(self.name) is None:
            pytest.skip(f"{self.name} is not installed: packaging/environment.sh tools")
        command = {"bash": ["bash", "--norc", "-c"], "zsh": ["zsh", "-f", "-c"], "fish": ["fish", "-N", "-c"]}
        ran = subprocess.run(
            [*command[self.name], script], cwd=self.home, env=self.environment, capture_output=True,
            text=True, check=False, timeout=60,
        )  # fmt: skip
        self.said = ran.stderr
        assert ran.returncode == 0, ran.stderr
        return [line[1:-1] for line in ran.stdout.splitlines() if line.startswith("<")]

    @property
    def asked(self) -> int:
        """How often the hook has started credtray."""
        path = self.home / "asked"
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def at(request: pytest.FixtureRequest, home: Path) -> Shell:
    return Shell(request.getfixturevalue("shell"), home)


@SHELLS
def test_profile_comes_with_a_project_and_goes_with_it(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "it\'s $(touch ran) `touch ran` é"\nregion = "eu-west-1"\n')
    at.project("two", 'profile = "two"\n')
    (at.home / "one" / "deep").mkdir()

    found = at.run("cd one", "cd deep", "cd ../../two", "cd ..")

    assert found == [
        "it's $(touch ran) `touch ran` é|eu-west-1",
        "it's $(touch ran) `touch ran` é|eu-west-1",
        "two|",
        "|",
    ]
    assert list(at.home.rglob("ran")) == []


@SHELLS
def test_what_was_set_before_comes_back_and_what_was_set_since_stays(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "one"\n')
    put = "set -gx AWS_PROFILE" if shell == "fish" else "export AWS_PROFILE"
    mine, other = (f"{put} mine", f"{put} other") if shell == "fish" else (f"{put}=mine", f"{put}=other")

    assert at.run("cd one", "cd ..", before=mine) == ["one|", "mine|"]
    assert at.run("cd one", other, "cd ..", before=mine) == ["one|", "other|", "other|"]


@SHELLS
def test_a_shell_begun_within_a_project_knows_what_was_before_it(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "one"\nregion = "eu-west-1"\n')
    at.environment["AWS_REGION"] = "us-east-1"
    assert at.run("cd one", "env -0 > ../around") == ["one|eu-west-1", "one|eu-west-1"]

    around = (at.home / "around").read_text().split("\0")
    at.environment |= dict(line.split("=", 1) for line in around if line)

    assert at.run("true", "cd one", "cd ..") == ["|us-east-1", "one|eu-west-1", "|us-east-1"]
    assert at.run("cd one", "cd ..") == ["one|eu-west-1", "|us-east-1"]


@SHELLS
def test_untrusted_project_sets_nothing_and_says_so_once(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "one"\n', trusted=False)

    assert at.run("cd one", "true", "true") == ["|", "|", "|"]
    assert at.said.count("is not trusted") == 1
    assert at.asked == 1


@SHELLS
def test_trust_is_noticed_and_so_is_a_change(at: Shell, shell: str) -> None:
    path = at.project("one", 'profile = "one"\n', trusted=False)
    later = f"touch -d '+1 hour' {shlex.quote(str(path))}"
    change = f"printf 'profile = \"evil\"\\n' > {shlex.quote(str(path))}; {later}"

    found = at.run("cd one", "credtray trust --yes > trusting", change, "true")

    assert found == ["|", "one|", "|", "|"]
    assert at.said.count("is not trusted") == 1
    assert at.said.count("has changed since you trusted it") == 1


@SHELLS
def test_credtray_is_started_only_where_something_changed(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "one"\n')
    (at.home / "one" / "deep").mkdir()

    at.run("true", "true")
    assert at.asked == 0
    at.run("cd one", "true", "cd deep", "cd ..", "cd ..", "true")
    assert at.asked == 1


@SHELLS
def test_a_program_that_is_gone_does_no_harm(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "one"\n')
    (at.home / "bin" / "credtray").unlink()

    assert at.run("cd one", "cd ..") == ["|", "|"]


@pytest.mark.parametrize("shell", ["bash"])
def test_strict_bash_is_not_ended_and_the_exit_code_stays(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "one"\n')

    assert at.run("cd one", "cd ..", before="set -eu") == ["one|", "|"]

    script = f"{credtray('hook', 'bash').out}\n(exit 7)\n_credtray_hook\necho $?"
    ran = subprocess.run(
        ["bash", "-c", script], env=at.environment, capture_output=True, check=True, cwd=at.home
    )
    assert ran.stdout == b"7\n"


@SHELLS
def test_prompt_shows_the_profile_and_marks_production(at: Shell, shell: str) -> None:
    at.project("one", 'profile = "synderys-security"\n')
    paths.settings_file().parent.mkdir(parents=True, exist_ok=True)
    paths.settings_file().write_text("[profiles.synderys-security]\nproduction = true\n")
    hook = credtray("hook", shell, "--prompt").out
    commands = {
        "bash": ["bash", "--noprofile", "--rcfile", str(at.home / "rc"), "-i"],
        "zsh": ["zsh", "-d", "-i"],
        "fish": ["fish", "-i"],
    }
    places = {"bash": "rc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
    prompts = {"bash": "PS1='> '", "zsh": "PROMPT='> '", "fish": "function fish_prompt; echo '> '; end"}
    place = at.home / places[shell]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{prompts[shell]}\n{hook}\n")

    with TerminalSession(at, *commands[shell], PWD=str(at.home)) as seen:
        seen.expect("> ")
        seen.type(f"cd {at.home / 'one'}\r")
        seen.expect("[synderys-security production]")
        seen.type("cd /\r")
        seen.expect("> ")
        seen.type("printenv AWS_PROFILE || echo go''ne\r")
        seen.expect("gone")
        seen.type("exit\r")
        seen.end()


def test_no_script_of_a_hook_runs_what_credtray_prints() -> None:
    scripts = Path(os.fspath(paths.__file__)).parents[3] / "assets" / "hook"
    found = {path.name: path.read_text() for path in scripts.iterdir()}

    assert sorted(found) == ["credtray.bash", "credtray.fish", "credtray.zsh"]
    for text in found.values():
        assert "eval" not in text
        assert "source" not in text
