"""The demo: ``python -m credtray.demo [--speed X] [--unattended] [--keep]``, which is `credtray demo`.

Four hours of the main job in minutes, with the real command line and the real agent against the embedded
Identity Center, in a throw-away home. Never writes to the real one. Exit code 1: a step did not happen.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from types import FrameType

from credtray.cli import terminal
from credtray.cli.backend import has_desktop
from credtray.core.shell_words import READ_IN
from credtray.demo.home import IconState, ThrowAwayHome, look_at_own_files
from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from credtray.demo.stage import Missing, Plan, Stage, interrupting_signals, set_stage
from credtray.demo.story import Story, Timeline

ATTENDED_SPEED = 120.0
UNATTENDED_SPEED = 360.0
_FASTEST = 600.0
"""Beyond this a moment's hesitation of the machine is longer than the time between two warnings."""


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="credtray demo", description="Four hours of credtray in minutes, in a throw-away home."
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="X",
        help=f"how many times faster time runs; {ATTENDED_SPEED:g}, or {UNATTENDED_SPEED:g} when unattended",
    )
    parser.add_argument(
        "--unattended", action="store_true", help="open no browser; a scripted person fills in the pages"
    )
    parser.add_argument("--keep", action="store_true", help="leave the throw-away home behind")
    return parser.parse_args(argv)


def _speed(text: str) -> float:
    speed = float(text)
    if not 1 <= speed <= _FASTEST:
        raise argparse.ArgumentTypeError(f"from 1 to {_FASTEST:g}")
    return speed


def main(argv: list[str], prepare: Callable[[IdentityCenter], None] = lambda _portal: None) -> int:
    """Run the demo and return the exit code.

    Args:
        argv: the arguments.
        prepare: called with the portal before anything else happens on the stage; tests break it here.
    """
    terminal.prepare()  # the place of a home may hold what the screen cannot show
    arguments = _arguments(argv)
    attended = not arguments.unattended and has_desktop(os.environ, sys.platform)
    plan = Plan(attended, arguments.speed or (ATTENDED_SPEED if attended else UNATTENDED_SPEED))
    for number in interrupting_signals():
        if number is not signal.SIGINT:
            signal.signal(number, _end)
    try:
        return _demonstrate(plan, keep=arguments.keep, prepare=prepare)
    except KeyboardInterrupt:
        sys.stdout.write(f"\nEnded early{'' if arguments.keep else '; nothing is left behind'}.\n")
        return 128 + signal.SIGINT
    except _Ended as ended:
        return 128 + ended.number
    except OSError as error:
        sys.stderr.write(f"The demo cannot go on: {error.strerror}: {error.filename}\n")
        return 1


class _Ended(BaseException):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _end(number: int, _frame: FrameType | None) -> None:
    raise _Ended(number)


def _deaf() -> None:
    """Ignore a second Ctrl-C: cleaning up takes seconds at most and must not stop half-way."""
    for number in interrupting_signals():
        signal.signal(number, signal.SIG_IGN)


def _demonstrate(plan: Plan, *, keep: bool, prepare: Callable[[IdentityCenter], None]) -> int:
    began, own_files = time.monotonic(), look_at_own_files()
    with ExitStack() as ending:
        home = ThrowAwayHome.make()
        if not keep:
            ending.callback(home.remove)
        stage = ending.enter_context(set_stage(plan, os.environ, home))
        ending.callback(_deaf)
        prepare(stage.portal)
        timeline = Timeline(sys.stdout, stage.clock.now)
        _introduce(stage, timeline, keep=keep)
        try:
            Story(stage, timeline).tell()
        except Missing as missing:
            timeline.tell("failed", str(missing))
            return 1
        return _conclude(stage, timeline, own_files, time.monotonic() - began)


def _introduce(stage: Stage, timeline: Timeline, *, keep: bool) -> None:
    speed = stage.plan.speed
    timeline.say(f"credtray: four hours of work, told {speed:g} times faster", "bold")
    timeline.say(
        f"All of it in {stage.home.directory}. Accounts and keys are made up, the commands are real.",
        "quiet",
    )
    if stage.plan.attended or keep:
        timeline.say("Look around meanwhile, in another terminal:", "quiet")
        timeline.say(f"  {READ_IN.on(str(stage.home.env_file))}")
        timeline.say("  credtray status --watch")
        timeline.say("  aws sts get-caller-identity --profile synderys-dns")
    timeline.say()


def _conclude(stage: Stage, timeline: Timeline, own_files: IconState, seconds: float) -> int:
    journal = stage.portal.journal
    granted = Counter(call.grant for call in journal.calls() if call.status == HTTPStatus.OK)
    changed = sorted(set(own_files.items()) ^ set(look_at_own_files().items()))
    log = stage.home.log_text()
    secrets = timeline.secrets + log.count(CANARY)
    timeline.say()
    timeline.say(
        f"{granted['authorization_code']} sign-ins, {journal.count('AuthorizePage')} browser windows, "
        f"{granted['refresh_token']} silent refreshes of the token, "
        f"{sum(journal.by_role().values())} of keys, {stage.observed.rewrites} rewrites of the credentials "
        f"file; secrets on screen and in the log: {secrets}."
    )
    if changed:
        names = ", ".join(sorted({name for name, _ in changed}))
        timeline.say(f"While this ran, something else changed files of yours: {names}", "warning")
    else:
        timeline.say("Your real home was not touched.")
    timeline.say(f"Done in {seconds:.0f} seconds.", "strong good")
    return 1 if secrets else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
