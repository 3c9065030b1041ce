"""Whose keys programs get: whatever happens in whatever order, those of nobody that was not agreed to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core import events, state_document
from credtray.core.answers import answer
from credtray.core.apply import apply
from credtray.core.errors import Offline, OtherPerson, Problem
from credtray.core.identity import HOLD, is_other, same_person, undecided, waits
from credtray.core.models import RoleCredentials
from credtray.core.notices import Subject, holding
from credtray.core.policy import AskPerson, FetchRoleCredentials, decide, next_look
from credtray.core.state import SessionState, State
from tests.core.making import HOUR, MINUTE, NOON, SECOND, config, fetching, keys, profile, token

ALICE, BOB = "alice@synderys.com", "bob@synderys.com"
UNREACHABLE = Offline("no way to STS").problem


@dataclass
class Life:
    """One session with two kept profiles, and who is behind each token and each key."""

    state: State
    now: datetime = NOON
    person: str = ALICE
    """Behind the token held."""
    count: int = 0
    persons: dict[str, str] = field(default_factory=dict)
    agreed: set[str] = field(default_factory=set)

    @classmethod
    def begun(cls, *active: str) -> Life:
        read = events.ConfigLoaded(config(profile("dev"), profile("ro")))
        state = State(seed="s", asks_person=True)
        for event in (read, events.MarksRead(()), events.Activated(active)):
            state = apply(state, event, NOON)
        return cls(state)

    @property
    def session(self) -> SessionState:
        return self.state.sessions["corp"]

    def take(self, event: events.Event) -> None:
        self.state = apply(self.state, event, self.now)

    def pass_by(self, time: timedelta) -> None:
        self.now += time
        self.take(events.Tick())

    def sets_clock(self) -> None:
        self.now += 3 * HOUR
        self.take(events.ClockChanged(3 * HOUR))

    def comes(self, person: str, *, elsewhere: bool = False) -> None:
        """Somebody signs in, here or with another program."""
        self.now += SECOND
        self.count, self.person = self.count + 1, person
        fresh = token(self.now, 12 * HOUR, name=str(self.count))
        found = replace(fresh, found=True)
        self.take(events.TokenFound("corp", found) if elsewhere else events.SignedIn("corp", fresh))

    def leaves(self) -> None:
        self.take(events.SignedOut("corp"))

    def does(self) -> None:
        """Do what is decided about keys, as if all of it took a moment."""
        for action in decide(self.state, self.now):
            if isinstance(action, FetchRoleCredentials) and self.session.token is not None:
                self.count += 1
                came = keys(self.now, name=str(self.count))
                self.persons[came.access_key_id] = self.person
                self.take(fetching(action.profile))
                self.take(events.Fetched(action.profile, came))

    def asks(self, *, in_vain: bool = False) -> None:
        if any(isinstance(action, AskPerson) for action in decide(self.state, self.now)):
            self.take(events.Begun(AskPerson("corp")))
            assert not any(isinstance(action, AskPerson) for action in decide(self.state, self.now))
            since = self.session.identity.since
            assert since is not None
            if in_vain:
                self.take(events.PersonUnknown("corp", UNREACHABLE, since))
                return
            self.take(events.PersonKnown("corp", self.person, since))
            self.agreed |= set() if self.agreed else {self.person}

    def keeps(self) -> None:
        """Somebody agrees to who is signed in, as far as is known."""
        person = self.session.identity.person
        if person is not None:
            self.agreed |= {person} if is_other(self.session) else set()
            self.take(events.PersonKept("corp", person))

    def restarts(self) -> None:
        """The agent is killed, and another one finds the files."""
        held = self.session.token
        remembered = state_document.decode(state_document.encode(self.state))
        self.state = replace(remembered, asks_person=True)
        self.take(events.ConfigLoaded(config(profile("dev"), profile("ro"))))
        self.take(events.MarksRead(()))
        if held is not None:
            self.take(events.TokenFound("corp", replace(held, found=True)))

    def given(self) -> set[str]:
        """Return whose keys programs get."""
        held = (item.credentials for item in self.state.profiles.values())
        return {self.persons[each.access_key_id] for each in held if each is not None}

    def alarm(self) -> bool:
        return any(
            each.subject is Subject.OTHER_PERSON for each in holding(self.state, self.session, self.now)
        )


STEPS: dict[str, Callable[[Life], None]] = {
    "alice signs in": lambda life: life.comes(ALICE),
    "alice signs in with the AWS CLI": lambda life: life.comes(ALICE, elsewhere=True),
    "alice in capitals": lambda life: life.comes(ALICE.upper()),
    "signed out": Life.leaves,
    "a program asks": lambda life: life.take(events.Asked("dev")),
    "fetched": Life.does,
    "asked": Life.asks,
    "a restart": Life.restarts,
    "a second": lambda life: life.pass_by(SECOND),
    "half the wait": lambda life: life.pass_by(HOLD / 2),
    "50 minutes": lambda life: life.pass_by(50 * MINUTE),
    "an hour": lambda life: life.pass_by(HOUR),
    "the clock is set": Life.sets_clock,
}
OF_ONE: dict[str, Callable[[Life], None]] = {
    **STEPS,
    "not told": lambda life: life.asks(in_vain=True),
}
OF_TWO: dict[str, Callable[[Life], None]] = {
    **STEPS,
    "bob signs in": lambda life: life.comes(BOB),
    "bob signs in with the AWS CLI": lambda life: life.comes(BOB, elsewhere=True),
    "kept": Life.keeps,
}


@given(st.lists(st.sampled_from(sorted(OF_TWO)), max_size=25))
def test_programs_get_keys_of_nobody_who_was_not_agreed_to(steps: list[str]) -> None:
    life = working()
    for step in steps:
        OF_TWO[step](life)
        if life.session.identity.unchecked:  # STS did not answer in time, so nobody can tell
            life.agreed |= life.given()
        if life.agreed:
            assert life.given() <= {*life.agreed, *map(str.upper, life.agreed)}, steps


@given(st.lists(st.sampled_from(sorted(OF_ONE)), max_size=60))
def test_one_person_alone_is_never_another_one(steps: list[str]) -> None:
    life = Life.begun("dev", "ro")
    for step in steps:
        OF_ONE[step](life)

        assert not life.alarm(), steps


@given(st.lists(st.sampled_from(sorted(OF_TWO)), max_size=30))
def test_keys_wait_no_longer_than_the_agent_has_decided_to_look_again(steps: list[str]) -> None:
    life = Life.begun("dev", "ro")
    for step in steps:
        OF_TWO[step](life)
        waiting = [item for item in life.state.profiles.values() if waits(life.session, item)]
        if waiting and undecided(life.session, life.now):
            look = next_look(life.state, life.now)

            assert look is not None, steps
            assert look <= life.now + HOLD, steps


def working() -> Life:
    life = Life.begun("dev", "ro")
    life.comes(ALICE)
    life.does()
    life.asks()
    return life


def test_keys_wait_for_the_answer_and_are_given_with_it() -> None:
    life = working()
    life.pass_by(59 * MINUTE)
    life.comes(ALICE)
    life.does()
    held = life.state.profiles["dev"].withheld

    assert isinstance(held, RoleCredentials)
    assert answer(life.state, life.state.profiles["dev"], life.now) is None

    life.asks()

    assert answer(life.state, life.state.profiles["dev"], life.now) is held
    assert not life.alarm()


@pytest.mark.parametrize("late", [timedelta(), SECOND])
def test_nobody_waits_longer_than_that(late: timedelta) -> None:
    life = working()
    life.pass_by(2 * MINUTE)
    life.comes(BOB)
    life.does()
    life.pass_by(HOLD - SECOND)

    assert BOB not in life.given()

    life.pass_by(SECOND + late)

    assert BOB in life.given()


def test_what_was_given_unchecked_is_taken_back() -> None:
    life = working()
    life.pass_by(2 * MINUTE)
    life.comes(BOB)
    life.does()
    life.asks(in_vain=True)

    assert BOB in life.given()

    life.pass_by(2 * MINUTE)
    life.asks()

    assert BOB not in life.given()
    assert is_other(life.session)


def test_an_agent_that_starts_again_gives_nothing_while_sts_is_silent() -> None:
    life = working()
    life.pass_by(2 * MINUTE)
    life.comes(BOB)
    life.does()
    life.asks()
    life.restarts()
    life.does()
    life.asks(in_vain=True)
    life.pass_by(HOUR)
    life.does()

    assert life.given() == set()
    assert life.alarm()


@pytest.mark.parametrize("restarted", [False, True])
def test_who_comes_back_by_another_program_is_known_though_no_profile_is_active(*, restarted: bool) -> None:
    life = Life.begun()
    for person, elsewhere in ((ALICE, False), (BOB, False), (ALICE, True)):
        life.pass_by(2 * HOUR)
        life.comes(person, elsewhere=elsewhere)
        if restarted:
            life.restarts()
        life.take(events.Asked("dev"))
        life.does()
        life.asks()

        assert is_other(life.session) == (person is BOB)

    assert life.given() == {ALICE}


def test_the_refusal_names_both_and_the_commands() -> None:
    life = working()
    life.pass_by(2 * HOUR)
    life.comes(BOB)
    life.does()
    life.asks()
    refused = answer(life.state, life.state.profiles["dev"], life.now)

    assert isinstance(refused, Problem)
    assert refused.code == OtherPerson.code
    assert refused.title.endswith(f": {BOB} signed in to corp, but last time it was {ALICE}")
    assert "credtray login corp --keep" in refused.hint


def test_an_answer_about_the_sign_in_before_says_nothing_of_this_one() -> None:
    life = working()
    before = life.session.identity.since
    assert before is not None
    life.pass_by(MINUTE)
    life.comes(ALICE)
    life.take(events.PersonKnown("corp", BOB, before))
    life.take(events.PersonUnknown("corp", UNREACHABLE, before))

    assert life.session.identity.person is None
    assert not life.session.identity.unchecked


def test_keeping_somebody_gives_nobody_elses_keys_away() -> None:
    life = working()
    life.pass_by(2 * MINUTE)
    life.comes(BOB, elsewhere=True)
    life.does()
    life.keeps()  # as far as is known it is still alice

    assert life.given() == {ALICE}


def test_one_who_is_kept_must_still_be_there() -> None:
    life = working()
    life.pass_by(2 * MINUTE)
    life.comes(BOB)
    life.does()
    life.asks()
    life.take(events.PersonKept("corp", "carol@synderys.com"))

    assert is_other(life.session)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ALICE, ALICE, True),
        (ALICE, "Alice@Synderys.com", True),
        (ALICE, BOB, False),
        ("alice", ALICE, False),  # a renamed user is asked about, once
        ("a" * 64, "a" * 64 + "@synderys.com", True),
        ("a" * 63, "a" * 64, False),
        ("a" * 64, "b" * 64, False),
    ],
)
def test_who_is_one_person(one: str, other: str, *, same: bool) -> None:
    assert same_person(one, other) is same
    assert same_person(other, one) is same
