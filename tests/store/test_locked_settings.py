"""What a policy sets: it counts more than a person's settings, and a mistake in it costs only itself."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import SettingLocked
from credtray.core.settings import Settings, from_mapping
from credtray.store.locked_settings import Locked, Said, understood
from credtray.store.organisation import said_by_plist, said_by_registry, said_by_toml

HOUR = timedelta(hours=1)


def policy(text: str, place: str = "policy.toml") -> Locked:
    return understood([Said(place, tomllib.loads(text))])


def own(text: str = "") -> Settings:
    return from_mapping(tomllib.loads(text))


def test_what_is_locked_counts_more_than_a_persons_own() -> None:
    locked = policy('history = false\n[sessions.corp]\nduration = "4h"\n[profiles.prod]\nproduction = true')
    mine = own('history = true\nicon = "dark"\n[sessions.corp]\nduration = "9h"\nproxy = "http://p:1"')
    found = locked.over(mine)

    assert not found.history
    assert found.icon == "dark"
    assert (found.session("corp").duration, found.session("corp").proxy) == (4 * HOUR, "http://p:1")
    assert found.profile("prod").production


def test_no_policy_leaves_the_settings_as_they_are() -> None:
    mine = own('icon = "dark"')

    assert Locked().over(mine) is mine


def test_a_setting_locked_for_all_sessions_is_locked_for_each() -> None:
    locked = policy('warn_before = ["1h"]')
    found = locked.over(own('[sessions.corp]\nwarn_before = ["5m"]\ndevice_flow = true'))

    assert found.warnings("corp") == (HOUR,)
    assert found.session("corp").device_flow
    with pytest.raises(SettingLocked):
        locked.check(("sessions", "corp", "warn_before"))


def test_a_session_of_the_policy_may_differ_from_what_it_sets_for_all() -> None:
    found = policy('warn_before = ["1h"]\n[sessions.corp]\nwarn_before = ["5m"]').over(own())

    assert found.warnings("corp") == (timedelta(minutes=5),)
    assert found.warnings("other") == (HOUR,)


def test_a_rule_for_coding_agents_is_locked_for_each_profile_but_a_stricter_one_stays() -> None:
    locked = policy('agents = "ask"\n[profiles.play]\nagents = "allow"')
    mine = own('[profiles.dev]\nagents = "allow"\n[profiles.prod]\nagents = "never"\nproduction = true')
    found = locked.over(mine)

    assert [found.profile(name).agents for name in ("dev", "prod", "play")] == [None, "never", "allow"]
    assert found.profile("prod").production
    with pytest.raises(SettingLocked):
        locked.check(("profiles", "dev", "agents"))


def test_refusal_says_what_is_set_where_and_whom_to_ask() -> None:
    with pytest.raises(SettingLocked) as caught:
        policy("history = false", "/etc/credtray/policy.toml").check(("history",))

    assert caught.value.detail == "history is set to false in /etc/credtray/policy.toml"
    assert "Ask whoever looks after your computer" in caught.value.advice


def test_refusal_does_not_show_the_login_of_a_proxy() -> None:
    with pytest.raises(SettingLocked) as caught:
        policy('[sessions.corp]\nproxy = "http://kim:hunter2@p:1"').check(("sessions", "corp", "proxy"))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("histori = true", "histori is not a setting. Did you mean history?"),
        ("history = 1", "history must be true or false"),
        ("history = 1979-05-27", "history must be true or false"),
        ('icon = "red"', 'icon must be "auto", "light" or "dark"'),
        ("sessions = 7", "sessions is not one setting"),
        ("[sessions]\ncorp = 7", "sessions.corp is not one setting"),
        ("[sessions.corp.more]\nduration = 7", "sessions.corp.more"),
        ("[history]\non = true", "history must be true or false"),
        ('[sessions.corp]\nduration = "long"', "sessions.corp.duration must be a duration"),
        ('[sessions.corp]\nduration = "1h"\nwarn_before = ["2h"]', "sessions.corp.warn_before contradicts"),
        ('warn_before = ["2h"]\n[sessions.corp]\nduration = "1h"', "sessions.corp.duration contradicts"),
        ('[profiles.a]\nsection = "x"\n[profiles.b]\nsection = "x"', "profiles.b.section contradicts"),
        ('[sessions.corp]\nproxy = "gopher://p"', "sessions.corp.proxy is a gopher:// proxy"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_and_costs_only_itself(text: str, said: str) -> None:
    locked = policy(f"confirm_production = true\n{text}")
    [mistake] = locked.mistakes

    assert mistake.startswith("policy.toml: ")
    assert said in mistake
    assert locked.over(own()).confirm_production


def test_of_a_contradiction_only_one_side_falls() -> None:
    text = '[sessions.corp]\nduration = "1h"\nwarn_before = ["2h"]'
    found = policy(text).over(own('[sessions.corp]\nduration = "9h"\nwarn_before = ["9m"]'))

    assert found.session("corp").duration == HOUR
    assert found.warnings("corp") == (timedelta(minutes=9),)


def test_the_session_of_a_contradiction_is_not_left_with_another_one() -> None:
    text = 'warn_before = ["3h"]\n[sessions.corp]\nduration = "1h"\nwarn_before = ["2h"]'
    locked = policy(text)

    assert len(locked.mistakes) == 2
    assert dict(locked.locks).keys() == {("warn_before",)}


def test_of_two_places_the_first_counts() -> None:
    locked = understood([Said("HKLM", {"history": False}), Said("HKCU", {"history": True, "icon": "dark"})])
    found = locked.over(own())

    assert (found.history, found.icon) == (False, "dark")
    assert locked.places == ("HKLM", "HKCU")
    assert not locked.mistakes


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ("", "history = true", True),
        ("history = true", "", True),
        ("history = true", 'history = true\nicon = "dark"', False),
        ("", "[sessions.corp]\ndevice_flow = true", False),
        ("", '[sessions.corp]\nwarn_before = ["1m"]', True),
    ],
)
def test_a_change_of_the_file_is_refused_only_where_it_is_locked(
    before: str, after: str, *, refused: bool
) -> None:
    locked = policy('history = false\nwarn_before = ["1h"]')
    told = False
    try:
        locked.check_change(tomllib.loads(before), tomllib.loads(after))
    except SettingLocked:
        told = True

    assert told is refused


# --- the forms it is written in ----------------------------------------------------------------------


def test_what_stands_before_a_cut_still_holds() -> None:
    data, mistakes = said_by_toml(b'history = false\n[sessions.corp]\ndevice_flow = true\nduration = "4')

    assert data == {"history": False, "sessions": {"corp": {"device_flow": True}}}
    assert "only what is above its mistake is used" in mistakes[0]


def test_a_list_that_is_not_closed_takes_nothing_else_with_it() -> None:
    data, mistakes = said_by_toml(b'history = false\nwarn_before = [\n"1h",\n')

    assert data == {"history": False}
    assert len(mistakes) == 1


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[" * 9000, b"= 1", b"x = [\n" * 200])
def test_what_cannot_be_read_at_all_sets_nothing(data: bytes) -> None:
    found, mistakes = said_by_toml(data)

    assert found == {}
    assert mistakes


@given(data=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_no_content_ends_in_an_exception(data: bytes) -> None:
    for parse in (said_by_toml, said_by_plist):
        found, mistakes = parse(data)
        locked = understood([Said("place", found, mistakes)])

        assert isinstance(locked.over(own()), Settings)
        assert all(each.isprintable() for each in locked.mistakes)


_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(data=st.dictionaries(st.sampled_from(["history", "sessions", "profiles", "warn_before", ""]), _VALUES))
def test_no_kind_of_value_ends_in_an_exception(data: dict[str, Any]) -> None:
    assert isinstance(understood([Said("place", data)]).over(own()), Settings)


def test_a_property_list_is_read() -> None:
    text = (
        b'<?xml version="1.0"?><plist version="1.0"><dict><key>history</key><false/><key>sessions</key><dict>'
        b"<key>corp</key><dict><key>duration</key><string>4h</string></dict></dict></dict></plist>"
    )
    found = understood([Said("place", *said_by_plist(text))]).over(own())

    assert (found.history, found.session("corp").duration) == (False, 4 * HOUR)


def test_the_registry_minds_no_case_of_settings_and_that_of_names() -> None:
    data = said_by_registry(
        {"History": 0, "Sessions": {"Corp": {"Device_Flow": 1, "Duration": "4h"}}, "icon": 7}
    )
    locked = understood([Said("HKLM", data)])
    found = locked.over(own())

    assert (found.history, found.session("Corp").device_flow) == (False, True)
    assert found.session("Corp").duration == 4 * HOUR
    assert "icon must be" in locked.mistakes[0]
