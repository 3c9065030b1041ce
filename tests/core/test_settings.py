from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import SettingsInvalid
from credtray.core.settings import ProfileSettings, SessionSettings, Settings, from_mapping
from credtray.core.words import parse_duration, short
from tests.core.making import HOUR, MINUTE, SECOND


def test_no_settings_are_the_defaults() -> None:
    assert from_mapping({}) == Settings()


def test_everything_that_can_be_set() -> None:
    found = from_mapping(
        {
            "warn_before": ["10m", "1h"],
            "remove_keys_at_end": False,
            "remove_keys_at_sign_out": False,
            "remove_keys_on_stop": False,
            "sessions": {"corp": {"duration": "4h30m", "device_flow": True}},
            "profiles": {"dev": {"section": "dev-keys"}},
        }
    )

    assert found == Settings(
        warn_before=(HOUR, 10 * MINUTE),
        remove_keys_at_end=False,
        remove_keys_at_sign_out=False,
        remove_keys_on_stop=False,
        sessions={"corp": SessionSettings(4.5 * HOUR, device_flow=True)},
        profiles={"dev": ProfileSettings("dev-keys")},
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"warn_bfore": []}, "Did you mean warn_before"),
        ({"warn_before": "30m"}, "must be a list"),
        ({"warn_before": ["soon"]}, 'such as "30m"'),
        ({"remove_keys_on_stop": "yes"}, "true or false"),
        ({"sessions": {"corp": {"duration": 4}}}, "sessions.corp.duration"),
        ({"sessions": {"corp": {"durations": "4h"}}}, "Did you mean duration"),
        ({"sessions": []}, "tables"),
        ({"sessions": {"corp": 4}}, "tables"),
        ({"profiles": {"dev": {"section": "a]b"}}}, "without ']'"),
        ({"profiles": {"dev": {"section": "a\nb"}}}, "printable"),
        ({"profiles": {"dev": {"section": ""}}}, "printable"),
    ],
)
def test_what_cannot_be_a_setting_is_named(data: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        from_mapping(data)

    assert says in str(refused.value)


def test_the_length_of_a_sign_in_is_the_setting_or_the_services_default() -> None:
    settings = Settings(sessions={"corp": SessionSettings(2 * HOUR), "lab": SessionSettings()})

    assert settings.sign_in_length("corp") == 2 * HOUR
    assert settings.sign_in_length("lab") == 8 * HOUR
    assert settings.sign_in_length("other") == 8 * HOUR


@given(st.integers(1, 10**6))
def test_a_duration_reads_back(seconds: int) -> None:
    assert parse_duration(f"{seconds}s") == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "0m", "m", "4", "4 h", "-4h", "4h4h", "30m1h", "1e3s", "٣m", "9" * 400 + "m"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_durations_for_people() -> None:
    assert [short(each) for each in (4 * HOUR, 192 * MINUTE, 9 * MINUTE, 40 * SECOND, -SECOND)] == [
        "4 h",
        "3 h 12 min",
        "9 min",
        "40 s",
        "0 s",
    ]
