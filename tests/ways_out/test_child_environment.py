"""What a child of `credtray exec` inherits, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.ways_out.child_environment import (
    OVER_ENDPOINT,
    OVER_KEYS,
    REMOVED,
    cleaned,
    outside,
    step_out,
    with_endpoint,
    with_keys,
)
from credtray.ways_out.endpoint import variables

KEYS = {"AccessKeyId": "ASIA0", "SecretAccessKey": "secret", "SessionToken": "token", "Expiration": "2026"}
ENDPOINT = ("http://127.0.0.1:1/credentials/dev", "/t")
FILES = ("/run/exec/dev.credtray", "/run/exec/no-keys.credtray")

_NAMES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_LOGIN_CACHE_DIRECTORY",
    "AWS_ACCOUNT_ID",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_VAULT",
    "AWS_SSO_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "GRANTED_SSO",
    "aws_session_token",
    "CREDTRAY_PROFILE",
)
HOSTILE = dict.fromkeys(_NAMES, "hostile")
HARMLESS = {
    "PATH": "/bin",
    "AWS_CA_BUNDLE": "/ca.pem",
    "AWS_ENDPOINT_URL": "http://localhost:1",
    "AWS_ENDPOINT_URL_SSO": "http://localhost:1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_CONFIG_FILE": "/home/me/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/home/me/credentials",
    "AWS_MAX_ATTEMPTS": "9",
    "AWS_PAGER": "",
    "AWS_DEFAULT_OUTPUT": "table",
    "AWS_SDK_LOAD_CONFIG": "1",
    "HTTPS_PROXY": "http://proxy:1",
    "AWS_EXECUTION_ENV": "x",
}


def test_everything_that_chooses_somebody_else_is_gone_and_the_rest_stays() -> None:
    assert cleaned({**HOSTILE, **HARMLESS}) == HARMLESS


def test_what_overrides_keys_overrides_the_endpoint_too_and_reaches_no_child() -> None:
    assert set(OVER_KEYS) == {"AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"}
    assert set(OVER_KEYS) < set(OVER_ENDPOINT) < set(REMOVED)
    assert cleaned(dict.fromkeys(OVER_ENDPOINT, "x")) == {}


def test_every_name_has_a_reason() -> None:
    assert all(name and reason for name, reason in REMOVED.items())


def test_child_with_keys_has_them_the_region_and_the_mark_and_the_users_files() -> None:
    assert with_keys({**HOSTILE, **HARMLESS}, "dev", KEYS, "eu-west-1") == {
        **HARMLESS,
        "AWS_ACCESS_KEY_ID": "ASIA0",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_CREDENTIAL_EXPIRATION": "2026",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "CREDTRAY_PROFILE": "dev",
    }


def test_child_with_the_endpoint_has_no_key_and_our_files() -> None:
    assert with_endpoint({**HOSTILE, **HARMLESS}, "dev", ENDPOINT, FILES, None) == {
        **HARMLESS,
        **variables(ENDPOINT[0], ENDPOINT[1], None),
        "AWS_CONFIG_FILE": FILES[0],
        "AWS_SHARED_CREDENTIALS_FILE": FILES[1],
        "AWS_EC2_METADATA_DISABLED": "true",
        "CREDTRAY_OUTER_CONFIG_FILE": "/home/me/config",
        "CREDTRAY_OUTER_CREDENTIALS_FILE": "/home/me/credentials",
        "CREDTRAY_PROFILE": "dev",
    }


@pytest.mark.parametrize("files", [{}, {"AWS_CONFIG_FILE": "/home/me/config"}])
def test_inside_of_a_child_the_users_files_are_found_again(files: dict[str, str]) -> None:
    inside = with_endpoint(files, "dev", ENDPOINT, FILES, "eu-west-1")
    stepped = dict(inside)
    step_out(stepped)

    assert cleaned(inside) == {**files, "AWS_EC2_METADATA_DISABLED": "true"}
    assert stepped == outside(inside)
    assert {name: value for name, value in stepped.items() if name.endswith("_FILE")} == {
        **files,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": ENDPOINT[1],
    }


def test_a_nested_child_is_as_one_that_is_not_nested() -> None:
    once = with_endpoint(HARMLESS, "dev", ENDPOINT, FILES, "eu-west-1")

    assert with_endpoint(once, "dev", ENDPOINT, FILES, "eu-west-1") == once
    assert with_keys(once, "ro", KEYS, None) == {
        **with_keys(HARMLESS, "ro", KEYS, None),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_a_file_somebody_names_inside_stays() -> None:
    inside = with_endpoint({}, "dev", ENDPOINT, FILES, None) | {"AWS_CONFIG_FILE": "/elsewhere"}

    assert outside(inside)["AWS_CONFIG_FILE"] == "/elsewhere"


def test_without_a_mark_nothing_is_touched() -> None:
    environ = {"AWS_CONFIG_FILE": "/a.credtray", "PATH": "/bin"}
    step_out(environ)

    assert environ == {"AWS_CONFIG_FILE": "/a.credtray", "PATH": "/bin"}


@given(st.dictionaries(st.sampled_from([*HOSTILE, *HARMLESS, "X"]), st.text(max_size=5)))
def test_nothing_hostile_ever_passes(environ: dict[str, str]) -> None:
    child = with_endpoint(environ, "dev", ENDPOINT, FILES, None)

    assert not {*child} & ({*HOSTILE} - {"CREDTRAY_PROFILE", *variables("", "", None)})
    assert {name: child[name] for name in environ if name == "X"} == {
        name: value for name, value in environ.items() if name == "X"
    }
