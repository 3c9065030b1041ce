"""Debian's AWS CLI 2.9.19, which has no endpoint overrides, against the Identity Center through the proxy."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credtray.demo.identity_center import IdentityCenter
from tests.connect_proxy import ConnectProxy
from tests.demo.program import Browser

AWS = Path("/usr/bin/aws")
SEEN = Path(__file__).resolve().parent.parent / "fixtures" / "aws-cli" / "2.9.19-device" / ".aws"
"""What the same CLI wrote elsewhere, for the session `corp` and account 111100000000; secrets are made up."""
TOKEN_FILE = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
REGISTRATION_FILE = "b1770ade854b7c560351a29f6cb3fe20acf011e9.json"
ROLE_FILE = "6b9c28d68ff83bc1a24d897671d88e0b7373e7c5.json"

pytestmark = [
    pytest.mark.posix("the AWS CLI of Debian"),
    pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package"),
]


@pytest.fixture
def proxy(portal: IdentityCenter) -> Iterator[ConnectProxy]:
    portal.set_lifetimes(interval=timedelta(seconds=1))
    portal.assign("111100000000", "Admin")
    with ConnectProxy(portal.port) as proxy:
        yield proxy


@pytest.fixture
def aws_home(home: Path) -> Path:
    """A home with the config of SEEN."""
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_bytes((SEEN / "config").read_bytes())
    return home


def _environment(home: Path, proxy: ConnectProxy) -> dict[str, str]:
    own = {"HOME": str(home), "PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**own, **proxy.environment}


def _aws(home: Path, proxy: ConnectProxy, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AWS, *arguments],
        env=_environment(home, proxy),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _visit(proxy: ConnectProxy, url: str) -> int:
    """Open *url* as a browser behind the proxy would."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": proxy.url}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(proxy.ca_bundle))),
    )
    with opener.open(url, timeout=10) as answer:
        status: int = answer.status
        return status


def _log_in(home: Path, proxy: ConnectProxy, *arguments: str) -> str:
    """Run ``aws sso login``, open the address it prints, and return what it printed."""
    command = [str(AWS), "sso", "login", "--no-browser", *arguments]
    printed = ""
    with subprocess.Popen(command, env=_environment(home, proxy), stdout=subprocess.PIPE, text=True) as login:
        assert login.stdout is not None
        for line in login.stdout:
            printed += line
            if "user_code=" in line:
                assert _visit(proxy, line.strip()) == 200

    assert login.returncode == 0
    return printed


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def _shape(value: Any) -> Any:
    """Replace texts by what kind they are; keys keep their order."""
    if isinstance(value, dict):
        return [(name, _shape(member)) for name, member in value.items()]
    if isinstance(value, list):
        return value
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return "time"
    return value if value.startswith("https://") or len(value) < 12 else value[:2]


def _shape_of(path: Path) -> Any:
    text = path.read_text()

    assert not text.endswith("\n")
    return _shape(json.loads(text))


def test_login_identity_and_logout(portal: IdentityCenter, proxy: ConnectProxy, aws_home: Path) -> None:
    portal.auto_approve()
    printed = _log_in(aws_home, proxy, "--sso-session", "corp")

    assert "Successfully logged into Start URL: https://d-9067000001.awsapps.com/start" in printed

    identity = _aws(aws_home, proxy, "sts", "get-caller-identity", "--profile", "dev")

    assert identity.stderr == ""
    assert json.loads(identity.stdout)["Arn"].endswith("/alice")
    assert json.loads(identity.stdout)["Account"] == "111100000000"

    sso, roles = aws_home / ".aws/sso/cache", aws_home / ".aws/cli/cache"
    assert _names(sso) == {TOKEN_FILE, REGISTRATION_FILE}
    assert _names(roles) == {ROLE_FILE}
    client = {"clientId", "clientSecret", "accessToken", "refreshToken"}
    for path in (sso / TOKEN_FILE, sso / REGISTRATION_FILE, roles / ROLE_FILE):
        ours, seen = _shape_of(path), _shape_of(SEEN / path.relative_to(aws_home / ".aws"))

        assert [name for name, _ in ours] == [name for name, _ in seen]
        assert [pair for pair in ours if pair[0] not in client | {"Credentials"}] == [
            pair for pair in seen if pair[0] not in client | {"Credentials"}
        ]
    assert _shape_of(roles / ROLE_FILE)[1][1][3] == ("Expiration", "time")

    logout = _aws(aws_home, proxy, "sso", "logout")

    assert (logout.returncode, logout.stderr) == (0, "")
    assert _names(sso) == {REGISTRATION_FILE}
    assert portal.active_sign_ins() == []
    assert portal.journal.by_grant()["urn:ietf:params:oauth:grant-type:device_code"] >= 2
    assert proxy.refused == []


def test_expired_token_is_refreshed_silently(
    portal: IdentityCenter, proxy: ConnectProxy, aws_home: Path
) -> None:
    portal.auto_approve()
    portal.set_lifetimes(access_token=timedelta(minutes=5))  # inside the CLI's 15 minutes
    _log_in(aws_home, proxy, "--sso-session", "corp")
    token_file = aws_home / ".aws/sso/cache" / TOKEN_FILE
    before = json.loads(token_file.read_text())["refreshToken"]
    identity = _aws(aws_home, proxy, "sts", "get-caller-identity", "--profile", "ro")

    # ReadOnly of 111100000001 exists in the demo's directory and in the CLI's config alike.
    assert identity.returncode == 0
    assert portal.journal.by_grant()["refresh_token"] == 1
    assert json.loads(token_file.read_text())["refreshToken"] != before


def test_legacy_profile_gets_a_token_for_the_whole_sign_in(
    portal: IdentityCenter, proxy: ConnectProxy, aws_home: Path
) -> None:
    portal.auto_approve()
    _log_in(aws_home, proxy, "--profile", "legacy")
    tokens = [json.loads(path.read_text()) for path in (aws_home / ".aws/sso/cache").iterdir()]
    token = next(content for content in tokens if "accessToken" in content)

    assert "refreshToken" not in token
    assert portal.journal.scopes() == [()]


def test_refused_role_and_revoked_sign_in_say_what_the_real_ones_say(
    portal: IdentityCenter, proxy: ConnectProxy, aws_home: Path
) -> None:
    portal.auto_approve()
    _log_in(aws_home, proxy, "--sso-session", "corp")
    portal.remove_role("111100000000", "Admin")
    refused = _aws(aws_home, proxy, "sts", "get-caller-identity", "--profile", "dev")

    assert refused.returncode == 254
    assert (
        "An error occurred (ForbiddenException) when calling the GetRoleCredentials operation: No access"
        in refused.stderr
    )

    portal.revoke_sign_ins()
    revoked = _aws(aws_home, proxy, "sts", "get-caller-identity", "--profile", "ro")

    assert revoked.returncode == 255
    assert "The SSO session associated with this profile has expired" in revoked.stderr


def test_denied_login_says_access_denied(portal: IdentityCenter, proxy: ConnectProxy, aws_home: Path) -> None:
    browser = Browser(portal.url)
    command = [str(AWS), "sso", "login", "--no-browser", "--sso-session", "corp"]
    with subprocess.Popen(
        command,
        env=_environment(aws_home, proxy),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as login:
        assert login.stdout is not None
        assert login.stderr is not None
        for line in login.stdout:
            if "user_code=" in line:
                browser.open(f"{portal.url}/device?user_code={line.strip().partition('=')[2]}")
                browser.sign_in()
                browser.submit(decision="deny")
        said = login.stderr.read()

    assert login.returncode == 254
    assert "AccessDeniedException" in said
