"""Numbers and sizes at the edges of what AWS gives out: what is beyond is cut, and nothing is thrown away."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from credtray.aws import service_call
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.aws.service_call import Reply
from credtray.core import oauth
from credtray.core.config.sso import parse_config
from credtray.core.models import AccessToken, ClientRegistration, Profile, RoleCredentials, Secret
from credtray.core.settings import from_mapping
from credtray.core.words import parse_duration
from tests.aws.test_reply_fuzz import ScriptedClients
from tests.fakes_identity_center import CORP, NOON, FakeClock

CLIENT = ClientRegistration("client", Secret("secret"), datetime(2027, 1, 1, tzinfo=UTC))
TOKEN = AccessToken(Secret("access"), NOON + timedelta(hours=1), Secret("refresh"), CLIENT)
DAY = 24 * 3600


@pytest.fixture(scope="module")
def clients() -> ScriptedClients:
    return ScriptedClients()


def center(clients: ScriptedClients, **answer: Any) -> BotocoreIdentityCenter:
    clients.scripted.reply = Reply(200, {}, json.dumps(answer).encode())
    clock = FakeClock()
    return BotocoreIdentityCenter(clients, clock, Portal(clients, clock, lambda: 0.0))


def keys(clients: ScriptedClients, expires_at: float, size: int = 1000) -> RoleCredentials:
    answer = {
        "accessKeyId": "ASIAEXAMPLE",
        "secretAccessKey": "secret",
        "sessionToken": "t" * size,
        "expiration": int(expires_at * 1000),
    }
    clients.scripted.reply = Reply(200, {}, json.dumps({"roleCredentials": answer}).encode())
    source = BotocoreRoleCredentials(clients, FakeClock())
    return source.fetch(CORP, TOKEN, Profile("p", "corp", "111100000000", "Admin"), lambda: NOON).value


@pytest.mark.met("F17")
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (31 * DAY, 31 * DAY),
        (90 * DAY, 90 * DAY),
        (90 * DAY + 1, 90 * DAY),
        (365 * DAY, 90 * DAY),
        (1 << 40, 90 * DAY),
        (1, 1),
    ],
)
def test_a_sign_in_of_any_length_is_taken(clients: ScriptedClients, seconds: int, expected: int) -> None:
    token = center(clients, accessToken="a", expiresIn=seconds).refresh(CORP, TOKEN)

    assert timedelta(seconds=expected) == token.expires_at - NOON


@pytest.mark.met("F17")
def test_a_token_of_20_kib_is_taken(clients: ScriptedClients) -> None:
    token = center(clients, accessToken="a" * 20_480, expiresIn=3600).refresh(CORP, TOKEN)

    assert len(token.value.reveal()) == 20_480


@pytest.mark.met("F17")
@pytest.mark.parametrize("hours", [1, 12, 13, 36, 48, 24 * 365 * 10_000])
def test_role_credentials_of_any_length_are_taken(clients: ScriptedClients, hours: int) -> None:
    found = keys(clients, NOON.timestamp() + hours * 3600)

    assert timedelta(hours=min(hours, 36)) == found.life


@pytest.mark.met("F17")
def test_a_session_token_of_40_kib_is_taken(clients: ScriptedClients) -> None:
    assert len(keys(clients, NOON.timestamp() + 3600, 40_960).session_token.reveal()) == 40_960


@pytest.mark.met("F17")
@pytest.mark.parametrize("days", [90, 365, 10_000_000])
def test_a_registration_of_any_length_is_taken(clients: ScriptedClients, days: int) -> None:
    ends = int(NOON.timestamp()) + days * DAY
    service = center(clients, clientId="c", clientSecret="s" * 9000, clientSecretExpiresAt=ends)
    found = service.register(CORP, CORP.start_url, oauth.AUTHORIZATION_CODE)

    assert found.expires_at >= NOON + timedelta(days=90)


@pytest.mark.met("F17")
def test_a_device_code_of_any_length_is_taken(clients: ScriptedClients) -> None:
    service = center(
        clients,
        deviceCode="d",
        userCode="ABCD-EFGH",
        verificationUri="https://device.sso.us-east-1.amazonaws.com/",
        verificationUriComplete="https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
        expiresIn=1_579_729_529,
        interval=100_000,
    )
    found = service.start_device(CORP, CLIENT, CORP.start_url)

    assert (found.expires_at - NOON, found.interval) == (timedelta(days=1), timedelta(seconds=300))


@pytest.mark.met("F17")
@pytest.mark.parametrize("region", ["mx-central-1", "eusc-de-east-1", "us-isob-east-1", "us-isof-south-1"])
def test_new_regions_and_odd_names_of_sessions_are_taken(region: str) -> None:
    text = (
        f'[sso-session "my corp \u65e5\u672c"]\nsso_start_url = {CORP.start_url}\nsso_region = {region}\n'
        "[profile p]\nsso_session = my corp \u65e5\u672c\nsso_account_id = 000000000001\n"
        f"sso_role_name = {'R' * 64}\nregion = {region}\n"
    )
    profile = parse_config(text.encode(), {}).profiles["p"]

    assert (profile.session, profile.region) == ("my corp \u65e5\u672c", region)


@pytest.mark.met("F17")
def test_a_session_may_be_set_to_last_90_days() -> None:
    settings = from_mapping({"sessions": {"corp": {"duration": "90d"}}})

    assert settings.session("corp").duration == parse_duration("90d")


def test_what_is_no_number_at_all_is_still_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"accessToken":"a","expiresIn":-1}', type=service_call.CreateToken)
