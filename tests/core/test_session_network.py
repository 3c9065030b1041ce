from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from credtray.core.apply import apply
from credtray.core.aws_hosts import in_effect
from credtray.core.config.sso import parse_config
from credtray.core.errors import Offline
from credtray.core.events import ConfigLoaded, SettingsLoaded
from credtray.core.models import Endpoints, Secret
from credtray.core.settings import SessionSettings, Settings
from credtray.core.state import State, Trouble
from tests.core.making import NOON

CONFIG = b"""\
[sso-session office]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
[profile dev]
sso_session = office
sso_account_id = 111100000001
sso_role_name = ReadOnly
ca_bundle = /of/the/config.pem
[sso-session home]
sso_start_url = https://d-9067000002.awsapps.com/start
sso_region = us-east-1
[profile own]
sso_session = home
sso_account_id = 111100000002
sso_role_name = ReadOnly
"""
PROXY = "http://alice:CANARY@proxy.example:3128"
SETTINGS = Settings(sessions={"office": SessionSettings(proxy=PROXY, ca_bundle="/of/the/settings.pem")})
READ = parse_config(CONFIG, {})


def test_settings_reach_the_session_and_its_profiles_and_no_others() -> None:
    found = in_effect(READ, SETTINGS)
    expected = Endpoints(proxy=Secret(PROXY), ca_bundle="/of/the/settings.pem")

    assert (found.sessions["office"].endpoints, found.profiles["dev"].endpoints) == (expected, expected)
    assert found.sessions["home"] == READ.sessions["home"]
    assert found.profiles["own"] == READ.profiles["own"]
    assert "CANARY" not in repr(found)


def test_without_settings_the_config_file_holds() -> None:
    assert in_effect(READ, Settings()) is READ
    assert READ.profiles["dev"].endpoints == Endpoints(ca_bundle="/of/the/config.pem")


def test_settings_count_whichever_file_was_read_first() -> None:
    config, settings = ConfigLoaded(READ), SettingsLoaded(SETTINGS)
    one = apply(apply(State(), config, NOON), settings, NOON)
    other = apply(apply(State(), settings, NOON), config, NOON)

    assert one.sessions["office"].session.endpoints.proxy == Secret(PROXY)
    assert one == other


def test_settings_taken_back_leave_what_the_config_file_says() -> None:
    state = apply(apply(State(), SettingsLoaded(SETTINGS), NOON), ConfigLoaded(READ), NOON)
    state = apply(state, SettingsLoaded(Settings()), NOON)

    assert state.sessions["office"].session == READ.sessions["office"]
    assert state.profiles["dev"].profile == READ.profiles["dev"]


def test_another_way_ends_the_wait_after_a_failure_and_the_same_way_does_not() -> None:
    state = apply(apply(State(), SettingsLoaded(SETTINGS), NOON), ConfigLoaded(READ), NOON)
    trouble = Trouble(Offline("x").problem, NOON, 1, NOON + timedelta(hours=1))
    for session in state.sessions.values():
        state = state.with_session(replace(session, trouble=trouble))

    assert apply(state, SettingsLoaded(SETTINGS), NOON).sessions["office"].trouble == trouble

    moved = apply(state, SettingsLoaded(Settings()), NOON)

    assert moved.sessions["office"].trouble is None
    assert moved.sessions["home"].trouble == trouble
