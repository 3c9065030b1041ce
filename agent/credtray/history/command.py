"""`credtray history` and `credtray why`: what happened, in sentences of local time.

Reads the files of the history itself, with and without an agent. Decides nothing: the words are in
``sentences`` and ``explain``.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.names import complete_profile, complete_session
from credtray.core.errors import UsageError
from credtray.core.words import did_you_mean, parse_duration
from credtray.desktop import paths
from credtray.history.entries import Entry, Lines
from credtray.history.journal import Journal
from credtray.history.sentences import Sentence, instant_meant, sentences

_A_DAY = timedelta(days=1)
_FOLLOW_SECONDS = 1.0
_MARGIN = 7
"""Columns before a sentence: the time, and two blanks."""
_WHEN = "Such as 2h, 14:05, 'yesterday 14:05' or 2026-11-22."

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        "-p",
        metavar="PROFILE",
        help="Only what concerns this profile.",
        autocompletion=complete_profile,
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which entries are shown."""

    since: datetime
    profile: str | None = None
    session: str | None = None

    def of(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return them."""
        return [
            entry
            for entry in entries
            if entry.latest >= self.since
            and self.profile in {None, entry.profile}
            and self.session in {None, entry.session}
        ]


def history(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="WHEN", help=f"From when on; else one day. {_WHEN}", show_default=False
        ),
    ] = None,
    profile: ProfileOption = None,
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="SESSION",
            help="Only what concerns this sso-session.",
            autocompletion=complete_session,
            show_default=False,
        ),
    ] = None,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on with what happens; Ctrl-C stops."),
    clear: bool = typer.Option(False, "--clear", help="Remove the whole history."),
    json_output: JsonOption = False,
) -> None:
    """Show what happened, and which programs were given keys.

    The agent keeps it in its state directory, in at most 4 MiB, without any secret. What commands do while no
    agent runs is not in it. To keep none: credtray settings set history false

    Examples:
      credtray history
      credtray history --since 2h
      credtray history --since 'yesterday 14:00' --profile synderys-dns
      credtray history --follow
    """
    journal = Journal(paths.state_directory())
    if clear:
        _clear(journal)
        return
    now = datetime.now(UTC)
    wanted = _Wanted(now - _A_DAY if since is None else _since(since, now), profile, session)
    found = journal.read()
    if json_output and not follow:
        terminal.show_json(_document(found, wanted, now))
        return
    if not json_output:
        _show(found, wanted, now)
    if follow:
        _follow(journal, wanted, json_output=json_output)


def why(
    when: Annotated[str, typer.Argument(metavar="TIME", help=_WHEN)],
    profile: ProfileOption = None,
    json_output: JsonOption = False,
) -> None:
    """Explain why something worked or failed at a past moment.

    Says how everything stood then, from the history: whether the agent ran, who was signed in, what AWS
    refused; and what to do next.

    Examples:
      credtray why 14:05
      credtray why 14:05 --profile synderys-dns
      credtray why 'yesterday 17:30'
    """
    from credtray.history.explain import why as explained

    now = datetime.now(UTC)
    at = _moment(when, now)
    found = Journal(paths.state_directory()).read()
    _warn(found)
    if not found.entries:
        terminal.show_words(_EMPTY)
        return
    if at < found.entries[0].at:
        raise UsageError(f"The history begins later, at {_full(found.entries[0].at)}")
    if profile is not None:
        _refuse_unknown(profile, found.entries)
    answer = explained(found.entries, at, now, None, profile)
    if json_output:
        around = [entry for sentence in answer.around for entry in sentence.entries]
        told = {"reasons": answer.reasons, "next_steps": answer.next_steps, "around": around}
        terminal.show_json({"version": 1, "at": at, **told})
        return
    for line in (*answer.reasons, *answer.next_steps):
        terminal.show_words(line)
    if answer.around:
        terminal.show("")
        _print(answer.around, now)


_EMPTY = "There is no history yet. The agent keeps one while it runs: credtray start"


# --- what a person typed -----------------------------------------------------------------------------


def _since(text: str, now: datetime) -> datetime:
    """Return from when on.

    Raises:
        UsageError: it names no moment, or one that has not come.
    """
    return _not_later(_meant(text, now, "--since"), text, now)


def _moment(text: str, now: datetime) -> datetime:
    """Return the moment that is asked about; raises as ``_since`` does."""
    return _not_later(_meant(text, now, "TIME"), text, now)


def _meant(text: str, now: datetime, what: str) -> datetime:
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
    try:
        return instant_meant(text, now, None).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{what} is not a time: {text!r}", hint=f"Write it {_WHEN[0].lower()}{_WHEN[1:]}"
        ) from None


def _not_later(at: datetime, text: str, now: datetime) -> datetime:
    if at > now:
        raise UsageError(
            f"{text} has not come yet: it is {now.astimezone().strftime('%H:%M')}",
            hint=f"For the day before, write: 'yesterday {at.astimezone().strftime('%H:%M')}'",
        )
    return at


def _refuse_unknown(profile: str, entries: Sequence[Entry]) -> None:
    known = {entry.profile for entry in entries if entry.profile is not None}
    if profile not in known:
        raise UsageError(f"The history knows nothing of {profile!r}.{did_you_mean(profile, known)}")


# --- what is printed ---------------------------------------------------------------------------------


def _clear(journal: Journal) -> None:
    cleared = journal.clear()
    terminal.show_words("The history is removed." if cleared else "There is no history to remove.")


def _document(found: Lines, wanted: _Wanted, now: datetime) -> dict[str, Any]:
    return {
        "version": 1,
        "now": now,
        "since": wanted.since,
        "entries": wanted.of(found.entries),
        "unreadable_lines": found.unreadable,
        "written_by_newer_version": found.newer,
    }


def _show(found: Lines, wanted: _Wanted, now: datetime) -> None:
    _warn(found)
    told = sentences(wanted.of(found.entries), None)
    if told:
        _print(told, now)
    elif not found.entries:
        terminal.show_words(_EMPTY)
    else:
        last = found.entries[-1].latest
        terminal.show_words(
            f"Nothing to show since {_full(wanted.since)}. The last entry is of {_full(last)}."
        )


def _warn(found: Lines) -> None:
    if found.unreadable:
        lines = "1 line" if found.unreadable == 1 else f"{found.unreadable} lines"
        terminal.complain(f"{lines} of the history cannot be read and are left out.", kind="warning")
    if found.newer:
        terminal.complain(
            "A newer credtray wrote this history: what this version does not know is left out.",
            "Update credtray, or start a new history: credtray history --clear",
            kind="warning",
        )


def _print(told: Iterable[Sentence], now: datetime) -> None:
    day = now.astimezone().date()
    width = shutil.get_terminal_size().columns - _MARGIN
    for sentence in told:
        local = sentence.at.astimezone()
        if local.date() != day:
            day = local.date()
            terminal.show(f"{local.strftime('%A')} {local.day} {local.strftime('%B')}")
        text = terminal.folded(sentence.text, max(width, 20)) if sys.stdout.isatty() else sentence.text
        terminal.show(f"{local.strftime('%H:%M')}  {text}".replace("\n", "\n" + " " * _MARGIN))


def _full(instant: datetime) -> str:
    return instant.astimezone().strftime("%Y-%m-%d %H:%M")


def _follow(journal: Journal, wanted: _Wanted, *, json_output: bool) -> None:
    """Print what comes, until the person stops it."""
    for entries in _news(journal):
        shown = wanted.of(entries)
        if json_output:
            for entry in shown:
                terminal.show_json(entry, lines=True)
        else:
            _print(sentences(shown, None), datetime.now(UTC))
            sys.stdout.flush()


def _news(journal: Journal) -> Iterator[list[Entry]]:
    known = set(journal.read().entries)
    seen = journal.signature()
    while True:
        time.sleep(_FOLLOW_SECONDS)
        there = journal.signature()
        if there == seen:
            continue
        seen = there
        entries = journal.read().entries
        yield [entry for entry in entries if entry not in known]
        known = set(entries)
