"""`credtray pause`: no notices for a while.

Only asks the agent; what it does not tell meanwhile it tells afterwards, as it is then.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.durations import parse_duration
from credtray.core.errors import UsageError
from credtray.core.menu.agent import tomorrow_morning
from credtray.core.protocol import PauseNotices
from credtray.core.view import clock_time

_TOMORROW, _OFF = "tomorrow", "off"
_LONGEST = timedelta(days=7)


def pause(
    duration: Annotated[
        str, typer.Argument(help="How long, such as 30m or 1h; tomorrow; or off.", metavar="[DURATION]")
    ] = "1h",
    json_output: JsonOption = False,
) -> None:
    """Show no notices for a while.

    Renewing goes on. What holds when the pause is over is told then, once.

    Examples:
      credtray pause               (for an hour)
      credtray pause tomorrow      (until eight in the morning)
      credtray pause off
    """
    now = datetime.now(UTC)
    result = ask(PauseNotices(_until(duration, now)))
    if json_output:
        terminal.show_json(result)
    elif result["until"] is None:
        terminal.show("Notices are shown again.")
    else:
        until = clock_time(datetime.fromisoformat(result["until"]), now, None)
        terminal.show(f"No notices until {until}. Sooner: credtray pause off")


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
        raise UsageError(f"{text!r} is none of these: {known}") from None
    if duration > _LONGEST:
        raise UsageError(f"a pause lasts at most {_LONGEST.days}d")
    return now + duration
