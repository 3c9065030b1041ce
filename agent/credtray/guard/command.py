"""`credtray allow` and `credtray refuse`: the answer to a coding agent that asks for keys, from a terminal.

Only asks the agent, which takes it from a person's terminal and not from below a coding agent.
"""

from __future__ import annotations

from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption, ProfileArgument
from credtray.core.protocol import AnswerAgent
from credtray.core.protocol.results import AgentAnswered
from credtray.core.settings import Settings
from credtray.core.state_words import name_list
from credtray.core.words import plain
from credtray.guard.agents import asker_in
from credtray.guard.decisions import Rule, by_itself, rule_for
from credtray.guard.process_tree import own_chain

PidOption = Annotated[
    int | None,
    typer.Option("--pid", metavar="PID", help="Only the agent with this process id.", show_default=False),
]


def allow(
    profile: ProfileArgument,
    until_sign_in_ends: Annotated[
        bool,
        typer.Option(
            "--until-sign-in-ends", help="All its commands until then, not only the one that asks now."
        ),
    ] = False,
    pid: PidOption = None,
    json_output: JsonOption = False,
) -> None:
    """Let a coding agent have the keys it asks for.

    For profiles with the setting agents = "ask", which is usual for production. The same as the buttons
    of the notification. It is remembered only while credtray runs. A coding agent cannot allow itself.

    Examples:
      credtray allow synderys-security
      credtray allow synderys-security --until-sign-in-ends
    """
    _tell(ask(AnswerAgent(profile, True, until_sign_in_ends, pid)), json_output=json_output)


def refuse(profile: ProfileArgument, pid: PidOption = None, json_output: JsonOption = False) -> None:
    """Refuse a coding agent the keys it asks for.

    For ten minutes it is refused without asking you again. To refuse always, use the setting
    agents = "never".

    Examples:
      credtray refuse synderys-security
      credtray settings set profiles.synderys-security.agents never
    """
    _tell(ask(AnswerAgent(profile, False, pid=pid)), json_output=json_output)


def check_person(settings: Settings) -> None:
    """Keep a coding agent from what would let it allow itself, where some profile is not for all of them.

    Raises:
        CodingAgentRefused: one of them runs this command.
    """
    if settings.agents in {None, Rule.ALLOW.value} and all(
        rule_for(settings, name) is Rule.ALLOW for name in settings.profiles
    ):
        return
    asker = asker_in(own_chain())
    if asker is not None:
        raise by_itself(asker.agent)


def _tell(result: AgentAnswered, *, json_output: bool) -> None:
    if json_output:
        terminal.show_json(result)
        return
    profile = plain(result.profile)
    if not result.agents:
        terminal.show_words(f"No coding agent has asked for {profile}. Nothing was changed.")
        return
    said = "may" if result.allowed else "may not"
    terminal.show_words(f"{name_list(tuple(plain(name) for name in result.agents))} {said} use {profile}.")
