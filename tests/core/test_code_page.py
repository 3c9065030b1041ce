"""What boto3 for Windows reads otherwise than it is written; the standard library's reader is the judge."""

from __future__ import annotations

import codecs
import locale
from configparser import Error as ConfigParserError
from configparser import RawConfigParser
from pathlib import Path
from random import Random

import pytest
from botocore.configloader import raw_config_parse
from botocore.exceptions import ConfigParseError
from botocore.session import Session

from credtray.core.ini import scan
from credtray.doctor.collect_files import Content, code_page_of_boto3, misread, understood
from credtray.doctor.evidence import FileFacts, Misread
from tests.core.ini_texts import FUZZED, drawn

NO_FILE: Content = FileFacts("~/.aws/credentials"), None

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


PAGES = [
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1255",
    "cp1258",
    "cp874",
    "cp932",
    "cp936",
    "cp949",
    "cp950",
    "cp850",
]
SPICE = ["ü", "日本", "\x85", "\xa0", "\u2028", "\u3000", "ý", "é]", "ｱ", "\ufeff", "\x1a"]


def spiced(seed: int) -> bytes:
    """Return a file as somebody saved it: letters in it, a mark before it, or another encoding."""
    data, chance = drawn(seed), Random(seed)
    at = chance.randrange(len(data) + 1)
    data = data[:at] + chance.choice(SPICE).encode() + data[at:]
    match seed % 20:
        case 0:
            return b"\xef\xbb\xbf" + data
        case 1:
            return data.decode("utf-8", "replace").encode("utf-16")
        case 2:
            return data.decode("utf-8", "replace").encode("cp1252", "replace")
        case 3 | 4 | 5:
            return data.replace(b"\n", b"\r\n")
        case _:
            return data


def read_in(path: Path, encoding: str) -> dict[str, dict[str, str]] | None:
    """Return what is in the file to who opens it in this encoding; None: it cannot be read so."""
    parser = RawConfigParser()
    try:
        parser.read(path, encoding=encoding)
    except (ConfigParserError, UnicodeDecodeError):
        return None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def is_told(data: bytes, page: str) -> bool:
    config = understood((FileFacts("~/.aws/config", exists=True), data), NO_FILE, {}, page).config
    return bool(config.text.misread) or config.text.problem is not None


@pytest.mark.parametrize("page", PAGES)
def test_whatever_a_code_page_makes_of_a_file_is_told(page: str, tmp_path: Path) -> None:
    path, differing = tmp_path / "config", 0
    for seed in range(200 + FUZZED // 50):
        data = spiced(seed)
        path.write_bytes(data)
        if read_in(path, page) != read_in(path, "utf-8"):
            differing += 1

            assert is_told(data, page), data
    assert differing > 0


@pytest.mark.windows
def test_whatever_boto3_for_windows_reads_otherwise_is_told(tmp_path: Path) -> None:
    page, path, differing = code_page_of_boto3({}), tmp_path / "config", 0
    assert page is not None
    for seed in range(400 + FUZZED // 50):
        data = spiced(seed)
        path.write_bytes(data)
        try:
            theirs = raw_config_parse(str(path), parse_subsections=False)
        except ConfigParseError:
            theirs = None
        if theirs != read_in(path, "utf-8"):
            differing += 1

            assert is_told(data, page), data
    assert differing > 0


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
