"""`credtray share`: keys of one profile for another machine, as long as this command runs.

Copies no key: programs at the far end fetch them through the connection each time they need some.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.execution import duration_of
from credtray.cli.names import complete_profile
from credtray.core.addresses import shown
from credtray.core.errors import UsageError
from credtray.project.command import here
from credtray.share.containers import container_host
from credtray.share.shared import MUTE, running

_HOST = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9_.:@%\[\]/-]{0,255}", re.ASCII)
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", re.ASCII)
_USUAL = "dev"
"""The name that packaging/devcontainer-feature knows."""
_LONGEST = timedelta(days=7)


def share(  # noqa: PLR0913, PLR0917 -- each option of the command line is an argument
    host: Annotated[
        str | None,
        typer.Argument(
            metavar="HOST",
            help="The other machine, as your ssh knows it; with --container a name of your own.",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            "-P",
            metavar="PROFILE",
            help="Whose keys; otherwise the profile that the project names.",
            autocompletion=complete_profile,
            show_default=False,
        ),
    ] = None,
    lasting: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", help="End after this time, such as 2h.", show_default=False
        ),
    ] = None,
    container: Annotated[
        bool, typer.Option("--container", help="Share with containers on this computer.")
    ] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Show what is shared.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Share no longer, with HOST or with all.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Let programs on another machine use a profile, over your own ssh; or in a container on this one.

    Keys are fetched through the connection when a program there needs them; none is kept on that machine.
    It needs curl or Python there, and nothing of credtray's. Ctrl-C ends it at once; a connection that
    breaks is made again. Whoever is administrator of that machine can use the profile meanwhile.
    Containers get a directory; docker and compose forms are printed.

    Examples:
      credtray share build-server --profile synderys-dns
      credtray share me@10.0.0.7 -P synderys-readonly --for 2h
      credtray share --container -P synderys-readonly
      credtray share --list
      credtray share build-server --stop
    """
    if sys.platform == "win32":
        raise UsageError(
            "credtray share does not run on Windows",
            hint="Run it in WSL, or see: credtray help another-machine",
        )
    else:  # noqa: RET506 -- type checkers take the branch of their platform
        from credtray.share.near_side import Share, carry_out, carry_out_for_containers

        name = _container(_USUAL if host is None else host) if container else None
        if only_list or stop:
            where = host if name is None else container_host(name)
            _show(list(running(where, stop=stop)), json_output=json_output, stopped=stop)
            return
        chosen, region = here(profile)
        seconds = duration_of(lasting, _LONGEST).total_seconds() if lasting is not None else None
        share = Share(chosen, region, seconds)
        if name is not None:
            carry_out_for_containers(name, share)
        else:
            carry_out(_checked(host), share)


def _container(name: str) -> str:
    """Return the name of a directory for containers."""
    if not _CONTAINER.fullmatch(name):
        raise UsageError(f"{shown(name)} is no name for containers", hint="Letters, digits, - and _ are.")
    return name


def _checked(host: str | None) -> str:
    """Return the name of a machine; one with a dash in front would be an option of ssh."""
    if host is None:
        raise UsageError("Name the other machine, as your ssh knows it")
    if not _HOST.fullmatch(host):
        raise UsageError(f"{shown(host)} is no host")
    return host


def _show(found: Sequence[Mapping[str, Any]], *, json_output: bool, stopped: bool) -> None:
    known = [item for item in found if item]
    if len(known) < len(found):
        terminal.complain(*MUTE, kind="warning")
    if json_output:
        terminal.show_json({"version": 1, "shared": known})
        return
    for item in known:
        served = item.get("served")
        times = f", {'once' if served == 1 else f'{served} times'}" if served else ""
        words = "is no longer shared with" if stopped else "is shared with"
        terminal.show_words(f"{item.get('profile')} {words} {item.get('host')}{times}")
    if not found:
        terminal.show_words("Nothing is shared.")
