from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credtray.cli.completion import inserted, read

BREAKS = " \t\n\"'><=;|&(:"
_NAMES = st.text(st.sampled_from("aA1 '\"\\$`!:=;&|<>()*?[]{}~#%é\u2013"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("line", "words", "value", "quote"),
    [
        ("credtray env pl", ["credtray", "env"], "pl", ""),
        ("credtray  env\t", ["credtray", "env"], "", ""),
        ("credtray env my\\ p", ["credtray", "env"], "my p", ""),
        ("credtray env 'my p", ["credtray", "env"], "my p", "'"),
        ('credtray env "a\\"b\\x', ["credtray", "env"], 'a"b\\x', '"'),
        ("credtray 'a b' \"c\"d", ["credtray", "a b"], "cd", ""),
        ("credtray ''", ["credtray"], "", ""),
    ],
)
def test_line_is_read_as_bash_reads_it(line: str, words: list[str], value: str, quote: str) -> None:
    typed = read(line, BREAKS)

    assert (words, value, quote) == (typed.words, typed.value, typed.quote)


@pytest.mark.parametrize(
    ("line", "whole", "expected"),
    [
        ("credtray env a:b", "a:b:c d", "b:c\\ d"),
        ("credtray env --shell=fi", "--shell=fish", "fish"),
        ("credtray env a\\:b", "a:b:c", "a\\:b:c"),
        ("credtray env 'a:b", "a:b's", "a:b'\\''s"),
        ("credtray env my\\ p", "my prof", "my\\ prof"),
        ("credtray env ", "~home", "\\~home"),
    ],
)
def test_only_what_readline_replaces_is_inserted(line: str, whole: str, expected: str) -> None:
    assert expected == inserted(read(line, BREAKS), whole)


@pytest.mark.posix("bash")
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(_NAMES, st.integers(0, 12), st.sampled_from(["", "'", '"'])), min_size=1, max_size=60)
)
def test_bash_reads_the_line_with_what_is_inserted_as_the_whole_name(
    tmp_path: Path, typed: list[tuple[str, int, str]]
) -> None:
    """The line is left as readline leaves it: what it keeps, what is inserted, and the open quote closed."""
    lines = []
    for name, length, quote in typed:
        start = quote + _within(name[:length], quote)
        seen = read(f"credtray {start}", "\"'")

        assert name[:length] == seen.value
        lines.append(f"printf '%s\\0' {start[: seen.kept]}{inserted(seen, name)}{seen.quote}\n")
    (tmp_path / "script").write_text("".join(lines))
    ran = subprocess.run(["bash", "--norc", tmp_path / "script"], capture_output=True, check=True)

    assert [name for name, _, _ in typed] == ran.stdout.decode().split("\0")[:-1]


def _within(text: str, quote: str) -> str:
    """Write the beginning of a name as a person may, with this quote open."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':
        return "".join(f"\\{char}" if char in '"$`\\' else char for char in text)
    return "".join(f"\\{char}" for char in text)
