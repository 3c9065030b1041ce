"""Where the AWS files lie, for every mixture of variables; botocore is the judge of expansion."""

from __future__ import annotations

import itertools
import ntpath
import os
from pathlib import Path
from unittest import mock

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from credtray.aws.locations import AwsLocations, expanded_on_windows, locate


def test_without_variables_everything_lies_below_home(home: Path) -> None:
    aws = home / ".aws"

    assert locate({}, home) == AwsLocations(aws / "config", aws / "credentials", aws / "sso" / "cache")


def test_an_empty_variable_counts_as_not_set(home: Path) -> None:
    assert locate({"AWS_CONFIG_FILE": ""}, home) == locate({}, home)


@pytest.mark.parametrize(
    "text",
    [
        "~/other",
        "$HOME/other",
        "${HOME}/other",
        "$PLACE/other",
        "${PLACE}x/$PLACE",
        "$UNKNOWN/other",
        "${UNKNOWN}",
        "$",
        "a$$b",
        "~nobody-of-this-name/other",
        "~root/other",
        "/absolute/../path",
        "relative/path",
        "/a b/c'd",
    ],
)
def test_the_file_is_where_botocore_finds_it(
    text: str, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLACE", str(tmp_path / "place"))
    monkeypatch.setenv("AWS_CONFIG_FILE", text)
    environ = {"AWS_CONFIG_FILE": text, "PLACE": str(tmp_path / "place"), "HOME": str(home)}
    found = locate(environ, home).config
    if tmp_path in found.parents or home in found.parents:  # never outside what a test may write
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text("[profile marker]\nregion = x\n")

        assert "marker" in Session().full_config["profiles"]
    assert found.is_absolute()


@pytest.mark.parametrize(
    ("config", "credentials", "elsewhere"),
    list(itertools.product([None, "/c"], [None, "~/k"], [False, True])),
)
def test_each_variable_moves_its_own_file_only(
    config: str | None,
    credentials: str | None,
    elsewhere: bool,  # noqa: FBT001 - a table
    home: Path,
    tmp_path: Path,
) -> None:
    place = tmp_path if elsewhere else home
    named = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials}
    found = locate({name: value for name, value in named.items() if value}, place)

    assert found.config == (Path("/c").absolute() if config else place / ".aws" / "config")
    assert found.credentials == (place / "k" if credentials else place / ".aws" / "credentials")
    assert found.token_cache == place / ".aws" / "sso" / "cache"


_PIECES = (
    "$",
    "%",
    "{",
    "}",
    "'",
    "A",
    "B-1",
    "NONE",
    "-",
    "_",
    "ü",
    "~",
    "\\",
    "/",
    " ",
    "$$",
    "%%",
    "%A%",
    "${A}",
)
_VALUES = {"A": "one", "B-1": "$A%A%"}


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_variables_are_expanded_by_the_rules_of_windows(text: str) -> None:
    with mock.patch.dict(os.environ, _VALUES, clear=True):  # a shell may have set `$_`
        expected = ntpath.expandvars(text)

    assert expanded_on_windows(text, _VALUES) == expected


@pytest.mark.windows
@pytest.mark.parametrize(
    "text",
    [
        *(r"~\other", "~/other", r"%PLACE%\other", "%place%/other", r"$PLACE\other", r"${PLACE}\other"),
        *(r"%PLACE%\a$$b", r"%PLACE%\a%%b", r"%PLACE%\'%PLACE%'", r"%PLACE%\$UNKNOWN", r"%PLACE%\%UNKNOWN%"),
        *(r"%PLACE%\${UNKNOWN", r"%PLACE%\100%", r"%PLACE%\Zoë Smith\config"),
    ],
)
def test_the_file_is_where_botocore_for_windows_finds_it(
    text: str, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLACE", str(tmp_path / "place"))
    monkeypatch.setenv("AWS_CONFIG_FILE", text)
    found = locate({"AWS_CONFIG_FILE": text, "PLACE": str(tmp_path / "place")}, home).config
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_text("[profile marker]\nregion = x\n")

    assert "marker" in Session().full_config["profiles"]
