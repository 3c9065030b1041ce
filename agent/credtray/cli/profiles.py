"""`credtray profiles`: all profiles of the config file, and which one to use for what.

Shows only; `activate` and `switch` choose.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from textwrap import wrap
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.cli.columns import Column, Columns
from credtray.cli.settings import complete_tag
from credtray.cli.status_words import Reader
from credtray.cli.terminal import visible
from credtray.core.errors import RoleRefused, UsageError
from credtray.core.models import Delivery
from credtray.core.protocol import Status
from credtray.core.protocol.results import (
    ForeignStatus,
    PastedStatus,
    ProfileStatus,
    SessionStatus,
    StatusDocument,
)
from credtray.core.shell_words import argument, with_options
from credtray.core.state_words import PRODUCTION
from credtray.core.words import short

# Finds profiles of the status document by what a person remembers of them. Pure.


_FAR = 1_000_000
"""The place of a profile that was not chosen lately."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to look for."""

    search: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """False when every profile is wanted."""
        return self.search is not None or bool(self.tags)

    def fits(self, texts: Iterable[str], tags: Iterable[str]) -> bool:
        """Tell whether all words are somewhere in the texts, and all tags among the tags; case is ignored."""
        own = {tag.casefold() for tag in tags}
        whole = "\n".join((*texts, *own)).casefold()
        words = (self.search or "").casefold().split()
        return all(word in whole for word in words) and all(tag.casefold() in own for tag in self.tags)


def found(document: StatusDocument, wish: Wish) -> tuple[list[ProfileStatus], list[ForeignStatus]]:
    """Return ours that fit, and those that are left alone.

    Ours are ranked when something narrows the list, else they keep the order of the config file.
    """
    ours = [item for item in document.profiles if wish.fits(_texts(item), item.tags)]
    foreign = [item for item in document.foreign if wish.fits((item.name,), ())]
    return (ranked(ours) if wish.narrows else ours), foreign


def _texts(item: ProfileStatus) -> list[str]:
    texts = (
        item.name,
        item.session,
        item.account_id,
        item.account_name,
        item.role_name,
        item.region,
        item.description,
        item.notes,
    )
    return [text for text in texts if text]


def ranked(items: list[ProfileStatus]) -> list[ProfileStatus]:
    """Return the favourites first, then those chosen lately, the latest first; the rest keep their order."""
    return sorted(items, key=_rank)


def _rank(item: ProfileStatus) -> tuple[bool, int]:
    return not item.favourite, _FAR if item.recent is None else item.recent


def profiles(
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            "-s",
            metavar="TEXT",
            help="Only profiles with all these words in name, account, role, description, notes or tags.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="TAG",
            help="Only profiles with this tag; give it several times to require all of them.",
            autocompletion=complete_tag,
        ),
    ] = None,
    for_automation: Annotated[
        bool, typer.Option("--for-automation", help="What to use for jobs that run without you, and why.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """List the profiles of the config file, and find the right one.

    It shows which are active, which is the default, and which are left alone and why. Descriptions, notes,
    tags and favourites come from the settings: credtray settings set profiles.NAME.description "..."

    Examples:
      credtray profiles
      credtray profiles --search "billing read"
      credtray profiles --tag weekly
      credtray profiles --for-automation
    """
    wish = Wish(search, tuple(tag or ()))
    if for_automation:
        if wish.narrows:
            raise UsageError("Use --for-automation alone", hint="credtray profiles --for-automation")
        _explain_automation(json_output=json_output)
        return
    document = ask(Status())
    ours, foreign = found(document, wish)
    if json_output:
        terminal.show_json({"version": document.version, "profiles": ours, "foreign": foreign})
        return
    for problem in document.problems:
        terminal.complain(problem.text, problem.hint, kind="warning")
    if ours or foreign:
        _show(ours, foreign)
    elif not document.problems:
        terminal.say("No profile matches. `credtray setup` adds profiles.")
    _warn_of_code_page([*(item.name for item in ours), *(item.name for item in foreign)])
    if not wish.narrows:
        _show_pasted(document.imports)
    for item in [] if wish.narrows else document.warnings:
        terminal.complain(
            f"{item.file} file, line {item.line}, {item.profile}: {item.text}",
            item.hint,
            kind="warning",
        )


def _show(ours: Sequence[ProfileStatus], foreign: Sequence[ForeignStatus]) -> None:
    if ours:
        terminal.draw(profiles_view(ours))
    if foreign:
        terminal.draw(foreign_view(foreign))


def _warn_of_code_page(names: Sequence[str]) -> None:
    """Tell when boto3 knows a profile by another name, as on Windows."""
    headers = "\n".join(f"[profile {name}]" for name in names if not name.isascii())
    if headers:
        from credtray.doctor.collect_files import boto3_warning  # few names need it

        told = boto3_warning(headers, os.environ)
        if told is not None:
            terminal.complain(*told, kind="warning")


def _show_pasted(items: Sequence[PastedStatus]) -> None:
    from credtray.cli.pasted_view import imports_view

    for part in imports_view(items, Reader(datetime.now(UTC))):
        terminal.draw(part)


def _explain_automation(*, json_output: bool) -> None:
    document = ask(Status())
    if json_output:
        terminal.show_json(automation_document(document))
    else:
        for line in automation_lines(document):
            terminal.show(line)


# Draws the tables of `credtray profiles`. Draws only.


def profiles_view(items: Sequence[ProfileStatus]) -> Group:
    """Return the table of SSO profiles, and below it what a person has written down of them."""
    several = len({item.session for item in items}) > 1
    columns = (
        Column("Profile"),
        Column("Account", leaves=2),
        Column("Role", leaves=3),
        *([Column("Session", leaves=1)] if several else []),
        Column("Kept in"),
    )
    rows = []
    for item in items:
        role = " > ".join([item.role_name, *(arn.rpartition("/")[2] for arn in item.assumes)])
        account = Text(visible(item.account_name or item.account_id))
        session = [Text(visible(item.session))] if several else []
        rows.append((_name(item), account, Text(visible(role)), *session, Text(_kept_in(item), "good")))
    table = Columns(columns, rows, headed=True)
    written = [(item, words) for item in items if (words := _written_down(item)).plain]
    return Group(table, "", _remarks(written)) if written else Group(table)


def _remarks(written: list[tuple[ProfileStatus, Text]]) -> Group:
    """Return a list of its own: beside five columns a sentence would be a tower of words."""
    parts: list[RenderableType] = []
    for item, words in written:
        parts += [Text(visible(item.name), "bold"), Padding(words, (0, 0, 0, 2))]
    return Group(*parts)


def _name(item: ProfileStatus) -> Text:
    name = Text.assemble(("* ", "warning") if item.favourite else "")
    name.append(visible(item.name), "bold" if item.active or item.default else "")
    if item.production:
        name.append(f" {PRODUCTION}", "strong bad")
    return name


def _kept_in(item: ProfileStatus) -> str:
    own = "file" if item.section == item.name else f"[{item.section}]"
    kept = own if item.delivery is Delivery.FILE else item.delivery.value
    sections = [kept] if item.active else []
    return visible(" ".join([*sections, *(["[default]"] if item.default else [])]))


def _written_down(item: ProfileStatus) -> Text:
    """Return why it gets no keys, what it is for, what is worth knowing first, and its tags."""
    refused = item.error is not None and item.error.code == RoleRefused.code
    lines = [
        Text(visible(item.error.text if refused and item.error is not None else ""), "warning"),
        Text(visible(item.description or "")),
        Text(visible(item.notes or ""), "quiet"),
        Text(" ".join(f"#{visible(tag)}" for tag in item.tags), "accent"),
    ]
    return Text("\n").join(line for line in lines if line.plain)


def foreign_view(items: Sequence[ForeignStatus]) -> Group:
    """Return the list of profiles that are left alone, with the reason."""
    rows = [(Text(visible(item.name)), Text(visible(item.reason), "quiet")) for item in items]
    return Group(Text("\nLeft alone:", "bold"), Columns((Column(), Column()), rows, indent=2))


# What `credtray profiles --for-automation` explains: why a person's keys do not fit jobs, and what does.
#
# Words only; the lengths come from the status document.


_WIDTH = 88

INSTEAD = (
    ("A program on EC2", "an instance profile: a role of the machine"),
    ("A container on ECS or Fargate", "a task role"),
    ("A pod on EKS", "EKS Pod Identity, or IAM roles for service accounts"),
    ("A function", "its Lambda execution role"),
    (
        "CI such as GitHub Actions or GitLab",
        "OIDC federation: a role that trusts the CI's tokens, without any stored key",
    ),
    ("A server outside AWS", "IAM Roles Anywhere: a role for the holder of a certificate"),
)
"""(where it runs, what to use instead). All of them renew their keys without a person."""

JOBS = (
    ("wait until the keys last long enough, then begin", "credtray wait {waited}"),
    ("run a program whose keys are renewed while you are signed in", "credtray exec {run} -- COMMAND"),
)
"""For a job of a person who is there: (what, command)."""


def automation_lines(document: StatusDocument) -> Iterator[str]:
    """Yield the explanation for a terminal."""
    yield "None of these profiles fits a job that runs without you."
    yield ""
    for paragraph in why(document):
        yield from wrap(paragraph, _WIDTH)
    yield ""
    yield "Use a role for the job itself, which needs nobody to sign in."
    width = max(len(where) for where, _ in INSTEAD)
    for where, use in INSTEAD:
        yield f"  {where:{width}}  {use}"
    yield from wrap(
        "Give that role only the permissions the job needs, and ask your AWS administrator to create it.",
        _WIDTH,
    )
    yield ""
    yield "For your own jobs, while you are signed in:"
    for what, command in commands(document):
        yield f"  {command:{_longest(document)}}  {what}"


def why(document: StatusDocument) -> list[str]:
    """Return the reasons, with the lengths of the sessions that are there."""
    told = "".join(f" {_length(*each)}" for each in _sessions(document))
    end = (
        f"Their keys belong to a person's sign-in and end with it.{told} Only a person in a browser renews a "
        "sign-in, so a job fails at the first end after you have left: at night, at a weekend, on holiday."
    )
    name = "It also acts in your name and with your rights, and stops working when you leave."
    return [end, name]


def _sessions(document: StatusDocument) -> list[tuple[SessionStatus, int]]:
    """Return the sessions whose length is known, each with it: an older agent reports none."""
    found = ((session, session.sign_in_seconds) for session in document.sessions)
    return [(session, seconds) for session, seconds in found if seconds is not None]


def _length(session: SessionStatus, seconds: int) -> str:
    lasts = short(timedelta(seconds=seconds))
    if session.sign_in_length_is_learned:
        return f"The last sign-in of {session.name} lasted {lasts}."
    return f"A sign-in of {session.name} is expected to last {lasts}."


def commands(document: StatusDocument) -> list[tuple[str, str]]:
    """Return (what, command) with a profile that is there."""
    names = [item.name for item in document.profiles if item.active] or ["PROFILE"]
    waited, run = with_options(names[0], "--for", "2h"), argument(names[0])
    return [(what, command.format(waited=waited, run=run)) for what, command in JOBS]


def _longest(document: StatusDocument) -> int:
    return max(len(command) for _, command in commands(document))


def automation_document(status: StatusDocument) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "version": status.version,
        "fits": False,
        "why": why(status),
        "sessions": [
            {
                "name": session.name,
                "sign_in_seconds": seconds,
                "learned": session.sign_in_length_is_learned,
                "renews_without_a_person": False,
            }
            for session, seconds in _sessions(status)
        ],
        "instead": [{"where": where, "use": use} for where, use in INSTEAD],
        "while_signed_in": [{"what": what, "command": command} for what, command in commands(status)],
    }


# `credtray profiles`: list, search, and what suits automation.
