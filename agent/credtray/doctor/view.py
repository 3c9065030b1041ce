"""Draws what `credtray doctor` and `credtray explain` found. Draws only."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli.terminal import visible
from credtray.doctor.explain_error import CauseStatus, Explanation
from credtray.doctor.findings import Finding, FindingKind, Severity, Sight
from credtray.doctor.resolution.answer import Resolution

Table = Mapping[str, Sequence[Resolution]]
"""Profile -> what each client uses when AWS_PROFILE names it."""

MOST_SIGHTS = 5
_INDENT = 2
_RUN = "Run: "
"""Begins a cure that is a command and nothing else."""
_HEADS = {
    Severity.BROKEN: ("✗", "bad", "Broken"),
    Severity.WARNING: ("!", "warning", "Warnings"),
    Severity.NOTE: ("○", "accent", "Notes"),
    Severity.FINE: ("●", "good", "Fine"),
}
_NOUNS = {
    Severity.BROKEN: ("problem", "problems"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.NOTE: ("note", "notes"),
    Severity.FINE: ("check passed", "checks passed"),
}
_ONLY_WITH_ALL = frozenset({"aws_cli_old"})
"""Notes that are no news: they stand in the way of nothing here, or they are more than a note."""


def doctor_view(
    found: Sequence[Finding], table: Table, left_out: int, *, everything: bool, named: bool = False
) -> Group:
    """Return what `credtray doctor` shows.

    Args:
        found: the worst first.
        table: what each client uses for a profile.
        left_out: how many profiles are not in it.
        everything: with --all also what is fine.
        named: a person asked for certain profiles: notes and what programs use are for them.
    """
    hidden = set() if everything else {Severity.FINE} if named else {Severity.FINE, Severity.NOTE}
    parts = [*_findings(found, hidden, everything=everything)]
    if named or everything:
        parts += _table(table, left_out)
    return Group(*parts, *_conclusion(found, more=bool(hidden)))


def _findings(
    found: Sequence[Finding], hidden: Container[Severity], *, everything: bool
) -> Iterator[RenderableType]:
    for severity, (mark, style, head) in _HEADS.items():
        items = [item for item in found if item.severity is severity]
        if not everything and severity is Severity.NOTE:
            items = [item for item in items if item.code not in _ONLY_WITH_ALL]
        if not items or severity in hidden:
            continue
        yield Text(head, f"strong {style}")
        for item in items:
            most = len(item.seen) if everything else MOST_SIGHTS
            yield from _seen(item.kind, item.seen, mark, style, most)
            if severity is not Severity.FINE:
                yield from _cure(item.kind, item.cure)
        yield Text()


def _conclusion(found: Sequence[Finding], *, more: bool) -> Iterator[RenderableType]:
    counts = {severity: sum(item.severity is severity for item in found) for severity in _HEADS}
    told = ", ".join(f"{count} {_NOUNS[severity][count != 1]}" for severity, count in counts.items() if count)
    broken = counts[Severity.BROKEN]
    lead = "Something is broken" if broken else "Nothing is broken"
    yield Text.assemble((lead, "strong bad" if broken else "strong good"), f" ({told})" if told else "")
    if more and counts[Severity.NOTE] + counts[Severity.FINE]:
        yield _line(Text("Show all: credtray doctor --all", "quiet"), 0)
    if broken:  # the list itself may have left the screen by now
        cure = found[0].cure.removeprefix(_RUN)
        yield _line(Text.assemble(("Start with: ", "bold"), visible(cure)), 0)


def _seen(
    kind: FindingKind, seen: Sequence[Sight], mark: str, style: str, most: int = MOST_SIGHTS
) -> Iterator[RenderableType]:
    yield _line(Text.assemble((f"{mark} ", style), (visible(kind.title), "bold")), 0)
    for sight in seen[:most]:
        yield _line(Text(visible(f"{sight.text}{f' ({sight.place})' if sight.place else ''}")), 1)
    more = len(seen) - most
    if more > 0:
        yield _line(Text(f"and {more} more (--all shows them)", "quiet"), 1)


def _cure(kind: FindingKind, cure: str) -> Iterator[RenderableType]:
    if kind.cause:
        yield _line(Text(f"Why: {visible(kind.cause)}", "quiet"), 1)
    lead, _, rest = cure.partition(_RUN)
    told = ("Do: ", cure) if lead else (_RUN, rest)
    yield _line(Text.assemble((told[0], "bold"), visible(told[1])), 1)
    if kind.repair is not None and f"credtray repair {kind.repair}" not in cure:
        yield _line(Text.assemble(("Or: ", "bold"), f"credtray repair {kind.repair}"), 1)


def _line(text: Text, depth: int) -> Padding:
    text.overflow = "fold"
    return Padding(text, (0, 0, 0, depth * _INDENT))


# --- who uses what -----------------------------------------------------------------------------------


def _table(table: Table, left_out: int) -> Iterator[RenderableType]:
    alike: dict[tuple[object, ...], list[str]] = {}
    for profile, clients in table.items():
        alike.setdefault(tuple(_said(client) for client in clients), []).append(profile)
    if not alike:
        return
    yield Text("What programs use with AWS_PROFILE set to the profile", "bold")
    for same in alike.values():
        more = "" if len(same) <= MOST_SIGHTS else f" and {len(same) - MOST_SIGHTS} more"
        yield _line(Text(visible(f"{', '.join(same[:MOST_SIGHTS])}{more}"), "bold"), 1)
        yield from _clients(table[same[0]])
    yield _line(
        Text("* according to its documentation; the others were compared with the real program", "quiet"), 1
    )
    if left_out:
        plural = "" if left_out == 1 else "s"
        yield _line(Text(f"{left_out} more profile{plural}: credtray doctor PROFILE, or --all", "quiet"), 1)
    yield Text()


def _clients(clients: Iterable[Resolution]) -> Iterator[RenderableType]:
    together: dict[tuple[str, ...], list[Resolution]] = {}
    for client in clients:
        together.setdefault(_said(client), []).append(client)
    for same in together.values():
        first = same[0]
        names = ", ".join(each.client.value + ("" if each.client.proven else "*") for each in same)
        style = "bad" if not first.works else "" if first.trouble is None else "warning"
        if first.kept_fresh_by_us and style == "warning":
            style = ""  # it works, by another way than somebody may think
        yield _line(Text.assemble(f"{names}: ", (visible(first.provider.value), style or "good")), 2)
        yield _line(Text(visible(first.why), "quiet"), 3)
        for trouble in first.troubles:
            text = f"! {trouble.text}" if style else trouble.text
            yield _line(Text(visible(text), style or "quiet"), 3)


def _said(client: Resolution) -> tuple[str, ...]:
    """Return what makes two clients' lines the same line."""
    return client.provider.value, client.why, *(trouble.text for trouble in client.troubles)


# --- explain -----------------------------------------------------------------------------------------


def explain_view(causes: Sequence[Explanation], *, everything: bool, online: bool) -> Group:
    """Return everything `credtray explain` shows: the cause that is so here, and what else it may be.

    Args:
        causes: the one that is so here first.
        everything: show the other causes in full, too.
        online: AWS was asked.
    """
    return Group(*_explained(causes, everything=everything, online=online))


def _explained(causes: Sequence[Explanation], *, everything: bool, online: bool) -> Iterator[RenderableType]:
    here = list(takewhile(lambda item: item.present is not None, causes))
    others = [item for item in causes[len(here) :] if item.standing is not CauseStatus.NOT_FOUND]
    excluded = [item for item in causes[len(here) :] if item.standing is CauseStatus.NOT_FOUND]
    if here:
        yield Text("Cause found here", "strong bad")
        yield from _cause(here[0], "✗", "bad")
        if here[1:]:
            yield Text("\nAlso found here", "bold")
        for item in here[1:]:
            yield from _cause(item, "✗", "bad")
    else:
        yield Text(
            "Nothing on this machine explains it at the moment. What the message usually means:", "bold"
        )
        yield from _cause(causes[0], "○", "accent")
        others, excluded = ([item for item in group if item is not causes[0]] for group in (others, excluded))
    titles = "; ".join(item.kind.title for item in others)
    yield from _rest("Other possible causes", others, titles, everything=everything)
    number = f"{len(excluded)} cause{'' if len(excluded) == 1 else 's'}"
    yield from _rest("Checked and ruled out", excluded, number, everything=everything)
    if not here:
        option = "" if online else " --online"
        yield Text.assemble("\n", ("Next: ", "bold"), f"credtray doctor{option}")


def _cause(item: Explanation, mark: str, style: str) -> Iterator[RenderableType]:
    yield from _seen(item.kind, () if item.present is None else item.present.seen, mark, style)
    yield from _cure(item.kind, item.cure)


def _rest(
    head: str, items: Sequence[Explanation], short: str, *, everything: bool
) -> Iterator[RenderableType]:
    if not items:
        return
    if not everything:
        yield Text(visible(f"\n{head}: {short} (--all shows them)"), "quiet")
        return
    yield Text(f"\n{head}", "bold")
    for item in items:
        yield from _cause(item, "○", "accent")
