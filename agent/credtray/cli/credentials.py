"""`credtray credentials P`, the slow way (options, Windows, no agent that answered), and `credtray whoami P`.

Prints one JSON object or nothing; never opens a browser.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from credtray.cli import backend, terminal
from credtray.cli.choices import JsonOption, ProfileArgument
from credtray.core.errors import TimedOut, UsageError
from credtray.core.protocol import Credentials, ProcessCredentials
from credtray.core.words import did_you_mean
from credtray.credentials_fetch import PROCESS, STS, in_sts_form

if TYPE_CHECKING:
    from credtray.aws.role_credentials import Caller

GIVE_UP_SECONDS = 20.0
"""botocore waits for a credential_process without limit: we have to give up ourselves."""


FORMS = (PROCESS, STS)
"""What ``--form`` takes. Not an enumeration: for that typer would import pydantic, 80 ms of this command."""


def _complete_form(incomplete: str) -> list[str]:
    return [form for form in FORMS if form.startswith(incomplete)]


def credentials(
    profile: ProfileArgument,
    form: Annotated[
        str,
        typer.Option(
            "--form",
            metavar="FORM",
            help="process, for credential_process, or sts, as AWS STS answers.",
            autocompletion=_complete_form,
        ),
    ] = PROCESS,
    no_agent: Annotated[bool, typer.Option("--no-agent", hidden=True)] = False,
    within: Annotated[str, typer.Option("--within", hidden=True)] = f"{GIVE_UP_SECONDS:.0f}",
) -> None:
    """Print role credentials as JSON, for credential_process.

    They are valid for more than 15 minutes. Without an agent they come from the token cache;
    a browser is never opened. With --form sts they look as AWS STS answers, which is what Claude Code
    reads.

    Examples:
      credtray credentials synderys-readonly
      credtray credentials synderys-readonly --form sts
    """
    if form not in FORMS:
        raise UsageError(f"{form!a} is not one of the forms {', '.join(FORMS)}.{did_you_mean(form, FORMS)}")
    line = issued_within(Credentials(profile), within, agent=not no_agent).line()
    sys.stdout.buffer.write(line if form == PROCESS else in_sts_form(line))


def _seconds(text: str) -> float:
    try:
        return min(float(text), GIVE_UP_SECONDS)
    except ValueError:
        raise UsageError(f"--within {text!a} is not a number of seconds") from None


def issued_within(request: Credentials, within: str, *, agent: bool) -> ProcessCredentials:
    """Return the answer, or end the process: work that hangs must not keep whoever waits for us.

    Args:
        request: what to ask for.
        within: seconds, as typed.
        agent: False: do without it.
    """
    seconds = _seconds(within)
    outcome: queue.SimpleQueue[ProcessCredentials | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(_ask(request, agent=agent))
        except BaseException as error:  # noqa: BLE001 -- carried to the main thread and raised there
            outcome.put(error)

    threading.Thread(target=work, name="credentials", daemon=True).start()
    try:
        found = outcome.get(timeout=max(0.1, seconds))
    except queue.Empty:
        error = TimedOut(f"no credentials for {request.profile} within {seconds:.0f} s")
        terminal.complain(str(error), error.advice)
        os._exit(error.exit_code)
    if isinstance(found, BaseException):
        raise found
    return found


def _ask(request: Credentials, *, agent: bool) -> ProcessCredentials:
    way = backend.current().perform if agent else backend.current().perform_here
    return way(request, lambda _step: None)


# `credtray whoami P`: who signed in, as AWS names the person behind a profile's role credentials.
#
# Asks the agent for keys and AWS STS whose they are; keeps nothing.


def whoami(profile: ProfileArgument, json_output: JsonOption = False) -> None:
    """Show who is signed in, as AWS knows you.

    Asks AWS whose keys the profile has. That needs no permission and changes nothing.

    Examples:
      credtray whoami synderys-readonly
      credtray whoami synderys-readonly --json
    """
    from credtray.app import build
    from credtray.aws.clients import Clients
    from credtray.aws.role_credentials import caller_of
    from credtray.cli.backend import ask
    from credtray.cli.configured import configuration
    from credtray.core.models import RoleCredentials
    from credtray.core.protocol import Credentials

    issued = ask(Credentials(profile, None))
    components = build()
    config, _settings = configuration(components)
    known = config.profiles[profile]
    session = config.sessions[known.session]
    now = components.ports.clock.now
    ends = datetime.fromisoformat(issued.expiration)
    keys = RoleCredentials(issued.access_key_id, issued.secret_access_key, issued.session_token, ends, now())
    region = known.region or session.region
    caller = caller_of(Clients(), keys, region, known.endpoints_in(session), now)
    if json_output:
        told = {"person": caller.person, "account_id": caller.account_id, "role_name": caller.role_name}
        terminal.show_json({"profile": profile, "session": known.session, **told})
    else:
        terminal.show(_words(profile, known.session, caller))


def _words(profile: str, session: str, caller: Caller) -> str:
    role = f"{caller.role_name} in {caller.account_id}"
    if caller.person is None:
        return f"{profile} is {role}. AWS does not name the person behind a chained role."
    return f"{caller.person} is signed in to {session}. {profile} is {role}."
