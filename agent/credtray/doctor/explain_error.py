"""What a pasted error text means, and which of its causes applies here.

The text may be anything of any size; nothing of it is ever repeated in an answer, it may hold keys.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from credtray.core.errors import CredtrayError, every_error
from credtray.doctor.all_rules import BY_CODE, EVERY_KIND, ONLY_ASKED, ONLY_IN_TEXTS, findings
from credtray.doctor.evidence import Facts
from credtray.doctor.finding_texts_of_keys import ENDPOINT_REFUSED
from credtray.doctor.findings import Finding, FindingKind, Group, Repair, Severity, Sight, found
from credtray.doctor.rules_of_sign_in import KIND_OF
from credtray.doctor.symptoms import SYMPTOMS, about_aws, fitting, texts_of, whose

# Makes a text that somebody copied from a terminal, a log, a page or a JSON document readable.
#
# What comes out is only compared with what is known; it is never shown.


MOST_TEXT = 64 * 1024
"""Characters that are looked at: as many from the beginning as from the end, where the error usually is."""

_COLOURS = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
    r"|(?:\^\[|\\(?:u001b|x1b|033|e))\[[0-9;]{0,20}m"
    r"|\[(?:\d{1,3}(?:;\d{1,3})*)?m"
)
"""As bytes of a terminal, as other programs write those down, and what is left when one byte got lost."""
_ESCAPES = re.compile(r"\\{1,8}(?:[nrt](?![\w.-]{0,60}[\\:])|(?=[\"'/`]))")
"""Of JSON and of quoted strings; the names of a Windows path may begin with the same letters."""
_BACKSLASHES = re.compile(r"\\{9,}")
_FRAMES = re.compile(r"[\u2500-\u257f]")
"""Lines around an error, as Terraform draws them."""
_QUOTES = str.maketrans("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb", '\'\'\'\'"""""')


def readable(text: str) -> str:
    """Return the text without colours, frames and escapes, and with every run of blanks as one blank."""
    half = MOST_TEXT // 2
    bounded = text if len(text) <= MOST_TEXT else f"{text[:half]} {text[-half:]}"
    plain = _COLOURS.sub("", bounded)
    plain = _ESCAPES.sub(lambda found: " " if found[0][-1] in "nrt" else "", _many_backslashes(plain))
    plain = html.unescape(_FRAMES.sub(" ", plain)).translate(_QUOTES)
    return " ".join(plain.split())


def _many_backslashes(text: str) -> str:
    """Return the text with long runs of backslashes cut short: nothing that is known has them."""
    return _BACKSLASHES.sub(r"\\\\", text)


def stands_in(name: str, text: str) -> bool:
    """Tell whether a name stands in a text as a word of its own."""
    at = text.find(name)
    if at < 0 or not name:
        return False
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


_FEWEST = 12
"""Characters of a title of ours that must be there for it to be recognised."""


class CauseStatus(StrEnum):
    """What is known of a cause on this computer."""

    FOUND = "found"
    """It is so here."""
    POSSIBLE = "possible"
    """Nothing here could show it."""
    NOT_FOUND = "not_found"
    """It was looked for, and it is not so here."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One possible cause of the text."""

    kind: FindingKind
    present: Finding | None
    """The cause as it was found here and now; None: it was not seen."""
    cure: str
    standing: CauseStatus
    error: str | None = None
    """The code of the error of ours that the text is, where it is one."""


def explain(text: str, facts: Facts) -> tuple[Explanation, ...]:
    """Return the causes the text may have, the one that is so here first; empty for an unknown text."""
    given = readable(text)
    candidates = tuple(_candidates(given, lines="\n" in text.strip()))
    if not candidates:
        return ()
    here = findings(facts)
    named = _Named.of(given, facts)
    return _ordered([_explained(kind, error, here, named, facts) for kind, error in _once(candidates)])


def not_ours(text: str) -> str | None:
    """Return whose error a text is that ``explain`` does not know; None where nothing says so."""
    given = readable(text)
    return None if about_aws(given) else whose(given)


def _ordered(explained: list[Explanation]) -> tuple[Explanation, ...]:
    """Return what is so here first.

    What matters little here (the sign-in of a session that nobody uses now) is no better explanation than
    what nothing here could show. Where nothing is so, the order is that of the table.
    """
    something = any(item.present is not None for item in explained)

    def rank(item: Explanation) -> int:
        if item.present is not None and item.present.severity.rank <= item.kind.severity.rank:
            return 0
        return 1 if item.present is not None or item.kind in ONLY_IN_TEXTS or not something else 2

    return tuple(sorted(explained, key=rank))


def _once(candidates: Iterable[tuple[FindingKind, str | None]]) -> Iterator[tuple[FindingKind, str | None]]:
    told: dict[str, tuple[FindingKind, str | None]] = {}
    for kind, error in candidates:
        told.setdefault(kind.code, (kind, error))
    return iter(told.values())


def _candidates(text: str, *, lines: bool) -> Iterator[tuple[FindingKind, str | None]]:
    """Yield kinds, each with the error of ours it is; what only wraps another error comes after it."""
    symptoms = fitting(text, lines=lines)
    yield from _named(text)
    yield from ((cause, None) for item in symptoms if not item.wraps for cause in item.causes)
    yield from _by_error(text)
    yield from ((cause, None) for item in symptoms if item.wraps for cause in item.causes)


def _named(text: str) -> Iterator[tuple[FindingKind, str | None]]:
    """Yield the finding whose code the whole text is: `credtray explain stale_keys`."""
    word = text.strip("`'\"[]").lower().replace("-", "_")
    if word in BY_CODE:
        yield BY_CODE[word], None


def _by_error(text: str) -> Iterator[tuple[FindingKind, str | None]]:
    """Yield the errors of ours whose code the text is, or whose title it holds."""
    lowered = text.lower()
    for kind in every_error():
        if kind is CredtrayError:
            continue
        title = kind.title.lower()
        if lowered == kind.code or (len(title) >= _FEWEST and title in lowered):
            yield KIND_OF.get(kind.code) or _same_code(kind) or _of_error(kind), kind.code


def _same_code(error: type[CredtrayError]) -> FindingKind | None:
    return BY_CODE.get(error.code)


def _of_error(error: type[CredtrayError]) -> FindingKind:
    """Return an error of ours that is no finding as if it were one."""
    return FindingKind(error.code, Group.AGENT, Severity.BROKEN, error.title, "", error.hint)


@dataclass(frozen=True, slots=True)
class _Named:
    """What the text names of this computer."""

    sessions: frozenset[str]
    profiles: frozenset[str]

    @classmethod
    def of(cls, text: str, facts: Facts) -> _Named:
        config = facts.config.config
        profiles = {name for name in config.profiles if stands_in(name, text)}
        sessions = {name for name in config.sessions if stands_in(name, text)}
        sessions |= {config.profiles[name].session for name in profiles}
        return cls(frozenset(sessions), frozenset(profiles))

    def distance(self, item: Finding) -> int:
        """Return 0 for a finding about what is named, 1 for one about nothing in particular, 2 for others."""
        if item.session in self.sessions or self.profiles.intersection(item.profiles):
            return 0
        return 1 if item.session is None and not item.profiles else 2


def _explained(
    kind: FindingKind, error: str | None, here: tuple[Finding, ...], named: _Named, facts: Facts
) -> Explanation:
    present = [item for item in here if item.code == kind.code and item.severity is not Severity.FINE]
    if present:
        first = min(present, key=named.distance)
        return Explanation(kind, first, first.cure, CauseStatus.FOUND, error)
    sessions = named.sessions or frozenset(facts.config.config.sessions)
    session = next(iter(sessions)) if len(sessions) == 1 else None
    # The program that failed may have the variables of another shell, or be too old to send the token.
    unseen = kind in ONLY_IN_TEXTS or kind is ENDPOINT_REFUSED or (kind in ONLY_ASKED and not facts.endpoints)
    standing = CauseStatus.POSSIBLE if unseen or kind.code not in BY_CODE else CauseStatus.NOT_FOUND
    return Explanation(kind, None, found(kind, session=session).cure, standing, error)


# The doctor: what was observed becomes findings, each with its cause and its cure. Pure.
#
# ``findings(facts)`` says what is wrong here; ``explain(text, facts)`` what an error text means here.


__all__ = [
    "BY_CODE",
    "EVERY_KIND",
    "SYMPTOMS",
    "CauseStatus",
    "Explanation",
    "Facts",
    "Finding",
    "FindingKind",
    "Group",
    "Repair",
    "Severity",
    "Sight",
    "explain",
    "findings",
    "not_ours",
    "texts_of",
]
