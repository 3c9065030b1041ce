"""`credtray doctor` and `credtray explain`: what is wrong here, what an error text means, and what to do.

Changes nothing; `credtray repair` does. The JSON documents are contracts: docs/reference/doctor.md.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.names import complete_profile
from credtray.core.errors import UsageError

if TYPE_CHECKING:
    from credtray.checkup import Checkup

BROKEN = 1
UNKNOWN_TEXT = 1
_MOST_INPUT = 4 * 1024 * 1024
"""Characters read from standard input: an error text is somewhere in them, or nobody finds it."""


def doctor(
    profiles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROFILE",
            help="Only what concerns these profiles or sessions.",
            autocompletion=complete_profile,
            show_default=False,
        ),
    ] = None,
    online: bool = typer.Option(False, "--online", help="Also try to reach AWS, as the agent would."),
    everything: bool = typer.Option(False, "--all", help="Also show notes, what is fine, and every profile."),
    json_output: JsonOption = False,
) -> None:
    """Find out what is wrong, why, and what to do about it.

    Looks at the AWS files, the sign-ins, the environment, the agent and the desktop. For a profile you name
    it also shows what the AWS CLI and the SDKs really use. Changes nothing, and makes no network requests
    unless you add --online. Exits with 1 when something is broken, else with 0.

    Examples:
      credtray doctor
      credtray doctor synderys-dns
      credtray doctor --online
      credtray doctor --json
    """
    from credtray.cli.doctor import document as documents
    from credtray.core.diagnosis import Severity, findings
    from credtray.core.diagnosis.rules import concerning

    if online and not json_output:
        terminal.say("Trying to reach AWS ...")
    seen = _look(online=online)
    facts, around = seen.facts, seen.surroundings()
    names = documents.tabled(facts, profiles or (), every=everything)
    found = concerning(findings(facts), facts, profiles or ())
    table = {name: documents.row(around, name) for name in names}
    left_out = len({*facts.config.sections, *facts.credentials.sections} - {*names})
    if json_output:
        terminal.show_json(documents.doctor_document(facts, found, table, left_out))
    else:
        from credtray.cli.doctor.view import doctor_view

        terminal.draw(doctor_view(found, table, left_out, everything=everything, named=bool(profiles)))
    if found and found[0].severity is Severity.BROKEN:
        raise typer.Exit(BROKEN)


def explain(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="The error message, or an error code of credtray; read from standard input if left out.",
            show_default=False,
        ),
    ] = None,
    online: bool = typer.Option(False, "--online", help="Also try to reach AWS, as the agent would."),
    everything: bool = typer.Option(False, "--all", help="Show every possible cause in full."),
    json_output: JsonOption = False,
) -> None:
    """Explain an error message: what causes it on this machine, and the fix.

    Paste what the AWS CLI, an SDK, Terraform, kubectl or credtray printed, as much of it as you have. The
    cause that was found here comes first. Nothing of your text is repeated: it may hold secrets. It makes no
    network requests unless you add --online. Exits with 1 when the message is unknown, or not about AWS
    credentials.

    Examples:
      credtray explain "Token has expired and refresh failed"
      aws s3 ls 2>&1 | credtray explain
      credtray explain stale_keys
    """
    from credtray.cli.doctor.document import explain_document
    from credtray.core.diagnosis import explain as explained
    from credtray.core.diagnosis import not_ours

    given = " ".join(text) if text and text != ["-"] else _input()
    if not given.strip():
        raise UsageError(
            "There is no error message to explain", hint='Example: credtray explain "ExpiredToken"'
        )
    causes, whose = explained(given, _look(online=online).facts), not_ours(given)
    if json_output:
        terminal.show_json(explain_document(causes, whose))
    elif causes:
        from credtray.cli.doctor.view import explain_view

        terminal.draw(explain_view(causes, everything=everything, online=online))
    else:
        terminal.complain(
            "This message is not known."
            if whose is None
            else f"This message comes from {whose}; it is not about AWS credentials.",
            "See what is wrong with your AWS setup: credtray doctor",
            kind="warning",
        )
    if not causes:
        raise typer.Exit(UNKNOWN_TEXT)


def _look(*, online: bool) -> Checkup:
    from credtray import checkup

    return checkup.look(online=online)


def _input() -> str:
    if sys.stdin.isatty():
        raise UsageError(
            "There is no error message to explain", hint='Give it in quotes: credtray explain "ExpiredToken"'
        )
    raw = getattr(sys.stdin, "buffer", None)
    if raw is None:
        return sys.stdin.read(_MOST_INPUT)
    data: bytes = raw.read(_MOST_INPUT)
    return data.decode(errors="replace")
