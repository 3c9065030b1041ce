"""Every kind of file that broke another editor: what stays, what is found, what botocore says afterwards."""

from __future__ import annotations

import pytest

from credtray.core import ini
from tests import botocore_oracle

KEYS = {"aws_access_key_id": "ASIANEW", "aws_secret_access_key": "s/e+c", "aws_session_token": "T=="}
BLOCK = b"aws_access_key_id = ASIANEW\naws_secret_access_key = s/e+c\naws_session_token = T==\n"
CRLF = BLOCK.replace(b"\n", b"\r\n")

READABLE = {
    "hash and semicolon comments": (
        b"# top\n; two\n[dev]\n# in\naws_access_key_id = OLD\n; end\n",
        b"# top\n; two\n[dev]\n# in\n" + BLOCK + b"; end\n",
    ),
    "blank lines and order": (
        b"\n\n[b]\nx = 1\n\n\n[dev]\nz = 1\naws_access_key_id = OLD\na = 2\n\n[a]\n",
        (
            b"\n\n[b]\nx = 1\n\n\n[dev]\nz = 1\naws_access_key_id = ASIANEW\na = 2\n"
            b"aws_secret_access_key = s/e+c\naws_session_token = T==\n\n[a]\n"
        ),
    ),
    "odd spacing": (
        b"[dev]\naws_access_key_id=OLD\naws_secret_access_key   =   OLD\naws_session_token:OLD  \n",
        b"[dev]\naws_access_key_id=ASIANEW\naws_secret_access_key   =   s/e+c\naws_session_token:T==\n",
    ),
    "CRLF": (
        b"[a]\r\nx = 1\r\n\r\n[dev]\r\naws_access_key_id = OLD\r\n\r\n[b]\r\n",
        b"[a]\r\nx = 1\r\n\r\n[dev]\r\n" + CRLF + b"\r\n[b]\r\n",
    ),
    "mixed line endings": (
        b"[a]\r\nx = 1\n[dev]\naws_access_key_id = OLD\r\n[b]\ny = 1\r\n",
        (
            b"[a]\r\nx = 1\n[dev]\naws_access_key_id = ASIANEW\r\n"
            b"aws_secret_access_key = s/e+c\naws_session_token = T==\n[b]\ny = 1\r\n"
        ),
    ),
    "nested block in the edited section": (
        b"[dev]\naws_access_key_id = OLD\ns3 =\n  max = 1\n",
        (
            b"[dev]\naws_access_key_id = ASIANEW\ns3 =\n  max = 1\n"
            b"aws_secret_access_key = s/e+c\naws_session_token = T==\n"
        ),
    ),
    "nested block that holds a key of the same name": (
        b"[dev]\ns3 =\n  aws_access_key_id = inner\naws_access_key_id = OLD\n",
        b"[dev]\ns3 =\n  aws_access_key_id = inner\n" + BLOCK,
    ),
    "key case": (
        b"[dev]\nAWS_Access_Key_Id = OLD\n",
        b"[dev]\nAWS_Access_Key_Id = ASIANEW\naws_secret_access_key = s/e+c\naws_session_token = T==\n",
    ),
    "equals, percent, semicolon and hash in values": (
        b"[a]\nx = a=b%(c)s ; d # e\n[dev]\naws_session_token = OLD==%x;y#z\n",
        (
            b"[a]\nx = a=b%(c)s ; d # e\n[dev]\naws_session_token = T==\n"
            b"aws_access_key_id = ASIANEW\naws_secret_access_key = s/e+c\n"
        ),
    ),
    "name with a blank": (b"[my prof]\nx = 1\n[dev]\n", b"[my prof]\nx = 1\n[dev]\n" + BLOCK),
    "quoted profile name": (
        b'[profile "my prof"]\nx = 1\n',
        b'[profile "my prof"]\nx = 1\n\n[dev]\n' + BLOCK,
    ),
    "blanks inside the brackets": (b"[ dev ]\nx = 1\n", b"[ dev ]\nx = 1\n\n[dev]\n" + BLOCK),
    "indented header after a key": (b"[a]\nx = 1\n  [dev]\n", b"[a]\nx = 1\n  [dev]\n\n[dev]\n" + BLOCK),
    "indented header after a header": (
        b"[a]\n  [dev]\n  x = 1\n",
        b"[a]\n  [dev]\n  x = 1\n" + b"".join(b"  " + line for line in BLOCK.splitlines(keepends=True)),
    ),
    "indented keys": (
        b"[dev]\n  aws_access_key_id = OLD\n  x = 1\n",
        (
            b"[dev]\n  aws_access_key_id = ASIANEW\n  x = 1\n"
            b"  aws_secret_access_key = s/e+c\n  aws_session_token = T==\n"
        ),
    ),
    "continuation lines of an old value": (
        b"[dev]\naws_session_token = OLD==\n  continued\n\n  again\nx = 1\n",
        (
            b"[dev]\naws_session_token = T==\n\nx = 1\n"
            b"aws_access_key_id = ASIANEW\naws_secret_access_key = s/e+c\n"
        ),
    ),
    "no final newline": (b"[dev]\naws_access_key_id = OLD", b"[dev]\n" + BLOCK),
    "no final newline, new section": (b"[a]\nx = 1", b"[a]\nx = 1\n\n[dev]\n" + BLOCK),
    "empty file": (b"", b"[dev]\n" + BLOCK),
    "only comments": (b"# nothing yet\n", b"# nothing yet\n\n[dev]\n" + BLOCK),
    "only whitespace": (b" \n\n", b" \n\n[dev]\n" + BLOCK),
    "new section": (b"[a]\nx = 1\n\n", b"[a]\nx = 1\n\n[dev]\n" + BLOCK),
    "stale security token": (
        b"[dev]\naws_security_token = OLD\n  tail\nx = 1\n",
        b"[dev]\nx = 1\n" + BLOCK,
    ),
    "unicode, percent and emoji": (
        "[é %(x)s 🚀]\nk = ü # ✓\n[dev]\n".encode(),
        "[é %(x)s 🚀]\nk = ü # ✓\n[dev]\n".encode() + BLOCK,
    ),
    "255 byte name": (b"[" + b"n" * 255 + b"]\nk = 1\n", b"[" + b"n" * 255 + b"]\nk = 1\n\n[dev]\n" + BLOCK),
    "defaults section": (b"[DEFAULT]\nregion = r\n[dev]\n", b"[DEFAULT]\nregion = r\n[dev]\n" + BLOCK),
    "comment above the next header": (
        b"[dev]\naws_access_key_id = OLD\n# about work\n[work]\n",
        b"[dev]\n" + BLOCK + b"# about work\n[work]\n",
    ),
}

BROKEN = {
    "duplicate sections": (b"[dev]\nx = 1\n[dev]\nx = 2\n", b"[dev]\nx = 1\n[dev]\nx = 2\n" + BLOCK),
    "duplicate keys": (
        b"[dev]\naws_access_key_id = A\naws_access_key_id = B\n",
        b"[dev]\naws_access_key_id = A\n" + BLOCK,
    ),
    "BOM": (b"\xef\xbb\xbf[dev]\naws_access_key_id = OLD\n", b"\xef\xbb\xbf[dev]\n" + BLOCK),
    "key without a value": (b"[dev]\nlonely\n", b"[dev]\n" + BLOCK + b"lonely\n"),
    "text before the first section": (b"stray\n[dev]\n", b"stray\n[dev]\n" + BLOCK),
    "unclosed header": (b"[a]\n[broken\n", b"[a]\n[broken\n\n[dev]\n" + BLOCK),
    "latin-1 in a comment": (b"# caf\xe9\n[dev]\n", b"# caf\xe9\n[dev]\n" + BLOCK),
}


@pytest.mark.parametrize(("old", "new"), READABLE.values(), ids=READABLE.keys())
def test_keys_are_written_and_everything_else_stays(old: bytes, new: bytes) -> None:
    after = ini.set_keys(old, "dev", KEYS, remove=["aws_security_token"])
    was, now = botocore_oracle.plain(old), botocore_oracle.plain(after)

    assert new == after
    assert was is not None
    assert now is not None
    kept = {name: value for name, value in was.pop("dev", {}).items() if name != "aws_security_token"}
    assert kept | KEYS == now.pop("dev")
    assert was == now


@pytest.mark.parametrize(("old", "new"), BROKEN.values(), ids=BROKEN.keys())
def test_file_that_botocore_refuses_is_reported_and_otherwise_edited_alike(old: bytes, new: bytes) -> None:
    assert botocore_oracle.plain(old) is None
    assert ini.parse_problem(old) is not None
    assert new == ini.set_keys(old, "dev", KEYS)
    assert ini.parse_problem(new) is not None


def test_mark_goes_directly_under_the_header_and_is_replaced_in_place() -> None:
    first = ini.SectionEdit("dev", {"k": "1"}, mark=ini.Mark("# m:", "# m: 1"))
    second = ini.SectionEdit("dev", {"k": "2"}, mark=ini.Mark("# m:", "# m: 2"))
    once = ini.edit(b"[dev]\nx = 1\n", [first])

    assert once == b"[dev]\n# m: 1\nx = 1\nk = 1\n"
    assert ini.edit(once, [second]) == b"[dev]\n# m: 2\nx = 1\nk = 2\n"
    assert ini.edit(once, [ini.SectionEdit("dev", mark=ini.Mark("# m:", None))]) == b"[dev]\nx = 1\nk = 1\n"


def test_several_appended_sections_are_set_apart_and_go_without_trace() -> None:
    mark = ini.Mark("# m:", "# m: 1")
    data = b"[a]\nx = 1"
    names = ["one", "two", "three"]
    gaps = [ini.append_gap(data), 1, 1]
    after = ini.edit(data, [ini.SectionEdit(name, {"k": "1"}, mark=mark) for name in names])
    back = [
        ini.SectionEdit(
            name,
            remove_keys=frozenset({"k"}),
            mark=ini.Mark("# m:", None),
            drop_if_empty=True,
            gap=gap,
        )
        for name, gap in zip(names, gaps, strict=True)
    ]

    assert after == (
        b"[a]\nx = 1\n\n[one]\n# m: 1\nk = 1\n\n[two]\n# m: 1\nk = 1\n\n[three]\n# m: 1\nk = 1\n"
    )
    assert data == ini.edit(after, back)
    assert data + b"\n" == ini.edit(ini.edit(ini.edit(after, back[:1]), back[1:2]), back[2:])
    assert data == ini.edit(ini.edit(after, back[2:]), back[:2])


def test_dropping_keeps_what_somebody_added_in_and_behind_our_section() -> None:
    drop = ini.SectionEdit(
        "dev", remove_keys=frozenset({"k"}), mark=ini.Mark("# m:", None), drop_if_empty=True, gap=1
    )

    assert ini.edit(b"[dev]\n# m: 1\n# mine\nk = 1\n", [drop]) == b"[dev]\n# mine\n"
    assert ini.edit(b"[dev]\n# m: 1\nk = 1\nx = 2\n", [drop]) == b"[dev]\nx = 2\n"
    assert ini.edit(b"[a]\n\n[dev]\n# m: 1\nk = 1\n# b:\n[b]\n", [drop]) == b"[a]\n# b:\n[b]\n"
    assert ini.edit(b"[a]\n\n[dev]\n# m: 1\nk = 1\n\n[b]\n", [drop]) == b"[a]\n\n[b]\n"
    assert ini.edit(b"[a]\n[dev]\n# m: 1\nk = 1\n[b]\n", [drop]) == b"[a]\n[b]\n"


def test_taking_out_a_section_takes_its_blank_lines_and_leaves_comments() -> None:
    data = b"[a]\nx = 1\n\n[b]\ny = 1\n\n# about c\n[c]\nz = 1\n"

    assert ini.edit(data, [ini.SectionRemoval("b")]) == b"[a]\nx = 1\n\n# about c\n[c]\nz = 1\n"
    assert data == ini.edit(data, [ini.SectionRemoval("absent")])
    assert data == ini.edit(data, [ini.SectionEdit("absent", remove_keys=frozenset({"k"}))])


def test_a_value_that_is_there_already_changes_no_byte() -> None:
    data = b"[dev]\nAWS_Access_Key_Id   :   ASIANEW\n"

    assert data == ini.set_keys(data, "dev", {"aws_access_key_id": "ASIANEW"})
