"""`credtray exec`, a command that acts as one profile in place of this process, and `credtray wait`.

Puts no key into an argument, and into no environment but the child's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer

from credtray.cli import terminal
from credtray.cli.backend import ask, without_browser
from credtray.cli.choices import JsonOption, ProfileArgument, RegionOption
from credtray.cli.exec_files import files_of
from credtray.cli.exec_replace import replace_process
from credtray.cli.sign_in import show_progress
from credtray.core.addresses import check_region
from credtray.core.errors import AgentNotRunning, CommandNotFound, CommandRefused, SignInTooShort, UsageError
from credtray.core.models import Way
from credtray.core.protocol import Credentials, Endpoint, Progress, Wait
from credtray.core.protocol.results import WaitResult
from credtray.core.shell_words import with_options
from credtray.core.state_words import END_WORDS, clock_time
from credtray.core.words import parse_duration, short
from credtray.project.command import here
from credtray.ways_out.child_environment import with_endpoint, with_keys

# `credtray wait`: returns when a profile's credentials will last.
#
# Only asks, and tells what is waited for. Opens nothing itself.


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
    In a terminal it offers the sign-in instead; with --timeout 0 it never asks. Several waiting
    commands share one sign-in. AWS does not say when a sign-in ends: where the answer depends on
    the expected end, a warning says so, or --sure refuses with 5.

    Examples:
      credtray wait synderys-dns --for 45m && ./deploy.sh
      credtray wait synderys-dns --for 45m --timeout 10m
      credtray wait synderys-dns --for 2h --login
      credtray wait . --for 45m      # the profile that the project names
      @credtray wait $(PROFILE) --for 45m --login     (in a Makefile)
    """
    profile, _ = here(profile)
    waits = None if timeout in _NOT_AT_ALL else timeout
    seconds = 0.0 if waits is None else duration_of(waits, _LONGEST_WAIT).total_seconds()
    wanted = duration_of(lasting)
    remote = login and without_browser(os.environ)
    request = Wait(profile, wanted.total_seconds(), seconds, login=login, remote=remote, keys=keys, sure=sure)
    result = ask(request, _tell) if timeout is not None or json_output else _lasting(request)
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


def _lasting(request: Wait) -> WaitResult:
    """Return the answer; where only a sign-in helps, a person at the terminal is offered one first.

    Raises:
        SignInTooShort: nobody can be asked, or a sign-in would not make it certain (``sure``).
    """
    try:
        return ask(request, _tell)
    except SignInTooShort as error:
        if request.login or request.sure or not _somebody_is_here():
            raise
        terminal.complain(str(error), kind="warning")
        if not _sign_in_wanted():
            terminal.say(f"Nothing was started. {error.advice}")
            raise typer.Exit(error.exit_code) from None
    return ask(msgspec.structs.replace(request, login=True, remote=without_browser(os.environ)), _tell)


def _somebody_is_here() -> bool:
    """Tell whether a person can be asked: a job in the background would be stopped for its question."""
    if not terminal.interactive():
        return False
    return sys.platform == "win32" or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


def _sign_in_wanted() -> bool:
    from credtray.cli.questions import ask_yes

    return ask_yes("Sign in now? Running programs keep their keys.", default=False)


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
        show_progress(step)
    elif step.text and (step.kind in _ALWAYS_TOLD or sys.stderr.isatty()):
        terminal.say(step.text)


def _words(result: WaitResult, now: datetime) -> str:
    until, about = result.until, "about " if result.about else ""
    expected = "" if result.sure else ", expected, not confirmed"
    return (
        f"{result.profile} works until {about}{clock_time(until, now, None)} "
        f"({short(until - now)} left{expected})."
    )


def exec_(
    profile: ProfileArgument,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND", help="What to run; your shell if left out.", show_default=False),
    ] = None,
    env: Annotated[
        bool,
        typer.Option("--env", help="Hand over keys, which do not renew; needs no agent."),
    ] = False,
    lasting: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="Refuse if the keys would end sooner, such as 45m; in a terminal, offer to sign in.",
        ),
    ] = None,
    sure: Annotated[
        bool,
        typer.Option(
            "--sure", help="With --for: refuse if the end of the sign-in is only expected, not confirmed."
        ),
    ] = False,
    region: RegionOption = None,
) -> None:
    """Run a command as one profile.

    The command takes this process's place: Ctrl-C, signals and its exit code are its own. Its keys renew
    as long as you are signed in, and it sees no other profile. With --env it gets keys that do not renew.

    Without a command your shell starts; `exit` ends it. Without a profile, or with `.`, it is the one that
    the project's `.credtray.toml` names.

    Examples:
      credtray exec synderys-readonly -- aws s3 ls
      credtray exec synderys-dns --for 45m -- ./deploy.sh
      credtray exec synderys-dns --env -- ./old-tool
      credtray exec -- ./deploy.sh      # in a project that names its profile
    """
    profile, of_project = here(profile)
    words = command or [_shell(profile)]
    chosen = check_region(region) if region is not None else of_project
    if sure and lasting is None:
        raise UsageError(
            "--sure needs --for", hint="Add how long the keys must last, such as --for 45m --sure."
        )
    if lasting is not None:
        _refuse_unless_it_lasts(profile, duration_of(lasting), keys=env, sure=sure)
    environ = _with_keys(profile, chosen) if env else _with_endpoint(profile, chosen)
    raise typer.Exit(run(words, environ))


def _refuse_unless_it_lasts(profile: str, wanted: timedelta, *, keys: bool, sure: bool) -> None:
    warn_of_guess(_lasting(Wait(profile, wanted.total_seconds(), keys=keys, sure=sure)))


def _with_keys(profile: str, region: str | None) -> dict[str, str]:
    keys = json.loads(ask(Credentials(profile, Way.EXEC)).line())
    return with_keys(os.environ, profile, keys, region or _region(profile))


def _region(profile: str) -> str | None:
    from credtray import app
    from credtray.cli.configured import configuration

    config, settings = configuration(app.build())
    there = config.profiles.get(profile)
    return settings.profile(profile).region or (there.region if there is not None else None)


def _with_endpoint(profile: str, region: str | None) -> dict[str, str]:
    try:
        found = ask(Endpoint(profile))
    except AgentNotRunning as error:
        by_hand = f"credtray exec {with_options(profile, '--env')} -- ..."
        hint = f"Run: credtray start; or hand over keys that do not renew: {by_hand}"
        raise AgentNotRunning(error.detail, hint=hint) from None
    return with_endpoint(
        os.environ, profile, (found.url, found.token_file), files_of(profile), region or found.region
    )


def _shell(profile: str) -> str:
    """Return the shell of a person who named no command, and say whose keys it has."""
    if not terminal.interactive():
        raise UsageError("Name the command to run: credtray exec PROFILE -- COMMAND")
    shell = os.environ.get("SHELL") or ("cmd.exe" if sys.platform == "win32" else "/bin/sh")
    terminal.say(f"A shell as {profile}; `exit` ends it.")
    return shell


def run(words: list[str], environ: Mapping[str, str]) -> int:
    """Run the command with this environment, in place of this process where the system can do that.

    Raises:
        CommandNotFound: there is no such program, or it has no name.
        CommandRefused: it is there and cannot be started.
    """
    if not words[0]:
        raise CommandNotFound("its name is an empty word")
    sys.stdout.flush()
    try:
        return _beside(words, environ) if sys.platform == "win32" else replace_process(words, environ)
    except FileNotFoundError:
        raise CommandNotFound(words[0]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "one of its words contains a NUL character"
        raise CommandRefused(f"{words[0]}: {reason}") from None


def _beside(words: list[str], environ: Mapping[str, str]) -> int:
    """Run it as a child, as Windows knows nothing else; Ctrl-C and Ctrl-Break are for the child alone."""
    from credtray.cli.exec_on_windows import INTERRUPTS, child_command, living_together

    program = shutil.which(words[0], path=environ.get("PATH"))  # with PATHEXT: npm, cdk and sam are .cmd
    if program is None:
        raise FileNotFoundError(words[0])
    command = child_command(program, words[1:], environ)
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in INTERRUPTS]
    try:
        with living_together():
            return subprocess.run(  # noqa: S603 -- the person's own
                command.line, executable=command.program, env=dict(environ), check=False
            ).returncode
    finally:
        for number, handler in before:
            signal.signal(number, handler)
