"""What every error is made of, and the errors that arise on this computer. The package has the rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Retry(Enum):
    """Who can solve an error."""

    LATER = "later"
    """It may pass: try again, with backoff."""
    PERSON = "person"
    """Somebody has to do something first (sign in, edit a file, set the clock)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a value: what ``State``, IPC replies and ``status --json`` carry."""

    code: str
    title: str
    hint: str
    retry: Retry
    retry_after: float | None = None
    """Seconds the service asked us to wait; None when it did not."""


class CredtrayError(Exception):
    """The root of the tree. ``str(error)`` is one sentence for a person: what happened and why."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong inside credtray"
    hint: ClassVar[str] = "Run the command again with --verbose and report what it prints."
    retry: ClassVar[Retry] = Retry.LATER
    exit_code: ClassVar[int] = 1
    retry_after: float | None = None

    def __init__(self, detail: str = "", *, hint: str | None = None) -> None:
        self.detail = detail
        self.advice = hint if hint is not None else type(self).hint
        super().__init__(f"{self.title}: {detail}" if detail else self.title)

    @property
    def problem(self) -> Problem:
        """This error as a value."""
        return Problem(self.code, str(self), self.advice, self.retry, self.retry_after)


def every_error() -> list[type[CredtrayError]]:
    """Return every class of the tree once, the root first, in order of definition."""
    found: list[type[CredtrayError]] = [CredtrayError]
    for kind in found:
        found.extend(sub for sub in kind.__subclasses__() if sub not in found)
    return found


def error_for(problem: Problem) -> CredtrayError:
    """Return the problem as an error again, of its own class (so with its exit code) where that is known."""
    kind = next((known for known in every_error() if known.code == problem.code), CredtrayError)
    return kind(problem.title.removeprefix(kind.title).removeprefix(": "), hint=problem.hint)


# Errors about what a person typed.


class UsageError(CredtrayError):
    """A command was given words that do not fit together.

    ``str(error)`` is the detail alone: a title would only repeat that the command was wrong.
    """

    code = "usage"
    title = "Wrong usage"
    hint = "Add --help to see examples."
    retry = Retry.PERSON
    exit_code = 2

    def __str__(self) -> str:
        return self.detail or self.title


class UnknownProfile(CredtrayError):
    """No profile of that name is in the config file."""

    code = "unknown_profile"
    title = "No such profile"
    hint = "`credtray profiles` lists them."
    retry = Retry.PERSON
    exit_code = 2


class UnknownSession(CredtrayError):
    """No sso-session of that name is in the config file."""

    code = "unknown_session"
    title = "No such sso-session"
    hint = "`credtray status` lists them; `credtray setup` adds one."
    retry = Retry.PERSON
    exit_code = 2


class ForeignProfile(CredtrayError):
    """The profile exists but takes its credentials from elsewhere (static keys, a process, `aws login`)."""

    code = "foreign_profile"
    title = "This profile is not an SSO profile"
    hint = "credtray leaves it alone. `credtray profiles` shows why."
    retry = Retry.PERSON
    exit_code = 2


# Errors between the commands and the agent.


class AgentNotRunning(CredtrayError):
    """Nothing listens on the agent's socket."""

    code = "agent_not_running"
    title = "The agent is not running"
    hint = "Start it: credtray start"
    retry = Retry.PERSON
    exit_code = 3


class AgentNotStarted(CredtrayError):
    """The agent that a command started has ended again, or does not answer."""

    code = "agent_not_started"
    title = "The agent could not be started"
    hint = "See what it says: credtray run"
    retry = Retry.PERSON
    exit_code = 3


class AgentSilent(CredtrayError):
    """The agent accepted the connection but did not answer in time."""

    code = "agent_silent"
    title = "The agent does not answer"
    hint = "Look at its log, or run: credtray restart"
    retry = Retry.LATER
    exit_code = 3


class AgentRefused(CredtrayError):
    """Its socket or pipe, the process behind it, or what leads there is not safe to use."""

    code = "agent_refused"
    title = "The agent cannot be reached safely"
    hint = "Fix the owner or the permissions of what the message names."
    retry = Retry.PERSON
    exit_code = 3


class ProtocolMismatch(CredtrayError):
    """The running agent speaks another version of the protocol."""

    code = "protocol_mismatch"
    title = "The running agent and this command are different versions"
    hint = "Run: credtray restart"
    retry = Retry.PERSON
    exit_code = 3


class BadFrame(CredtrayError):
    """An IPC frame was too long, not JSON, or not of a known shape."""

    code = "bad_frame"
    title = "A message between credtray and its agent was malformed"
    hint = "Use the same version on both sides."
    retry = Retry.PERSON


class TimedOut(CredtrayError):
    """There was no usable answer within the time the caller can wait."""

    code = "timed_out"
    title = "It took too long"
    hint = "Try again; `credtray status` shows what is going on."
    retry = Retry.LATER


# Errors of the desktop: something that you would see is missing. Refreshing never depends on these.


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


class LauncherRefused(CredtrayError):
    """The entry in the menu of applications could not be added or removed; nothing was changed."""

    code = "launcher_refused"
    title = "The application menu could not be changed"
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


# Errors about files of the user, and about addresses written in them.


class ConfigInvalid(CredtrayError):
    """The AWS config file cannot be read as botocore would read it; the last good state is kept."""

    code = "config_invalid"
    title = "The AWS config file cannot be read"
    hint = "Fix what the message names. Until then, the last good state is used."
    retry = Retry.PERSON


class IncompleteProfile(CredtrayError):
    """A profile or sso-session lacks a setting (or has two that contradict each other)."""

    code = "incomplete_profile"
    title = "The SSO settings are incomplete"
    hint = "Add the missing settings, or run `credtray setup`."
    retry = Retry.PERSON


class SettingsInvalid(CredtrayError):
    """settings.toml cannot be used; the last good settings stay in use."""

    code = "settings_invalid"
    title = "The settings file cannot be used"
    hint = "Fix that line. Until then, the last good settings are used."
    retry = Retry.PERSON
    keys: tuple[str, ...] = ()
    """Which setting is wrong, where the file as such can be read."""


class SettingLocked(CredtrayError):
    """The organisation sets this setting for everybody who uses the computer."""

    code = "setting_locked"
    title = "This setting is set by your organisation"
    hint = "Nothing was changed. Ask whoever looks after your computer. All it sets: `credtray doctor --all`"
    retry = Retry.PERSON


class SectionNotOurs(CredtrayError):
    """The section holds keys that credtray did not write."""

    code = "section_not_ours"
    title = "The section holds keys that credtray did not write"
    hint = "Choose another section name: `credtray activate PROFILE --section NAME`."
    retry = Retry.PERSON


class FileUnparsable(CredtrayError):
    """The file was already broken (botocore refuses all of it)."""

    code = "file_unparsable"
    title = "The credentials file cannot be parsed, so every AWS tool fails on it"
    hint = "Fix that line. credtray does not write to a broken file."
    retry = Retry.PERSON


class IniRefused(CredtrayError):
    """A name or value cannot be written to an AWS file so that every tool reads it back unchanged."""

    code = "ini_refused"
    title = "This cannot be written to an AWS file"
    hint = "Use plain names: letters, digits, and - _ . @ + : /"
    retry = Retry.PERSON


class FileRefused(CredtrayError):
    """The path leads somewhere credtray must not read or write (link cycle, unsafe directory, too large)."""

    code = "file_refused"
    title = "credtray will not use this file"
    hint = "Nothing was changed. Fix what the message names."
    retry = Retry.PERSON


class FileUnwritable(CredtrayError):
    """The system refused the write: read-only, no permission, disk full, I/O error."""

    code = "file_unwritable"
    title = "The file could not be written"
    hint = "Nothing was changed. Free some space or fix the permissions; the agent tries again."
    retry = Retry.LATER


class FileInUse(FileUnwritable):
    """Windows: another program has the file open, and lets nobody replace (or read) it meanwhile."""

    code = "file_in_use"
    title = "Another program has the file open"
    hint = "Nothing was changed. Close the file in the other program; the agent tries again."
    retry = Retry.LATER


class FileContended(CredtrayError):
    """Another program kept changing the file while credtray tried to write it."""

    code = "file_contended"
    title = "Another program keeps rewriting the file"
    hint = "credtray waits and tries again. If this continues, find the other program."
    retry = Retry.LATER


class CodingAgentRefused(CredtrayError):
    """A coding agent asked for keys that it may not have, or that nobody has let it have yet."""

    code = "coding_agent_refused"
    title = "A coding agent may not use this profile"
    hint = "Ask the person at this computer, who can allow it; do not try other ways to get keys."
    retry = Retry.PERSON


class NothingToUndo(CredtrayError):
    """There is no recorded change left to undo."""

    code = "nothing_to_undo"
    title = "There is nothing to undo"
    hint = "credtray has changed nothing since the last undo."
    retry = Retry.PERSON


class StartUrlRefused(CredtrayError):
    """credtray does not send a sign-in to this start URL."""

    code = "start_url_refused"
    title = "This start URL cannot be used"
    hint = "Use an https address of AWS, or a custom address that redirects to one."
    retry = Retry.PERSON


class RegionRefused(CredtrayError):
    """The region does not have the form of an AWS region."""

    code = "region_refused"
    title = "This is not an AWS region"
    hint = "Use a region name such as us-east-1."
    retry = Retry.PERSON


class AddressRefused(CredtrayError):
    """The portal named an address that credtray will not open in a browser."""

    code = "address_refused"
    title = "The sign-in address is not safe to open"
    hint = "It does not belong to AWS. Check the start URL with your administrator."
    retry = Retry.PERSON
