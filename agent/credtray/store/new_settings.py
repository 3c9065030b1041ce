"""The text of a new settings.toml: every setting with its explanation, all commented out.

Generated from the classes of core/settings and the docstrings below their fields; writes nothing.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from textwrap import wrap

from credtray.core.settings import TABLES, ProfileSettings, SessionSettings, Settings, literal

_HEAD = """\
# credtray's settings. Everything has a default: this file may be empty or missing.
# Remove the # in front of a line to set it; changes take effect within seconds.
# `credtray settings` shows what is in effect. All settings: `credtray help reference/settings`.
"""
_WIDTH = 100
_EXAMPLE = re.compile(r"(?:such as|Example:) ``(.+?)``")


def new_text() -> str:
    """Return the file for somebody who has none yet; all of it is comment."""
    parts = [_HEAD, *_settings(Settings)]
    parts.append(
        "# Settings of one sso-session: its name for NAME, in quotes when it has dots or blanks.\n"
        "#[sessions.NAME]\n\n"
    )
    parts += _settings(SessionSettings)
    parts.append("# Settings of one profile.\n#[profiles.NAME]\n\n")
    parts += _settings(ProfileSettings)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _settings(kind: type) -> Iterator[str]:
    told = field_texts(kind)
    for item in fields(kind):
        if item.name not in TABLES:
            text = told.get(item.name, "").replace("``", "")
            explained = "".join(f"# {line}\n" for line in wrap(text, _WIDTH))
            yield f"{explained}#{item.name} = {_shown(item.default, told.get(item.name, ''))}\n"


def _shown(default: object, text: str) -> str:
    """Return the default, or where there is none an example."""
    if default is not None:
        return literal(default)
    example = _EXAMPLE.search(text)
    return example[1] if example else '""'


def field_texts(kind: type) -> dict[str, str]:
    """Return field -> the docstring below it in the source of its class; nothing where there is no source."""
    try:
        body = ast.parse(inspect.getsource(kind)).body[0]
    except (OSError, TypeError):
        return {}
    found: dict[str, str] = {}
    if isinstance(body, ast.ClassDef):
        for above, below in zip(body.body, body.body[1:], strict=False):
            match above, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=text)):
                    found[name] = str(text)
    return found
