"""The doctor in any home: it never fails, changes nothing, and tells no secret."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.doctor_homes import CANARY, CONFIG, URL, lay, token, tree
from tests.cli.fake_backend import credtray


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `aws`, browser or CA bundle of this machine: they are no business of these tests."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)


_SECRET = CANARY.encode()
_LINES = st.sampled_from(
    [
        b"[profile dev]", b"[dev]", b"[", b"]", b"[sso-session corp]", b"sso_session = corp", b"= x", b"x",
        b"sso_start_url = " + URL.encode(), b"sso_region = us-east-1", b"region=", b"\xff\xfe", b"\x00",
        b"sso_account_id = 111100000001", b"sso_role_name = R", b"credential_process = '", b"role_arn = x",
        b"source_profile = dev", b'# credtray keeps this section: profile "dev"', b"[profile 'a b']",
        b"aws_access_key_id = AKIA" + _SECRET, b"aws_secret_access_key = " + _SECRET, b"\xef\xbb\xbf",
        b"aws_session_token = " + _SECRET, b"aws_security_token = " + _SECRET, b"[default]", b"[DEFAULT]",
        b"aws_expiration = 2026-02-31T00:00:00Z", b"services = s", b"sso_registration_scopes = ,", b"  y = 1",
    ]
)  # fmt: skip
_INI = st.one_of(
    st.binary(max_size=120),
    st.builds(
        lambda lines, end: end.join(lines), st.lists(_LINES, max_size=14), st.sampled_from([b"\n", b"\r\n"])
    ),
)
_TOKENS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [token().encode(), token(expiresAt="2020-01-01T00:00:00Z").encode(), b"[]", b"{", b"[" * 2000]
    ),
)


@contextlib.contextmanager
def _home(config: bytes, credentials: bytes, cached: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        home = Path(folder)
        patch.setenv("HOME", folder)
        for name in ("RUNTIME_DIR", "CONFIG_HOME", "STATE_HOME", "CACHE_HOME"):
            patch.setenv(f"XDG_{name}", str(home / name))
        lay(home, config, credentials, cached)
        yield home


@given(_INI, _INI, _TOKENS)
@settings(max_examples=40)
def test_any_home_is_looked_at_without_harm(config: bytes, credentials: bytes, cached: bytes) -> None:
    with _home(config, credentials, cached) as home:
        before = tree(home)
        shown, document = credtray("doctor", "--all"), credtray("doctor", "--json")
        explained = credtray("explain", "ExpiredToken", "Token has expired and refresh failed")

        assert tree(home) == before
        assert {shown.code, document.code} <= {0, 1}
        assert (shown.err, document.err, explained.code) == ("", "", 0)
        assert "it failed" not in shown.out
        assert json.loads(document.out)["version"] == 1
        assert CANARY not in shown.out + document.out + explained.out


def test_no_secret_is_told_wherever_it_lies(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{CANARY}@127.0.0.1:1")
    keys = (
        f"aws_access_key_id = ASIA{CANARY}\naws_secret_access_key = {CANARY}\naws_security_token = {CANARY}\n"
    )
    file = home / ".config" / "credtray" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[sessions.corp]\nproxy = "http://me:{CANARY}@127.0.0.1:1"\n')
    lay(home, CONFIG + f"aws_secret_access_key = {CANARY}\n", f"[dev]\n{keys}{CANARY}\n", token())
    outputs = [
        credtray(*words)
        for words in (
            ("doctor", "--all"),
            ("doctor", "dev", "--json"),
            ("doctor", "--online", "--json"),
            ("explain", "ExpiredToken"),
            ("explain", "--json", f"ExpiredToken {CANARY}"),
        )
    ]

    assert [outcome.code for outcome in outputs] == [1, 1, 1, 0, 0]
    assert all(CANARY not in outcome.out + outcome.err for outcome in outputs)


def test_a_broken_line_of_the_file_is_not_quoted(home: Path) -> None:
    lay(home, CONFIG, f"[dev]\n{CANARY}\n", token())
    outcome = credtray("doctor")

    assert "~/.aws/credentials:2" in outcome.out
    assert CANARY not in outcome.out
