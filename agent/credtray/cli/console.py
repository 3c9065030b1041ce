"""`credtray open`, the page, and `credtray console P`, the AWS console as a role: in a browser.

The address that lets in goes to a browser over a one-time page or, when asked for, to stdout; nowhere else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption, ProfileArgument
from credtray.cli.handover import PRINT, lead, show_page
from credtray.core.errors import BrowserUnopened, SettingsInvalid, UsageError
from credtray.core.models import Profile, Secret, SsoSession
from credtray.core.shell_words import argument
from credtray.ways_out.aws_console import (
    GOOD_FOR_MINUTES,
    SERVICES,
    Console,
    checked_destination,
    console_of,
    portal_link,
    service_page,
)

if TYPE_CHECKING:
    from credtray.app import Components


def _complete_service(incomplete: str) -> list[str]:
    return [name for name in SERVICES if name.startswith(incomplete)]


def console(
    profile: ProfileArgument,
    service: Annotated[
        str | None,
        typer.Option("--service", "-s", help="Begin at a service: s3.", autocompletion=_complete_service),
    ] = None,
    destination: Annotated[str | None, typer.Option(help="Begin at this page of the console.")] = None,
    show: Annotated[bool, typer.Option("--print", help="Print the address, open nothing.")] = False,
    portal: Annotated[
        bool, typer.Option("--portal", help="Through the access portal: without keys, the browser signs in.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Open the AWS console as a role.

    It opens in the browser that is set for the session, signed in by the keys of the profile. With
    --print the address goes to stdout: whoever has it is signed in as that role, so give it to nobody.

    Examples:
      credtray console synderys-readonly
      credtray console synderys-readonly --service s3
      credtray console synderys-readonly --portal --print
    """
    if service is not None and destination is not None:
        raise UsageError("Use --service or --destination, not both", hint="Leave one of them out.")
    visit = _visit(profile)
    page = None if destination is None else checked_destination(destination, visit.console)
    if service is not None:
        page = service_page(service, visit.console)
    if portal:
        _by_portal(visit, page, show=show, json_output=json_output)
    else:
        _by_keys(visit, page or service_page("home", visit.console), show=show, json_output=json_output)


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who goes where, and how."""

    components: Components
    profile: Profile
    session: SsoSession
    console: Console
    command: str | None
    """The session's browser."""


def _visit(name: str) -> _Visit:
    from credtray.app import build
    from credtray.cli.configured import configuration
    from credtray.core import events
    from credtray.core.answers import known_profile, known_session
    from credtray.core.apply import apply
    from credtray.core.settings import Settings
    from credtray.core.state import State

    components = build()
    try:
        config, settings = configuration(components)
    except SettingsInvalid as error:
        terminal.complain(str(error), error.advice, kind="warning")
        config, settings = components.ports.config_file.load(), Settings()
    state = apply(State(settings=settings), events.ConfigLoaded(config), datetime.now(UTC))
    profile = known_profile(state, name).profile
    session = known_session(state, profile.session).session
    region = settings.profile(name).region
    command = settings.session(session.name).browser
    return _Visit(components, profile, session, console_of(profile, session, region), command)


# --- through the portal ------------------------------------------------------------------------------


def _by_portal(visit: _Visit, page: str | None, *, show: bool, json_output: bool) -> None:
    profile = visit.profile
    if profile.chain:
        raise UsageError(
            f"{profile.name} assumes another role, which the access portal cannot open",
            hint=f"credtray console {argument(profile.name)}",
        )
    link = portal_link(visit.session, profile.account_id, profile.role_name, page)
    if json_output:
        terminal.show_json({"url": link, "destination": page, "secret": False})
    elif show:
        terminal.show(link)
    else:
        _open(visit, link)
        terminal.say(f"Opened the access portal for {profile.name}.")


# --- with keys ---------------------------------------------------------------------------------------


def _by_keys(visit: _Visit, page: str, *, show: bool, json_output: bool) -> None:
    from credtray.aws.clients import Clients
    from credtray.aws.role_credentials import sign_in
    from credtray.cli.backend import ask
    from credtray.core.models import Way
    from credtray.core.protocol import Credentials

    keys = ask(Credentials(visit.profile.name, Way.CONSOLE))
    transport = Clients().transport(visit.session.endpoints)
    address = sign_in(visit.console, keys, page, transport.send)
    if show or json_output:
        _hand_out(visit, address, page, json_output=json_output)
    else:
        asyncio.run(lead(address, lambda url: _open(visit, url)))
        terminal.say(f"Opened the console as {visit.profile.name}.")


def _hand_out(visit: _Visit, address: Secret, page: str, *, json_output: bool) -> None:
    name = visit.profile.name
    terminal.say(
        f"Anyone who opens this address within {GOOD_FOR_MINUTES} minutes is signed in as {name}. "
        "Do not share it."
    )
    if json_output:
        terminal.show_json({"url": address.reveal(), "destination": page, "secret": True})
    else:
        terminal.show(address.reveal())


def _open(visit: _Visit, url: str) -> None:
    from credtray.daemon.sign_in_grants import BROKEN_COMMAND, Opened, open_page

    opened = open_page(visit.components.ports.browser, url, visit.command)
    if opened is Opened.NOT_AT_ALL:
        raise BrowserUnopened("no program here can open an address", hint=PRINT)
    if opened is Opened.BY_ANOTHER:
        terminal.complain(BROKEN_COMMAND, f"Setting sessions.{visit.session.name}.browser", kind="warning")


# --- the page ----------------------------------------------------------------------------------------


def open_(
    show: Annotated[bool, typer.Option("--print", help="Print the address, open nothing.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Open credtray's page in your browser.

    It shows what the menu cannot: until when everything lasts, all sign-ins and all profiles, and what
    you can do about them. The agent serves it, on this computer and for you only; it is started if it
    is not running. With --print the address goes to stdout: it works once, within a minute.

    Examples:
      credtray open
      credtray open --print
    """
    from credtray.cli.agent_start import started_or_running
    from credtray.cli.backend import ask
    from credtray.core.protocol import OpenPage

    if show or json_output:
        _check_person()
    started_or_running(quiet=True)
    opened = ask(OpenPage())
    if json_output:
        terminal.show_json({"url": opened.address.reveal(), "seconds": opened.seconds})
    elif show:
        terminal.say(
            f"It lets one browser in, within {opened.seconds:.0f} s. Whoever opens it can do what you can."
        )
        terminal.show(opened.address.reveal())
    else:
        show_page(opened.address)
        terminal.say("Opened credtray in your browser.")


def _check_person() -> None:
    """Give no coding agent the address of the page, on which a person answers for it."""
    from credtray.app import build
    from credtray.guard.command import check_person

    with suppress(SettingsInvalid):
        check_person(build().ports.settings_file.load())
