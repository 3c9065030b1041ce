"""Draws the status document for a terminal: sessions, their profiles, warnings, the agent.

Draws only; the words are in ``words``, the facts in the document.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli.columns import Column, Columns
from credtray.cli.delivery_words import way
from credtray.cli.imports_view import imports_view
from credtray.cli.status.words import (
    Reader,
    agent_words,
    desktop_words,
    end_words,
    endpoint_words,
    keys_words,
    session_words,
    token_words,
)
from credtray.cli.terminal import visible
from credtray.core.models import CredentialStatus
from credtray.core.protocol.results import ForeignStatus, ProfileStatus, SessionStatus, StatusDocument
from credtray.core.words import argument

MOST_WARNINGS = 5
_INDENT = 2

_MARKS = {
    CredentialStatus.FRESH: ("●", "good"),
    CredentialStatus.ADVISORY: ("●", "warning"),
    CredentialStatus.MANDATORY: ("●", "warning"),
    CredentialStatus.EXPIRED: ("✗", "bad"),
    CredentialStatus.REFUSED: ("✗", "bad"),
    CredentialStatus.SIGNED_OUT: ("○", "quiet"),
    CredentialStatus.SIGNING_IN: ("◌", "accent"),
    CredentialStatus.OFFLINE: ("!", "warning"),
}
_COLUMNS = (
    Column("Profile"),
    Column(),
    Column("Account", leaves=1),
    Column("Role", leaves=2),
    Column("Keys"),
)


def status_view(document: StatusDocument, reader: Reader) -> Group:
    """Return everything `credtray status` shows."""
    return Group(*_parts(document, reader))


def _parts(document: StatusDocument, reader: Reader) -> Iterator[RenderableType]:
    running = document.agent.running
    for session in document.sessions:
        yield from _session(session, reader, agent_running=running)
        members = [item for item in document.profiles if item.session == session.name]
        yield from _profiles(members, reader)
        yield Text()
    if not document.sessions and not document.problems and not document.warnings:
        yield Text("The config file names no sso-session. Run: credtray setup\n")
    yield from imports_view(document.imports, reader)
    yield from _warnings(document)
    lead, meaning = agent_words(document.agent)
    yield Text.assemble((lead, "bold" if running else "strong warning"), f": {meaning}")
    for line in [*desktop_words(document, reader), *endpoint_words(document)]:
        yield Padding(Text(visible(line), "quiet", overflow="fold"), (0, 0, 0, _INDENT))


def _session(item: SessionStatus, reader: Reader, *, agent_running: bool) -> Iterator[RenderableType]:
    mark, style = _MARKS[item.state]
    yield Text.assemble(
        (f"{mark} ", style), (visible(item.name), "bold"), "  ", (session_words(item, reader), style)
    )
    details = [item.start_url, end_words(item), token_words(item, reader, agent_running=agent_running)]
    if item.state is CredentialStatus.SIGNING_IN:
        details.append(f"check that the page shows this code: {item.user_code}" if item.user_code else "")
        details.append(item.sign_in_url or "")
    if item.error is not None:
        details += [item.error.text, item.error.hint]
    elif item.state in {CredentialStatus.SIGNED_OUT, CredentialStatus.EXPIRED}:
        details.append(f"sign in: credtray login {argument(item.name)}")
    for line in details:
        if line:
            yield Padding(Text(visible(line), "quiet", overflow="fold"), (0, 0, 0, _INDENT))


def _profiles(members: list[ProfileStatus], reader: Reader) -> Iterator[RenderableType]:
    shown = [item for item in members if item.active or item.default or item.error or item.expires_at]
    if shown:
        yield Columns(_COLUMNS, [_profile(item, reader) for item in shown], indent=_INDENT)
        yield from _troubles(shown)
    rest = len(members) - len(shown)
    if rest:
        more = "more " if shown else ""
        plural = "" if rest == 1 else "s"
        yield Padding(
            Text(f"{rest} {more}profile{plural}, not active (credtray profiles)", "quiet"), (0, 0, 0, _INDENT)
        )


def _profile(item: ProfileStatus, reader: Reader) -> tuple[Text, ...]:
    mark, style = _MARKS[item.state]
    kept = item.active or item.default
    name = Text.assemble((f"{mark} ", style), visible(item.name))
    where = ["[default]"] if item.default else []
    where += [f"by {way(item)}"] if item.active and way(item) else []
    account = Text(visible(item.account_name or item.account_id), "quiet")
    role = Text(visible(item.role_name), "quiet")
    return (
        name,
        Text(" ".join(where), "accent"),
        account,
        role,
        Text(keys_words(item, reader), style if kept else "quiet"),
    )


def _troubles(shown: list[ProfileStatus]) -> Iterator[RenderableType]:
    """Yield each distinct trouble once, with the profiles it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for item in shown:
        if item.error is not None:
            about.setdefault((item.error.text, item.error.hint), []).append(item.name)
    for (text, hint), names in about.items():
        yield Padding(
            Text(visible(f"{', '.join(names)}: {text}"), "warning"), (0, 0, 0, _INDENT), expand=False
        )
        yield Padding(Text(visible(hint), "quiet"), (0, 0, 0, _INDENT * 2))


def _warnings(document: StatusDocument) -> Iterator[RenderableType]:
    for problem in [*document.problems, document.credentials_file]:
        if problem is not None:
            yield Text(f"✗ {visible(problem.text)}", "bad")
            yield Padding(Text(visible(problem.hint), "quiet"), (0, 0, 1, _INDENT))
    warnings = document.warnings
    for item in warnings[:MOST_WARNINGS]:
        yield Text(visible(f"! {item.file} file, line {item.line}, {item.profile}: {item.text}"), "warning")
        yield Padding(Text(visible(item.hint), "quiet"), (0, 0, 0, _INDENT))
    more = len(warnings) - MOST_WARNINGS
    if more > 0:
        yield Text(f"  and {more} more warning{'' if more == 1 else 's'}: credtray profiles", "quiet")
    if warnings:
        yield Text()
    yield from _foreign(document.foreign)


def _foreign(items: tuple[ForeignStatus, ...]) -> Iterator[RenderableType]:
    if items:
        lead = "1 profile is" if len(items) == 1 else f"{len(items)} profiles are"
        yield Text(f"{lead} ignored, not being SSO profiles: `credtray profiles` says why.\n", "quiet")
