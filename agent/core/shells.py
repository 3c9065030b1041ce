"""Role credentials written for pasting: assignments for each shell, or a section of the credentials file.

Pure. The result is one ``Secret``: it goes to the clipboard or a pipe somebody asked for, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from agent.core import ini
from agent.core.errors import UnexpectedReply
from agent.core.forms import Form
from agent.core.models import RoleCredentials
from agent.core.secret import Secret

_HARMLESS_TO_CMD = re.compile(r"[A-Za-z0-9+/=._-]*", re.ASCII)
_FISH_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'"})
_POWERSHELL_ESCAPES = str.maketrans({char: f"`{char}" for char in '`$"\u201c\u201d\u201e'})
"""PowerShell takes typographic double quotes for quotes, too (its language specification, 2.3.5.2)."""


def written(credentials: RoleCredentials, form: Form, section: str, region: str | None) -> Secret:
    """Return the whole text, every line ended.

    The shells get the three ``AWS_`` variables of the keys and, where a region is given, ``AWS_REGION`` and
    ``AWS_DEFAULT_REGION`` (botocore reads the latter, other SDKs the former). The section is
    *section* with the three keys and nothing else: a region belongs into the config file.

    Raises:
        IniRefused: the section's name, or a value, cannot be written into an AWS file.
        UnexpectedReply: a value cannot be printed, so it cannot be pasted either; it is not quoted.
    """
    values = dict(_keys(credentials))
    if region is not None and form is not Form.SECTION:
        values |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if not all(value and value.isprintable() for value in values.values()):
        raise UnexpectedReply("a key is empty or holds characters that cannot be printed")
    if form is Form.SECTION:
        return Secret(_section(section, values))
    return Secret("".join(_ASSIGNMENTS[form](name, value) for name, value in values.items()))


def _keys(credentials: RoleCredentials) -> Iterator[tuple[str, str]]:
    yield "AWS_ACCESS_KEY_ID", credentials.access_key_id
    yield "AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.reveal()
    yield "AWS_SESSION_TOKEN", credentials.session_token.reveal()


def _section(name: str, values: Mapping[str, str]) -> str:
    return ini.set_keys(b"", name, {key.lower(): value for key, value in values.items()}).decode()


def _posix(name: str, value: str) -> str:
    quoted = value.replace("'", "'\"'\"'")
    return f"export {name}='{quoted}'\n"


def _fish(name: str, value: str) -> str:
    return f"set -gx {name} '{value.translate(_FISH_ESCAPES)}'\n"


def _powershell(name: str, value: str) -> str:
    # Windows' own line ends: its older console takes a lone line feed for Ctrl+J.
    return f'$Env:{name}="{value.translate(_POWERSHELL_ESCAPES)}"\r\n'


def _cmd(name: str, value: str) -> str:
    """Write for cmd's prompt, where ``%`` cannot be doubled: a caret inside makes the name unknown.

    Before every character, so that no part between two percent signs names a variable, whatever is set.
    """
    plain = _HARMLESS_TO_CMD.fullmatch(value) is not None
    return f"SET {name}={value if plain else ''.join(f'^{char}' for char in value)}\r\n"


_ASSIGNMENTS: Mapping[Form, Callable[[str, str], str]] = {
    Form.POSIX: _posix,
    Form.FISH: _fish,
    Form.POWERSHELL: _powershell,
    Form.CMD: _cmd,
}
