from __future__ import annotations

from random import randrange

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credtray.core import ini
from credtray.core.errors import IniRefused
from tests import botocore_oracle
from tests.core.ini_texts import FUZZED, OURS, anything, drawn, explored, readable_text

PREFIX = "# ours:"
KEYS = {
    "aws_access_key_id": "ASIAEXAMPLE",
    "aws_secret_access_key": "a/b+c==",
    "aws_session_token": "T=%(x)s;#",
}
MARK = ini.Mark(PREFIX, "# ours: mark 1")
WRITE = ini.SectionEdit(OURS, KEYS, frozenset({"aws_security_token"}), MARK)


def without(parsed: dict[str, dict[str, str]] | None, name: str) -> dict[str, dict[str, str]]:
    return {section: values for section, values in (parsed or {}).items() if section != name}


def outside(data: bytes, section: str) -> tuple[bytes, bytes]:
    """What lies before and behind a section (its mark counts as part of it); all, when it is absent."""
    found = ini.scan(data).last(section)
    if found is None:
        return data, b""
    marks = [comment.end for comment in found.comments if comment.text.startswith(PREFIX)]
    end = max([found.content_end, *marks])
    return found.text[: found.start].encode(), found.text[end:].encode()


def check_write(data: bytes) -> None:
    """Write our keys into *data* and let botocore and the bytes judge."""
    old = botocore_oracle.plain(data)
    if ini.parse_problem(data) is not None:
        return
    try:
        after = ini.edit(data, [WRITE])
    except IniRefused:
        # A broken block in [DEFAULT] hurts nobody until a section comes that it shines into.
        assert not botocore_oracle.readable(data + b"\n[another]\n"), data
        return
    new = botocore_oracle.plain(after)

    assert botocore_oracle.readable(after), data
    assert without(old, OURS) == without(new, OURS), data
    assert new is not None
    assert {**(old or {}).get(OURS, {}), **KEYS} == new[OURS], data
    before, behind = outside(data, OURS)
    assert after.startswith(before), data
    assert after.endswith(behind), data
    assert after == ini.edit(after, [WRITE]), data
    check_take_back(data, after)


def check_take_back(data: bytes, after: bytes) -> None:
    was = ini.section_keys(data, OURS)
    marks = [line for line in ini.section_comments(data, OURS) if line.startswith(PREFIX)]
    if was is not None and (set(KEYS) & set(was) or marks):
        return
    back = ini.SectionEdit(
        OURS,
        remove_keys=frozenset(KEYS),
        mark=ini.Mark(PREFIX, None),
        drop_if_empty=was is None,
        gap=ini.append_gap(data),
    )
    if data.endswith((b"\n", b"\r")) or was is None:
        assert data == ini.edit(after, [back]), data
    else:
        assert data == ini.edit(after, [back]).rstrip(b"\r\n"), data


@explored
@given(readable_text)
@example(b"[ours]\n  [b]\nx = 1\n")
@example(b"[ours]\n  k = v\n [b]\n k = 2\n")
@example(b"[ours]\nk = v\n  more\n\n# c\n  again")
@example(b"[ours]")
@example(b"[a]\nk = v")
@example(b"\r\n\r\n[a]\r\nk = v")
def test_writing_changes_our_section_and_nothing_else(data: bytes) -> None:
    check_write(data)


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
@explored
@given(anything)
def test_writing_into_odd_texts_changes_our_section_and_nothing_else(data: bytes) -> None:
    check_write(data)


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
def test_writing_into_ten_thousand_texts_changes_our_section_and_nothing_else() -> None:
    start = randrange(1 << 40)
    for number in range(FUZZED):
        check_write(drawn(start + number))


def test_defaults_that_break_any_further_section_are_refused() -> None:
    # Sections inherit them: botocore reads the file as long as it has no section at all.
    data = b"[DEFAULT]\ns3 =\n  no block\n"
    assert ini.parse_problem(data) is None
    with pytest.raises(IniRefused, match="line 2 would break the file"):
        ini.edit(data, [WRITE])


@explored
@given(anything, st.binary(max_size=6), st.integers(0, 200))
@example(b"[DEFAULT]\ns3= \n  [default]", b"", 0)
def test_any_bytes_at_all_survive_outside_of_our_section(data: bytes, noise: bytes, place: int) -> None:
    dirty = data[:place] + noise + data[place:]
    before, behind = outside_bytes(dirty)

    reads = ini.parse_problem(dirty) is None
    if reads and ini.parse_problem(dirty + b"\n[x]\n") is not None:
        return  # see above: nothing can be written
    after = ini.edit(dirty, [WRITE]) if reads else lenient(dirty)

    assert after.startswith(before)
    assert after.endswith(behind)


def outside_bytes(data: bytes) -> tuple[bytes, bytes]:
    found = ini.scan(data).last(OURS)
    if found is None:
        return data, b""
    marks = [comment.end for comment in found.comments if comment.text.startswith(PREFIX)]
    end = max([found.content_end, *marks])
    return tuple(
        text.encode("utf-8", "surrogateescape") for text in (found.text[: found.start], found.text[end:])
    )  # type: ignore[return-value]  # two of them


def lenient(data: bytes) -> bytes:
    """A broken file is edited as well as can be: no check of the result is possible."""
    return ini.edit(data, [WRITE])


@explored
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=3), st.text(max_size=12))
def test_texts_from_anywhere_are_written_as_meant_or_refused(keys: dict[str, str], section: str) -> None:
    data = b"[a]\nk = v\n"
    try:
        after = ini.set_keys(data, section, keys)
    except IniRefused:
        return
    expected = {"a": {"k": "v"}}
    if keys:
        expected.setdefault(section, {}).update({name.lower(): value for name, value in keys.items()})

    assert expected == botocore_oracle.plain(after)


@explored
@given(readable_text, st.sampled_from(["a", "b", OURS, "c d", "default"]))
def test_taking_a_section_out_leaves_all_others(data: bytes, name: str) -> None:
    if ini.parse_problem(data) is not None:
        return
    try:
        after = ini.edit(data, [ini.SectionRemoval(name)])
    except IniRefused:
        assert b" [" in data  # an indented header would become part of the value above it
        return

    assert without(botocore_oracle.plain(data), name) == botocore_oracle.plain(after)


@explored
@given(readable_text, readable_text)
def test_section_text_put_back_is_the_old_file(data: bytes, other: bytes) -> None:
    if ini.parse_problem(data) is not None or ini.parse_problem(other) is not None:
        return
    for section in ini.sections(data):
        if "]" in section.name or section.start != section.header_end - len(
            data.decode()[section.start : section.header_end].lstrip()
        ):
            continue
        text = ini.section_text(data, section.name)
        edited = ini.set_keys(data, section.name, {"new_key": "x"})

        assert text is not None
        assert data.rstrip(b"\r\n") == ini.replace_section_text(edited, section.name, text).rstrip(b"\r\n")


@explored
@given(readable_text, readable_text, readable_text)
def test_carrying_over_takes_every_change_and_keeps_the_rest(old: bytes, late: bytes, now: bytes) -> None:
    if any(ini.parse_problem(data) is not None for data in (old, late, now)):
        return
    was, wanted, there = (botocore_oracle.plain(data) or {} for data in (old, late, now))
    try:
        result = botocore_oracle.plain(ini.carried_over(old, late, now))
    except IniRefused:  # one of them has a section name, or an indentation, that we never write
        return

    assert result is not None
    for name in wanted.keys() - was.keys() - there.keys():
        assert wanted[name] == result[name]
    for name in there.keys() - was.keys() - wanted.keys():
        assert there[name] == result[name]
    for name in was.keys() - wanted.keys():
        assert name not in result
    for name in was.keys() & wanted.keys() & there.keys():
        changed = {key for key in wanted[name] if was[name].get(key) != wanted[name][key]}
        assert {key: wanted[name][key] for key in changed} == {key: result[name].get(key) for key in changed}


def test_carrying_over_merges_changes_of_the_same_section_key_by_key() -> None:
    old = b"[a]\nx = 1\ny = 1\nz = 1\n"
    late = b"[a]\nx = 2\nz = 1\nnew = 1\n"
    now = b"[a]\nx = 1\ny = 1\nz = 3\n# note\nother = 1\n[b]\n"

    after = ini.carried_over(old, late, now)

    assert after == b"[a]\nx = 2\nz = 3\n# note\nother = 1\nnew = 1\n[b]\n"


def test_two_thousand_sections_are_edited_in_one_pass() -> None:
    data = b"".join(b"[p%d]\naws_access_key_id = OLD\nregion = r\n\n" % number for number in range(2000))
    edits = [ini.SectionEdit(f"p{number}", KEYS, mark=MARK) for number in range(2000)]

    parsed = botocore_oracle.plain(ini.edit(data, edits))

    assert {f"p{number}": {**KEYS, "region": "r"} for number in range(2000)} == parsed


def test_two_edits_of_one_section_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two edits"):
        ini.edit(b"", [WRITE, ini.SectionRemoval(OURS)])


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a ",
        "a]b",
        "a[b",
        "a\nb",
        "a\rb",
        "a\x00",
        "a\x1b",
        "a\u2028b",
        "a\x85b",
        "\ufeffa",
        "DEFAULT",
        "x" * 2000,
    ],
)
def test_section_names_that_tools_read_differently_are_refused(name: str) -> None:
    with pytest.raises(IniRefused):
        ini.set_keys(b"", name, {"k": "v"})


@pytest.mark.parametrize(
    "name",
    ["a", "a b", 'profile "a b"', "sso-session x", "a#b;c", "%(a)s", "é", "🚀", "x" * 255, "a=b:c", "'"],
)
def test_section_names_in_use_are_written_and_read_back(name: str) -> None:
    assert {name: {"k": "v"}} == botocore_oracle.plain(ini.set_keys(b"", name, {"k": "v"}))


@pytest.mark.parametrize(
    "value", ["", " v", "v ", "a\nb", "a\rb", "a\x00b", "\u2028", "a\x0bb", "a\x7fb", "\udcff"]
)
def test_values_that_do_not_stay_on_their_line_are_refused(value: str) -> None:
    with pytest.raises(IniRefused):
        ini.set_keys(b"", "a", {"k": value})


def test_refused_value_is_not_quoted() -> None:
    with pytest.raises(IniRefused) as caught:
        ini.set_keys(b"", "a", {"k": "geheim\n"})

    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "#k", ";k", "[k", "k=", "k:", "k\n", "é", "-k"])
def test_key_names_that_parsers_read_differently_are_refused(key: str) -> None:
    with pytest.raises(IniRefused):
        ini.set_keys(b"", "a", {key: "v"})


@pytest.mark.parametrize("line", ["# ours: a\nb", "# other", "ours:", "# ours: \x00"])
def test_marks_that_are_no_single_comment_line_are_refused(line: str) -> None:
    with pytest.raises(IniRefused):
        ini.edit(b"", [ini.SectionEdit("a", {"k": "v"}, mark=ini.Mark(PREFIX, line))])


@pytest.mark.parametrize(
    "text", [b"", b"[b]\n", b"[a]\n[b]\n", b"k = v\n", b"# x\n[a]\n", b"[a]\nk = v\n# behind\n"]
)
def test_section_text_of_anything_but_that_section_is_refused(text: bytes) -> None:
    with pytest.raises(IniRefused):
        ini.replace_section_text(b"[a]\nx = 1\n", "a", text)


def test_verify_refuses_a_change_that_breaks_the_file() -> None:
    with pytest.raises(IniRefused, match="line 3"):
        ini.verify(b"[a]\nk = 1\n", b"[a]\nk = 1\nk = 2\n")


def test_verify_lets_a_broken_file_stay_broken_and_be_mended() -> None:
    ini.verify(b"[a]\n[a]\n", b"[a]\nk = 1\n[a]\n")
    ini.verify(b"[a]\n[a]\n", b"[a]\n")


def test_removal_that_would_make_the_next_header_part_of_a_value_is_refused() -> None:
    with pytest.raises(IniRefused, match=r"meaning of \[(a|b)\]"):
        ini.edit(b"[a]\nk = v\n[ours]\n [b]\n x = 1\n", [ini.SectionRemoval(OURS)])
