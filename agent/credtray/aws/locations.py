"""Where the AWS files of a user lie: the config file, the credentials file and the token cache.

Takes the environment as a mapping and touches no file; a missing one is no error here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})", re.ASCII)
_OF_WINDOWS = re.compile(
    r"(?P<quoted>'[^']*'?)|%%|\$\$"
    r"|%(?P<percent>[^%]*)%|\$\{(?P<braces>[^}]*)\}|\$(?P<plain>[-\w]+)"
    r"|%[^%]*$|\$\{[^}]*$",
    re.ASCII,
)
"""What ``ntpath.expandvars`` looks at; an opening sign that is never closed keeps the rest as it is."""


@dataclass(frozen=True, slots=True)
class AwsLocations:
    """Paths as the user names them; each may be a symbolic link or not exist."""

    config: Path
    credentials: Path
    token_cache: Path
    """A directory. It has no variable of its own: every program looks below the home directory."""


def locate(environ: Mapping[str, str], home: Path) -> AwsLocations:
    """Return where the files lie; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE are honoured.

    ``$VAR``, then ``~`` are expanded as botocore 1.44 does (configloader.py ``raw_config_parse``), on Windows
    by the rules of ntpath. An empty variable counts as not set.
    """
    directory = home / ".aws"
    return AwsLocations(
        _named(environ, "AWS_CONFIG_FILE", home) or directory / "config",
        _named(environ, "AWS_SHARED_CREDENTIALS_FILE", home) or directory / "credentials",
        directory / "sso" / "cache",
    )


def _named(environ: Mapping[str, str], variable: str, home: Path) -> Path | None:
    expanded = expanded_on_windows if sys.platform == "win32" else _expanded
    text = expanded(environ.get(variable, ""), environ)
    if not text:
        return None
    if text == "~" or text.startswith(("~/", f"~{os.sep}")):
        return home / text[2:]
    return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - pathlib raises for an unknown ~user


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return environ.get(match[1] or match[2] or "", match[0])

    return _VARIABLE.sub(value, text)


def expanded_on_windows(text: str, environ: Mapping[str, str]) -> str:
    """Return *text* as ``ntpath.expandvars`` expands it, by *environ*, whose names are in upper case.

    ``%VAR%``, ``$VAR`` and ``${VAR}`` stand for their values, ``%%`` and ``$$`` for one sign; what is unknown
    or in single quotes stays.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] in {"%%", "$$"}:
            return match[0][0]
        name = next((match[kind] for kind in ("percent", "braces", "plain") if match[kind] is not None), None)
        return match[0] if name is None else environ.get(name.upper(), match[0])

    return _OF_WINDOWS.sub(value, text)
