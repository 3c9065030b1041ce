"""Carries out what the policy decided: each action runs in a worker and comes back as an event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import assert_never

from agent.core.errors import Problem
from agent.core.events import (
    Event,
    Fetched,
    FetchFailed,
    FetchStarted,
    NoticeShown,
    Refreshed,
    RefreshFailed,
    RefreshStarted,
    Synced,
    SyncFailed,
    SyncStarted,
    TokenVanished,
)
from agent.core.models import AccessToken, RoleCredentials
from agent.core.policy import Action, FetchRoleCredentials, RefreshToken, ShowNotice, SyncCredentialsFile
from agent.core.ports import Issued, Mark, SyncReport
from agent.core.state import State
from agent.core.view import notice_words
from agent.daemon.ports import Ports
from agent.daemon.workers import Workers

_log = logging.getLogger(__name__)


class Actions:
    """Starts actions; ``take`` receives their events on the loop's thread."""

    def __init__(self, ports: Ports, workers: Workers, take: Callable[[Event], None]) -> None:
        self._ports = ports
        self._workers = workers
        self._take = take

    @staticmethod
    def begun(action: Action) -> Event:
        """Return the event that says this action is under way, so that it is not decided twice."""
        match action:
            case RefreshToken(session):
                return RefreshStarted(session)
            case FetchRoleCredentials(profile):
                return FetchStarted(profile)
            case SyncCredentialsFile():
                return SyncStarted()
            case ShowNotice(notice):
                return NoticeShown(notice.session, notice.says, settles_ends=notice.settles_ends)
            case _:
                assert_never(action)

    def start(self, action: Action, state: State) -> None:
        """Start an action; returns at once."""
        match action:
            case RefreshToken(session):
                self._refresh(session, state)
            case FetchRoleCredentials(profile):
                self._fetch(profile, state)
            case SyncCredentialsFile():
                self._sync(action)
            case ShowNotice(notice):
                words = notice_words(notice, self._ports.clock.now(), None)
                show = self._ports.notifier.show
                self._workers.notices(lambda: show(notice.key, words.title, words.body), _nothing, _not_shown)
            case _:
                assert_never(action)

    def _refresh(self, name: str, state: State) -> None:
        session = state.sessions[name]
        token = session.token
        if token is None:  # the policy never asks for it; the type checker cannot know
            return
        clock, refresh = self._ports.clock, self._ports.token_refresh.refresh

        def done(newer: AccessToken | None) -> None:
            self._take(TokenVanished(name) if newer is None else Refreshed(name, newer))

        def failed(problem: Problem) -> None:
            self._take(RefreshFailed(name, problem))

        self._workers.portal(lambda: refresh(session.session, token, clock.now()), done, failed)

    def _fetch(self, name: str, state: State) -> None:
        profile = state.profiles[name].profile
        session = state.sessions[profile.session]
        token = session.token
        if token is None:  # as above
            return
        fetch, clock = self._ports.role_credentials.fetch, self._ports.clock

        def done(issued: Issued[RoleCredentials]) -> None:
            self._take(Fetched(name, issued.value, issued.clock_error))

        def failed(problem: Problem) -> None:
            self._take(FetchFailed(name, problem))

        self._workers.portal(lambda: fetch(session.session, token, profile, clock.now), done, failed)

    def _sync(self, action: SyncCredentialsFile) -> None:
        file, clock = self._ports.credentials_file, self._ports.clock

        def work() -> tuple[SyncReport, tuple[Mark, ...]]:
            report = file.sync(action.wanted, action.removed, clock.now())
            return report, file.marks()

        def done(result: tuple[SyncReport, tuple[Mark, ...]]) -> None:
            report, marks = result
            _log_sync(report)
            self._take(Synced(marks, report.refused))

        def failed(problem: Problem) -> None:
            _log.warning("credentials file: %s", problem.title)
            self._take(SyncFailed(problem))

        self._workers.files(work, done, failed)


def _log_sync(report: SyncReport) -> None:
    if report.written or report.removed:
        _log.info("credentials file: wrote %s, removed %s", list(report.written), list(report.removed))
    if report.tightened_from is not None:
        _log.warning("credentials file: mode tightened from %o to 600", report.tightened_from)
    for section, problem in report.refused.items():
        _log.warning("credentials file: [%s] refused: %s", section, problem.title)


def _nothing(_result: None) -> None:
    """The notice is shown; nothing follows."""


def _not_shown(problem: Problem) -> None:
    _log.warning("a notice could not be shown: %s", problem.title)
