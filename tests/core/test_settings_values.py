from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import SettingsInvalid
from credtray.core.models import Delivery
from credtray.core.policy import next_look
from credtray.core.settings import (
    Entry,
    ProfileSettings,
    SessionSettings,
    Settings,
    Where,
    dotted,
    entries,
    entry_at,
    from_mapping,
    literal,
    typed,
)
from credtray.core.words import exact, parse_duration
from tests.core.making import HOUR, MINUTE, NOON, signed_in

TAGS = ("profiles", "dev", "tags")


@pytest.mark.parametrize(
    ("keys", "words", "value"),
    [
        (("warn_before",), ("1h", "10m"), ["1h", "10m"]),
        (("warn_before",), ("10m,1h30m",), ["1h30m", "10m"]),
        (("warn_before",), ("[]",), []),
        (("remove_keys_at_end",), ("false",), False),
        (("icon",), ("dark",), "dark"),
        (("sessions", "corp", "duration"), ("90m",), "1h30m"),
        (("sessions", "corp", "device_flow"), ("true",), True),
        (("sessions", "corp", "warn_before"), ("5m",), ["5m"]),
        (("sessions", "corp", "browser"), ("firefox", "-P", "work", "%s"), "firefox -P work %s"),
        (TAGS, ("billing", "weekly"), ["billing", "weekly"]),
        (TAGS, ("billing, weekly",), ["billing", "weekly"]),
        (TAGS, ('["a, b", "c"]',), ["a, b", "c"]),
        (("profiles", "dev", "delivery"), ("endpoint",), "endpoint"),
        (("profiles", "dev", "description"), ("Reads", "bills"), "Reads bills"),
    ],
)
def test_what_a_person_types_becomes_what_the_file_holds(
    keys: Where, words: tuple[str, ...], value: object
) -> None:
    assert typed(keys, words) == value


@pytest.mark.parametrize(
    ("keys", "word", "says"),
    [
        (("warn_befor",), "1h", "Did you mean warn_before"),
        (("warn_before",), "soon", 'such as "30m"'),
        (("icon",), "red", '"auto", "light" or "dark"'),
        (("remove_keys_at_end",), "yes", "true or false"),
        (("sessions", "corp", "durations"), "4h", "Did you mean duration"),
        (("profiles", "dev"), "x", "not one setting"),
        (("profiles", "dev", "tags", "x"), "x", "not one setting"),
        (("profile", "dev", "tags"), "x", "Did you mean profiles"),
        (("profiles", "dev", "region"), "evil.com/#", "a region such as"),
        (("profiles", "dev", "section"), "a]b", "without ']'"),
        (("profiles", "dev", "tags"), "a\tb", "printable"),
        (("profiles", "dev", "delivery"), "mail", '"file", "process" or "endpoint"'),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(keys: Where, word: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        typed(keys, (word,))

    assert says in str(refused.value)
    assert dotted(keys) in str(refused.value)


def test_in_effect_is_what_holds_where_nothing_is_set() -> None:
    settings = Settings(
        warn_before=(HOUR,), sessions={"corp": SessionSettings(2 * HOUR)}, profiles={"dev": ProfileSettings()}
    )
    found = [
        entry_at(settings, keys)
        for keys in (
            ("warn_before",),
            ("sessions", "corp", "duration"),
            ("sessions", "other", "duration"),
            ("sessions", "corp", "warn_before"),
            ("profiles", "dev", "section"),
            ("profiles", "dev", "region"),
        )
    ]

    assert [(each.value, each.changed) for each in found] == [
        ((HOUR,), True),
        (2 * HOUR, True),
        (8 * HOUR, False),
        ((HOUR,), False),
        ("dev", False),
        (None, False),
    ]


def test_the_list_has_all_settings_for_everybody_and_what_is_set_for_one() -> None:
    settings = Settings(
        sessions={"corp": SessionSettings(device_flow=True)},
        profiles={"dev": ProfileSettings(tags=("a",), delivery=Delivery.ENDPOINT), "ro": ProfileSettings()},
    )

    assert {each.keys: each.value for each in entries(settings) if each.changed} == {
        ("sessions", "corp", "device_flow"): True,
        ("profiles", "dev", "delivery"): Delivery.ENDPOINT,
        ("profiles", "dev", "tags"): ("a",),
    }
    assert [each.keys for each in entries(Settings())][:2] == [("warn_before",), ("remove_keys_at_end",)]


def test_a_literal_is_what_the_file_would_say() -> None:
    assert [
        literal(each)
        for each in ((30 * MINUTE, 10 * MINUTE), True, Delivery.FILE, 90 * MINUTE, 'a "b" \\ ü', ())
    ] == ['["30m", "10m"]', "true", '"file"', '"1h30m"', '"a \\"b\\" \\\\ ü"', "[]"]


@given(st.integers(1, 10**8))
def test_an_exact_duration_reads_back(seconds: int) -> None:
    assert parse_duration(exact(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_each_session_and_profile_has_its_own_and_all_else_the_common_value() -> None:
    settings = from_mapping(
        {
            "warn_before": ["1h"],
            "sessions": {"corp": {"warn_before": ["2h", "5m"]}, "quiet": {"warn_before": []}},
        }
    )

    assert settings.warnings("corp") == (2 * HOUR, 5 * MINUTE)
    assert settings.warnings("other") == (HOUR,)
    assert [settings.longest_warning(name) for name in ("corp", "other", "quiet")] == [
        2 * HOUR,
        HOUR,
        0 * HOUR,
    ]


def test_an_entry_that_equals_its_default_is_not_changed() -> None:
    assert not Entry(("icon",), "auto", "auto").changed


def test_the_agent_wakes_for_the_warnings_of_each_session() -> None:
    own = Settings(sessions={"corp": SessionSettings(8 * HOUR, warn_before=(7 * HOUR + 40 * MINUTE,))})
    state = replace(signed_in("dev", settings=own), active=())

    assert next_look(state, NOON + 10 * MINUTE) == NOON + 20 * MINUTE
