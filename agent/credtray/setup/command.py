"""`credtray setup`: choose a sign-in, sign in, pick accounts and roles, see what would be written, write it.

Writes once, at its end, after everything is known and agreed to; until then nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from credtray.cli import terminal
from credtray.core.addresses import pasted_start_url
from credtray.core.errors import UsageError
from credtray.core.naming import DEFAULT_TEMPLATE
from credtray.core.words import did_you_mean
from credtray.setup.session import SessionWish, read_scopes
from credtray.setup.team_file import is_source, read_length

if TYPE_CHECKING:
    from credtray.setup.steps import Choices

_INTERRUPTED = 130


def setup(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    preset: Annotated[
        str | None,
        typer.Argument(
            metavar="PRESET",
            help="A known organisation, one of your sessions, or a team file: its path or https address.",
            show_default=False,
        ),
    ] = None,
    session: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the sso-session.")] = None,
    start_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Start URL of the access portal.")
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Region of Identity Center.")] = None,
    accounts: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="all, or account numbers and names, separated by commas."),
    ] = None,
    roles: Annotated[
        str | None, typer.Option(metavar="LIST", help="all, or role names, separated by commas.")
    ] = None,
    scopes: Annotated[
        str | None, typer.Option(metavar="LIST", help="Scopes, if not sso:account:access.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--session-duration",
            metavar="DURATION",
            help="How long a sign-in lasts, such as 8h; AWS does not say.",
            show_default=False,
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Profile names, from session, role, account_name, account_id in braces; "
            f"otherwise {DEFAULT_TEMPLATE}.",
            show_default=False,
        ),
    ] = None,
    profile_region: Annotated[
        str | None,
        typer.Option(
            metavar="REGION", help="Region of the profiles; `none` leaves it out. Default: --region."
        ),
    ] = None,
    activate: Annotated[
        bool, typer.Option("--activate", help="Keep keys for these profiles fresh from now on.")
    ] = False,
    credential_process: Annotated[
        bool, typer.Option("--credential-process", help="Write profiles that ask credtray for keys.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove profiles that an earlier setup wrote and that you did not choose this time.",
        ),
    ] = False,
    start: Annotated[
        bool | None,
        typer.Option(
            "--start/--no-start",
            help="Start the agent now and at every login; without it you are asked.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written and exit.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask no questions; take everything from the options.")
    ] = False,
    device: Annotated[
        bool, typer.Option("--device", help="Sign in on any device by entering a code.")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open no browser; only show the address.")
    ] = False,
) -> None:
    """Set up a sign-in and its profiles in the AWS config file.

    It writes what `aws configure sso` would write, so every AWS tool can use the profiles. What is in
    the file already is extended, never replaced; nothing is written before you have agreed to it.
    At the end it offers to start the agent, which keeps everything fresh, now and at every login.

    Examples:
      credtray setup
      credtray setup synderys
      credtray setup synderys --accounts all --roles ReadOnly,DNS --start --yes
      credtray setup --start-url https://corp.awsapps.com/start --region eu-west-1
      credtray setup https://intranet.corp.example/credtray.toml
    """
    from credtray.setup.steps import Choices

    address = pasted_start_url(start_url) if start_url else None
    wish = SessionWish(preset, session, address, region, read_scopes(scopes), read_length(duration or ""))
    choices = Choices(
        accounts,
        roles,
        template,
        profile_region,
        activate,
        credential_process,
        prune,
        start,
    )
    manner = _Manner(terminal.interactive() and not yes, dry_run, yes, device, not no_browser)
    if preset is not None and is_source(preset):
        code = _by_team_file(preset, wish, choices, manner)
    else:
        code = _carried_out(wish, choices, manner)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to go about it, as the command line says."""

    ask: bool
    dry_run: bool
    agreed: bool
    device: bool
    browser: bool


def _carried_out(wish: SessionWish, choices: Choices, manner: _Manner) -> int:
    from credtray.setup.steps import Setup

    run = Setup(wish, choices, ask=manner.ask, dry_run=manner.dry_run, agreed=manner.agreed)
    try:
        return run.carry_out(device=manner.device, browser=manner.browser)
    except KeyboardInterrupt:
        terminal.say(f"\n{run.after_interrupt}")
        return _INTERRUPTED


# --- by a team file ---------------------------------------------------------------------------------


def _by_team_file(source: str, wish: SessionWish, choices: Choices, manner: _Manner) -> int:
    """Set up each of the file's sessions, then take its settings over; stop at the first that fails.

    Raises:
        UsageError: the file cannot be used, or does not go with the other options.
        CredtrayError: as ``Setup.carry_out``; what was written for earlier sessions stays.
    """
    from credtray.app import build
    from credtray.aws.clients import Clients
    from credtray.core.models import Endpoints
    from credtray.setup.team_file import load
    from credtray.setup.team_settings import take_settings_over

    if wish.start_url or wish.region or wish.scopes:
        raise UsageError("A team file says where to sign in: leave out --start-url, --region and --scopes")
    team = load(source, Clients().transport(Endpoints()).send)
    sessions = [item for item in team.sessions if wish.name in {None, item.name}]
    if not sessions:
        known = [item.name for item in team.sessions]
        raise UsageError(f"The team file has no session {wish.name}.{did_you_mean(wish.name or '', known)}")
    for item in sessions:
        part = SessionWish(
            None, item.name, item.start_url, item.region, item.scopes, wish.duration or item.duration
        )
        code = _carried_out(part, choices.answered_by(item), manner)
        if code:
            return code
    said = {("sessions", item.name, "duration") for item in sessions if wish.duration is not None}
    take_settings_over(build(), team.without(said), ask=manner.ask, dry_run=manner.dry_run)
    return 0
