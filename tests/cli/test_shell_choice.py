from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from credtray.cli import environment
from credtray.cli.environment import chosen, complete_shell, detected
from credtray.core.errors import UsageError
from credtray.core.forms import SYNTAX, Form, Shell
from credtray.desktop.paths import asset
from credtray.menu.profiles import FORMS
from credtray.windows_processes import windows_processes
from tests.cli.fake_backend import credtray
from tests.cli.real_world import ROOT

BASH_LOGIN = {"SHELL": "/bin/bash"}


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        (["/usr/bin/zsh"], Shell.ZSH),
        (["-zsh"], Shell.ZSH),
        (["zsh-5.9"], Shell.ZSH),
        (["/usr/local/bin/bash-5.2"], Shell.BASH),
        (["/usr/bin/dash"], Shell.SH),
        (["/bin/busybox"], Shell.SH),
        (["ksh93"], Shell.SH),
        (["/opt/microsoft/powershell/7/pwsh"], Shell.POWERSHELL),
        (["C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"], Shell.POWERSHELL),
        (["CMD.EXE"], Shell.CMD),
        (["uv", "/usr/bin/make", "fish", "bash"], Shell.FISH),
        (["credtray.exe", "powershell.exe", "explorer.exe"], Shell.POWERSHELL),
        (["python3.11", "sshd"], Shell.BASH),
        ([], Shell.BASH),
    ],
)
def test_nearest_shell_above_reads_the_output(parents: list[str], expected: Shell) -> None:
    assert detected(BASH_LOGIN, parents) is expected


def test_shell_without_a_form_is_not_passed_over_for_an_outer_one() -> None:
    with pytest.raises(UsageError, match="tcsh"):
        detected(BASH_LOGIN, ["/bin/tcsh", "/bin/bash"])


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SHELL": "/usr/bin/fish"}, Shell.FISH),
        ({"PSModulePath": "C:\\Users\\me\\Modules;C:\\Program;C:\\Windows"}, Shell.POWERSHELL),
        ({"PSModulePath": "C:\\Program;C:\\Windows", "COMSPEC": "C:\\cmd.exe"}, Shell.CMD),
    ],
)
def test_without_a_shell_above_the_environment_tells(environ: Mapping[str, str], expected: Shell) -> None:
    assert detected(environ, []) is expected


def test_where_nothing_tells_it_has_to_be_said() -> None:
    with pytest.raises(UsageError, match="--shell"):
        detected({}, ["init"])


@pytest.mark.parametrize(
    ("word", "expected"),
    [("fish", Shell.FISH), ("PowerShell", Shell.POWERSHELL), ("pwsh", Shell.POWERSHELL), ("dash", Shell.SH)],
)
def test_shell_can_be_named_as_its_users_call_it(word: str, expected: Shell) -> None:
    assert chosen(word) is expected


def test_every_shell_has_a_form_and_no_other_form_is_left_out() -> None:
    assert {shell.form for shell in Shell} == set(Form) - {Form.SECTION}


def test_values_are_completed() -> None:
    assert complete_shell("") == [shell.value for shell in Shell]
    assert complete_shell("p") == ["powershell"]


# --- looking at processes ----------------------------------------------------------------------------


@pytest.mark.posix("/proc")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "dash"])
def test_real_shell_above_is_seen_also_from_a_script(shell: str, tmp_path: Any) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed: packaging/environment.sh tools")
    look = "from credtray.cli.environment import chosen; print(chosen(None).value)"
    script = tmp_path / "deploy"
    script.write_text(f"#!{path}\n'{sys.executable}' -c '{look}'\ntrue\n")
    script.chmod(0o755)
    seen = subprocess.run(
        [script], cwd=ROOT, env={"SHELL": "/bin/nothing"}, capture_output=True, text=True, check=True
    )

    assert seen.stdout.strip() == form_name(shell)


def form_name(shell: str) -> str:
    return "sh" if shell == "dash" else shell


@pytest.mark.posix("ps")
def test_ps_tells_the_same_as_proc() -> None:
    if not os.path.exists("/bin/ps"):  # noqa: PTH110 -- as the product names it
        pytest.skip("ps is not installed: packaging/environment.sh tools")
    found = environment.unix_processes()

    assert found[os.getpid()][0] == os.getppid()


def test_ancestors_end_where_nobody_can_be_seen_and_in_a_circle() -> None:
    table = {5: (4, "make"), 4: (3, "fish"), 3: (5, "odd")}

    assert list(environment.climbed(5, table.get)) == ["make", "fish", "odd"]
    assert list(environment.climbed(9, table.get)) == []
    assert environment.linux_process(2**22 + 1) is None


class Kernel32:
    """The tool help functions over a list of processes."""

    def __init__(self, *processes: tuple[int, int, str]) -> None:
        self._processes = iter(processes)
        self.closed = False

    def CreateToolhelp32Snapshot(self, flags: int, pid: int) -> int | None:  # noqa: N802 -- Windows' name
        return 77 if (flags, pid) == (2, 0) else None

    def Process32FirstW(self, snapshot: int, entry: Any) -> bool:  # noqa: N802 -- Windows' name
        return self.Process32NextW(snapshot, entry)

    def Process32NextW(self, snapshot: int, entry: Any) -> bool:  # noqa: N802 -- Windows' name
        target = entry._obj
        assert (snapshot, target.size) == (77, ctypes.sizeof(target))
        process = next(self._processes, None)
        if process is None:
            return False
        target.pid, target.parent, target.program = process
        return True

    def CloseHandle(self, snapshot: int) -> None:  # noqa: N802 -- Windows' name
        self.closed = snapshot == 77


def test_windows_snapshot_is_read_to_its_end_and_closed() -> None:
    kernel = Kernel32((10, 4, "powershell.exe"), (11, 10, "credtray.exe"))

    assert windows_processes(lambda: kernel) == {
        10: (4, "powershell.exe"),
        11: (10, "credtray.exe"),
    }
    assert kernel.closed


def test_where_there_is_no_snapshot_nobody_is_seen() -> None:
    def nothing() -> Any:
        raise OSError

    assert windows_processes(nothing) == {}


def test_unknown_word_is_answered_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "ancestors", lambda: iter(["bash"]))

    assert chosen(None) is Shell.BASH
    with pytest.raises(UsageError, match=r"bash, zsh, sh.*Did you mean powershell"):
        chosen("powershel")


# --- one table ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", Shell)
def test_each_row_of_the_table_appears_wherever_a_shell_can_be_chosen(shell: Shell) -> None:
    texts = [credtray(command, "--help").out for command in ("env", "copy", "endpoint")]
    offered = re.findall(r"\w+", credtray("completion", "--help").out.partition("SHELL      ")[2])

    assert all(shell.value in " ".join(text.split()) for text in texts)
    assert [chosen(word) for word in (shell.value, *shell.programs)] == [shell] * (1 + len(shell.programs))
    assert all(detected({}, [program]) is shell for program in shell.programs)
    assert shell.menu in dict(FORMS).get(shell.form, "")
    assert bool(shell.script) == (shell.value in offered)
    assert not shell.script or asset(f"completion/credtray.{shell.script}")
    assert not shell.programs or (shell.taken_in.count("{}") == 1 and SYNTAX[shell.form].removal)


def test_no_program_belongs_to_two_shells() -> None:
    programs = [program for shell in Shell for program in shell.programs]

    assert len(programs) == len(set(programs))
