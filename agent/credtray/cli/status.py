"""`credtray status`: how things stand, once, as JSON, or live.

The JSON document is a contract: docs/reference/status.md.
"""

from __future__ import annotations

import queue
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from credtray.cli import backend, terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.cli.columns import Column, Columns
from credtray.cli.status_words import (
    Reader,
    agent_words,
    desktop_words,
    end_words,
    endpoint_words,
    keys_words,
    person_words,
    question_words,
    session_words,
    token_words,
    way,
)
from credtray.cli.terminal import visible
from credtray.core.errors import CredtrayError, UsageError
from credtray.core.models import CredentialStatus
from credtray.core.protocol import Status
from credtray.core.protocol.results import ForeignStatus, ProfileStatus, SessionStatus, StatusDocument
from credtray.core.shell_words import argument

if TYPE_CHECKING:
    from credtray.history.entries import Entry


def status(
    watch: bool = typer.Option(False, "--watch", "-w", help="Show it live; press q or Ctrl-C to stop."),
    timeline: bool = typer.Option(False, "--timeline", help="Draw what is valid when, 12 hours ahead."),
    json_output: JsonOption = False,
) -> None:
    """Show sessions, profiles and the agent.

    The JSON form is a stable contract; with --watch it is one line per change.

    Examples:
      credtray status
      credtray status --watch
      credtray status --timeline
      credtray status --json
    """
    if timeline and (watch or json_output):
        raise UsageError("--timeline draws one picture: leave out --watch and --json")
    if watch:
        watch_status(json_output=json_output)
        return
    document = ask(Status())
    if json_output:
        terminal.show_json(document)
    elif timeline:
        _draw_timeline(document)
    else:
        show_status(document)


def _draw_timeline(document: StatusDocument) -> None:
    """Draw the time line, with what the history knows of the past; without one it begins now."""
    from credtray.desktop import paths
    from credtray.history.drawing import drawn
    from credtray.history.journal import Journal
    from credtray.history.timeline import timeline

    entries: tuple[Entry, ...] = ()
    with suppress(CredtrayError):  # `credtray history` says what is wrong with it
        entries = Journal(paths.state_directory()).read().entries
    if not document.sessions and not document.imports:
        show_status(document)
        return
    width = min(shutil.get_terminal_size().columns, _WIDEST_TIMELINE)
    for line in drawn(timeline(document, entries), Reader(document.now).zone, width):
        terminal.show(line)


_WIDEST_TIMELINE = 160


def show_status(document: StatusDocument) -> None:
    """Print the document once."""
    from credtray.cli.status_words import Reader

    terminal.draw(status_view(document, Reader(document.now)))


# Draws the status document for a terminal: sessions, their profiles, warnings, the agent.
#
# Draws only; the words are in ``words``, the facts in the document.


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
    if document.imports:
        from credtray.cli.pasted_view import imports_view

        yield from imports_view(document.imports, reader)
    yield from _warnings(document)
    for line in question_words(document):
        yield Text(f"{visible(line)}\n", "warning", overflow="fold")
    lead, meaning = agent_words(document.agent)
    yield Text.assemble((lead, "bold" if running else "strong warning"), f": {meaning}")
    for line in [*desktop_words(document, reader), *endpoint_words(document)]:
        yield Padding(Text(visible(line), "quiet", overflow="fold"), (0, 0, 0, _INDENT))


def _session(item: SessionStatus, reader: Reader, *, agent_running: bool) -> Iterator[RenderableType]:
    mark, style = _MARKS[item.state]
    yield Text.assemble(
        (f"{mark} ", style), (visible(item.name), "bold"), "  ", (session_words(item, reader), style)
    )
    details = [
        item.start_url,
        person_words(item),
        end_words(item),
        token_words(item, reader, agent_running=agent_running),
    ]
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
        yield Text(f"{lead} ignored. `credtray profiles` says why.\n", "quiet")


# `credtray status --watch`: redraws at every change and once a second, until q, Ctrl-C or the agent's end.
#
# Asks nothing by itself: the agent tells of changes.


_REDRAW_SECONDS = 1.0
_QUIT = "q"

Heard = StatusDocument | BaseException | str
"""A status document, the end of the watch, or a key."""


def watch_status(*, json_output: bool) -> None:
    """Show the status live; as one JSON line per change for a program.

    Raises:
        AgentNotRunning: there is none, or it ended.
    """
    if json_output:
        backend.current().watch(lambda document: terminal.show_json(document, lines=True))
    elif sys.stdout.isatty():
        _live()
    else:
        backend.current().watch(_print)


def _print(document: StatusDocument) -> None:
    terminal.draw(status_view(document, Reader(document.now)))
    terminal.show("")
    sys.stdout.flush()


def _live() -> None:
    from rich.live import Live

    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(heard,), name="watch", daemon=True).start()
    screen = terminal.console()
    with _single_keys(heard), Live(console=screen, auto_refresh=False, screen=True) as live:
        for document, reader in _frames(heard):
            live.update(_frame(document, reader), refresh=True)


def _frame(document: StatusDocument, reader: Reader) -> Any:
    from rich.console import Group
    from rich.text import Text

    clock = reader.now.astimezone(reader.zone).strftime("%H:%M:%S")
    return Group(status_view(document, reader), Text(f"\n{clock}   q ends", "quiet"))


def _listen(heard: queue.SimpleQueue[Heard]) -> None:
    try:
        backend.current().watch(heard.put)
    except BaseException as error:  # noqa: BLE001 -- carried to the main thread and raised there
        heard.put(error)


def _frames(heard: queue.SimpleQueue[Heard]) -> Iterator[tuple[StatusDocument, Reader]]:
    """Yield what to draw: the newest document and how late it is, by the clock of the agent."""
    document: StatusDocument | None = None
    made = came = datetime.now(UTC)
    while True:
        try:
            match heard.get(timeout=_REDRAW_SECONDS):
                case BaseException() as error:
                    raise error
                case str() as key if key == _QUIT:
                    return
                case StatusDocument() as news:
                    document, made, came = news, news.now, datetime.now(UTC)
        except queue.Empty:
            pass
        if document is not None:
            yield document, Reader(made + (datetime.now(UTC) - came))


@contextmanager
def _single_keys(heard: queue.SimpleQueue[Heard]) -> Iterator[None]:
    """Pass single keys on, where the system can read them without Enter; Ctrl-C works everywhere."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    else:  # type checkers take the branch of their platform
        import termios  # not there on Windows
        import tty  # not there on Windows

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        threading.Thread(target=_read_keys, args=(heard,), name="keys", daemon=True).start()
        try:
            tty.setcbreak(descriptor)
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read_keys(heard: queue.SimpleQueue[Heard]) -> None:
    while key := sys.stdin.read(1):
        heard.put(key)


# `credtray status`: how things stand, in words and tables.
