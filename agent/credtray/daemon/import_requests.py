"""Carries out ``ImportKeys``: pasted keys get into the credentials file, or everything is as it was.

Never tells a key to anybody: a reply names the section and when its keys end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from credtray.core.desired_sections import sections_of
from credtray.core.effects import Effect
from credtray.core.errors import (
    CredtrayError,
    KeysRefused,
    Problem,
    SectionNotOurs,
    TimedOut,
    UsageError,
    error_for,
)
from credtray.core.events import Imported, ImportFailed
from credtray.core.models import RoleCredentials
from credtray.core.protocol import Done, ImportKeys
from credtray.core.protocol.results import ImportResult, whole_seconds
from credtray.core.section_mark import key_digest
from credtray.core.state import State
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import SETTLE_SECONDS, Handler

LONGEST_LIFE = timedelta(hours=36)
"""STS issues no temporary keys for longer; those of a role last 12 h at most."""
_OTHER_NAME = "Choose another section name: credtray import --name NAME"


class ImportRequests:
    """One import after the other: two pastes into one section must not answer for each other."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._turn = asyncio.Lock()

    @property
    def handlers(self) -> Mapping[type, Handler]:
        """What this carries out; see ``Requests.register``."""
        return {ImportKeys: self._import}

    async def _import(self, request: ImportKeys, _sink: ReplySink) -> Done[ImportResult]:
        async with self._turn:
            state, now = self._loop.state, self._loop.now()
            check_import(state, request, now)
            before, effect = state.imports.get(request.section), Effect(sections=(request.section,))
            self._loop.take(_event(request, now))
            await self._loop.reached(effect, SETTLE_SECONDS)
            problem = _why_not(self._loop.state, request)
            if problem is None:
                return Done(ImportResult(request.section, whole_seconds(request.expires_at)))
            self._loop.take(ImportFailed(request.section, before))
            await self._loop.reached(effect, SETTLE_SECONDS)
            raise _told(problem)


def check_import(state: State, request: ImportKeys, now: datetime) -> None:
    """Refuse what must not be written, whatever the file says.

    Raises:
        UsageError: the keys have ended, or end later than keys of a role ever do.
        KeysRefused: the section is kept for a profile, whose keys renew themselves; or they are of another
            account than the profile, or the pasted keys, of that name.
    """
    if not now < request.expires_at <= now + LONGEST_LIFE:
        raise UsageError(
            f"Pasted keys must end within {LONGEST_LIFE // timedelta(hours=1)} h, and not in the past"
        )
    owner = sections_of(state).get(request.section)
    if owner is not None:
        raise KeysRefused(
            f"[{request.section}] belongs to the profile {owner}, whose keys renew automatically",
            hint=_OTHER_NAME,
        )
    _check_account(state, request, now)


def _check_account(state: State, request: ImportKeys, now: datetime) -> None:
    there = state.imports.get(request.section)
    if there is not None and not there.released and there.expires_at > now:
        _same_account(request, there.account_id, "the keys you pasted before")
    for name, item in state.profiles.items():
        if request.section in {name, state.settings.section(name)} and not item.profile.chain:
            _same_account(request, item.profile.account_id, f"the profile {name}")


def _same_account(request: ImportKeys, account_id: str | None, whose: str) -> None:
    if request.account_id is not None and account_id is not None and request.account_id != account_id:
        raise KeysRefused(
            f"they are of account {request.account_id}, but [{request.section}] is the section of {whose} "
            f"of account {account_id}",
            hint=_OTHER_NAME,
        )


def _event(request: ImportKeys, now: datetime) -> Imported:
    keys = RoleCredentials(
        request.access_key_id,
        request.secret_access_key,
        request.session_token,
        request.expires_at.astimezone(UTC),
        now,
    )
    return Imported(request.section, keys, request.account_id, request.role_name)


def _why_not(state: State, request: ImportKeys) -> Problem | None:
    mark = state.file.marks.get(request.section)
    if mark is not None and mark.pasted and mark.digest == key_digest(request.access_key_id):
        return None
    if request.section in state.file.refused:
        return state.file.refused[request.section]
    if state.file.trouble is not None:
        return state.file.trouble.problem
    return TimedOut(f"the credentials file does not hold [{request.section}] yet").problem


def _told(problem: Problem) -> CredtrayError:
    """Return the problem as an error; for somebody else's section with what to do here."""
    error = error_for(problem)
    return SectionNotOurs(error.detail, hint=_OTHER_NAME) if isinstance(error, SectionNotOurs) else error
