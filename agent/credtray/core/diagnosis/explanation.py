"""What a pasted error text means, and which of its causes applies here.

The text may be anything of any size; nothing of it is ever repeated in an answer, it may hold keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from credtray.core.diagnosis.facts import Facts
from credtray.core.diagnosis.finding import Finding, Group, Kind, Severity
from credtray.core.diagnosis.kinds import BY_CODE
from credtray.core.diagnosis.making import found
from credtray.core.diagnosis.rules import findings
from credtray.core.diagnosis.rules_of_sign_in import KIND_OF
from credtray.core.diagnosis.symptoms import SYMPTOMS
from credtray.core.errors import CredtrayError, every_error

MOST_TEXT = 64 * 1024
"""Characters that are looked at: as many from the beginning as from the end, where the error usually is."""

_COLOURS = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_FEWEST = 12
"""Characters of a title of ours that must be there for it to be recognised."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One possible cause of the text."""

    kind: Kind
    present: Finding | None
    """The cause as it was found here and now; None: it was not seen, and may be so all the same."""
    cure: str
    error: str | None = None
    """The code of the error of ours that the text is, where it is one."""


def explain(text: str, facts: Facts) -> tuple[Explanation, ...]:
    """Return the causes the text may have, those that apply here first; empty for an unknown text."""
    readable = _readable(text)
    candidates = tuple(dict.fromkeys((*_named(readable), *_by_symptom(readable), *_by_error(readable))))
    if not candidates:
        return ()
    here = findings(facts)
    sessions = _sessions(readable, facts)
    likely = sessions or frozenset(facts.config.config.sessions)
    explained = [_explained(kind, error, here, likely) for kind, error in _once(candidates)]
    return tuple(sorted(explained, key=lambda item: item.present is None))


def _once(candidates: Iterable[tuple[Kind, str | None]]) -> Iterator[tuple[Kind, str | None]]:
    told: dict[str, tuple[Kind, str | None]] = {}
    for kind, error in candidates:
        told.setdefault(kind.code, (kind, error))
    return iter(told.values())


def _readable(text: str) -> str:
    """Return the text without colours and with every run of blanks and line ends as one blank."""
    half = MOST_TEXT // 2
    bounded = text if len(text) <= MOST_TEXT else f"{text[:half]} {text[-half:]}"
    return " ".join(_COLOURS.sub("", bounded).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


def _named(text: str) -> Iterator[tuple[Kind, str | None]]:
    """Yield the finding whose code the whole text is: `credtray explain stale_keys`."""
    word = text.strip("`'\"[]").lower().replace("-", "_")
    if word in BY_CODE:
        yield BY_CODE[word], None


def _by_symptom(text: str) -> Iterator[tuple[Kind, str | None]]:
    """Yield causes; the symptom that stands first in the text comes first: what follows is its detail."""
    fitting = [(match.start(), item) for item in SYMPTOMS if (match := item.pattern.search(text))]
    for _, symptom in sorted(fitting, key=lambda pair: pair[0]):
        for cause in symptom.causes:
            yield cause, None


def _by_error(text: str) -> Iterator[tuple[Kind, str | None]]:
    """Yield the errors of ours whose code the text is, or whose title it holds."""
    lowered = text.lower()
    for kind in every_error():
        if kind is CredtrayError:
            continue
        title = kind.title.lower()
        if lowered == kind.code or (len(title) >= _FEWEST and title in lowered):
            yield KIND_OF.get(kind.code) or _same_code(kind) or _of_error(kind), kind.code


def _same_code(error: type[CredtrayError]) -> Kind | None:
    return BY_CODE.get(error.code)


def _of_error(error: type[CredtrayError]) -> Kind:
    """Return an error of ours that is no finding as if it were one."""
    return Kind(error.code, Group.AGENT, Severity.BROKEN, error.title, "", error.hint)


def _explained(
    kind: Kind, error: str | None, here: tuple[Finding, ...], sessions: frozenset[str]
) -> Explanation:
    present = [item for item in here if item.code == kind.code and item.severity is not Severity.FINE]
    if present:
        first = min(present, key=lambda item: bool(sessions) and item.session not in sessions)
        return Explanation(kind, first, first.cure, error)
    session = next(iter(sessions)) if len(sessions) == 1 else None
    return Explanation(kind, None, found(kind, session=session).cure, error)


def _sessions(text: str, facts: Facts) -> frozenset[str]:
    """Return the sessions the text names, by their own names or by those of their profiles."""
    config = facts.config.config
    named = {name for name in config.sessions if _stands_in(name, text)}
    named |= {profile.session for name, profile in config.profiles.items() if _stands_in(name, text)}
    return frozenset(named)


def _stands_in(name: str, text: str) -> bool:
    at = text.find(name)
    if at < 0 or not name:
        return False
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None
