"""Writes the manual page credtray(1) from what docs/reference/commands.md is written from.

python packaging/man_page.py credtray.1
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from site_packages import epoch

from credtray import __version__
from credtray.cli.main import SUMMARY
from credtray.cli.reference import EXIT_CODES, CommandText, command_texts

_FILES = (
    (
        "~/.aws/config",
        "Yours. Read; `credtray setup` shows you the changes, then adds sessions and profiles.",
    ),
    ("~/.aws/credentials", "Yours. Sections with credtray's mark are its own, for profiles you activated."),
    ("~/.aws/sso/cache/", "Shared with the AWS CLI: a sign-in with either works for both."),
    ("~/.config/credtray/settings.toml", "Your settings; it may be missing."),
    ("~/.local/state/credtray/", "State, log, and a copy of each AWS file from before its first edit."),
)


def page() -> str:
    """Return the page in the language of man(7)."""
    day = time.strftime("%Y-%m-%d", time.gmtime(epoch()))
    lines = [f'.TH CREDTRAY 1 "{day}" "credtray {__version__}" "User Commands"']
    lines += [".SH NAME", rf"credtray \- {_text(SUMMARY[:1].lower() + SUMMARY[1:].rstrip('.'))}"]
    lines += [".SH SYNOPSIS", r".B credtray", r"[\fB\-\-verbose\fR] \fICOMMAND\fR [\fIWORDS\fR...]"]
    lines += [".SH DESCRIPTION", *_paragraphs(SUMMARY)]
    lines += [r"\fB\-\-verbose\fR with any command prints where an error came from."]
    lines += [".SH COMMANDS"]
    for command in command_texts():
        lines += _command(command)
    lines += [".SH EXIT STATUS"]
    for code, meaning in EXIT_CODES:
        lines += [".TP", rf"\fB{code}\fR", _text(meaning)]
    lines += [".SH FILES"]
    for path, meaning in _FILES:
        lines += [".TP", rf"\fI{_plain(path)}\fR", _text(meaning)]
    lines += [".SH SEE ALSO", r"\fBaws\fR(1)"]
    return "\n".join(lines) + "\n"


def _command(command: CommandText) -> Iterator[str]:
    yield f'.SS "credtray {_plain(command.name)}"'
    yield from _paragraphs(command.prose)
    for name, meaning in command.rows:
        yield ".TP"
        yield _text(name)
        yield _text(meaning)
    if command.examples:
        yield from (".PP", "Examples:", ".PP", ".nf", ".RS")
        yield from (_guarded(_plain(line)) for line in command.examples.splitlines())
        yield from (".RE", ".fi")


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        yield _text(paragraph)


def _text(text: str) -> str:
    """Return one line of text, with what stands in backticks in bold."""
    words = re.sub(r"\s+", " ", text).strip()
    parts = re.split(r"``?(.+?)``?", words)
    shown = (rf"\fB{_plain(part)}\fR" if at % 2 else _plain(part) for at, part in enumerate(parts))
    return _guarded("".join(shown))


def _plain(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti").replace("^", r"\(ha")
    return escaped.replace("`", r"\(ga")


def _guarded(line: str) -> str:
    """Return the line so that it is none of man's own commands."""
    return rf"\&{line}" if line[:1] in {".", "'"} else line


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")
