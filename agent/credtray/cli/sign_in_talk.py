"""What a person reads while a sign-in goes on, and how it ended. Prints to stderr, returns results as text.

Opens nothing: the sign-in itself does that.
"""

from __future__ import annotations

import shutil
from datetime import datetime, tzinfo

from credtray.cli import terminal
from credtray.core.durations import short
from credtray.core.expiry import Moved
from credtray.core.protocol import Progress
from credtray.core.protocol.results import LoginResult
from credtray.core.state_words import clock_time

_WAITING = "Waiting for you to finish in the browser. Press Ctrl-C to cancel."


def narrate(step: Progress) -> None:
    """Tell what is going on and what to do; unknown steps of a newer agent show their address."""
    match step.kind:
        case "preparing":
            terminal.say("Signing in ...")
        case "browser":
            _address(
                "Opening the sign-in page in your browser. If it does not open, go to this address "
                "on this machine:",
                step,
            )
        case "ended":
            terminal.say(step.text or "Your earlier sign-in was ended.")
        case "finishing":
            terminal.say("Approved. Fetching the token ...")
        case _ if step.user_code is not None:
            _code(step)
        case _:
            _address("Open this address in a browser on this machine (`--device` allows any device):", step)


def _address(lead: str, step: Progress) -> None:
    if step.text:
        terminal.say(step.text)
    if step.url:
        # The address stands alone on its line, so that a terminal can open it and a person can copy it.
        terminal.say(f"{lead}\n\n{step.url}\n\n{_WAITING}")


def _code(step: Progress) -> None:
    address = step.verification_uri or step.url or ""
    carried = step.user_code is not None and step.user_code in address
    lead = "Check that the page shows this code:" if carried else "Enter this code:"
    lines = [lead, "", f"    {step.user_code}"]
    outside = f"Open this address on any device:\n\n{address}\n"
    if len(address) <= shutil.get_terminal_size().columns - 6:
        lines = ["Open this address on any device:", "", f"    {address}", "", *lines]
        outside = ""
    terminal.say("\n".join(part for part in (step.text, outside, boxed(lines)) if part))
    if step.url and step.url != address:
        terminal.say(f"\nOr open this address, and check that the page shows the same code:\n\n{step.url}\n")
    terminal.say(f"Never approve a code that somebody sent you.\n{_WAITING}")


def boxed(lines: list[str]) -> str:
    """Return the lines in a box."""
    width = max(len(line) for line in lines)
    body = [f"│ {line.ljust(width)} │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘"])


def login_words(result: LoginResult, now: datetime, zone: tzinfo | None) -> str:
    """Tell how a login ended.

    Args:
        result: of the ``Login`` request.
        now: aware, UTC.
        zone: of the reader; None is this computer's.
    """
    standing = f"Signed in to {result.session}{_until(result, now, zone)}."
    if result.already:
        return f"{standing} Nothing to do; --fresh starts a new sign-in."
    if result.joined is True:
        standing += " Another program had just signed in; its sign-in is used."
    return standing + (_MOVED.get(result.moved, "") if result.moved else "")


_MOVED = {
    Moved.SAME: "\nYour sign-in was not extended: AWS joined it to the one that was still active.",
    Moved.UNKNOWN: "\nWhether it was extended is not known yet; `credtray status` will show it.",
}


def _until(result: LoginResult, now: datetime, zone: tzinfo | None) -> str:
    ends_at, guess = result.signed_in_until, result.end_is_estimate
    if ends_at is None or ends_at <= now:
        return ""
    about, left = "about " if guess else "", short(ends_at - now)
    expected = "; expected, not confirmed" if guess else ""
    return f" until {about}{clock_time(ends_at, now, zone)} ({left} left{expected})"
