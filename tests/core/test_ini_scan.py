from __future__ import annotations

from random import randrange

import pytest
from hypothesis import example, given

from credtray.core import ini
from tests import botocore_oracle
from tests.core.ini_texts import FUZZED, anything, drawn, explored, readable_text


def meaning(data: bytes) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for section in ini.sections(data):
        found.setdefault(section.name, {}).update(section.values)
    if not found.get("DEFAULT", {"k": ""}):
        del found["DEFAULT"]
    return found


def check_positions(data: bytes) -> None:
    text, last = data.decode(), 0
    for section in ini.sections(data):
        assert last <= section.start < section.header_end <= section.content_end <= section.end <= len(text)
        assert text[section.start : section.header_end].strip().startswith(f"[{section.name}]")
        for option in section.options:
            assert option.text == text[option.start : option.end]
            assert option.name == option.text[: option.value_at - 1].strip().lower()
        last = section.end


def check(data: bytes) -> bool:
    """Compare with botocore; return whether it reads the text."""
    expected = botocore_oracle.readable(data)

    assert expected is (ini.parse_problem(data) is None), data
    if expected:
        assert botocore_oracle.plain(data) == meaning(data), data
    check_positions(data)
    return expected


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
@explored
@given(anything)
@example(b"[a]\nk = v\n  [b]\n  x = 1\n")
@example(b"[a]\n  [b]\n  x = 1\n")
@example(b"[a]\ns3 =\n  x\n")
@example(b"[DEFAULT]\ns3 =\n  x\n")
@example(b"[DEFAULT]\ns3 =\n  x\n[a]\ns3 = y\n")
@example(b"[a]\nk = v\n\n  more\n\n# c\n  again\n")
@example(b"[a]\n= v\n  k\n")
@example(b"[a]\rk=1\r\n k2=2")
def test_scan_reads_any_text_as_botocore_does(data: bytes) -> None:
    check(data)


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
@explored
@given(readable_text)
def test_scan_reads_ordinary_files_as_botocore_does(data: bytes) -> None:
    check(data)


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
def test_scan_reads_ten_thousand_odd_texts_as_botocore_does() -> None:
    start = randrange(1 << 40)
    readable = sum(check(drawn(start + number)) for number in range(FUZZED))

    assert FUZZED // 3 < readable < FUZZED  # else the texts have become too easy or too hard


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"[a]\nk = 1\n[a]\n", 3, "second section [a]"),
        (b"[a]\naws_access_key_id = 1\nAWS_ACCESS_KEY_ID = 2\n", 3, "second `aws_access_key_id` in [a]"),
        (b"k = v\n[a]\n", 1, "before the first section"),
        (b"[a]\nnonsense\n", 2, "neither `key = value` nor a header"),
        (b"[a]\n[broken\n", 2, "neither"),
        (b"[a]\n= v\n", 2, "without a key"),
        (b"# one\n\xef\xbb\xbf[a]\n", 2, "before the first section"),
        (b"\xef\xbb\xbf[a]\nk = 1\n", 1, "byte order mark; save it as UTF-8 without one"),
        (b"[a]\nk = 1\n# caf\xe9\n", 3, "not UTF-8 text; save the file as UTF-8"),
        (b"[a]\r\nk = 1\r\n# caf\xe9\r\n", 3, "not UTF-8 text; save the file as UTF-8"),
        (b"[a]\nk = 1\ns3 =\n  x = 1\n  y\n", 3, "indented block below"),
    ],
)
def test_problem_names_line_and_reason(data: bytes, line: int, words: str) -> None:
    problem = ini.parse_problem(data)

    assert problem is not None
    assert line == problem.line
    assert words in problem.text


@pytest.mark.parametrize(
    "data",
    [
        b"[a]\nwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n",
        b"[a]\nwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY = 1\nwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY = 2\n",
        b"[a]\n= wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n",
        b"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n",
        b"[a]\ns3 =\n  wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n",
    ],
)
def test_problem_never_quotes_what_may_be_a_secret(data: bytes) -> None:
    problem = ini.parse_problem(data)

    assert problem is not None
    assert "wjalrx" not in problem.text.lower()


def test_scans_are_shared_within_the_body_only() -> None:
    data = b"[a]\nk = 1\n"
    with ini.shared_scans():
        first = ini.scan(data)

        assert first is ini.scan(b"[a]\nk = 1\n")
    assert first is not ini.scan(data)
