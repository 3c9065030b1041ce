"""Draws what `credtray doctor` and `credtray explain` found. Draws only; the facts are in the documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli.terminal import visible

MOST_SIGHTS = 5
_INDENT = 2
_RUN = "Run: "
"""Begins a cure that is a command and nothing else."""
_HEADS = {
    "broken": ("✗", "bad", "Broken"),
    "warning": ("!", "warning", "Warnings"),
    "note": ("○", "accent", "Notes"),
    "fine": ("●", "good", "Fine"),
}
_NOUNS = {
    "broken": ("problem", "problems"),
    "warning": ("warning", "warnings"),
    "note": ("note", "notes"),
    "fine": ("check passed", "checks passed"),
}
_ONLY_WITH_ALL = frozenset({"aws_cli_old"})
"""Notes that are no news: they stand in the way of nothing here, or they are more than a note."""


def doctor_view(document: dict[str, Any], *, everything: bool, named: bool = False) -> Group:
    """Return what `credtray doctor` shows.

    Args:
        document: see ``doctor_document``.
        everything: with --all also what is fine.
        named: a person asked for certain profiles: notes and what programs use are for them.
    """
    return Group(*_doctor(document, everything=everything, named=named))


def _doctor(document: dict[str, Any], *, everything: bool, named: bool) -> Iterator[RenderableType]:
    found = document["findings"]
    left_out = {"fine", "note"} - ({"note"} if named else set()) if not everything else set()
    for severity, (mark, style, head) in _HEADS.items():
        items = [item for item in found if item["severity"] == severity]
        if not everything:
            items = [item for item in items if severity != "note" or item["code"] not in _ONLY_WITH_ALL]
        if not items or severity in left_out:
            continue
        yield Text(head, f"strong {style}")
        for item in items:
            most = len(item["seen"]) if everything else MOST_SIGHTS
            yield from _finding(item, mark, style, most)
        yield Text()
    if named or everything:
        yield from _table(document)
    yield from _conclusion(found, more=bool(left_out))


def _conclusion(found: list[dict[str, Any]], *, more: bool) -> Iterator[RenderableType]:
    counts = {severity: sum(item["severity"] == severity for item in found) for severity in _HEADS}
    told = ", ".join(f"{count} {_NOUNS[severity][count != 1]}" for severity, count in counts.items() if count)
    lead = "Something is broken" if counts["broken"] else "Nothing is broken"
    style = "strong bad" if counts["broken"] else "strong good"
    yield Text.assemble((lead, style), f" ({told})" if told else "")
    if more and counts["note"] + counts["fine"]:
        yield _line(Text("Show all: credtray doctor --all", "quiet"), 0)
    if counts["broken"]:  # the list itself may have left the screen by now
        cure = found[0]["cure"].removeprefix(_RUN)
        yield _line(Text.assemble(("Start with: ", "bold"), visible(cure)), 0)


def _finding(item: dict[str, Any], mark: str, style: str, most: int) -> Iterator[RenderableType]:
    yield _line(Text.assemble((f"{mark} ", style), (visible(item["title"]), "bold")), 0)
    for sight in item["seen"][:most]:
        place = _place(sight)
        text = f"{sight['text']}{f' ({place})' if place else ''}"
        yield _line(Text(visible(text)), 1)
    more = len(item["seen"]) - most
    if more > 0:
        yield _line(Text(f"and {more} more (--all shows them)", "quiet"), 1)
    if item["severity"] == "fine":
        return
    if item["cause"]:
        yield _line(Text(f"Why: {visible(item['cause'])}", "quiet"), 1)
    yield from _cure(item)


def _cure(item: dict[str, Any]) -> Iterator[RenderableType]:
    lead, _, rest = item["cure"].partition(_RUN)
    told = ("Do: ", item["cure"]) if lead else (_RUN, rest)
    yield _line(Text.assemble((told[0], "bold"), visible(told[1])), 1)
    repair = item["repair"]
    if repair is not None and f"credtray repair {repair}" not in item["cure"]:
        yield _line(Text.assemble(("Or: ", "bold"), f"credtray repair {repair}"), 1)


def _place(sight: dict[str, Any]) -> str:
    if sight["file"] is None:
        return ""
    return f"{sight['file']}:{sight['line']}" if sight["line"] is not None else str(sight["file"])


def _line(text: Text, depth: int) -> Padding:
    text.overflow = "fold"
    return Padding(text, (0, 0, 0, depth * _INDENT))


# --- who uses what -----------------------------------------------------------------------------------


def _table(document: dict[str, Any]) -> Iterator[RenderableType]:
    alike: dict[str, list[dict[str, Any]]] = {}
    for item in document["profiles"]:
        alike.setdefault(repr([_said(client) for client in item["clients"]]), []).append(item)
    if not alike:
        return
    yield Text("What programs use with AWS_PROFILE set to the profile", "bold")
    for same in alike.values():
        names = ", ".join(item["profile"] for item in same[:MOST_SIGHTS])
        more = "" if len(same) <= MOST_SIGHTS else f" and {len(same) - MOST_SIGHTS} more"
        yield _line(Text(visible(f"{names}{more}"), "bold"), 1)
        yield from _clients(same[0]["clients"])
    yield _line(
        Text("* according to its documentation; the others were compared with the real program", "quiet"), 1
    )
    left_out = document["profiles_left_out"]
    if left_out:
        plural = "" if left_out == 1 else "s"
        yield _line(Text(f"{left_out} more profile{plural}: credtray doctor PROFILE, or --all", "quiet"), 1)
    yield Text()


def _clients(clients: Iterable[dict[str, Any]]) -> Iterator[RenderableType]:
    together: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for client in clients:
        together.setdefault(_said(client), []).append(client)
    for same in together.values():
        first = same[0]
        names = ", ".join(client["client"] + ("" if client["proven"] else "*") for client in same)
        trouble = next(iter(first["troubles"]), None)
        style = "bad" if trouble is not None and trouble["fatal"] else "" if trouble is None else "warning"
        if first["kept_fresh_by_credtray"] and style == "warning":
            style = ""  # it works, by another way than somebody may think
        yield _line(Text.assemble(f"{names}: ", (visible(first["uses"]), style or "good")), 2)
        yield _line(Text(visible(first["why"]), "quiet"), 3)
        for item in first["troubles"]:
            yield _line(Text(visible(f"! {item['text']}" if style else item["text"]), style or "quiet"), 3)


def _said(client: dict[str, Any]) -> tuple[str, ...]:
    """Return what makes two clients' lines the same line."""
    return client["uses"], client["why"], *(item["text"] for item in client["troubles"])


# --- explain -----------------------------------------------------------------------------------------


def explain_view(document: dict[str, Any], *, everything: bool, online: bool) -> Group:
    """Return everything `credtray explain` shows: the cause that is so here, and what else it may be.

    Args:
        document: of ``explain_document``.
        everything: show the other causes in full, too.
        online: AWS was asked.
    """
    return Group(*_explained(document["causes"], everything=everything, online=online))


def _explained(causes: list[dict[str, Any]], *, everything: bool, online: bool) -> Iterator[RenderableType]:
    here = list(takewhile(lambda item: item["applies_here"], causes))
    others = [item for item in causes[len(here) :] if item["standing"] != "not_found"]
    excluded = [item for item in causes[len(here) :] if item["standing"] == "not_found"]
    if here:
        yield Text("Cause found here", "strong bad")
        yield from _finding({**here[0], "severity": "broken"}, "✗", "bad", MOST_SIGHTS)
        if here[1:]:
            yield Text("\nAlso found here", "bold")
        for item in here[1:]:
            yield from _finding({**item, "severity": "broken"}, "✗", "bad", MOST_SIGHTS)
    else:
        yield Text(
            "Nothing on this machine explains it at the moment. What the message usually means:", "bold"
        )
        yield from _finding({**causes[0], "severity": "note"}, "○", "accent", MOST_SIGHTS)
        others, excluded = ([item for item in group if item is not causes[0]] for group in (others, excluded))
    titles = "; ".join(item["title"] for item in others)
    yield from _rest("Other possible causes", others, titles, everything=everything)
    number = f"{len(excluded)} cause{'' if len(excluded) == 1 else 's'}"
    yield from _rest("Checked and ruled out", excluded, number, everything=everything)
    if not here:
        option = "" if online else " --online"
        yield Text.assemble("\n", ("Next: ", "bold"), f"credtray doctor{option}")


def _rest(
    head: str, items: list[dict[str, Any]], short: str, *, everything: bool
) -> Iterator[RenderableType]:
    if not items:
        return
    if not everything:
        yield Text(visible(f"\n{head}: {short} (--all shows them)"), "quiet")
        return
    yield Text(f"\n{head}", "bold")
    for item in items:
        yield from _finding({**item, "severity": "note"}, "○", "accent", MOST_SIGHTS)
