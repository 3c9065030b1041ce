"""Draws the tables of `credtray profiles`. Draws only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.cli.delivery_words import way
from agent.cli.terminal import visible
from agent.core.lines import PRODUCTION


def profiles_view(items: list[dict[str, Any]]) -> Table:
    """Return the table of SSO profiles; columns of the settings only where one of the profiles has any."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Profile", overflow="fold", min_width=12)
    table.add_column("Account", no_wrap=True)
    for title in ("Role", "Session", "Kept in"):
        table.add_column(title, overflow="fold")
    own = [title for title, words in _OWN.items() if any(words(item) for item in items)]
    for title in own:
        table.add_column(title, overflow="fold")
    for item in items:
        role = " > ".join([item["role_name"], *(arn.rpartition("/")[2] for arn in item["assumes"])])
        table.add_row(
            _name(item),
            item["account_id"],
            Text(visible(role)),
            Text(visible(item["session"])),
            Text(_kept_in(item), "green"),
            *(Text(visible(_OWN[title](item))) for title in own),
        )
    return table


def _name(item: dict[str, Any]) -> Text:
    name = Text("* " if item.get("favourite") else "", "yellow")
    name.append(visible(item["name"]), "bold" if item["active"] or item["default"] else "")
    if item.get("production"):
        name.append(f" {PRODUCTION}", "bold red")
    return name


def _kept_in(item: dict[str, Any]) -> str:
    kept = way(item) or f"[{item['section']}]"
    sections = [kept] if item["active"] else []
    return visible(" ".join([*sections, *(["[default]"] if item["default"] else [])]))


def _description(item: dict[str, Any]) -> str:
    return str(item.get("description") or "")


def _notes(item: dict[str, Any]) -> str:
    return str(item.get("notes") or "")


def _tags(item: dict[str, Any]) -> str:
    return " ".join(item.get("tags", ()))


_OWN: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "Description": _description,
    "Tags": _tags,
    "Notes": _notes,
}
"""Columns of what a person has written down."""


def foreign_view(items: list[dict[str, Any]]) -> Group:
    """Return the list of profiles that are left alone, with the reason."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item in items:
        table.add_row(Text(visible(item["name"])), Text(visible(item["reason"]), "dim"))
    return Group(Text("\nLeft alone:", "bold"), Padding(table, (0, 0, 0, 2)))
