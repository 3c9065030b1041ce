"""Error texts of real botocore and the real AWS CLI, produced for real, and what `explain` makes of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.credentials
import botocore.session
import botocore.tokens
import pytest

from tests.cli.fake_backend import credtray
from tests.connect_proxy import Certificate, ConnectProxy
from tests.end_to_end.house import ROLES, House
from tests.portal import RunningPortal, running

AWS = Path("/usr/bin/aws")
URL = "https://d-9067000001.awsapps.com/start"
PROFILE = "synderys-readonly"
ACCOUNT, ROLE = ROLES[PROFILE]
LONG_AGO = "2026-01-01T10:00:00Z"
LEGACY = f"""
[profile old]
sso_start_url = {URL}
sso_region = us-east-1
sso_account_id = {ACCOUNT}
sso_role_name = {ROLE}
region = eu-west-1
"""


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Scene:
    """A home, and one program in it that asks for keys."""

    house: House
    program: str
    patch: pytest.MonkeyPatch

    def set(self, **variables: str) -> None:
        """Set variables for the program and for `explain`."""
        self.house.environ |= variables
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def unset_endpoints(self) -> None:
        """Let requests go where they go without overrides: through the proxy."""
        for name in [name for name in self.house.environ if name.startswith("AWS_ENDPOINT_URL")]:
            del self.house.environ[name]
            self.patch.delenv(name)

    def token(self, name: str = "synderys", **parts: Any) -> Path:
        """Write a token file: an hour long, and unknown to the portal, unless told otherwise."""
        until = datetime.now(UTC) + timedelta(hours=1)
        fields = {
            "startUrl": URL,
            "region": "us-east-1",
            "accessToken": "made-up",
            "expiresAt": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **parts,
        }
        file = self.house.home / ".aws" / "sso" / "cache" / f"{_sha1(name)}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({key: value for key, value in fields.items() if value is not None}))
        return file

    def failure(self, profile: str | None = PROFILE) -> str:
        """Return what the program prints when it asks who it is and fails, as it must."""
        if self.program == "botocore":
            return botocore_failure(profile)
        words = [str(AWS), "sts", "get-caller-identity", *(["--profile", profile] if profile else [])]
        done = subprocess.run(
            words, env=self.house.environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode != 0, done.stdout
        return done.stderr

    def explained(self, text: str) -> list[dict[str, Any]]:
        """Feed the text to `credtray explain`."""
        outcome = credtray("explain", "--json", "--", text)
        assert outcome.code == 0, f"not known: {text}\n{outcome.err}"
        found: list[dict[str, Any]] = json.loads(outcome.out)["causes"]
        return found

    def here(self, text: str) -> list[str]:
        """Return the causes that `explain` finds to be so in this home."""
        return [item["code"] for item in self.explained(text) if item["applies_here"]]


def botocore_failure(profile: str | None) -> str:
    """Ask who one is as every program on boto3 does, and return the error as Python prints it."""
    client: Any = None
    try:
        client = botocore.session.Session(profile=profile).create_client("sts")
        client.get_caller_identity()
    except Exception as error:  # noqa: BLE001 -- which one it is, is the question
        return f"{type(error).__name__}: {error}"
    finally:
        if client is not None:
            client.close()
    raise AssertionError("it got through")


@pytest.fixture(scope="module")
def portal() -> Iterator[RunningPortal]:
    """One for all tests here: what they change in it they change back."""
    with running("--auto-approve", "alice", "--interval", "1") as found:
        yield found


@pytest.fixture(scope="module")
def proxy(portal: RunningPortal) -> Iterator[ConnectProxy]:
    with ConnectProxy(urlsplit(portal.url).port or 0) as found:
        yield found


@pytest.fixture
def scene(
    request: pytest.FixtureRequest,
    portal: RunningPortal,
    proxy: ConnectProxy,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """A home for the program that the test names; the CLI knows no endpoint settings: it takes the proxy."""
    house = House(home, portal)
    house.configure()
    found = Scene(house, getattr(request, "param", "botocore"), monkeypatch)
    found.set(**house.environ, AWS_MAX_ATTEMPTS="1")
    monkeypatch.setenv("PATH", "/nonexistent")  # the version of `aws` is no question here, and costs
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for provider in (botocore.credentials.SSOProvider, botocore.tokens.SSOTokenProvider):
        # Found out when botocore is imported, in the home of that moment.
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))
    if found.program == "aws":
        if not AWS.exists():
            pytest.skip("needs Debian's awscli package")
        found.unset_endpoints()
        found.set(**proxy.environment, NO_PROXY="127.0.0.1")
    yield found
    portal.command("clear")


BOTH = pytest.mark.parametrize("scene", ["botocore", "aws"], indirect=True)
"""With the AWS CLI, too: where its words are its own, and for every text of the troubleshooting page."""


@pytest.fixture(scope="module")
def signed_in(portal: RunningPortal, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The token file of a real sign-in."""
    house = House(tmp_path_factory.mktemp("signed-in"), portal)
    house.configure()
    house.run("login")
    found: dict[str, Any] = json.loads(house.token_file().read_text())
    return found


# --- sign-ins ----------------------------------------------------------------------------------------


@BOTH
def test_no_token_file(scene: Scene) -> None:
    text = scene.failure()

    assert "Token for synderys does not exist" in text
    assert scene.here(text) == ["signed_out"]


@BOTH
def test_a_token_file_without_a_token(scene: Scene) -> None:
    scene.token(accessToken=None)
    text = scene.failure()

    assert "is invalid" in text
    assert scene.here(text) == ["token_unreadable"]


@BOTH
def test_a_torn_token_file(scene: Scene) -> None:
    scene.token().write_text('{"startUrl": "https://d-90')
    text = scene.failure()

    assert scene.here(text) == ["token_unreadable"]


@BOTH
def test_a_token_that_has_ended(scene: Scene) -> None:
    scene.token(expiresAt=LONG_AGO)
    text = scene.failure()
    found = scene.explained(text)

    assert "Token has expired and refresh failed" in text
    assert (found[0]["code"], found[0]["applies_here"]) == ("sign_in_ended", True)
    assert "ended at 2026-01-01 10:00 UTC" in found[0]["seen"][0]["text"]
    assert found[0]["cure"] == "Run: credtray login synderys"


def test_a_token_that_could_not_be_renewed_because_its_registration_has_ended(scene: Scene) -> None:
    past = LONG_AGO
    scene.token(expiresAt=past, refreshToken="r", clientId="c", clientSecret="s", registrationExpiresAt=past)
    text = scene.failure()

    assert "Token has expired and refresh failed" in text
    assert scene.here(text) == ["sign_in_ended", "registration_ended"]


def test_a_token_of_another_region(scene: Scene) -> None:
    scene.token(expiresAt=LONG_AGO, region="eu-central-1")

    assert scene.here(scene.failure())[0] == "token_of_other_session"


def test_a_session_without_scopes(scene: Scene) -> None:
    config = scene.house.config
    config.write_text(config.read_text().replace("sso_registration_scopes = sso:account:access\n", ""))
    scene.token(expiresAt=LONG_AGO)

    assert "session_without_scopes" in scene.here(scene.failure())


@BOTH
def test_a_legacy_token_that_has_ended(scene: Scene) -> None:
    scene.house.configure(more=LEGACY)
    scene.token(URL, expiresAt=LONG_AGO)
    text = scene.failure("old")

    assert "SSO session associated with this profile has expired" in text
    assert scene.here(text) == ["sign_in_ended", "legacy_profiles", "signed_out"]


@BOTH
def test_a_token_the_portal_does_not_know(scene: Scene) -> None:
    scene.token()
    text = scene.failure()

    assert "SSO session associated with this profile has expired" in text
    assert scene.explained(text)[0]["code"] == "sign_in_ended" or scene.here(text)


@BOTH
def test_a_role_that_is_not_assigned(scene: Scene, signed_in: dict[str, Any]) -> None:
    scene.token(**signed_in)
    config = scene.house.config
    config.write_text(config.read_text().replace(f"sso_role_name = {ROLE}\n", "sso_role_name = Gone\n"))
    text = scene.failure()

    assert "No access" in text
    assert [item["code"] for item in scene.explained(text)] == ["role_refused"]


@BOTH
def test_a_page_of_the_network_in_the_place_of_keys(scene: Scene) -> None:
    scene.token()
    scene.house.portal.command("inject", operation="GetRoleCredentials", fault={"fault": "captive_portal"})
    text = scene.failure()

    assert "roleCredentials" in text
    assert [item["code"] for item in scene.explained(text)] == ["captive_portal"]


def test_a_portal_that_asks_to_slow_down(scene: Scene) -> None:
    scene.token()
    scene.house.portal.command("inject", operation="GetRoleCredentials", fault={"fault": "throttle"})

    assert scene.explained(scene.failure())[0]["code"] == "throttled"


# --- keys --------------------------------------------------------------------------------------------


def keys(scene: Scene, *, more: str = "", key: str = "ASIAUNKNOWN") -> None:
    scene.house.credentials.write_text(
        f"[static]\naws_access_key_id = {key}\naws_secret_access_key = s\naws_session_token = t\n{more}"
        "region = us-east-1\n"
    )


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        ("ExpiredToken", "The security token included in the request is expired", "keys_expired"),
        ("ExpiredTokenException", "The security token included in the request is expired", "keys_expired"),
        ("InvalidClientTokenId", "The security token included in the request is invalid", "keys_unknown"),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid",
            "keys_unknown",
        ),
        ("RequestExpired", "Request has expired.", "clock_off"),
        ("SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2", "clock_off"),
        ("AccessDenied", "User: x is not authorized to perform: sts:GetCallerIdentity", "access_denied"),
    ],
)
def test_what_a_service_says_of_keys(scene: Scene, code: str, message: str, cause: str) -> None:
    keys(scene)
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
    fault = {"fault": "body", "body": body, "status": 403, "content_type": "text/xml"}
    scene.house.portal.command("inject", operation="GetCallerIdentity", fault=fault)
    text = scene.failure("static")

    assert code in text
    assert cause in [item["code"] for item in scene.explained(text)]


def test_keys_the_service_does_not_know_with_an_old_token_beside(scene: Scene) -> None:
    keys(scene, more="aws_security_token = older\n")
    text = scene.failure("static")

    assert "InvalidClientTokenId" in text
    assert scene.here(text) == ["old_security_token"]


def test_half_a_pair(scene: Scene) -> None:
    scene.house.credentials.write_text("[static]\naws_access_key_id = X\n")
    text = scene.failure("static")

    assert "Partial credentials" in text
    assert scene.here(text) == ["half_keys"]


def test_half_a_pair_in_the_environment(scene: Scene) -> None:
    scene.set(AWS_ACCESS_KEY_ID="X")
    text = scene.failure(None)

    assert "Partial credentials" in text
    assert scene.here(text) == ["half_environment_keys"]


def test_no_keys_at_all(scene: Scene) -> None:
    scene.set(AWS_DEFAULT_REGION="us-east-1")
    text = scene.failure(None)

    assert "Unable to locate credentials" in text
    assert "no_keys_found" in [item["code"] for item in scene.explained(text)]


# --- files and variables -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("[profile synderys-dns]\n", "duplicate_section"),
        ("zork\n", "file_unparsable"),
        ("[a]\nx=1\nx=2\n", "file_unparsable"),
    ],
)
def test_a_file_that_cannot_be_parsed(scene: Scene, line: str, cause: str) -> None:
    scene.house.config.write_text(scene.house.config.read_text() + line)
    text = scene.failure()
    found = [item for item in scene.explained(text) if item["applies_here"]]

    assert "Unable to parse config file" in text
    assert [item["code"] for item in found] == [cause]
    assert found[0]["seen"][0]["line"] > 1


def test_a_profile_that_does_not_exist(scene: Scene) -> None:
    scene.set(AWS_PROFILE="synderys-readonli")
    text = scene.failure(None)
    found = scene.explained(text)

    assert "could not be found" in text
    assert (found[0]["code"], found[0]["applies_here"]) == ("profile_unknown", True)
    assert "Did you mean synderys-readonly" in found[0]["seen"][0]["text"]


def test_sso_settings_that_are_not_complete(scene: Scene) -> None:
    config = scene.house.config
    config.write_text(
        config.read_text() + "[profile half]\nsso_session = synderys\nsso_account_id = 111100000001\n"
    )
    text = scene.failure("half")

    assert "missing required configuration" in text
    assert scene.here(text) == ["profile_incomplete"]


@BOTH
def test_a_credential_process_that_failed_and_one_that_is_gone(scene: Scene) -> None:
    config = scene.house.config
    command = f"{sys.executable} -I -m credtray credentials {PROFILE}"
    config.write_text(
        config.read_text()
        + f"[profile asks]\ncredential_process = {command}\nregion = us-east-1\n"
        + "[profile gone]\ncredential_process = /old/python -m credtray\nregion = us-east-1\n"
    )
    failed, gone = scene.failure("asks"), scene.failure("gone")

    assert "custom-process" in failed
    assert {"credential_process_failed", "signed_out"} <= {item["code"] for item in scene.explained(failed)}
    assert scene.here(gone) == ["credential_process_missing"]


# --- the network -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Certificate.UNKNOWN_AUTHORITY, Certificate.EXPIRED])
def test_a_certificate_nobody_trusts(scene: Scene, portal: RunningPortal, kind: Certificate) -> None:
    scene.token()
    scene.unset_endpoints()
    with ConnectProxy(urlsplit(portal.url).port or 0, certificate=kind) as other:
        scene.set(**other.environment)
        text = scene.failure()
        doctor = credtray("doctor", "--online", "--json").out

    assert "CERTIFICATE_VERIFY_FAILED" in text
    assert scene.explained(text)[0]["code"] == "certificate_refused"
    seen = next(item for item in json.loads(doctor)["findings"] if item["code"] == "certificate_refused")
    assert (kind is not Certificate.UNKNOWN_AUTHORITY) or "Intercepting Proxy Ltd" in seen["seen"][0]["text"]


def test_a_proxy_that_is_not_there(scene: Scene) -> None:
    scene.token()
    scene.unset_endpoints()
    scene.set(HTTPS_PROXY="http://127.0.0.1:9")
    text = scene.failure()

    assert "proxy" in text
    assert scene.explained(text)[0]["code"] == "proxy_refused"


def test_a_ca_bundle_that_is_not_there(scene: Scene, proxy: ConnectProxy) -> None:
    scene.token()
    scene.unset_endpoints()
    scene.set(HTTPS_PROXY=proxy.url, AWS_CA_BUNDLE="/gone.pem")
    text = scene.failure()

    assert "[Errno 2] No such file or directory" in text
    assert scene.here(text) == ["ca_bundle_missing"]


def test_a_service_that_cannot_be_reached(scene: Scene) -> None:
    scene.set(AWS_ENDPOINT_URL_SSO="http://127.0.0.1:9")
    scene.token()
    text = scene.failure()

    assert "Could not connect to the endpoint URL" in text
    assert scene.explained(text)[0]["code"] == "unreachable"


def test_with_the_network_good_doctor_online_says_what_was_reached(
    scene: Scene, signed_in: dict[str, Any]
) -> None:
    scene.token(**signed_in)
    told = json.loads(credtray("doctor", "--online", "--json").out)
    found = {item["code"]: item for item in told["findings"]}

    # Token service and portal are at one address, and it is not AWS's own.
    assert len(found["endpoint_override"]["seen"]) == 1
    assert "network_fine" not in found
    assert "clock_off" not in found
