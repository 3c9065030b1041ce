"""`credtray pause`: no notices for a while, or none about the end of one sign-in.

Only asks the agent; what it does not tell meanwhile it tells afterwards, as it is then.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.cli.sign_in import snooze
from credtray.core.durations import parse_duration
from credtray.core.errors import UsageError
from credtray.core.menu.sessions import tomorrow_morning
from credtray.core.protocol import PauseNotices
from credtray.core.state_words import clock_time

_TOMORROW, _OFF = "tomorrow", "off"
_LONGEST = timedelta(days=7)


def pause(
    duration: Annotated[
        str, typer.Argument(help="How long, such as 30m or 1h; tomorrow; or off.", metavar="DURATION")
    ] = "1h",
    session: Annotated[
        str | None,
        typer.Argument(help="Only warnings about the end of this sign-in.", metavar="SESSION"),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Pause notices for a while: all of them, or the warnings about one sign-in.

    Renewing goes on. When the pause ends, one notice tells you the current state.

    Examples:
      credtray pause               # for an hour
      credtray pause tomorrow      # until eight in the morning
      credtray pause 30m synderys  # only warnings about this sign-in
      credtray pause off
    """
    now = datetime.now(UTC)
    if session is not None:
        snooze(_only_length(duration), session, json_output=json_output)
        return
    result = ask(PauseNotices(_until(duration, now)))
    if json_output:
        terminal.show_json(result)
    elif result.until is None:
        terminal.show_words("Notices are shown again.")
    else:
        until = clock_time(result.until, now, None)
        terminal.show_words(f"Notices paused until {until}. Resume: credtray pause off")


def _only_length(text: str) -> str:
    if text.strip().lower() in {_OFF, _TOMORROW}:
        raise UsageError("For one session, give a duration such as 30m or 1h")
    return text


def _until(text: str, now: datetime) -> datetime | None:
    word = text.strip().lower()
    if word == _OFF:
        return None
    if word == _TOMORROW:
        return tomorrow_morning(now, None)
    try:
        duration = parse_duration(word)
    except (ValueError, OverflowError):
        known = f"a duration such as 30m or 1h, {_TOMORROW} or {_OFF}"
        raise UsageError(f"{text!r} is not one of these: {known}") from None
    if duration > _LONGEST:
        raise UsageError(f"A pause lasts at most {_LONGEST.days}d")
    return now + duration
