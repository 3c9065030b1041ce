"""Errors about what a person typed."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry


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
