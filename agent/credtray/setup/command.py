"""`credtray setup`: choose a sign-in, sign in, pick accounts and roles, see what would be written, write it.

Writes once, at its end, after everything is known and agreed to; until then nothing is changed.
"""

from __future__ import annotations

from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.core.addresses import pasted_start_url
from credtray.core.naming import DEFAULT_TEMPLATE
from credtray.setup.session import SessionWish, read_length, read_scopes

_INTERRUPTED = 130


def setup(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    preset: Annotated[
        str | None,
        typer.Argument(
            metavar="PRESET", help="A known organisation, or one of your sessions.", show_default=False
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
        str,
        typer.Option(
            metavar="TEXT", help="Profile names, from session, role, account_name, account_id in braces."
        ),
    ] = DEFAULT_TEMPLATE,
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
    """
    from credtray.setup.steps import Choices, Setup

    address = pasted_start_url(start_url) if start_url else None
    wish = SessionWish(preset, session, address, region, read_scopes(scopes), read_length(duration or ""))
    choices = Choices(accounts, roles, template, profile_region, activate, credential_process, prune, start)
    run = Setup(wish, choices, ask=terminal.interactive() and not yes, dry_run=dry_run, agreed=yes)
    try:
        code = run.carry_out(device=device, browser=not no_browser)
    except KeyboardInterrupt:
        terminal.say(f"\n{run.after_interrupt}")
        code = _INTERRUPTED
    raise typer.Exit(code)


# `credtray setup`: sign in, choose, see the difference, write the profiles.
