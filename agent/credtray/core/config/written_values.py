"""Why a value of the config file is not what somebody meant: a comment behind it, quotes, a digit too many.

Source: botocore 1.44 configloader.py reads with Python's RawConfigParser, whose values go to the end of the
line: ``;`` and ``#`` begin a comment only at the beginning of a line, and quotes are part of the value.
"""

from __future__ import annotations

import re

from credtray.core.addresses import shown

_COMMENT = re.compile(r"\s+[;#].*\Z", re.DOTALL)
_QUOTES = "\"'\u201c\u201d\u2018\u2019"
_BETWEEN_DIGITS = re.compile(r"[\s\u2010-\u2015.-]")
_ACCOUNTS = ("sso_account_id", "credtray_account_id")
_DIGITS = 12


def meant(value: str) -> str:
    """Return the value without comment and quotes: what it was probably to be."""
    return _COMMENT.sub("", value).strip().strip(_QUOTES).strip()


def advice(key: str, value: str) -> tuple[str, str] | None:
    """Return what is wrong with a refused value and the line to write instead; None: nothing of this kind."""
    plain = meant(value)
    if _COMMENT.search(value):
        text = f"{key} is {shown(value)}: what follows the value on its line is part of it"
        return text, f"Put the comment on a line of its own, and write: {key} = {plain}"
    if plain != value.strip():
        text = f"{key} is {shown(value)}: quotes are part of the value"
        return text, f"Write it without quotes: {key} = {plain}"
    return _of_account(key, plain) if key in _ACCOUNTS else None


def _of_account(key: str, value: str) -> tuple[str, str] | None:
    digits = _BETWEEN_DIGITS.sub("", value)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if digits != value and len(digits) == _DIGITS:
        text = f"{key} is {shown(value)}, with characters that are no digits"
        return text, f"Write only the digits: {key} = {digits}"
    if len(digits) < _DIGITS:
        hint = "Write all 12 digits, zeros at the beginning included."
    else:
        hint = "Write the 12 digits of the account number."
    return f"{key} is {shown(value)}: it has {len(digits)} digits, not 12", hint
