"""Reads AWS INI text as the SDKs for JavaScript, Go and Java do: line by line, each in its own way.

They agree with botocore on plain files; they differ in comments behind values, in capitals, in blanks within
names, and in what makes a file unreadable. Sources: @smithy/core 3.33 shared-ini-file-loader (JavaScript,
compared with the real one by tests); aws-sdk-go-v2 internal/ini and config/shared_config.go, aws-sdk-java-v2
ProfileFileReader.java (documented, not run).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from credtray.core.ini.text import IniProblem, decode

# A file of AWS settings as one client has read it, before anything is hidden or understood.
#
# Values stand here as they are in the file; nothing of this leaves the package.


DEFAULT_PROFILE = "default"


class FileKind(Enum):
    """Which of the two files a text is: only the config file has prefixes in its headers."""

    CONFIG = "config"
    CREDENTIALS = "credentials"


_NAME = r"[A-Za-z0-9_.\-/%@+]+"
_SETTING = r"[a-z][a-z0-9_]* ?= ?(?![#;'\"])[!-~](?:[!-~]|[ ](?![#;]))*"
"""No capitals, no blanks before it, a value on the same line, and nothing that may be a comment or quotes."""
_PLAIN = {
    kind: re.compile(rf"(?:(?:{_SETTING}|\[(?:{header})\]|[#;][^\r\n]*|)\n)*", re.ASCII)
    for kind, header in (
        (FileKind.CONFIG, rf"default|profile (?!default\]){_NAME}|sso-session {_NAME}"),
        (FileKind.CREDENTIALS, rf"(?!DEFAULT\]){_NAME}"),
    )
}


def is_plain(data: bytes, kind: FileKind) -> bool:
    """Whether a text that botocore reads is one that all clients read alike."""
    text = decode(data)
    return _PLAIN[kind].fullmatch(text if text.endswith("\n") else text + "\n") is not None


@dataclass(slots=True)
class RawSection:
    """A section; of every setting the value and its line, counted from 1."""

    line: int
    values: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class RawFile:
    """The sections by the names that profiles and sso-sessions go by."""

    profiles: dict[str, RawSection] = field(default_factory=dict)
    sso_sessions: dict[str, RawSection] = field(default_factory=dict)
    problem: IniProblem | None = None
    """Why the client refuses the file as a whole; then it has no sections."""


class Refused(Exception):
    """The client does not get beyond this line."""

    def __init__(self, line: int, text: str) -> None:
        self.problem = IniProblem(line, text)
        super().__init__(text)


_LINE_END = re.compile(r"\r?\n")
_SCRIPT_HEADER = re.compile(r"([\w-]+)\s([\"']?)([\w\-@+.%:/]+)\2", re.ASCII)
_SCRIPT_KINDS = frozenset({"profile", "sso-session", "services"})
_SCRIPT_COMMENT = re.compile(r"(?:^|\s)[;#]")
_COMMENT_AFTER_BLANK = re.compile(r"[ \t][#;]")
_COMMENT = re.compile(r"[#;]")
_JAVA_NAME = re.compile(r"[A-Za-z0-9_\-/.%@:+]*")
_BLANK = " \t"
_BLANKS = (" ", "\t")
_BOM = "\ufeff"
_PLAIN_DEFAULT = "[default]"
"""Where Java keeps ``[default]`` until it is known that there is no ``[profile default]``."""


# --- JavaScript --------------------------------------------------------------------------------------


def read_javascript(data: bytes, kind: FileKind) -> RawFile:
    """Read one file; nothing is ever refused, what is not understood is skipped."""
    found: dict[str, RawSection] = {}
    header, header_line, parent = "", 0, ""
    for number, line in enumerate(_LINE_END.split(decode(data)), 1):
        clean = _trim(_SCRIPT_COMMENT.split(line, maxsplit=1)[0])
        if clean.startswith("[") and clean.endswith("]"):
            header, header_line, parent = _script_name(clean[1:-1]), number, ""
            continue
        name, equals, value = (_trim(part) for part in clean.partition("="))
        if not (header and equals and name):
            continue
        if not value:
            parent = name
            continue
        if not line[:1].isspace():
            parent = ""
        key = f"{parent}.{name}" if parent else name
        found.setdefault(header, RawSection(header_line)).values[key] = (value, number)
    return _script_file(found) if kind is FileKind.CONFIG else RawFile(found)


def _trim(text: str) -> str:
    """As ECMAScript does: a byte order mark is blank too."""
    return text.strip().strip(_BOM).strip()


def _script_name(header: str) -> str:
    """Return what the section is called: ``kind.name`` with a known prefix, empty with an unknown one."""
    words = _SCRIPT_HEADER.fullmatch(header)
    if words is None:
        return header
    return f"{words[1]}.{words[3]}" if words[1] in _SCRIPT_KINDS else ""


def _script_file(found: dict[str, RawSection]) -> RawFile:
    file = RawFile()
    if DEFAULT_PROFILE in found:
        file.profiles[DEFAULT_PROFILE] = found[DEFAULT_PROFILE]
    for header, section in found.items():
        prefix, _, name = header.partition(".")
        if header.startswith("profile."):
            file.profiles[name] = section
        elif prefix == "sso-session" and name:
            file.sso_sessions[name] = section
    return file


# --- Go ----------------------------------------------------------------------------------------------


def read_go(data: bytes, kind: FileKind) -> RawFile:
    """Read one file.

    Raises:
        Refused: a line is neither a header nor a setting.
    """
    found: dict[str, RawSection] = {}
    current: RawSection | None = None
    for number, line in enumerate(_LINE_END.split(decode(data)), 1):
        if not line.strip() or line.lstrip(_BLANK).startswith(("#", ";")):
            continue
        clean = _COMMENT.split(line, maxsplit=1)[0].rstrip(_BLANK)
        if clean.startswith("[") and clean.endswith("]"):
            current = found.setdefault(" ".join(clean[1:-1].split(None, 1)).strip(), RawSection(number))
        elif not line.startswith(_BLANKS):  # what is indented continues the value above
            _go_setting(line, number, current)
    return _go_file(found, kind)


def _go_setting(line: str, number: int, current: RawSection | None) -> None:
    clean = _COMMENT_AFTER_BLANK.split(line, maxsplit=1)[0]
    parts = re.split("[=:]", clean, maxsplit=1)
    if len(parts) == 1:
        raise Refused(number, "this line is neither a header nor a setting")
    value = parts[1].strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    if current is not None:
        current.values[parts[0].strip().lower()] = (value, number)


def _go_file(found: dict[str, RawSection], kind: FileKind) -> RawFile:
    if kind is FileKind.CREDENTIALS:
        return RawFile({name: each for name, each in found.items() if not name.startswith("profile ")})
    file = RawFile()
    if DEFAULT_PROFILE in found:
        file.profiles[DEFAULT_PROFILE] = found[DEFAULT_PROFILE]
    for header, section in found.items():
        prefix, _, name = header.partition(" ")
        if prefix == "profile" and name:
            file.profiles[name] = section
        elif prefix == "sso-session" and name:
            file.sso_sessions[name] = section
    return file


# --- Java --------------------------------------------------------------------------------------------


def read_java(data: bytes, kind: FileKind) -> RawFile:
    """Read one file.

    Raises:
        Refused: a setting before the first header, a line without ``=``, a header without its bracket.
    """
    file = RawFile()
    reading: RawSection | None = None
    seen_header = False
    for number, line in enumerate(_LINE_END.split(decode(data)), 1):
        if not line.strip(_BLANK) or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            reading, seen_header = _java_section(line, number, kind, file), True
        elif not seen_header:
            raise Refused(number, "a setting before the first header")
        elif reading is not None and not line.startswith(_BLANKS):
            _java_setting(line, number, reading)
    plain = file.profiles.pop(_PLAIN_DEFAULT, None)
    if plain is not None:
        file.profiles.setdefault(DEFAULT_PROFILE, plain)
    return file


def _java_section(line: str, number: int, kind: FileKind, file: RawFile) -> RawSection | None:
    """Begin or go on with a section; None: it is skipped for its name."""
    header = _COMMENT.split(line, maxsplit=1)[0].strip()
    if not header.endswith("]"):
        raise Refused(number, "a header without its closing bracket")
    name = header[1:-1].strip()
    named = file.profiles
    if kind is FileKind.CONFIG and name != DEFAULT_PROFILE:
        prefix, name = (*name.split(None, 1), "", "")[:2]
        if prefix not in {"profile", "sso-session"}:
            return None
        named = file.profiles if prefix == "profile" else file.sso_sessions
    if not name or not _JAVA_NAME.fullmatch(name):
        return None
    plain = kind is FileKind.CONFIG and header[1:-1].strip() == DEFAULT_PROFILE
    return named.setdefault(_PLAIN_DEFAULT if plain else name, RawSection(number))


def _java_setting(line: str, number: int, reading: RawSection) -> None:
    name, equals, value = _COMMENT_AFTER_BLANK.split(line, maxsplit=1)[0].partition("=")
    if not equals or not name.strip():
        raise Refused(number, "a line without a name and an `=`")
    if _JAVA_NAME.fullmatch(name.strip()):
        reading.values[name.strip()] = (value.strip(), number)
