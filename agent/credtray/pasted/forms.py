"""The forms in which a shell, a file or a program names role credentials, one whole statement at a time.

Pure. A statement is taken when all of it has a known form, else not at all: nothing is searched inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from credtray.core.errors import PasteRefused
from credtray.ways_out.shells import SECURITY_TOKEN, SESSION_TOKEN, part_named

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


# A session token that was wrapped over several lines, put together only where that is certain.
#
# Pure. What is not certain is refused: a word on the next line must never become the end of a token.


_WRAPPED_PIECE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_CONTINUES = re.compile(r"[ ]*(?P<piece>[A-Za-z0-9+/_-]+={0,2})(?P<end>[\"']?[ ]*[;,]?[ ]*)", re.ASCII)
_BEGINS = re.compile(
    r"(?P<before>.*(?:session|security)[ _]?token[\"']?[ ]*(?:[=:,][ ]*|[ ]+))(?P<quote>[\"']?)"
    r"(?P<piece>[A-Za-z0-9+/_-]{16,}={0,2})",
    re.IGNORECASE | re.ASCII,
)
_ALONE = re.compile(
    r"[ ]*(?:value:[ ]*)?(?P<quote>[\"']?)(?P<piece>[A-Za-z0-9+/_-]{16,}={0,2})", re.IGNORECASE | re.ASCII
)
_WRAPPED_LABEL = re.compile(
    r"(?:.*[ \"'])?(?:aws[ _])?(?:session|security)[ _]token[\"']?:?[ ]*", re.IGNORECASE | re.ASCII
)
_NO_WORD = re.compile(r"[0-9+/=]")
_NARROWEST, _WIDEST = 40, 400
"""Columns of what wraps lines."""
_GROUP = 4
"""Base64 has its characters in groups of four (RFC 4648, section 4)."""
_ENOUGH = 3


def unwrapped(lines: Sequence[str]) -> tuple[list[str], bool]:
    """Return the lines with each wrapped session token on one line, and whether there was one.

    Raises:
        PasteRefused: a line that may or may not be more of the token follows it.
    """
    joined: list[str] = []
    wrapped = False
    at = 0
    while at < len(lines):
        line = lines[at]
        begins = _BEGINS.fullmatch(line) or (_ALONE.fullmatch(line) if _labelled(lines[:at]) else None)
        at += 1
        if begins:
            end, tail = _end(lines, at)
            pieces = [begins["piece"], *filter(None, map(_piece_of, lines[at:end]))]
            if len(pieces) > 1:
                line = f"{line[: begins.start('piece')]}{together(pieces, len(line.rstrip(' ')))}{tail}"
                wrapped, at = True, end
            if not begins["quote"] and _doubtful_below(lines[at:]):
                raise doubt()
        joined.append(line)
    return joined, wrapped


def together(pieces: Sequence[str], first_width: int = 0) -> str:
    """Return the token of these pieces, each one line; ``first_width``: of the first line with its name.

    Certain is: all lines but the last are equally wide, and no part that ends earlier could be whole.

    Raises:
        PasteRefused: it is not certain.
    """
    *full, last = pieces
    if not full:
        return last
    widths = {len(piece) for piece in full[1:]} or {first_width or len(full[0]), len(full[0])}
    width = max(widths)
    before = sum(map(len, full))
    certain = (
        len({len(piece) for piece in full[1:]}) <= 1
        and width in {len(full[0]), first_width}
        and _NARROWEST <= width <= _WIDEST
        and len(last) <= width
        and not any(piece.endswith("=") for piece in full)
        and _is_the_end(last, before, len(pieces))
    )
    if not certain:
        raise doubt()
    return "".join(pieces)


def doubt() -> PasteRefused:
    """Return the refusal of what may or may not be a part of the token."""
    return PasteRefused(
        "a line below the session token may or may not be more of it",
        hint="Copy the keys again, in a wider window or with the copy button of the portal.",
    )


def is_piece(word: str) -> bool:
    """Tell whether a word has only characters of a session token."""
    return _WRAPPED_PIECE.fullmatch(word) is not None


def _is_the_end(last: str, before: int, count: int) -> bool:
    whole_before, whole = before % _GROUP == 0, (before + len(last)) % _GROUP == 0
    if last.endswith("="):
        return count >= _ENOUGH or (whole and not whole_before)
    return count >= _ENOUGH and whole and not whole_before


def _doubtful_below(lines: Sequence[str]) -> bool:
    """Tell whether the lines below a token, up to an empty one, may hold more of it."""
    for index, line in enumerate(lines):
        if not line.strip(" "):
            return False
        if _CONTINUES.fullmatch(line) or (index == 0 and not known(line)):
            return True
    return False


def _labelled(before: Sequence[str]) -> bool:
    """Tell whether the last line with something in it says that the session token comes next."""
    last = next((line for line in reversed(before[-3:]) if line.strip(" ")), "")
    return _WRAPPED_LABEL.fullmatch(last) is not None


def _end(lines: Sequence[str], at: int) -> tuple[int, str]:
    """Return the index after the last line that can belong to the token, and what ends it there."""
    tail = ""
    end = at
    for index in range(at, len(lines)):
        if not lines[index].strip(" "):
            continue
        found = _CONTINUES.fullmatch(lines[index])
        apart = index > end
        if found is None or (apart and not _NO_WORD.search(found["piece"])):
            break
        end, tail = index + 1, found["end"]
        if found["piece"].endswith("=") or tail.strip(" "):
            break
    return end, tail


def _piece_of(line: str) -> str:
    found = _CONTINUES.fullmatch(line)
    return "" if found is None else found["piece"]
