"""`credtray wait`: returns when a profile's credentials will last.

Only asks, and tells what is waited for. Opens nothing itself.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask, without_browser
from credtray.cli.choices import JsonOption, ProfileArgument
from credtray.cli.sign_in import narrate
from credtray.core.durations import parse_duration, short
from credtray.core.errors import UsageError
from credtray.core.protocol import Progress, Wait
from credtray.core.protocol.results import WaitResult
from credtray.core.state_words import END_WORDS, clock_time

_LONGEST = timedelta(days=90)
_LONGEST_WAIT = timedelta(days=1)
_NOT_AT_ALL = frozenset({"0", "0s"})
_ALWAYS_TOLD = frozenset({"waiting_for_sign_in", "sign_in_needed"})
_OURS = frozenset({"renewing", "trouble"}) | _ALWAYS_TOLD


def wait(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    profile: ProfileArgument,
    lasting: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long the keys must last, such as 45m.")
    ] = "15m",
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            help="How long to wait for somebody to sign in. Without it, credtray does not wait.",
            show_default=False,
        ),
    ] = None,
    login: Annotated[
        bool, typer.Option("--login", help="Sign in if that is needed, or join the sign-in under way.")
    ] = False,
    keys: Annotated[
        bool,
        typer.Option("--keys", help="The keys must last by themselves, because nothing will renew them."),
    ] = False,
    sure: Annotated[
        bool, typer.Option("--sure", help="Refuse if the end of the sign-in is only expected, not confirmed.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Wait until a profile's credentials will last.

    For scripts, Makefiles and hooks: what would fail half-way does not begin. Exits with 0 if they last,
    with 5 if you must sign in first (or the role gives no such keys), and with 6 after --timeout.
    Several waiting commands share one sign-in. AWS does not say when a sign-in ends: where the
    answer depends on the expected end, a warning says so, or --sure refuses with 5.

    Examples:
      credtray wait synderys-dns --for 45m && ./deploy.sh
      credtray wait synderys-dns --for 45m --timeout 10m
      credtray wait synderys-dns --for 2h --login
      @credtray wait $(PROFILE) --for 45m --login     (in a Makefile)
    """
    waits = None if timeout in _NOT_AT_ALL else timeout
    seconds = 0.0 if waits is None else duration_of(waits, _LONGEST_WAIT).total_seconds()
    wanted = duration_of(lasting)
    remote = login and without_browser(os.environ)
    request = Wait(profile, wanted.total_seconds(), seconds, login=login, remote=remote, keys=keys, sure=sure)
    result = ask(request, _tell)
    warn_of_guess(result)
    if json_output:
        terminal.show_json(result)
    else:
        terminal.show_words(_words(result, datetime.now(UTC)))


def duration_of(text: str, longest: timedelta = _LONGEST) -> timedelta:
    """Read a duration of the command line.

    Raises:
        UsageError: it is none, or too long.
    """
    try:
        duration = parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(str(error)) from None
    if duration > longest:
        raise UsageError(f"{text} is too long: at most {longest.days}d")
    return duration


def warn_of_guess(result: WaitResult) -> None:
    """Warn on stderr where the answer rests on an end of the sign-in that nobody has confirmed."""
    if result.sure:
        return
    now = datetime.now(UTC)
    until, sure = result.until, result.sure_until or now
    reason = END_WORDS[result.end_known_by] if result.end_known_by else "not confirmed"
    terminal.complain(
        f"the sign-in of {result.session} may end before about {clock_time(until, now, None)} ({reason}). "
        f"{result.profile} is sure to work until {clock_time(sure, now, None)}.",
        "To refuse instead of warning: --sure",
        kind="warning",
    )


def _tell(step: Progress) -> None:
    """Tell what is going on; in a script's log only what somebody has to do."""
    if step.kind not in _OURS:
        narrate(step)
    elif step.text and (step.kind in _ALWAYS_TOLD or sys.stderr.isatty()):
        terminal.say(step.text)


def _words(result: WaitResult, now: datetime) -> str:
    until, about = result.until, "about " if result.about else ""
    expected = "" if result.sure else ", expected, not confirmed"
    return (
        f"{result.profile} works until {about}{clock_time(until, now, None)} "
        f"({short(until - now)} left{expected})."
    )
