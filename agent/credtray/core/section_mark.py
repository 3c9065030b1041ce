"""The comment line by which credtray knows its sections again, without any other record.

Pure text in, values out. The mark holds no secret: of the access key id only a short digest.

``# credtray keeps this section: profile "dev", expires 2026-11-22T19:36:43Z, key 3f2a9c1b0d4e, ...``;
for keys that `credtray import` wrote, ``pasted "111122223333/ReadOnly"`` in place of the profile.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

# How credtray recognises keys it wrote itself, without remembering them.


DIGEST_LENGTH = 16


def key_digest(access_key_id: str) -> str:
    """Return a digest that recognises an access key id and does not give it away."""
    return hashlib.sha256(b"credtray\0" + access_key_id.encode()).hexdigest()[:DIGEST_LENGTH]


PREFIX = "# credtray keeps this section:"
_STRING = r'"(?:[^"\\]|\\.)*"'
_PATTERN = re.compile(
    re.escape(PREFIX)
    + rf" (profile|pasted) ({_STRING})"
    + r", expires (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
    + rf", key ([0-9a-f]{{{DIGEST_LENGTH}}})"
    + r"(?:, added (\d))?"
    + rf"(?:, region ({_STRING})(?: instead of ({_STRING}))?)?"
)


@dataclass(frozen=True, slots=True)
class SectionMark:
    """What a mark says."""

    profile: str
    expires_at: datetime
    key_digest: str
    """See ``key_digest``: of the access key id that was written."""
    gap: int | None = None
    """The section was added by us, with so many line ends before it; None: it was there before."""
    region: str | None = None
    """The region that was written by us."""
    region_before: str | None = None
    """The region that stood there before; None: there was none."""
    pasted: bool = False
    """Of no profile: ``profile`` says whose the pasted keys are, account and role."""

    def line(self) -> str:
        """Return the comment line, without its ending."""
        words = [
            f"{PREFIX} {'pasted' if self.pasted else 'profile'} {_quoted(self.profile)}",
            f"expires {self.expires_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z",
            f"key {self.key_digest}",
        ]
        if self.gap is not None:
            words.append(f"added {self.gap}")
        if self.region is not None:
            before = "" if self.region_before is None else f" instead of {_quoted(self.region_before)}"
            words.append(f"region {_quoted(self.region)}{before}")
        return ", ".join(words)


def parsed(comment: str) -> SectionMark | None:
    """Return what a comment line says when it is a mark of ours, None for any other text."""
    found = _PATTERN.fullmatch(comment)
    if found is None:
        return None
    kind, profile, expires, digest, gap, region, before = found.groups()
    try:
        return SectionMark(
            profile=_unquoted(profile),
            expires_at=datetime.fromisoformat(expires),
            key_digest=digest,
            gap=None if gap is None else int(gap),
            region=None if region is None else _unquoted(region),
            region_before=None if before is None else _unquoted(before),
            pasted=kind == "pasted",
        )
    except ValueError:  # a date such as the 31st of June, or a broken string: somebody edited it
        return None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _unquoted(text: str) -> str:
    value: str = json.loads(text)
    return value
