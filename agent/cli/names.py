"""Names for the shell's completion, read from the AWS config file with as few imports as possible.

Never raises and never prints: a key press must not bring up an error.
"""

from __future__ import annotations

import os
import re
import shlex

_HEADER = re.compile(r"^\[\s*(?:(profile|sso-session)\s+(.+?)|(default))\s*\]", re.MULTILINE)
_MOST_BYTES = 16 * 1024 * 1024


def complete_profile(incomplete: str) -> list[str]:
    """Return the profile names that begin like this."""
    return [name for name in _names("profile") if name.startswith(incomplete)]


def complete_session(incomplete: str) -> list[str]:
    """Return the sso-session names that begin like this."""
    return [name for name in _names("sso-session") if name.startswith(incomplete)]


def _names(kind: str) -> list[str]:
    text = _config_text()
    headers = ((header or "profile", name or bare) for header, name, bare in _HEADER.findall(text))
    found = dict.fromkeys(_unquoted(name) for header, name in headers if header == kind)
    return [name for name in found if name and name.isprintable()]


def _config_text() -> str:
    path = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        # As botocore expands it; pathlib would not expand variables.
        with open(os.path.expanduser(os.path.expandvars(path)), "rb") as file:  # noqa: PTH111, PTH123 -- see above
            return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _unquoted(name: str) -> str:
    try:
        words = shlex.split(name)
    except ValueError:
        return ""
    return words[0] if len(words) == 1 else ""
