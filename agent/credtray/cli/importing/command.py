"""`credtray import`: keys that were copied from the access portal, kept in a section until they end.

Writes no file itself, and shows no part of a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.durations import short
from credtray.core.protocol import ImportKeys, Status
from credtray.core.state_words import clock_time
from credtray.core.words import argument

if TYPE_CHECKING:
    from credtray.app import Components
    from credtray.cli.importing.convert import Conversion
    from credtray.cli.importing.facts import End, Owner
    from credtray.core.portal_text import PastedKeys


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was said on the command line."""

    name: str | None
    expires: str | None
    region: str | None
    convert: bool
    check: bool
    ask: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    """What became of the paste."""

    section: str
    owner: Owner
    end: End
    converted: Conversion | None
    now: datetime
    agent_running: bool


def import_(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE|-", help="A file with the keys; otherwise standard input.", show_default=False
        ),
    ] = None,
    clipboard: Annotated[
        bool, typer.Option("--clipboard", "-c", help="Read them from the clipboard.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="SECTION",
            help="Section of the credentials file; otherwise the name in the pasted block, or the role's.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="When they end: 4h, or 2026-11-22T17:40. Default: 4h."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="Region to ask AWS in, whose keys these are.")
    ] = None,
    convert: Annotated[
        bool, typer.Option("--convert", help="Also write an SSO profile for the role.")
    ] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not ask AWS whose they are.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Keep keys that you copied from the access portal.

    Paste what "Access keys" shows there: option 1 for any shell, option 2 or the three values. AWS is
    asked whose keys they are; they get a section of the credentials file, and leave it when they end.

    Examples:
      credtray import                  # paste, Enter, Ctrl-D
      credtray import --clipboard
      credtray import keys.txt --name legacy-account --expires 1h
      credtray import --clipboard --convert
    """
    from credtray.app import build
    from credtray.cli.importing.input import read_paste
    from credtray.core.portal_text import parse

    pasted = parse(read_paste(source, clipboard=clipboard))
    asked = terminal.interactive() and not json_output
    kept = _kept(build(), pasted, _Wish(name, expires, region, convert, not no_check, asked))
    if json_output:
        terminal.show_json(_document(kept))
    else:
        _tell(kept, clipboard=clipboard)


def _kept(components: Components, pasted: PastedKeys, wish: _Wish) -> _Kept:
    from credtray.cli.importing import convert, facts

    now = components.ports.clock.now()
    region = facts.region_of(pasted, wish.region)
    owner = facts.owner_of(components, pasted, region, check=wish.check)
    end = facts.end_of(pasted, wish.expires, now, ask=wish.ask)
    document = ask(Status())
    section = facts.section_of(pasted, wish.name, owner, document, now)
    found = convert.conversion(components, owner, region, ask=wish.ask) if wish.convert else None
    ask(
        ImportKeys(
            section,
            pasted.access_key_id,
            pasted.secret_access_key,
            pasted.session_token,
            end.at,
            owner.account_id,
            owner.role_name,
        )
    )
    profile = facts.namesake(section, document)
    if profile is not None:
        terminal.complain(
            f"the AWS CLI and boto3 prefer the sign-in of the profile {profile} to keys in [{section}]",
            kind="warning",
        )
    if found is None and wish.ask:
        found = convert.offer(components, owner, region)
    if found is not None:
        convert.write(components, found)
    return _Kept(section, owner, end, found, components.ports.clock.now(), document.agent.running)


def _document(kept: _Kept) -> dict[str, Any]:
    from credtray.core.protocol.results import whole_seconds

    return {
        "section": kept.section,
        "account_id": kept.owner.account_id,
        "role_name": kept.owner.role_name,
        "checked": kept.owner.checked,
        "expires_at": whole_seconds(kept.end.at),
        "expires_from": kept.end.source.value,
        "profile": None if kept.converted is None else kept.converted.profile,
    }


def _tell(kept: _Kept, *, clipboard: bool) -> None:
    from credtray.cli.importing.facts import EndSource

    until = f"{clock_time(kept.end.at, kept.now, None)} ({short(kept.end.at - kept.now)} left)"
    whose = f": {kept.owner.words}" if kept.owner.words else ""
    terminal.show_words(f"[{kept.section}] holds the pasted keys until {until}{whose}.")
    if kept.end.source is EndSource.ASSUMED:
        terminal.say("The paste does not say when they end; 4 h is assumed. Set it with --expires.")
    if kept.converted is not None:
        session, profile = kept.converted.session.name, kept.converted.profile
        state = "is there" if kept.converted.preview is None else "is written"
        terminal.show_words(
            f"The profile {profile} {state}. Use it: credtray login {argument(session)}, then"
        )
        terminal.show_words(f"credtray activate {argument(profile)}")
    if not kept.agent_running:
        terminal.say(
            "No agent is running: you get no reminder, and the keys stay in the file after they end."
        )
        terminal.say("Start it: credtray run")
    if clipboard:
        terminal.say("The clipboard still holds the keys: copy something else.")
