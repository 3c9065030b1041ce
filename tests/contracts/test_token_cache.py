"""What every TokenCache keeps to: the one in memory and the one on the disk."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from credtray.aws.token_cache import SharedTokenCache
from credtray.core import oauth
from credtray.core.errors import FileContended
from credtray.core.models import AccessToken, ClientRegistration, Secret
from credtray.core.ports import TokenCache
from tests.fakes_identity_center import CORP, NOON, FakeClock, MemoryTokenCache

CLIENT = ClientRegistration(
    "client",
    Secret("client-secret"),
    NOON + timedelta(days=90),
    ("sso:account:access",),
    (oauth.AUTHORIZATION_CODE, oauth.REFRESH_TOKEN),
)
FOR_DEVICES = replace(CLIENT, client_id="other", grant_types=None)
TOKEN = AccessToken(
    Secret("access"),
    NOON + timedelta(hours=1),
    Secret("refresh"),
    replace(CLIENT, scopes=None, grant_types=None),
)
NEWER = replace(TOKEN, value=Secret("newer"), expires_at=NOON + timedelta(hours=2))


@pytest.fixture(params=["memory", "disk"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> TokenCache:
    if request.param == "memory":
        return MemoryTokenCache()
    return SharedTokenCache(tmp_path / "cache", tmp_path / "locks", FakeClock())


def test_nothing_written_means_signed_out(cache: TokenCache) -> None:
    assert cache.read(CORP) is None


def test_token_comes_back_as_it_was_written(cache: TokenCache) -> None:
    cache.write(CORP, TOKEN)

    assert cache.read(CORP) == TOKEN


def test_later_token_replaces_the_earlier(cache: TokenCache) -> None:
    cache.write(CORP, TOKEN)
    cache.write(CORP, NEWER)

    assert cache.read(CORP) == NEWER


def test_stamp_changes_with_the_token_and_only_then(cache: TokenCache) -> None:
    stamps = [cache.stamp(CORP), cache.stamp(CORP)]
    cache.write(CORP, TOKEN)
    stamps += [cache.stamp(CORP), cache.stamp(CORP)]
    cache.drop(CORP, TOKEN)
    stamps += [cache.stamp(CORP)]

    assert stamps[0] == stamps[1] != stamps[2] == stamps[3] != stamps[4]


def test_only_the_very_token_is_dropped(cache: TokenCache) -> None:
    cache.write(CORP, NEWER)
    cache.drop(CORP, TOKEN)
    kept = cache.read(CORP)
    cache.drop(CORP, NEWER)

    assert kept == NEWER
    assert cache.read(CORP) is None


def test_dropping_nothing_is_no_error(cache: TokenCache) -> None:
    cache.drop(CORP, TOKEN)

    assert cache.read(CORP) is None


def test_registration_serves_the_grant_it_was_made_for(cache: TokenCache) -> None:
    cache.save_registration(CORP, CLIENT)

    assert cache.registration(CORP, oauth.AUTHORIZATION_CODE) == CLIENT
    assert cache.registration(CORP, oauth.DEVICE_CODE) is None


def test_one_registration_is_kept_at_a_time(cache: TokenCache) -> None:
    cache.save_registration(CORP, CLIENT)
    cache.save_registration(CORP, FOR_DEVICES)

    assert cache.registration(CORP, oauth.AUTHORIZATION_CODE) is None
    assert cache.registration(CORP, oauth.DEVICE_CODE) == FOR_DEVICES


@pytest.mark.parametrize("signing_in", [False, True])
def test_lock_lets_one_in_after_the_other(cache: TokenCache, *, signing_in: bool) -> None:
    inside: list[int] = []
    most = 0

    def work() -> None:
        nonlocal most
        with cache.sign_in_lock(CORP, lambda: False) if signing_in else cache.lock(CORP):
            inside.append(1)
            most = max(most, len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_the_two_locks_do_not_block_each_other(cache: TokenCache) -> None:
    with cache.sign_in_lock(CORP, lambda: False), cache.lock(CORP):
        cache.write(CORP, TOKEN)

    assert cache.read(CORP) == TOKEN


def test_waiting_for_a_sign_in_can_be_given_up(cache: TokenCache) -> None:
    with (
        cache.sign_in_lock(CORP, lambda: False),
        pytest.raises(FileContended),
        cache.sign_in_lock(CORP, lambda: True),
    ):
        raise AssertionError("two sign-ins at once")


def test_asking_whether_a_token_could_be_written_changes_nothing(cache: TokenCache) -> None:
    cache.write(CORP, TOKEN)
    before = cache.stamp(CORP)
    cache.check_writable(CORP)

    assert (cache.read(CORP), cache.stamp(CORP)) == (TOKEN, before)
