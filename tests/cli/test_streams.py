"""Commands whose streams are closed or full, or that end early: no traceback, no wrong exit code."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-I", "-m", "credtray"]


def credtray(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False)


def shell(words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(COMMAND)} {words}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.posix("a shell that closes streams, and /dev/full")
@pytest.mark.parametrize(
    ("to", "reason"), [(">&-", "bad file descriptor"), (">/dev/full", "no space left on device")]
)
@pytest.mark.parametrize("words", ["version", "--help", "status --json"])
@pytest.mark.usefixtures("home")
def test_output_that_cannot_be_written_is_told_in_one_line(words: str, to: str, reason: str) -> None:
    done = shell(f"{words} {to}")

    assert (done.returncode, done.stderr) == (1, f"error: The output could not be written: {reason}\n")


@pytest.mark.posix("a shell that closes streams, and /dev/full")
@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full", "<&- 2>&-"])
@pytest.mark.usefixtures("home")
def test_nobody_to_complain_to_changes_no_exit_code(to: str) -> None:
    assert shell(f"nope {to}").returncode == 2
    assert shell(f"version {to}").stdout.startswith("credtray ")


def test_a_terminal_without_a_width_still_shows_something(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")

    assert "credtray setup" in credtray("status").stdout
    assert "Print the version" in credtray("version", "--help").stdout


@pytest.mark.parametrize("name", ["", "?", "rot13", "hex", "no-such-encoding:strict"])
def test_an_encoding_that_is_none_is_passed_over(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", name)
    done = credtray("version")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("credtray ")


def test_ctrl_c_while_the_program_still_loads_ends_quietly(tmp_path: Path) -> None:
    slow = tmp_path / "typer.py"  # stands for the import that is under way
    slow.write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from credtray.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "status"], capture_output=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
