"""`credtray token`: what botocore makes for the same keys at the same moment, printed and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import botocore.session
import pytest
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import SignInRequired
from credtray.core.models import Way
from credtray.core.protocol import Credentials
from credtray.tokens.command import Kind, signed_token
from credtray.tokens.presigned import Signer
from tests.cli.fake_backend import FakeBackend, Outcome, credtray
from tests.tokens.stand_in import StandIn, stand_in
from tests.tokens.test_kube_token import CONFIG, lasting
from tests.tokens.test_presigned import KEYS, NOW, stamp

HOST = "db.abc123.eu-central-1.rds.amazonaws.com"
USERS = st.text("abcXYZ09_.@+ /\u00e9", min_size=1, max_size=20)


@pytest.fixture
def config(home: Path) -> Path:
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def client(service: str, region: str) -> Any:
    make: Any = botocore.session.get_session().create_client
    return make(
        service,
        region_name=region,
        aws_access_key_id=KEYS["AccessKeyId"],
        aws_secret_access_key=KEYS["SecretAccessKey"],
        aws_session_token=KEYS["SessionToken"],
    )


@pytest.fixture(scope="module")
def now() -> Iterator[datetime]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
        yield NOW


@pytest.fixture(scope="module")
def rds(now: datetime) -> Any:
    return client("rds", "eu-central-1")


def ours(kind: Kind, host: str, port: int | None = None, user: str | None = None, **more: Any) -> str:
    return signed_token(Signer(KEYS, "eu-central-1", stamp(NOW)), kind, host, port, user, **more)


@given(port=st.integers(1, 65535) | st.just(443), user=USERS)
def test_token_for_rds_is_botocores(port: int, user: str, rds: Any) -> None:
    assert ours(Kind.RDS, HOST, port, user) == rds.generate_db_auth_token(HOST, port, user)


@pytest.mark.parametrize("user", [None, "admin"])
def test_token_for_dsql_is_botocores(user: str | None, now: datetime) -> None:
    dsql, host = client("dsql", "eu-central-1"), "abc.dsql.eu-central-1.on.aws"
    made = dsql.generate_db_connect_admin_auth_token if user else dsql.generate_db_connect_auth_token

    assert ours(Kind.DSQL, host, user=user) == made(host)


@pytest.mark.parametrize("serverless", [False, True])
def test_token_for_elasticache_is_the_documented_form(*, serverless: bool, rds: Any) -> None:
    """ElastiCache user guide, "Authenticating with IAM": a presigned request of the cache's name."""
    kind = "&ResourceType=ServerlessCache" if serverless else ""
    signer: Any = RequestSigner(
        ServiceId("elasticache"),
        "eu-central-1",
        "elasticache",
        "v4",
        rds._request_signer._credentials,
        rds.meta.events,
    )
    request = {
        "method": "GET",
        "url": f"https://my-cache/?Action=connect&User=app{kind}",
        "body": {},
        "headers": {},
        "context": {},
    }
    made = signer.generate_presigned_url(
        request, "connect", expires_in=900, region_name="eu-central-1"
    ).removeprefix("https://")

    assert ours(Kind.ELASTICACHE, "my-cache", user="app", serverless=serverless) == made


def run(*words: str) -> tuple[Outcome, FakeBackend]:
    backend = FakeBackend({Credentials: lasting()})
    return credtray("token", *words, backend=backend), backend


@pytest.mark.parametrize(
    ("host", "more", "region"),
    [
        (HOST, (), "eu-central-1"),
        (HOST.upper(), (), "eu-central-1"),
        (HOST, ("--region", "us-east-1"), "us-east-1"),
        ("db.x.cn-north-1.rds.amazonaws.com.cn", (), "cn-north-1"),
        ("db.example.com", ("--region", "us-east-1"), "us-east-1"),
    ],
)
def test_region_is_the_hosts_unless_somebody_names_one(
    host: str, more: tuple[str, ...], region: str, config: Path
) -> None:
    outcome, backend = run("rds", "-P", "foo", "--host", host, "--port", "5432", "--user", "app", *more)
    parts = urlsplit(f"https://{outcome.out.strip()}")
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}

    assert (outcome.code, outcome.err) == (0, "")
    assert parts.netloc == f"{host.lower()}:5432"
    assert asked["X-Amz-Credential"].split("/")[2:4] == [region, "rds-db"]
    assert asked["DBUser"] == "app"
    assert backend.asked == [Credentials("foo", Way.TOKEN)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rds", "--host", HOST), "needs --port and --user"),
        (("dsql",), "needs --host"),
        (("elasticache", "--host", "x"), "needs --user"),
        (("codeartifact",), "needs --domain"),
        (("mongo",), "'mongo' is not one of"),
        (("rds", "--host", HOST, "--port", "0", "--user", "a"), "0 is not a port"),
        (("rds", "--host", HOST, "--port", "65536", "--user", "a"), "65536 is not a port"),
        (("dsql", "--host", "https://x.dsql.eu-west-1.on.aws"), "is not the name of a host"),
        (("dsql", "--host", "x/?a=b"), "is not the name of a host"),
        (("dsql", "--host", "x\ny"), "is not the name of a host"),
        (("elasticache", "--host", "x", "--user", "a"), "foo has no region"),
    ],
)
def test_misuse_is_said_and_nothing_printed(words: tuple[str, ...], said: str, config: Path) -> None:
    outcome, _ = run(*words, "-P", "foo")

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err.replace("\n", " ")


def test_signed_out_is_said_as_credentials_says_it(config: Path) -> None:
    refused = FakeBackend({Credentials: SignInRequired("corp")})
    outcome = credtray("token", "dsql", "-P", "foo", "--host", "x.dsql.eu-west-1.on.aws", backend=refused)

    assert (outcome.code, outcome.out) == (1, "")
    assert "A sign-in is needed: corp" in outcome.err


# --- codeartifact ------------------------------------------------------------------------------------

ARTIFACT = "POST /v1/authorization-token"


@pytest.fixture
def service(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with stand_in() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CODEARTIFACT", found.url)
        found.answers[ARTIFACT] = (200, {"authorizationToken": "canary.token"})
        yield found


def test_token_of_codeartifact_is_printed(service: StandIn) -> None:
    words = ("codeartifact", "-P", "foo", "--region", "eu-central-1", "--domain", "packages")
    outcome, _ = run(*words, "--domain-owner", "111122223333")

    assert (outcome.code, outcome.out, outcome.err) == (0, "canary.token\n", "")
    assert service.asked[0].query == {"domain": "packages", "domain-owner": "111122223333"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, {}), ""),
        ((200, {"authorizationToken": ""}), "no token in it"),
        ((200, {"authorizationToken": "a\nb"}), "no token in it"),
        ((403, {"__type": "AccessDeniedException", "message": "not yours"}), "not yours"),
        ((404, {"__type": "ResourceNotFoundException", "message": "Domain"}), "nothing of that name"),
        ((500, {}), "server error"),
    ],
)
def test_codeartifact_that_says_no_gives_nothing(answer: tuple[int, Any], why: str, service: StandIn) -> None:
    service.answers[ARTIFACT] = answer
    outcome, _ = run("codeartifact", "-P", "foo", "--region", "eu-central-1", "--domain", "packages")

    assert outcome.code != 0
    assert outcome.out == ""
    assert why in outcome.err.replace("\n", " ")


def test_moment_of_a_token_is_now(config: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    outcome, _ = run("dsql", "-P", "foo", "--host", "x.dsql.eu-west-1.on.aws")
    made = parse_qs(urlsplit(f"https://{outcome.out.strip()}").query)["X-Amz-Date"][0]

    assert before <= datetime.strptime(made, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) <= datetime.now(UTC)
