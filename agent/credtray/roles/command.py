"""`credtray roles`: which roles you have at your sign-ins, which of them are new, and which are gone.

Shows what the agent saw last, or asks AWS with the sign-in that is there. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption, SessionArgument
from credtray.cli.columns import Column, Columns
from credtray.cli.status_words import Reader
from credtray.cli.terminal import visible
from credtray.core.errors import CredtrayError, UnknownSession
from credtray.core.protocol import Status
from credtray.core.protocol.results import ProfileStatus, SessionStatus, StatusDocument
from credtray.core.shell_words import argument
from credtray.core.words import did_you_mean
from credtray.desktop import paths
from credtray.roles import record as records
from credtray.roles.record import AccountRoles, Record, Role
from credtray.roles.watch import RolesFile


@dataclass(frozen=True, slots=True)
class _Have:
    """The roles of one session."""

    session: SessionStatus
    record: Record
    fresh: bool
    """AWS was asked just now."""
    profiles: dict[Role, list[str]]

    def wanted(self, *, only_new: bool) -> list[Role]:
        """Return the roles to show, as a person looks for them."""
        without = (role for role in self.record.new if role not in self.profiles)
        return records.in_order(self.record, without if only_new else self.record.roles)


def roles(
    session: SessionArgument = None,
    new: Annotated[
        bool, typer.Option("--new", help="Only roles that came lately and have no profile yet.")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Ask AWS now; else it is what the agent saw last.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """List the roles that you have, with their profiles.

    The agent looks once a day and after each sign-in, and tells you of new and removed roles. To look less:
    credtray settings set watch_roles false. A browser is never opened.

    Examples:
      credtray roles
      credtray roles --new
      credtray roles --now --json
    """
    document = ask(Status())
    found, problems = [], [(each.text, each.hint) for each in document.problems]
    remembered = RolesFile(paths.state_directory() / "roles.json").load()
    for item in _sessions(document, session):
        try:
            found.append(_have(document, item, remembered, now=now))
        except CredtrayError as error:
            if session is not None:
                raise
            problems.append((f"{item.name}: {error}", error.advice))
    if json_output:
        terminal.show_json(_json(found, only_new=new))
    elif found:
        terminal.draw(Group(*_view(found, Reader(document.now), only_new=new)))
    elif not problems:
        terminal.say("The config file names no sso-session. Run: credtray setup")
    for text, advice in problems:
        terminal.complain(text, advice, kind="warning")


def _sessions(document: StatusDocument, name: str | None) -> list[SessionStatus]:
    names = [item.name for item in document.sessions]
    if name is not None and name not in names:
        raise UnknownSession(f"{name}.{did_you_mean(name, names)}")
    return [item for item in document.sessions if name in {None, item.name}]


def _have(document: StatusDocument, item: SessionStatus, remembered: Sequence[Record], *, now: bool) -> _Have:
    """Return what somebody has at a session.

    Raises:
        CredtrayError: AWS has to be asked, and does not tell.
    """
    record = _remembered(item, remembered)
    fresh = now or record is None
    if record is None or now:
        record = _listed(item, record)
    profiles: dict[Role, list[str]] = {}
    for each in document.profiles:
        if each.session == item.name and not each.assumes:
            profiles.setdefault(_role(each), []).append(each.name)
    return _Have(item, record, fresh, profiles)


def _role(item: ProfileStatus) -> Role:
    return item.account_id, item.role_name


def _remembered(item: SessionStatus, remembered: Collection[Record]) -> Record | None:
    """Return the record of who is signed in, else the latest of that portal."""
    if item.person is not None:
        return records.record_of(remembered, item.start_url, item.person)
    of_portal = (record for record in remembered if record.portal == item.start_url)
    return max(of_portal, key=lambda record: record.at, default=None)


def _listed(item: SessionStatus, before: Record | None) -> Record:
    """Ask AWS, and compare with what the agent saw last; that is the agent's to remember."""
    from credtray.app import build  # what asks the portal takes long to load
    from credtray.core.aws_hosts import in_effect
    from credtray.setup.session import choices_now
    from credtray.setup.steps import at_terminal

    ports = build().ports
    sessions = in_effect(ports.config_file.load(), ports.settings_file.load()).sessions
    accounts: dict[str, AccountRoles] = {}
    if item.name not in sessions:  # the agent reads another config file than this command
        raise UnknownSession(item.name)
    for choice in choices_now(ports, sessions[item.name], at_terminal()):
        account = choice.account
        had = accounts.get(account.account_id, AccountRoles((), account.name))
        accounts[account.account_id] = AccountRoles((*had.roles, choice.role_name), account.name)
    listed = Record(portal=item.start_url, at=datetime.now(UTC), accounts=accounts)
    return records.compared(before, listed)[0]


# --- what is shown -----------------------------------------------------------------------------------

_COLUMNS = (Column("Role"), Column("Account", leaves=1), Column("Profile"))


def _view(found: Sequence[_Have], reader: Reader, *, only_new: bool) -> Iterator[RenderableType]:
    for have in found:
        name, wanted = have.session.name, have.wanted(only_new=only_new)
        when = "now" if have.fresh else f"at {reader.at(have.record.at)}"
        yield Text.assemble(
            (visible(name), "bold"), (f"  {_count(wanted, only_new=only_new)}, seen {when}", "quiet")
        )
        if wanted:
            yield Columns(_COLUMNS, [_row(have, role) for role in wanted], headed=True, indent=2)
        if any(role not in have.profiles for role in wanted):
            yield _line(f"To add profiles: credtray setup {argument(name)}")
        for role in () if only_new else records.in_order(have.record, have.record.gone):
            for profile in have.profiles.get(role, ()):
                lost = f"{profile}: you no longer have {records.role_words(have.record, role)}"
                yield Padding(Text(visible(lost), "warning"), (0, 0, 0, 2))
        yield Text()


def _count(wanted: Sequence[Role], *, only_new: bool) -> str:
    kind = "new role" if only_new else "role"
    return f"1 {kind}" if len(wanted) == 1 else f"{len(wanted) or 'no'} {kind}s"


def _line(text: str) -> Padding:
    return Padding(Text(visible(text), "quiet"), (0, 0, 0, 2))


def _row(have: _Have, role: Role) -> tuple[Text, ...]:
    number, name = role
    mark = " new" if role in have.record.new else ""
    account = have.record.accounts[number].name or number
    profiles = ", ".join(have.profiles.get(role, ()))
    return (
        Text.assemble(visible(name), (mark, "accent")),
        Text(visible(account), "quiet"),
        Text(visible(profiles), "good"),
    )


def _json(found: Sequence[_Have], *, only_new: bool) -> dict[str, Any]:
    """Return the same for a program: docs/reference/status.md."""
    return {
        "version": 1,
        "sessions": [
            {
                "name": have.session.name,
                "seen_at": have.record.at,
                "roles": [_entry(have, role) for role in have.wanted(only_new=only_new)],
                "gone": [_entry(have, role) for role in records.in_order(have.record, have.record.gone)],
            }
            for have in found
        ],
    }


def _entry(have: _Have, role: Role) -> dict[str, Any]:
    number, name = role
    account = have.record.accounts.get(number)
    return {
        "account_id": number,
        "account_name": account.name if account is not None else None,
        "role_name": name,
        "profiles": have.profiles.get(role, []),
        "new": role in have.record.new,
    }
