"""Names and paths as words of the commands that credtray prints: each is to run as it stands there.

For bash, zsh and ksh; fish and PowerShell read all but the words of ``$'...'`` the same.
"""

from __future__ import annotations

import shlex


def word(name: str) -> str:
    r"""Return text as one word: ``a b`` becomes ``'a b'``, a line feed ``$'\n'``."""
    if name.isprintable():
        return shlex.quote(name)
    return f"$'{''.join(map(_escaped, name))}'"


def argument(name: str) -> str:
    """Return text as the last word of a command line, where a leading dash would make it an option."""
    return f"-- {word(name)}" if name.startswith("-") else word(name)


def with_options(name: str, *options: str) -> str:
    """Return the last word of a command with options: behind it, or before a name with a leading dash."""
    return " ".join((*options, argument(name)) if name.startswith("-") else (word(name), *options))


def path_word(path: str) -> str:
    """Return a path as one word; ``~`` and ``~/`` at its beginning still mean the home directory."""
    if path == "~":
        return path
    if path.startswith("~/"):
        return f"~/{word(path[2:])}" if path[2:] else path
    return word(f"./{path}" if path.startswith("-") else path)


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
