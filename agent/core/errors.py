"""The one tree of errors: every error has a code, a title, a hint and says who can mend it.

Kept free of heavy imports. No text in here, and no detail given to an error, may contain a secret.
The reference page docs/reference/errors.md is generated from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Retry(Enum):
    """Who can mend an error."""

    LATER = "later"
    """It may pass by itself: try again, with backoff."""
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
    """Seconds the service asked to be left alone, where it did."""


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


# --- what a person typed -----------------------------------------------------------------------------


class UsageError(CredtrayError):
    """A command was given words that do not fit together."""

    code = "usage"
    title = "The command does not fit"
    hint = "Add --help to see examples."
    retry = Retry.PERSON
    exit_code = 2


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


# --- files of the user -------------------------------------------------------------------------------


class ConfigInvalid(CredtrayError):
    """The AWS config file cannot be read as botocore would read it; the last good state is kept."""

    code = "config_invalid"
    title = "The AWS config file cannot be read"
    hint = "Mend the line named; until then the last good state is used."
    retry = Retry.PERSON


class IncompleteProfile(CredtrayError):
    """A profile or sso-session lacks a setting (or has two that contradict each other)."""

    code = "incomplete_profile"
    title = "The sso settings are not complete"
    hint = "Add the missing settings, or run `credtray setup`."
    retry = Retry.PERSON


class SettingsInvalid(CredtrayError):
    """settings.toml cannot be used; the last good one is kept."""

    code = "settings_invalid"
    title = "The settings file cannot be used"
    hint = "Mend the line named; until then the last good settings are used."
    retry = Retry.PERSON


class SectionNotOurs(CredtrayError):
    """The section holds keys that credtray did not write."""

    code = "section_not_ours"
    title = "The section holds keys that credtray did not write"
    hint = "Give another section name: `credtray activate PROFILE --section NAME`."
    retry = Retry.PERSON


class FileUnparsable(CredtrayError):
    """The file was already broken before we came (botocore refuses it as a whole)."""

    code = "file_unparsable"
    title = "The credentials file cannot be parsed, so every AWS tool fails on it"
    hint = "Mend the line named; credtray does not write into a broken file."
    retry = Retry.PERSON


class IniRefused(CredtrayError):
    """A name or value cannot be written into an AWS file so that every tool reads it back as it was meant."""

    code = "ini_refused"
    title = "This cannot be written into an AWS file"
    hint = "Use plain names: letters, digits, and - _ . @ + : /"
    retry = Retry.PERSON


class FileRefused(CredtrayError):
    """The path leads somewhere credtray must not write (link cycle, dangling link, unsafe directory)."""

    code = "file_refused"
    title = "credtray will not write this file"
    hint = "Mend what the message names; nothing was changed."
    retry = Retry.PERSON


class FileUnwritable(CredtrayError):
    """The system refused the write: read-only, no permission, disk full, I/O error."""

    code = "file_unwritable"
    title = "The file could not be written"
    hint = "Nothing was changed; it is tried again by itself."
    retry = Retry.LATER


class FileContended(CredtrayError):
    """Another program kept changing the file while we tried to write."""

    code = "file_contended"
    title = "Another program keeps rewriting the file"
    hint = "credtray backs off and tries again; find the other writer if this stays."
    retry = Retry.LATER


class NothingToUndo(CredtrayError):
    """There is no recorded change left to take back."""

    code = "nothing_to_undo"
    title = "There is nothing to undo"
    hint = "credtray has changed nothing since the last undo."
    retry = Retry.PERSON


# --- addresses ---------------------------------------------------------------------------------------


class StartUrlRefused(CredtrayError):
    """The start URL is not one a sign-in may be sent to."""

    code = "start_url_refused"
    title = "The start URL is refused"
    hint = "It must be https and belong to AWS, or be a vanity URL that redirects there."
    retry = Retry.PERSON


class RegionRefused(CredtrayError):
    """The region does not have the form of an AWS region."""

    code = "region_refused"
    title = "The region is refused"
    hint = "Use a region name such as us-east-1."
    retry = Retry.PERSON


class AddressRefused(CredtrayError):
    """The portal named an address that credtray will not open in a browser."""

    code = "address_refused"
    title = "The sign-in address is refused"
    hint = "The address does not belong to AWS. Check the start URL with your administrator."
    retry = Retry.PERSON


# --- signing in --------------------------------------------------------------------------------------


class SignInRequired(CredtrayError):
    """There is no usable sign-in; only a person can mend that."""

    code = "sign_in_required"
    title = "A sign-in is needed"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class SignInDenied(CredtrayError):
    """The person or the identity provider said no."""

    code = "sign_in_denied"
    title = "The sign-in was denied"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInTimedOut(CredtrayError):
    """Nobody finished the sign-in within its time limit."""

    code = "sign_in_timed_out"
    title = "The sign-in was not finished in time"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInCancelled(CredtrayError):
    """The sign-in was cancelled before it finished."""

    code = "sign_in_cancelled"
    title = "The sign-in was cancelled"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class ListenerUnavailable(CredtrayError):
    """No loopback port could be bound for the redirect of the sign-in."""

    code = "listener_unavailable"
    title = "The browser's answer cannot be received on this machine"
    hint = "Use `credtray login --device`."
    retry = Retry.PERSON


# --- Identity Center ---------------------------------------------------------------------------------


class TokenRefused(CredtrayError):
    """The token service refused the grant (InvalidGrant, ExpiredToken)."""

    code = "token_refused"
    title = "The sign-in has ended"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class TokenUnreadable(CredtrayError):
    """The token cache file exists but holds no usable token just now."""

    code = "token_unreadable"
    title = "The token cache file cannot be read"
    hint = "It is left as it is and read again; `credtray login` writes a new one."
    retry = Retry.LATER


class TokenMismatch(TokenUnreadable):
    """The token cache file holds a token of another start URL or region: the config file was changed."""

    code = "token_mismatch"
    title = "The saved sign-in belongs to another start URL or region"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class RegistrationRefused(CredtrayError):
    """The client registration is no longer accepted (InvalidClient)."""

    code = "registration_refused"
    title = "The client registration is no longer accepted"
    hint = "A new one is made at the next sign-in."
    retry = Retry.PERSON


class PortalUnauthorized(CredtrayError):
    """The portal answered 401: the access token is not accepted."""

    code = "portal_unauthorized"
    title = "The portal does not accept the sign-in any more"
    hint = "Run: credtray login"
    retry = Retry.PERSON


class RoleRefused(CredtrayError):
    """The portal answered 403: no access to this account and role."""

    code = "role_refused"
    title = "The role is not assigned to you (any more)"
    hint = "Ask your administrator, or run `credtray setup` to see the roles you have."
    retry = Retry.LATER


class RequestRefused(CredtrayError):
    """The service refused a request as invalid: usually a wrong region or start URL (InvalidRequest)."""

    code = "request_refused"
    title = "The service refused the request"
    hint = "Check the start URL, the region and the scopes of the sso-session in the config file."
    retry = Retry.PERSON


class Throttled(CredtrayError):
    """The portal answered 429."""

    code = "throttled"
    title = "The portal asks to slow down"
    hint = "It is tried again by itself, more slowly."
    retry = Retry.LATER

    def __init__(
        self, detail: str = "", *, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after
        """Seconds the service asked for in its Retry-After header; None when it named none."""


class PortalFailed(CredtrayError):
    """The portal answered 5xx."""

    code = "portal_failed"
    title = "The portal has an internal problem"
    hint = "It is tried again by itself."
    retry = Retry.LATER


class Offline(CredtrayError):
    """No connection could be made, or it broke."""

    code = "offline"
    title = "The portal cannot be reached"
    hint = "Check the network, the VPN or the proxy; it is tried again by itself."
    retry = Retry.LATER


class CaptivePortal(CredtrayError):
    """A 200 that is not the portal's JSON: something in between answers for it."""

    code = "captive_portal"
    title = "The network answers instead of the portal"
    hint = "The network probably wants its own sign-in (hotel, train, guest Wi-Fi)."
    retry = Retry.LATER


class UnexpectedReply(CredtrayError):
    """The portal's answer has the wrong shape; the old state is kept."""

    code = "unexpected_reply"
    title = "The portal's answer has the wrong shape"
    hint = "Nothing was changed; it is tried again by itself."
    retry = Retry.LATER


class CertificateRefused(CredtrayError):
    """TLS verification failed."""

    code = "certificate_refused"
    title = "The portal's certificate is not trusted"
    hint = "Behind a TLS inspecting proxy set ca_bundle in the config file or AWS_CA_BUNDLE."
    retry = Retry.LATER


class ClockOff(CredtrayError):
    """The portal's clock and ours differ by more than five minutes."""

    code = "clock_off"
    title = "This computer's clock is wrong"
    hint = "Set the clock (time synchronisation on); AWS refuses requests with a wrong time."
    retry = Retry.LATER


# --- the agent itself --------------------------------------------------------------------------------


class AgentNotRunning(CredtrayError):
    """Nobody listens on the agent's socket."""

    code = "agent_not_running"
    title = "The agent is not running"
    hint = "Start it with: credtray run"
    retry = Retry.PERSON
    exit_code = 3


class AgentSilent(CredtrayError):
    """The agent accepted the connection but did not answer in time."""

    code = "agent_silent"
    title = "The agent does not answer"
    hint = "Look at its log, or restart it: `credtray stop`, `credtray run`."
    retry = Retry.LATER
    exit_code = 3


class AgentRefused(CredtrayError):
    """The socket is not ours, or the peer is somebody else."""

    code = "agent_refused"
    title = "The agent's socket is not safe to use"
    hint = "Mend the owner or the mode of the directory named."
    retry = Retry.PERSON
    exit_code = 3


class ProtocolMismatch(CredtrayError):
    """The running agent speaks another version of the protocol."""

    code = "protocol_mismatch"
    title = "The running agent is of another version"
    hint = "Restart it: `credtray stop`, then `credtray run`."
    retry = Retry.PERSON
    exit_code = 3


class BadFrame(CredtrayError):
    """An IPC frame was too long, not JSON, or not of a known shape."""

    code = "bad_frame"
    title = "A message between credtray and its agent was malformed"
    hint = "Use the same version on both sides."
    retry = Retry.PERSON


class TimedOut(CredtrayError):
    """Nothing usable came within the time the caller can wait."""

    code = "timed_out"
    title = "It took too long"
    hint = "Try again; `credtray status` tells what is going on."
    retry = Retry.LATER


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
