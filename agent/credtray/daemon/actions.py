"""Carries out what the policy decided: each action runs in a worker and comes back as an event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import assert_never

from credtray.core.apply import same_portal, same_role
from credtray.core.errors import AgentNotRunning, FileContended, Problem
from credtray.core.events import (
    AccountsListed,
    AccountsUnknown,
    Event,
    Fetched,
    FetchFailed,
    NoticeUnseen,
    PersonKnown,
    PersonUnknown,
    Refreshed,
    RefreshFailed,
    RefreshMoot,
    Synced,
    SyncFailed,
    TokenVanished,
    WindowUnopened,
)
from credtray.core.identity import evidence
from credtray.core.models import AccessToken, Account, Profile, RoleCredentials, SsoSession
from credtray.core.notice_texts import notification, what_to_type
from credtray.core.notices import Notice
from credtray.core.policy import (
    Action,
    AskPerson,
    FetchRoleCredentials,
    ListAccounts,
    OpenSignIn,
    RefreshToken,
    ShowNotice,
    SyncCredentialsFile,
    WithdrawNotice,
)
from credtray.core.ports import Issued, Mark, Ports, SyncReport
from credtray.core.section_mark import key_digest
from credtray.core.state import State
from credtray.daemon.workers import Workers

_log = logging.getLogger(__name__)


class Actions:
    """Starts actions; ``take`` receives their events on the loop's thread.

    What comes back for a session or a profile that means something else by now (``current`` tells) is
    dropped: one role's keys must never be taken for another's.
    """

    def __init__(
        self, ports: Ports, workers: Workers, take: Callable[[Event], None], current: Callable[[], State]
    ) -> None:
        self._ports = ports
        self._workers = workers
        self._take = take
        self._current = current
        self.open_sign_in: Callable[[str], None] = _nobody_opens
        """Begins a sign-in that nobody asked for."""

    def broken_off(self, action: Action, problem: Problem) -> Event | None:
        """Return the event that says an action begun could not be started, so that it is tried again."""
        event: Event | None = None
        match action:
            case RefreshToken(session):
                event = RefreshFailed(session, problem)
            case FetchRoleCredentials(profile):
                event = FetchFailed(profile, problem)
            case SyncCredentialsFile():
                event = SyncFailed(problem)
            case ListAccounts(session):
                event = AccountsUnknown(session)
            case AskPerson(session):
                since = self._current().sessions[session].identity.since
                event = None if since is None else PersonUnknown(session, problem, since)
            case ShowNotice(notice):
                event = _unseen(notice)
            case WithdrawNotice():
                pass
            case OpenSignIn(session):
                event = WindowUnopened(session)
            case _:
                assert_never(action)
        return event

    def start(self, action: Action, state: State) -> None:
        """Start an action; returns at once."""
        match action:
            case RefreshToken(session):
                self._refresh(session, state)
            case FetchRoleCredentials(profile):
                self._fetch(profile, state)
            case SyncCredentialsFile():
                self._sync(action)
            case ListAccounts(session):
                self._list_accounts(session, state)
            case AskPerson(session):
                self._ask_person(session, state)
            case ShowNotice(notice):
                self._show(notice, state)
            case WithdrawNotice(_, key):
                withdraw = self._ports.notifier.withdraw
                self._workers.notices(lambda: withdraw(key), _nothing, _not_withdrawn)
            case OpenSignIn(session):
                self.open_sign_in(session)
            case _:
                assert_never(action)

    def _refresh(self, name: str, state: State) -> None:
        session = state.sessions[name]
        token = session.token
        if token is None:  # the policy never asks for it; the type checker cannot know
            return
        clock, refresh = self._ports.clock, self._ports.token_refresh.refresh

        def come(event: Event) -> None:
            if self._same_portal(session.session):
                self._take(event)

        def done(newer: AccessToken | None) -> None:
            if newer is not None:
                come(Refreshed(name, newer))
            else:
                come(RefreshMoot(name))
                come(TokenVanished(name))

        def failed(problem: Problem) -> None:
            come(RefreshFailed(name, problem))

        self._workers.portal(name, lambda: refresh(session.session, token, clock.now()), done, failed)

    def _fetch(self, name: str, state: State) -> None:
        profile = state.profiles[name].profile
        session = state.sessions[profile.session]
        token = session.token
        if token is None:  # as above
            return
        fetch, clock = self._ports.role_credentials.fetch, self._ports.clock

        def come(event: Event) -> None:
            if self._same_portal(session.session) and self._same_role(profile):
                self._take(event)

        def done(issued: Issued[RoleCredentials]) -> None:
            come(Fetched(name, issued.value, issued.clock_error))

        def failed(problem: Problem) -> None:
            come(FetchFailed(name, problem))

        work = partial(fetch, session.session, token, profile, clock.now)
        self._workers.portal(profile.session, work, done, failed)

    def _list_accounts(self, name: str, state: State) -> None:
        session = state.sessions[name]
        token = session.token
        if token is None:  # as above
            return
        accounts = self._ports.identity_center.accounts

        def done(found: list[Account]) -> None:
            if self._same_portal(session.session):
                self._take(AccountsListed(name, tuple(found)))

        def failed(problem: Problem) -> None:
            _log.info("session %s: the accounts could not be listed: %s", name, problem.title)
            self._take(AccountsUnknown(name))

        work = partial(accounts, session.session, token, _nobody_waits)
        self._workers.portal(name, work, done, failed, counted=False)

    def _ask_person(self, name: str, state: State) -> None:
        session = state.sessions[name]
        since, found = session.identity.since, evidence(state, session, self._ports.clock.now())
        if since is None or found is None:  # as above
            return
        profile, keys = found

        def done(person: str) -> None:
            self._take(PersonKnown(name, person, since))

        def failed(problem: Problem) -> None:
            _log.info("session %s: AWS does not tell who is signed in: %s", name, problem.title)
            self._take(PersonUnknown(name, problem, since))

        clock = self._ports.clock
        work = partial(self._ports.role_credentials.person, session.session, profile.profile, keys, clock.now)
        self._workers.portal(name, work, done, failed, counted=False)

    def _show(self, notice: Notice, state: State) -> None:
        shown = notification(notice, self._ports.clock.now(), None)
        show = self._ports.notifier.show
        served = state.notifications

        def failed(problem: Problem) -> None:
            words = f"{shown.title}. {shown.body} {what_to_type(shown)}".rstrip()
            _log.warning("no notification could be shown (%s): %s", problem.title, words)
            now_served = self._current().notifications
            self._take(_unseen(notice, possible=now_served not in {None, served}))

        self._workers.notices(lambda: show(shown), _nothing, failed)

    def _same_portal(self, session: SsoSession) -> bool:
        state = self._current()
        there = state.sessions.get(session.name) or state.remembered.get(session.name)
        return there is not None and same_portal(there.session, session)

    def _same_role(self, profile: Profile) -> bool:
        there = self._current().profiles.get(profile.name)
        return there is not None and same_role(there.profile, profile)

    def _sync(self, action: SyncCredentialsFile) -> None:
        file, clock = self._ports.credentials_file, self._ports.clock

        def work() -> tuple[SyncReport, tuple[Mark, ...]]:
            report = file.sync(action.wanted, action.removed, clock.now())
            return report, file.marks()

        def done(result: tuple[SyncReport, tuple[Mark, ...]]) -> None:
            report, marks = result
            _log_sync(report)
            self._take(Synced(marks, {**_undone(action, marks), **report.refused}))

        def failed(problem: Problem) -> None:
            self._take(SyncFailed(problem))

        self._workers.files(work, done, failed)


def _undone(action: SyncCredentialsFile, marks: tuple[Mark, ...]) -> dict[str, Problem]:
    """Return the sections that are not as they were meant to be, whatever the report says.

    They are tried again later: at once and forever would be a busy loop over somebody's file.
    """
    there = {mark.section: mark.digest for mark in marks}
    undone = [section for section in action.removed if section in there]
    undone += [
        keys.section
        for keys in action.wanted
        if there.get(keys.section) != key_digest(keys.credentials.access_key_id)
    ]
    return {
        section: FileContended(f"[{section}] was changed as soon as it was written").problem
        for section in undone
    }


def _log_sync(report: SyncReport) -> None:
    if report.written or report.removed:
        _log.info("credentials file: wrote %s, removed %s", list(report.written), list(report.removed))
    if report.tightened_from is not None:
        _log.warning("credentials file: mode changed from %o to 600", report.tightened_from)
    for section, problem in report.refused.items():
        _log.warning("credentials file: [%s] refused: %s", section, problem.title)


def _unseen(notice: Notice, *, possible: bool = False) -> NoticeUnseen:
    return NoticeUnseen(notice.session, notice.key, notice.tells, possible)


def _nobody_waits(_found: int) -> None:
    """Take the count of accounts found so far; nobody watches it."""


def _nobody_opens(session: str) -> None:
    raise AgentNotRunning(f"nobody here can open a window for {session}")


def _nothing(_result: None) -> None:
    """The notice is shown, or taken back; nothing follows."""


def _not_withdrawn(problem: Problem) -> None:
    _log.info("a notice could not be withdrawn: %s", problem.title)
