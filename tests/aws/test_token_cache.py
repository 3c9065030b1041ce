"""The token cache on a real disk: names, modes, torn files, and what is never deleted."""

from __future__ import annotations

import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from credtray.aws.cache_format import registration_key, token_key
from credtray.aws.token_cache import REREAD_PAUSES, SharedTokenCache
from credtray.core.errors import CredtrayError, FileContended, FileRefused, TokenMismatch, TokenUnreadable
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.core.oauth import AUTHORIZATION_CODE, DEVICE_CODE
from tests.hand_waiter import HandWaiter, StillClock

URL = "https://d-9067000001.awsapps.com/start"
CORP = SsoSession("corp", URL, "us-east-1", ("sso:account:access",))
NOW = StillClock().now()
TOKEN = AccessToken(Secret("token-1"), NOW + timedelta(hours=1), Secret("refresh-1"))


@pytest.fixture
def waiter() -> HandWaiter:
    return HandWaiter()


@pytest.fixture
def cache(tmp_path: Path, waiter: HandWaiter) -> SharedTokenCache:
    return SharedTokenCache(
        tmp_path / ".aws" / "sso" / "cache", tmp_path / "locks", StillClock(), waiter=waiter
    )


def put(cache: SharedTokenCache, data: bytes) -> Path:
    path = cache.token_path(CORP)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_no_file_means_signed_out(cache: SharedTokenCache, waiter: HandWaiter) -> None:
    assert cache.read(CORP) is None
    assert not waiter.pauses


def test_what_was_written_is_read(cache: SharedTokenCache) -> None:
    cache.write(CORP, TOKEN)

    assert cache.read(CORP) == TOKEN


@pytest.mark.posix("modes")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_file_and_directories_are_for_their_owner_alone(cache: SharedTokenCache, umask: int) -> None:
    before = os.umask(umask)
    try:
        cache.write(CORP, TOKEN)
        with cache.lock(CORP):
            pass
    finally:
        os.umask(before)
    path = cache.token_path(CORP)

    directories = [path.parent, path.parent.parent, path.parent.parent.parent]
    assert 0o600 == mode(path)  # noqa: SIM300 - expected first
    assert [mode(directory) for directory in directories] == [0o700] * 3


@pytest.mark.posix("modes")
def test_a_wider_mode_of_another_program_is_tightened(cache: SharedTokenCache) -> None:
    put(cache, b"{}").chmod(0o644)
    cache.write(CORP, TOKEN)

    assert 0o600 == mode(cache.token_path(CORP))  # noqa: SIM300 - expected first


def test_no_other_file_is_left_in_the_cache(cache: SharedTokenCache) -> None:
    cache.write(CORP, TOKEN)
    with cache.lock(CORP), cache.sign_in_lock(CORP, lambda: False):
        names = [path.name for path in cache.token_path(CORP).parent.iterdir()]

    assert [f"{token_key(CORP)}.json"] == names


@pytest.mark.posix("modes")
def test_locks_lie_in_a_directory_of_our_own(cache: SharedTokenCache, tmp_path: Path) -> None:
    with cache.lock(CORP), cache.sign_in_lock(CORP, lambda: False):
        pass

    key = token_key(CORP)
    assert {f"refresh-{key}.lock", f"sign-in-{key}.lock"} == {p.name for p in (tmp_path / "locks").iterdir()}
    assert 0o700 == mode(tmp_path / "locks")  # noqa: SIM300 - expected first


def test_a_lock_is_held_by_one_alone(cache: SharedTokenCache) -> None:
    with cache.lock(CORP), pytest.raises(FileContended), cache.lock(CORP):
        pass


def test_a_torn_file_is_read_again(cache: SharedTokenCache, waiter: HandWaiter) -> None:
    cache.write(CORP, TOKEN)
    whole = cache.token_path(CORP).read_bytes()
    put(cache, whole[:40])
    waiter.during = lambda _: put(cache, whole).touch() if len(waiter.pauses) == 2 else None

    assert cache.read(CORP) == TOKEN
    assert 2 == len(waiter.pauses)  # noqa: SIM300 - expected first


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xff\x00" * 50, b"{}", b'{"accessToken": "t"}'])
def test_a_file_that_stays_broken_is_unreadable_and_left_alone(
    cache: SharedTokenCache, waiter: HandWaiter, data: bytes
) -> None:
    path = put(cache, data)
    with pytest.raises(TokenUnreadable):
        cache.read(CORP)

    assert list(REREAD_PAUSES) == waiter.pauses
    assert data == path.read_bytes()


def test_a_file_of_a_hundred_megabytes_is_not_read(cache: SharedTokenCache) -> None:
    path = put(cache, b"")
    os.truncate(path, 100 * 1024 * 1024)

    with pytest.raises(TokenUnreadable, match="larger"):
        cache.read(CORP)


@pytest.mark.posix("named pipes and dangling links")
@pytest.mark.parametrize("kind", ["directory", "fifo", "dangling link"])
def test_what_is_no_file_is_unreadable_and_not_replaced(cache: SharedTokenCache, kind: str) -> None:
    path = cache.token_path(CORP)
    path.parent.mkdir(parents=True)
    {"directory": path.mkdir, "fifo": lambda: os.mkfifo(path)}.get(
        kind, lambda: path.symlink_to("/nowhere/at/all")
    )()
    with pytest.raises(TokenUnreadable):
        cache.read(CORP)
    with pytest.raises(FileRefused):
        cache.write(CORP, TOKEN)

    assert path.is_dir() or path.is_fifo() or path.is_symlink()


def test_a_token_of_another_start_url_is_told_at_once(cache: SharedTokenCache, waiter: HandWaiter) -> None:
    cache.write(SsoSession("corp", "https://d-2.awsapps.com/start", "us-east-1"), TOKEN)

    with pytest.raises(TokenMismatch, match="d-2"):
        cache.read(CORP)
    assert not waiter.pauses


def test_unknown_fields_of_the_same_sign_in_survive(cache: SharedTokenCache) -> None:
    put(cache, json.dumps({"startUrl": URL, "region": "us-east-1", "theirs": [1]}).encode())
    cache.write(CORP, TOKEN)

    assert json.loads(cache.token_path(CORP).read_bytes())["theirs"] == [1]


def test_unknown_fields_of_another_start_url_do_not(cache: SharedTokenCache) -> None:
    put(cache, json.dumps({"startUrl": "https://other.example", "theirs": 1}).encode())
    cache.write(CORP, TOKEN)

    assert "theirs" not in json.loads(cache.token_path(CORP).read_bytes())


def test_sessions_of_one_start_url_have_tokens_of_their_own(cache: SharedTokenCache) -> None:
    legacy = SsoSession(URL, URL, "us-east-1", legacy=True)
    for session, text in ((CORP, "a"), (SsoSession("lab", URL, "us-east-1"), "b"), (legacy, "c")):
        cache.write(session, AccessToken(Secret(text), TOKEN.expires_at))

    assert 3 == len(list(cache.token_path(CORP).parent.iterdir()))  # noqa: SIM300 - expected first


def test_dropping_deletes_this_very_token_only(cache: SharedTokenCache) -> None:
    cache.write(CORP, TOKEN)
    cache.drop(CORP, AccessToken(Secret("another"), TOKEN.expires_at))
    kept = cache.read(CORP)
    cache.drop(CORP, TOKEN)
    gone = cache.read(CORP)
    cache.drop(CORP, TOKEN)

    assert kept == TOKEN
    assert gone is None


def test_dropping_leaves_garbage_alone(cache: SharedTokenCache) -> None:
    path = put(cache, b"garbage")
    cache.drop(CORP, TOKEN)

    assert path.exists()


@pytest.mark.posix("modes")
def test_a_registration_is_reused_until_fifteen_minutes_before_its_end(cache: SharedTokenCache) -> None:
    registration = ClientRegistration(
        "id", Secret("s"), NOW + timedelta(minutes=15), ("sso:account:access",), ("authorization_code",)
    )
    cache.save_registration(CORP, registration)
    late = SharedTokenCache(
        cache.token_path(CORP).parent, cache.token_path(CORP), StillClock(NOW + timedelta(seconds=1))
    )

    assert registration == cache.registration(CORP, AUTHORIZATION_CODE)
    assert cache.registration(CORP, DEVICE_CODE) is None
    assert late.registration(CORP, AUTHORIZATION_CODE) is None
    assert 0o600 == mode(cache.registration_path(CORP))  # noqa: SIM300 - expected first


@pytest.mark.parametrize("data", [None, b"", b"garbage", b"{}"])
def test_an_unusable_registration_is_none_and_gets_replaced(
    cache: SharedTokenCache, data: bytes | None
) -> None:
    path = cache.registration_path(CORP)
    if data is not None:
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    found = cache.registration(CORP, DEVICE_CODE)
    fresh = ClientRegistration("id", Secret("s"), NOW + timedelta(days=90))
    cache.save_registration(CORP, fresh)

    assert found is None
    assert fresh == cache.registration(CORP, DEVICE_CODE)
    assert f"{registration_key(CORP)}.json" == path.name


def test_no_secret_is_in_any_error(cache: SharedTokenCache) -> None:
    put(cache, b'{"accessToken": "canary-secret", "expiresAt": "soon"}')
    with pytest.raises(CredtrayError) as caught:
        cache.read(CORP)

    assert "canary-secret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
