"""`docker-credential-credtray`: the protocol of docker's helpers, for Amazon ECR and nothing else."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from credtray.core.errors import SignInRequired
from credtray.core.models import Way
from credtray.core.protocol import Credentials
from credtray.desktop.paths import settings_file
from credtray.tokens.registry import NOT_DONE, NOT_FOUND, Registry, registry_at
from tests.cli.fake_backend import FakeBackend, Outcome, credtray
from tests.connect_proxy import ConnectProxy
from tests.daemon.conftest import running_agent
from tests.tokens.stand_in import StandIn, stand_in
from tests.tokens.test_kube_token import lasting

ROOT = Path(__file__).parents[2]
DOOR = ROOT / "agent" / "credtray" / "__main__.py"
PRIVATE = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
PUBLIC = "SpencerFrontendService.GetAuthorizationToken"
PASSWORD = "canary-password"


def profile(name: str, account: str, region: str) -> str:
    return (
        f"[profile {name}]\nsso_session = corp\nsso_account_id = {account}\nsso_role_name = Push\n"
        f"region = {region}\n"
    )


CONFIG = (
    "[sso-session corp]\nsso_start_url = https://d-9067000001.awsapps.com/start\nsso_region = us-east-1\n"
    + profile("one", "111100000001", "eu-central-1")
    + profile("two-eu", "111100000002", "eu-central-1")
    + profile("two-us", "111100000002", "us-east-1")
    + profile("three-a", "111100000003", "eu-central-1")
    + profile("three-b", "111100000003", "eu-central-1")
    + "[profile chained]\nsource_profile = one\nrole_arn = arn:aws:iam::111100000004:role/Push\n"
    "region = eu-central-1\n"
)


def token(text: str = f"AWS:{PASSWORD}") -> dict[str, str]:
    return {"authorizationToken": b64encode(text.encode()).decode()}


@pytest.fixture
def settings(home: Path) -> Path:
    path = settings_file()
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    return path


@pytest.fixture
def ecr(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    with stand_in() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        service.answers = {
            PRIVATE: (200, {"authorizationData": [token()]}),
            PUBLIC: (200, {"authorizationData": token("AWS:public")}),
        }
        yield service


def run(action: str, question: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Outcome, FakeBackend]:
    backend = FakeBackend({Credentials: lasting()})
    monkeypatch.setattr(sys, "stdin", io.StringIO(question))
    return credtray("docker-credential", action, backend=backend), backend


def host(account: str, region: str = "eu-central-1") -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com"


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (host("111100000001"), "one"),
        (host("111100000001", "ap-south-1"), "one"),
        (host("111100000002"), "two-eu"),
        (host("111100000002", "us-east-1"), "two-us"),
        (host("111100000004"), "chained"),
        (f"https://{host('111100000001')}", "one"),
        (f"https://{host('111100000001')}/v2/", "one"),
        (f"{host('111100000001')}\n", "one"),
    ],
)
def test_account_and_region_of_the_registry_choose_the_profile(
    asked: str, chosen: str, ecr: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, backend = run("get", asked, monkeypatch)

    assert outcome.code == 0, outcome.out
    assert json.loads(outcome.out) == {"ServerURL": asked.strip(), "Username": "AWS", "Secret": PASSWORD}
    assert backend.asked == [Credentials(chosen, Way.REGISTRY)]
    assert "/ecr/aws4_request" in ecr.asked[0].headers["authorization"]


def test_region_that_is_asked_is_the_registrys(ecr: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    run("get", host("111100000001", "ap-south-1"), monkeypatch)

    assert "/ap-south-1/ecr/" in ecr.asked[0].headers["authorization"]


@pytest.mark.parametrize("asked", [host("111100000003"), host("111100000002", "ap-south-1")])
def test_several_profiles_are_named_and_the_setting_that_chooses(
    asked: str, ecr: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, _ = run("get", asked, monkeypatch)

    assert outcome.code == 1
    assert "could all open" in outcome.out
    assert "credtray settings set profiles." in outcome.out
    assert ecr.asked == []


@pytest.mark.parametrize("named", ["111100000003", host("111100000003")])
def test_setting_chooses_among_several(
    named: str, ecr: StandIn, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text(f'[profiles.three-b]\nregistries = ["{named}"]\n')
    _, backend = run("get", host("111100000003"), monkeypatch)

    assert backend.asked == [Credentials("three-b", Way.REGISTRY)]


def test_public_registry_is_asked_for_with_the_profile_that_a_setting_names(
    ecr: StandIn, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without, _ = run("get", "public.ecr.aws", monkeypatch)
    settings.write_text('[profiles.one]\nregistries = ["public.ecr.aws"]\n')
    outcome, _ = run("get", "public.ecr.aws", monkeypatch)

    assert (without.code, without.out) == (1, f"{NOT_FOUND}\n")
    assert json.loads(outcome.out)["Secret"] == "public"
    assert "/us-east-1/ecr-public/" in ecr.asked[0].headers["authorization"]


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "https://index.docker.io/v1/",
        "ghcr.io",
        host("999999999999"),
        host("111100000001") + ".evil.com",
        "evil.com/" + host("111100000001"),
        "http://" + host("111100000001"),
        "https://user@" + host("111100000001"),
        host("111100000001") + ":8443",
        host("11110000000"),
        "111100000001.dkr.ecr.eu-central-1.amazonaws.com.cn.evil",
        "x" * 100_000,
    ],
)
def test_whatever_is_no_registry_of_ours_is_not_found(
    asked: str, ecr: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, backend = run("get", asked, monkeypatch)

    assert (outcome.code, outcome.out) == (1, f"{NOT_FOUND}\n")
    assert backend.asked == []


@pytest.mark.parametrize("action", ["store", "erase"])
def test_nothing_is_stored_and_nothing_erased(
    action: str, ecr: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, backend = run(action, '{"ServerURL":"x","Username":"u","Secret":"canary"}', monkeypatch)

    assert (outcome.code, outcome.out, outcome.err) == (1, f"{NOT_DONE}\n", "")
    assert backend.asked == []


def test_list_names_what_is_certain_and_asks_nobody(ecr: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, backend = run("list", "", monkeypatch)
    certain = [("111100000001", "eu-central-1"), ("111100000002", "eu-central-1")]
    certain += [("111100000002", "us-east-1"), ("111100000004", "eu-central-1")]

    assert json.loads(outcome.out) == {f"https://{host(*each)}": "AWS" for each in certain}
    assert (backend.asked, ecr.asked) == ([], [])


def test_signed_out_is_said_where_docker_looks(ecr: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(host("111100000001")))
    outcome = credtray("docker-credential", "get", backend=FakeBackend({Credentials: SignInRequired("corp")}))

    assert outcome.code == 1
    assert "A sign-in is needed: corp" in outcome.out
    assert "credtray login" in outcome.out


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, {"authorizationData": []}), "no token in it"),
        ((200, {"authorizationData": [{"authorizationToken": "%%%"}]}), "no token in it"),
        ((200, {"authorizationData": [token("no colon")]}), "a token of"),
        ((200, {"authorizationData": [token("AWS:")]}), "a token of"),
        ((200, {}), ""),
        ((400, {"__type": "AccessDeniedException", "message": "no ecr:GetAuthorizationToken"}), "no ecr:Get"),
        ((500, {}), "server error"),
    ],
)
def test_far_side_that_says_no_or_something_else_gives_no_password(
    answer: tuple[int, Any], why: str, ecr: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ecr.answers[PRIVATE] = answer
    outcome, _ = run("get", host("111100000001"), monkeypatch)

    assert outcome.code == 1
    assert outcome.out.startswith("credtray: ")
    assert why in outcome.out
    assert "canary" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("1" * 12 + ".dkr.ecr.cn-north-1.amazonaws.com.cn", ("cn-north-1", False, False)),
        ("1" * 12 + ".dkr.ecr-fips.us-gov-west-1.amazonaws.com", ("us-gov-west-1", True, False)),
        ("1" * 12 + ".dkr-ecr.eu-west-1.on.aws", ("eu-west-1", False, True)),
        ("1" * 12 + ".dkr-ecr-fips.us-east-1.on.aws", ("us-east-1", True, True)),
        ("1" * 12 + ".dkr.ecr.us-iso-east-1.c2s.ic.gov", ("us-iso-east-1", False, False)),
        ("1" * 12 + ".dkr.ecr.eusc-de-east-1.amazonaws.eu", ("eusc-de-east-1", False, False)),
    ],
)
def test_hosts_of_every_partition_are_known(server: str, found: tuple[str, bool, bool]) -> None:
    assert registry_at(server) == Registry(server, "1" * 12, *found)


@pytest.mark.parametrize(
    "asked",
    ["HTTPS://{}", "https://{}:443", "{}:443", "https://{}:443/v2/", "Https://{}/", "  {}\n"],
)
def test_scheme_case_and_the_usual_port_do_not_matter(asked: str) -> None:
    name = "1" * 12 + ".dkr.ecr.eu-west-1.amazonaws.com"

    assert registry_at(asked.format(name)) == registry_at(asked.format(name).upper()) == registry_at(name)
    assert registry_at(name) is not None


@pytest.mark.parametrize("asked", ["{}:4430", "{}:443:443", "{}:443.evil.com", "https://https://{}", "{}:"])
def test_what_only_looks_like_the_usual_port_is_another_registry(asked: str) -> None:
    assert registry_at(asked.format("1" * 12 + ".dkr.ecr.eu-west-1.amazonaws.com")) is None


# --- the program itself ------------------------------------------------------------------------------


@pytest.fixture
def helper(tmp_path: Path) -> Path:
    """The script as an installer puts it, beside a `credtray` that tells how it was called."""
    place = tmp_path / "with space" / "bin"
    place.mkdir(parents=True)
    shutil.copy(ROOT / "packaging" / "commands" / "docker-credential-credtray", place)
    (place / "credtray").write_text('#!/bin/sh\necho "$*"; cat\n')
    (place / "credtray").chmod(0o755)
    return place / "docker-credential-credtray"


@pytest.mark.posix("a script of sh")
def test_program_hands_over_to_the_credtray_beside_it(helper: Path, tmp_path: Path) -> None:
    link = tmp_path / "docker-credential-credtray"
    link.symlink_to(helper)
    told = [
        subprocess.run([each, "get"], input="x", capture_output=True, text=True, check=True).stdout
        for each in (helper, link)
    ]

    assert told == ["docker-credential get\nx"] * 2


MANIFEST = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}'


@pytest.fixture
def registry() -> Iterator[int]:
    """A registry with one image, for who says the password."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = "Basic " + b64encode(f"AWS:{PASSWORD}".encode()).decode()
            good = self.headers.get("authorization") == told
            self.send_response(200 if good else 401)
            if not good:
                self.send_header("WWW-Authenticate", 'Basic realm="ECR",service="ecr.amazonaws.com"')
            self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
            body = MANIFEST if good else b"{}"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 -- http.server's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def skopeo(name: str, place: Path, proxy: ConnectProxy) -> subprocess.CompletedProcess[bytes]:
    (place / "docker-credential-credtray").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -I "{DOOR}" docker-credential "$@"\n'
    )
    (place / "docker-credential-credtray").chmod(0o755)
    auth = place / "auth.json"
    auth.write_text(json.dumps({"credHelpers": {name: "credtray"}}))
    environment = {
        **os.environ,
        "PATH": f"{place}:/usr/bin:/bin",
        "REGISTRY_AUTH_FILE": str(auth),
        "HTTPS_PROXY": proxy.url,
        "SSL_CERT_FILE": str(proxy.ca_bundle),
    }
    words = ["skopeo", "inspect", "--raw", f"docker://{name}/app:1"]
    return subprocess.run(words, env=environment, capture_output=True, check=False, timeout=60)


@pytest.mark.posix("skopeo")
@pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs Debian's skopeo package")
@pytest.mark.parametrize("account", ["111100000001", "111100000003"])
def test_skopeo_reads_an_image_with_the_password_or_shows_what_is_wrong(
    account: str, ecr: StandIn, registry: int, tmp_path: Path
) -> None:
    name = host(account)
    with running_agent(), ConnectProxy(registry, hosts=frozenset({name})) as proxy:
        done = skopeo(name, tmp_path, proxy)

    if account == "111100000001":
        assert (done.stdout, done.returncode) == (MANIFEST, 0), done.stderr
        assert "ASIAEXAMPLE" in ecr.asked[0].headers["authorization"]
    else:
        assert b"three-a, three-b could all open" in done.stderr
        assert done.returncode != 0
    assert PASSWORD.encode() not in done.stdout + done.stderr
