"""The line of ``credential_process`` for Windows, taken apart as each SDK does there.

boto3 splits it itself. JavaScript's hands it to ``cmd /d /s /c "..."`` (child_process.exec), .NET's of before
2026 behind ``cmd /c``, Go's as one word behind ``cmd /C`` with its quotes escaped (os/exec, EscapeArg). What
cmd does with quotes: ``cmd /?``.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from botocore.compat import compat_shell_split
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.shell_words import command_line, command_words, plain_in_cmd, with_short_names

WORDS = st.lists(st.text(alphabet="\\\" \t'ab:&^(,;=ë", max_size=8), min_size=1, max_size=4)
PLAIN = st.text(alphabet="ab:\\-._~/1", min_size=1, max_size=12)
UNQUOTED = re.compile(r'"[^"]*"|([&|<>^%])')


def by_cmd(typed: str) -> list[str] | None:
    """Return the words of the program that ``cmd /C`` starts; None: it does something else with the line."""
    if typed.startswith('"') and typed.endswith('"') and typed.count('"') > 2:
        typed = typed[1:-1]
    elif typed.startswith('"'):
        first, _, rest = typed[1:].rpartition('"')
        named = typed.count('"') == 2 and " " in first and first.endswith(".exe")
        typed = typed if named else first + rest
    if any(found[1] for found in UNQUOTED.finditer(typed)):
        return None
    return command_words(typed, windows=True)


def by_botocore(line: str) -> list[str] | None:
    return list(compat_shell_split(line, platform="win32"))


def by_javascript(line: str) -> list[str] | None:
    return None if any(found[1] for found in UNQUOTED.finditer(line)) else command_words(line, windows=True)


def by_go(line: str) -> list[str] | None:
    return by_cmd(subprocess.list2cmdline([line]))


SDKS = [by_botocore, by_javascript, by_cmd, by_go]


@given(st.lists(PLAIN, min_size=3, max_size=5))
def test_every_sdk_finds_the_words_of_a_line_without_quotes(words: list[str]) -> None:
    words.append("dev")
    line = command_line(words, windows=True)

    assert '"' not in line
    assert [split(line) for split in SDKS] == [words] * len(SDKS)


@given(WORDS)
def test_quotes_keep_from_cmd_what_it_would_take_for_its_own(words: list[str]) -> None:
    line = command_line(words, windows=True)

    assert by_botocore(line) == words
    assert '"' in "".join(words) or by_javascript(line) == words


def test_go_and_old_dot_net_lose_quotes() -> None:
    line = command_line([r"C:\My Apps\python.exe", "-S", r"C:\My Apps\__main__.py"], windows=True)

    assert command_words(line, windows=True) == by_botocore(line)
    assert (by_cmd(line) or [""])[0] == r"C:\My"
    assert (by_go(line) or [""])[0].startswith('"C:\\My')


@pytest.mark.parametrize(
    ("path", "short", "written"),
    [
        (r"C:\My Apps\credtray\x.py", r"C:\MYAPPS~1\credtray\x.py", r"C:\MYAPPS~1\credtray\x.py"),
        (r"C:\a-long-name\b c\python.exe", r"C:\A-LONG~1\BC~1\python.exe", r"C:\a-long-name\BC~1\python.exe"),
        (r"C:\R&D\Zoë\x.py", r"C:\R&D\ZO3F2A~1\x.py", r"C:\R&D\ZO3F2A~1\x.py"),
        (r"C:\Zoë\x.py", r"C:\ZOË\x.py", r"C:\Zoë\x.py"),
        (r"C:\My Apps\x.py", r"C:\My Apps\x.py", r"C:\My Apps\x.py"),
        (r"C:\My Apps\x.py", r"\\server\MYAPPS~1\x.py", r"C:\My Apps\x.py"),
    ],
)
def test_only_folders_that_need_quotes_are_named_shortly(path: str, short: str, written: str) -> None:
    assert with_short_names(path, short) == written


@pytest.mark.parametrize("word", ["a b", "a&b", "100%", 'a"b', "a^b", "(a)", "a,b", "a;b", "a=b", "", "Zoë"])
def test_what_is_not_plain_is_known(word: str) -> None:
    assert not plain_in_cmd(word)
