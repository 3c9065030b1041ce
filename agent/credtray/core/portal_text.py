"""Reads role credentials out of what the access portal's "Access keys" panel copies, in each of its forms.

Pure. Never quotes what was pasted: an error names the parts, not their values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from credtray.core.assumed_role import portal_block
from credtray.core.credentials_json import json_fields
from credtray.core.errors import PasteRefused
from credtray.core.instants import utc_instant
from credtray.core.secret import Secret

LONGEST = 64 * 1024
"""Bytes of a paste; a set of keys has about 2,000."""
_LONGEST_TOKEN = 16384
"""As much as is taken from the portal itself (aws/replies)."""

ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN = "access key ID", "secret access key", "session token"
_REGION, _EXPIRATION, _OLD_TOKEN = "region", "expiration", "security token"
_PARTS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)

_TEMPORARY = re.compile(r"ASIA[A-Z0-9]{12,124}", re.ASCII)
_LONG_TERM = re.compile(r"AKIA[A-Z0-9]{12,124}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9+/=]{40}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9+/=._-]{64,}", re.ASCII)
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/=._-]{16,}", re.ASCII)
"""What may be a key, or a piece of a wrapped one."""

_HEADER = re.compile(r"^[ ]*\[[ ]*(?:profile[ ]+)?([^\[\]\n]{1,200}?)[ ]*\][ ]*$", re.MULTILINE)
_ASSIGNMENT = re.compile(
    r"""
    (?P<by_blank>\bset(?:[ ]+-{1,2}[a-z]+)+[ ]+|\bsetx[ ]+)?  # fish and setx: a blank before the value
    (?<![a-z0-9_])
    (?:aws[ _](?P<key>access[ _]key[ _]id|secret[ _]access[ _]key|session[ _]token|security[ _]token)
       |(?P<region>aws_region|aws_default_region|region)
       |(?P<expiration>aws_credential_expiration|aws_session_expiration|aws_expiration
          |x_security_token_expires))
    (?(by_blank)[ ]+|[ ]*[=:][ ]*)
    (?P<value>"[^"]*"|'[^']*'|[^\s"';&]{32,}(?:\n[ ]*[a-z0-9+/=]+[ ]*$)+|[^\s"';&]*)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE | re.ASCII,
)
"""One assignment of any shell, dotenv or credentials file; a long value may go on over whole lines."""

_LOOKALIKES: dict[int, str | None] = {
    **dict.fromkeys(map(ord, "\t\u00a0\u2007\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "\u2028\u2029"), "\n"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\uff02"), '"'),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\uff07"), "'"),
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"), None),
}
"""What chats, mails and documents make of blanks and quotes."""


@dataclass(frozen=True, slots=True)
class PastedKeys:
    """One whole set of temporary keys, and what else the paste says about them."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    section: str | None = None
    """The header of a profile block, as it was pasted."""
    account_id: str | None = None
    role_name: str | None = None
    region: str | None = None
    """As pasted; whether it has the form of a region is for others to check."""
    expires_at: datetime | None = None


def parse(pasted: bytes) -> PastedKeys:
    """Return the keys in a paste.

    Taken are option 1 of the panel (bash, PowerShell, cmd; also fish and dotenv), option 2 (the profile
    block), option 3 (the single values in the panel's order: ID, secret key, token) and the JSON of
    ``aws configure export-credentials``, of STS and of ``aws sso get-role-credentials``. Line ends, blanks,
    prompts, typographic quotes and a session token wrapped over several lines do not matter.

    Raises:
        PasteRefused: it is no text, too long, holds no keys, a part of them, two different sets, or a
            long-term key.
    """
    text = _text_of(pasted)
    if not text.strip():
        raise PasteRefused("nothing was pasted")
    found = _Found()
    if text.lstrip().startswith("{"):
        for name, value in json_fields(text):
            found.add(name, value)
    else:
        _read_assignments(text, found)
        if not any(found.values.get(part) for part in _PARTS):
            _read_single_values(text.split(), found)
    return found.keys(_header(text))


def _text_of(pasted: bytes) -> str:
    if len(pasted) > LONGEST:
        raise PasteRefused(f"it is longer than {LONGEST // 1024} KiB")
    wide = pasted.startswith((b"\xff\xfe", b"\xfe\xff"))  # a file that PowerShell wrote
    try:
        text = pasted.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError:
        raise PasteRefused("it is no UTF-8 text") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a").translate(_LOOKALIKES)
    if any(unicodedata.category(char) == "Cc" and char != "\n" for char in text):
        raise PasteRefused("it holds control characters")
    return text


# --- the forms ---------------------------------------------------------------------------------------


def _read_assignments(text: str, found: _Found) -> None:
    for match in _ASSIGNMENT.finditer(text):
        if match["key"] is not None:
            name = " ".join(match["key"].lower().replace("_", " ").split()).replace(" id", " ID")
        else:
            name = _REGION if match["region"] is not None else _EXPIRATION
        value = match["value"].strip("\"'")
        # Only an expiration may have blanks inside; in a key they come from where it was wrapped.
        found.add(name, value if name == _EXPIRATION else "".join(value.split()))


def _read_single_values(words: Iterable[str], found: _Found) -> None:
    """Read the three values without names: the ID tells itself, the secret key has 40 characters."""
    token: list[str] = []
    for word in (word.strip("\"',;") for word in words):
        if _TEMPORARY.fullmatch(word) or _LONG_TERM.fullmatch(word):
            found.add(ACCESS_KEY_ID, word)
        elif _SECRET.fullmatch(word) and SECRET_ACCESS_KEY not in found.values:
            found.add(SECRET_ACCESS_KEY, word)
        elif _KEY_TEXT.fullmatch(word) or (token and word.rstrip("=").isalnum()):
            token.append(word)
    found.add(SESSION_TOKEN, "".join(token))


def _header(text: str) -> str | None:
    """Return the header that the access key ID stands below."""
    key = re.search(r"aws_access_key_id", text, re.IGNORECASE)
    headers = [match for match in _HEADER.finditer(text) if key is not None and match.start() < key.start()]
    return headers[-1][1] if headers else None


# --- a whole set -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """What a paste holds, by part; each value once."""

    values: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def add(self, name: str, value: str) -> None:
        there = self.values.setdefault(name, [])
        if value and value not in there:
            there.append(value)

    def keys(self, header: str | None) -> PastedKeys:
        tokens = self.values.get(SESSION_TOKEN) or self.values.get(_OLD_TOKEN) or []
        parts = {**self.values, SESSION_TOKEN: tokens}
        problem = next(_problems(parts), None)
        if problem is not None:
            raise problem
        access_key_id, secret, token = (parts[part][0] for part in _PARTS)
        account_id, role_name = portal_block(header or "")
        return PastedKeys(
            access_key_id,
            Secret(secret),
            Secret(token),
            section=header,
            account_id=self._first("account ID") or account_id,
            role_name=self._first("role") or role_name,
            region=self._first(_REGION),
            expires_at=utc_instant(self._first(_EXPIRATION) or ""),
        )

    def _first(self, name: str) -> str | None:
        return next(iter(self.values.get(name, ())), None)


def _problems(parts: dict[str, list[str]]) -> Iterator[PasteRefused]:
    """Yield why these are no whole set, the weightiest reason first."""
    if any(_LONG_TERM.fullmatch(value) for value in parts.get(ACCESS_KEY_ID, ())):
        yield PasteRefused(
            "this is a long-term access key (AKIA...), which credtray does not take: it never ends by itself",
            hint="Copy the role credentials of the access portal; their ID begins with ASIA.",
        )
    missing = [part for part in _PARTS if not parts.get(part)]
    if len(missing) == len(_PARTS):
        yield PasteRefused("there are no keys in it")
    if missing:
        yield PasteRefused(f"it holds no whole {' and no '.join(missing)}")
    if any(len(parts[part]) > 1 for part in _PARTS if part in parts):
        yield PasteRefused("it holds two different sets of keys", hint="Paste one set at a time.")
    for part, form in zip(_PARTS, (_TEMPORARY, _SECRET, _TOKEN), strict=True):
        value = next(iter(parts.get(part, ())), "")
        if not form.fullmatch(value) or len(value) > _LONGEST_TOKEN:
            yield PasteRefused(f"the {part} is not whole, or is none ({len(value)} characters)")
