"""Shows what `credtray setup` would write: the profiles as a table, the config file as a diff. Draws only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from credtray.cli.columns import Column, Columns
from credtray.cli.terminal import visible
from credtray.core.config.edits import ProfileChange, ProfileOutcome

MOST_LINES = 40
"""Longer tables and diffs are cut in the preview; --dry-run shows them whole."""

_WORDS = {
    ProfileOutcome.ADDED: ("+", "new", "good"),
    ProfileOutcome.UPDATED: ("~", "changed", "warning"),
    ProfileOutcome.KEPT: ("=", "already there", "quiet"),
    ProfileOutcome.PRUNED: ("-", "removed", "bad"),
}
_DIFF_STYLES = {"+": "good", "-": "bad", "@": "accent"}


def plan_view(
    profiles: Sequence[ProfileChange],
    diff: str,
    accounts: Mapping[str, str | None],
    place: str,
    *,
    whole: bool,
) -> Group:
    """Return the preview.

    Args:
        profiles: of the plan.
        diff: unified diff of the config file; empty when nothing changes.
        accounts: account id -> name.
        place: the config file as a person knows it.
        whole: show everything, however long.
    """
    most = len(profiles) if whole else MOST_LINES
    parts: list[RenderableType] = [_table(profiles[:most], accounts)]
    if len(profiles) > most:
        parts.append(Text(f"and {len(profiles) - most} more profiles", "quiet"))
    lines = diff.splitlines()
    most = len(lines) if whole else MOST_LINES
    if lines:
        parts.append(Text(f"\nChanges to {place}:", "bold"))
        parts += [_line(line) for line in lines[:most]]
    if len(lines) > most:
        parts.append(Text(f"and {len(lines) - most} more lines; --dry-run shows them all", "quiet"))
    return Group(*parts, Text())


def _line(line: str) -> Text:
    # Not wrapped by us: a value copied from the preview must be whole.
    return Text(visible(line), _DIFF_STYLES.get(line[:1], ""), no_wrap=True, overflow="ignore")


def _table(profiles: Sequence[ProfileChange], accounts: Mapping[str, str | None]) -> Columns:
    columns = (Column("  Profile"), Column("Account", leaves=1), Column("Role", leaves=2), Column())
    rows = []
    for item in profiles:
        mark, word, style = _WORDS[item.change]
        rows.append(
            (
                Text(visible(f"{mark} {item.profile}"), style),
                Text(visible(accounts.get(item.account_id) or item.account_id)),
                Text(visible(item.role_name)),
                Text(word, style),
            )
        )
    return Columns(columns, rows, headed=True)
