"""Errors of signing in."""

from __future__ import annotations

from credtray.core.errors.base import CredtrayError, Retry


class SignInRequired(CredtrayError):
    """There is no usable sign-in; somebody has to sign in."""

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
    title = "The sign-in timed out"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInCancelled(CredtrayError):
    """The sign-in was cancelled before it finished."""

    code = "sign_in_cancelled"
    title = "The sign-in was cancelled"
    hint = "Run `credtray login` to try again."
    retry = Retry.PERSON


class SignInUnconfirmed(CredtrayError):
    """A new sign-in would end one that has long to go, and nobody has agreed to that."""

    code = "sign_in_unconfirmed"
    title = "This would end your current sign-in"
    hint = "Run: credtray login --fresh"
    retry = Retry.PERSON


class ListenerUnavailable(CredtrayError):
    """No loopback port could be bound for the redirect of the sign-in."""

    code = "listener_unavailable"
    title = "The browser's answer cannot be received on this machine"
    hint = "Use `credtray login --device`."
    retry = Retry.PERSON
