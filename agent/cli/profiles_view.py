"""Draws the tables of `credtray profiles`. Draws only."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.cli.terminal import visible


def profiles_view(items: list[dict[str, Any]]) -> Table:
    """Return the table of SSO profiles."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Profile", overflow="fold", min_width=12)
    table.add_column("Account", no_wrap=True)
    table.add_column("Role", overflow="fold")
    table.add_column("Session", overflow="fold")
    table.add_column("Kept in", overflow="fold")
    for item in items:
        name = Text(visible(item["name"]), "bold" if item["active"] or item["default"] else "")
        role = " > ".join([item["role_name"], *(arn.rpartition("/")[2] for arn in item["assumes"])])
        table.add_row(
            name,
            item["account_id"],
            Text(visible(role)),
            Text(visible(item["session"])),
            Text(_kept_in(item), "green"),
        )
    return table


def _kept_in(item: dict[str, Any]) -> str:
    sections = [f"[{item['section']}]"] if item["active"] else []
    return visible(" ".join([*sections, *(["[default]"] if item["default"] else [])]))


def foreign_view(items: list[dict[str, Any]]) -> Group:
    """Return the list of profiles that are left alone, with the reason."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item in items:
        table.add_row(Text(visible(item["name"])), Text(visible(item["reason"]), "dim"))
    return Group(Text("\nLeft alone:", "bold"), Padding(table, (0, 0, 0, 2)))
