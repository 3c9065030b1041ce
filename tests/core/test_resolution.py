"""The resolution table where no real client can be asked: Go, Java, times, marks, and what is never kept.

Boto3, the AWS CLI and the JavaScript SDK are compared with the real ones in tests/resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from credtray.core.ports.files import Mark
from credtray.core.section_mark import key_digest
from credtray.doctor.resolution.answer import Client, Place, Provider, Resolution, TroubleKind, Where
from credtray.doctor.resolution.environment import (
    OtherInputs,
    TokenFile,
    environment_of,
    token_file,
    token_name,
)
from credtray.doctor.resolution.table import resolve

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OFF = {"AWS_EC2_METADATA_DISABLED": "true"}
SESSION = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"
SSO = "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Admin\n"
KEYS = "aws_access_key_id = AKIACANARY\naws_secret_access_key = CANARY\n"
TEMPORARY = "aws_access_key_id = ASIACANARY\naws_secret_access_key = CANARY\naws_session_token = CANARY\n"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIACANARY", "AWS_SECRET_ACCESS_KEY": "CANARY"}
SIGNED_IN = OtherInputs(tokens={token_name("corp"): TokenFile(NOW + HOUR, refreshable=True)})
PYTHON = (Client.AWS_CLI, Client.BOTO3)
ALL = tuple(Client)


def look(
    client: Client,
    profile: str | None = "app",
    *,
    config: str | None = None,
    credentials: str | None = None,
    environ: Mapping[str, str] | None = None,
    beside: OtherInputs = SIGNED_IN,
    explicit: bool = False,
) -> Resolution:
    files = [None if text is None else text.encode() for text in (config, credentials)]
    seen = environment_of(files[0], files[1], OFF | dict(environ or {}), NOW, beside)
    return resolve(seen, profile, client, explicit=explicit)


def kinds(found: Resolution) -> list[TroubleKind]:
    return [trouble.kind for trouble in found.troubles]


# --- who wins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Client.AWS_CLI, Provider.SSO_SESSION),
        (Client.BOTO3, Provider.SSO_SESSION),
        (Client.JAVA, Provider.SSO_SESSION),
        (Client.GO, Provider.CREDENTIALS_FILE),
        (Client.JAVASCRIPT, Provider.CREDENTIALS_FILE),
    ],
)
def test_keys_and_sso_settings_of_one_name(client: Client, expected: Provider) -> None:
    found = look(client, config=f"{SESSION}[profile app]\n{SSO}", credentials=f"[app]\n{KEYS}")

    assert expected is found.provider
    assert found.works


@pytest.mark.parametrize(
    ("client", "explicit", "expected"),
    [
        (Client.BOTO3, False, Provider.ENVIRONMENT),
        (Client.AWS_CLI, False, Provider.ENVIRONMENT),
        (Client.GO, False, Provider.ENVIRONMENT),
        (Client.JAVA, False, Provider.ENVIRONMENT),
        (Client.JAVASCRIPT, False, Provider.CREDENTIALS_FILE),
        *((client, True, Provider.CREDENTIALS_FILE) for client in ALL),
    ],
)
def test_keys_in_the_environment_against_a_named_profile(
    client: Client, *, explicit: bool, expected: Provider
) -> None:
    found = look(client, credentials=f"[app]\n{KEYS}", environ=ENVIRONMENT, explicit=explicit)

    assert expected is found.provider
    assert ([TroubleKind.ENVIRONMENT_WINS] if expected is Provider.ENVIRONMENT else []) == kinds(found)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Client.BOTO3, "old"),
        (Client.AWS_CLI, "new"),
        (Client.GO, "new"),
        (Client.JAVASCRIPT, "new"),
        (Client.JAVA, "new"),
    ],
)
def test_the_two_profile_variables_disagree(client: Client, expected: str) -> None:
    environ = {"AWS_PROFILE": "new", "AWS_DEFAULT_PROFILE": "old"}
    found = look(client, None, credentials=f"[old]\n{KEYS}\n[new]\n{KEYS}", environ=environ)

    assert expected == found.profile
    assert kinds(found) == [TroubleKind.VARIABLES_DISAGREE]


@pytest.mark.parametrize(
    ("client", "expected"), [(Client.GO, "old"), (Client.JAVASCRIPT, "default"), (Client.JAVA, "default")]
)
def test_not_everybody_knows_the_old_profile_variable(client: Client, expected: str) -> None:
    found = look(client, None, credentials=f"[old]\n{KEYS}", environ={"AWS_DEFAULT_PROFILE": "old"})

    assert expected == found.profile


# --- Go ----------------------------------------------------------------------------------------------


def test_go_stops_at_half_a_key_even_with_keys_in_the_environment() -> None:
    found = look(Client.GO, credentials="[app]\naws_access_key_id = AKIA\n", environ=ENVIRONMENT)

    assert kinds(found) == [TroubleKind.INCOMPLETE_KEYS]
    assert Where(Place.CREDENTIALS, "aws_access_key_id", 2) == found.where


def test_go_refuses_two_sources_in_one_profile() -> None:
    role = "role_arn = arn:aws:iam::1:role/a\nsource_profile = app\ncredential_process = x\n"
    found = look(Client.GO, config=f"[profile app]\n{role}{KEYS}")

    assert kinds(found) == [TroubleKind.ROLE_UNUSABLE]


def test_go_assumes_a_role_with_keys_of_the_same_section_without_a_source() -> None:
    found = look(Client.GO, config=f"[profile app]\nrole_arn = arn:aws:iam::1:role/a\n{KEYS}")

    assert (found.provider, found.base) == (Provider.ASSUME_ROLE, Provider.CONFIG_FILE)
    assert found.works


def test_go_takes_the_full_address_before_the_relative_one() -> None:
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
    }
    first = {client: look(client, None, environ=environ).where.name for client in ALL}

    assert {Client.GO, Client.JAVASCRIPT} == {client for client, name in first.items() if "FULL" in name}


def test_go_needs_no_default_profile_but_any_other() -> None:
    assert Provider.ENVIRONMENT is look(Client.GO, None, environ=ENVIRONMENT).provider
    assert kinds(look(Client.GO, "gone", environ=ENVIRONMENT)) == [TroubleKind.PROFILE_MISSING]


# --- Java --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", SSO.splitlines())
def test_java_takes_any_sso_setting_for_sso(setting: str) -> None:
    found = look(Client.JAVA, config=f"{SESSION}[profile app]\n{setting}\n{KEYS}", explicit=True)

    expected = Provider.SSO_SESSION if "sso_session" in setting else Provider.SSO_LEGACY
    assert expected is found.provider
    assert kinds(found) == [TroubleKind.INCOMPLETE_SSO]


def test_java_goes_on_to_the_container_when_a_profile_fails() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x"}
    found = look(Client.JAVA, config=f"{SESSION}[profile app]\n{SSO}", environ=environ, beside=OtherInputs())

    assert Provider.CONTAINER is found.provider
    assert found.works
    assert kinds(found) == [TroubleKind.TOKEN_MISSING]


def test_java_has_nothing_behind_a_profile_given_to_the_program() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x"}
    found = look(Client.JAVA, "gone", environ=environ, explicit=True)

    assert kinds(found) == [TroubleKind.PROFILE_MISSING]


@pytest.mark.parametrize("first", ["[default]", "[profile default]"])
def test_java_prefers_the_default_with_a_prefix(first: str) -> None:
    second = "[profile default]" if first == "[default]" else "[default]"
    config = f"{first}\ncredential_process = x\n{second}\ncredential_process = y\n"
    found = look(Client.JAVA, "default", config=config)

    assert (2 if first == "[profile default]" else 4) == found.where.line


@pytest.mark.parametrize("client", [Client.GO, Client.JAVA])
def test_a_byte_order_mark_stops_go_and_java(client: Client) -> None:
    found = look(client, credentials=f"\ufeff[app]\n{KEYS}", explicit=True)

    assert kinds(found) == [TroubleKind.FILE_UNPARSABLE]
    assert found.where.line == 1


# --- times, marks, freshness -------------------------------------------------------------------------


def marked(left: timedelta, key: str = "ASIACANARY") -> OtherInputs:
    mark = Mark("app", "app", NOW + left, key_digest(key))
    return OtherInputs(tokens=SIGNED_IN.tokens, marks=(mark,))


@pytest.mark.parametrize("client", ALL)
def test_keys_of_ours_are_kept_fresh_and_still_not_noticed(client: Client) -> None:
    found = look(client, credentials=f"[app]\n{TEMPORARY}", beside=marked(HOUR))

    assert found.kept_fresh_by_us
    assert not found.will_notice_renewal
    assert kinds(found) == []


@pytest.mark.parametrize("client", ALL)
def test_keys_of_ours_past_their_end_are_told(client: Client) -> None:
    found = look(client, credentials=f"[app]\n{TEMPORARY}", beside=marked(timedelta(0)))

    assert kinds(found) == [TroubleKind.KEYS_EXPIRED]
    assert not found.works
    assert not found.kept_fresh_by_us


def test_a_mark_of_another_key_says_nothing() -> None:
    found = look(Client.BOTO3, credentials=f"[app]\n{TEMPORARY}", beside=marked(-HOUR, "ASIAOTHER"))

    assert kinds(found) == []
    assert not found.kept_fresh_by_us


@pytest.mark.parametrize("client", PYTHON)
def test_keys_of_ours_that_sso_settings_hide_are_told(client: Client) -> None:
    found = look(
        client,
        config=f"{SESSION}[profile app]\n{SSO}",
        credentials=f"[app]\n{TEMPORARY}",
        beside=marked(HOUR),
    )

    assert kinds(found) == [TroubleKind.KEYS_SHADOWED]
    assert found.kept_fresh_by_us


@pytest.mark.parametrize(
    "past",
    [
        "x_security_token_expires = 2026-11-22T08:59:00Z\n",
        "aws_session_expiration = 2026-11-22T08:59:00+00:00+0000\n",  # yawsso
    ],
)
def test_the_note_of_another_tool_tells_that_keys_have_ended(past: str) -> None:
    found = look(Client.JAVASCRIPT, credentials=f"[app]\n{TEMPORARY}{past}")

    assert kinds(found) == [TroubleKind.KEYS_EXPIRED]


@pytest.mark.parametrize(
    ("left", "refreshable", "client", "expected"),
    [
        (timedelta(seconds=1), False, Client.BOTO3, []),
        (timedelta(0), False, Client.BOTO3, [TroubleKind.TOKEN_EXPIRED]),
        (timedelta(0), True, Client.BOTO3, []),
        (timedelta(minutes=5, seconds=1), False, Client.JAVASCRIPT, []),
        (timedelta(minutes=5), False, Client.JAVASCRIPT, [TroubleKind.TOKEN_EXPIRED]),
        (timedelta(minutes=5), True, Client.JAVASCRIPT, []),
        (timedelta(minutes=1), False, Client.GO, []),
    ],
)
def test_when_a_token_is_too_old(
    left: timedelta, *, refreshable: bool, client: Client, expected: list[TroubleKind]
) -> None:
    tokens = {token_name("corp"): TokenFile(NOW + left, refreshable=refreshable)}
    found = look(client, config=f"{SESSION}[profile app]\n{SSO}", beside=OtherInputs(tokens=tokens))

    assert expected == kinds(found)


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        ("credtray credentials app", True),
        ('"C:\\\\bin\\\\credtray.exe" credentials app', True),
        ("/usr/bin/python3 -I -S /opt/agent/credtray/__main__.py credentials app", True),
        ("aws-vault exec credtray --json", False),
        ("/opt/agent/credtray/__main__.py status", False),
    ],
)
def test_a_credential_process_of_ours_is_known(command: str, *, ours: bool) -> None:
    found = look(Client.GO, config=f"[profile app]\ncredential_process = {command}\n")

    assert Provider.PROCESS is found.provider
    assert ours is found.kept_fresh_by_us
    assert found.will_notice_renewal


@pytest.mark.parametrize(("keys", "renews"), [(KEYS, True), (TEMPORARY, False)])
@pytest.mark.parametrize("client", ALL)
def test_a_role_lives_as_long_as_what_it_is_assumed_with(client: Client, keys: str, *, renews: bool) -> None:
    config = "[profile app]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = base\n"
    found = look(client, config=config, credentials=f"[base]\n{keys}")

    assert (found.provider, found.base) == (Provider.ASSUME_ROLE, Provider.CREDENTIALS_FILE)
    assert Where(Place.CREDENTIALS, "aws_access_key_id", 2) == found.base_where
    assert renews is found.will_notice_renewal


@pytest.mark.parametrize("client", ALL)
def test_the_instance_is_asked_last_and_answers_only_on_ec2(client: Client) -> None:
    found = resolve(environment_of(None, None, {}, NOW), None, client)

    assert Provider.INSTANCE_METADATA is found.provider
    assert kinds(found) == [TroubleKind.NOTHING_FOUND]


@pytest.mark.parametrize(("answers", "expected"), [(True, []), (False, [TroubleKind.ENDPOINT_SILENT])])
@pytest.mark.parametrize("client", PYTHON)
def test_an_endpoint_that_does_not_answer_is_told(
    client: Client, *, answers: bool, expected: list[TroubleKind]
) -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x"}
    found = look(client, None, environ=environ, beside=OtherInputs(endpoint_answers=answers))

    assert expected == kinds(found)
    assert answers is found.kept_fresh_by_us


def test_the_login_of_the_newer_cli_is_left_alone() -> None:
    config = "[profile app]\nlogin_session = arn:aws:iam::1:user/me\n"

    assert kinds(look(Client.AWS_CLI, config=config)) == []
    assert kinds(look(Client.BOTO3, config=config)) == [TroubleKind.UNSUPPORTED]


# --- what is kept ------------------------------------------------------------------------------------


def test_no_secret_stays_in_the_surroundings() -> None:
    config = f"[profile app]\ncredential_process = get CANARY\nmfa_serial = CANARY\n{TEMPORARY}"
    environ = ENVIRONMENT | {
        "AWS_SESSION_TOKEN": "CANARY",
        "AWS_SECURITY_TOKEN": "CANARY2",
        "OTHER": "CANARY",
    }
    kept = environment_of(config.encode(), f"[app]\n{TEMPORARY}".encode(), environ, NOW)
    answers = [resolve(kept, "app", client) for client in ALL]

    assert "CANARY" not in repr((kept, answers))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", TokenFile(None)),
        (b'{"accessToken": "x"}', TokenFile(None)),
        (b'{"expiresAt": "2026-11-22T10:00:00Z"}', TokenFile(None)),
        (b'{"accessToken": "x", "expiresAt": "2026-11-22T10:00:00UTC"}', TokenFile(NOW + HOUR)),
    ],
)
def test_what_a_token_file_says(data: bytes, expected: TokenFile) -> None:
    assert expected == token_file(data, NOW)


@pytest.mark.parametrize(("until", "refreshable"), [("09:00:00", False), ("09:00:01", True)])
def test_a_token_is_refreshable_while_its_registration_lasts(until: str, *, refreshable: bool) -> None:
    data = (
        '{"accessToken": "x", "expiresAt": "2026-11-22T10:00:00Z", "refreshToken": "r", "clientId": "c",'
        f' "clientSecret": "s", "registrationExpiresAt": "2026-11-22T{until}Z"}}'
    )

    assert refreshable is token_file(data.encode(), NOW).refreshable


@pytest.mark.parametrize("client", ALL)
def test_any_bytes_give_an_answer(client: Client) -> None:
    for data in (b"\xff\xfe\x00[", b"[profile app", b"[]\n= =\n", b"[app]\n\ta = b\n", bytes(range(256))):
        kept = environment_of(data, data, OFF, NOW)

        assert not resolve(kept, "app", client).works
