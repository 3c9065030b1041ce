from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as thoroughly
from hypothesis import strategies as st

from credtray.core.desired_sections import wanted_sections
from credtray.core.errors import (
    FileUnwritable,
    Offline,
    PortalUnauthorized,
    RoleRefused,
    Throttled,
    TokenRefused,
)
from credtray.core.events import (
    Asked,
    Deactivated,
    EarlierEnded,
    Fetched,
    FetchFailed,
    MarksRead,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignedOut,
    SignInFailed,
    SignInStarted,
    StopAsked,
    Stopping,
    Switched,
    Synced,
    SyncFailed,
    TokenFound,
    TokenVanished,
    Woke,
)
from credtray.core.policy import (
    Action,
    FetchRoleCredentials,
    RefreshToken,
    ShowNotice,
    SyncCredentialsFile,
    decide,
    next_look,
)
from credtray.core.ports import Mark
from credtray.core.section_mark import key_digest
from credtray.core.settings import Settings
from credtray.core.state import State
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    after,
    fetching,
    held,
    keys,
    refreshing,
    registration,
    signed_in,
    started,
    token,
    writing,
)


def mark(section: str, name: str = "0", profile: str | None = None, life: timedelta = HOUR) -> Mark:
    return Mark(section, profile or section, NOON + life, key_digest(f"ASIA{name}"))


def fetched(*names: str) -> State:
    """Signed in, keys of all profiles fetched and written at noon."""
    names = names or ("dev",)
    state = signed_in(*names)
    for name in names:
        state = after(state, fetching(name), Fetched(name, keys(name=name)))
    return after(state, Synced(tuple(mark(name, name) for name in names)))


def calls(state: State, minutes: float) -> list[Action]:
    """Everything but notices that is decided so many minutes after noon."""
    found = decide(state, NOON + timedelta(minutes=minutes))
    return [action for action in found if not isinstance(action, ShowNotice)]


def syncs(state: State, minutes: float = 0) -> list[SyncCredentialsFile]:
    return [action for action in calls(state, minutes) if isinstance(action, SyncCredentialsFile)]


# --- refreshing --------------------------------------------------------------------------------------


def test_nothing_is_done_while_everything_is_fresh() -> None:
    assert calls(fetched("dev", "ro"), 39.9) == []


def test_token_and_keys_are_renewed_with_20_minutes_left() -> None:
    assert calls(fetched("dev"), 40) == [RefreshToken("corp"), FetchRoleCredentials("dev")]


def test_what_is_under_way_is_not_begun_again() -> None:
    state = after(fetched("dev"), refreshing("corp"), fetching("dev"))

    assert calls(state, 40) == []


def test_nothing_is_asked_while_nobody_is_signed_in() -> None:
    assert calls(after(started("dev"), TokenVanished("corp")), 0) == []


def test_during_a_sign_in_keys_are_fetched_as_long_as_the_present_one_is_untouched() -> None:
    waiting = after(fetched("dev"), SignInStarted("corp"))

    assert calls(waiting, 45) == [FetchRoleCredentials("dev")]
    assert calls(after(waiting, EarlierEnded("corp")), 45) == []


def test_an_expired_token_is_still_refreshed_because_only_the_service_knows_the_end() -> None:
    assert RefreshToken("corp") in calls(fetched("dev"), 61)


def test_a_token_that_cannot_be_refreshed_is_left_alone_and_keys_are_fetched_while_it_lives() -> None:
    state = after(started("dev"), SignedIn("corp", token(life=8 * HOUR, refreshable=False)))
    state = replace(state, active=("dev",))

    assert calls(state, 0) == [FetchRoleCredentials("dev")]
    assert calls(state, 8 * 60) == []


def test_a_token_whose_registration_has_expired_is_not_refreshed() -> None:
    old = replace(token(), registration=registration(NOON - timedelta(days=100)))
    state = after(fetched("dev"), Refreshed("corp", old))

    assert RefreshToken("corp") not in calls(state, 45)


def test_a_token_cut_at_the_end_is_asked_for_again_only_when_the_end_has_come() -> None:
    state = after(
        fetched("dev"), Refreshed("corp", token(NOON + 40 * MINUTE, 35 * MINUTE)), now=NOON + 40 * MINUTE
    )

    assert RefreshToken("corp") not in calls(state, 74)
    assert RefreshToken("corp") in calls(state, 75)


def test_a_refused_refresh_ends_the_sign_in_and_stops_all_calls() -> None:
    state = after(fetched("dev"), RefreshFailed("corp", TokenRefused().problem), now=NOON + 45 * MINUTE)

    assert calls(state, 50) == []
    assert state.profiles["dev"].credentials is not None


# --- role credentials --------------------------------------------------------------------------------


def test_only_active_and_default_profiles_are_fetched_ahead() -> None:
    state = after(signed_in("dev", "ro", "dns"), Deactivated(("ro", "dns")), Switched("dns"))

    assert calls(state, 0) == [FetchRoleCredentials("dev"), FetchRoleCredentials("dns")]


def test_a_profile_a_program_waits_for_comes_first() -> None:
    state = after(signed_in("dev", "ro"), Deactivated(("ro",)), Asked("ro"))

    assert calls(state, 0) == [FetchRoleCredentials("ro"), FetchRoleCredentials("dev")]


def test_an_inactive_profile_is_fetched_only_when_its_keys_are_no_longer_good_enough_to_hand_out() -> None:
    state = after(fetched("dev"), Deactivated(("dev",)), Asked("dev"))

    assert calls(after(state, Synced(())), 44) == [RefreshToken("corp")]
    assert FetchRoleCredentials("dev") in calls(after(state, Synced(())), 45)


def test_a_role_is_never_fetched_twice_within_a_minute() -> None:
    short = keys(life=30 * SECOND)
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", short), Synced((mark("dev"),)))

    assert FetchRoleCredentials("dev") not in calls(state, 0.9)
    assert FetchRoleCredentials("dev") in calls(state, 1)


def test_keys_that_live_longer_are_never_given_up_for_staler_ones() -> None:
    state = after(fetched("dev"), Fetched("dev", keys(life=MINUTE, name="stale")))

    assert state.profiles["dev"].credentials == keys(name="dev")


def test_a_refused_role_does_not_hold_up_the_others() -> None:
    state = after(signed_in("dev", "ro"), fetching("dev"), FetchFailed("dev", RoleRefused().problem))

    assert calls(state, 1.5) == [FetchRoleCredentials("ro")]


# --- trouble -----------------------------------------------------------------------------------------


def test_throttling_holds_back_all_calls_of_the_session_and_then_one_probes() -> None:
    state = after(signed_in("dev", "ro"), fetching("dev"), FetchFailed("dev", Throttled().problem))

    assert calls(state, 0.9) == []
    assert len(calls(state, 2)) == 1


def test_retry_after_is_honoured() -> None:
    throttled = Throttled("slow down", retry_after=600)
    state = after(signed_in("dev"), fetching("dev"), FetchFailed("dev", throttled.problem))

    assert calls(state, 9.9) == []
    assert calls(state, 10) == [FetchRoleCredentials("dev")]


def test_offline_is_tried_again_within_seconds_and_at_once_after_waking() -> None:
    state = after(
        fetched("dev"),
        refreshing("corp"),
        RefreshFailed("corp", Offline().problem),
        now=NOON + 41 * MINUTE,
    )
    woken = after(state, Woke(), now=NOON + 41 * MINUTE)

    assert calls(state, 41 + 4 / 60) == []
    assert len(calls(state, 41.2)) == 1
    assert len(calls(woken, 41)) == 1


def test_a_401_is_answered_by_one_refresh_and_one_more_try_and_no_loop() -> None:
    refused = FetchFailed("dev", PortalUnauthorized().problem)
    once = after(signed_in("dev"), fetching("dev"), refused)
    renewed = after(once, refreshing("corp"), Refreshed("corp", token(name="t1")))
    twice = after(renewed, fetching("dev"), refused)

    assert calls(once, 0) == [RefreshToken("corp")]
    assert calls(renewed, 0) == [FetchRoleCredentials("dev")]
    assert calls(twice, 30) == []
    assert twice.sessions["corp"].ended


def test_late_401s_to_the_token_that_was_replaced_do_not_end_the_sign_in() -> None:
    refused = FetchFailed("ro", PortalUnauthorized().problem)
    state = after(signed_in("dev", "ro"), fetching("dev"), fetching("ro"))
    state = after(state, FetchFailed("dev", PortalUnauthorized().problem), now=NOON + SECOND)
    state = after(
        state, refreshing("corp"), Refreshed("corp", token(NOON + SECOND, name="t1")), now=NOON + SECOND
    )
    state = after(state, refused, now=NOON + 2 * SECOND)

    assert not state.sessions["corp"].ended
    assert calls(state, 0.05) == [FetchRoleCredentials("dev"), FetchRoleCredentials("ro")]


# --- the credentials file ----------------------------------------------------------------------------


def test_keys_that_arrived_together_are_written_in_one_batch() -> None:
    state = after(signed_in("dev", "ro"), fetching("dev"), fetching("ro"), Fetched("dev", keys(name="d")))
    both = after(state, Fetched("ro", keys(name="r")))

    assert syncs(state) == []
    assert [item.section for item in syncs(both)[0].wanted] == ["dev", "ro"]


def test_a_slow_role_holds_up_the_batch_for_three_seconds_only() -> None:
    state = after(signed_in("dev", "ro"), fetching("dev"), fetching("ro"), Fetched("dev", keys(name="d")))

    assert [item.section for item in syncs(state, 3 / 60)[0].wanted] == ["dev"]


def test_default_mirrors_one_profile_with_its_region() -> None:
    state = after(fetched("dev"), Switched("dev"))

    assert [(item.section, item.profile, item.region) for item in syncs(state)[0].wanted] == [
        ("default", "dev", "eu-west-1")
    ]


def test_a_section_somebody_took_away_is_written_again() -> None:
    assert [item.section for item in syncs(after(fetched("dev"), MarksRead(())))[0].wanted] == ["dev"]


def test_nothing_is_written_before_the_file_was_read() -> None:
    state = fetched("dev")
    unread = replace(state, file=replace(state.file, known=False, marks={}))

    assert syncs(unread) == []


@pytest.mark.parametrize(
    ("event", "section"),
    [
        (Deactivated(("dev",)), "dev"),
        (SignedOut("corp"), "dev"),
        (TokenVanished("corp"), "dev"),
        (Stopping(), "dev"),
    ],
)
def test_keys_leave_the_file_when_they_have_no_business_there(event: object, section: str) -> None:
    state = after(fetched("dev"), event)  # type: ignore[arg-type]  # a table of events

    assert syncs(state) == [SyncCredentialsFile((), (section,))]


@pytest.mark.parametrize(("seconds", "leave"), [(89, False), (90, True)])
def test_keys_stay_for_an_agent_that_follows_at_once(seconds: int, leave: bool) -> None:  # noqa: FBT001 - a row
    asked = after(fetched("dev"), StopAsked(NOON + 90 * SECOND))
    state = after(asked, Stopping(), now=NOON + seconds * SECOND)

    assert syncs(state, seconds / 60) == ([SyncCredentialsFile((), ("dev",))] if leave else [])


def test_who_asks_last_says_whether_another_agent_follows() -> None:
    state = after(fetched("dev"), StopAsked(NOON + HOUR), StopAsked(None), Stopping())

    assert syncs(state) == [SyncCredentialsFile((), ("dev",))]


def test_expired_keys_leave_the_file_at_their_end() -> None:
    state = after(fetched("dev"), RefreshFailed("corp", TokenRefused().problem), now=NOON + 41 * MINUTE)

    assert syncs(state, 59) == []
    assert syncs(state, 60) == [SyncCredentialsFile((), ("dev",))]


@pytest.mark.parametrize(
    ("settings", "event", "minutes"),
    [
        (Settings(remove_keys_on_stop=False), Stopping(), 1),
        (Settings(remove_keys_at_sign_out=False), SignedOut("corp"), 1),
        (Settings(remove_keys_at_end=False), RefreshFailed("corp", TokenRefused().problem), 61),
    ],
)
def test_settings_keep_keys(settings: Settings, event: object, minutes: float) -> None:
    state = after(replace(fetched("dev"), settings=settings), event)  # type: ignore[arg-type]  # a table of events

    assert syncs(state, minutes) == []


def test_before_the_token_cache_was_read_nothing_counts_as_signed_out() -> None:
    state = after(started("dev"), MarksRead((mark("dev"),)))
    state = replace(state, active=("dev",))

    assert syncs(state) == []
    assert syncs(after(state, TokenVanished("corp"))) == [SyncCredentialsFile((), ("dev",))]


def test_a_cancelled_fresh_sign_in_leaves_the_keys_in_the_file() -> None:
    problem = TokenRefused().problem
    state = after(
        fetched("dev"),
        SignInStarted("corp"),
        SignInFailed("corp", problem, dropped=True),
        TokenVanished("corp"),
    )

    assert syncs(state, 30) == []


def test_switching_replaces_the_keys_of_default_without_an_empty_moment() -> None:
    state = after(fetched("dev", "ro"), Switched("dev"))
    state = after(
        state, Synced((mark("dev", "dev"), mark("ro", "ro"), mark("default", "dev", profile="dev")))
    )
    state = after(state, Switched("ro"))

    assert [(item.wanted[0].section, item.removed) for item in syncs(state)] == [("default", ())]


def test_a_failed_write_is_repeated_within_a_minute() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()), writing())
    state = after(state, SyncFailed(FileUnwritable("no space").problem))

    assert syncs(state, 0.1) == []
    assert len(syncs(state, 1)) == 1


def test_keys_that_end_this_very_moment_are_not_written() -> None:
    ends = NOON + HOUR

    assert [each.profile for each in wanted_sections(held(), ends - timedelta(microseconds=1))] == ["dev"]
    assert wanted_sections(held(), ends) == ()


# --- when to look again ------------------------------------------------------------------------------


@thoroughly(max_examples=1000)
@given(st.integers(0, 70 * 60), st.sampled_from(["fresh", "offline", "throttled", "refused"]))
def test_nothing_new_is_decided_before_the_next_look(seconds: int, how: str) -> None:
    state = fetched("dev", "ro")
    if how == "offline":
        state = after(state, fetching("dev"), FetchFailed("dev", Offline().problem), now=NOON + 30 * MINUTE)
    if how == "throttled":
        state = after(state, RefreshFailed("corp", Throttled().problem), now=NOON + 41 * MINUTE)
    if how == "refused":
        state = after(state, fetching("ro"), FetchFailed("ro", RoleRefused().problem), now=NOON + 41 * MINUTE)
    now = NOON + seconds * SECOND
    look = next_look(state, now)
    if look is None:
        return
    just_before = look - timedelta(microseconds=1)
    begun = set(map(repr, decide(state, now)))

    assert set(map(repr, decide(state, just_before))) <= begun


def test_a_token_of_another_program_is_taken_over() -> None:
    state = after(
        fetched("dev"), TokenFound("corp", token(NOON + 30 * MINUTE, name="cli")), now=NOON + 31 * MINUTE
    )

    assert calls(state, 45) == [FetchRoleCredentials("dev")]
