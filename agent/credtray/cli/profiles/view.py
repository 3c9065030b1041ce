"""Draws the tables of `credtray profiles`. Draws only."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli.columns import Column, Columns
from credtray.cli.terminal import visible
from credtray.core.models import Delivery
from credtray.core.protocol.results import ForeignStatus, ProfileStatus
from credtray.core.state_words import PRODUCTION


def profiles_view(items: Sequence[ProfileStatus]) -> Group:
    """Return the table of SSO profiles, and below it what a person has written down of them."""
    several = len({item.session for item in items}) > 1
    columns = (
        Column("Profile"),
        Column("Account", leaves=2),
        Column("Role", leaves=3),
        *([Column("Session", leaves=1)] if several else []),
        Column("Kept in"),
    )
    rows = []
    for item in items:
        role = " > ".join([item.role_name, *(arn.rpartition("/")[2] for arn in item.assumes)])
        account = Text(visible(item.account_name or item.account_id))
        session = [Text(visible(item.session))] if several else []
        rows.append((_name(item), account, Text(visible(role)), *session, Text(_kept_in(item), "good")))
    table = Columns(columns, rows, headed=True)
    written = [(item, words) for item in items if (words := _written_down(item)).plain]
    return Group(table, "", _remarks(written)) if written else Group(table)


def _remarks(written: list[tuple[ProfileStatus, Text]]) -> Group:
    """Return a list of its own: beside five columns a sentence would be a tower of words."""
    parts: list[RenderableType] = []
    for item, words in written:
        parts += [Text(visible(item.name), "bold"), Padding(words, (0, 0, 0, 2))]
    return Group(*parts)


def _name(item: ProfileStatus) -> Text:
    name = Text.assemble(("* ", "warning") if item.favourite else "")
    name.append(visible(item.name), "bold" if item.active or item.default else "")
    if item.production:
        name.append(f" {PRODUCTION}", "strong bad")
    return name


def _kept_in(item: ProfileStatus) -> str:
    own = "file" if item.section == item.name else f"[{item.section}]"
    kept = own if item.delivery is Delivery.FILE else item.delivery.value
    sections = [kept] if item.active else []
    return visible(" ".join([*sections, *(["[default]"] if item.default else [])]))


def _written_down(item: ProfileStatus) -> Text:
    """Return what it is for, below it what is worth knowing first, and its tags."""
    lines = [
        Text(visible(item.description or "")),
        Text(visible(item.notes or ""), "quiet"),
        Text(" ".join(f"#{visible(tag)}" for tag in item.tags), "accent"),
    ]
    return Text("\n").join(line for line in lines if line.plain)


def foreign_view(items: Sequence[ForeignStatus]) -> Group:
    """Return the list of profiles that are left alone, with the reason."""
    rows = [(Text(visible(item.name)), Text(visible(item.reason), "quiet")) for item in items]
    return Group(Text("\nLeft alone:", "bold"), Columns((Column(), Column()), rows, indent=2))
