"""`credtray login`, `logout` and `snooze`.

What a person has to do goes to stderr, the outcome to stdout. Opens no browser itself.
"""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

import msgspec
import typer

from credtray.cli import terminal
from credtray.cli.backend import ask, without_browser
from credtray.cli.choices import JsonOption, SessionArgument
from credtray.cli.status_words import Reader, price_words_of, still_valid_words
from credtray.core.errors import CredtrayError, Problem, Retry, UsageError, error_for
from credtray.core.expiry import Moved
from credtray.core.models import CredentialStatus
from credtray.core.protocol import KeepPerson, Login, Logout, PauseNotices, Progress, Snooze, Status
from credtray.core.protocol.results import LoginResult, StatusDocument
from credtray.core.state_words import clock_time
from credtray.core.words import parse_duration, plain, short
from credtray.menu.tray_menu import tomorrow_morning

# What a person reads while a sign-in goes on, and how it ended. Prints to stderr, returns results as text.
#
# Opens nothing: the sign-in itself does that.


_WAITING = "Waiting for you to finish in the browser. Press Ctrl-C to cancel."


def show_progress(step: Progress) -> None:
    """Tell what is going on and what to do; unknown steps of a newer agent show their address."""
    match step.kind:
        case "preparing":
            terminal.say("Signing in ...")
        case "browser":
            _address(
                "Opening the sign-in page in your browser. If it does not open, go to this address "
                "on this machine:",
                step,
            )
        case "forwarded":
            _address("Open this address in the browser on the machine from which you are connected:", step)
        case "ended":
            terminal.say(step.text or "Your earlier sign-in was ended.")
        case "finishing":
            terminal.say("Approved. Fetching the token ...")
        case _ if step.user_code is not None:
            _code(step)
        case _:
            _address("Open this address in a browser on this machine (`--device` allows any device):", step)


def _address(lead: str, step: Progress) -> None:
    if step.text:
        terminal.say(step.text)
    if step.url:
        # The address stands alone on its line, so that a terminal can open it and a person can copy it.
        terminal.say(f"{lead}\n\n{step.url}\n\n{_WAITING}")


def _code(step: Progress) -> None:
    address = step.verification_uri or step.url or ""
    carried = step.user_code is not None and step.user_code in address
    lead = "Check that the page shows this code:" if carried else "Enter this code:"
    lines = [lead, "", f"    {step.user_code}"]
    outside = f"Open this address on any device:\n\n{address}\n"
    if len(address) <= shutil.get_terminal_size().columns - 6:
        lines = ["Open this address on any device:", "", f"    {address}", "", *lines]
        outside = ""
    terminal.say("\n".join(part for part in (step.text, outside, boxed(lines)) if part))
    if step.url and step.url != address:
        terminal.say(f"\nOr open this address, and check that the page shows the same code:\n\n{step.url}\n")
    terminal.say(f"Never approve a code that somebody sent you.\n{_WAITING}")


def boxed(lines: list[str]) -> str:
    """Return the lines in a box."""
    width = max(len(line) for line in lines)
    body = [f"│ {line.ljust(width)} │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘"])


def login_words(result: LoginResult, now: datetime, zone: tzinfo | None) -> str:
    """Tell how a login ended.

    Args:
        result: of the ``Login`` request.
        now: aware, UTC.
        zone: of the reader; None is this computer's.
    """
    who = f" as {plain(result.person)}" if result.person else ""
    standing = f"Signed in to {result.session}{who}{_until(result, now, zone)}."
    if result.already:
        return f"{standing} Nothing to do; --fresh starts a new sign-in."
    if result.joined is True:
        standing += " Another program had just signed in; its sign-in is used."
    return standing + (_MOVED.get(result.moved, "") if result.moved else "")


_MOVED = {
    Moved.SAME: "\nYour sign-in was not extended: AWS joined it to the one that was still active.",
    Moved.UNKNOWN: "\nWhether it was extended is not known yet; `credtray status` will show it.",
}


def _until(result: LoginResult, now: datetime, zone: tzinfo | None) -> str:
    ends_at, guess = result.signed_in_until, result.end_is_estimate
    if ends_at is None or ends_at <= now:
        return ""
    about, left = "about " if guess else "", short(ends_at - now)
    expected = "; expected, not confirmed" if guess else ""
    return f" until {about}{clock_time(ends_at, now, zone)} ({left} left{expected})"


_INTERRUPTED = 130
_LAST_PORT = 65535
_LET_GO_SECONDS = 3.0
_LONGEST_SNOOZE = timedelta(days=7)


def login(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    session: SessionArgument = None,
    fresh: bool = typer.Option(
        False, "--fresh", help="Start a new sign-in even when the current one is good."
    ),
    yes: bool = typer.Option(False, "--yes", help="With --fresh: end the current sign-in without asking."),
    device: bool = typer.Option(False, "--device", help="Sign in on any device by entering a code."),
    no_browser: bool = typer.Option(False, "--no-browser", help="Open no browser; only show the address."),
    clean_browser: bool = typer.Option(
        False, "--clean-browser", help="Start a new sign-in in a browser where nobody is signed in."
    ),
    callback_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Have the browser return to this port, such as one that `ssh -L` forwards.",
            show_default=False,
        ),
    ] = None,
    keep: bool = typer.Option(
        False, "--keep", help="Accept the person who is signed in now, although last time it was another one."
    ),
    json_output: JsonOption = False,
) -> None:
    """Sign in, if that is needed.

    If you are still signed in, it says until when and exits with 0. A new sign-in ends the
    present one: not before you are there, and keys in use keep working until their end.
    If the person who signs in is not the one from last time, programs get no keys until you
    decide: keep that person, or sign in again.

    Examples:
      credtray login
      credtray login synderys --fresh
      credtray login --clean-browser   # to sign in as somebody else
      credtray login --keep            # this is the right person from now on
      credtray login --device          # on a machine without a browser
      credtray login --callback-port 8400   # over ssh -L 8400:127.0.0.1:8400
    """
    if keep:
        if fresh or device or no_browser or clean_browser or callback_port is not None:
            raise UsageError("Use --keep alone: it starts no sign-in")
        _keep(session, json_output=json_output)
        return
    if callback_port is not None:
        _check_port(callback_port, device=device)
    request = Login(
        session,
        fresh or clean_browser,
        device,
        not no_browser,
        clean=clean_browser,
        callback_port=callback_port,
    )
    result = _signed_in(request, yes=yes)
    if json_output:
        terminal.show_json(result)
    else:
        terminal.show_words(login_words(result, datetime.now(UTC), None))
    if result.other_person:
        other = result.other_person
        raise error_for(Problem(other.code, other.text, other.hint, Retry.PERSON))


def _check_port(port: int, *, device: bool) -> None:
    if device:
        raise UsageError("Use either --device or --callback-port: a code needs no port")
    if not 0 < port <= _LAST_PORT:
        raise UsageError(f"There is no port {port}: ports go from 1 to {_LAST_PORT}")


def _signed_in(request: Login, *, yes: bool) -> LoginResult:
    """Have it done, and tell how it goes; raises as ``_agreed`` does, too."""
    try:
        agreed = request.fresh and _agreed(request.session, yes=yes)
        remote = without_browser(os.environ)
        return ask(msgspec.structs.replace(request, agreed=agreed, remote=remote), show_progress)
    except KeyboardInterrupt:
        raise typer.Exit(_given_up(request.session)) from None


def _keep(session: str | None, *, json_output: bool) -> None:
    result = ask(KeepPerson(session))
    if json_output:
        terminal.show_json(result)
    elif result.already:
        terminal.show_words(f"{plain(result.person)} is signed in to {result.session}, as before.")
    else:
        terminal.show_words(f"{plain(result.person)} signs in to {result.session} from now on.")


def _agreed(session: str | None, *, yes: bool) -> bool:
    """Tell whether a person agreed to end the sign-in that is active; False where nobody has to be asked.

    Raises:
        typer.Exit: they want to keep it.
        UsageError: nobody can be asked, and nothing was said beforehand.
    """
    document = ask(Status())
    price = price_words_of(document, _meant(document, session), Reader(document.now))
    if price is None or yes:
        return price is not None
    if not terminal.interactive():
        raise UsageError(
            f"Cannot ask for confirmation: not a terminal. {price.removesuffix('.')}",
            hint="To end your current sign-in, add --yes.",
        )
    from credtray.cli.questions import ask_yes

    terminal.say(price)
    if not ask_yes("End it and sign in again?", default=False):
        terminal.say("Nothing was changed.")
        raise typer.Exit(1)
    return True


def _meant(document: StatusDocument, session: str | None) -> str | None:
    """Return the session a person means, as the agent will choose it; None: it will complain."""
    if session is not None:
        return session
    used = {item.session for item in document.profiles if item.active or item.default}
    candidates = used if len(used) == 1 else {item.name for item in document.sessions}
    return candidates.pop() if len(candidates) == 1 else None


def _given_up(session: str | None) -> int:
    """Tell what is still valid; leaving has cancelled the sign-in, unless somebody else waits for it too."""
    terminal.say("\nThe sign-in was cancelled.")
    try:
        document = _after_leaving(session)
    except CredtrayError:
        return _INTERRUPTED  # nobody can tell more; what was asked for, the end of it, has happened
    for line in still_valid_words(document, session, Reader(document.now)):
        terminal.say(line)
    return _INTERRUPTED


def _after_leaving(session: str | None) -> StatusDocument:
    """Return how things stand once the agent has let go of the sign-in, as it does for the last asker."""
    until = time.monotonic() + _LET_GO_SECONDS
    while True:
        document = ask(Status())
        pending = {item.name for item in document.sessions if item.state is CredentialStatus.SIGNING_IN}
        if not pending or (session is not None and session not in pending):
            return document
        if time.monotonic() > until:
            # Which of the two it is, nobody here can tell.
            terminal.say("It has not ended yet: another command waits for it, or AWS has not answered.")
            return document
        time.sleep(0.1)


def logout(session: SessionArgument = None, json_output: JsonOption = False) -> None:
    """Sign out: end the sign-in at the portal.

    Its token is dropped, and its keys are taken out of the credentials file.

    Examples:
      credtray logout
      credtray logout synderys
    """
    result = ask(Logout(session))
    if json_output:
        terminal.show_json(result)
        return
    terminal.show_words(f"Signed out of {result.session}.")
    if not result.told_portal:
        terminal.complain(
            "the portal could not be reached; the sign-in stays active there until it ends",
            "Its token was removed from this machine.",
            kind="warning",
        )


def snooze(
    duration: Annotated[str, typer.Argument(help="How long, such as 30m or 1h.", metavar="DURATION")],
    session: SessionArgument = None,
    json_output: JsonOption = False,
) -> None:
    """Pause the warnings about one sign-in.

    The former name of `credtray pause DURATION SESSION`. Renewing goes on.

    Examples:
      credtray snooze 30m
      credtray snooze 1h synderys
    """
    if session is not None and not duration[:1].isdigit():
        duration, session = session, duration  # people say it in either order
    minutes = _minutes(duration)
    session = session or _only_session()
    until = ask(Snooze(session, minutes)).until
    if json_output:
        terminal.show_json({"session": session, "until": until})
    elif until is not None:
        ends = clock_time(until, datetime.now(UTC), None)
        terminal.show_words(f"No warnings about {session} until {ends}.")


def _minutes(text: str) -> int:
    try:
        duration = parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(str(error)) from None
    if duration > _LONGEST_SNOOZE:
        raise UsageError("A pause lasts at most 7d")
    return max(1, round(duration / timedelta(minutes=1)))


def _only_session() -> str:
    """Return the session that needs no naming: the only one, or that of the active profiles."""
    document = ask(Status())
    found = _meant(document, None)
    if found is None:
        names = ", ".join(sorted(item.name for item in document.sessions))
        if not names:
            raise UsageError("There is no session yet", hint="Run: credtray setup")
        raise UsageError(f"Name one of the sessions: {names}")
    return found


# `credtray pause`: no notices for a while, or none about the end of one sign-in.
#
# Only asks the agent; what it does not tell meanwhile it tells afterwards, as it is then.


_TOMORROW, _OFF = "tomorrow", "off"
_LONGEST = timedelta(days=7)


def pause(
    duration: Annotated[
        str, typer.Argument(help="How long, such as 30m or 1h; tomorrow; or off.", metavar="DURATION")
    ] = "1h",
    session: Annotated[
        str | None,
        typer.Argument(help="Only warnings about the end of this sign-in.", metavar="SESSION"),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Pause notices for a while: all of them, or the warnings about one sign-in.

    Renewing goes on. When the pause ends, one notice tells you the current state.

    Examples:
      credtray pause               # for an hour
      credtray pause tomorrow      # until eight in the morning
      credtray pause 30m synderys  # only warnings about this sign-in
      credtray pause off
    """
    now = datetime.now(UTC)
    if session is not None:
        snooze(_only_length(duration), session, json_output=json_output)
        return
    result = ask(PauseNotices(_pause_until(duration, now)))
    if json_output:
        terminal.show_json(result)
    elif result.until is None:
        terminal.show_words("Notices are shown again.")
    else:
        until = clock_time(result.until, now, None)
        terminal.show_words(f"Notices paused until {until}. Resume: credtray pause off")


def _only_length(text: str) -> str:
    if text.strip().lower() in {_OFF, _TOMORROW}:
        raise UsageError("For one session, give a duration such as 30m or 1h")
    return text


def _pause_until(text: str, now: datetime) -> datetime | None:
    word = text.strip().lower()
    if word == _OFF:
        return None
    if word == _TOMORROW:
        return tomorrow_morning(now, None)
    try:
        duration = parse_duration(word)
    except (ValueError, OverflowError):
        known = f"a duration such as 30m or 1h, {_TOMORROW} or {_OFF}"
        raise UsageError(f"{text!r} is not one of these: {known}") from None
    if duration > _LONGEST:
        raise UsageError(f"A pause lasts at most {_LONGEST.days}d")
    return now + duration
