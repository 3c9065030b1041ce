"""Errors of handing credentials out: the endpoint, child processes, waiting, pasted keys, the console."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry


class EndpointUnavailable(CredtrayError):
    """The local credentials endpoint cannot be opened, or its token file cannot be written."""

    code = "endpoint_unavailable"
    title = "The local credentials endpoint is not available"
    hint = "`credtray exec --env` and `credtray env` work without it."


class EndpointRefused(CredtrayError):
    """A request to the local credentials endpoint is not one that an SDK would send."""

    code = "endpoint_refused"
    title = "The credentials endpoint refuses this request"
    hint = "Use the variables that `credtray endpoint PROFILE` prints. Web pages and proxies are refused."
    retry = Retry.PERSON


class EndpointTokenRefused(CredtrayError):
    """The token sent to the local credentials endpoint is not one for this profile."""

    code = "endpoint_token_refused"
    title = "The token is not accepted for this profile"
    hint = "Run `credtray endpoint PROFILE` again. Programs must read the token file at each request."
    retry = Retry.PERSON


class EndpointTokenMissing(CredtrayError):
    """A request to the local credentials endpoint had no token: its program does not read the file."""

    code = "endpoint_token_missing"
    title = "The program sent no token"
    hint = "Update it, or for older programs run: credtray exec PROFILE --env -- COMMAND"
    retry = Retry.PERSON


class SignInTooShort(CredtrayError):
    """The present sign-in ends before the credentials may."""

    code = "sign_in_too_short"
    title = "The sign-in ends too early"
    hint = "Run: credtray login --fresh"
    retry = Retry.PERSON
    exit_code = 5


class KeysTooShort(CredtrayError):
    """The role does not allow keys that last that long, whatever the sign-in."""

    code = "keys_too_short"
    title = "Keys for this role never last that long"
    hint = "Let the program fetch new keys itself: `credtray exec` without --env, or credential_process."
    retry = Retry.PERSON
    exit_code = 5


class NotInTime(CredtrayError):
    """What the command waits for did not happen in time."""

    code = "not_in_time"
    title = "The wait timed out"
    hint = "Give it more time with --timeout, or sign in: credtray login"
    exit_code = 6


class CommandNotFound(CredtrayError):
    """The program to run does not exist."""

    code = "command_not_found"
    title = "The command was not found"
    hint = "Check its name, or give its whole path."
    retry = Retry.PERSON
    exit_code = 127


class CommandRefused(CredtrayError):
    """The program to run exists but cannot be started."""

    code = "command_refused"
    title = "The command cannot be started"
    hint = "Check that it is a program you may run."
    retry = Retry.PERSON
    exit_code = 126


class PasteRefused(CredtrayError):
    """The pasted text does not contain a complete set of temporary keys."""

    code = "paste_refused"
    title = "These are not role credentials"
    hint = "Copy the whole block from the access portal: Access keys, option 1 or 2."
    retry = Retry.PERSON


class KeysRefused(CredtrayError):
    """AWS does not accept the pasted keys, or they belong to somebody else."""

    code = "keys_refused"
    title = "These keys cannot be used"
    hint = "They may have expired. Copy them again from the access portal."
    retry = Retry.PERSON


class ConsoleRefused(CredtrayError):
    """The console's federation endpoint did not return a sign-in token."""

    code = "console_refused"
    title = "The AWS console could not be opened"
    hint = "Try the access portal: credtray console PROFILE --portal"


class RepairRefused(CredtrayError):
    """The repair does not apply to the current state; nothing was changed."""

    code = "repair_refused"
    title = "This cannot be repaired automatically"
    hint = "Run `credtray doctor` again; it says what you can do by hand."
    retry = Retry.PERSON


class FormRefused(CredtrayError):
    """A value cannot be written for that shell or kind of file."""

    code = "form_refused"
    title = "This cannot be written in that form"
    hint = "Choose another form with --shell."
    retry = Retry.PERSON
