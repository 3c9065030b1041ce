"""Whether the person at this terminal is elsewhere and has no browser here. Reads the environment only."""

from __future__ import annotations

from collections.abc import Mapping

_BY_SSH = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")
"""What sshd(8) sets for a session."""

_A_BROWSER = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
"""A command for addresses (remote editors set one that opens them at the other end), or a display."""


def without_browser(environ: Mapping[str, str]) -> bool:
    """Tell whether an address of 127.0.0.1 would be of no use: the browser is on another machine."""
    return any(environ.get(name) for name in _BY_SSH) and not any(environ.get(name) for name in _A_BROWSER)
