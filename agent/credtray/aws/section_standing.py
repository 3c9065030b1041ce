"""Whose a section of the credentials file is, and what writing into it or leaving it takes.

Decides from the text alone, so that it holds without any record of ours and after any change by others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from credtray.core.ini import Mark, SectionEdit, SectionSpan
from credtray.core.marks import key_digest
from credtray.core.models import SectionKeys
from credtray.core.section_mark import PREFIX, SectionMark, parsed

ACCESS_KEY_ID = "aws_access_key_id"
SECRET_ACCESS_KEY = "aws_secret_access_key"  # noqa: S105 - the name of an option
SESSION_TOKEN = "aws_session_token"  # noqa: S105 - the name of an option
STALE_TOKEN = "aws_security_token"  # noqa: S105 - boto2's name, which old tools still leave behind
REGION = "region"

KEYS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, STALE_TOKEN)
_OTHER_SOURCES = (
    "credential_process",
    "credential_source",
    "role_arn",
    "source_profile",
    "web_identity_token_file",
)
_RELEASED = frozenset(KEYS)
_STALE = frozenset({STALE_TOKEN})


class Standing(Enum):
    """What a section is to us."""

    ABSENT = "absent"
    FREE = "free"
    """It holds no keys: ours may go in."""
    OURS = "ours"
    FOREIGN = "foreign"
    """It holds keys, or another source of keys, that we did not write: hands off."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A section's standing, with the mark when it is ours and the reason when it is not."""

    standing: Standing
    mark: SectionMark | None = None
    reason: str = ""


def finding(section: SectionSpan | None) -> Finding:
    """Tell whose *section* is.

    Ours: it carries our mark and the very access key that the mark was made for (or no key any more).
    """
    if section is None:
        return Finding(Standing.ABSENT)
    values = section.values
    marks = [parsed(comment.text) for comment in section.comments if comment.text.startswith(PREFIX)]
    mark = next((mark for mark in marks if mark is not None), None)
    held = [name for name in KEYS if name in values]
    if mark is not None:
        if not held or key_digest(values.get(ACCESS_KEY_ID, "")) == mark.key_digest:
            return Finding(Standing.OURS, mark)
        return Finding(Standing.FOREIGN, None, "its access key is no longer the one that credtray wrote")
    if held:
        return Finding(Standing.FOREIGN, None, f"it holds {held[0]}, which credtray did not write")
    source = next((name for name in _OTHER_SOURCES if name in values), None)
    if source is not None:
        return Finding(Standing.FOREIGN, None, f"it gets its credentials from {source}")
    return Finding(Standing.FREE)


def our_part(section: SectionSpan | None) -> tuple[str, ...]:
    """Return what we write into a section, to see whether somebody has changed it; compares, never shown."""
    if section is None:
        return ()
    marks = [comment.text for comment in section.comments if comment.text.startswith(PREFIX)]
    values = section.values
    return (*marks, *(f"{name}={values.get(name)}" for name in KEYS))


def writing(
    wanted: SectionKeys, section: SectionSpan | None, mark: SectionMark | None, gap: int
) -> SectionEdit:
    """Return the edit that puts *wanted* into a section that is absent, free or ours.

    Args:
        wanted: the keys.
        section: as it is now.
        mark: the mark it carries now, when it is ours.
        gap: how many line ends will go before it if it is appended.
    """
    keys = wanted.credentials
    values = {
        ACCESS_KEY_ID: keys.access_key_id,
        SECRET_ACCESS_KEY: keys.secret_access_key.reveal(),
        SESSION_TOKEN: keys.session_token.reveal(),
    }
    remove = set(_STALE)
    written, before = _region(wanted, section, mark)
    if written is not None:
        values[REGION] = written
    elif mark is not None and mark.region is not None and _region_now(section) == mark.region:
        _give_back(mark, values, remove)
    added = gap if section is None else None if mark is None else mark.gap
    line = SectionMark(
        wanted.profile, keys.expires_at, key_digest(keys.access_key_id), added, written, before, wanted.pasted
    ).line()
    return SectionEdit(wanted.section, values, frozenset(remove), Mark(PREFIX, line))


def leaving(section: SectionSpan, mark: SectionMark) -> SectionEdit:
    """Return the edit that takes out what we wrote, and nothing else: the exact opposite of ``writing``."""
    values: dict[str, str] = {}
    remove = set(_RELEASED)
    if mark.region is not None and _region_now(section) == mark.region:
        _give_back(mark, values, remove)
    return SectionEdit(
        section.name,
        values,
        frozenset(remove),
        Mark(PREFIX, None),
        drop_if_empty=mark.gap is not None,
        gap=mark.gap or 0,
    )


def _region(
    wanted: SectionKeys, section: SectionSpan | None, mark: SectionMark | None
) -> tuple[str | None, str | None]:
    """Return the region to write, and the one that it takes the place of."""
    now = _region_now(section)
    if wanted.region is None or (now is not None and not (now and now.isprintable())):
        return None, None  # a region over several lines could not be given back
    if mark is not None and mark.region is not None and now == mark.region:
        return wanted.region, mark.region_before
    return (None, None) if now == wanted.region else (wanted.region, now)


def _region_now(section: SectionSpan | None) -> str | None:
    return None if section is None else section.values.get(REGION)


def _give_back(mark: SectionMark, values: dict[str, str], remove: set[str]) -> None:
    if mark.region_before is None:
        remove.add(REGION)
    else:
        values[REGION] = mark.region_before
