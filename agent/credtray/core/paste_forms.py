"""The forms in which a shell, a file or a program names role credentials, one whole statement at a time.

Pure. A statement is taken when all of it has a known form, else not at all: nothing is searched inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from credtray.core.shells import SECURITY_TOKEN, SESSION_TOKEN, part_named

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_LABEL = r"AWS[ ](?:access[ ]key[ ]id|secret[ ]access[ ]key|session[ ]token|security[ ]token)"
_QUOTED = r"""\$?"[^"\n]*"|\$?'[^'\n]*'"""
_VALUE = rf"(?:{_QUOTED}|[^\s\"';&]+)"
_VALUE_OR_NONE = rf"(?:{_QUOTED}|[^\s\"';&]*)"
_PAIR = rf"{_IDENTIFIER}={_VALUE_OR_NONE}"

_PROMPT = re.compile(
    r"""
    (?: [^\"'=\n]{0,120}?[$#%>\u276f\u203a\u00bb][ ]+               # user@host:~$   me%   PS C:\Users\me>   >
      | [A-Za-z]:\\[^>\"'=\n]{0,120}>[ ]*            # C:\>
      | \u279c[ ]+\S+[ ]+(?:git:\([^)\s]*\)[ ]+)?(?:\u2717[ ]+)? )
    """,
    re.VERBOSE,
)
_STATEMENTS = re.compile(r"""(?:"[^"]*"|'[^']*'|[^;&])+""")
_FLAGS = re.IGNORECASE | re.ASCII

_PAIRS = re.compile(
    rf"(?:(?:export|declare|typeset|readonly|env|set)(?:[ ]+-[a-z]+)*[ ]+)?(?P<pairs>{_PAIR}(?:[ ]+{_PAIR})*)"
    r"(?P<comment>[ ]+\#.*)?",
    _FLAGS,
)
_ONE_PAIR = re.compile(rf"(?P<name>{_IDENTIFIER})=(?P<value>{_VALUE_OR_NONE})", _FLAGS)
_FORMS = tuple(
    re.compile(
        form.replace("NAME", f"(?P<name>{_IDENTIFIER})")
        .replace("VALUE", f"(?P<value>{_VALUE})")
        .replace("QUOTED", f"(?P<value>{_QUOTED})")
        .replace("SETS", r"(?:setenv|set-env|setx(?:[ ]+/[a-z])?|set(?:[ ]+-+[a-z]+)+)")
        .replace("METHOD", r"\[(?:system\.)?environment\]::setenvironmentvariable")
        .replace("SCOPE", r"(?:,[ ]*[^()'\"]*|,[ ]*(?P<s>[\"'])[a-z]*(?P=s)[ ]*)?")
        .replace("SETTING", rf"(?P<value>{_QUOTED}|[^\s\"';&,]*)"),
        _FLAGS,
    )
    for form in (
        # a file: INI, tfvars, YAML, one line of JSON; csh's and cmd's `set`
        r"(?:(?:set|-)[ ]+)?(?P<q>[\"']?)NAME(?P=q)[ ]*[=:][ ]*SETTING,?(?P<comment>[ ]+\#.*)?",
        # a whole assignment in quotes: cmd's `set "NAME=value"`, a list of compose
        r"(?:(?:set|-)[ ]+)?(?P<q>[\"'])NAME=(?P<value>[^\"'\s]*)(?P=q),?",
        # a blank before the value: csh, cmd, fish, elvish
        r"SETS[ ]+(?P<q>[\"']?)NAME(?P=q)[ ]+VALUE(?:[ ]+/m)?",
        # PowerShell, nushell, xonsh
        r"\$\{?(?:env[:.])?NAME\}?[ ]*=[ ]*VALUE",
        r"METHOD\([ ]*(?P<q>[\"'])NAME(?P=q)[ ]*,[ ]*QUOTED[ ]*SCOPE\)",
        r"(?:set-item|new-item|si)[ ]+(?:-path[ ]+)?(?P<q>[\"']?)env:\\?NAME(?P=q)[ ]+(?:-value[ ]+)?VALUE",
    )
)
_LABELLED = re.compile(rf"(?P<name>{_LABEL})[ ]*:[ ]*(?P<value>{_VALUE})", _FLAGS)
_NAME_ALONE = re.compile(
    rf"(?P<name>{_LABEL}):?|(?:-[ ]+)?name:[ ]*([\"']?)(?P<listed>{_IDENTIFIER})\2", _FLAGS
)
_VALUE_ALONE = re.compile(rf"(?:-[ ]+)?value:[ ]*(?P<value>{_VALUE})|(?P<bare>{_VALUE})", _FLAGS)

_MARKED = re.compile(
    r"[ ]*(?:$|#|;|//|`{3}|[\[\]{}(-]|(?:unset|remove-item|export|set[ ]+-)[ ])", re.IGNORECASE
)
_CONTAINERS = re.compile(
    r"(?:(?:sudo[ ]+)?(?:docker|podman|nerdctl|finch|kubectl|oc)[ ]|-e[ ]|--env[ =])", _FLAGS
)
_CONTAINER_WORD = re.compile(rf"(?:{_QUOTED}|[^\s\"'])+")
_IMAGE_OR_OPTION = re.compile(r"-.*|[a-z0-9][a-z0-9._/:@-]*", re.ASCII)
"""What may stand after a variable on such a command line: capitals come from a key that was broken."""

_PIECE = re.compile(r"[A-Za-z0-9+/=_-]+", re.ASCII)
_CARRIES = re.compile(r"[A-Za-z0-9+/=]{16,}", re.ASCII)
_NAMES_A_KEY = re.compile(
    r"(?:access[ _-]?key|secret[ _-]?key|(?:session|security)[ _-]?token)", re.IGNORECASE
)
_LONG_PIECE = re.compile(r"[A-Za-z0-9+/]{40,}", re.ASCII)


def statements(line: str) -> Iterator[str]:
    """Yield the commands of one line, without a prompt before them and what separates them."""
    line = line.strip(" ")
    prompt = _PROMPT.match(line)
    if prompt and pairs(line.rstrip(" ;")) is None:  # `KEY: value # why` is no prompt
        line = line[prompt.end() :]
    if _CONTAINERS.match(line):
        yield line.rstrip(" ;")
        return
    for found in _STATEMENTS.finditer(line):
        if found[0].strip(" "):
            yield found[0].strip(" ")


def pairs(statement: str) -> list[tuple[str, str]] | None:
    """Return (name, value) of every assignment of a statement; None: it has none of the known forms."""
    found, commented = _assigned(statement)
    if commented and any(part_named(name) in {SESSION_TOKEN, SECURITY_TOKEN} for name, _ in found or ()):
        return None  # the comment may be the rest of the token
    return found


def _assigned(statement: str) -> tuple[list[tuple[str, str]] | None, bool]:
    many = _PAIRS.fullmatch(statement)
    if many:
        found = [(each["name"], _unquoted(each["value"])) for each in _ONE_PAIR.finditer(many["pairs"])]
        return found, many["comment"] is not None
    for form in (_LABELLED, *_FORMS):
        one = form.fullmatch(statement)
        if one:
            return [(one["name"], _unquoted(one["value"]))], one.groupdict().get("comment") is not None
    return (_container_pairs(statement) if _CONTAINERS.match(statement) else None), False


def name_alone(statement: str) -> str | None:
    """Return the name in a statement whose value comes with the next one: a label, a list of Kubernetes."""
    found = _NAME_ALONE.fullmatch(statement)
    return None if found is None else found["name"] or found["listed"]


def value_alone(statement: str) -> str | None:
    """Return the value in a statement that has nothing else."""
    found = _VALUE_ALONE.fullmatch(statement)
    return None if found is None else _unquoted(found["value"] or found["bare"])


def known(line: str) -> bool:
    """Tell whether a line has a known form, or is one that belongs to a file or a command without values."""
    if _PROMPT.match(line.strip(" ")) or _MARKED.match(line):
        return True
    return all(pairs(each) is not None or name_alone(each) is not None for each in statements(line))


def carries_a_key(statement: str) -> bool:
    """Tell whether a statement of no known form may hold (a piece of) a key all the same."""
    if _LONG_PIECE.search(statement):
        return True
    return bool(_NAMES_A_KEY.search(statement) and _CARRIES.search(_NAMES_A_KEY.sub(" ", statement)))


def followed_by_words(statement: str) -> bool:
    """Tell whether words of another kind follow the variables on a command line of a container."""
    if not _CONTAINERS.match(statement):
        return False
    words = _CONTAINER_WORD.findall(statement)
    return any(
        said and "=" in said and not after[:1][0].startswith("-")
        for said, after in _variables(words)
        if after and part_named(said.partition("=")[0].strip("\"'"))
    )


def _container_pairs(statement: str) -> list[tuple[str, str]] | None:
    """Read the variables of ``docker run -e NAME=value ... image``."""
    words = [_without_quotes(word) for word in _CONTAINER_WORD.findall(statement)]
    found: list[tuple[str, str]] = []
    for said, after in _variables(words):
        name, equals, value = said.partition("=")
        if equals and re.fullmatch(_IDENTIFIER, name) and not _piece_left(after):
            found.append((name, value))
        elif equals:
            return None
    return found or None


def _piece_left(after: list[str]) -> bool:
    """Tell whether the words after a variable hold what may be the rest of its value."""
    before = ["", *after]
    return any(
        _IMAGE_OR_OPTION.fullmatch(word) is None and _PIECE.fullmatch(word) is not None
        for previous, word in zip(before, after, strict=False)
        if not previous.startswith("-")
    )


def _variables(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield (NAME=value, the words after it) of each option for the environment."""
    for at, word in enumerate(words):
        if word in {"-e", "--env"} and at + 1 < len(words):
            yield words[at + 1], words[at + 2 :]
        elif word.startswith("--env="):
            yield word.removeprefix("--env="), words[at + 1 :]
        elif word.startswith("-e") and "=" in word and not word.startswith("--"):
            yield word.removeprefix("-e"), words[at + 1 :]


def _without_quotes(word: str) -> str:
    return re.sub(r""""([^"]*)"|'([^']*)'""", lambda found: found[1] or found[2] or "", word)


def _unquoted(value: str) -> str:
    value = value.removeprefix("$") if value[:2] in {'$"', "$'"} else value
    return value[1:-1] if value[:1] in {'"', "'"} and value[-1:] == value[:1] else value
