"""Reads role credentials out of what the access portal's "Access keys" panel copies, in each of its forms.

Pure. Never quotes what was pasted: an error names the parts, not their values.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from credtray.core.errors import PasteRefused
from credtray.core.models import Secret, account_and_role, portal_block
from credtray.core.words import utc_instant
from credtray.pasted.forms import (
    carries_a_key,
    doubt,
    followed_by_words,
    is_piece,
    name_alone,
    pairs,
    statements,
    together,
    unwrapped,
    value_alone,
)
from credtray.ways_out.shells import (
    ACCESS_KEY_ID,
    ACCOUNT_ID,
    EXPIRES,
    REGION,
    ROLE,
    SECRET_ACCESS_KEY,
    SECURITY_TOKEN,
    SESSION_TOKEN,
    part_named,
)

# Reads the JSON in which AWS's own tools print role credentials, in terms of ``key_parts``. Pure.


_DEEPEST = 12
"""Levels of a document that are looked into; a task definition of ECS has four."""


def json_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield (part, value) of ``export-credentials``, STS's ``Credentials``, ``roleCredentials`` or variables.

    Several objects may follow each other; what follows the last one is not looked at.

    Raises:
        PasteRefused: they are no whole JSON objects.
    """
    decoder, left = json.JSONDecoder(), text.strip()
    while left.startswith("{"):
        try:
            document, end = decoder.raw_decode(left)
        except (ValueError, RecursionError):
            raise PasteRefused("it begins like JSON and is none, or not whole") from None
        yield from _fields(document, _DEEPEST)
        left = left[end:].strip()


def after_json(text: str) -> str:
    """Return what follows the last of the JSON objects that ``json_fields`` has read."""
    decoder, left = json.JSONDecoder(), text.strip()
    while left.startswith("{"):
        left = left[decoder.raw_decode(left)[1] :].strip()
    return left


def _fields(document: Any, depth: int) -> Iterator[tuple[str, str]]:
    if depth and isinstance(document, dict):
        for name, value in _named(document).items():
            part = part_named(name)
            number = isinstance(value, int) and not isinstance(value, bool)
            if part is not None and (isinstance(value, str) or number):
                yield part, str(value)
        yield from _assumed(document.get("AssumedRoleUser"))
        for inner in document.values():
            yield from _fields(inner, depth - 1)
    elif depth and isinstance(document, list):
        for inner in document:
            yield from _fields(inner, depth - 1)


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields, and what a pair of name and value says (environments of ECS, Kubernetes)."""
    name, value = document.get("name"), document.get("value")
    return {**document, name: value} if isinstance(name, str) and isinstance(value, str) else document


def _assumed(user: Any) -> Iterator[tuple[str, str]]:
    arn = user.get("Arn") if isinstance(user, dict) else None
    if isinstance(arn, str):
        account_id, role_name, _ = account_and_role(arn)
        yield from ((ACCOUNT_ID, account_id or ""), (ROLE, role_name or ""))


LONGEST = 64 * 1024
"""Bytes of a paste; a set of keys has about 2,000."""
_LONGEST_TOKEN = 16384
"""As much as is taken from the portal itself (aws/service_call)."""

_PARTS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN)
_KEYS = frozenset({*_PARTS, SECURITY_TOKEN})

_TEMPORARY = re.compile(r"ASIA[A-Z0-9]{12,124}", re.ASCII)
_LONG_TERM = re.compile(r"AKIA[A-Z0-9]{12,124}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9+/=]{40}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}", re.ASCII)
_HEADER = re.compile(r"^[ ]*\[[ ]*(?:profile[ ]+)?([^\[\]\n]{1,200}?)[ ]*\][ ]*$", re.MULTILINE)
_CONTINUED = re.compile(r"[ ]+[\\^`][ ]*\n[ ]*(?:>+[ ]+)?")
"""A command that goes on in the next line: sh, cmd, PowerShell; with their prompt for more."""
_BEFORE_TOKEN = 2
"""Values of a set before its token: the ID and the secret key."""
_NO_WORD = re.compile(r"[0-9+/=]")
_OBJECT = re.compile(r"^[ ]*\{", re.MULTILINE)

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
    doubtful: bool = False
    """The token came on several lines, or amid a command: only AWS can tell whether it is whole."""


def parse(pasted: bytes) -> PastedKeys:
    """Return the keys in a paste.

    Taken are option 1 of the panel (bash, PowerShell, cmd; also csh, fish, env files, options of docker),
    option 2 (the profile block), option 3 (the single values in the panel's order: ID, secret key, token),
    YAML, tfvars, and the JSON of ``aws configure export-credentials``, of STS and of
    ``aws sso get-role-credentials``. Line ends, prompts and typographic quotes do not matter. A line that
    names or holds a key has one of these forms as a whole, or the paste is refused.

    Raises:
        PasteRefused: it is no text, too long, holds no keys, a part of them, two different sets, a
            long-term key, or a key in a form that is not known.
    """
    text = _text_of(pasted)
    if not text.strip():
        raise PasteRefused("nothing was pasted")
    lines, doubtful = unwrapped(_CONTINUED.sub(" ", text).split("\n"))
    text = "\n".join(lines)
    found = _Found()
    begin = _OBJECT.search(text)
    if begin is not None:
        for name, value in json_fields(text[begin.start() :]):
            found.add(name, value)
        _refuse_stray(f"{text[: begin.start()]}\n{after_json(text[begin.start() :])}")
    elif _read_statements(lines, found):
        doubtful = doubtful or any(followed_by_words(each) for line in lines for each in statements(line))
    else:
        doubtful = _read_single_values(lines, found)
    return found.keys(_header(text), doubtful=doubtful)


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


def _read_statements(lines: Iterable[str], found: _Found) -> bool:
    """Read what assigns a value to a name; False: nothing here does that for a key."""
    named = False
    stray: list[str] = []
    waiting: str | None = None
    for statement in (each for line in lines for each in statements(line)):
        value = None if waiting is None else value_alone(statement)
        assigned = [(waiting, value)] if waiting is not None and value is not None else pairs(statement)
        waiting = name_alone(statement)
        if assigned is None and waiting is None and carries_a_key(statement):
            stray.append(statement)
        for name, text in assigned or ():
            part = part_named(name)
            named = named or part in _KEYS
            if part is not None:
                found.add(part, text)
    if named:
        _refuse_stray("\n".join(stray))
    return named


def _refuse_stray(text: str) -> None:
    if any(carries_a_key(statement) for line in text.split("\n") for statement in statements(line)):
        raise PasteRefused("a line with (a part of) a key has a form that credtray does not know")


def _read_single_values(lines: Iterable[str], found: _Found) -> bool:
    """Read values without names: the ID tells itself, the secret key has 40 characters, then the token.

    Return whether a token was put together.
    """
    wrapped = False
    for pieces in _sets(lines):
        if pieces and _is_id(pieces[0]):
            found.add(ACCESS_KEY_ID, pieces.pop(0))
        if pieces and _SECRET.fullmatch(pieces[0]):
            found.add(SECRET_ACCESS_KEY, pieces.pop(0))
        if pieces:
            found.add(SESSION_TOKEN, together(pieces))
            wrapped = wrapped or len(pieces) > 1
    return wrapped


def _sets(lines: Iterable[str]) -> list[list[str]]:
    """Return the lines of each set of values, which begins with its ID.

    Raises:
        PasteRefused: another line stands where more of the token may be, or words beside a key.
    """
    sets: list[list[str]] = [[]]
    in_token = False
    for words in ([word.strip("\"',;") for word in line.split()] for line in lines):
        alone = len(words) == 1 and is_piece(words[0]) and (len(sets) > 1 or _is_key(words[0]))
        if alone or (words and all(map(_is_key, words))):
            for word in words:
                if _is_id(word):
                    sets.append([])
                sets[-1].append(word)
        elif in_token and words:
            raise doubt()
        elif any(_is_key(word) for word in words):
            raise PasteRefused("there are other words on the line of a key")
        elif len(sets) > 1 and any(_NO_WORD.search(word) and is_piece(word) for word in words):
            raise doubt()
        in_token = len(sets[-1]) > _BEFORE_TOKEN and bool(words)
    return sets


def _is_id(word: str) -> bool:
    return bool(_TEMPORARY.fullmatch(word) or _LONG_TERM.fullmatch(word))


def _is_key(word: str) -> bool:
    return any(form.fullmatch(word) for form in (_TEMPORARY, _LONG_TERM, _SECRET, _TOKEN))


def _header(text: str) -> str | None:
    """Return the header that the access key ID stands below."""
    key = re.search(r"(?:aws_)?access_key", text, re.IGNORECASE)
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

    def keys(self, header: str | None, *, doubtful: bool) -> PastedKeys:
        tokens = self.values.get(SESSION_TOKEN) or self.values.get(SECURITY_TOKEN) or []
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
            account_id=self._first(ACCOUNT_ID) or account_id,
            role_name=self._first(ROLE) or role_name,
            region=self._first(REGION),
            expires_at=utc_instant(self._first(EXPIRES) or ""),
            doubtful=doubtful,
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
