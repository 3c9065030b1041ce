"""Draws the tables of `credtray profiles`. Draws only."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from credtray.cli.delivery_words import FILE, delivery_of
from credtray.cli.terminal import visible
from credtray.core.face.lines import PRODUCTION


def profiles_view(items: list[dict[str, Any]]) -> Group:
    """Return the table of SSO profiles, and below it what a person has written down of them."""
    several = len({item["session"] for item in items}) > 1
    table = _table()
    table.add_column("Profile", overflow="fold", min_width=12)
    table.add_column("Account", no_wrap=True)
    for title in ("Role", *(["Session"] if several else []), "Kept in"):
        table.add_column(title, overflow="fold")
    for item in items:
        role = " > ".join([item["role_name"], *(arn.rpartition("/")[2] for arn in item["assumes"])])
        session = [Text(visible(item["session"]))] if several else []
        kept = Text(_kept_in(item), "good")
        table.add_row(_name(item), item["account_id"], Text(visible(role)), *session, kept)
    written = [(item, words) for item in items if (words := _written_down(item)).plain]
    return Group(table, "", _remarks(written)) if written else Group(table)


def _table(*, headed: bool = True) -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=headed)


def _remarks(written: list[tuple[dict[str, Any], Text]]) -> Table:
    """Return a table of its own: beside five columns a sentence would be a tower of words."""
    table = _table(headed=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item, words in written:
        table.add_row(Text(visible(item["name"]), "bold"), words)
    return table


def _name(item: dict[str, Any]) -> Text:
    name = Text("* " if item.get("favourite") else "", "warning")
    name.append(visible(item["name"]), "bold" if item["active"] or item["default"] else "")
    if item.get("production"):
        name.append(f" {PRODUCTION}", "strong bad")
    return name


def _kept_in(item: dict[str, Any]) -> str:
    delivery = delivery_of(item)
    kept = f"[{item['section']}]" if delivery == FILE else delivery
    sections = [kept] if item["active"] else []
    return visible(" ".join([*sections, *(["[default]"] if item["default"] else [])]))


def _written_down(item: dict[str, Any]) -> Text:
    """Return what it is for, below it what is worth knowing first, and its tags."""
    lines = [
        Text(visible(item.get("description") or "")),
        Text(visible(item.get("notes") or ""), "quiet"),
        Text(" ".join(f"#{visible(tag)}" for tag in item.get("tags", ())), "accent"),
    ]
    return Text("\n").join(line for line in lines if line.plain)


def foreign_view(items: list[dict[str, Any]]) -> Group:
    """Return the list of profiles that are left alone, with the reason."""
    table = _table(headed=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item in items:
        table.add_row(Text(visible(item["name"])), Text(visible(item["reason"]), "quiet"))
    return Group(Text("\nLeft alone:", "bold"), Padding(table, (0, 0, 0, 2)))
