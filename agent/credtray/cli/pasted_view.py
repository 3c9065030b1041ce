"""Draws pasted keys for `credtray status` and `credtray profiles`: where they are, whose, until when.

Draws only; the facts are in the status document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli.columns import Column, Columns
from credtray.cli.status_words import Reader
from credtray.cli.terminal import visible
from credtray.core.models import CredentialStatus
from credtray.core.protocol.results import PastedStatus

_STYLES = {
    CredentialStatus.FRESH: "good",
    CredentialStatus.ADVISORY: "warning",
    CredentialStatus.MANDATORY: "warning",
    CredentialStatus.EXPIRED: "bad",
}
_INDENT = 2


def imports_view(items: Sequence[PastedStatus], reader: Reader) -> Iterator[RenderableType]:
    """Yield the lines about pasted keys; none where there are none.

    Args:
        items: ``imports`` of the status document.
        reader: when and where it is read.
    """
    if not items:
        return
    yield Text("Pasted keys", "bold")
    rows = []
    for item in items:
        owner = [
            Text(visible(item.account_name or item.account_id or ""), "quiet"),
            Text(visible(item.role_name or ""), "quiet"),
        ]
        style = _STYLES.get(item.state, "quiet")
        rows.append((Text(visible(f"[{item.section}]")), *owner, Text(_until(item, reader), style)))
    yield Columns((Column(), Column(leaves=1), Column(leaves=2), Column()), rows, indent=_INDENT)
    for item in items:
        if item.error is not None:
            yield Padding(Text(visible(item.error.text), "warning"), (0, 0, 0, _INDENT))
    if any(item.state is not CredentialStatus.FRESH for item in items):
        hint = "paste new ones: credtray import, or convert them: credtray import --convert"
        yield Padding(Text(hint, "quiet"), (0, 0, 0, _INDENT))
    yield Text()


def _until(item: PastedStatus, reader: Reader) -> str:
    ends_at = item.expires_at
    if ends_at <= reader.now:
        return f"ended at {reader.at(ends_at)}"
    return f"until {reader.at(ends_at)} ({reader.left(ends_at)})"
