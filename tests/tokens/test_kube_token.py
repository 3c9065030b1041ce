"""`credtray kube-token`: the AWS CLI's own answer for the same keys at the same moment, and a clear no."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from credtray.core.errors import SignInRequired
from credtray.core.models import RoleCredentials, Secret, Way
from credtray.core.protocol import Credentials, ProcessCredentials
from credtray.tokens import kube_fast
from credtray.tokens.presigned import Signer
from tests.cli.fake_backend import FakeBackend, Outcome, credtray
from tests.daemon.conftest import ROOT, Agent, running_agent
from tests.daemon.stub_agent import ISSUED

AWS = Path("/usr/bin/aws")
DOOR = str(ROOT / "agent" / "credtray" / "__main__.py")
FAST = [sys.executable, "-I", "-S", DOOR, "kube-token"]
NAMED = ["my-cluster", "--profile", "foo", "--region", "eu-central-1"]
KEYS = json.loads(ISSUED.line())
CLOCK = "%Y-%m-%dT%H:%M:%SZ"
API = "client.authentication.k8s.io/"

CONFIG = """\
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1

[profile foo]
sso_session = corp
sso_account_id = 111100000001
sso_role_name = ReadOnly
"""


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(kube_fast.OF_KUBERNETES, raising=False)


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running_agent() as running:
        yield running


@pytest.fixture
def elsewhere(home: Path) -> Path:
    """Where the profile foo has its settings."""
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def fast(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*FAST, *words], capture_output=True, timeout=60, check=False)


def opened(document: str | bytes) -> tuple[str, dict[str, str]]:
    """Return the host that a token leads to, and what it asks there."""
    token = json.loads(document)["status"]["token"].removeprefix("k8s-aws-v1.")
    parts = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    return parts.netloc, {name: values[0] for name, values in parse_qs(parts.query).items()}


def made_at(document: str | bytes) -> str:
    return opened(document)[1]["X-Amz-Date"]


def life_of(document: str | bytes) -> timedelta:
    """Return how long a token is said to last, from the moment of its signature."""
    over = datetime.strptime(json.loads(document)["status"]["expirationTimestamp"], CLOCK).replace(tzinfo=UTC)
    return over - datetime.strptime(made_at(document), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def ours_at(document: str | bytes, region: str, host: str, cluster: str = "my-cluster") -> bytes:
    """Return what credtray writes at the moment of somebody else's token."""
    signer = Signer(KEYS, region, made_at(document))
    header = {kube_fast.HEADER: cluster}
    address = signer.address("sts", host, kube_fast.ASKED, kube_fast.URL_SECONDS, header)
    over = datetime.strptime(json.loads(document)["status"]["expirationTimestamp"], CLOCK).replace(tzinfo=UTC)
    now = over - timedelta(seconds=kube_fast.TOKEN_SECONDS)
    return kube_fast.exec_credential(address, "9999-12-31T00:00:00Z", now.timestamp())


@pytest.mark.posix("the AWS CLI of Debian")
@pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package")
@pytest.mark.parametrize(
    ("region", "host", "version"),
    [
        ("eu-central-1", "sts.eu-central-1.amazonaws.com", ""),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com", "v1"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "v1beta1"),
        ("us-east-1", "sts.us-east-1.amazonaws.com", "v1alpha1"),
        ("us-east-1", "sts.us-east-1.amazonaws.com", "v9"),
    ],
)
def test_bytes_are_those_of_the_aws_cli(
    region: str, host: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if version:
        asked = {"kind": "ExecCredential", "apiVersion": API + version, "spec": {"interactive": False}}
        monkeypatch.setenv(kube_fast.OF_KUBERNETES, json.dumps(asked, separators=(",", ":")))
    keys = dict(
        zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), list(KEYS.values())[1:4], strict=True)
    )
    environment = {**os.environ, **{f"AWS_{name}": value for name, value in keys.items()}}
    done = subprocess.run(
        [AWS, "eks", "get-token", "--cluster-name", "my-cluster", "--region", region],
        env={**environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )

    assert ours_at(done.stdout, region, host) == done.stdout
    assert timedelta(minutes=14) <= life_of(done.stdout) < timedelta(minutes=15)


def test_agent_is_asked_and_its_keys_sign(agent: Agent) -> None:
    done = fast(*NAMED)
    host, asked = opened(done.stdout)

    assert (done.returncode, done.stderr) == (0, b"")
    assert host == "sts.eu-central-1.amazonaws.com"
    assert asked["X-Amz-Credential"].startswith("ASIAEXAMPLE/")
    assert asked["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert json.loads(done.stdout)["status"]["expirationTimestamp"] == KEYS["Expiration"]


@pytest.mark.parametrize(
    "words",
    [
        ("-P", "foo", "my-cluster", "--region=eu-central-1"),
        ("--profile=foo", "my-cluster"),
        ("my-cluster", "-P", "foo"),
    ],
)
def test_words_may_stand_anywhere_and_the_region_is_the_profiles(
    agent: Agent, words: tuple[str, ...]
) -> None:
    host, asked = opened(fast(*words).stdout)

    assert host == "sts.eu-central-1.amazonaws.com"
    assert asked["X-Amz-Credential"].split("/")[2] == "eu-central-1"


def test_region_of_the_environment_goes_before_the_profiles(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    assert opened(fast("my-cluster", "-P", "foo").stdout)[0] == "sts.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("profile", ["signed-out", "crash", "unknown"])
def test_what_credentials_refuses_this_refuses_in_the_same_words(agent: Agent, profile: str) -> None:
    done = fast("my-cluster", "-P", profile)
    other = subprocess.run([*FAST[:-1], "credentials", profile], capture_output=True, timeout=60, check=False)

    assert done.stdout == b""
    assert (done.returncode, done.stderr) == (other.returncode, other.stderr)
    assert b"canary" not in done.stderr


def test_nothing_dear_is_imported(agent: Agent) -> None:
    done = subprocess.run(
        [*FAST[:3], "-X", "importtime", *FAST[3:], *NAMED], capture_output=True, check=False, timeout=60
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    dear = {"json", "socket", "botocore", "site", "re", "enum", "typing", "pathlib", "msgspec", "hashlib"}

    assert opened(done.stdout)[0] == "sts.eu-central-1.amazonaws.com"
    assert imported & dear == set()


# --- which version kubectl wants ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "version", "warned"),
    [
        ("", "v1beta1", ""),
        ('{"kind":"ExecCredential","apiVersion":"%sv1","spec":{}}', "v1", ""),
        ('{"kind":"ExecCredential","apiVersion":"%sv1beta1","spec":{}}', "v1beta1", ""),
        ('{ "apiVersion" : "%sv1" }', "v1", ""),
        ('{"apiVersion":"%sv1alpha1"}', "v1alpha1", "outdated"),
        ('{"apiVersion":"%sv2"}', "v1beta1", "answers in v1beta1"),
        ('{"apiVersion":"v1"}', "v1beta1", "answers in v1beta1"),
        ('{"apiVersion":7}', "v1beta1", "answers in v1beta1"),
        ("[", "v1beta1", "answers in v1beta1"),
        ("[]", "v1beta1", "answers in v1beta1"),
    ],
)
def test_version_is_the_one_that_kubectl_asks_for(
    asked: str,
    version: str,
    warned: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(kube_fast.OF_KUBERNETES, asked.replace("%s", API))
    document = json.loads(kube_fast.exec_credential("https://x/", "9999-12-31T00:00:00Z", 0.0))
    said = capfd.readouterr().err

    assert document["apiVersion"] == API + version
    assert warned in said
    assert bool(said) is bool(warned)


def test_token_is_not_said_to_outlive_its_keys() -> None:
    document = json.loads(kube_fast.exec_credential("https://x/", "1970-01-01T00:05:00Z", 0.0))

    assert document["status"]["expirationTimestamp"] == "1970-01-01T00:05:00Z"


# --- the slow way ------------------------------------------------------------------------------------


def lasting() -> ProcessCredentials:
    ends = datetime(2099, 1, 1, tzinfo=UTC)
    return ProcessCredentials.of(
        RoleCredentials(
            "ASIAEXAMPLE", Secret("canary-secret/key+"), Secret("canary-session-token=="), ends, ends
        )
    )


def slow(*words: str) -> tuple[Outcome, FakeBackend]:
    backend = FakeBackend({Credentials: lasting()})
    return credtray("kube-token", *words, backend=backend), backend


def test_without_an_agent_the_token_is_the_same(elsewhere: Path) -> None:
    outcome, backend = slow("my-cluster", "-P", "foo", "--region", "eu-central-1", "--no-agent")

    assert (outcome.code, outcome.err) == (0, "")
    assert ours_at(outcome.out, "eu-central-1", "sts.eu-central-1.amazonaws.com").decode() == outcome.out
    assert life_of(outcome.out) == timedelta(minutes=14)
    assert backend.asked == [Credentials("foo", Way.KUBE)]


CHOSEN: list[tuple[dict[str, str], str, str, tuple[str, str]]] = [
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, "", "us-west-2", ("sts-fips.us-west-2.amazonaws.com", "us-west-2")),
    ({}, "use_fips_endpoint = true", "us-gov-west-1", ("sts.us-gov-west-1.amazonaws.com", "us-gov-west-1")),
    ({}, "Use_Fips_Endpoint = true", "us-east-1", ("sts-fips.us-east-1.amazonaws.com", "us-east-1")),
    ({}, "use_dualstack_endpoint = true", "eu-west-1", ("sts.eu-west-1.api.aws", "eu-west-1")),
    ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, "", "eu-west-1", ("sts.amazonaws.com", "us-east-1")),
    ({}, "sts_regional_endpoints = legacy", "eu-south-1", ("sts.eu-south-1.amazonaws.com", "eu-south-1")),
    ({"AWS_ENDPOINT_URL_STS": "https://sts.example"}, "", "eu-west-1", ("sts.example", "eu-west-1")),
]


@pytest.mark.parametrize(("variables", "setting", "region", "chosen"), CHOSEN)
def test_hosts_that_somebody_chose_are_botocores(
    variables: dict[str, str],
    setting: str,
    region: str,
    chosen: tuple[str, str],
    elsewhere: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere.write_text(f"{CONFIG}{setting}\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    words = ("my-cluster", "--profile", "foo", "--region", region)
    passed_on = kube_fast.answer(["kube-token", *words])
    outcome, _ = slow(*words)
    host, asked = opened(outcome.out)

    assert passed_on == ["kube-token", *words]
    assert (host, asked["X-Amz-Credential"].split("/")[2]) == chosen
    assert ours_at(outcome.out, chosen[1], chosen[0]).decode() == outcome.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "foo"), "Missing argument"),
        (("my-cluster",), "Missing option"),
        (("my cluster", "-P", "foo"), '"my cluster" is not the name of a cluster'),
        (("x\r\nhost: evil", "-P", "foo"), "is not the name of a cluster"),
        (("../../etc", "-P", "foo"), "is not the name of a cluster"),
        (("a" * 101, "-P", "foo"), "is not the name of a cluster"),
        (("my-cluster", "-P", "foo"), "foo has no region"),
        (("my-cluster", "-P", "foo", "--region", "evil.com/"), "is not a region name"),
    ],
)
def test_misuse_is_said_and_nothing_printed(words: tuple[str, ...], said: str, elsewhere: Path) -> None:
    outcome, _ = slow(*words)

    assert outcome.code != 0
    assert outcome.out == ""
    assert said in outcome.err


def test_signed_out_is_said_as_credentials_says_it(elsewhere: Path) -> None:
    refused = FakeBackend({Credentials: SignInRequired("corp")})
    outcome = credtray("kube-token", *NAMED, backend=refused)
    other = credtray("credentials", "foo", backend=FakeBackend({Credentials: SignInRequired("corp")}))

    assert (outcome.code, outcome.out, outcome.err) == (other.code, "", other.err)
