"""Signatures are botocore's, byte for byte, whatever is signed; hosts are those that botocore chooses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.regions import EndpointResolver
from hypothesis import given
from hypothesis import strategies as st

from credtray.tokens import presigned
from credtray.tokens.presigned import Signer, quoted, service_host

KEYS = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret/key+", "SessionToken": "session/token+=="}
NOW = datetime(2026, 11, 22, 18, 36, 43, tzinfo=UTC)


def by_botocore(
    keys: Mapping[str, str], scope: tuple[str, str], request: AWSRequest, seconds: int, now: datetime
) -> str:
    """Sign with what botocore's presigned addresses are signed with, at this time."""
    service, region = scope
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    signer: Any = botocore.auth.SigV4QueryAuth(credentials, service, region, expires=seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: now.replace(tzinfo=None))
        signer.add_auth(request)
    return str(request.url)


def stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SAFE = st.text("abcXYZ019-_ ~.*'/+=&%\u00e9", min_size=1, max_size=70)
SECRET = SAFE | st.integers(58, 62).map("k".__mul__)
"""Also as long as a block of the hash, with AWS4 before it."""
NAMES = WORDS.filter(bool) | st.sampled_from(["a", "a-b", "a.b", "a b", "a=b", "ab"])
HEADER = st.text("abcXYZ019-_ .", min_size=1, max_size=30).filter(
    str.strip
)  # botocore, too, sends a header as it is


@given(
    keys=st.fixed_dictionaries({**dict.fromkeys(KEYS, SAFE), "SecretAccessKey": SECRET}),
    asked=st.dictionaries(NAMES, WORDS.filter(bool), max_size=4),
    scope=st.tuples(
        st.sampled_from(["sts", "rds-db", "elasticache"]), st.sampled_from(["eu-central-1", "cn-north-1"])
    ),
    host=st.sampled_from(["sts.eu-central-1.amazonaws.com", "db.example.com:5432", "cluster"]),
    headers=st.dictionaries(st.sampled_from(["x-k8s-aws-id", "a-header"]), HEADER),
    seconds=st.integers(1, 604800),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001 -- hypothesis adds the zone
)
def test_addresses_are_botocores(  # noqa: PLR0917 -- hypothesis draws each by its name
    keys: dict[str, str],
    asked: dict[str, str],
    scope: tuple[str, str],
    host: str,
    headers: dict[str, str],
    seconds: int,
    now: datetime,
) -> None:
    plain = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in asked.items())
    request = AWSRequest("GET", f"https://{host}/?{plain}" if plain else f"https://{host}/", dict(headers))
    signed = Signer(keys, scope[1], stamp(now)).address(scope[0], host, asked, seconds, headers)

    assert signed == by_botocore(keys, scope, request, seconds, now.replace(tzinfo=UTC))


def test_names_are_ordered_by_themselves_and_not_by_what_follows_them() -> None:
    asked = {"a-b": "1", "a": "2", "a.b": "3"}
    request = AWSRequest("GET", "https://cluster/?a-b=1&a=2&a.b=3")
    signed = Signer(KEYS, "eu-central-1", stamp(NOW)).address("sts", "cluster", asked, 60)

    assert signed == by_botocore(KEYS, ("sts", "eu-central-1"), request, 60, NOW)


@pytest.mark.parametrize("length", [60, 61, 200])
def test_secrets_longer_than_a_block_are_hashed_first(length: int) -> None:
    keys = {**KEYS, "SecretAccessKey": "k" * length}
    signed = Signer(keys, "eu-central-1", stamp(NOW)).address("sts", "cluster", {}, 60)

    assert signed == by_botocore(
        keys, ("sts", "eu-central-1"), AWSRequest("GET", "https://cluster/"), 60, NOW
    )


def test_a_build_of_python_without_a_hash_of_its_own_uses_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer(KEYS, "eu-central-1", stamp(NOW))
    usual = signer.address("sts", "sts.eu-central-1.amazonaws.com", {}, 60)
    monkeypatch.setattr(presigned, "_HASHES", ("_not_there", "hashlib"))

    assert usual == signer.address("sts", "sts.eu-central-1.amazonaws.com", {}, 60)


def test_hosts_are_botocores_in_every_region_of_every_partition() -> None:
    session = botocore.session.get_session()
    partitions = session.get_available_partitions()
    regions = {
        region for partition in partitions for region in session.get_available_regions("sts", partition)
    }
    resolver = EndpointResolver(session.get_data("endpoints"))
    chosen = {region: (resolver.construct_endpoint("sts", region) or {})["hostname"] for region in regions}

    assert len(partitions) >= 8
    assert {region: service_host("sts", region) for region in regions} == chosen
