"""What a form of the page asks for: one of the requests that commands make, and nothing else. Pure.

Nothing can be done on the page that a command cannot do: here is the whole list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from credtray.core import protocol
from credtray.core.errors import Problem, UsageError
from credtray.core.forms import Form
from credtray.core.protocol.results import (
    AgentAnswered,
    CancelResult,
    ChoiceResult,
    CopyResult,
    ErrorEntry,
    KeepResult,
    LoginResult,
    LogoutResult,
    PauseResult,
    UndoResult,
)
from credtray.core.state_words import Choice, chosen_words, name_list
from credtray.core.words import plain

Fields = Mapping[str, tuple[str, ...]]
_YES = "yes"


@dataclass(frozen=True, slots=True)
class Message:
    """What came of it, for the person who pressed the button."""

    title: str
    text: str = ""
    good: bool = True
    shown: bool = True
    """False: the view shows it already, so it is only read aloud."""

    @classmethod
    def of(cls, problem: Problem) -> Message:
        """Return what tells of a failure."""
        return cls(problem.title, problem.hint, good=False)


def request_of(action: str, fields: Fields, now: datetime) -> protocol.Asks[Any]:
    """Return what a form asks for.

    Raises:
        UsageError: there is no such action, or a field is missing.
    """
    make = _ACTIONS.get(action)
    if make is None:
        raise out_of_date()
    return make(fields, now)


def out_of_date() -> UsageError:
    """Return the error for a form that no view of this agent has now."""
    return UsageError("This page is out of date", hint="Reload the page.")


def one(fields: Fields, name: str) -> str:
    """Return the one value of a field.

    Raises:
        UsageError: it is missing, empty, or there twice.
    """
    values = fields.get(name, ())
    if len(values) != 1 or not values[0]:
        raise out_of_date()
    return values[0]


def _said(fields: Fields, name: str) -> bool:
    return fields.get(name) == (_YES,)


def _sign_in(fields: Fields, _now: datetime) -> protocol.Login:
    return protocol.Login(
        one(fields, "session"),
        fresh=_said(fields, "fresh"),
        device=_said(fields, "device"),
        agreed=_said(fields, "agreed"),
        clean=_said(fields, "clean"),
    )


def _answer_agent(fields: Fields, _now: datetime) -> protocol.AnswerAgent:
    pid = one(fields, "pid")
    if not (pid.isascii() and pid.isdecimal()):
        raise out_of_date()
    return protocol.AnswerAgent(
        one(fields, "profile"), _said(fields, "allow"), _said(fields, "until-end"), int(pid)
    )


COPIES: Mapping[str, str] = MappingProxyType(
    {
        Form.POSIX.value: "bash, zsh",
        Form.POWERSHELL.value: "PowerShell",
        Form.FISH.value: "fish",
        Form.SECTION.value: "credentials file",
        Form.DOTENV.value: ".env file",
    }
)
"""Form in which keys are copied, and what it is called."""


def _copy(form: Form) -> Callable[[Fields, datetime], protocol.Copy]:
    return lambda fields, _: protocol.Copy(one(fields, "profile"), form)


_ACTIONS: Mapping[str, Callable[[Fields, datetime], protocol.Asks[Any]]] = MappingProxyType(
    {
        "sign-in": _sign_in,
        "keep-person": lambda fields, _: protocol.KeepPerson(one(fields, "session"), one(fields, "person")),
        "answer-agent": _answer_agent,
        "cancel-sign-in": lambda fields, _: protocol.CancelLogin(one(fields, "session")),
        "sign-out": lambda fields, _: protocol.Logout(one(fields, "session")),
        "switch": lambda fields, _: protocol.Switch(one(fields, "profile")),
        "no-default": lambda _fields, _now: protocol.Switch(None),
        "activate": lambda fields, _: protocol.Activate((one(fields, "profile"),)),
        "deactivate": lambda fields, _: protocol.Deactivate((one(fields, "profile"),)),
        **{f"copy-{form}": _copy(Form(form)) for form in COPIES},
        "pause-notices": lambda _fields, now: protocol.PauseNotices(now + timedelta(hours=1)),
        "resume-notices": lambda _fields, _now: protocol.PauseNotices(None),
        "undo": lambda _fields, _now: protocol.Undo(),
    }
)


# --- what came of it -------------------------------------------------------------------------------------


def outcome(request: protocol.Asks[Any], result: object) -> Message:
    """Tell what came of a request that was carried out."""
    tell = _TOLD.get(type(result))
    return Message("Done") if tell is None else tell(request, result)


def _signed_in(_request: object, result: LoginResult) -> Message:
    if result.other_person:
        return _failure(result.session, result.other_person)
    return Message(
        f"{plain(result.session)}: {'you are signed in already' if result.already else 'signed in'}"
    )


def _cancelled(_request: object, result: CancelResult) -> Message:
    title = "Sign-in cancelled" if result.cancelled else "There was no sign-in to cancel"
    return Message(title, f"Still valid: {result.still_valid}." if result.still_valid else "")


def _copied(_request: object, result: CopyResult) -> Message:
    title = f"Keys for {plain(result.profile)} copied"
    return Message(title, f"The clipboard is cleared in {result.seconds:.0f} s.")


def _chosen(request: Choice, result: ChoiceResult) -> Message:
    for name, entry in result.reasons.items():
        return _failure(name, entry)
    if result.credentials_file is not None:
        return Message(result.credentials_file.text, result.credentials_file.hint, good=False)
    shadowed = result.shadowed_default if isinstance(request, protocol.Switch) else None
    text = f"But not for every program: {shadowed}." if shadowed else ""
    return Message(chosen_words(request), text, good=not shadowed)


def _failure(name: str, entry: ErrorEntry) -> Message:
    return Message(f"{plain(name)}: {entry.text}", entry.hint, good=False)


def _names(names: tuple[str, ...]) -> str:
    return name_list(tuple(plain(name) for name in names))


def _undone(_request: object, result: UndoResult) -> Message:
    restored = (*result.credentials.restored, *result.profiles.restored)
    skipped = {**result.credentials.skipped, **result.profiles.skipped}
    title = f"Restored: {_names(restored)}" if restored else "Nothing was restored"
    left = "; ".join(f"{plain(name)}: {why}" for name, why in list(skipped.items())[:3])
    return Message(title, f"Left as it is: {left}" if left else "", good=not skipped)


def _answered(_request: object, result: AgentAnswered) -> Message:
    profile = plain(result.profile)
    if not result.agents:
        return Message("It has been answered already", "The question is gone, or somebody else answered it.")
    return Message(f"{_names(result.agents)} {'may' if result.allowed else 'may not'} use {profile}")


_TOLD: Mapping[type, Callable[[Any, Any], Message]] = MappingProxyType(
    {
        ChoiceResult: _chosen,
        LoginResult: _signed_in,
        KeepResult: lambda _, result: Message(
            f"Keys of {plain(result.session)} are given to {plain(result.person)} from now on"
        ),
        LogoutResult: lambda _, result: Message(f"Signed out of {plain(result.session)}"),
        CancelResult: _cancelled,
        CopyResult: _copied,
        PauseResult: lambda _, result: Message(
            "Notices are paused for an hour" if result.until else "Notices are shown again"
        ),
        UndoResult: _undone,
        AgentAnswered: _answered,
    }
)
