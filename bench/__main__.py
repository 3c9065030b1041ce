"""Prints, from one run, the figures that docs/explanation/performance.md claims: ``make bench``.

Ratios count, not times: both sides of each ratio are measured in this run, on this machine.
"""

from __future__ import annotations

import sys

from bench import credentials_fetch, desk, doctor, endpoint, execution, idle, page, rewrite, sync


def main() -> int:
    """Measure everything, a table row as soon as it is known."""

    def say(*lines: str) -> None:
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    say(*credentials_fetch.measure().lines())
    say(*credentials_fetch.on_windows())
    asked = endpoint.measure()
    say(*asked.lines())
    say(page.note().line(asked.ours.alone))
    say(*page.served().lines(page.never_opened()))
    say(page.keys().line())
    say(*execution.measure().lines())
    for result in sync.results():
        say(result.line())
    say(*rewrite.measure().lines())
    say(*doctor.measure().lines())
    for profiles in idle.START_LIMITS:
        say(idle.start(profiles).line())
    say(desk.to_icon().line())
    say(*desk.menu_update().lines())
    say("(watching an idle agent for a minute)")
    say(*idle.idle().lines())
    say("(and one with a tray)")
    say(*desk.idle_with_tray().lines("the agent with a tray"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
