"""Runs the Identity Center by itself: ``python -m credtray.demo.identity_center [--port N] [--speed X]``.

Prints one line of JSON with its addresses, then serves until a signal comes. It writes no file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

from credtray.demo.identity_center.instance import FastClock, generated, synderys, system_clock
from credtray.demo.identity_center.service import IdentityCenter


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m credtray.demo.identity_center", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster its clock runs")
    parser.add_argument("--origin", help="ISO time since when it runs faster; the default is now")
    parser.add_argument("--auto-approve", metavar="USER", help="sign in and consent without a person")
    parser.add_argument("--until-input-ends", action="store_true", help="end with the starting process")
    parser.add_argument("--interval", type=float, default=5, help="seconds between polls of a device code")
    parser.add_argument("--accounts", type=int, default=0, help="made-up accounts instead of the demo's")
    parser.add_argument("--roles", type=int, default=2, help="roles in each made-up account")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Serve until told to end; return the exit code."""
    arguments = _arguments(argv)
    origin = datetime.fromisoformat(arguments.origin) if arguments.origin else datetime.now(UTC)
    clock = system_clock if arguments.speed == 1 else FastClock(arguments.speed, origin)
    directory = generated(arguments.accounts, arguments.roles) if arguments.accounts else synderys()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    with IdentityCenter(directory, clock=clock, port=arguments.port) as portal:
        portal.set_lifetimes(interval=timedelta(seconds=arguments.interval))
        portal.auto_approve(arguments.auto_approve)
        addresses = {
            "url": portal.url,
            "control_url": portal.control_url,
            "speed": arguments.speed,
            "origin": origin.isoformat(),
        }
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        if arguments.until_input_ends:
            threading.Thread(target=_until_input_ends, args=(ended,), daemon=True).start()
        ended.wait()
    return 0


def _until_input_ends(ended: threading.Event) -> None:
    """Whoever started us holds our standard input: when it goes away, so do we."""
    # Not sys.stdin: a thread that holds its lock at exit makes the interpreter abort.
    while os.read(0, 4096):
        pass
    ended.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
