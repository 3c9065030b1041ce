"""What follows from a new list of roles: for any lists, and drawn so that roles come, go and come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.ports import Presence
from credtray.core.settings import Settings
from credtray.core.state import Identity, State
from credtray.roles.record import (
    MOST_RECORDS,
    SETTLED,
    AccountRoles,
    NewerVersion,
    Record,
    Role,
    compared,
    decode,
    encode,
    gone_notice,
    hidden,
    kept_where_unknown,
    known,
    marks,
    new_notice,
    next_day,
    pruned,
    put,
    record_of,
    returned,
    told,
    wants_look,
)
from tests.core.making import HOUR, MINUTE, NOON, after, signed_in

URL = "https://d-9067000001.awsapps.com/start"
_ROLES = [(account, role) for account in ("111", "222") for role in ("Admin", "Read")]
some_roles = st.frozensets(st.sampled_from(_ROLES))
"""Of four roles: by chance each of two lists has some of the other's."""


def listed(roles: frozenset[Role], at: datetime = NOON, person: str = "alice") -> Record:
    """Return a list of these roles."""
    accounts: dict[str, AccountRoles] = {}
    for number, role in sorted(roles):
        had = accounts.get(number, AccountRoles((), f"account {number}"))
        accounts[number] = AccountRoles((*had.roles, role), had.name)
    return Record(portal=URL, person=person, at=at, accounts=accounts)


def history(lists: list[frozenset[Role]]) -> Record:
    """Return the record that these lists leave, one after the other; each notice was shown."""
    record = listed(lists[0])
    for roles in lists[1:]:
        record, _, _ = compared(record, listed(roles))
        record = told(record, record.new | record.gone)
    return record


# --- comparing ---------------------------------------------------------------------------------------


@given(some_roles)
def test_first_list_tells_of_nothing(roles: frozenset[Role]) -> None:
    record, came, went = compared(None, listed(roles))

    assert (came, went, record.new, record.gone) == (frozenset(), frozenset(), frozenset(), frozenset())


@given(st.lists(some_roles, min_size=1, max_size=5), some_roles)
def test_what_came_and_went_is_the_difference_of_the_last_two_lists(
    past: list[frozenset[Role]], now: frozenset[Role]
) -> None:
    record, came, went = compared(history(past), listed(now))

    assert (came, went) == (now - past[-1], past[-1] - now)
    assert record.roles == now


@given(st.lists(some_roles, min_size=2, max_size=6))
def test_role_is_gone_as_long_as_it_was_there_once_and_is_not_now(lists: list[frozenset[Role]]) -> None:
    record = history(lists)

    assert record.gone == frozenset().union(*lists) - lists[-1]
    assert all(account in record.accounts for account, _ in record.gone)


@given(st.lists(some_roles, min_size=2, max_size=6))
def test_new_is_what_has_come_since_the_first_list_and_never_what_is_not_there(
    lists: list[frozenset[Role]],
) -> None:
    record = history(lists)

    assert record.new <= lists[-1]
    assert lists[-1] - lists[0] <= record.new


@given(st.lists(some_roles, min_size=1, max_size=4), some_roles, some_roles)
def test_what_was_told_is_told_again_only_when_it_changed_meanwhile(
    past: list[frozenset[Role]], one: frozenset[Role], other: frozenset[Role]
) -> None:
    before = told(history([*past, one]), _ROLES)
    record, came, went = compared(before, listed(other))

    assert (record.new | record.gone) - record.told <= came | went
    assert not (came | went) & record.told


@given(st.lists(some_roles, min_size=2, max_size=4), some_roles)
def test_role_put_aside_stays_so_until_it_goes(past: list[frozenset[Role]], now: frozenset[Role]) -> None:
    before = hidden(history(past))
    record, _, _ = compared(before, listed(now))

    assert before.new == frozenset()
    assert record.hidden == before.hidden & now
    assert not record.new & record.hidden


@given(st.lists(some_roles, min_size=2, max_size=4))
def test_role_whose_keys_came_is_there(lists: list[frozenset[Role]]) -> None:
    record = history(lists)
    for role in record.gone:
        record = returned(record, role)

    assert record.gone == frozenset()
    assert record.roles == frozenset().union(*lists)


@given(some_roles, some_roles)
def test_profile_makes_a_new_role_old(roles: frozenset[Role], profiles: frozenset[Role]) -> None:
    record, _, _ = compared(listed(frozenset()), listed(roles))

    assert pruned(record, profiles).new == roles - profiles


def test_account_that_is_not_told_of_keeps_what_was_known() -> None:
    before = listed(frozenset(_ROLES))
    found = kept_where_unknown({"111": None, "222": AccountRoles(("Read",), "b"), "333": None}, before)

    assert found == {
        "111": AccountRoles(("Admin", "Read"), "account 111"),
        "222": AccountRoles(("Read",), "b"),
    }


# --- the document --------------------------------------------------------------------------------------


@given(st.lists(some_roles, min_size=1, max_size=4))
def test_document_gives_back_what_it_was_made_of(lists: list[frozenset[Role]]) -> None:
    record = hidden(history(lists))

    assert decode(encode([record])) == (record,)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"records":[{}]}', b'{"version":1,"records":[{"portal":1}]}', b"\xff"]
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a record"):
        decode(data)


def test_document_of_a_newer_version_is_known_as_such() -> None:
    with pytest.raises(NewerVersion):
        decode(b'{"version":2,"records":"of another kind"}')


def test_people_not_seen_for_the_longest_time_are_forgotten() -> None:
    found = [listed(frozenset(), NOON + number * HOUR, f"p{number}") for number in range(MOST_RECORDS + 5)]

    assert [each.person for each in decode(encode(found))] == [
        f"p{number}" for number in range(MOST_RECORDS + 4, 4, -1)
    ]


# --- whose record ---------------------------------------------------------------------------------------


def test_record_is_found_by_portal_and_person() -> None:
    of_alice, of_bob, of_nobody = (listed(frozenset(), person=name) for name in ("alice", "bob", ""))
    elsewhere = msgspec.structs.replace(of_alice, portal="https://elsewhere")
    records = (elsewhere, of_alice, of_bob, of_nobody)

    assert record_of(records, URL, "ALICE") is of_alice
    assert record_of(records, URL, "carol") is None
    assert record_of(records, URL, "") is of_nobody
    assert put(records, listed(frozenset(), NOON + HOUR, "Bob"))[1:] == (elsewhere, of_alice, of_nobody)


def test_while_somebody_else_is_signed_in_her_record_tells() -> None:
    of_alice, of_nobody = listed(frozenset()), listed(frozenset(), NOON - HOUR, "")
    session = signed_in().sessions["corp"]
    records = (of_nobody, of_alice)

    def told_by(whose: Identity) -> Record | None:
        return known(records, replace(session, identity=whose))

    assert told_by(Identity("alice", "alice", told=True)) is of_alice
    assert told_by(Identity("alice", "bob", told=True)) is None
    assert told_by(Identity("alice")) is of_alice
    assert told_by(Identity()) is of_nobody


def test_marks_are_set_and_taken_back() -> None:
    state = signed_in()
    gone = msgspec.structs.replace(listed(frozenset(), person=""), gone=frozenset({("111", "Admin")}))
    marked = after(state, *marks([gone], state))

    assert marked.sessions["corp"].gone == gone.gone
    assert list(marks([gone], marked)) == []
    assert after(marked, *marks([], marked)).sessions["corp"].gone == frozenset()
    off = replace(marked, settings=Settings(watch_roles=False))
    assert after(off, *marks([gone], off)).sessions["corp"].gone == frozenset()


# --- when -------------------------------------------------------------------------------------------------


def wanted(state: State, record: Record | None, now: datetime, zone: tzinfo = UTC) -> bool:
    records = [] if record is None else [record]
    return wants_look(state, state.sessions["corp"], records, now, zone)


def test_look_is_wanted_after_each_sign_in_and_on_each_day_of_the_reader() -> None:
    state, zone = signed_in(life=48 * HOUR), timezone(timedelta(hours=9))
    looked = listed(frozenset(), person="")
    midnight = NOON + 3 * HOUR  # of nine hours east

    assert wanted(state, None, NOON)
    assert wanted(state, listed(frozenset(), NOON - timedelta(microseconds=1), ""), NOON)
    assert not wanted(state, looked, NOON)
    assert not wanted(state, looked, midnight - timedelta(microseconds=1), zone)
    assert wanted(state, looked, midnight, zone)
    assert next_day(NOON, zone) == midnight
    assert next_day(midnight, zone) == midnight + 24 * HOUR


def test_clock_that_was_set_back_does_not_end_the_looks() -> None:
    assert wanted(signed_in(), listed(frozenset(), NOON + timedelta(days=400), ""), NOON)


def test_nobody_is_asked_while_it_is_not_known_who_signed_in_but_not_for_long() -> None:
    state = signed_in()
    session = state.sessions["corp"]
    asked = state.with_session(replace(session, identity=Identity(since=NOON)))
    answered = state.with_session(replace(session, identity=Identity(since=NOON, told=True, person="alice")))

    assert not wanted(asked, None, NOON + SETTLED - timedelta(microseconds=1))
    assert wanted(asked, None, NOON + SETTLED)
    assert wanted(answered, None, NOON)
    assert wanted(answered, listed(frozenset(), person="bob"), NOON + MINUTE)


@pytest.mark.parametrize(
    "state",
    [
        replace(signed_in(), settings=Settings(watch_roles=False)),
        replace(signed_in(), presence=Presence(locked=True)),
        replace(signed_in(), stopping=True),
        signed_in(now=NOON - 2 * HOUR),
        signed_in().with_session(replace(signed_in().sessions["corp"], refreshing=True)),
        signed_in().with_session(replace(signed_in().sessions["corp"], token=None)),
    ],
)
def test_nothing_is_asked(state: State) -> None:
    assert not wanted(state, None, NOON)


# --- telling ----------------------------------------------------------------------------------------------


def test_hostile_names_are_made_plain() -> None:
    role = ("111", "Ad\u202emin\n")
    record = listed(frozenset({role}))
    record = msgspec.structs.replace(record, new=frozenset({role}))
    found = new_notice("co\nrp", "add", record)

    assert found is not None
    assert found[0].title == "You now have Admin in account 111: add a profile?"
    assert found[1] == {role}
    assert "\n" not in found[0].body


def test_gone_role_without_a_profile_is_no_news() -> None:
    state = signed_in()
    record = msgspec.structs.replace(listed(frozenset(), person=""), gone=frozenset({("111", "Admin")}))

    assert gone_notice(after(state, *marks([record], state)), "corp", record) is None
