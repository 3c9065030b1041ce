"""`credtray completion` and the answers its scripts get: nothing may bring up an error or hold up a key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.core.forms import Shell
from tests.cli.fake_backend import credtray, environment
from tests.cli.real_world import ROOT

BREAKS = " \t\n\"'><=;|&(:"
HEAVY = ("botocore", "rich", "pydantic", "asyncio", "socket", "credtray.app")


PATIENT = "from credtray.cli import completion, main; completion.GIVE_UP_SECONDS = 60; main.main()"
"""Windows' first start of a program may take longer than a person waits for a word."""
COMMAND = ["-c", PATIENT] if sys.platform == "win32" else ["-m", "credtray"]


def completed(*words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Ask as the scripts do."""
    return subprocess.run(
        [sys.executable, *COMMAND, "__complete", *words],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        check=False,
        timeout=20,
    )


def config(home: Path, data: bytes) -> Path:
    (home / ".aws").mkdir()
    path = home / ".aws" / "config"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("shell", [shell for shell in Shell if shell.script])
def test_script_is_printed_and_asks_for_its_shell(shell: Shell) -> None:
    outcome = credtray("completion", shell.value)

    assert outcome.code == 0
    assert f"credtray __complete {shell.value}" in outcome.out


def test_words_and_descriptions_are_told_line_by_line(home: Path) -> None:
    config(home, "[profile ünï]\nsso_account_id = 1\nsso_role_name = Admin\n[profile b c]\n".encode())

    assert completed("zsh", "env", "").stdout.decode() == "words\nünï\tAdmin in 1\n"
    assert completed("bash", "credtray env ", BREAKS).stdout.decode() == "words\nünï\n"


def test_powershell_hands_its_words_over_in_a_variable(home: Path) -> None:
    config(home, b'[profile "my prof"]\n')
    answer = completed("powershell", _CREDTRAY_WORDS="env\nmy")

    assert answer.stdout == b"words\nmy prof\t\n"


def test_fish_gets_all_values_and_matches_itself(home: Path) -> None:
    config(home, b"[profile dev]\n[profile prod]\n")

    assert completed("fish", "env", "ro").stdout == b"words\ndev\t\nprod\t\n"
    assert completed("fish", "env", "--uns").stdout.startswith(b"words\n--unset\t")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("tcsh", "env", ""),
        ("bash",),
        ("bash", "credtray env"),
        ("zsh",),
        ("powershell",),
        ("bash", "", ""),
    ],
)
def test_question_that_makes_no_sense_is_answered_with_silence(words: tuple[str, ...]) -> None:
    answer = completed(*words)

    assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"[profile", b'[profile "a]\n', b"x" * 100_000])
def test_broken_config_brings_up_no_error(data: bytes, home: Path) -> None:
    config(home, data)
    answer = completed("zsh", "env", "")

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"words\n", b"")


def test_without_a_home_commands_are_completed(home: Path) -> None:
    answer = completed("zsh", "stat", HOME="/nonexistent", AWS_CONFIG_FILE="/nonexistent/config")

    assert answer.stdout.startswith(b"words\nstatus\t")
    assert completed("zsh", "env", "", HOME="", AWS_CONFIG_FILE="$NOWHERE").stderr == b""


@pytest.mark.posix("named pipes in a folder")
def test_config_file_that_hangs_holds_a_key_up_for_a_second_only(home: Path) -> None:
    os.mkfifo(config(home, b"").with_name("pipe"))
    answer = completed("zsh", "env", "", AWS_CONFIG_FILE=str(home / ".aws" / "pipe"))

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"", b"")  # nobody ever writes there


@pytest.mark.posix("a shell that closes it")
def test_closed_output_is_no_error() -> None:
    answer = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m credtray __complete zsh stat >&-"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=20,
    )

    assert (answer.returncode, answer.stderr) == (0, b"")


def test_answer_imports_nothing_heavy(home: Path) -> None:
    config(home, b"[profile dev]\n")
    program = (
        "import sys\nfrom credtray.cli import completion\nfrom credtray.cli.main import main\n"
        "completion.GIVE_UP_SECONDS = 60\n"
        "for words in ([''], ['env', ''], ['login', ''], ['activate', '-'], ['completion', '']):\n"
        "    main(['__complete', 'zsh', *words])\n"
        f"sys.stderr.write(repr([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "\ndev\t" in done.stdout
    assert done.stderr == "[]"


# --- PowerShell, which is not here: its script by the documented rules -------------------------------


def powershell() -> str:
    return credtray("completion", "powershell").out


def test_powershell_script_registers_a_native_completer() -> None:
    """about_Functions_Argument_Completion: three parameters, CompletionResult with four arguments."""
    script = powershell()

    assert "Register-ArgumentCompleter -Native -CommandName credtray -ScriptBlock {" in script
    assert "param($wordToComplete, $commandAst, $cursorPosition)" in script
    assert "[System.Management.Automation.CompletionResult]::new($text, $value, $kind, $help)" in script


def test_powershell_script_is_balanced_and_plain_ascii() -> None:
    """Windows PowerShell reads what a program prints in the console's code page."""
    script = re.sub(r"#.*|'[^']*'|\"[^\"]*\"", "", powershell())

    assert powershell().isascii()
    for opening, closing in ("{}", "()", "[]"):
        assert script.count(opening) == script.count(closing)


@pytest.mark.parametrize("name", ["my prof", "it's", "$x", "a;b", "ünï", "@x", "a,b", "`", "#x", "~"])
def test_powershell_script_quotes_what_is_not_plain(name: str) -> None:
    (pattern,) = re.findall(r"-notmatch '([^']*)'", powershell())

    assert re.search(pattern, name) is None
    assert re.search(pattern, "--shell=fish")
    assert """"'" + $text.Replace("'", "''") + "'\"""" in powershell()


def test_powershell_script_leaves_no_variable_and_no_encoding_behind() -> None:
    ending = powershell().partition("} finally {")[2]

    assert "[Console]::OutputEncoding = $encoding" in ending
    assert "Remove-Item Env:_CREDTRAY_WORDS" in ending
