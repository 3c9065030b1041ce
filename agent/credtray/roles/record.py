"""What roles a person has had and has now, and what follows from a new list of them. Pure; never a secret.

Each person at each portal has a record of her own: what one has is never compared with what another had. The
first list tells nothing. What may be asked of the portal, and when, is in ``watch``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

import msgspec

from credtray.core.clicks import HideRoles, ShowPage
from credtray.core.events import RolesListed
from credtray.core.identity import same_person
from credtray.core.models import Account
from credtray.core.naming import RoleChoice
from credtray.core.ports import Button, Notification, Urgency
from credtray.core.problem_words import GOOD_NEWS
from credtray.core.session_status import held_back, is_gone, role_refused, sign_in_status, token_usable
from credtray.core.shapes import from_json
from credtray.core.state import SessionState, SignInStatus, State
from credtray.core.state_words import name_list
from credtray.core.words import on_every_clock, plain

Role = tuple[str, str]
"""Account id and name of the role."""

SETTLED = timedelta(minutes=1)
"""So long a fresh sign-in has to tell whose it is; then it is nobody's in particular."""
MOST_RECORDS = 16
"""People at portals that are remembered; those not seen for the longest time are forgotten."""

VERSION = 1
_LONGEST_NAME = 60


class AccountRoles(msgspec.Struct, frozen=True, omit_defaults=True):
    """One account as the portal listed it."""

    roles: tuple[str, ...]
    name: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person has at one portal."""

    portal: str
    """The start URL."""
    person: str = ""
    """Empty where nobody knows who was signed in."""
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    """When it was listed."""
    accounts: dict[str, AccountRoles]
    new: frozenset[Role] = frozenset()
    """Those that came after the first list, until they have a profile, are put aside, or go."""
    hidden: frozenset[Role] = frozenset()
    """New ones of which a person wants to hear no more."""
    gone: frozenset[Role] = frozenset()
    """Those of former lists that are not in this one."""
    told: frozenset[Role] = frozenset()
    """Of the new and the gone ones, those that a notice was about."""

    @property
    def roles(self) -> frozenset[Role]:
        """Return all that the person has."""
        return frozenset((number, role) for number, item in self.accounts.items() for role in item.roles)


class _Versioned(msgspec.Struct):
    version: int = VERSION


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    records: tuple[Record, ...] = ()


class NewerVersion(ValueError):
    """A newer credtray wrote it: it is not to be overwritten."""


def encode(records: Iterable[Record]) -> bytes:
    """Return the document of these records, the latest first."""
    latest = sorted(records, key=lambda record: record.at, reverse=True)[:MOST_RECORDS]
    return msgspec.json.encode(_Document(records=tuple(latest)))


def decode(data: bytes) -> tuple[Record, ...]:
    """Return the records of a document.

    Raises:
        ValueError: it is none; NewerVersion when a newer credtray wrote it.
    """
    try:
        version = from_json(data, _Versioned).version
        found = from_json(data, _Document) if version <= VERSION else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not a record of roles") from error
    if found is None:
        raise NewerVersion
    return tuple(record for record in found.records if on_every_clock(record.at))


# --- whose record ------------------------------------------------------------------------------------


def record_of(records: Iterable[Record], portal: str, person: str) -> Record | None:
    """Return what is known of this person at this portal."""
    of_portal = (record for record in records if record.portal == portal)
    return next((record for record in of_portal if _same(record.person, person)), None)


def _same(one: str, other: str) -> bool:
    return one == other or bool(one and other and same_person(one, other))


def known(records: Iterable[Record], session: SessionState) -> Record | None:
    """Return the record that tells of a session now: of who is signed in, or was the last time."""
    whose = session.identity
    persons = {whose.person} if whose.person else {whose.expected or "", ""}
    of_portal = [record for record in records if record.portal == session.session.start_url]
    fit = [record for record in of_portal if any(_same(record.person, each) for each in persons)]
    return max(fit, key=lambda record: record.at, default=None)


def put(records: Iterable[Record], record: Record) -> tuple[Record, ...]:
    """Return the records with one put in the place of that person's former one."""
    return (
        record,
        *(each for each in records if each.portal != record.portal or not _same(each.person, record.person)),
    )


# --- comparing ---------------------------------------------------------------------------------------


def compared(before: Record | None, now: Record) -> tuple[Record, frozenset[Role], frozenset[Role]]:
    """Return the record that a new list leaves, the roles that came and those that went.

    Args:
        before: the same person's record so far; None: it is the first list, and nothing has come or gone.
        now: the new list, whole.
    """
    if before is None:
        return now, frozenset(), frozenset()
    have, had = now.roles, before.roles
    came, went = have - had, had - have
    gone = (before.gone | went) - have
    new = (before.new & have) | came
    left = msgspec.structs.replace(
        now,
        accounts={**now.accounts, **_lost(before, now, gone)},
        new=new,
        gone=gone,
        hidden=before.hidden & have,
        told=before.told & ((new - came) | (gone - went)),
    )
    return left, came, went


def _lost(before: Record, now: Record, gone: Iterable[Role]) -> dict[str, AccountRoles]:
    """Return the accounts that are not listed any more, for their names."""
    lost = {number for number, _ in gone} - now.accounts.keys()
    return {
        number: AccountRoles((), before.accounts[number].name) for number in lost & before.accounts.keys()
    }


def kept_where_unknown(
    listed: Mapping[str, AccountRoles | None], before: Record | None
) -> dict[str, AccountRoles]:
    """Return a whole list: where the portal does not tell of an account, what was known of it counts."""
    former = {} if before is None else before.accounts
    found = {number: former.get(number) if item is None else item for number, item in listed.items()}
    return {number: item for number, item in found.items() if item is not None and item.roles}


def pruned(record: Record, profiles: Collection[Role]) -> Record:
    """Return the record without new roles that have a profile by now."""
    new = record.new - frozenset(profiles)
    return record if new == record.new else msgspec.structs.replace(record, new=new)


def hidden(record: Record) -> Record:
    """Return the record with the new roles a person was told of put aside, until they go and come back."""
    told = record.new & record.told
    return msgspec.structs.replace(record, new=record.new - told, hidden=record.hidden | told)


def returned(record: Record, role: Role) -> Record:
    """Return the record when keys of a role that was gone have come: it is assigned again."""
    number, name = role
    account = record.accounts.get(number, AccountRoles(()))
    account = msgspec.structs.replace(account, roles=(*account.roles, name))
    return msgspec.structs.replace(
        record,
        accounts={**record.accounts, number: account},
        gone=record.gone - {role},
        told=record.told - {role},
    )


def told(record: Record, roles: Collection[Role]) -> Record:
    """Return the record when a notice was shown about these roles."""
    return msgspec.structs.replace(record, told=record.told | frozenset(roles))


def profiles_of(state: State, session: str) -> frozenset[Role]:
    """Return the roles of a session that have a profile of their own."""
    return frozenset(item.profile.role for item in state.profiles_of(session) if not item.profile.chain)


def marks(records: Iterable[Record], state: State) -> Iterator[RolesListed]:
    """Yield what makes the state know of roles that are gone, where it says otherwise."""
    records = tuple(records)
    for name, session in state.sessions.items():
        record = known(records, session)
        gone = frozenset() if record is None or not state.settings.watch_roles else record.gone
        if gone != session.gone:
            yield RolesListed(name, gone)


# --- when to look ------------------------------------------------------------------------------------


def wants_look(
    state: State, session: SessionState, records: Iterable[Record], now: datetime, zone: tzinfo | None
) -> bool:
    """Tell whether to list the roles of a session now: after a sign-in, and on each day of the reader.

    Only while somebody is there, and the portal may be asked; and not before it is known who is signed in, as
    far as that can be known.
    """
    if not state.settings.watch_roles or state.stopping or state.presence.away:
        return False
    if session.pending is not None or session.trouble is not None or session.refreshing:
        return False
    signed_in = sign_in_status(session, now) is SignInStatus.SIGNED_IN and token_usable(session, now)
    if not signed_in or held_back(session, now) or unsettled_until(session, now) is not None:
        return False
    record = record_of(records, session.session.start_url, session.identity.person or "")
    if record is None or (session.sign_in is not None and record.at < session.sign_in.started_at):
        return True
    return _day(record.at, zone) != _day(now, zone)


def unsettled_until(session: SessionState, now: datetime) -> datetime | None:
    """Return until when it may still turn out who is signed in; None when that is over."""
    asked = session.identity
    if asked.since is None or asked.told or not timedelta() <= now - asked.since < SETTLED:
        return None
    return asked.since + SETTLED


def _day(instant: datetime, zone: tzinfo | None) -> date:
    return instant.astimezone(zone).date()


def next_day(now: datetime, zone: tzinfo | None) -> datetime:
    """Return when the reader's next day begins."""
    # A naive time is of this computer's zone; with the offset of that day, whatever it is today.
    return datetime.combine(_day(now, zone) + timedelta(days=1), time(), zone).astimezone(UTC)


# --- telling -----------------------------------------------------------------------------------------


def role_words(record: Record, role: Role) -> str:
    """Return a role as a person knows it: ``ProdAdmin in synderys-prod``."""
    number, name = role
    account = record.accounts.get(number)
    where = account.name if account is not None and account.name else number
    return f"{plain(name, _LONGEST_NAME)} in {plain(where, _LONGEST_NAME)}"


def in_order(record: Record, roles: Iterable[Role]) -> list[Role]:
    """Return roles as a person looks for them: by account, then by name."""
    return sorted(roles, key=lambda role: (role_words(record, role).rpartition(" in ")[2].casefold(), role))


def several(record: Record, roles: Iterable[Role]) -> str:
    """Name the first few of many roles."""
    return name_list(tuple(role_words(record, role) for role in in_order(record, roles)))


def new_key(session: str) -> str:
    """Return the key of the notice about new roles."""
    return f"{session}:roles-new"


def gone_key(session: str) -> str:
    """Return the key of the notice about roles that are gone."""
    return f"{session}:roles-gone"


def new_notice(session: str, view: str, record: Record) -> tuple[Notification, frozenset[Role]] | None:
    """Return the notice about new roles nobody was told of, and the roles; None: there are none.

    Args:
        session: of which sso-session.
        view: the page's view where they are added.
        record: of who is signed in.
    """
    roles = record.new - record.told
    if not roles:
        return None
    if len(roles) == 1:
        title = f"You now have {several(record, roles)}: add a profile?"
        body, add = f"It was assigned to you at {plain(session)}.", "Add a profile"
    else:
        title = f"You now have {len(roles)} new roles: add profiles?"
        body, add = f"At {plain(session)}: {several(record, roles)}.", "Add profiles"
    buttons = (Button(add, ShowPage(view)), Button("Not now", HideRoles(session)))
    return Notification(new_key(session), title, body, buttons, Urgency.LOW, GOOD_NEWS), roles


def gone_notice(state: State, session: str, record: Record) -> tuple[Notification, frozenset[Role]] | None:
    """Return the notice about profiles whose role is gone, and all roles it need not tell again.

    A profile that AWS has refused already was told of then.
    """
    roles = record.gone - record.told
    hit = [item for item in state.profiles_of(session) if item.profile.role in roles and is_gone(state, item)]
    untold = [item for item in hit if not role_refused(item)]
    if not untold:
        return None
    lost = frozenset(item.profile.role for item in untold)
    names = name_list(tuple(plain(item.name) for item in untold))
    what = several(record, lost) if len(lost) == 1 else f"{len(lost)} roles"
    stops = f"{names} gets" if len(untold) == 1 else f"{names} get"
    title = f"{plain(session)}: you no longer have {what}"
    body = f"{stops} no new keys. Nothing was deleted: ask your administrator if you still need it."
    return Notification(gone_key(session), title, body, (Button("Open credtray", ShowPage()),)), lost


# --- choosing ----------------------------------------------------------------------------------------


def choices(record: Record) -> tuple[RoleChoice, ...]:
    """Return all that can be picked, as `credtray setup` lists it."""
    return tuple(
        RoleChoice(Account(number, item.name), role)
        for number, item in record.accounts.items()
        for role in item.roles
    )
