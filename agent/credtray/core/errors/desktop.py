"""Errors of the desktop: something that you would see is missing. Refreshing never depends on these."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry


class BusUnavailable(CredtrayError):
    """There is no D-Bus to talk to, or it does not answer."""

    code = "bus_unavailable"
    title = "The desktop's message bus (D-Bus) cannot be reached"
    hint = "Start credtray inside a desktop session. Without one, use the commands."
    retry = Retry.LATER


class BusCallFailed(CredtrayError):
    """A program on the bus refused a call, is gone, or did not answer in time."""

    code = "bus_call_failed"
    title = "A desktop program gave an unexpected answer"
    hint = "It may be restarting. credtray tries again automatically."
    retry = Retry.LATER
    error_name = ""
    """D-Bus's name for what went wrong, such as ``org.freedesktop.DBus.Error.ServiceUnknown``."""


class NotifierUnavailable(CredtrayError):
    """No notification could be shown."""

    code = "notifier_unavailable"
    title = "No notification can be shown"
    hint = "The icon and `credtray status` show the same; every notice is in the log."
    retry = Retry.LATER


class ClipboardUnavailable(CredtrayError):
    """Nothing can be copied to the clipboard."""

    code = "clipboard_unavailable"
    title = "Nothing can be copied to the clipboard here"
    hint = "On Wayland, install wl-clipboard."
    retry = Retry.PERSON


class ClipboardUnreadable(CredtrayError):
    """There is no clipboard to read, or the program that owns its text does not deliver it."""

    code = "clipboard_unreadable"
    title = "The clipboard cannot be read"
    hint = "Paste the text where it is asked for, or save it in a file."
    retry = Retry.PERSON


class AutostartRefused(CredtrayError):
    """Starting at login could not be switched on or off; nothing was changed."""

    code = "autostart_refused"
    title = "Starting at login could not be changed"
    hint = "Make the folder that the message names writable, then try again."
    retry = Retry.PERSON


class FileUnopened(CredtrayError):
    """No program on the desktop opened the file."""

    code = "file_unopened"
    title = "No program on this computer opens this file"
    hint = "Open it in an editor."
    retry = Retry.PERSON


class BrowserUnopened(CredtrayError):
    """No browser opened the address."""

    code = "browser_unopened"
    title = "No browser could be opened"
    hint = "Open the address yourself."
    retry = Retry.PERSON


class AssetMissing(CredtrayError):
    """A file that is part of credtray is missing."""

    code = "asset_missing"
    title = "A file that belongs to credtray is missing"
    hint = "Install credtray again; it is not complete."
    retry = Retry.PERSON
