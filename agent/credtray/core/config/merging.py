"""Lays what the credentials file says of a profile over what the config file says, as the SDKs do.

Pure. What credtray itself wrote into the credentials file says nothing about a profile and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from credtray.core.config.text import ConfigText, Section, Value, is_config_header, read_section
from credtray.core.errors import ConfigInvalid
from credtray.core.ini import scan
from credtray.core.ini.text import DEFAULT_SECTION, SectionSpan
from credtray.core.marks import key_digest
from credtray.core.section_mark import PREFIX, SectionMark, parsed

_KEYS = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"})

_HIDDEN = "hidden"
"""Stands for the value of a key: whoever decides about a profile need not know it."""


def merged(config: ConfigText, credentials: Mapping[str, Section]) -> ConfigText:
    """Return the profiles as programs see them: setting by setting, and the credentials file wins.

    A profile may stand in the credentials file alone; sso-sessions and services come from the config file
    only. Source: botocore 1.44 session.py ``full_config``.
    """
    if not credentials:
        return config
    profiles = dict(config.profiles)
    for name, section in credentials.items():
        beneath = profiles.get(name)
        profiles[name] = replace(section, over=section) if beneath is None else _laid_over(beneath, section)
    return replace(config, profiles=profiles)


def read_credentials(data: bytes) -> Mapping[str, Section]:
    """Return what the sections of a credentials file say of the profiles they are named after.

    A header is the profile's name. Left out are the keys that credtray keeps there and the region that it
    wrote with them, sections that hold nothing else, and headers of the config file's kind (there is one
    file for both, or somebody put them into the wrong one). Of keys it only says that they are there.

    Raises:
        ConfigInvalid: botocore would refuse the whole file too.
    """
    found = scan(data)
    if found.problem is not None:
        raise ConfigInvalid(f"line {found.problem.line} of the credentials file: {found.problem.text}")
    defaults: dict[str, str] = {}
    for span in found.sections:
        if span.name == DEFAULT_SECTION:
            defaults |= span.values
    sections = (
        (span.name, _without_ours(_without_secrets(read_section(span, defaults)), span))
        for span in found.sections
        if span.name != DEFAULT_SECTION and not is_config_header(span.name)
    )
    return {name: section for name, section in sections if section is not None}


def whole_credentials(data: bytes) -> Mapping[str, Section]:
    """Return the same, and nothing for a broken file: the file itself is the trouble then, told elsewhere."""
    try:
        return read_credentials(data)
    except ConfigInvalid:
        return MappingProxyType({})


def remembered_section(name: str, settings: Mapping[str, Value]) -> Section:
    """Return a section again whose text is gone: its lines are not known any more."""
    return Section(settings, SectionSpan(name, 1, 0, 0, 0))


def our_mark(span: SectionSpan) -> SectionMark | None:
    """Return credtray's mark of a section, unless somebody has put another access key below it."""
    if PREFIX not in span.text[span.header_end : span.end]:
        return None
    marks = (parsed(comment.text) for comment in span.comments if comment.text.startswith(PREFIX))
    mark = next((mark for mark in marks if mark is not None), None)
    if mark is None:
        return None
    values = span.values
    held = any(name in values for name in _KEYS)
    return mark if not held or key_digest(values.get("aws_access_key_id", "")) == mark.key_digest else None


def _laid_over(beneath: Section, section: Section) -> Section:
    settings = {name: value for name, value in beneath.settings.items() if name not in section.oversized}
    oversized = tuple(name for name in beneath.oversized if name not in section.settings)
    return Section(
        {**settings, **section.settings}, beneath.span, (*oversized, *section.oversized), over=section
    )


def _without_secrets(section: Section) -> Section:
    return replace(
        section,
        settings={name: _HIDDEN if name in _KEYS else value for name, value in section.settings.items()},
    )


def _without_ours(section: Section, span: SectionSpan) -> Section | None:
    mark = our_mark(span)
    if mark is None:
        return section
    left = {name: value for name, value in section.settings.items() if name not in _KEYS}
    if mark.region is not None and mark.region == section.text("region"):
        del left["region"]
        if mark.region_before is not None:
            left["region"] = mark.region_before
    return replace(section, settings=left) if left else None
