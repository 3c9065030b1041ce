"""B13: Debian's AWS CLI uses our sign-in and we use its; also the vanity start URL, over TLS and a proxy."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.connect_proxy import ConnectProxy
from tests.end_to_end.house import ROLES, House, until
from tests.portal import RunningPortal

AWS = Path("/usr/bin/aws")

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package")


@pytest.fixture
def proxy(portal: RunningPortal) -> Iterator[ConnectProxy]:
    port = urlsplit(portal.url).port
    assert port is not None
    with ConnectProxy(port) as found:
        yield found


@pytest.fixture
def behind(portal: RunningPortal, proxy: ConnectProxy, home: Path) -> House:
    """A house that reaches the portal under AWS's own names only."""
    house = House(home, portal)
    for name in ("AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"):
        del house.environ[name]
    house.environ |= {**proxy.environment, "SSL_CERT_FILE": str(proxy.ca_bundle), "NO_PROXY": "127.0.0.1"}
    return house


def aws(house: House, *words: str) -> str:
    done = subprocess.run(
        [AWS, *words], env=house.environ, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def opener(proxy: ConnectProxy) -> urllib.request.OpenerDirector:
    """A person's browser, as far as a printed address needs one."""
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": proxy.url}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(proxy.ca_bundle))),
    )


def aws_login(house: House, proxy: ConnectProxy) -> None:
    """`aws sso login` as 2.9.19 does it: a device code, finished at the printed address."""
    command = [str(AWS), "sso", "login", "--no-browser", "--sso-session", "synderys"]
    with subprocess.Popen(command, env=house.environ, stdout=subprocess.PIPE, text=True) as login:
        assert login.stdout is not None
        for line in login.stdout:
            if "user_code=" in line:
                opener(proxy).open(line.strip(), timeout=60).close()
    assert login.returncode == 0


def test_the_cli_uses_our_sign_in_and_the_profiles_setup_wrote(behind: House) -> None:
    behind.run(
        "setup", "--session", "synderys", "--start-url", "https://d-9067000001.awsapps.com/start",
        "--region", "us-east-1", "--accounts", "all", "--roles", "ReadOnly,DNS,Security",
        "--profile-region", "eu-west-1", "--yes",
    )  # fmt: skip
    told = {name: json.loads(aws(behind, "sts", "get-caller-identity", "--profile", name)) for name in ROLES}

    assert {name: item["Account"] for name, item in told.items()} == {
        name: account for name, (account, _role) in ROLES.items()
    }
    assert aws(behind, "configure", "get", "region", "--profile", "synderys-dns").strip() == "eu-west-1"
    assert len(behind.visits()) == 1


def test_the_cli_reads_the_keys_we_keep(behind: House) -> None:
    behind.configure()
    with behind.agent():
        behind.run("login")
        behind.run("activate", "synderys-dns")
        behind.run("switch", "synderys-dns")
        behind.environ["AWS_CONFIG_FILE"] = "/dev/null"
        named = aws(
            behind, "sts", "get-caller-identity", "--profile", "synderys-dns", "--region", "us-east-1"
        )
        default = aws(behind, "sts", "get-caller-identity")

        assert json.loads(named)["Account"] == "111100000002"
        assert json.loads(default) == json.loads(named)


def test_we_use_the_clis_sign_in_and_honour_its_logout(behind: House, proxy: ConnectProxy) -> None:
    behind.configure()
    with behind.agent():
        behind.run("activate", "synderys-dns", code=None)
        aws_login(behind, proxy)
        until(lambda: "aws_access_key_id" in behind.written())
        assert behind.session()["state"] == "fresh"
        assert behind.visits() == []

        aws(behind, "sso", "logout")
        until(lambda: behind.session()["state"] == "signed_out")
        until(lambda: "aws_access_key_id" not in behind.written())
        assert not behind.token_file().exists()


def test_a_sign_in_of_the_cli_finishes_ours(behind: House, proxy: ConnectProxy) -> None:
    behind.configure()
    with behind.agent():
        pending = behind.start("login", "--device", "--json")
        until(lambda: behind.session()["state"] == "signing_in" and behind.session()["sign_in_url"])
        aws_login(behind, proxy)
        out, err = pending.communicate(timeout=60)

        assert pending.returncode == 0, err
        assert json.loads(out)["joined"] is True


@pytest.mark.met("F6")
def test_whoever_signs_in_next_can_use_what_lies_in_the_cache(behind: House, proxy: ConnectProxy) -> None:
    behind.configure()
    behind.run("login")
    aws_login(behind, proxy)
    behind.run("login", "--fresh", "--yes")
    aws_login(behind, proxy)
    behind.run("logout")
    by_device(behind, proxy)
    aws_login(behind, proxy)

    told = json.loads(aws(behind, "sts", "get-caller-identity", "--profile", "synderys-dns"))
    assert told["Account"] == "111100000002"
    assert json.loads(behind.run("credentials", "synderys-dns").stdout)["Version"] == 1


def by_device(house: House, proxy: ConnectProxy) -> None:
    """`credtray login --device`, finished at the printed address."""
    login = house.start("login", "--device", "--no-browser")
    assert login.stderr is not None
    told = iter(login.stderr)
    address = next(found for line in told if (found := re.search(r"https://\S+user_code=\S+", line)))
    opener(proxy).open(address[0], timeout=60).close()
    _, err = login.communicate(timeout=60)
    assert login.returncode == 0, err


@pytest.mark.met("F5")
def test_a_cli_too_old_for_the_endpoint_is_told_so_and_has_a_way(behind: House) -> None:
    behind.configure()
    with behind.agent():
        behind.run("login")
        ask = f"{AWS} sts get-caller-identity --region us-east-1"
        way = f"{sys.executable} -I -m credtray endpoint synderys-dns --shell sh"
        plain = shell(behind, f'eval "$({way})"; {ask}')
        with_token = shell(behind, f'eval "$({way} --token-in-environment)"; {ask}')
        behind.environ["PATH"] = f"{AWS.parent}:/bin"
        doctor = behind.run("doctor", code=None).stdout

    assert "endpoint_token_missing" in plain.stderr
    assert "AWS CLI 2.15.0" in plain.stderr
    assert json.loads(with_token.stdout)["Account"] == "111100000002", with_token.stderr
    assert "The AWS CLI is too old for the credentials endpoint" in doctor


def shell(house: House, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script], env=house.environ, capture_output=True, text=True, timeout=90, check=False
    )


def test_the_presets_vanity_start_url_is_resolved_and_kept_for_the_cache_key(behind: House) -> None:
    behind.run("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes")
    text = behind.config.read_text()

    assert "sso_start_url = https://aws.synderys.com" in text
    assert json.loads(behind.token_file().read_text())["startUrl"] == "https://aws.synderys.com"
    assert re.search(r"\[profile synderys-dns\]", text)
    assert "111100000002" in behind.run("credentials", "synderys-dns").stdout
