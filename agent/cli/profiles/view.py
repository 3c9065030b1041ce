"""Draws the tables of `credtray profiles`. Draws only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.cli.delivery_words import FILE, delivery_of
from agent.cli.terminal import visible
from agent.core.face.lines import PRODUCTION


def profiles_view(items: list[dict[str, Any]]) -> Table:
    """Return the table of SSO profiles; columns of the settings only where one of the profiles has any."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Profile", overflow="fold", min_width=12)
    table.add_column("Account", no_wrap=True)
    for title in ("Role", "Session", "Kept in"):
        table.add_column(title, overflow="fold")
    own = [title for title, words in _OWN.items() if any(words(item).plain for item in items)]
    for title in own:
        table.add_column(title, overflow="fold", min_width=len(title))
    for item in items:
        role = " > ".join([item["role_name"], *(arn.rpartition("/")[2] for arn in item["assumes"])])
        table.add_row(
            _name(item),
            item["account_id"],
            Text(visible(role)),
            Text(visible(item["session"])),
            Text(_kept_in(item), "green"),
            *(_OWN[title](item) for title in own),
        )
    return table


def _name(item: dict[str, Any]) -> Text:
    name = Text("* " if item.get("favourite") else "", "yellow")
    name.append(visible(item["name"]), "bold" if item["active"] or item["default"] else "")
    if item.get("production"):
        name.append(f" {PRODUCTION}", "bold red")
    return name


def _kept_in(item: dict[str, Any]) -> str:
    delivery = delivery_of(item)
    kept = f"[{item['section']}]" if delivery == FILE else delivery
    sections = [kept] if item["active"] else []
    return visible(" ".join([*sections, *(["[default]"] if item["default"] else [])]))


def _description(item: dict[str, Any]) -> Text:
    """Return what it is for, and below it what is worth knowing first."""
    told = Text(visible(item.get("description") or ""))
    if item.get("notes"):
        told.append("\n" if told.plain else "")
        told.append(visible(item["notes"]), "dim")
    return told


def _tags(item: dict[str, Any]) -> Text:
    return Text(visible(" ".join(item.get("tags", ()))))


_OWN: Mapping[str, Callable[[dict[str, Any]], Text]] = {"Description": _description, "Tags": _tags}
"""Columns of what a person has written down."""


def foreign_view(items: list[dict[str, Any]]) -> Group:
    """Return the list of profiles that are left alone, with the reason."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item in items:
        table.add_row(Text(visible(item["name"])), Text(visible(item["reason"]), "dim"))
    return Group(Text("\nLeft alone:", "bold"), Padding(table, (0, 0, 0, 2)))
