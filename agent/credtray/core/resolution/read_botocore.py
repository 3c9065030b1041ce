"""Reads AWS INI text as boto3 and the AWS CLI do, by the rules of ``core.ini`` and ``core.config.text``.

Source: botocore 1.44 configloader.py; the AWS CLI carries the same parser.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping

from credtray.core.config.text import MAX_FILE, Section, read_config
from credtray.core.ini import scan
from credtray.core.ini.text import DEFAULT_SECTION, SectionSpan
from credtray.core.resolution.raw_text import FileKind, RawFile, RawSection, Refused


def read_botocore(data: bytes, kind: FileKind) -> RawFile:
    """Read one file.

    Raises:
        Refused: it is not what botocore reads, or larger than credtray reads.
    """
    if len(data) > MAX_FILE:
        raise Refused(1, f"it is larger than {MAX_FILE // 1024 // 1024} MiB")
    found = scan(data)
    if found.problem is not None:
        raise Refused(found.problem.line, found.problem.text)
    line_at = _lines(found.text)
    defaults: dict[str, tuple[str, int]] = {}
    spans: dict[str, dict[str, tuple[str, int]]] = {}
    for span in found.sections:
        into = defaults if span.name == DEFAULT_SECTION else spans.setdefault(span.name, {})
        into.update(_values(span, line_at))
    if kind is FileKind.CREDENTIALS:
        headers = {span.name: span.header_line for span in found.sections}
        return RawFile({name: RawSection(headers[name], {**defaults, **own}) for name, own in spans.items()})
    config = read_config(data)
    sections = (config.profiles, config.sso_sessions)
    profiles, sessions = (_named(named, spans, defaults) for named in sections)
    return RawFile(profiles, sessions)


def _named(
    sections: Mapping[str, Section],
    spans: Mapping[str, dict[str, tuple[str, int]]],
    defaults: Mapping[str, tuple[str, int]],
) -> dict[str, RawSection]:
    """Put the lines to what ``read_config`` has sorted; nested blocks name no credentials."""
    return {
        name: RawSection(
            section.span.header_line,
            {
                key: (own.get(key) or defaults[key])
                for key, value in section.settings.items()
                if isinstance(value, str)
            },
        )
        for name, section in sections.items()
        for own in (spans[section.span.name],)
    }


def _values(span: SectionSpan, line_at: Callable[[int], int]) -> dict[str, tuple[str, int]]:
    return {option.name: (option.value, line_at(option.start)) for option in span.options}


def _lines(text: str) -> Callable[[int], int]:
    """Return what tells the line of a position; lines end as a text file's do."""
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    ends = [end.start() for end in re.finditer("\n", text)]
    return lambda position: bisect_right(ends, position - 1) + 1
