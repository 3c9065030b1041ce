"""What is missing of the desktop, in words for a person: no name of a part or of a protocol. Pure."""

from __future__ import annotations

from credtray.core.ports import Part

_MISSING = {
    Part.TRAY: "No tray icon: {reason}",
    Part.NOTIFICATIONS: "No notifications: {reason}",
    Part.PRESENCE: "Screen lock and sleep cannot be detected here; notices are always shown",
}


def missing_words(part: str, reason: str) -> str:
    """Tell that a part (by its name in ``status --json``) is not served here, and why."""
    return _MISSING.get(Part(part), "{reason}").replace("{reason}", reason)
