"""What `credtray profiles --for-automation` explains: why a person's keys do not fit jobs, and what does.

Words only; the lengths come from the status document.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from textwrap import wrap
from typing import Any

from credtray.core.durations import short
from credtray.core.protocol.results import SessionStatus, StatusDocument
from credtray.core.words import argument, with_options

_WIDTH = 88

INSTEAD = (
    ("A program on EC2", "an instance profile: a role of the machine"),
    ("A container on ECS or Fargate", "a task role"),
    ("A pod on EKS", "EKS Pod Identity, or IAM roles for service accounts"),
    ("A function", "its Lambda execution role"),
    (
        "CI such as GitHub Actions or GitLab",
        "OIDC federation: a role that trusts the CI's tokens, without any stored key",
    ),
    ("A server outside AWS", "IAM Roles Anywhere: a role for the holder of a certificate"),
)
"""(where it runs, what to use instead). All of them renew their keys without a person."""

JOBS = (
    ("wait until the keys last long enough, then begin", "credtray wait {waited}"),
    ("run a program whose keys are renewed while you are signed in", "credtray exec {run} -- COMMAND"),
)
"""For a job of a person who is there: (what, command)."""


def lines(document: StatusDocument) -> Iterator[str]:
    """Yield the explanation for a terminal."""
    yield "None of these profiles fits a job that runs without you."
    yield ""
    for paragraph in why(document):
        yield from wrap(paragraph, _WIDTH)
    yield ""
    yield "Use a role for the job itself, which needs nobody to sign in."
    width = max(len(where) for where, _ in INSTEAD)
    for where, use in INSTEAD:
        yield f"  {where:{width}}  {use}"
    yield from wrap(
        "Give that role only the permissions the job needs, and ask your AWS administrator to create it.",
        _WIDTH,
    )
    yield ""
    yield "For your own jobs, while you are signed in:"
    for what, command in commands(document):
        yield f"  {command:{_longest(document)}}  {what}"


def why(document: StatusDocument) -> list[str]:
    """Return the reasons, with the lengths of the sessions that are there."""
    told = "".join(f" {_length(*each)}" for each in _sessions(document))
    end = (
        f"Their keys belong to a person's sign-in and end with it.{told} Only a person in a browser renews a "
        "sign-in, so a job fails at the first end after you have left: at night, at a weekend, on holiday."
    )
    name = "It also acts in your name and with your rights, and stops working when you leave."
    return [end, name]


def _sessions(document: StatusDocument) -> list[tuple[SessionStatus, int]]:
    """Return the sessions whose length is known, each with it: an older agent reports none."""
    found = ((session, session.sign_in_seconds) for session in document.sessions)
    return [(session, seconds) for session, seconds in found if seconds is not None]


def _length(session: SessionStatus, seconds: int) -> str:
    lasts = short(timedelta(seconds=seconds))
    if session.sign_in_length_is_learned:
        return f"The last sign-in of {session.name} lasted {lasts}."
    return f"A sign-in of {session.name} is expected to last {lasts}."


def commands(document: StatusDocument) -> list[tuple[str, str]]:
    """Return (what, command) with a profile that is there."""
    names = [item.name for item in document.profiles if item.active] or ["PROFILE"]
    waited, run = with_options(names[0], "--for", "2h"), argument(names[0])
    return [(what, command.format(waited=waited, run=run)) for what, command in JOBS]


def _longest(document: StatusDocument) -> int:
    return max(len(command) for _, command in commands(document))


def document(status: StatusDocument) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "version": status.version,
        "fits": False,
        "why": why(status),
        "sessions": [
            {
                "name": session.name,
                "sign_in_seconds": seconds,
                "learned": session.sign_in_length_is_learned,
                "renews_without_a_person": False,
            }
            for session, seconds in _sessions(status)
        ],
        "instead": [{"where": where, "use": use} for where, use in INSTEAD],
        "while_signed_in": [{"what": what, "command": command} for what, command in commands(status)],
    }
