"""What a click that failed is answered with: words without codes, and a button for the next step. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from credtray.core import protocol
from credtray.core.clicks import (
    Click,
    CopyConsoleLink,
    CopySignInLink,
    OpenConfig,
    OpenConsole,
    OpenCredentials,
    OpenLog,
    OpenSettings,
)
from credtray.core.errors import Problem
from credtray.core.notice_pictures import problem_picture
from credtray.core.plain import plain
from credtray.core.ports import Button, Notification
from credtray.core.problem_words import Step, details, said, title
from credtray.core.state import State

MOST = 2
"""Buttons of one notice: more do not fit beside each other."""
FILES = {
    Step.OPEN_CONFIG: Button("Open config file", OpenConfig()),
    Step.OPEN_CREDENTIALS: Button("Open credentials file", OpenCredentials()),
    Step.OPEN_SETTINGS: Button("Open settings", OpenSettings()),
    Step.SHOW_LOG: Button("Show log", OpenLog()),
}
"""The steps that show a file."""


def answer(key: str, click: Click, problem: Problem, state: State) -> Notification:
    """Return the answer to a click that failed; there is always a button that does the next thing."""
    profile, session = _profile(click), session_of(click, state)
    words = said(problem)
    body = " ".join(part for part in (_reason(details(problem)), words.body) if part)
    buttons = [button for step in words.steps if (button := _button(step, click, profile, session))]
    return Notification(
        key,
        title(problem, plain(profile or session or "it")),
        body,
        tuple(buttons[:MOST]) or (FILES[Step.SHOW_LOG],),
        picture=problem_picture(problem.code),
    )


def _reason(found: str) -> str:
    if not found:
        return ""
    return f"Reason: {found}." if found[0].isalpha() else f"{found}."


def other_section(profile: str) -> Button:
    """Return the button that keeps a profile's keys in a section of which nobody else knows."""
    section = f"{profile}-credtray"
    return Button(f"Use section {plain(section, 24)}", protocol.Activate((profile,), section))


def session_of(click: Click, state: State) -> str | None:
    """Return the session that a click is about; None where it is about none, or nobody knows."""
    match click:
        case protocol.Login(session=str(name)) | protocol.CancelLogin(session=str(name)):
            return name
        case (
            protocol.Logout(session=str(name)) | protocol.Snooze(session=name) | CopySignInLink(session=name)
        ):
            return name
        case _:
            profile = state.profiles.get(_profile(click) or "")
            return _only(state) if profile is None else profile.profile.session


def _only(state: State) -> str | None:
    return next(iter(state.sessions)) if len(state.sessions) == 1 else None


def _profile(click: Any) -> str | None:
    """Return the profile that a click is about, if it is about one."""
    names = getattr(click, "profiles", None) or (getattr(click, "profile", None),)
    return names[0] if len(names) == 1 else None


def _otherwise(step: Step, click: protocol.Login) -> Button:
    if step is Step.AGREE:
        return Button("End it and sign in again", msgspec.structs.replace(click, agreed=True))
    return Button("Sign in on another device", msgspec.structs.replace(click, device=True))


def _button(step: Step, click: Click, profile: str | None, session: str | None) -> Button | None:
    match step:
        case Step.SIGN_IN if session is not None:
            return Button("Sign in", protocol.Login(session))
        case Step.ANOTHER_DEVICE | Step.AGREE if session is not None and isinstance(click, protocol.Login):
            return _otherwise(step, click)
        case Step.COPY_LINK if isinstance(click, OpenConsole):
            return Button("Copy link", CopyConsoleLink(click.profile))
        case Step.OTHER_SECTION if isinstance(click, protocol.Activate) and profile is not None:
            return other_section(profile)
        case Step.TRY_AGAIN | Step.SIGN_IN:
            return Button("Try again", click)
        case _:
            return FILES.get(step)
