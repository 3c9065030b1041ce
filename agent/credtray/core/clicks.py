"""What a person can ask for with one click: requests of the commands, and what only a desktop has. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from credtray.core import protocol
from credtray.core.forms import Form


@dataclass(frozen=True, slots=True)
class CopyCredentials:
    """Put a profile's role credentials on the clipboard, for 45 s."""

    profile: str
    form: Form


@dataclass(frozen=True, slots=True)
class FetchKeys:
    """Ask AWS for a profile's role credentials once more, without waiting for the next try."""

    profile: str


@dataclass(frozen=True, slots=True)
class CopySignInLink:
    """Put the address of the pending sign-in on the clipboard."""

    session: str


@dataclass(frozen=True, slots=True)
class OpenConsole:
    """Open the profile's role in the AWS console, through the access portal: no keys in the address."""

    profile: str


@dataclass(frozen=True, slots=True)
class CopyConsoleLink:
    """Put the address that ``OpenConsole`` opens on the clipboard."""

    profile: str


@dataclass(frozen=True, slots=True)
class CopySetupCommand:
    """Put the command that sets everything up on the clipboard: it asks questions, so it needs a terminal."""


@dataclass(frozen=True, slots=True)
class SetAutostart:
    """Start with the desktop session from now on, or no longer."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class OpenSettings:
    """Open settings.toml in the program that edits text here; it is created when there is none."""


@dataclass(frozen=True, slots=True)
class OpenConfig:
    """Open the AWS config file in the same program."""


@dataclass(frozen=True, slots=True)
class OpenCredentials:
    """Open the credentials file in the same program."""


@dataclass(frozen=True, slots=True)
class OpenLog:
    """Open the agent's log."""


@dataclass(frozen=True, slots=True)
class ShowTestNotice:
    """Show a notice that is about nothing, to see whether notices are seen here."""


@dataclass(frozen=True, slots=True)
class About:
    """Tell name, version and where things are."""


@dataclass(frozen=True, slots=True)
class Restart:
    """End the agent and start the one that is installed now."""


@dataclass(frozen=True, slots=True)
class ShowSession:
    """Tell more of a session than its line in the menu does."""

    session: str


@dataclass(frozen=True, slots=True)
class StopSharing:
    """End what `credtray share` does with this profile and this machine."""

    host: str
    profile: str


@dataclass(frozen=True, slots=True)
class ShowPage:
    """Open the page in the browser: what a menu cannot show."""

    view: str = ""
    """Which one, below the page's own path."""


@dataclass(frozen=True, slots=True)
class HideRoles:
    """Say nothing more of the new roles that a person was told of; they can be added all the same."""

    session: str


Click = (
    protocol.Login
    | protocol.KeepPerson
    | protocol.CancelLogin
    | protocol.Logout
    | protocol.Activate
    | protocol.Deactivate
    | protocol.Switch
    | protocol.Snooze
    | protocol.PauseNotices
    | protocol.AnswerAgent
    | protocol.Stop
    | CopyCredentials
    | FetchKeys
    | CopySignInLink
    | OpenConsole
    | CopyConsoleLink
    | CopySetupCommand
    | SetAutostart
    | OpenSettings
    | OpenConfig
    | OpenCredentials
    | OpenLog
    | ShowTestNotice
    | About
    | Restart
    | ShowSession
    | StopSharing
    | ShowPage
    | HideRoles
)
