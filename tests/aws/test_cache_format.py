"""Token cache JSON: the files of real AWS CLIs, what botocore reads of ours, and all sorts of garbage."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.utils import JSONFileCache, SSOTokenLoader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credtray.aws.cache_format import (
    read_fields,
    read_registration,
    read_token,
    registration_key,
    render_registration,
    render_token,
    serves_grant,
    token_key,
)
from credtray.core.errors import TokenMismatch, TokenUnreadable
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.core.oauth import AUTHORIZATION_CODE, DEVICE_CODE
from credtray.core.words import read_date
from tests.soak import examples

FIXTURES = Path(__file__).parent.parent / "fixtures" / "aws-cli"
URL = "https://d-9067000001.awsapps.com/start"
CORP = SsoSession("corp", URL, "us-east-1", ("sso:account:access",))
OLD_URL = "https://d-9067000002.awsapps.com/start"
LEGACY = SsoSession(OLD_URL, OLD_URL, "us-east-1", legacy=True)
LATER = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
VERSIONS = pytest.mark.parametrize("version", ["2.36.7-pkce", "2.9.19-device"])


def cache_file(version: str, name: str) -> bytes:
    return (FIXTURES / version / ".aws" / "sso" / "cache" / f"{name}.json").read_bytes()


def token_json(**changes: Any) -> bytes:
    fields = {"startUrl": URL, "region": "us-east-1", "accessToken": "t", "expiresAt": "2026-11-22T20:00:00Z"}
    return json.dumps(fields | changes).encode()


def test_file_names_are_those_of_the_aws_cli() -> None:
    names = [token_key(CORP), registration_key(CORP), registration_key(LEGACY)[:8], token_key(LEGACY)]

    expected = [
        "ee0bfd2552fbd840c02cc48b6e823320543c450f",
        "b1770ade854b7c560351a29f6cb3fe20acf011e9",
        "2405c37d",
        hashlib.sha1(OLD_URL.encode(), usedforsecurity=False).hexdigest(),
    ]
    assert expected == names


@VERSIONS
def test_a_token_of_a_real_aws_cli_comes_back_byte_for_byte(version: str) -> None:
    data = cache_file(version, token_key(CORP))
    token = read_token(data, CORP)

    assert token.refreshable
    assert data == render_token(CORP, token, read_fields(data))


@VERSIONS
def test_a_registration_of_a_real_aws_cli_comes_back_byte_for_byte(version: str) -> None:
    data = cache_file(version, registration_key(CORP))

    assert data == render_registration(read_registration(data))


def test_registrations_of_the_two_grants_are_told_apart() -> None:
    code = read_registration(cache_file("2.36.7-pkce", registration_key(CORP)))
    device = read_registration(cache_file("2.9.19-device", registration_key(CORP)))

    good = [serves_grant(code, AUTHORIZATION_CODE), serves_grant(device, DEVICE_CODE)]
    bad = [serves_grant(code, DEVICE_CODE), serves_grant(device, AUTHORIZATION_CODE)]
    assert all(good)
    assert not any(bad)


def test_botocore_finds_the_token_we_write(tmp_path: Path) -> None:
    (tmp_path / f"{token_key(CORP)}.json").write_bytes(
        render_token(CORP, AccessToken(Secret("t"), LATER, Secret("r")), {})
    )
    loaded = SSOTokenLoader(cache=JSONFileCache(str(tmp_path)))(URL, session_name="corp")

    expected = {
        "startUrl": URL,
        "region": "us-east-1",
        "accessToken": "t",
        "expiresAt": "2026-11-22T20:00:00Z",
        "refreshToken": "r",
    }
    assert expected == loaded


def test_unknown_fields_survive_and_old_secrets_do_not() -> None:
    old = {"refreshToken": "old", "clientId": "old", "clientSecret": "old", "theirs": {"a": [1, 2.5, None]}}
    written = json.loads(render_token(CORP, AccessToken(Secret("t"), LATER), old))

    assert old["theirs"] == written["theirs"]
    assert "old" not in written.values()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T20:00:00Z",
        "2026-11-22T20:00:00UTC",
        "2026-11-22T20:00:00 UTC",
        "2026-11-22T20:00:00.000Z",
        "2026-11-22T20:00:00.000000000Z",
        "2026-11-22T21:00:00+01:00",
        "2026-11-22T15:00:00-0500",
        "2026-11-22 20:00:00Z",
        "2026-11-22T20:00:00",
        " 2026-11-22T20:00:00z ",
    ],
)
def test_dates_of_all_programs_are_read(text: str) -> None:
    assert LATER == read_date(text)  # noqa: SIM300 - expected first


@pytest.mark.parametrize(
    "value",
    [
        *(None, 5, 1.5, "", "soon", []),
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",  # the clocks of some time zones cannot show it
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_date_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - one class for everything a cache file can be
        read_date(value)


def test_dates_are_written_in_whole_seconds_of_utc() -> None:
    zone = timezone(timedelta(hours=1))
    written = render_token(CORP, AccessToken(Secret("t"), datetime(2026, 1, 1, 1, 2, 3, 999, zone)), {})

    assert b'"2026-01-01T00:02:03Z"' in written


@pytest.mark.parametrize("missing", ["refreshToken", "clientId", "clientSecret", "registrationExpiresAt"])
def test_a_token_that_lacks_what_a_refresh_needs_is_still_a_token(missing: str) -> None:
    fields = json.loads(cache_file("2.36.7-pkce", token_key(CORP)))
    del fields[missing]
    token = read_token(json.dumps(fields).encode(), CORP)

    assert fields["accessToken"] == token.value.reveal()
    assert not token.refreshable


def test_a_token_without_start_url_and_region_is_taken() -> None:
    token = read_token(b'{"accessToken": "t", "expiresAt": "2026-11-22T20:00:00Z"}', CORP)

    assert AccessToken(Secret("t"), LATER) == token


@pytest.mark.parametrize(
    ("field", "value"),
    [("startUrl", "https://evil.example/\x1b[31m"), ("region", "eu-west-1"), ("region", 5)],
)
def test_a_token_of_another_place_is_not_used(field: str, value: object) -> None:
    with pytest.raises(TokenMismatch) as caught:
        read_token(token_json(**{field: value}), CORP)

    assert str(caught.value).isprintable()
    assert URL in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 400,
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        token_json(accessToken=""),
        token_json(accessToken=None),
        token_json(accessToken="a\nX-Evil: 1"),
        token_json(accessToken="\ud800"),
        token_json(accessToken=5),
        token_json(expiresAt=None),
        token_json(expiresAt=1_800_000_000),
        token_json(expiresAt="soon"),
        token_json()[:-9],
    ],
)
def test_garbage_is_unreadable_and_never_quoted(data: bytes) -> None:
    with pytest.raises(TokenUnreadable) as caught:
        read_token(data, CORP)

    assert not isinstance(caught.value, TokenMismatch)
    assert "Evil" not in str(caught.value)


_DATES = st.datetimes(datetime(1970, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - timezones
    lambda date: date.replace(microsecond=0)
)
_SECRETS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20).map(Secret)
_REGISTRATIONS = st.builds(
    ClientRegistration, st.text("abc", min_size=1), _SECRETS, _DATES, st.none(), st.none()
)
_TOKENS = st.builds(AccessToken, _SECRETS, _DATES, st.none() | _SECRETS, st.none() | _REGISTRATIONS)


@given(token=_TOKENS)
@settings(max_examples=examples(500))
def test_a_token_comes_back_as_it_was(token: AccessToken) -> None:
    assert token == read_token(render_token(CORP, token, {}), CORP)


# Torn and spliced pieces of real files: far nearer to what happens on disks than random bytes. One number
# picks both ends and the filling, which is many times faster to draw than four values.
_WHOLE = cache_file("2.36.7-pkce", token_key(CORP))
_FILLINGS = (b"", b"}", b'"', b"\0\0\0", b"{", b'"}', b",", b"\xff", b"\\", b"\n")
_PLACES = len(_WHOLE) + 1


@given(cut=st.integers(0, _PLACES**2 * len(_FILLINGS) - 1))
@example(cut=0)
@settings(max_examples=examples(9_000))
def test_a_torn_file_gives_the_whole_token_or_none(cut: int) -> None:
    rest, filling = divmod(cut, len(_FILLINGS))
    start, end = divmod(rest, _PLACES)
    data = _WHOLE[:start] + _FILLINGS[filling] + _WHOLE[end:]
    try:
        token = read_token(data, CORP)
    except TokenUnreadable:
        return

    assert token.value.reveal().isprintable()
    assert token.expires_at.tzinfo is UTC


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
_NAMES = st.sampled_from(["accessToken", "expiresAt", "refreshToken", "clientId", "startUrl", "region", "x"])


@given(fields=st.dictionaries(_NAMES, _JSON, max_size=5))
@settings(max_examples=examples(500))
def test_any_object_is_read_or_refused_and_what_is_unknown_survives(fields: dict[str, Any]) -> None:
    data = json.dumps({"accessToken": "t", "expiresAt": "2026-11-22T20:00:00Z"} | fields).encode()
    try:
        token = read_token(data, CORP)
    except TokenUnreadable:
        return
    again = json.loads(render_token(CORP, token, read_fields(data)))

    assert repr(fields.get("x")) == repr(again.get("x"))


@pytest.mark.met("F7")
@pytest.mark.parametrize(
    "written",
    [f"{URL}/", f"{URL}/#/", f"{URL}#", "HTTPS://D-9067000001.awsapps.com/start", f"{URL}/?"],
)
def test_a_token_whose_start_url_is_only_spelled_differently_belongs_to_the_session(written: str) -> None:
    session = SsoSession("corp", written, "us-east-1")

    assert read_token(token_json(), session).value.reveal() == "t"
    assert read_token(token_json(startUrl=written), CORP).value.reveal() == "t"


@pytest.mark.met("F7")
def test_what_is_hashed_and_written_is_the_start_url_as_written() -> None:
    written = f"{URL}/#/"
    legacy, session = (
        SsoSession(written, written, "us-east-1", legacy=True),
        SsoSession("corp", written, "us-east-1"),
    )
    token = read_token(token_json(), session)

    assert hashlib.sha1(written.encode(), usedforsecurity=False).hexdigest() == token_key(legacy)
    assert registration_key(session) != registration_key(SsoSession("corp", URL, "us-east-1"))
    assert json.loads(render_token(session, token, {}))["startUrl"] == written
