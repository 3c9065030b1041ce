"""`credtray import`: keys that were copied from the access portal, kept in a section until they end.

Writes no file itself, and shows no part of a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credtray.app import Components
from credtray.aws.profile_writer import Preview
from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.addresses import DEFAULT_SCOPES
from credtray.core.config.setup_edits import ProfileOutcome, SetupWish
from credtray.core.errors import CredtrayError, UsageError
from credtray.core.models import Account, AwsConfig, SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.protocol import ImportKeys, Status
from credtray.core.shell_words import argument
from credtray.core.state_words import clock_time
from credtray.core.words import short
from credtray.pasted.facts import Owner
from credtray.pasted.portal_text import LONGEST

if TYPE_CHECKING:
    from credtray.pasted.facts import End
    from credtray.pasted.portal_text import PastedKeys


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
    from credtray.pasted.portal_text import parse

    pasted = parse(read_paste(source, clipboard=clipboard))
    asked = terminal.interactive() and not json_output
    kept = _kept(build(), pasted, _Wish(name, expires, region, convert, not no_check, asked))
    if json_output:
        terminal.show_json(_document(kept))
    else:
        _tell(kept, clipboard=clipboard)


def _kept(components: Components, pasted: PastedKeys, wish: _Wish) -> _Kept:
    from credtray.pasted import facts

    now = components.ports.clock.now()
    region = facts.region_of(pasted, wish.region)
    owner = facts.owner_of(components, pasted, region, check=wish.check)
    end = facts.end_of(pasted, wish.expires, now, ask=wish.ask)
    document = ask(Status())
    section = facts.section_of(pasted, wish.name, owner, document, now)
    found = conversion(components, owner, region, ask=wish.ask) if wish.convert else None
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
        found = offer(components, owner, region)
    if found is not None:
        write(components, found)
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
    from credtray.pasted.facts import EndSource

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
        terminal.say("Start it: credtray start")
    if clipboard:
        terminal.say("The clipboard still holds the keys: copy something else.")


# Reads what was pasted: from standard input, a file or the clipboard. Understands nothing of it.
#
# Shows nothing of it either: while somebody pastes into a terminal, its echo is off.


STDIN = "-"
_END = "Ctrl-Z" if sys.platform == "win32" else "Ctrl-D"
_PASTE_HERE = (
    'Paste the keys here: in the access portal, "Access keys" of the role, option 1 or 2.\n'
    f"Nothing is shown as you paste. Finish with Enter, then {_END}."
)


def read_paste(source: str | None, *, clipboard: bool) -> bytes:
    """Return the bytes, at most one more than are taken.

    Raises:
        UsageError: two sources, or a file that cannot be read.
        ClipboardUnreadable: there is no clipboard to read.
    """
    if clipboard:
        if source is not None:
            raise UsageError("Give a file or --clipboard, not both")
        from credtray.desktop.clipboard.reading import clipboard_text

        return asyncio.run(clipboard_text(os.environ))
    if source is None or source == STDIN:
        return _from_stdin()
    return _from_file(Path(source))


_NOT_QUIET = (
    "this console shows what is typed. Copy the keys and run `credtray import --clipboard`, "
    "or hand them over in a pipe"
)


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with NUL in it
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise UsageError(f"{path} cannot be read: {reason}") from None


def _from_stdin() -> bytes:
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(LONGEST + 1)
    if sys.platform == "win32":
        with _quiet_console():
            terminal.say(_PASTE_HERE)
            return _until_ctrl_z()
    else:
        with _quiet_terminal(sys.stdin.fileno()) as end:
            terminal.say(_PASTE_HERE)  # only now: whoever reads it may paste at once
            return _until(end, sys.stdin.fileno())


if sys.platform == "win32":
    _LINE_INPUT, _ECHO_INPUT = 0x0002, 0x0004
    """ENABLE_LINE_INPUT and ENABLE_ECHO_INPUT (consoleapi.h)."""
    _CTRL_Z = b"\x1a"
    _PIECE = 8192

    def _until_ctrl_z() -> bytes:
        """Return what comes before Ctrl-Z, at most one byte more than is taken."""
        console: Any = sys.stdin.buffer  # a file of the console has a raw one below it
        held = b""
        while _CTRL_Z not in held and len(held) <= LONGEST:
            piece = console.raw.read(_PIECE)
            if not piece:  # at the beginning of a piece Ctrl-Z is the end of the file
                break
            held += piece
        return held.partition(_CTRL_Z)[0][: LONGEST + 1].replace(b"\r", b"\n")  # which is what Enter sends

    @contextlib.contextmanager
    def _quiet_console() -> Iterator[None]:
        """Keep the keys off the screen and out of its scrollback; afterwards the console is as it was.

        Line by line, a console drops what is longer than the reader's buffer, as a session token may be: so
        each piece is read as it comes.

        Ctrl-Break would end Python at once, and leave a console that shows nothing: here it is a Ctrl-C.

        Raises:
            UsageError: the console cannot be made quiet; nothing has been read.
        """
        import ctypes
        import msvcrt
        from ctypes import wintypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        console = wintypes.HANDLE(msvcrt.get_osfhandle(sys.stdin.fileno()))
        before = wintypes.DWORD()
        if not kernel.GetConsoleMode(console, ctypes.byref(before)):
            raise UsageError(_NOT_QUIET)
        broken = signal.signal(signal.SIGBREAK, signal.default_int_handler)
        try:
            quiet = before.value & ~(_ECHO_INPUT | _LINE_INPUT)
            if not kernel.SetConsoleMode(console, wintypes.DWORD(quiet)):
                raise UsageError(_NOT_QUIET)
            yield
        finally:  # with what is left of the paste: the shell would show it, and run it
            kernel.FlushConsoleInputBuffer(console)
            kernel.SetConsoleMode(console, before)
            signal.signal(signal.SIGBREAK, broken)

else:

    @contextlib.contextmanager
    def _quiet_terminal(number: int) -> Iterator[bytes]:
        """Keep the keys off the screen and out of its scrollback; yield the key that ends the paste.

        Line by line, a terminal drops what is longer than 1,024 (macOS) or 4,095 bytes (Linux), as a session
        token may be: so each piece is read as it comes. Ctrl-C is still Ctrl-C.
        """
        import termios  # not on Windows

        before = termios.tcgetattr(number)
        keys = [*before[6]]
        end = keys[termios.VEOF]
        keys[termios.VMIN], keys[termios.VTIME] = 1, 0
        quiet = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON), *before[4:6], keys]

        def be_quiet(*_: object) -> None:
            termios.tcsetattr(number, termios.TCSADRAIN, quiet)

        # After Ctrl-Z the shell has the terminal as it likes it, and `fg` leaves it so.
        resumed = signal.signal(signal.SIGCONT, be_quiet)
        be_quiet()
        try:
            yield end
        finally:  # with what is left of the paste: the shell would show it, and run it
            signal.signal(signal.SIGCONT, resumed)
            termios.tcsetattr(number, termios.TCSAFLUSH, before)

    def _until(end: bytes, number: int) -> bytes:
        """Return what comes before the key *end*, at most one byte more than is taken."""
        held = b""
        while end not in held and len(held) <= LONGEST:
            try:
                piece = os.read(number, LONGEST)
            except OSError:  # EIO: the terminal was closed
                break
            if not piece:
                break
            held += piece
        return held.partition(end)[0][: LONGEST + 1]


# Writes an SSO profile for the role that pasted keys are of, so that its keys renew themselves from now on.
#
# Never invents an sso-session: it takes one of the config file, or a preset that a person picked.


_SETUP = "Run: credtray setup"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What would be written, or is there already."""

    session: SsoSession
    profile: str
    preview: Preview | None
    """None: a profile for this role is there."""


def conversion(components: Components, owner: Owner, region: str | None, *, ask: bool) -> Conversion:
    """Plan the profile; nothing is written.

    Raises:
        UsageError: nobody knows the role, it is none of Identity Center's, or no session can be told.
        ConfigInvalid: the config file is broken.
    """
    if owner.account_id is None or owner.role_name is None:
        raise UsageError("The account and role of these keys are not known", hint=_SETUP)
    if not owner.identity_center:
        raise UsageError(f"{owner.role_name} is not an Identity Center role, so no sign-in can get its keys")
    config = components.ports.config_file.load()
    for item in config.profiles.values():
        if (item.account_id, item.role_name) == (owner.account_id, owner.role_name) and not item.chain:
            return Conversion(config.sessions[item.session], item.name, None)
    session = _session(config, owner.account_id, ask=ask)
    from credtray.setup.config_place import taken_sections

    wish = SetupWish(
        session,
        (RoleChoice(Account(owner.account_id), owner.role_name),),
        region_of_new=region or session.region,
        taken=taken_sections(components),
    )
    preview = components.profile_writer.preview(wish)
    name = next(item.profile for item in preview.plan.profiles if item.change is not ProfileOutcome.PRUNED)
    return Conversion(session, name, preview)


def offer(components: Components, owner: Owner, region: str | None) -> Conversion | None:
    """Ask whether to write the profile; None where nothing can be offered, or nobody wants it."""
    try:
        found = conversion(components, owner, region, ask=False)
    except CredtrayError:
        return None  # nothing was asked for, so nothing is wrong
    if found.preview is None:
        return found
    from credtray.cli.questions import ask_yes

    show(components, found.preview)
    question = f"Also write this profile? Its keys then renew with a sign-in to {found.session.name}."
    return found if ask_yes(question, default=False) else None


def show(components: Components, preview: Preview) -> None:
    """Draw what would be written."""
    from credtray.setup.config_place import place_of
    from credtray.setup.steps import plan_view

    plan = plan_view(preview.plan.profiles, preview.diff, {}, place_of(components), whole=False)
    terminal.draw(plan, talk=True)


def write(components: Components, found: Conversion) -> None:
    """Write the profile, so that `credtray undo` can take it back.

    Raises:
        FileContended, FileUnparsable, FileRefused, FileUnwritable: nothing was written.
    """
    if found.preview is None or not found.preview.diff:
        return
    from credtray.setup.steps import remember, warn_of_code_page

    written = components.profile_writer.apply(found.preview)
    remember(components, f"import {found.profile}", written)
    warn_of_code_page(components, found.preview)


def _session(config: AwsConfig, account_id: str, *, ask: bool) -> SsoSession:
    """Return the session that signs in for this account, as far as that can be told."""
    known = {name: each for name, each in config.sessions.items() if not each.legacy}
    used = {item.session for item in config.profiles.values() if item.account_id == account_id}
    for names in (used & known.keys(), known.keys()):
        if len(names) == 1:
            return known[next(iter(names))]
    if ask:
        from credtray.setup.team_file import installed

        presets = {
            name: SsoSession(name, item.start_url, item.region, item.scopes or DEFAULT_SCOPES)
            for name, item in installed().items()
            if name not in config.sessions
        }
        return _picked({**known, **presets})
    if known:
        raise UsageError(f"Several sessions could be the right one: {', '.join(sorted(known))}", hint=_SETUP)
    raise UsageError("The config file has no sso-session for it", hint=_SETUP)


def _picked(sessions: dict[str, SsoSession]) -> SsoSession:
    from credtray.cli.questions import ask_one

    options = [(f"{name}  {each.start_url}", each) for name, each in sessions.items()]
    picked = ask_one("Which sign-in has this role?", [*options, ("none of these", None)])
    if picked is None:
        raise UsageError("You have to set up another sign-in first", hint=_SETUP)
    return picked


# `credtray import`: keys pasted from the access portal.
