"""A kubeconfig keeps every foreign byte, says what it said and the new entries, and comes back as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from credtray.core.errors import FileRefused
from credtray.store.text_edits import applied
from credtray.tokens.kubeconfig import (
    SECTIONS,
    Cluster,
    Kubeconfig,
    entries,
    file_to_edit,
    kubeconfig_paths,
)
from tests.soak import QUICK

PATH = Path("config")
MANY = 40 if QUICK else 340
"""Clusters of 16 KB each: 5 MB, which take a while to read."""
COMMAND = ["/opt/a b/python", "-I", "-S", "/opt/__main__.py", "kube-token", "c", "--profile=a 'b' \"c\"", "#"]
NAME = "c.eu-central-1@a 'b' \"c\": #"
NEW = entries(NAME, Cluster("c", "https://c.eks", "QUJD"), COMMAND)
ADDED = {section: [NEW[section]] for section in SECTIONS}

WRITTEN = """\
# mine
apiVersion: v1
clusters:
# the first one
- cluster: &shared
    certificate-authority-data: QUJD # not secret
    server: https://one.example
  name: one

  # the second one
- cluster: *shared
  name: "two"
contexts:
  - name: one
    context: {cluster: one, user: one}
current-context: one
kind: Config
preferences: {}
users:
-   name: one
    user:
      token: |
        abc
        def
# the end
"""
FORMS = {
    "nothing": "",
    "comments": "# mine\n\n",
    "written by hand": WRITTEN,
    "with lines of Windows": WRITTEN.replace("\n", "\r\n"),
    "without a last line end": WRITTEN.removesuffix("# the end\n").removesuffix("\n"),
    "null": "apiVersion: v1\nclusters: null\ncontexts: ~\nusers:\nkind: Config\n",
    "empty lists": "apiVersion: v1\nclusters: []\ncontexts: [ ]\nusers: [\n]\nkind: Config\n",
    "last one empty": "clusters:\nusers: # none\ncontexts:",
    "document marks": "---\napiVersion: v1\n...\n",
    "json": '{"apiVersion":"v1","clusters":[{"name":"a","cluster":{}}],"users":null}\n',
    "empty json": "{}",
    "flow within": "clusters: [{name: a, cluster: {server: x}}]\nusers:\n- {name: b}\n",
    "with a mark of bytes": "\ufeffclusters:\n- name: b\n",
    "anchored list": "clusters: &all\n  - name: b\nx-mine: [1]\n",
    "only unknown keys": "x: 1\ny:\n- 2\n",
}


def said(data: bytes) -> Any:
    return YAML(typ="safe", pure=True).load(data.decode("utf-8-sig"))


def kept_in_order(before: bytes, after: bytes) -> bool:
    """Tell whether every byte is still there, in its order."""
    rest = iter(after)
    return all(byte in rest for byte in before)


@pytest.mark.parametrize("form", FORMS)
def test_what_was_there_stays_and_what_is_new_is_there(form: str) -> None:
    before = FORMS[form].encode()
    pieces = Kubeconfig(PATH, before).added(ADDED)
    after = applied(before, pieces)
    old = said(before)
    old = {"apiVersion": "v1", "kind": "Config"} if old is None else old
    new = {section: [NEW[section], *(old.get(section) or [])] for section in SECTIONS}

    assert said(after) == {**old, **new}
    assert form == "null" or kept_in_order(before, after)
    assert all(after.count(piece.after) == 1 for piece in pieces)


@pytest.mark.parametrize("form", [form for form in FORMS if "json" not in form and "empty" not in form])
def test_entries_are_found_again_whatever_was_written_around_them(form: str) -> None:
    before = FORMS[form].encode()
    after = applied(before, Kubeconfig(PATH, before).added(ADDED))
    rewritten = Kubeconfig(PATH, b"# by another program\n" + after.removeprefix(b"\xef\xbb\xbf"))
    without = rewritten.without([NAME])

    if form in {"null", "flow within"}:
        assert without is None  # in flow style: nobody cuts there
    else:
        assert without is not None
        left = said(without)
        assert [item for section in SECTIONS for item in left[section] or [] if item["name"] == NAME] == []
        assert kept_in_order(before.removeprefix(b"\xef\xbb\xbf"), without)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "line 1: "),
        ("a: 1\na: 2\n", "line 2: found duplicate key"),
        ("- a\n", "not a mapping"),
        ("just words", "not a mapping"),
        ("a: 1\n---\nb: 1\n", "found another document"),
        ("clusters: &all\n- name: x\nusers: *all\n", "leaves no place"),
        ("clusters: words\n", "leaves no place"),
        ("base: &b\n  clusters: [1]\n<<: *b\n", "leaves no place"),
        ("a: !!python/object/apply:os.system [echo]\n", "could not determine a constructor"),
        ("a: " + "[" * 700, ""),
        ("a: \x00", ""),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, why: str) -> None:
    with pytest.raises(FileRefused) as refused:
        Kubeconfig(PATH, text.encode()).added(ADDED)

    assert why in str(refused.value)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(FileRefused, match="byte 3 is not UTF-8"):
        Kubeconfig(PATH, b"a: \xff")


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(
    names=st.lists(WORDS, max_size=4, unique=True),
    indent=st.sampled_from(["", "  ", "    "]),
    comment=st.sampled_from(["", "# c\n", "\n\n"]),
    title=WORDS.filter(bool),
)
def test_any_names_live_beside_any_other(names: list[str], indent: str, comment: str, title: str) -> None:
    quoted = [name.replace("'", "''") for name in names]
    items = "".join(f"{comment}{indent}- name: '{name}'\n{indent}  x: 1\n" for name in quoted)
    before = f"apiVersion: v1\nclusters:\n{items}{comment}users: []\n".encode()
    new = entries(title, Cluster("c", "https://c.eks", "QUJD"), COMMAND)
    try:
        held = Kubeconfig(PATH, before)
        pieces = held.added({section: [new[section]] for section in SECTIONS})
    except FileRefused:  # a character that YAML does not have
        assert not all(char.isprintable() for char in "".join([*names, title]))
        return

    assert said(applied(before, pieces))["clusters"] == [new["clusters"], *(said(before)["clusters"] or [])]


def test_megabytes_with_comments_and_anchors_stay_as_they_are() -> None:
    item = "- cluster: &c{0}\n    server: {0} # here\n    certificate-authority-data: {1}\n  name: c{0}\n"
    many = "".join(item.format(number, "QUJD" * 4000) for number in range(MANY))
    before = f"# mine\nclusters:\n{many}x-mine: *c7\n".encode()
    after = applied(before, Kubeconfig(PATH, before).added(ADDED))

    assert len(before) > 16_000 * MANY
    assert kept_in_order(before, after)
    assert len(after) - len(before) < 2000


# --- which file --------------------------------------------------------------------------------------


def test_files_are_those_that_kubectl_merges(tmp_path: Path) -> None:
    named = os.pathsep.join(["a", "", "b", "a"])

    assert kubeconfig_paths({"KUBECONFIG": named}, tmp_path) == [Path("a"), Path("b")]
    assert kubeconfig_paths({"KUBECONFIG": ""}, tmp_path) == [tmp_path / ".kube" / "config"]
    assert kubeconfig_paths({}, tmp_path) == [tmp_path / ".kube" / "config"]


def test_new_entries_go_where_kubectl_puts_them(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    neither = file_to_edit([first, second])
    second.touch()
    only_second = file_to_edit([first, second])
    first.touch()

    assert (neither, only_second, file_to_edit([first, second])) == (second, second, first)
