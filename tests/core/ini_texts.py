"""INI text for property tests: mostly lines that some parser somewhere stumbles over."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.soak import examples

FUZZED = examples(10_000)
"""Examples drawn by ``drawn``, without hypothesis's bookkeeping (ten times as fast, but nothing shrinks)."""

explored = settings(max_examples=examples(1_000), deadline=None, suppress_health_check=list(HealthCheck))

OURS = "ours"
_INDENTS = ["", "", "", "", " ", "  ", "\t", "\u00a0", "\x0c"]
_HEADERS = [
    "[a]",
    "[b]",
    "[c d]",
    '[profile "a b"]',
    "[ours]",
    "[ ours ]",
    "[DEFAULT]",
    "[default]",
    "[a]b]",
    "[é]",
    "[a] # c",
    "[]",
    "[broken",
    "[=]",
    "[x]:y",
]
_KEYS = ["k", "K", "aws_access_key_id", "AWS_Access_Key_Id", "aws_session_token", "region", "s3", "é", ""]
_DELIMITERS = ["=", " = ", ":", " : ", "= ", " =", "", "\t=\t"]
_VALUES = ["v", "", "x = y", "a:b", "%(k)s", "v ; c", "v # c", "T==", " ", "\u2028z", "é", "[q]", "\x00", "0"]
_ENDINGS = ["\n", "\n", "\n", "\n", "\r\n", "\r"]

_GOOD_KEYS = ["k", "aws_access_key_id", "AWS_Session_Token", "region", "é", "s3", "k2", "x.y"]
_GOOD_VALUES = ["v", "", "x = y", "a:b", "%(k)s", "v ; c", "T==", "é", "[q]"]
_NAMES = ["a", "b", "ours", "c d", 'profile "x y"', "default", "a]b"]

_COMMENTS = ["# c", ";c", "#", "#[x]", "; k = v", "# ours: mark"]
_STRAYS = [
    "",
    "",
    "",
    "x",
    "\ufeff[a]",
    "\x85k = v",
    "\u2003k = v",
    "\x1c",
    "\\",
    '"',
    "%",
    "]",
    "k\x0b=\x0bv",
    "a:b][",
]


def _line_table() -> list[str]:
    """Every line that a property test may draw: one draw for each line keeps 10,000 examples affordable."""
    chance = Random(7)
    assignments = [key + delimiter + value for key in _KEYS for delimiter in _DELIMITERS for value in _VALUES]
    bodies = [*chance.sample(assignments, 220), *_HEADERS * 6, *_COMMENTS * 4, *_STRAYS * 3]
    return [chance.choice(_INDENTS) + body + chance.choice(_ENDINGS) for body in bodies for _ in range(3)]


_LINES = _line_table()


def drawn(seed: int) -> bytes:
    """Return one text of the same make as ``anything`` or ``readable_text``, by a seed."""
    chance = Random(seed)
    if chance.randrange(3):
        count = chance.randrange(5)
        sections = [chance.choice(_SECTIONS) for _ in range(count)]
        return _file(
            chance.choice(_TOPS), sections, chance.sample(_NAMES, count), whole=bool(chance.randrange(3))
        )
    lines = "".join(chance.choice(_LINES) for _ in range(chance.randrange(13)))
    return (("" if chance.randrange(15) else "\ufeff") + lines).encode()


anything = st.builds(
    lambda lines, whole, bom: (bom + ("".join(lines) if whole else "".join(lines).rstrip("\r\n"))).encode(),
    st.lists(st.sampled_from(_LINES), max_size=12),
    st.booleans(),
    st.sampled_from([""] * 15 + ["\ufeff"]),
)
"""Any text at all, parsable or not."""


def _section_table() -> list[tuple[str, str]]:
    """Sections as people and tools write them, as (text before the name, text behind it)."""
    chance = Random(8)
    return [_a_section(chance) for _ in range(400)]


def _a_section(chance: Random) -> tuple[str, str]:
    ending, indent = chance.choice(["\n", "\n", "\r\n"]), chance.choice(["", "", "", "  "])
    lines = ["]"]
    for key in chance.sample(_GOOD_KEYS, chance.randrange(5)):
        if not chance.randrange(6):
            lines.append(chance.choice(["", "# note", f"{indent}; note", "   "]))
        lines.append(indent + key + chance.choice(["=", " = ", ": "]) + chance.choice(_GOOD_VALUES))
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            lines.append(f"{indent}   {chance.choice(['n = w', 'more = 1', 'aws_access_key_id = no'])}")
            lines += chance.choice([[], [], [], [""], ["# between"]])
    lines += chance.choice([[], [""], ["", ""], ["# about the next one"], ["", "# x"]])
    return chance.choice(["", "", " "]) + "[", "".join(line + ending for line in lines)


def _file(top: str, sections: list[tuple[str, str]], names: list[str], *, whole: bool) -> bytes:
    text = top + "".join(start + name + rest for (start, rest), name in zip(sections, names, strict=False))
    return (text if whole else text.rstrip("\r\n")).encode()


_SECTIONS = _section_table()
_TOPS = ["", "", "# top\n", "\n", "; top\r\n\r\n"]

readable_text = st.builds(
    _file,
    st.sampled_from(_TOPS),
    st.lists(st.sampled_from(_SECTIONS), max_size=4),
    st.sampled_from([Random(n).sample(_NAMES, 4) for n in range(60)]),
    whole=st.booleans(),
)
"""Text that botocore nearly always reads."""
