"""`credtray status`: how things stand, once, as JSON, or live.

The JSON document is a contract: docs/reference/status.md.
"""

from __future__ import annotations

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.protocol import Status
from credtray.core.protocol.results import StatusDocument


def status(
    watch: bool = typer.Option(False, "--watch", "-w", help="Show it live; press q or Ctrl-C to stop."),
    json_output: JsonOption = False,
) -> None:
    """Show sessions, profiles and the agent.

    The JSON form is a stable contract; with --watch it is one line per change.

    Examples:
      credtray status
      credtray status --watch
      credtray status --json
    """
    if watch:
        from credtray.cli.watching import watch_status

        watch_status(json_output=json_output)
        return
    document = ask(Status())
    if json_output:
        terminal.show_json(document)
    else:
        show_status(document)


def show_status(document: StatusDocument) -> None:
    """Print the document once."""
    from credtray.cli.status.view import status_view
    from credtray.cli.status.words import Reader

    terminal.draw(status_view(document, Reader(document.now)))
