"""Which shell of Windows a command is printed for, and that cmd and Git Bash do with it what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.core import shell_words
from credtray.core.forms import Form
from credtray.core.shell_words import ShellCommand, in_use, path_word, unset, variable

ROWS = {name: row for name, row in vars(shell_words).items() if isinstance(row, ShellCommand)}
FILES = {name: row for name, row in ROWS.items() if "{path}" in row.posix and name not in {"READ_IN", "LOOK"}}
MACHINES = r"C:\Program Files\WindowsPowerShell\Modules;C:\Windows\system32\WindowsPowerShell\v1.0\Modules"
USERS = rf"C:\Users\me\Documents\PowerShell\Modules;{MACHINES}"


@pytest.mark.parametrize(
    ("environ", "used"),
    [
        ({"PSModulePath": USERS}, (Form.POWERSHELL, False)),
        ({"PSModulePath": MACHINES, "PROMPT": "$P$G"}, (Form.CMD, False)),
        ({"PSModulePath": USERS, "PROMPT": "$P$G"}, (Form.POWERSHELL, False)),
        ({"PSModulePath": MACHINES}, (Form.POWERSHELL, False)),
        ({}, (Form.POWERSHELL, False)),
        ({"MSYSTEM": "MINGW64", "PSModulePath": USERS, "PROMPT": "$P$G"}, (Form.POSIX, True)),
        ({"SHELL": "/bin/bash", "PSModulePath": MACHINES}, (Form.POSIX, True)),
        ({"SHELL": r"C:\Program Files\Git\usr\bin\bash.exe"}, (Form.POSIX, True)),
        ({"SHELL": "/usr/bin/fish"}, (Form.POWERSHELL, False)),
    ],
)
def test_the_shell_is_told_by_what_only_it_sets(environ: dict[str, str], used: tuple[Form, bool]) -> None:
    assert in_use(environ) == used


@pytest.mark.parametrize("name", ROWS)
def test_cmd_gets_nothing_that_only_powershell_knows(name: str) -> None:
    if name != "READ_IN":  # of the demo, which says that it is for PowerShell
        assert not re.search(r"-(Item|Process|Content)|\$|Env:", ROWS[name].on("~/a b", Form.CMD))


def test_until_a_command_knows_its_shell_the_words_are_those_of_the_system() -> None:
    """As in the notices of the agent, which no shell has started."""
    program = "from credtray.core.shell_words import PRIVATE; print(PRIVATE.on('x').split()[0])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said.strip() == ("icacls" if sys.platform == "win32" else "chmod")


def test_cmd_finds_the_home_by_its_own_variable() -> None:
    assert path_word("~/.aws/config", Form.CMD) == r'"%USERPROFILE%\.aws\config"'
    assert path_word("~", Form.CMD) == '"%USERPROFILE%"'
    assert path_word("C:/a b", Form.CMD) == r'"C:\a b"'
    assert variable("USER", Form.CMD) == '"%USER%"'
    assert unset("A", "B").on(form=Form.CMD) == 'set "A=" & set "B="'


def git_bash(line: str, tmp_path: Path) -> list[str]:
    """Return the words of the program that bash starts; the programs of Windows are functions here."""
    said = "\n".join(
        f"{each}() {{ printf '%s\\n' {each} \"$@\"; }}"
        for each in ("icacls", "attrib", "taskkill", "mv", "rm", "openssl")
    )
    native = 'cygpath() { printf "C:%s" "${2//\\//\\\\}"; }'
    done = subprocess.run(
        ["bash", "-c", f"{native}\n{said}\n{line}"],
        env={"HOME": str(tmp_path), "USERNAME": "Zoë Smith", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.posix("a bash without Windows around it")
@pytest.mark.parametrize("name", FILES)
def test_git_bash_hands_a_path_of_windows_to_programs_of_windows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_words, "GIT_BASH", True)
    program, *words = git_bash(FILES[name].on("~/a b's", Form.POSIX), tmp_path)
    place = f"{tmp_path}/a b's"

    assert program not in {"chmod", "chown", "chattr", "sudo"}
    assert {place, "C:" + place.replace("/", "\\")} & {*words}
    assert not [each for each in words if each.startswith("/") and not each.startswith(("//", str(tmp_path)))]


@pytest.mark.windows
def test_cmd_does_what_the_commands_say(tmp_path: Path) -> None:
    there = tmp_path / "a b.txt"
    there.write_text("x")
    path = str(there).replace("\\", "/")
    environ = {**os.environ, "AWS_PROFILE": "x"}

    run_in_cmd(shell_words.MOVE_AWAY.on(path, Form.CMD), environ)
    moved = tmp_path / "a b.txt.moved"
    assert (there.exists(), moved.exists()) == (False, True)
    run_in_cmd(shell_words.REMOVE.on(f"{path}.moved", Form.CMD), environ)
    assert not moved.exists()
    left = run_in_cmd(f"{unset('AWS_PROFILE', 'AWS_REGION').on(form=Form.CMD)} & set AWS_", environ)
    assert "AWS_PROFILE" not in left


def run_in_cmd(line: str, environ: dict[str, str]) -> str:
    whole = f'cmd.exe /d /s /c "{line}"'
    return subprocess.run(whole, env=environ, capture_output=True, text=True, check=False).stdout


@pytest.mark.windows
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PROMPT": "$P$G"}, 'set "AWS_ACCESS_KEY_ID="'),
        ({"MSYSTEM": "MINGW64"}, "unset AWS_ACCESS_KEY_ID"),
        ({}, "Remove-Item Env:AWS_ACCESS_KEY_ID"),
    ],
)
def test_doctor_speaks_to_the_shell_it_was_started_from(environ: dict[str, str], said: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}
    others = {name: value for name, value in os.environ.items() if name not in {"PROMPT", "MSYSTEM", "SHELL"}}

    done = subprocess.run(
        [sys.executable, "-m", "credtray", "doctor"],
        env={**others, **keys, **environ},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said in " ".join(done.stdout.split()), done.stderr
