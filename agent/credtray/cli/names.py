"""Names for the shell's completion, read from the AWS config file with as few imports as possible.

Never raises and never prints: a key press must not bring up an error.
"""

from __future__ import annotations

import os
import re

_HEADER = re.compile(r"^\[\s*(?:(profile|sso-session)\s+(.+?)|(default))\s*\]", re.MULTILINE)
_KEY = re.compile(
    r"^(sso_account_id|sso_role_name|region|sso_region|sso_start_url)[ \t]*=[ \t]*(\S+)", re.MULTILINE
)
_ANY_HEADER = re.compile(r"^\[([^\]\n]+)\]", re.MULTILINE)
_KIND = re.compile(r"(?:profile|sso-session|services)\s")
_SSO = re.compile(r"^(sso_[a-z_]+)[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_MOST_BYTES = 16 * 1024 * 1024


def complete_profile(incomplete: str) -> list[tuple[str, str]]:
    """Return the profile names that begin like this, each with its role and account where they are known."""
    found = dict(_sections("profile"))
    for name, keys in _in_credentials():
        if keys or name in found:  # keys alone are no profile of ours
            found[name] = {**found.get(name, {}), **keys}
    return [(name, _role(keys)) for name, keys in found.items() if name.startswith(incomplete)]


def complete_session(incomplete: str) -> list[tuple[str, str]]:
    """Return the sso-session names that begin like this, each with its start URL."""
    return [
        (name, keys.get("sso_start_url", ""))
        for name, keys in _sections("sso-session")
        if name.startswith(incomplete)
    ]


def complete_region(incomplete: str) -> list[str]:
    """Return the regions of the config file that begin like this."""
    found = sorted({value for key, value in _KEY.findall(_config_text()) if key in {"region", "sso_region"}})
    return [region for region in found if region.isprintable() and region.startswith(incomplete)]


def _role(keys: dict[str, str]) -> str:
    role, account = keys.get("sso_role_name"), keys.get("sso_account_id")
    return f"{role} in {account}" if role and account else ""


def _sections(kind: str) -> list[tuple[str, dict[str, str]]]:
    """Return the names of one kind, in the file's order, each with the keys of its first section."""
    text = _config_text()
    headers = list(_HEADER.finditer(text))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    found: dict[str, dict[str, str]] = {}
    for header, end in zip(headers, ends, strict=False):
        name = _unquoted(header[2] or header[3])
        if (header[1] or "profile") == kind and name and name.isprintable():
            found.setdefault(name, dict(_KEY.findall(text, header.end(), end)))
    return list(found.items())


def _in_credentials() -> list[tuple[str, dict[str, str]]]:
    """Return the sections of the credentials file, whose header is the name, with what they say of SSO."""
    text = _text("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    headers = list(_ANY_HEADER.finditer(text))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    found = (
        (header[1], dict(_SSO.findall(text, header.end(), end)))
        for header, end in zip(headers, ends, strict=False)
    )
    return [(name, keys) for name, keys in found if name.isprintable() and not _KIND.match(name)]


def _config_text() -> str:
    return _text("AWS_CONFIG_FILE", "~/.aws/config")


def _text(variable: str, usual: str) -> str:
    path = os.environ.get(variable) or usual
    try:
        # As botocore expands it; pathlib would not expand variables.
        with open(os.path.expanduser(os.path.expandvars(path)), "rb") as file:  # noqa: PTH111, PTH123 -- see above
            return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _unquoted(name: str) -> str:
    if not {"'", '"', "\\"} & {*name}:
        words = name.split()
        return words[0] if len(words) == 1 else ""
    from credtray.core.shell_words import command_words  # a key press and most names need no quotes

    try:
        words = command_words(name, windows=False)
    except ValueError:
        return ""
    return words[0] if len(words) == 1 else ""
