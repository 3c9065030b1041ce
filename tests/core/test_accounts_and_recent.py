"""The names of accounts, asked for when nothing else is wanted; what was chosen lately."""

from __future__ import annotations

from dataclasses import replace

from credtray.core import state_document
from credtray.core.errors import Offline
from credtray.core.events import (
    AccountsListed,
    AccountsUnknown,
    Activated,
    Begun,
    ConfigLoaded,
    Fetched,
    NoticesPaused,
    NoticeUnseen,
    RefreshFailed,
    SignedIn,
    Snoozed,
    Switched,
)
from credtray.core.models import Account
from credtray.core.policy import ACCOUNTS_FLOOR, ListAccounts, decide
from credtray.core.state import State
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    keys,
    profile,
    refreshing,
    signed_in,
    token,
)

ASK = ListAccounts("corp")
EVIL = "Prod\u202e\x1b[0m\ud800\n" + "x" * 300


def nameless() -> State:
    """Signed in, keys held, the account's name unknown."""
    state = replace(signed_in("dev"), accounts={})
    return after(state, fetching("dev"), Fetched("dev", keys()))


def asks(state: State, minutes: float = 0) -> bool:
    return ASK in decide(state, NOON + minutes * MINUTE)


# --- accounts ----------------------------------------------------------------------------------------


def test_names_of_accounts_are_asked_for_once_in_a_sign_in() -> None:
    asked = after(nameless(), Begun(ListAccounts("corp")))

    assert asks(nameless())
    assert not asks(asked)
    assert not asks(after(asked, AccountsUnknown("corp")), 10)
    assert not asks(after(asked, AccountsListed("corp", ())), 10)
    assert asks(after(asked, SignedIn("corp", token(name="n"))))


def test_long_sign_in_asks_again_the_next_day() -> None:
    state = after(nameless(), Begun(ListAccounts("corp")), AccountsUnknown("corp"))
    tomorrow = NOON + ACCOUNTS_FLOOR
    state = after(state, SignedIn("corp", token(life=90 * 24 * HOUR)), Begun(ListAccounts("corp")))
    held = replace(state.profiles["dev"], credentials=keys(tomorrow, HOUR))

    assert ASK not in decide(state.with_profile(held), tomorrow - MINUTE)
    assert ASK in decide(state.with_profile(held), tomorrow)


def test_nobody_asks_who_knows_the_names() -> None:
    assert not asks(replace(nameless(), accounts={"111100000000": "Lab"}))


def test_everything_else_comes_first() -> None:
    waiting = replace(signed_in("dev"), accounts={})
    under_way = after(waiting, fetching("dev"))

    assert not asks(waiting)
    assert not asks(under_way)
    assert not asks(nameless(), 45)
    assert not asks(after(nameless(), refreshing("corp")))
    assert not asks(after(nameless(), RefreshFailed("corp", Offline().problem)), 30)


def test_listed_names_are_added_to_those_known_and_made_fit() -> None:
    state = replace(nameless(), accounts={"1": "Old", "2": "Kept"})
    listed = (Account("1", "New"), Account("3", None), Account("4", EVIL))
    accounts = dict(after(state, AccountsListed("corp", listed)).accounts)
    evil = accounts.pop("4")

    assert accounts == {"1": "New", "2": "Kept"}
    assert len(evil) <= 120
    assert not {"\u202e", "\x1b", "\ud800", "\n"} & set(evil)


def test_accounts_that_cannot_be_listed_are_no_trouble() -> None:
    state = after(nameless(), Begun(ListAccounts("corp")), AccountsUnknown("corp"))

    assert state.sessions["corp"].trouble is None


# --- what was chosen lately --------------------------------------------------------------------------


def test_latest_choice_comes_first_and_eight_are_remembered() -> None:
    names = tuple(f"p{number}" for number in range(10))
    state = after(signed_in("dev"), Activated(("a", "b")), Switched("c"), Switched(None), Switched("a"))

    assert state.recent == ("a", "c", "b", "dev")
    assert after(state, Activated(names)).recent == names[:8]


# --- a restart ---------------------------------------------------------------------------------------


def test_what_was_chosen_paused_and_heard_survives_a_restart() -> None:
    state = after(
        nameless(),
        AccountsListed("corp", (Account("1", EVIL),)),
        Switched("dev"),
        NoticesPaused(NOON + HOUR),
        Snoozed("corp", NOON + 10 * MINUTE),
    )
    back = after(state_document.decode(state_document.encode(state)), ConfigLoaded(config(profile("dev"))))

    assert back.recent == ("dev",)
    assert back.accounts == state.accounts
    assert back.paused_until == NOON + HOUR
    assert back.sessions["corp"].snoozed_until == NOON + 10 * MINUTE


def test_what_nobody_saw_is_told_after_a_restart() -> None:
    state = after(nameless(), NoticeUnseen("corp", "corp:end", frozenset({"soon:1800"})))
    state = state.with_session(replace(state.sessions["corp"], said=frozenset({"soon:1800", "clock"})))
    back = after(state_document.decode(state_document.encode(state)), ConfigLoaded(config(profile("dev"))))

    assert back.sessions["corp"].said == {"clock"}


def test_document_of_the_version_before_is_read() -> None:
    old = state_document.decode(b'{"version": 1, "active": ["dev"], "sessions": {}}')

    assert (old.active, old.recent, dict(old.accounts), old.paused_until) == (("dev",), (), {}, None)
