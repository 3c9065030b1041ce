"""`credtray exec`: a command that acts as one profile, in place of this process.

Puts no key into an argument, and into no environment but the child's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.becoming import become
from credtray.cli.choices import ProfileArgument, RegionOption
from credtray.cli.exec_files import files_of
from credtray.cli.waiting import duration_of, warn_of_guess
from credtray.core.addresses import check_region
from credtray.core.child_environment import with_endpoint, with_keys
from credtray.core.errors import AgentNotRunning, CommandNotFound, CommandRefused, UsageError
from credtray.core.protocol import Credentials, Endpoint, Wait
from credtray.core.words import with_options


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
        typer.Option("--for", metavar="DURATION", help="Refuse if the keys would end sooner, such as 45m."),
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

    Without a command your shell starts; `exit` ends it.

    Examples:
      credtray exec synderys-readonly -- aws s3 ls
      credtray exec synderys-dns --for 45m -- ./deploy.sh
      credtray exec synderys-dns --env -- ./old-tool
    """
    words = command or [_shell(profile)]
    chosen = check_region(region) if region is not None else None
    if sure and lasting is None:
        raise UsageError(
            "--sure needs --for", hint="Add how long the keys must last, such as --for 45m --sure."
        )
    if lasting is not None:
        _refuse_unless_it_lasts(profile, duration_of(lasting), keys=env, sure=sure)
    environ = _with_keys(profile, chosen) if env else _with_endpoint(profile, chosen)
    raise typer.Exit(run(words, environ))


def _refuse_unless_it_lasts(profile: str, wanted: timedelta, *, keys: bool, sure: bool) -> None:
    warn_of_guess(ask(Wait(profile, wanted.total_seconds(), keys=keys, sure=sure)))


def _with_keys(profile: str, region: str | None) -> dict[str, str]:
    keys = json.loads(ask(Credentials(profile)).line())
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
        hint = f"Run: credtray run; or hand over keys that do not renew: {by_hand}"
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
        return _beside(words, environ) if sys.platform == "win32" else become(words, environ)
    except FileNotFoundError:
        raise CommandNotFound(words[0]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "one of its words contains a NUL character"
        raise CommandRefused(f"{words[0]}: {reason}") from None


def _beside(words: list[str], environ: Mapping[str, str]) -> int:
    """Run it as a child, as Windows knows nothing else; Ctrl-C is for the child, which gets it as well."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(words, env=dict(environ), check=False).returncode  # noqa: S603 -- the person's own
    finally:
        signal.signal(signal.SIGINT, before)
