"""What boto3 for Windows reads otherwise than it is written; the standard library's reader is the judge."""

from __future__ import annotations

import codecs
import locale
from configparser import RawConfigParser
from pathlib import Path

import pytest
from botocore.session import Session

from credtray.core.ini import scan
from credtray.doctor.collect_files import Content, code_page_of_boto3, misread, understood
from credtray.doctor.evidence import FileFacts, Misread

CONFIG = """\
# Zürich
[profile prod-zürich]
region = eu-central-2
credential_process = C:\\Zoë\\credtray.exe
[profile dev]
région = x
"""


def file_of(text: str) -> Content:
    return FileFacts("~/.aws/config", exists=True), text.encode()


@pytest.mark.parametrize("page", ["cp1252", "cp1250", "cp437", "cp850", "cp1251"])
def test_names_are_told_as_boto3_reads_them(page: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(CONFIG.encode())
    parser = RawConfigParser()
    parser.read(path, encoding=page)
    [header, process, option] = misread(CONFIG.encode(), page)

    assert parser.sections() == [(header.theirs or "").strip("[]"), "profile dev"]
    assert parser.options("profile dev") == [(option.theirs or "").lower()]
    assert (header.line, header.ours) == (2, "[profile prod-zürich]")
    assert process == Misread(4, "credential_process", "credential_process")


@pytest.mark.parametrize(
    ("text", "told"), [("# Á\n[a]\n", "a comment"), ("[a]\nk = Á\n", "k"), ("[Á]\n", "[Á]")]
)
def test_letter_that_the_code_page_lacks_stops_boto3(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(text.encode())
    with pytest.raises(UnicodeDecodeError):
        RawConfigParser().read(path, encoding="cp1252")

    assert [(item.ours, item.theirs) for item in misread(text.encode(), "cp1252")] == [(told, None)]


def test_no_value_is_told() -> None:
    told = repr(list(misread("[a]\naws_secret_access_key = geheim-ü\n".encode(), "cp1252")))

    assert "geheim" not in told
    assert "aws_secret_access_key" in told


def test_both_files_are_looked_at_and_ascii_is_the_same_everywhere() -> None:
    files = understood(file_of("[profile a]\n"), file_of("[ä]\nk = 1\n"), {}, "cp1252")

    assert files.config.text.misread == ()
    assert files.credentials.text.misread == (Misread(1, "[ä]", "[Ã¤]"),)
    assert understood(file_of(CONFIG), file_of(CONFIG), {}).config.text.misread == ()


@pytest.mark.posix("the AWS files are UTF-8 for every program there")
def test_elsewhere_there_is_no_code_page() -> None:
    assert code_page_of_boto3({}) is None


@pytest.mark.windows
def test_names_are_those_of_boto3_for_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    path.write_bytes(CONFIG.encode())
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    page = code_page_of_boto3({})
    assert page is not None
    header = next(misread(path.read_bytes(), page))

    assert (header.theirs or "")[9:-1] in Session().available_profiles
    assert "prod-zürich" in [
        section.name.removeprefix("profile ") for section in scan(CONFIG.encode()).sections
    ]


@pytest.mark.windows
def test_utf8_mode_and_a_utf8_system_read_as_we_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_page_of_boto3({"PYTHONUTF8": "1"}) is None
    assert code_page_of_boto3({}) == codecs.lookup(locale.getencoding()).name

    monkeypatch.setattr(locale, "getencoding", lambda: "cp65001")
    assert code_page_of_boto3({}) is None
