"""What the check-up of the page says: the JSON of `credtray doctor` and `repair` as values to show. Pure.

Reads no more of the documents than is shown, and shows no more of them than a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from msgspec import Struct

from credtray.core.words import plain

MOST_SIGHTS = 5
MOST_LINES = 1000
"""Of a difference that is shown; the command has them all."""
_LONG = 400
_RUN = "Run: "
_OURS = ": credtray "
_REPAIR = "credtray repair "
_BESIDES = re.compile(r"; (?=[a-z ]+: )")


# --- the documents: what the commands print with --json, docs/reference/doctor.md ------------------------


class Sight(Struct, frozen=True):
    """One thing that was seen."""

    text: str
    file: str | None = None
    line: int | None = None


class Finding(Struct, frozen=True):
    """One cause."""

    code: str
    severity: str
    title: str
    seen: tuple[Sight, ...]
    cause: str
    cure: str
    repair: str | None = None


class Trouble(Struct, frozen=True):
    """What is wrong with an answer."""

    text: str
    fatal: bool


class Client(Struct, frozen=True):
    """What one tool uses."""

    client: str
    proven: bool
    uses: str
    why: str
    kept_fresh_by_credtray: bool
    troubles: tuple[Trouble, ...]


class Row(Struct, frozen=True):
    """What the tools use for one profile."""

    profile: str
    clients: tuple[Client, ...]


class Checkup(Struct, frozen=True):
    """`credtray doctor --json`."""

    findings: tuple[Finding, ...]
    profiles: tuple[Row, ...] = ()


class RepairCase(Struct, frozen=True):
    """One repair of `credtray repair NAME --json`."""

    name: str
    title: str
    needed: bool
    undoable: bool
    preview_id: str
    changes: tuple[str, ...]
    diff: str
    left_alone: dict[str, str]
    next_steps: tuple[str, ...]
    problem: str | None = None
    done: bool = False


class Repairs(Struct, frozen=True):
    """`credtray repair NAME --json`."""

    repairs: tuple[RepairCase, ...]


# --- what is shown ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """What a person does: words, and the command that is copied; either may be empty."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One finding."""

    key: str
    """For ids: stays with the finding when the order changes."""
    shape: str
    word: str
    title: str
    seen: tuple[tuple[str, str], ...]
    """Text and place."""
    more: int
    cause: str
    cure: tuple[Step, ...]
    repair: str
    """The name of the plan of ours; empty for none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What some tools use for a profile: those that do the same are one answer."""

    tools: tuple[str, ...]
    uses: str
    why: str
    shape: str
    word: str
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckupView:
    """All that was found."""

    shape: str
    badge: str
    conclusion: str
    counts: str
    urgent: tuple[Card, ...]
    """What is broken, and the warnings."""
    rest: tuple[Card, ...]
    """Notes, and what is fine."""
    rest_words: str
    answers: tuple[Answer, ...]
    documented: bool
    """One of the tools was not compared with the real program."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a difference."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a repair would write."""

    name: str
    title: str
    preview_id: str
    needed: bool
    undoable: bool
    changes: tuple[str, ...]
    more_changes: int
    diff: tuple[DiffLine, ...]
    more_lines: int
    left_alone: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


_SEVERITIES: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "broken": ("ended", "Broken", "problem", "problems"),
        "warning": ("soon", "Warning", "warning", "warnings"),
        "note": ("signed-out", "Note", "note", "notes"),
        "fine": ("fresh", "Fine", "check passed", "checks passed"),
    }
)
"""Severity -> shape of its badge, its word, and how many of them there are; the worst first."""
_URGENT = ("broken", "warning")


def checkup_view(found: Checkup, *, named: bool = False) -> CheckupView:
    """Return what a check-up says; of a profile that was *named*, also which keys the tools use."""
    counts = {each: sum(item.severity == each for item in found.findings) for each in _SEVERITIES}
    worst = next((each for each in _SEVERITIES if counts[each]), "fine")
    cards = [(item.severity in _URGENT, _card(item)) for item in found.findings]
    clients = found.profiles[0].clients if named and found.profiles else ()
    answers = tuple(_answers(clients))
    some_fail = any(answer.shape == "ended" for answer in answers)
    whole = "Some tools get no keys" if some_fail else "Nothing is broken"
    return CheckupView(
        _SEVERITIES[worst][0] if worst in _URGENT else "fresh",
        _counted(counts, [worst]) if worst in _URGENT else "Fine",
        "Something is broken" if counts["broken"] else whole,
        _counted(counts, _SEVERITIES),
        tuple(card for urgent, card in cards if urgent),
        tuple(card for urgent, card in cards if not urgent),
        _counted(counts, [each for each in _SEVERITIES if each not in _URGENT]),
        answers,
        any(not client.proven for client in clients),
    )


def _counted(counts: Mapping[str, int], which: Sequence[str] | Mapping[str, object]) -> str:
    words = ((counts[each], _SEVERITIES[each][2:]) for each in which)
    return ", ".join(f"{count} {nouns[count != 1]}" for count, nouns in words if count)


def _card(item: Finding) -> Card:
    shape, word, _, _ = _SEVERITIES.get(item.severity, _SEVERITIES["note"])
    own = item.repair is not None and item.cure.partition(_REPAIR)[2] == item.repair
    return Card(
        plain(item.code),
        shape,
        word,
        plain(item.title, _LONG),
        tuple((plain(sight.text, _LONG), _place(sight)) for sight in item.seen[:MOST_SIGHTS]),
        max(0, len(item.seen) - MOST_SIGHTS),
        plain(item.cause, 2 * _LONG) if item.cause else "",
        () if own else steps(item.cure),
        item.repair or "",
    )


def _place(sight: Sight) -> str:
    if not sight.file:
        return ""
    return plain(sight.file if sight.line is None else f"{sight.file}:{sight.line}", _LONG)


def steps(text: str) -> tuple[Step, ...]:
    """Return what to do, and what to do besides: ``Sign in: COMMAND; for good: COMMAND``."""
    begins = max(0, text.find(_OURS))
    for at in _BESIDES.finditer(text):
        command = text[begins : at.start()]
        if not command.count("'") % 2 and not command.count('"') % 2:  # else it is within a name
            rest = text[at.end() :]
            return step(text[: at.start()]), step(f"{rest[:1].upper()}{rest[1:]}")
    return (step(text),)


def step(text: str) -> Step:
    """Return what to do, parted into words and the command to copy."""
    if text.startswith(_RUN):
        return Step("", plain(text.removeprefix(_RUN), 2 * _LONG))
    lead, mark, command = text.partition(_OURS)
    if not mark:
        return Step(plain(text, 2 * _LONG))
    return Step(plain(f"{lead}:", 2 * _LONG), plain(f"credtray {command}", 2 * _LONG))


def _answers(clients: Sequence[Client]) -> Iterator[Answer]:
    together: dict[tuple[object, ...], list[Client]] = {}
    for client in clients:
        said = client.uses, client.why, client.troubles
        together.setdefault(said, []).append(client)
    for same in together.values():
        first = same[0]
        fatal = any(trouble.fatal for trouble in first.troubles)
        doubtful = bool(first.troubles) and not first.kept_fresh_by_credtray
        shape, word = ("ended", "Fails") if fatal else ("soon", "Look") if doubtful else ("fresh", "Works")
        yield Answer(
            tuple(plain(each.client) + ("" if each.proven else "*") for each in same),
            plain(f"{first.uses[:1].upper()}{first.uses[1:]}", _LONG),
            plain(first.why, _LONG),
            shape,
            word,
            tuple(plain(trouble.text, _LONG) for trouble in first.troubles),
        )


_KINDS: Mapping[str, str] = MappingProxyType({"+": "plus", "-": "minus", "@": "where"})


def preview(case: RepairCase) -> Preview:
    """Return what a repair would write."""
    lines = [line for line in case.diff.splitlines() if line]
    left_alone = list(case.left_alone.items())[:MOST_SIGHTS]
    return Preview(
        plain(case.name),
        plain(case.title, _LONG),
        case.preview_id,
        case.needed,
        case.undoable,
        tuple(plain(change, _LONG) for change in case.changes[:MOST_SIGHTS]),
        max(0, len(case.changes) - MOST_SIGHTS),
        tuple(DiffLine(_KINDS.get(line[:1], "same"), plain(line, _LONG)) for line in lines[:MOST_LINES]),
        max(0, len(lines) - MOST_LINES),
        tuple((plain(what, 80), plain(why, _LONG)) for what, why in left_alone),
        tuple(map(step, case.next_steps[:MOST_SIGHTS])),
    )
