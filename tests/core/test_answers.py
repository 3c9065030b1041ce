from __future__ import annotations

from dataclasses import replace

import pytest

from credtray.core.answers import answer, chosen_session, known_profile, known_session
from credtray.core.errors import (
    ConfigInvalid,
    ForeignProfile,
    IncompleteProfile,
    Offline,
    Problem,
    RoleRefused,
    TokenRefused,
    UnknownProfile,
    UnknownSession,
    UsageError,
)
from credtray.core.events import (
    Asked,
    ConfigBroken,
    ConfigLoaded,
    FetchFailed,
    RefreshFailed,
    SignInStarted,
    TokenVanished,
)
from credtray.core.models import AwsConfig, ConfigWarning, RoleCredentials
from credtray.core.models import ForeignProfile as Foreign
from credtray.core.state import State
from tests.core.making import (
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    held,
    keys,
    profile,
    refreshing,
    session,
    signed_in,
    started,
)


def answered(state: State, minutes: float = 0) -> RoleCredentials | str | None:
    found = answer(state, state.profiles["dev"], NOON + minutes * MINUTE)
    return found.code if isinstance(found, Problem) else found


def test_keys_with_more_than_15_minutes_left_are_handed_out_and_the_tail_never() -> None:
    assert answered(held(), 44.9) == keys()
    assert answered(after(held(), Asked("dev")), 45) is None


def test_fresh_keys_are_handed_out_whatever_trouble_there_is() -> None:
    assert answered(after(held(), RefreshFailed("corp", Offline().problem))) == keys()
    assert answered(after(held(), RefreshFailed("corp", TokenRefused().problem))) == keys()
    assert answered(after(held(), SignInStarted("corp"))) == keys()


def test_somebody_who_is_not_signed_in_is_told_the_command() -> None:
    state = after(started("dev"), TokenVanished("corp"), Asked("dev"))
    found = answer(state, state.profiles["dev"], NOON)

    assert isinstance(found, Problem)
    assert (found.code, found.hint) == ("sign_in_required", "Run: credtray login corp")


def test_an_ended_sign_in_with_keys_in_their_tail_asks_for_a_sign_in() -> None:
    state = after(held(), RefreshFailed("corp", TokenRefused().problem), now=NOON + 50 * MINUTE)

    assert answered(after(state, Asked("dev")), 50) == "sign_in_required"


def test_a_caller_waits_while_something_is_under_way() -> None:
    assert answered(after(signed_in("dev"), Asked("dev"), fetching("dev"))) is None
    assert answered(after(signed_in("dev"), Asked("dev"), refreshing("corp"))) is None
    assert answered(after(started("dev"), TokenVanished("corp"), SignInStarted("corp"), Asked("dev"))) is None
    assert answered(after(started("dev"), Asked("dev"))) is None


def test_trouble_is_the_answer_while_it_is_being_left_alone() -> None:
    asked = after(signed_in("dev"), Asked("dev"), fetching("dev"))

    assert answered(after(asked, FetchFailed("dev", RoleRefused().problem))) == "role_refused"
    assert answered(after(asked, FetchFailed("dev", Offline().problem))) == "offline"


def test_an_unknown_profile_offers_the_nearest_names() -> None:
    with pytest.raises(UnknownProfile, match="Did you mean dev"):
        known_profile(started("dev"), "dve")


def test_a_profile_that_is_not_ours_says_why() -> None:
    state = started("dev")
    state = replace(state, config=replace(state.config, foreign=(Foreign("keys", "it holds static keys"),)))
    with pytest.raises(ForeignProfile, match="static keys"):
        known_profile(state, "keys")


def test_a_profile_that_lacks_a_setting_says_which() -> None:
    state = started("dev")
    warning = ConfigWarning("half", 7, "it lacks sso_role_name", "Add it.")
    state = replace(state, config=replace(state.config, warnings=(warning,)))
    with pytest.raises(IncompleteProfile, match="half: it lacks sso_role_name") as refused:
        known_profile(state, "half")

    assert refused.value.advice == "Add it."


def test_while_the_config_file_is_broken_nobody_says_that_there_is_no_such_name() -> None:
    state = after(started("dev"), ConfigBroken(ConfigInvalid("line 3").problem))
    for find in (known_profile, known_session):
        with pytest.raises(ConfigInvalid, match="line 3"):
            find(state, "other")

    assert known_profile(state, "dev").profile.name == "dev"


def test_a_session_that_cannot_be_used_says_why() -> None:
    warning = ConfigWarning("sso-session corp", 1, "it lacks sso_region", "Add it.")
    state = after(started("dev"), ConfigLoaded(AwsConfig(warnings=(warning,))))
    with pytest.raises(IncompleteProfile, match="it lacks sso_region"):
        known_session(state, "corp")
    with pytest.raises(IncompleteProfile, match="it lacks sso_region"):
        chosen_session(state)


def test_a_session_need_not_be_named_where_there_is_one_or_one_in_use() -> None:
    two = config(profile("dev"), profile("ops", of="other"), sessions=(session(), session("other")))
    state = after(started("dev"), ConfigLoaded(two))
    with pytest.raises(UsageError, match="corp, other"):
        chosen_session(state)
    with pytest.raises(UnknownSession, match="Did you mean corp"):
        known_session(state, "crop")

    assert chosen_session(started("dev")).session.name == "corp"
    assert chosen_session(replace(state, active=("ops",))).session.name == "other"
