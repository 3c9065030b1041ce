"""Reads the credentials file into facts that tell of keys without holding one."""

from __future__ import annotations

from dataclasses import replace

from credtray.aws.credentials_file import ACCESS_KEY_ID, KEYS, SECRET_ACCESS_KEY, Standing, finding
from credtray.core.diagnosis.facts import CredentialsFacts, IniFacts, KeyKind, KeySection
from credtray.core.durations import noted_end
from credtray.core.ini import SectionSpan
from credtray.core.section_mark import PREFIX, parsed


def credentials_facts(text: IniFacts, spans: list[SectionSpan]) -> CredentialsFacts:
    """Return what the sections hold."""
    keys = (_keys(span) for span in spans)
    names = tuple(dict.fromkeys(span.name for span in spans))
    return CredentialsFacts(text, names, tuple(found for found in keys if found is not None))


def _keys(span: SectionSpan) -> KeySection | None:
    values = span.values
    if not any(name in values for name in KEYS):
        return None
    standing = finding(span)
    section = KeySection(
        span.name,
        span.header_line,
        _kind(values.get(ACCESS_KEY_ID, "")),
        half=(ACCESS_KEY_ID in values) is not (SECRET_ACCESS_KEY in values),
        old_token=values.get("aws_security_token", values.get("aws_session_token"))
        != values.get("aws_session_token"),
    )
    if standing.standing is Standing.OURS and standing.mark is not None:
        mark = standing.mark
        return replace(
            section,
            profile=mark.profile,
            expires_at=mark.expires_at,
            pasted=mark.pasted,
            digest=mark.key_digest,
        )
    edited = any(parsed(item.text) for item in span.comments if item.text.startswith(PREFIX))
    end = noted_end(values)
    return replace(section, expires_at=None if end is None else end[1], edited=edited)


def _kind(access_key_id: str) -> KeyKind:
    return {"AKIA": KeyKind.LONG_TERM, "ASIA": KeyKind.TEMPORARY}.get(access_key_id[:4], KeyKind.UNKNOWN)
