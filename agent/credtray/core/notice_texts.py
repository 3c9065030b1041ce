"""Notices in words: title, body, buttons, and what to type where nothing can be pressed. Pure.

Decides nothing: whether a notice is due is in ``notices``. Every foreign name in it went through ``plain``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from credtray.core import protocol
from credtray.core.clicks import Click, FetchKeys
from credtray.core.errors import (
    CredtrayError,
    Problem,
    ProfileRefused,
    RoleRefused,
    SectionNotOurs,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
)
from credtray.core.notices import Notice, Subject
from credtray.core.ports import Button, Notification, Urgency
from credtray.core.problem_words import FILES, Step, line, other_section, picture, said
from credtray.core.shell_words import argument, with_options, word
from credtray.core.state_words import clock_time, left_words, name_list
from credtray.core.summary import PendingSummary
from credtray.core.words import plain, short

REMIND_MINUTES = 10
"""After which "Remind me" tells how things stand then; half of what is left, when that is less."""
LEAST_MINUTES = 2

_STAYING = frozenset(
    {Subject.ENDED, Subject.DELETED, Subject.SIGN_IN_FAILED, Subject.AWAITED, Subject.PASTED_ENDED}
    | {Subject.OTHER_PERSON}
)
"""Nothing happens before a person acts: whoever comes back to the desk has to find it there."""
_MOST_NAMES = 2
_LONGEST_NAME = 24
"""Of a person, on a button."""
_LONGEST_TEXT = 400
"""Of a title or a body; a problem may quote what somebody else wrote."""


@dataclass(frozen=True, slots=True)
class Words:
    """A notice as a person reads it."""

    title: str
    body: str
    buttons: tuple[Button, ...] = ()


def notification(notice: Notice, now: datetime, zone: tzinfo | None) -> Notification:
    """Return a notice ready to be shown."""
    words = notice_words(notice, now, zone)
    # Never critical, which some desktops show over everything: even at the end keys in use go on working.
    urgency = Urgency.LOW if notice.subject is Subject.SIGNED_IN else Urgency.NORMAL
    return Notification(
        notice.key,
        words.title,
        words.body,
        words.buttons,
        urgency,
        picture(notice, now),
        stays=notice.subject in _STAYING,
        to_be_chosen=notice.subject is Subject.OTHER_PERSON,
    )


def notice_words(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    """Return title, body and buttons of a notice; one line each, nothing invisible in them."""
    words = _WORDS[notice.subject](notice, now, zone)
    body = plain(words.body, _LONGEST_TEXT) if words.body else ""
    return Words(plain(words.title, _LONGEST_TEXT), body, words.buttons)


def what_to_type(notification: Notification) -> str:
    """Return what to type instead of pressing the first button: ``Sign in: credtray login corp``.

    For the terminal and the log, where nothing can be pressed; empty where there is nothing to do.
    """
    for button in notification.buttons:
        command = _command(button.click)
        if command:
            return f"{button.label}: {command}"
    return ""


def _command(click: Click) -> str:
    match click:
        case protocol.Login(session=str(session), fresh=fresh, clean=clean):
            options = (*fresh * ("--fresh",), *clean * ("--clean-browser",))
            return f"credtray login {with_options(session, *options)}"
        case protocol.KeepPerson(session=str(session)):
            return f"credtray login {with_options(session, '--keep')}"
        case protocol.Activate(profiles=(profile,), section=str(section)):
            return f"credtray activate {with_options(profile, '--section', word(section))}"
        case FetchKeys(profile=profile) | protocol.AnswerAgent(profile=profile, allow=True):
            verb = "activate" if isinstance(click, FetchKeys) else "allow"
            return f"credtray {verb} {argument(profile)}"
        case protocol.Snooze(session=session, minutes=minutes):
            return f"credtray pause {minutes}m {argument(session)}"
        case _:
            return ""


# --- the sign-in -------------------------------------------------------------------------------------


def _ends_soon(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    ends_at = notice.ends_at or now
    about = "about " if notice.about else ""
    why = "" if notice.problem is None else "AWS refuses to renew it. "
    return Words(
        f"{_session(notice)}: sign-in ends in about {short(_whole_minutes(ends_at - now))}",
        f"{why}Ends at {about}{clock_time(ends_at, now, zone)}. "
        "You can sign in again without interrupting running programs.",
        (_sign_in(notice), *_remind(notice, ends_at - now)),
    )


def _day_uncovered(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    about = "about " if notice.about else ""
    ends, until = (clock_time(each or now, now, zone) for each in (notice.ends_at, notice.day_until))
    return Words(
        f"{_session(notice)}: sign in now for the whole day?",
        f"The current sign-in ends at {about}{ends}. A new one lasts until your working day ends at {until}. "
        "Running programs are not interrupted.",
        (Button("Sign in", protocol.Login(notice.session, fresh=True)),),
    )


def _remind(notice: Notice, left: timedelta) -> tuple[Button, ...]:
    """Return the button that tells it once more, early enough to sign in then; none when it is not."""
    minutes = min(REMIND_MINUTES, int(left / timedelta(minutes=2)))
    if minutes < LEAST_MINUTES:
        return ()
    return (Button(f"Remind me in {minutes} min", protocol.Snooze(notice.session, minutes)),)


def _whole_minutes(left: timedelta) -> timedelta:
    """Round to the nearest minute: a tick late, "30 min" must not read "29 min"."""
    return timedelta(minutes=max(1, round(left.total_seconds() / 60)))


def _ended(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    at = clock_time(min(notice.ends_at or now, now), now, zone)
    about = "about " if notice.about else ""
    return Words(
        f"{_session(notice)}: sign-in ended",
        f"It ended at {about}{at}. Keys already issued keep working until they expire.",
        (_sign_in(notice),),
    )


def _deleted(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    body = "A person or another program deleted the saved sign-in, with everything in ~/.aws/sso/cache."
    return Words(f"{_session(notice)}: you are signed out", body, (_sign_in(notice),))


def _signed_in(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    ends_at = notice.ends_at or now
    about = "about " if notice.about else ""
    return Words(
        f"{_session(notice)}: signed in",
        f"Everything renews automatically until {about}{clock_time(ends_at, now, zone)} "
        f"({short(ends_at - now)}).",
    )


def _unmoved(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    at = clock_time(notice.ends_at or now, now, zone)
    # No button: who has just signed in would be led to the same end once more.
    return Words(
        f"{_session(notice)}: your sign-in was not extended",
        f"AWS joined it to the sign-in that was still active, which still ends at {at}.",
    )


def _awaited(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    if notice.ends_at is None:
        why = "You are not signed in."
    else:
        why = f"The current sign-in ends at {clock_time(notice.ends_at, now, zone)}: too early."
    # While one is active only a fresh sign-in moves its end.
    button = Button("Sign in", protocol.Login(notice.session, fresh=notice.ends_at is not None))
    uses = "They use" if len(notice.waiting) > 1 else "It uses"
    title = f"{_session(notice)}: {_who(notice.waiting)} for you to sign in"
    return Words(title, f"{uses} {_names(notice)}. {why}", (button,))


def _who(names: tuple[str, ...]) -> str:
    """Return who waits: the first two by name, and how many others."""
    if not names:
        return "a job is waiting"
    shown, more = [plain(name, _LONGEST_NAME) for name in names[:_MOST_NAMES]], len(names) - _MOST_NAMES
    *first, last = [*shown, f"{more} other{'s' * (more > 1)}"] if more > 0 else shown
    return f"{', '.join(first)} and {last} wait" if first else f"{last} waits"


def _failed(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    problem, left = notice.problem, notice.left or PendingSummary()
    how = _HOW_IT_FAILED.get(problem.code if problem is not None else "")
    reason = "" if how is not None or problem is None else f"{line(problem)}. "
    # While one is active only a fresh sign-in moves its end; a page asks before anything is ended.
    again = protocol.Login(notice.session, fresh=left.present_until is not None)
    return Words(
        f"{_session(notice)}: sign-in {how or 'failed'}",
        f"{reason}{left_words(left, now, zone)}",
        (Button("Sign in", again),),
    )


_HOW_IT_FAILED = {
    SignInTimedOut.code: "timed out",
    SignInCancelled.code: "cancelled",
    SignInDenied.code: "denied",
}


def _sign_in(notice: Notice) -> Button:
    return Button("Sign in", protocol.Login(notice.session))


# --- troubles ----------------------------------------------------------------------------------------


def _cannot_refresh(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    problem = notice.problem or CredtrayError().problem
    whose = f" ({_names(notice)})" if notice.names else ""
    body = f"{line(problem)}{whose}. {said(problem).body}"
    first = next((FILES[step] for step in said(problem).steps if step in FILES), FILES[Step.SHOW_LOG])
    button = _sign_in(notice) if Step.SIGN_IN in said(problem).steps else first
    return Words(f"{_session(notice)}: could not refresh", body.rstrip(), (button,))


def _offline(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    ends_at = notice.ends_at
    if ends_at is None:
        told = "There are no keys"
    elif ends_at <= now:
        told = f"Keys expired at {clock_time(ends_at, now, zone)}"
    else:
        told = f"Keys expire at {clock_time(ends_at, now, zone)}"
    return Words(
        f"{_session(notice)}: offline for too long",
        f"{told} ({_names(notice)}), and the portal cannot be reached. "
        "They are renewed as soon as the network is back.",
    )


def _role_refused(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    buttons = tuple(Button("Try again", FetchKeys(name)) for name in notice.names[:1])
    problem = notice.problem or RoleRefused().problem
    if problem.code != RoleRefused.code:
        return _not_served(notice, problem, buttons)
    body = said(problem).body
    return Words(f"{_session(notice)}: no access to {_names(notice)}", body, buttons)


def _not_served(notice: Notice, problem: Problem, buttons: tuple[Button, ...]) -> Words:
    """Return the words for what STS refuses: the person's own access is not in question."""
    if problem.code == ProfileRefused.code:
        buttons = (FILES[Step.OPEN_CONFIG], *buttons)
    _, _, told = problem.title.partition(": ")
    body = f"{plain(told or problem.title, _LONGEST_TEXT)}. {plain(problem.hint, _LONGEST_TEXT)}"
    return Words(f"{_session(notice)}: no keys for {_names(notice)}", body, buttons)


def _section_refused(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    problem, buttons = notice.problem or SectionNotOurs().problem, [FILES[Step.OPEN_CREDENTIALS]]
    if notice.profile is not None:
        buttons.insert(0, other_section(notice.profile))
    if problem.code == SectionNotOurs.code:
        body = "Its keys in the credentials file come from somewhere else, and are never overwritten."
    else:
        body = f"{line(problem)}. {said(problem).body}"
    return Words(f"Section [{_names(notice)}] is left alone", body, tuple(buttons))


def _clock_off(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    side = "behind" if notice.clock_error > timedelta() else "ahead of"
    return Words(
        f"Your clock is off by {short(abs(notice.clock_error))}",
        f"This computer is {side} AWS, which refuses requests with a wrong time. "
        "Turn on time synchronisation.",
    )


# --- who is signed in ---------------------------------------------------------------------------------


def _other_person(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    person, before = (plain(name) for name in notice.names)
    return Words(
        f"{_session(notice)}: signed in as {person}, not as {before}",
        f"Programs get no keys of {person} until you decide. Keys of {before} in use keep working until they "
        "expire.",
        other_person_buttons(notice.session, *notice.names),
    )


def other_person_buttons(session: str, person: str, before: str) -> tuple[Button, ...]:
    """Return what can be done when another person is signed in."""
    was = plain(before, _LONGEST_NAME) if before else "before"
    now = plain(person, _LONGEST_NAME) if person else "this person"
    return (
        Button(f"Sign in as {was}", protocol.Login(session, fresh=True)),
        Button(f"Keep {now}", protocol.KeepPerson(session, person)),
        Button("Use a clean browser", protocol.Login(session, fresh=True, clean=True)),
    )


# --- pasted keys -------------------------------------------------------------------------------------


def _pasted_end_soon(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    at = clock_time(notice.ends_at or now, now, zone)
    return Words(f"Pasted keys of {_names(notice)} end at {at}", _PASTE_OR_CONVERT)


def _pasted_ended(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    at = clock_time(notice.ends_at or now, now, zone)
    return Words(f"Pasted keys of {_names(notice)} ended at {at}", _PASTE_OR_CONVERT)


_PASTE_OR_CONVERT = (
    "Paste new ones (credtray import), or switch to a sign-in that renews keys by itself (credtray import "
    "--convert)."
)


def _session(notice: Notice) -> str:
    return plain(notice.session)


def _names(notice: Notice) -> str:
    return name_list(tuple(plain(name) for name in notice.names))


_WORDS = {
    Subject.ENDS_SOON: _ends_soon,
    Subject.DAY_UNCOVERED: _day_uncovered,
    Subject.ENDED: _ended,
    Subject.DELETED: _deleted,
    Subject.AWAITED: _awaited,
    Subject.SIGNED_IN: _signed_in,
    Subject.END_UNMOVED: _unmoved,
    Subject.SIGN_IN_FAILED: _failed,
    Subject.CANNOT_REFRESH: _cannot_refresh,
    Subject.OFFLINE: _offline,
    Subject.ROLE_REFUSED: _role_refused,
    Subject.SECTION_REFUSED: _section_refused,
    Subject.CLOCK_OFF: _clock_off,
    Subject.OTHER_PERSON: _other_person,
    Subject.PASTED_END_SOON: _pasted_end_soon,
    Subject.PASTED_ENDED: _pasted_ended,
}
