"""How each client reads the two files: where one reading serves all, it says what each of them would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.doctor.resolution.environment import Dialect, FileView, Section, environment_of, read_botocore
from credtray.doctor.resolution.read_by_line import (
    FileKind,
    RawFile,
    RawSection,
    Refused,
    is_plain,
    read_go,
    read_java,
    read_javascript,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
READERS: dict[Dialect, Callable[[bytes, FileKind], RawFile]] = {
    Dialect.BOTOCORE: read_botocore,
    Dialect.JAVASCRIPT: read_javascript,
    Dialect.GO: read_go,
    Dialect.JAVA: read_java,
}
LINES = [
    *(
        "[default]",
        "[profile default]",
        "[profile a]",
        "[profile b]",
        "[sso-session c]",
        "[a]",
        "[a b]",
        "[DEFAULT]",
    ),
    *(
        '[profile "a"]',
        "[profile a b]",
        "[sso-session d]",
        "[services s]",
        "[profile a] # mine",
        "[ profile a ]",
    ),
    *("region = x", "role_arn = r", "sso_session=c", "sso_start_url = https://x/#/", "source_profile = a"),
    *(
        "sso_region = us # mine",
        "sso_region = us ; mine",
        "region = 'x'",
        "Region = x",
        "region: x",
        "region =",
    ),
    *(
        "# comment",
        "; comment",
        "",
        "  region = x",
        "\tregion = x",
        "region = x  ",
        "region = é",
        "what",
        "= x",
    ),
    *("sso_account_id = 1", "sso_role_name = a=b", "region = \ufeff", "\ufeff[a]", "sso_start_url = a:b"),
]


def shape_of_raw(sections: Mapping[str, RawSection]) -> dict[str, tuple[int, dict[str, tuple[str, int]]]]:
    return {
        name: (each.line, {key: at for key, at in each.values.items() if is_kept(key)})
        for name, each in sections.items()
    }


def shape_of_view(sections: Mapping[str, Section]) -> dict[str, tuple[int, dict[str, tuple[str, int]]]]:
    return {
        name: (each.line, {key: (its.value, its.line) for key, its in each.settings.items() if is_kept(key)})
        for name, each in sections.items()
    }


def is_kept(key: str) -> bool:
    return key in {"region", "role_arn", "source_profile"} or key.startswith("sso_")


def expected_view(dialect: Dialect, data: bytes, kind: FileKind) -> object:
    try:
        raw = READERS[dialect](data, kind)
    except Refused as refused:
        return refused.problem
    return shape_of_raw(raw.profiles), shape_of_raw(raw.sso_sessions)


def said_by(view: FileView) -> object:
    if view.problem is not None:
        return view.problem
    return shape_of_view(view.profiles), shape_of_view(view.sso_sessions)


PLAIN_LINES = [line for line in LINES if is_plain(line.encode(), FileKind.CONFIG)]


@given(st.lists(st.one_of(st.sampled_from(PLAIN_LINES), st.sampled_from(LINES)), max_size=14), st.booleans())
def test_one_reading_serves_all_only_where_they_agree(lines: list[str], ends: bool) -> None:  # noqa: FBT001 - drawn
    data = ("\n".join(lines) + ("\n" if ends else "")).encode()
    seen = environment_of(data, data, {}, NOW)

    for dialect in Dialect:
        assert expected_view(dialect, data, FileKind.CONFIG) == said_by(seen.config[dialect])
        assert expected_view(dialect, data, FileKind.CREDENTIALS) == said_by(seen.credentials[dialect])


def test_plain_files_are_known_as_such() -> None:
    config = (
        b"[default]\nregion = x\n\n# c\n[profile a]\nsso_start_url=https://x/#/\n[sso-session s]\nregion = y"
    )

    assert is_plain(config, FileKind.CONFIG)
    assert is_plain(b'# mark: profile "a b", x\n[a@b]\naws_access_key_id = AKIA\n', FileKind.CREDENTIALS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[profile a b]", {Dialect.GO}),
        ('[profile "a"]', {Dialect.BOTOCORE, Dialect.JAVASCRIPT}),
        ('[profile "a b"]', {Dialect.BOTOCORE}),
        ("[profile a]", set(Dialect)),
        ("[profile a] # mine", set(Dialect)),
        ("[a]", set()),
    ],
)
def test_who_sees_the_profile_of_a_header(line: str, expected: set[Dialect]) -> None:
    seen = environment_of(f"{line}\nregion = x\n".encode(), None, {}, NOW)

    assert expected == {
        dialect for dialect, view in seen.config.items() if {"a", "a b"} & view.profiles.keys()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]\nregion = x\n[a]\nregion = y\n", {Dialect.BOTOCORE: 3}),
        ("[a]\nregion = x\nregion = y\n", {Dialect.BOTOCORE: 3}),
        ("[a]\nwhat is this\n", {Dialect.BOTOCORE: 2, Dialect.GO: 2, Dialect.JAVA: 2}),
        ("region = x\n[a]\n", {Dialect.BOTOCORE: 1, Dialect.JAVA: 1}),
        ("\ufeff[a]\nregion = x\n", {Dialect.BOTOCORE: 1, Dialect.GO: 1, Dialect.JAVA: 1}),
        ("[a\nregion = x\n", {Dialect.BOTOCORE: 1, Dialect.GO: 1, Dialect.JAVA: 1}),
    ],
)
def test_who_refuses_a_broken_file_and_at_which_line(text: str, expected: dict[Dialect, int]) -> None:
    seen = environment_of(None, text.encode(), {}, NOW)

    assert expected == {
        dialect: view.problem.line for dialect, view in seen.credentials.items() if view.problem is not None
    }
