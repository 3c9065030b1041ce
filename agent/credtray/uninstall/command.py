"""`credtray uninstall`: shows what goes and what stays, asks, does it, and names the last command to type.

Decides nothing about files: see ``traces`` and ``carry_out``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from credtray.app import build
from credtray.cli import terminal
from credtray.cli.activation import NOT_IN_EFFECT
from credtray.cli.agent_process import end_agent
from credtray.cli.agreement import agreed
from credtray.cli.choices import JsonOption
from credtray.core.errors import AgentNotRunning, AgentRefused, AgentSilent, CredtrayError, LauncherRefused
from credtray.desktop.application_menu import menu_entry
from credtray.desktop.autostart import login_entry
from credtray.desktop.login_entry import LoginEntry
from credtray.guard.command import check_person
from credtray.ipc_client import AgentClient
from credtray.uninstall import installation
from credtray.uninstall.aws_files import AwsFiles
from credtray.uninstall.carry_out import (
    Choice,
    Hands,
    NoRegistryKeys,
    RegistryKeys,
    Report,
    Uninstallation,
    remove_unpacked,
)
from credtray.uninstall.plan import Item, Plan, Stay, listed, plan, spoken, staying, stays_listed
from credtray.uninstall.traces import Places

_AGAIN = "Then run: credtray uninstall"


def uninstall(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    keep_profiles: Annotated[
        bool, typer.Option("--keep-profiles", help="Keep the profiles that setup wrote to the config file.")
    ] = False,
    keep_settings: Annotated[bool, typer.Option("--keep-settings", help="Keep settings.toml.")] = False,
    keep_backups: Annotated[
        bool,
        typer.Option(
            "--keep-backups", help="Keep the backups of your AWS files, and what credtray remembers."
        ),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Remove everything that credtray has put into your home, and end the agent.

    Shows a list first. Your AWS files become what they were before credtray; what others wrote into them
    stays. The program itself is removed by what installed it: the last line says how.

    Examples:
      credtray uninstall --dry-run
      credtray uninstall
      credtray uninstall --yes --keep-profiles
    """
    run = _Run()
    found = run.plan()
    choice = Choice(not keep_profiles, not keep_settings, not keep_backups)
    if dry_run or found.is_empty:
        run.show_plan(found, choice, json_output=json_output)
        return
    if not yes:
        choice = run.agreed(found, choice)
    run.check_rules(choice)
    report = Uninstallation(run.places, run.files, run.hands, choice).carry_out()
    run.show_report(report, choice, json_output=json_output)
    remove_unpacked(run.places)
    if report.failed:
        raise typer.Exit(NOT_IN_EFFECT)


class _Run:
    """One run of the command."""

    def __init__(self) -> None:
        self.places = Places.of(os.environ, Path.home())
        self.files = AwsFiles(build(), self.places.records)
        self.hands = Hands(end_agent, _entries(), _registry())

    def plan(self) -> Plan:
        return plan(self.places, self.files, self.hands, agent=_running())

    # --- before -----------------------------------------------------------------------------------------

    def check_rules(self, choice: Choice) -> None:
        """Keep a coding agent from taking away the settings that say what it may have.

        Raises:
            CodingAgentRefused: it would.
        """
        if not choice.settings:
            return
        try:
            settings = build().ports.settings_file.load()
        except CredtrayError:
            return  # a file that cannot be read holds no rule
        check_person(settings)

    def show_plan(self, found: Plan, choice: Choice, *, json_output: bool) -> None:
        if json_output:
            items = [asdict(item) for item in found.chosen(choice)]
            self._show_json(remove=items, stays=self._stays(choice))
            return
        if found.is_empty:
            terminal.show("credtray has left nothing in your home.")
        else:
            self._list(terminal.show, "This would be removed:", found.chosen(choice))
        self._show_rest(choice)

    def agreed(self, found: Plan, choice: Choice) -> Choice:
        """Show the plan and ask; raises typer.Exit when the answer is no."""
        self._list(terminal.say, "This will be removed:", found.chosen(Choice(False, choice.settings, False)))
        if not agreed("Uninstall?", "credtray uninstall --yes"):
            terminal.say("Nothing was changed.")
            raise typer.Exit(1)
        from credtray.cli.questions import ask_yes

        profiles, backups = choice.profiles, choice.backups
        if found.profiles and profiles:
            self._list(terminal.say, "Setup wrote this:", found.profiles)
            profiles = ask_yes("Remove it, too?", default=True)
        if found.backups and backups:
            self._list(
                terminal.say, "Backups may hold old keys, and nobody can bring them back:", found.backups
            )
            backups = ask_yes("Remove backups and state, too?", default=True)
        return Choice(profiles, choice.settings, backups)

    # --- afterwards -------------------------------------------------------------------------------------

    def show_report(self, report: Report, choice: Choice, *, json_output: bool) -> None:
        done = [Item(title, place) for title, place in report.done]
        if json_output:
            self._show_json(
                removed=[asdict(item) for item in done],
                failed=[
                    {"place": place, "code": error.code, "error": str(error), "hint": error.advice}
                    for place, error in report.failed
                ],
                stays=self._stays(choice, report.left),
            )
            return
        self._list(terminal.show, "Removed:", done)
        self._show_rest(choice, report.left)
        for place, error in report.failed:
            terminal.complain(
                f"{spoken(place, self.places.home)}: {error}", f"{error.advice} {_AGAIN}".strip()
            )

    def _staying(self, choice: Choice, left: Mapping[str, str]) -> list[Stay]:
        """Return what stays; *left* is what only the run itself could see."""
        found = {each.place: each for each in staying(self.places, self.files, self.hands, choice)}
        return [*({place: Stay(place, reason) for place, reason in left.items()} | found).values()]

    def _stays(self, choice: Choice, left: Mapping[str, str] = MappingProxyType({})) -> list[dict[str, str]]:
        return [asdict(stay) for stay in self._staying(choice, left)]

    def _show_json(self, **fields: Any) -> None:
        left = self._remaining()
        package = {"installer": left.installer.value, "command": left.command}
        terminal.show_json({"version": 1, **fields, "program": package, "others": self._others()})

    def _show_rest(self, choice: Choice, left: Mapping[str, str] = MappingProxyType({})) -> None:
        stays = self._staying(choice, left)
        if stays:
            terminal.show("This stays:")
            for line in stays_listed(stays, self.places.home):
                terminal.show_words(line)
        terminal.show_words(self._remaining().words)
        for other in self._others():
            terminal.show_words(f"Another credtray is installed: {other}")

    def _list(self, show: Any, title: str, items: Any) -> None:
        if items:
            show(title)
            for line in listed(items, self.places.home):
                show(line)

    @staticmethod
    def _remaining() -> installation.Remaining:
        return installation.remaining(installation.look(_uninstaller()))

    @staticmethod
    def _others() -> list[str]:
        return [str(path) for path in installation.others(os.environ, installation.own_directories())]


def _running() -> str | None:
    """Return what a person should know of the running agent; None: there is none."""
    try:
        AgentClient.connect().close()
    except (AgentNotRunning, AgentRefused):
        return None
    except AgentSilent:
        return "it runs, but does not answer: it will be killed"
    return "it runs, and will be stopped"


def _entries() -> dict[str, LoginEntry]:
    entries = {"login entry": login_entry(os.environ)}
    with suppress(LauncherRefused):  # no menu that could be written to
        entries["menu entry"] = menu_entry(os.environ)
    return entries


def _registry() -> RegistryKeys:
    if sys.platform == "win32":
        from credtray.uninstall.windows import UserKeys  # cannot be imported elsewhere

        return UserKeys()
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        return NoRegistryKeys()


def _uninstaller() -> str | None:
    if sys.platform == "win32":
        from credtray.uninstall.windows import uninstaller  # cannot be imported elsewhere

        return uninstaller()
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        return None
