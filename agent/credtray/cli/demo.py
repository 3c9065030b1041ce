"""`credtray demo`: the whole story in minutes, in a throw-away home; what it does is in credtray.demo."""

from __future__ import annotations

import typer


def demo(
    unattended: bool = typer.Option(
        False, "--unattended", help="Ask nothing of you: a scripted person signs in."
    ),
    speed: float | None = typer.Option(
        None, "--speed", metavar="X", help="How many times faster time runs, 1 to 600.", show_default=False
    ),
    keep: bool = typer.Option(False, "--keep", help="Leave the throw-away home behind."),
) -> None:
    """Show what credtray does, without an AWS account.

    It plays four hours in about three minutes, against a small Identity Center on this machine, in a
    throw-away home directory. On a desktop you are the person in it: you sign in, and click where it says.
    Without one, and with --unattended, it plays by itself, in about a minute. Your own files are never
    touched.

    Examples:
      credtray demo
      credtray demo --unattended
    """
    from credtray.demo.__main__ import main

    words = [*(["--unattended"] * unattended), *(["--keep"] * keep)]
    if speed is not None:
        words += ["--speed", str(speed)]
    raise typer.Exit(main(words))
