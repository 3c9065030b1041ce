"""The config file is sorted into sections as botocore sorts it: botocore itself is the judge."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from botocore.configloader import load_config
from botocore.exceptions import ConfigParseError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credtray.core.config.sections import MAX_FILE, MAX_VALUE, Section, read_config
from credtray.core.errors import ConfigInvalid
from tests.soak import examples

_HEADERS = (
    "[default]",
    "[profile a]",
    '[profile "a b"]',
    "[profile 'a b' c]",
    "[profile a b]",
    "[profile]",
    '[profile "a]',
    "[profilex y]",
    "[profile \\a]",
    "[profile default]",
    "[sso-session corp]",
    "[sso-session-x corp]",
    '[sso-session "co rp"]',
    "[services s]",
    "[DEFAULT]",
    "[preview]",
    "[a]b]",
    "  [profile a]",
    "[profile\ta]",
    "[profile a\u2028b]",
    "[]",
    "[broken",
)
_LINES = (
    "region = eu-west-1",
    "Region=x",
    "sso_region : us-east-1",
    "s3 =",
    "  addressing_style = path",
    "  no delimiter",
    "\tsso_region = nested",
    "key = a = b ; c # d",
    "key =",
    "# comment",
    "; comment",
    "",
    "   ",
    "no delimiter",
    "= value",
    "a\u2028b = c",
    "a\x0cb = c\x1cd",
    "x = %(y)s $HOME ~",
    "\u00fc = \u00e9",
)
_PIECES = _HEADERS + _LINES


def _text(seed: bytes) -> str:
    """Each byte of the seed picks a line, the first one the line ending: much faster to draw than lists."""
    end = ("\n", "\r\n", "\r")[seed[0] % 3] if seed else "\n"
    return end.join(_PIECES[byte % len(_PIECES)] for byte in seed[1:]) + end


_TEXTS = st.binary(max_size=14).map(_text)


def _plain(sections: dict[str, Section]) -> dict[str, dict[str, object]]:
    return {name: dict(section.settings) for name, section in sections.items()}


def _by_botocore(path: Path) -> dict[str, object] | None:
    try:
        loaded = load_config(str(path))
    except ConfigParseError:
        return None
    return {kind: loaded[kind] for kind in ("profiles", "sso_sessions", "services")}


def _by_us(data: bytes) -> dict[str, object] | None:
    try:
        config = read_config(data)
    except ConfigInvalid:
        return None
    return {
        "profiles": _plain(dict(config.profiles)),
        "sso_sessions": _plain(dict(config.sso_sessions)),
        "services": _plain(dict(config.services)),
    }


@pytest.mark.posix("botocore reads the files as UTF-8, not in a code page")
@given(text=_TEXTS)
@example(text="[DEFAULT]\nregion = x\n[profile a]\n")
@example(text="[profile a]\nx = 1\n[default]\n[profile default]\nx = 2\n")
@settings(max_examples=examples(10_000))
def test_any_text_is_read_or_refused_as_botocore_does(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "config"
    path.write_bytes(text.encode())

    assert _by_botocore(path) == _by_us(text.encode())


@given(data=st.binary(max_size=200))
@settings(max_examples=examples(2_000))
def test_any_bytes_are_read_or_refused_with_a_line(data: bytes) -> None:
    with contextlib.suppress(ConfigInvalid):
        read_config(data)
        return

    with pytest.raises(ConfigInvalid, match=r"line \d"):
        read_config(data)


def test_a_broken_line_is_named_and_not_quoted() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_config(b"[profile a]\nregion = x\naws_secret_access_key hunter2\n")

    assert "line 3" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_setting_is_found_on_its_line() -> None:
    config = read_config(b"\n# c\n[profile a]\r\n\nregion = x\ns3 =\n  a = b\noutput = json\n")
    lines = [config.profiles["a"].line_of(name) for name in ("missing", "region", "output")]

    expected = [3, 5, 8]
    assert expected == lines


def test_a_value_above_the_limit_is_left_out() -> None:
    config = read_config(b"[profile a]\nsso_region = " + b"x" * (MAX_VALUE + 1) + b"\noutput = json\n")

    kept, left_out = {"output": "json"}, ("sso_region",)
    assert kept == config.profiles["a"].settings
    assert left_out == config.profiles["a"].oversized


def test_a_file_above_the_limit_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="16 MiB"):
        read_config(b"#" * (MAX_FILE + 1))
