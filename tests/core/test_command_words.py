"""Command lines that people and programs have written down, split by the rules of the system."""

from __future__ import annotations

import subprocess

import pytest
from botocore.compat import compat_shell_split
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.own_commands import own_command
from credtray.core.shell_words import command_words

LINES = st.text(alphabet='\\" \tab', max_size=24)
WORDS = st.lists(st.text(alphabet="\\\" \t'ab:&%ë", max_size=8), min_size=1, max_size=4)


def botocores(line: str) -> list[str] | None:
    """Return what botocore on Windows starts; None: it refuses the line."""
    try:
        return list(compat_shell_split(line, platform="win32"))
    except ValueError:
        return None


def ours(line: str) -> list[str] | None:
    try:
        return command_words(line, windows=True)
    except ValueError:
        return None


@given(LINES)
def test_windows_lines_have_the_words_that_botocore_starts(line: str) -> None:
    assert ours(line) == botocores(line)


@given(WORDS)
def test_what_python_writes_for_windows_is_read_back(words: list[str]) -> None:
    assert ours(subprocess.list2cmdline(words)) == words


def test_a_path_of_windows_keeps_its_backslashes() -> None:
    line = r'"C:\Program Files\Notepad++\notepad++.exe" -multiInst C:\x'

    assert command_words(line, windows=True) == [
        r"C:\Program Files\Notepad++\notepad++.exe",
        "-multiInst",
        r"C:\x",
    ]


def test_elsewhere_a_line_is_read_as_sh_reads_it() -> None:
    assert command_words(r"'my editor' a\ b", windows=False) == ["my editor", "a b"]


def test_an_open_quote_is_an_error() -> None:
    for windows in (True, False):
        with pytest.raises(ValueError, match="No closing quotation"):
            command_words('"open', windows=windows)


def test_our_command_is_known_when_it_starts_the_one_file() -> None:
    found = own_command("/usr/bin/python3 -I -S '/opt/my tools/credtray-0.1.0.pyz' credentials dev")

    assert found is not None
    assert (found.door, found.profile) == ("/opt/my tools/credtray-0.1.0.pyz", "dev")
    assert found.outdated({"/usr/bin/python3"}.__contains__) == f"{found.door} does not exist"
    assert found.outdated({"/usr/bin/python3", found.door}.__contains__) is None


def test_our_command_is_known_with_an_escaped_quote_in_the_profile() -> None:
    words = [
        r"C:\My Apps\python.exe",
        "-I",
        r"C:\My Apps\credtray\__main__.py",
        "credentials",
        'the "big" one',
    ]
    found = own_command(subprocess.list2cmdline(words))

    assert found is not None
    assert (found.python, found.door, found.profile) == (words[0], words[2], words[4])
