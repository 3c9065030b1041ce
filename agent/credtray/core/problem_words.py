"""Problems in the words of somebody who only clicks: what happened, and what can be done about it. Pure.

A terminal shows a problem as it is: with its code, what a service answered, and the command that helps. Menu
and notices show these words instead, and a button where the terminal shows a command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from credtray.core import errors, protocol
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
from credtray.core.errors import (
    CaptivePortal,
    Offline,
    PortalUnauthorized,
    Problem,
    ProxyRefused,
    SignInCancelled,
    SignInRequired,
    SignInTimedOut,
    TokenRefused,
    TokenUnreadable,
    every_error,
)
from credtray.core.icon_state import STEPS, IconState, Shape, ring_steps
from credtray.core.notices import Notice, Subject
from credtray.core.ports import Button, Notification, Part
from credtray.core.state import State
from credtray.core.words import plain


class Step(Enum):
    """What a person can do next with one click."""

    SIGN_IN = "sign_in"
    ANOTHER_DEVICE = "another_device"
    """Sign in with a code, in a browser anywhere."""
    TRY_AGAIN = "try_again"
    AGREE = "agree"
    """End the present sign-in, knowing what that costs."""
    COPY_LINK = "copy_link"
    OTHER_SECTION = "other_section"
    """Keep the keys in a section that nobody uses yet."""
    OPEN_CONFIG = "open_config"
    OPEN_CREDENTIALS = "open_credentials"
    OPEN_SETTINGS = "open_settings"
    SHOW_LOG = "show_log"


@dataclass(frozen=True, slots=True)
class Said:
    """One kind of problem, for a person."""

    title: str
    """A sentence without its full stop. ``{it}`` stands for the profile or session."""
    body: str = ""
    steps: tuple[Step, ...] = (Step.TRY_AGAIN, Step.SHOW_LOG)
    """The first one is the likeliest to help."""


_AGAIN = (Step.TRY_AGAIN,)
_SIGN_IN = (Step.SIGN_IN,)
_CONFIG = (Step.OPEN_CONFIG, Step.TRY_AGAIN)
_SETTINGS = (Step.OPEN_SETTINGS, Step.TRY_AGAIN)
_SEEN_IN_LOG = "The log has the details."
_GONE = Said("{it} is no longer in the config file", "It was renamed or removed.", _CONFIG)

_SAID = {
    errors.CredtrayError.code: Said("Something went wrong", _SEEN_IN_LOG),
    errors.TimedOut.code: Said("It took too long", "It may still finish."),
    errors.UsageError.code: Said("This cannot be done now", _SEEN_IN_LOG),
    errors.UnknownProfile.code: _GONE,
    errors.UnknownSession.code: _GONE,
    errors.ForeignProfile.code: Said(
        "{it} is not an SSO profile", "It gets its keys in another way, so credtray leaves it alone.", _CONFIG
    ),
    errors.IncompleteProfile.code: Said("A setting is missing in the config file", "Add it.", _CONFIG),
    # --- the sign-in
    errors.SignInRequired.code: Said("You need to sign in first", "", _SIGN_IN),
    errors.OtherPerson.code: Said(
        "Another person is signed in to {it}",
        "Open credtray to keep this person, or sign in again.",
        (Step.SIGN_IN,),
    ),
    errors.TokenRefused.code: Said("Your sign-in has ended", "", _SIGN_IN),
    errors.PortalUnauthorized.code: Said("Your sign-in has ended", "AWS no longer accepts it.", _SIGN_IN),
    errors.TokenUnreadable.code: Said(
        "The saved sign-in cannot be read", "Signing in again replaces it.", _SIGN_IN
    ),
    errors.TokenMismatch.code: Said(
        "The saved sign-in belongs to another start URL or region", "Sign in with the new one.", _SIGN_IN
    ),
    errors.RegistrationRefused.code: Said(
        "AWS no longer knows this computer", "Sign in again to register it.", _SIGN_IN
    ),
    errors.SignInTooShort.code: Said("Your sign-in ends too early for this", "", _SIGN_IN),
    errors.SignInDenied.code: Said("The sign-in was denied", "", _AGAIN),
    errors.SignInTimedOut.code: Said("The sign-in timed out", "Nobody finished it in the browser.", _AGAIN),
    errors.SignInUnconfirmed.code: Said(
        "You are still signed in", "Keys in use keep working until they expire.", (Step.AGREE,)
    ),
    errors.SignInCancelled.code: Said("The sign-in was cancelled", "", _AGAIN),
    errors.ListenerUnavailable.code: Said(
        "Your browser cannot reach credtray on this computer",
        "Sign in with a code instead.",
        (Step.ANOTHER_DEVICE, Step.TRY_AGAIN),
    ),
    errors.AddressRefused.code: Said(
        "The sign-in page is not at an AWS address",
        "credtray did not open it. Check the start URL in the config file.",
        _CONFIG,
    ),
    errors.StartUrlRefused.code: Said("This is not an AWS access portal", "Check the start URL.", _CONFIG),
    errors.RegionRefused.code: Said("This is not an AWS region", "Check it in the config file.", _CONFIG),
    # --- AWS and the way there
    errors.RoleRefused.code: Said(
        "You have no access to {it}",
        "If you were given it just now, try again. Otherwise ask your administrator.",
        _AGAIN,
    ),
    errors.RequestRefused.code: Said(
        "AWS refused the request", "Check start URL, region and scopes in the config file.", _CONFIG
    ),
    errors.RegionNotAuthorised.code: Said(
        "This Region is not authorised yet",
        "Your Identity Center is in another one. Check the region in the config file.",
        _CONFIG,
    ),
    errors.Throttled.code: Said("AWS asks to slow down", "Wait a minute, then try again.", _AGAIN),
    errors.PortalFailed.code: Said(
        "AWS has an internal problem", "This usually passes. Try again in a few minutes.", _AGAIN
    ),
    errors.Offline.code: Said("AWS cannot be reached", "Check the network, VPN or proxy.", _AGAIN),
    errors.ProxyRefused.code: Said(
        "The proxy refused the connection", "It may need a user name and password.", _SETTINGS
    ),
    errors.CaptivePortal.code: Said(
        "This network needs its own sign-in first",
        "Open any web page, sign in there, then try again.",
        _AGAIN,
    ),
    errors.UnexpectedReply.code: Said("AWS gave an answer that credtray does not understand", "Try again."),
    errors.CertificateRefused.code: Said(
        "The certificate of AWS is not trusted on this computer",
        "A proxy that inspects traffic uses its own certificate. Name its file in the settings.",
        _SETTINGS,
    ),
    errors.ClockOff.code: Said(
        "The clock of this computer is wrong", "Set it; AWS refuses requests with a wrong time.", _AGAIN
    ),
    # --- files
    errors.ConfigInvalid.code: Said("The AWS config file cannot be read", "Fix it, then try again.", _CONFIG),
    errors.SettingsInvalid.code: Said("The settings cannot be used", "Fix them, then try again.", _SETTINGS),
    errors.SectionNotOurs.code: Said(
        "The credentials file has other keys for {it}",
        "They come from somewhere else, and are never overwritten.",
        (Step.OTHER_SECTION, Step.OPEN_CREDENTIALS),
    ),
    errors.FileUnparsable.code: Said(
        "The credentials file is broken, so every AWS tool fails",
        "Fix it, then try again.",
        (Step.OPEN_CREDENTIALS, Step.TRY_AGAIN),
    ),
    errors.IniRefused.code: Said("This name cannot be written to an AWS file", "Use a simpler one.", _CONFIG),
    errors.FileInUse.code: Said("Another program has the file open", "Nothing was changed."),
    errors.FileUnwritable.code: Said("The file could not be written", "Nothing was changed."),
    errors.FileRefused.code: Said("This file is not safe to write", "Nothing was changed."),
    # --- the desktop
    errors.ClipboardUnavailable.code: Said(
        "Nothing was copied", "There is no clipboard. On Wayland, install wl-clipboard.", _AGAIN
    ),
    errors.AutostartRefused.code: Said("Start at login could not be changed", "Nothing was changed."),
    errors.FileUnopened.code: Said(
        "No program on this computer opens this file", "Open it in an editor.", _AGAIN
    ),
    errors.BrowserUnopened.code: Said(
        "No browser could be opened",
        "Copy the link, and open it yourself.",
        (Step.COPY_LINK, Step.ANOTHER_DEVICE, Step.TRY_AGAIN),
    ),
    errors.BusCallFailed.code: Said("Another program did not answer", "It may be restarting.", _AGAIN),
    errors.ConsoleRefused.code: Said("The AWS console could not be opened", "", _AGAIN),
}

_TOLD_ALREADY = frozenset(
    {
        errors.SignInRequired.code,
        errors.TokenRefused.code,
        errors.PortalUnauthorized.code,
        errors.SignInTimedOut.code,
        errors.SignInCancelled.code,
        errors.RoleRefused.code,
        errors.BrowserUnopened.code,
    }
)
"""Their details say in other words what the title says, or are an address: a button copies that."""
_TITLES = {kind.code: kind.title for kind in reversed(every_error())}

_NO_WORDS_OF_OURS = re.compile(
    r"""
    `                               # a command
    | \bcredtray\ [a-z]             # a command as well
    | --[a-z]                       # an option of one
    | \b[Rr]un\b
    | \bHTTP\ ?\d | \b[1-5]\d\d\b   # a status
    | [^\W_]_[^\W_]                 # access_denied, AWS_CA_BUNDLE
    | [a-z][A-Z]\w*                 # InvalidGrantException
    | \b[A-Z]\w*(?:Exception|Error)\b
    | [{}<>|\\]
    """,
    re.VERBOSE,
)
_NAMES = re.compile(r"'[^']*'|\[[^\]]*\]|\S*/\S*")
"""Names and paths that a person gave: whatever is in them is no code."""
_LONGEST = 160


def said(problem: Problem) -> Said:
    """Return the words for a problem; those of its class where it has none of its own."""
    known = _SAID.get(problem.code)
    return known if known is not None else Said(_TITLES.get(problem.code, "It did not work"), _SEEN_IN_LOG)


def title(problem: Problem, it: str = "it") -> str:
    """Return what happened, in one line; ``it`` names the profile or session."""
    words = said(problem).title.replace("{it}", it)
    return words[:1].upper() + words[1:] if it == "it" else words


def details(problem: Problem) -> str:
    """Return what is said of this very case (a path, a line, an unreachable host), or an empty text.

    What a service or a program wrote for programmers is in the log, and left out here.
    """
    _, _, rest = problem.title.partition(": ")
    if problem.code == errors.UsageError.code:  # the only kind whose text has no title
        rest = problem.title.removeprefix(errors.UsageError.title)
    rest = rest.strip().rstrip(".")
    if not rest or problem.code in _TOLD_ALREADY or _NO_WORDS_OF_OURS.search(_NAMES.sub("", rest)):
        return ""
    return plain(rest, _LONGEST)


def line(problem: Problem, it: str = "it") -> str:
    """Return what happened with its details: ``The AWS config file cannot be read: line 7``."""
    told = details(problem)
    return f"{title(problem, it)}: {told}" if told else title(problem, it)


# Which picture stands beside a notice: the icon's own shapes, to be read at a glance. Pure.
#
# A tick means that something works, and nothing else does.


GOOD_NEWS = IconState(Shape.FRESH, STEPS)
"""Something was done."""
UNDER_WAY = IconState(Shape.SIGNING_IN, STEPS)
"""A sign-in waits for a person."""

_DAY = timedelta(hours=8)
"""Of work: a notice does not know how long its sign-in was, and what it warns of is little of any."""

_SHAPES = {
    Subject.ENDS_SOON: Shape.SOON,
    Subject.ENDED: Shape.ENDED,
    Subject.DELETED: Shape.SIGNED_OUT,
    Subject.SIGNED_IN: Shape.FRESH,
    Subject.END_UNMOVED: Shape.SOON,
    Subject.DAY_UNCOVERED: Shape.SOON,
    Subject.SIGN_IN_FAILED: Shape.TROUBLE,
    Subject.AWAITED: Shape.SOON,
    Subject.CANNOT_REFRESH: Shape.TROUBLE,
    Subject.OFFLINE: Shape.OFFLINE,
    Subject.ROLE_REFUSED: Shape.TROUBLE,
    Subject.SECTION_REFUSED: Shape.TROUBLE,
    Subject.CLOCK_OFF: Shape.TROUBLE,
    Subject.OTHER_PERSON: Shape.TROUBLE,
    Subject.PASTED_END_SOON: Shape.SOON,
    Subject.PASTED_ENDED: Shape.ENDED,
}
_OF_PROBLEMS = {
    Offline.code: Shape.OFFLINE,
    ProxyRefused.code: Shape.OFFLINE,
    CaptivePortal.code: Shape.OFFLINE,
    TokenRefused.code: Shape.ENDED,
    PortalUnauthorized.code: Shape.ENDED,
    SignInRequired.code: Shape.SIGNED_OUT,
    SignInTimedOut.code: Shape.SIGNED_OUT,
    SignInCancelled.code: Shape.SIGNED_OUT,
    TokenUnreadable.code: Shape.TROUBLE,
}


def picture(notice: Notice, now: datetime) -> IconState:
    """Return the look of the icon that a notice is about."""
    if notice.subject is Subject.AWAITED and notice.ends_at is None:
        return IconState(Shape.SIGNED_OUT)
    if notice.left is not None and notice.left.present_until is None:
        return IconState(Shape.ENDED)
    shape = _SHAPES[notice.subject]
    if shape is Shape.SOON:
        left = _DAY if notice.ends_at is None else notice.ends_at - now
        return IconState(shape, ring_steps(left, _DAY))
    return GOOD_NEWS if shape is Shape.FRESH else IconState(shape)


def problem_picture(code: str) -> IconState:
    """Return the look of the icon for the problem of that code; a triangle for what has none of its own."""
    return IconState(_OF_PROBLEMS.get(code, Shape.TROUBLE))


# What a click that failed is answered with: words without codes, and a button for the next step. Pure.


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


# What is missing of the desktop, in words for a person: no name of a part or of a protocol. Pure.


_MISSING = {
    Part.TRAY: "No tray icon: {reason}",
    Part.NOTIFICATIONS: "No notifications: {reason}",
    Part.PRESENCE: "Screen lock and sleep cannot be detected here; notices are always shown",
}


def missing_words(part: str, reason: str) -> str:
    """Tell that a part (by its name in ``status --json``) is not served here, and why."""
    return _MISSING.get(Part(part), "{reason}").replace("{reason}", reason)
