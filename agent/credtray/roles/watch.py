"""Looks which roles a person has, once a day and after each sign-in, and tells of those that came and went.

Asks ListAccounts and ListAccountRoles only, slowly, with the sign-in that is there; it never begins one.
What it thinks of the answer is in ``record``. A list that is not whole is never compared.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from credtray.core.backoff import trouble_after
from credtray.core.errors import CredtrayError, Problem, RoleRefused, UnexpectedReply
from credtray.core.events import AccountsListed, Asked, RolesListed
from credtray.core.identity import is_other
from credtray.core.models import AccessToken, Account, SsoSession
from credtray.core.notices import held
from credtray.core.ports import DesktopPart, IdentityCenter, Notification, Notifier
from credtray.core.session_status import role_refused, sign_in_status, token_usable
from credtray.core.state import SessionState, SignInStatus, State, Trouble
from credtray.daemon.loop import Loop
from credtray.daemon.workers import Workers
from credtray.files.atomic_file import read_bounded, write_atomically
from credtray.roles import record as records
from credtray.roles.record import AccountRoles, Record, Role

_log = logging.getLogger(__name__)
T = TypeVar("T")

AT_ONCE = 20
"""Accounts that are asked for one after the other; between two such batches it is looked whether to go on."""
QUICK = 5
"""Batches without a pause: whoever has 100 accounts waits ten seconds."""
PAUSE_SECONDS = 3.0
"""After each further batch: about 4 calls a second, a fifth of what the portal bears."""
RESUMED_FOR = timedelta(hours=1)
"""A look that failed goes on where it was, unless it began longer ago."""
PROVEN = 20
"""Accounts that are asked once more before roles are believed to be gone."""
LONGEST_WAIT = 3600.0
SAVED_AGAIN_AFTER = 600.0
"""Seconds until it is written again what could not be, such as to a full disk."""
_LIMIT = 32 * 1024 * 1024


class RolesFile:
    """roles.json: what each person had when it was looked last. No secret; 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newer = False

    def load(self) -> tuple[Record, ...]:
        """Return what is remembered; nothing where there is nothing that can be read."""
        try:
            data = read_bounded(self._path, _LIMIT)
            return () if data is None else records.decode(data)
        except records.NewerVersion:
            self._newer = True
            _log.warning("%s was written by a newer credtray; it stays unchanged", self._path)
        except CredtrayError as error:
            _log.warning("the roles of the last time are not read: %s", error)
        except ValueError:
            _log.warning("%s is damaged; the next list of roles is taken for the first", self._path)
        return ()

    def save(self, found: Iterable[Record]) -> None:
        """Write them, all or nothing.

        Raises:
            FileUnwritable, FileRefused: what was there before is still there.
        """
        if not self._newer:
            write_atomically(self._path, records.encode(found))


@dataclass(slots=True)
class _Look:
    """One list on its way."""

    session: SsoSession
    person: str
    signed_in_at: datetime | None
    begun: datetime
    accounts: dict[str, str | None] = field(default_factory=dict)
    """Id -> name; empty until they were listed."""
    found: dict[str, AccountRoles | None] = field(default_factory=dict)
    """Id -> its roles; None where the portal did not say."""

    def fits(self, session: SessionState | None) -> bool:
        """Tell whether it is about this sign-in of this person."""
        return session is not None and (
            _where(session.session),
            session.identity.person or "",
            None if session.sign_in is None else session.sign_in.started_at,
        ) == (_where(self.session), self.person, self.signed_in_at)


def _where(session: SsoSession) -> tuple[str, str]:
    return session.start_url, session.region


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be added of a session without asking the portal anything."""

    session: SsoSession
    record: Record


class RoleWatch:
    """The roles of one agent's sessions. On the loop's thread; what blocks goes to the workers."""

    def __init__(
        self,
        loop: Loop,
        workers: Workers,
        file: RolesFile,
        portal: IdentityCenter,
        notifier: Notifier,
        speed: float,
    ) -> None:
        """Join its parts; nothing is read, asked or told yet.

        Args:
            loop: whose sessions they are.
            workers: threads for files, portals and notices.
            file: where it is remembered.
            portal: which is asked.
            notifier: tells a person.
            speed: how fast the agent's clock runs.
        """
        self._loop = loop
        self._workers = workers
        self._file = file
        self._portal = portal
        self._notifier = notifier
        self._speed = speed
        self._records: tuple[Record, ...] = ()
        self._looks: dict[str, _Look] = {}
        self._troubles: dict[str, tuple[_Look, Trouble]] = {}
        self._showing: dict[str, frozenset[Role]] = {}
        """The notices on the screen: which roles each is about, by key."""
        self._untellable: Mapping[str, DesktopPart] | None = None
        """The desktop on which a notice could not be shown: it is tried again on another."""
        self._unsaved = False
        self._save_at = 0.0
        """By the clock of asyncio, which does not jump."""
        self._changed = asyncio.Event()

    # --- what others ask --------------------------------------------------------------------------------

    def offer(self, session: str) -> Offer | None:
        """Return what a person can pick from, as it was listed last; None: it was not."""
        found = self._loop.state.sessions.get(session)
        record = None if found is None else records.known(self._records, found)
        return None if found is None or record is None else Offer(found.session, record)

    def offers(self) -> list[Offer]:
        """Return the sessions in which there is something new to be added."""
        found = (self.offer(name) for name in self._loop.state.sessions)
        return [offer for offer in found if offer is not None and offer.record.new]

    def hide(self, session: str, *, seen: bool = False) -> None:
        """Say nothing more of the new roles that a notice was about; *seen*: of all, since all were seen."""
        offer = self.offer(session)
        if offer is not None:
            record = records.told(offer.record, offer.record.new) if seen else offer.record
            self._put(records.hidden(record))
            self._changed.set()

    # --- life -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Watch until cancelled."""
        self._records = await self._loop.file_work(self._file.load)
        async with self._loop.watching() as changed:
            self._changed = changed
            while True:
                changed.clear()
                await self._heed()
                name = self._wanted()
                if name is not None:
                    await self._look(name)
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), self._seconds())

    def _wanted(self) -> str | None:
        state, now = self._loop.state, self._loop.now()
        return next(
            (
                name
                for name, session in state.sessions.items()
                if records.wants_look(state, session, self._records, now, None)
                and not self._left_alone(session, now)
            ),
            None,
        )

    def _left_alone(self, session: SessionState, now: datetime) -> bool:
        look, trouble = self._troubles.get(session.name, (None, None))
        return look is not None and trouble is not None and look.fits(session) and trouble.retry_at > now

    def _seconds(self) -> float:
        """Return for how long nothing can become due by itself."""
        state, now = self._loop.state, self._loop.now()
        instants = [
            records.next_day(now, None),
            *(trouble.retry_at for _, trouble in self._troubles.values()),
        ]
        settled = (records.unsettled_until(session, now) for session in state.sessions.values())
        instants += [instant for instant in (*settled, state.paused_until) if instant is not None]
        ahead = [(instant - now).total_seconds() for instant in instants if instant > now]
        longest = SAVED_AGAIN_AFTER if self._unsaved else LONGEST_WAIT
        return min(longest, min(ahead, default=LONGEST_WAIT) / self._speed + 0.01)

    # --- asking the portal ------------------------------------------------------------------------------

    async def _look(self, name: str) -> None:
        state, now = self._loop.state, self._loop.now()
        session = state.sessions[name]
        look = self._looks.get(name)
        if look is None or not look.fits(session) or not timedelta() <= now - look.begun < RESUMED_FOR:
            since = None if session.sign_in is None else session.sign_in.started_at
            look = self._looks[name] = _Look(session.session, session.identity.person or "", since, now)
        try:
            if not (await self._listed(name, look) and await self._compared(name, look)):
                return
        except CredtrayError as error:
            before = self._troubles.get(name)
            trouble = trouble_after(
                before[1] if before else None, error.problem, self._loop.now(), state.seed
            )
            self._troubles[name] = look, trouble
            _log.info("session %s: the roles could not be listed: %s", name, error)
            return
        self._looks.pop(name, None)
        self._troubles.pop(name, None)

    async def _listed(self, name: str, look: _Look) -> bool:
        """Ask for what is missing; False: it does not go on now, or not at all."""
        if not look.accounts:
            token = self._token(name, look)
            if token is None:
                return False
            work = _accounts(self._portal, look.session, token)
            look.accounts = {
                item.account_id: item.name for item in await self._workers.portal_result_of(name, work)
            }
        for number in range(len(look.accounts)):
            batch = list(islice((each for each in look.accounts if each not in look.found), AT_ONCE))
            if not batch:
                break
            if number >= QUICK:
                await asyncio.sleep(PAUSE_SECONDS / self._speed)
            token = self._token(name, look)
            if token is None:
                return False
            for each, roles in (
                await self._workers.portal_result_of(name, _roles(self._portal, look, token, batch))
            ).items():
                look.found[each] = None if roles is None else AccountRoles(roles, look.accounts[each])
            await self._heed()
        return True

    def _token(self, name: str, look: _Look) -> AccessToken | None:
        """Return the token to ask with; None: this look is not to go on."""
        state = self._loop.state
        session = state.sessions.get(name)
        if session is None or not look.fits(session) or state.stopping or not state.settings.watch_roles:
            self._looks.pop(name, None)
            return None
        return session.token if token_usable(session, self._loop.now()) else None

    async def _compared(self, name: str, look: _Look) -> bool:
        """Take a whole list for true, unless what seems to be gone is there after all; False: not now.

        Raises:
            CredtrayError: it cannot be trusted, or the portal does not tell.
        """
        while True:
            before = records.record_of(self._records, look.session.start_url, look.person)
            accounts = records.kept_where_unknown(look.found, before)
            now = Record(portal=look.session.start_url, person=look.person, at=look.begun, accounts=accounts)
            left, came, went = await self._loop.file_work(_comparing(before, now))
            token = self._token(name, look)
            if token is None:
                return False
            await self._proven(name, look, token, went)
            if records.record_of(self._records, look.session.start_url, look.person) is before:
                break
        self._put(records.pruned(left, records.profiles_of(self._loop.state, name)))
        self._tell_the_loop(name, left, came, went)
        return True

    async def _proven(self, name: str, look: _Look, token: AccessToken, went: frozenset[Role]) -> None:
        """Ask once more about the first accounts that have lost a role: a list may have come cut off."""
        suspects = list(dict.fromkeys(number for number, _ in sorted(went)))[:PROVEN]
        there = (
            await self._workers.portal_result_of(name, _roles(self._portal, look, token, suspects))
            if suspects
            else {}
        )
        if any(role in (there.get(number) or ()) for number, role in went):
            self._looks.pop(name, None)
            raise UnexpectedReply("the list of roles was not whole")

    def _tell_the_loop(self, name: str, left: Record, came: frozenset[Role], went: frozenset[Role]) -> None:
        state = self._loop.state
        concerned = {number for number, _ in came | went}
        names = {number: left.accounts.get(number) for number in concerned}
        told = tuple(Account(number, item.name) for number, item in names.items() if item is not None)
        self._loop.take(AccountsListed(name, told))
        self._loop.take(RolesListed(name, left.gone, came, went))
        for item in state.profiles_of(name):
            if item.profile.role in came and role_refused(item) and item.name in state.kept:
                self._loop.take(Asked(item.name))  # what was refused for want of the role is had now
        if came or went:
            _log.info("session %s: %d roles are new, %d are gone", name, len(came), len(went))

    # --- what follows -----------------------------------------------------------------------------------

    async def _heed(self) -> None:
        """Bring marks, notices and the file in line with what is known."""
        for mark in records.marks(self._records, self._loop.state):
            self._loop.take(mark)
        for name, session in self._loop.state.sessions.items():
            record = records.known(self._records, session)
            if record is None:
                continue
            record = self._put(_grown(record, self._loop.state, name))
            self._withdraw(records.new_key(name), record.new)
            self._withdraw(records.gone_key(name), record.gone)
            await self._tell(name, record)
        if self._unsaved and asyncio.get_running_loop().time() >= self._save_at:
            await self._save()

    def _put(self, record: Record) -> Record:
        if all(record is not each for each in self._records):
            self._records = records.put(self._records, record)
            self._unsaved = True
        return record

    async def _save(self) -> None:
        self._unsaved, found = False, self._records
        try:
            await self._loop.file_work(lambda: self._file.save(found))
        except CredtrayError as error:
            self._unsaved = True
            self._save_at = asyncio.get_running_loop().time() + SAVED_AGAIN_AFTER
            _log.warning("the roles are not remembered: %s", error)

    async def _tell(self, name: str, record: Record) -> None:
        state, now = self._loop.state, self._loop.now()
        session = state.sessions[name]
        if held(state, now) or is_other(session) or state.desktop is self._untellable:
            return
        if not state.settings.watch_roles or sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
            return
        view = f"add?new={quote(name, safe='', errors='replace')}"
        for due in (records.new_notice(name, view, record), records.gone_notice(state, name, record)):
            if due is not None and await self._shown(*due):
                latest = records.record_of(self._records, record.portal, record.person) or record
                self._put(records.told(latest, due[1]))

    async def _shown(self, notice: Notification, roles: frozenset[Role]) -> bool:
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def came(problem: Problem | None) -> None:
            if not outcome.done():
                outcome.set_result(problem is None)

        desktop = self._loop.state.desktop
        self._workers.notices(lambda: self._notifier.show(notice), came, came)
        shown = await outcome
        if shown:
            self._showing[notice.key] = roles
        else:
            self._untellable = desktop
        return shown

    def _withdraw(self, key: str, holding: frozenset[Role]) -> None:
        if key in self._showing and not self._showing[key] & holding:
            del self._showing[key]
            self._workers.notices(lambda: self._notifier.withdraw(key), _nothing, _nothing)


def _accounts(portal: IdentityCenter, session: SsoSession, token: AccessToken) -> Callable[[], list[Account]]:
    return lambda: portal.accounts(session, token, _nothing)


def _roles(
    portal: IdentityCenter, look: _Look, token: AccessToken, accounts: Iterable[str]
) -> Callable[[], dict[str, tuple[str, ...] | None]]:
    """Return what asks for the roles of some accounts; None for one that the portal does not let us see."""

    def work() -> dict[str, tuple[str, ...] | None]:
        found: dict[str, tuple[str, ...] | None] = {}
        for number in accounts:
            try:
                found[number] = tuple(portal.roles(look.session, token, number))
            except RoleRefused:
                found[number] = None
        return found

    return work


def _comparing(
    before: Record | None, now: Record
) -> Callable[[], tuple[Record, frozenset[Role], frozenset[Role]]]:
    return lambda: records.compared(before, now)


def _grown(record: Record, state: State, session: str) -> Record:
    """Return the record with what was learned meanwhile: profiles that were added, keys of a lost role."""
    if record.new:
        record = records.pruned(record, records.profiles_of(state, session))
    if record.gone:
        for item in state.profiles_of(session):
            keys = item.credentials
            if keys is not None and item.profile.role in record.gone and keys.fetched_at > record.at:
                record = records.returned(record, item.profile.role)
    return record


def _nothing(_outcome: object) -> None:
    """Nothing follows."""
