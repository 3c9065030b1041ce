"""The steps of `credtray setup` in their order. Everything before the last one only looks and asks."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from credtray.app import Components, build
from credtray.aws.profile_writer import Preview, Written
from credtray.cli import activation as keeping
from credtray.cli import backend, terminal
from credtray.cli.agent_start import started_or_running
from credtray.cli.at_login import switch_on
from credtray.cli.backend import ask as ask_agent
from credtray.cli.backend import has_desktop, without_browser
from credtray.cli.columns import Column, Columns
from credtray.cli.configured import configuration
from credtray.cli.sign_in import show_progress
from credtray.cli.terminal import visible
from credtray.core.addresses import check_region, same_portal_address
from credtray.core.config.setup_edits import ProfileChange, ProfileOutcome, SetupWish
from credtray.core.errors import (
    AgentNotStarted,
    AutostartRefused,
    CredtrayError,
    SettingLocked,
    UnknownProfile,
    UsageError,
)
from credtray.core.models import Account, AwsConfig, SsoSession
from credtray.core.naming import DEFAULT_TEMPLATE, RoleChoice, check_template
from credtray.core.protocol import Activate, Progress
from credtray.core.settings import Settings
from credtray.core.words import exact
from credtray.daemon.sign_in import SignInProgress, SignInRequest
from credtray.daemon.sign_in_grants import BY_CODE
from credtray.desktop.autostart import Autostart, credential_process_command
from credtray.doctor.collect_files import boto3_warning
from credtray.setup import session as portal
from credtray.setup.config_place import (
    as_read,
    check_place,
    credentials_profiles,
    not_remembered,
    place_of,
    taken_sections,
)
from credtray.setup.questions import ALL, Filter, chosen, names_of
from credtray.setup.session import Count, SessionWish, Talk, known_session, new_session
from credtray.setup.team_file import (
    TeamFile,
    TeamSession,
    installed,
    installed_with,
)
from credtray.setup.team_settings import take_settings_over

# Shows what `credtray setup` would write: the profiles as a table, the config file as a diff. Draws only.


MOST_LINES = 40
"""Longer tables and diffs are cut in the preview; --dry-run shows them whole."""

_WORDS = {
    ProfileOutcome.ADDED: ("+", "new", "good"),
    ProfileOutcome.UPDATED: ("~", "changed", "warning"),
    ProfileOutcome.KEPT: ("=", "already there", "quiet"),
    ProfileOutcome.PRUNED: ("-", "removed", "bad"),
}
_DIFF_STYLES = {"+": "good", "-": "bad", "@": "accent"}


def plan_view(
    profiles: Sequence[ProfileChange],
    diff: str,
    accounts: Mapping[str, str | None],
    place: str,
    *,
    whole: bool,
) -> Group:
    """Return the preview.

    Args:
        profiles: of the plan.
        diff: unified diff of the config file; empty when nothing changes.
        accounts: account id -> name.
        place: the config file as a person knows it.
        whole: show everything, however long.
    """
    most = len(profiles) if whole else MOST_LINES
    parts: list[RenderableType] = [_table(profiles[:most], accounts)]
    if len(profiles) > most:
        parts.append(Text(f"and {len(profiles) - most} more profiles", "quiet"))
    lines = diff.splitlines()
    most = len(lines) if whole else MOST_LINES
    if lines:
        parts.append(Text(f"\nChanges to {place}:", "bold"))
        parts += [_line(line) for line in lines[:most]]
    if len(lines) > most:
        parts.append(Text(f"and {len(lines) - most} more lines; --dry-run shows them all", "quiet"))
    return Group(*parts, Text())


def _line(line: str) -> Text:
    # Not wrapped by us: a value copied from the preview must be whole.
    return Text(visible(line), _DIFF_STYLES.get(line[:1], ""), no_wrap=True, overflow="ignore")


def _table(profiles: Sequence[ProfileChange], accounts: Mapping[str, str | None]) -> Columns:
    columns = (Column("  Profile"), Column("Account", leaves=1), Column("Role", leaves=2), Column())
    rows = []
    for item in profiles:
        mark, word, style = _WORDS[item.change]
        rows.append(
            (
                Text(visible(f"{mark} {item.profile}"), style),
                Text(visible(accounts.get(item.account_id) or item.account_id)),
                Text(visible(item.role_name)),
                Text(word, style),
            )
        )
    return Columns(columns, rows, headed=True)


def at_terminal() -> Talk:
    """Return who talks to the person at this terminal."""
    return Talk(terminal.say, _tell, lambda: False, _counting)


def _tell(step: SignInProgress) -> None:
    show_progress(
        Progress(
            step.kind,
            url=step.url,
            user_code=step.user_code,
            verification_uri=step.verification_uri,
            text=step.text,
        )
    )


@contextmanager
def _counting() -> Iterator[Count]:
    """Draw a bar for each thing that is counted, on stderr."""
    from rich import progress

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn())
    shown, tasks = sys.stderr.isatty(), dict[str, progress.TaskID]()
    with progress.Progress(*columns, console=terminal.console(talk=True), disable=not shown) as bar:

        def count(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None)
            bar.update(tasks[what], completed=done, total=total)

        yield count


_TAKEN_OVER_SECONDS = 10.0
"""How long a running agent may take to see the new profiles; it promises 5 s."""
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Choices:
    """What was said on the command line about profiles; None: not said."""

    accounts: str | None
    roles: str | None
    template: str | None
    region: str | None
    activate: bool
    credential_process: bool
    prune: bool
    start: bool | None = None

    def answered_by(self, item: TeamSession) -> Choices:
        """Return them with what a team file answers of what was not said."""
        return replace(
            self,
            accounts=self.accounts or item.accounts,
            roles=self.roles or item.roles,
            template=self.template or item.template,
            region=self.region or item.profile_region,
        )


class Setup:
    """One run of setup."""

    def __init__(
        self, wish: SessionWish, choices: Choices, *, ask: bool, dry_run: bool, agreed: bool
    ) -> None:
        self._wish = wish
        self._choices = choices
        self._ask = ask
        self._dry_run = dry_run
        self._agreed = agreed
        self._length = wish.duration
        self._team: TeamFile | None = None
        """The installed team file that has answered something."""
        self.after_interrupt = "Setup was cancelled; nothing was changed."

    def carry_out(self, *, device: bool, browser: bool) -> int:
        """Go through all steps and return the exit code.

        Raises:
            CredtrayError: why it cannot go on; nothing is written by then.
        """
        self._check()
        components = build()
        check_place(components)
        config, settings = configuration(components)
        session = self._session(components, config, settings)
        command = settings.session(session.name).browser
        elsewhere = not device and browser and command is None and without_browser(os.environ)
        request = SignInRequest(
            device=device or elsewhere,
            browser=browser,
            command=command,
            why=BY_CODE if elsewhere else None,
        )
        talk = at_terminal()
        access = portal.sign_in(components.ports, session, request, talk)
        self.after_interrupt = (
            "Setup was cancelled; the config file was not changed. You stay signed in: "
            "`credtray setup` continues from here."
        )
        by_account = Filter.read("--accounts", self._choices.accounts or ALL)
        _, accounts, found = portal.choices_of(
            components.ports, access, request, lambda account: by_account.takes(*names_of(account)), talk
        )
        picked = self._picked(config, session, accounts, found)
        preview = self._agreed_preview(components, session, accounts, picked)
        if preview is not None:
            return self._write(components, preview)
        if self._dry_run and self._team is not None:
            take_settings_over(components, self._team, ask=False, dry_run=True)
        return 0

    def _check(self) -> None:
        """Refuse what cannot work before anything is sent anywhere."""
        check_template(self._choices.template or DEFAULT_TEMPLATE)
        if self._choices.region not in {None, _NONE}:
            check_region(self._choices.region or "")
        if self._ask:
            return
        if not self._agreed and not self._dry_run:
            raise UsageError(
                "Cannot ask questions: not a terminal", hint="Give all answers as options and add --yes."
            )

    def _check_answers(self) -> None:
        """Refuse to begin where something is missing that cannot be asked for."""
        if self._ask:
            return
        said = {"--accounts": self._choices.accounts, "--roles": self._choices.roles}
        missing = [option for option, value in said.items() if value is None]
        if missing:
            raise UsageError(f"{' and '.join(missing)} missing", hint="Name them, or say all.")

    def _session(self, components: Components, config: AwsConfig, settings: Settings) -> SsoSession:
        wish = self._wish
        if self._ask:
            from credtray.setup.questions import complete

            wish = complete(wish, config)
        self._length = wish.duration
        existing = known_session(wish, config)
        self._ask_team(wish, existing)
        self._check_answers()
        if existing is not None:
            terminal.say(
                f"Session {existing.name}: {existing.start_url}, {existing.region} (in your config file)"
            )
            return existing
        session = as_read(components, new_session(wish, config), settings)
        terminal.say(f"Session {session.name}: {session.start_url}, {session.region}")
        return portal.located(components.ports, session, at_terminal())

    def _ask_team(self, wish: SessionWish, existing: SsoSession | None) -> None:
        """Let an installed team file answer what was not said, where it is about this sign-in."""
        name = wish.preset or wish.name or ""
        item = None if wish.start_url else installed().get(name)
        team = None if item is None else installed_with(name)
        if item is None or team is None:
            return
        if existing is None or same_portal_address(existing.start_url, item.start_url):
            said = {("sessions", name, "duration")} if wish.duration is not None else set()
            self._choices, self._team = self._choices.answered_by(item), team.of(name).without(said)

    def _picked(
        self, config: AwsConfig, session: SsoSession, accounts: list[Account], found: list[RoleChoice]
    ) -> list[RoleChoice]:
        Filter.read("--accounts", self._choices.accounts or ALL).check(
            name for account in accounts for name in names_of(account)
        )
        if not found:
            raise UsageError("No role is assigned to you", hint="Ask your administrator for an assignment.")
        if not self._ask or (self._choices.accounts and self._choices.roles):
            by_account = Filter.read("--accounts", self._choices.accounts or ALL)
            return chosen(accounts, found, by_account, Filter.read("--roles", self._choices.roles or ALL))
        from credtray.setup.questions import pick

        by_role = Filter.read("--roles", self._choices.roles or ALL)
        there = {
            (item.account_id, item.role_name)
            for item in config.profiles.values()
            if item.session == session.name and not item.chain
        }
        return pick([choice for choice in found if by_role.takes(choice.role_name)], there)

    # --- the preview ------------------------------------------------------------------------------------

    def _agreed_preview(
        self, components: Components, session: SsoSession, accounts: list[Account], picked: list[RoleChoice]
    ) -> Preview | None:
        """Show what would be written until somebody agrees; None: change nothing."""
        wish = self._setup_wish(components, session, picked)
        names = {account.account_id: account.name for account in accounts}
        while True:
            preview = components.profile_writer.preview(wish)
            place = place_of(components)
            terminal.draw(
                plan_view(preview.plan.profiles, preview.diff, names, place, whole=self._dry_run),
                talk=not self._dry_run,
            )
            if self._dry_run:
                terminal.say("Nothing was written (--dry-run).")
                return None
            if not self._ask or not preview.diff:
                return preview
            from credtray.setup import questions

            answer = questions.agreed()
            if answer == "no":
                terminal.say("Nothing was changed.")
                return None
            if answer == "yes":
                return preview
            wish = replace(wish, template=questions.template(wish.template))

    def _setup_wish(self, components: Components, session: SsoSession, picked: list[RoleChoice]) -> SetupWish:
        region = self._choices.region
        fallback = None if region is not None else session.region
        if self._ask and region is None:
            from credtray.setup.questions import region_of_profiles

            fallback = region_of_profiles(session.region)
        return SetupWish(
            session,
            tuple(picked),
            self._choices.template or DEFAULT_TEMPLATE,
            region=None if region == _NONE else region,
            region_of_new=fallback,
            command=credential_process_command if self._choices.credential_process else None,
            prune=self._choices.prune,
            taken=taken_sections(components),
            credentials=credentials_profiles(components),
        )

    # --- the end ----------------------------------------------------------------------------------------

    def _write(self, components: Components, preview: Preview) -> int:
        if preview.diff:
            written = components.profile_writer.apply(preview)
            self.after_interrupt = "The profiles were written; the rest was cancelled."
            remember(components, f"setup {preview.wish.session.name}", written)
            warn_of_code_page(components, preview)
        remember_length(components, preview.wish.session.name, self._length)
        names = [item.profile for item in preview.plan.profiles if item.change is not ProfileOutcome.PRUNED]
        terminal.show_words(_summary(preview))
        if self._team is not None:
            take_settings_over(components, self._team, ask=self._ask, dry_run=False)
        wants_keys = self._wants_keys(len(names))
        see_to_agent(self._choices.start, ask=self._ask)
        if not wants_keys:
            terminal.say("Use them: aws --profile NAME. For keys in a file: credtray activate NAME")
            return 0
        return _activate(tuple(names))

    def _wants_keys(self, count: int) -> bool:
        if self._choices.activate or not self._ask or self._choices.credential_process:
            return self._choices.activate
        from credtray.setup.questions import activation

        return activation(count)


def see_to_agent(wanted: bool | None, *, ask: bool) -> None:
    """Start the agent now and at each login, where a person says so; None: ask, where that is possible."""
    now, at_login = not backend.current().agent_runs(), _could_start_at_login()
    if (now or at_login) and wanted is None and ask:
        from credtray.setup.questions import starting

        wanted = starting(now=now, at_login=at_login)
    if not wanted:
        return
    try:
        if at_login:
            switch_on()
        if now:
            started_or_running()
    except (AutostartRefused, AgentNotStarted) as error:  # the profiles are written: all else still counts
        terminal.complain(str(error), error.advice, kind="warning")


def _could_start_at_login() -> bool:
    """Tell whether a login starts a desktop that can start credtray, and does not do so yet."""
    if not has_desktop(os.environ, sys.platform):
        return False
    try:
        status = Autostart().status()
    except AutostartRefused:
        return False
    return not status.enabled and status.remark is None


def remember(components: Components, what: str, written: Written) -> None:
    """Let `credtray undo` know of a change of the config file; *what* is in a person's words."""
    error = not_remembered(components, what, written)
    if error is not None:
        terminal.complain(f"`credtray undo` cannot undo this: {error}", error.advice, kind="warning")


def warn_of_code_page(components: Components, preview: Preview) -> None:
    """Tell when boto3 reads what was just written otherwise, as on Windows."""
    before = {*preview.plan.before.splitlines()}
    lines = [line for line in preview.plan.after.splitlines() if line not in before]
    told = boto3_warning(b"\n".join(lines).decode(), components.environment.environ)
    if told is not None:
        terminal.complain(*told, kind="warning")


def remember_length(components: Components, session: str, length: timedelta | None) -> None:
    """Write down how long a sign-in lasts, where a person said so."""
    if length is None:
        return
    try:
        components.settings_file.set(("sessions", session, "duration"), exact(length))
    except SettingLocked as error:
        terminal.say(f"How long a sign-in lasts is set by your organisation: {error.detail}.")
    except CredtrayError as error:
        terminal.complain(
            f"the length of a sign-in could not be saved: {error}", error.advice, kind="warning"
        )


def _summary(preview: Preview) -> str:
    counts = {
        word: sum(item.change is change for item in preview.plan.profiles)
        for change, word in (
            (ProfileOutcome.ADDED, "new"),
            (ProfileOutcome.UPDATED, "changed"),
            (ProfileOutcome.PRUNED, "removed"),
            (ProfileOutcome.KEPT, "unchanged"),
        )
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    noun = "profile" if sum(counts.values()) == 1 else "profiles"
    return f"{told or 'No'} {noun} for {preview.wish.session.name}."


def _activate(names: tuple[str, ...]) -> int:
    """Activate the profiles; a running agent needs a moment to see them in the config file."""
    until = time.monotonic() + _TAKEN_OVER_SECONDS
    while True:
        try:
            return keeping.report_activation(ask_agent(Activate(names)))
        except UnknownProfile:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
