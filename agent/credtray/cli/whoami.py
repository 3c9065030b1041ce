"""`credtray whoami P`: who signed in, as AWS names the person behind a profile's role credentials.

Asks the agent for keys and AWS STS whose they are; keeps nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from credtray.cli import terminal
from credtray.cli.choices import JsonOption, ProfileArgument

if TYPE_CHECKING:
    from credtray.aws.role_credentials import Caller


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

    issued = ask(Credentials(profile))
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
