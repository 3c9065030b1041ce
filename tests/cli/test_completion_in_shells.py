"""Real bash, zsh and fish in a terminal: what Tab makes of a line, as the shell then reads that line."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

from credtray.core.forms import Shell
from tests.cli.fake_backend import credtray

pytestmark = pytest.mark.posix("a pseudo-terminal")

SECONDS = 30.0
CONFIG = r"""
[sso-session synderys]
sso_start_url = https://aws.synderys.com
[profile plain]
[profile "my prof"]
[profile "it's"]
[profile "a:b:c d"]
[profile "pay$HOME`x`"]
[profile "ünï cödé"]
[profile -leading]
[profile "back\\slash!"]
[profile 'dq"x']
[profile "semi;colon&co"]
"""
COMPLETED = {
    "stat": ["status"],
    "env plai": ["env", "plain"],
    "env my": ["env", "my prof"],
    "env my\\ p": ["env", "my prof"],
    'env "my p': ["env", "my prof"],
    "env it": ["env", "it's"],
    "env a:b": ["env", "a:b:c d"],
    "env pay": ["env", "pay$HOME`x`"],
    "env 'pay": ["env", "pay$HOME`x`"],
    'env "pay': ["env", "pay$HOME`x`"],
    "env ün": ["env", "ünï cödé"],
    "env bac": ["env", "back\\slash!"],
    "env dq": ["env", 'dq"x'],
    "env se": ["env", "semi;colon&co"],
    "env -- -le": ["env", "--", "-leading"],
    "env -le": ["env", "-le"],
    "env --shell=fi": ["env", "--shell=fish"],
    "env --shell fi": ["env", "--shell", "fish"],
    "env nobody": ["env", "nobody"],
}
_ECHO = "printf '\\001'; for each in \"$@\"; do printf '%s\\002' \"$each\"; done; printf '\\003\\n'"
_ECHO_IN_FISH = "printf '\\001'; for each in $argv; printf '%s\\002' $each; end; printf '\\003\\n'"


class Prompt:
    """An interactive shell whose `credtray` shows its arguments, while `command credtray` is the real one."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def entered(self, line: str) -> list[str]:
        """Type a line, Tab and Enter; return the arguments that reach the command."""
        os.write(self._terminal, f"credtray {line}\t\r".encode())
        seen, until = b"", time.monotonic() + SECONDS
        while b"\x03" not in seen:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"nothing came of {line!r}: {seen!r}"
            seen += os.read(self._terminal, 65536)
        shown = seen.rpartition(b"\x01")[2].partition(b"\x03")[0]
        return shown.decode().split("\x02")[:-1]


@contextmanager
def started(command: list[str], home: Path, program: str) -> Iterator[Prompt]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: packaging/environment.sh tools")
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=home,
        env=environment(home, program),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        preexec_fn=lambda: ioctl(inside, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- fish ends without one
    )
    os.close(inside)
    try:
        yield Prompt(terminal)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def environment(home: Path, program: str) -> dict[str, str]:
    (home / "bin").mkdir(exist_ok=True)
    path = home / "bin" / "credtray"
    path.write_text(program)
    path.chmod(0o755)
    return {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "XDG_RUNTIME_DIR": str(home / "run"),
    }


def set_up(shell: Shell, home: Path) -> list[str]:
    """Write what the shell reads at its start, and return its command line."""
    script = credtray("completion", shell.value).out
    match shell:
        case Shell.BASH:
            (home / "rc").write_text(f"{script}\ncredtray() {{ {_ECHO}; }}\n")
            return ["bash", "--noprofile", "--rcfile", str(home / "rc"), "-i"]
        case Shell.ZSH:
            begun = "autoload -Uz compinit; compinit -u -D"
            (home / ".zshrc").write_text(f"{begun}\n{script}\ncredtray() {{ {_ECHO}; }}\n")
            return ["zsh", "-d", "-i"]
        case _:
            (home / ".config" / "fish").mkdir(parents=True)
            echo = f"function credtray; {_ECHO_IN_FISH}; end"
            (home / ".config" / "fish" / "config.fish").write_text(f"{script}\n{echo}\n")
            return ["fish", "-i"]


REAL = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -m credtray "$@"\n'
IN_TERMINALS = pytest.mark.parametrize("shell", [Shell.BASH, Shell.ZSH, Shell.FISH])


@IN_TERMINALS
def test_line_that_was_completed_is_read_as_the_name_itself(shell: Shell, home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    with started(set_up(shell, home), home, REAL) as at:
        found = {line: at.entered(line) for line in COMPLETED}

    assert found == COMPLETED


def test_script_in_a_directory_of_zsh_works_from_the_first_tab_on(home: Path) -> None:
    (home / "functions").mkdir()
    (home / "functions" / "_credtray").write_text(credtray("completion", "zsh").out)
    begun = "fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u -D"
    (home / ".zshrc").write_text(f"{begun}\ncredtray() {{ {_ECHO}; }}\n")
    with started(["zsh", "-d", "-i"], home, REAL) as at:
        assert at.entered("stat") == ["status"]
        assert at.entered("env --shell=fi") == ["env", "--shell=fish"]


@IN_TERMINALS
def test_file_names_are_left_to_the_shell(shell: Shell, home: Path) -> None:
    (home / "some file.txt").touch()
    with started(set_up(shell, home), home, "#!/bin/sh\necho files\n") as at:
        assert at.entered("import so") == ["import", "some file.txt"]


@IN_TERMINALS
def test_command_line_within_is_left_to_the_shell(shell: Shell, home: Path) -> None:
    (home / "bin").mkdir()
    (home / "bin" / "some-program").write_text("#!/bin/sh\n")
    (home / "bin" / "some-program").chmod(0o755)
    (home / "some-file").touch()
    with started(set_up(shell, home), home, "#!/bin/sh\necho command 3\n") as at:
        assert at.entered("exec plain -- some-prog") == ["exec", "plain", "--", "some-program"]
        assert at.entered("exec plain -- cat some-f") == ["exec", "plain", "--", "cat", "some-file"]


@IN_TERMINALS
@pytest.mark.parametrize(
    "program", ["#!/bin/sh\necho trouble >&2\nexit 1\n", "#!/bin/nowhere\n", "#!/bin/sh\nexit 0\n"]
)
def test_program_that_fails_leaves_the_line_as_it_is(shell: Shell, program: str, home: Path) -> None:
    with started(set_up(shell, home), home, program) as at:
        assert at.entered("env pla") == ["env", "pla"]
