"""The proxies that companies have: squid that wants a login, and mitmproxy that opens TLS."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.connect_proxy import ConnectProxy
from tests.end_to_end.house import House, until
from tests.portal import RunningPortal

pytestmark = pytest.mark.posix("squid and mitmproxy")

PASSWORD = "CANARY-of-squid"
BROWSER = Path(__file__).parents[1] / "cli" / "browser_program.py"
NCSA = Path("/usr/lib/squid/basic_ncsa_auth")
SQUID = """\
http_port 127.0.0.1:{port}
auth_param basic program {ncsa} {place}/passwd
auth_param basic realm corp
acl people proxy_auth REQUIRED
acl allowed dstdomain .amazonaws.com .awsapps.com 127.0.0.1
acl blocked dstdomain sts.eu-west-1.amazonaws.com
http_access deny blocked
http_access allow people allowed
http_access deny all
cache_peer 127.0.0.1 parent {parent} 0 no-query no-digest default
never_direct allow all
pid_filename {place}/squid.pid
access_log stdio:{place}/access.log
cache_log {place}/cache.log
coredump_dir {place}
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname squid.corp.example
"""


@dataclass(frozen=True)
class Running:
    """A proxy of somebody else's."""

    address: str
    place: Path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def ended(command: list[str], port: int, log: Path) -> Iterator[None]:
    """Run a proxy in a group of its own, from when it answers until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wanted(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed: packaging/environment.sh tools")
    return found


@pytest.fixture
def aws(portal: RunningPortal) -> Iterator[ConnectProxy]:
    """AWS's hosts, as these proxies reach them: through one of ours, so nothing leaves this computer."""
    port = urlsplit(portal.url).port
    assert port is not None
    with ConnectProxy(port) as found:
        yield found


@pytest.fixture
def squid(aws: ConnectProxy) -> Iterator[Running]:
    program = wanted("squid")
    # It gives root up for a user of its own, who may not look into a directory of pytest's.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        place, port = Path(name), free_port()
        place.chmod(0o777)
        hashed = subprocess.run(
            ["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True
        ).stdout
        (place / "passwd").write_text(f"alice:{hashed}")
        (place / "passwd").chmod(0o644)
        settings = place / "squid.conf"
        parent = urlsplit(aws.url).port
        settings.write_text(SQUID.format(port=port, ncsa=NCSA, place=place, parent=parent))
        with ended([program, "-N", "-f", str(settings)], port, place / "output"):
            yield Running(f"127.0.0.1:{port}", place)


@pytest.fixture
def mitmproxy(aws: ConnectProxy, tmp_path: Path) -> Iterator[Running]:
    program, port = wanted("mitmdump"), free_port()
    words = ["--quiet", "--mode", f"upstream:{aws.url}", "--ssl-insecure", "--set", f"confdir={tmp_path}"]
    command = [program, *words, "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    with ended(command, port, tmp_path / "output"):
        until((tmp_path / "mitmproxy-ca-cert.pem").exists)
        yield Running(f"127.0.0.1:{port}", tmp_path)


@pytest.fixture
def office(portal: RunningPortal, home: Path) -> House:
    """A home whose agent knows AWS by AWS's own names."""
    house = House(home, portal)
    for name in ("AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"):
        del house.environ[name]
    house.configure("synderys-readonly")
    return house


def settle(house: House, proxy: str, authority: Path, *, told: bool = True) -> None:
    """Set the proxy, the authority where it is *told*, and a browser that goes the same way."""
    browser = ["env", f"HTTPS_PROXY={proxy}", sys.executable, str(BROWSER), str(authority), "%s"]
    named = f"ca_bundle = {json.dumps(str(authority))}\n" if told else ""
    settings = house.home / ".config" / "credtray" / "settings.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"[sessions.synderys]\nproxy = {json.dumps(proxy)}\n{named}"
        f"browser = {json.dumps(shlex.join(browser))}\n"
    )


def test_squid_that_wants_a_login_is_told_as_such_and_then_carries_everything(
    office: House, squid: Running, aws: ConnectProxy
) -> None:
    told: list[str] = []
    settle(office, f"http://alice:wrong-{PASSWORD}@{squid.address}", aws.ca_bundle)
    with office.agent():
        refused = office.run("login", code=None)
        told += [refused.stdout, refused.stderr]

        assert refused.returncode != 0
        assert "asks for a user name and password, or does not accept these (HTTP 407)" in refused.stderr
        assert aws.tunnels == []

        settle(office, f"http://alice:{PASSWORD}@{squid.address}", aws.ca_bundle)
        until(lambda: office.run("login", code=None).returncode == 0)
        keys = json.loads(office.run("credentials", "synderys-readonly").stdout)
        told += [office.run("status").stdout, office.run("doctor", code=None).stdout]
        whoami = office.run("whoami", "synderys-readonly", code=None)
        told += [whoami.stdout, whoami.stderr]

    assert keys["AccountId"] == "111100000001"
    assert set(aws.tunnels) == {"oidc.us-east-1.amazonaws.com", "portal.sso.us-east-1.amazonaws.com"}
    assert "blocks this address (HTTP 403)" in whoami.stderr, "squid's rules refuse STS"
    assert " alice " in (squid.place / "access.log").read_text()
    told += [office.log.read_text(), (office.home / "agent-output").read_text()]
    assert not any(PASSWORD in text for text in told)


def test_mitmproxy_is_named_and_trusted_only_when_its_authority_is(
    office: House, mitmproxy: Running, aws: ConnectProxy
) -> None:
    authority = mitmproxy.place / "mitmproxy-ca-cert.pem"
    settle(office, f"http://{mitmproxy.address}", authority, told=False)
    with office.agent():
        refused = office.run("login", code=None)
        found = office.run("doctor", code=None).stdout

        assert refused.returncode != 0
        assert "issued by" in refused.stderr
        assert "mitmproxy" in refused.stderr
        assert "settings set sessions.synderys.ca_bundle" in " ".join((refused.stderr + found).split())

        settle(office, f"http://{mitmproxy.address}", authority)
        until(lambda: office.run("login", code=None).returncode == 0)
        keys = json.loads(office.run("credentials", "synderys-readonly").stdout)

    assert keys["AccountId"] == "111100000001"
    assert "portal.sso.us-east-1.amazonaws.com" in aws.tunnels


# --- by the environment, as botocore reads it ----------------------------------------------------------


def set_by_environment(house: House, proxy: str, authority: Path, **more: str) -> None:
    """Name the proxy in the environment alone; the browser inherits it."""
    browser = [sys.executable, str(BROWSER), str(authority), "%s"]
    house.environ |= {"HTTPS_PROXY": proxy, "BROWSER": f"{shlex.join(browser)} &", **more}


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_squid_and_an_authority_of_the_environment_carry_everything(
    office: House, squid: Running, aws: ConnectProxy, variable: str
) -> None:
    proxy = f"http://alice:{PASSWORD}@{squid.address}"
    set_by_environment(office, proxy, aws.ca_bundle, **{variable: str(aws.ca_bundle)})
    with office.agent():
        office.run("login")
        keys = json.loads(office.run("credentials", "synderys-readonly").stdout)
        told = [office.run("status").stdout, office.run("doctor", "--online", code=None).stdout]

    told += [office.log.read_text(), (office.home / "agent-output").read_text()]
    assert keys["AccountId"] == "111100000001"
    assert set(aws.tunnels) == {"oidc.us-east-1.amazonaws.com", "portal.sso.us-east-1.amazonaws.com"}
    assert not any(PASSWORD in text for text in told)


def test_squid_of_the_environment_that_refuses_the_login_is_named_by_its_variable(
    office: House, squid: Running, aws: ConnectProxy
) -> None:
    proxy = f"http://alice:wrong-{PASSWORD}@{squid.address}"
    set_by_environment(office, proxy, aws.ca_bundle, AWS_CA_BUNDLE=str(aws.ca_bundle))
    refused = office.run("login", code=None)
    found = office.run("doctor", "--online", code=None)

    assert refused.returncode != 0
    assert (
        f"the proxy http://{squid.address} (HTTPS_PROXY) asks for a user name and password" in refused.stderr
    )
    assert "HTTP 407" in found.stdout
    assert f"wrong-{PASSWORD}" not in refused.stderr + found.stdout + found.stderr


@pytest.mark.parametrize("exception", ["oidc.us-east-1.amazonaws.com", ".amazonaws.com", "*"])
def test_what_no_proxy_names_does_not_go_through_the_proxy(
    office: House, squid: Running, aws: ConnectProxy, exception: str
) -> None:
    proxy = f"http://alice:{PASSWORD}@{squid.address}"
    set_by_environment(office, proxy, aws.ca_bundle, AWS_CA_BUNDLE=str(aws.ca_bundle), NO_PROXY=exception)
    refused = office.run("login", code=None)

    assert refused.returncode != 0
    assert "the proxy http" not in refused.stderr
    assert "oidc.us-east-1.amazonaws.com" not in aws.tunnels
    assert "oidc.us-east-1" not in (squid.place / "access.log").read_text()


def test_mitmproxy_of_the_environment_is_named_by_doctor_and_trusted_by_a_variable(
    office: House, mitmproxy: Running, aws: ConnectProxy
) -> None:
    authority = mitmproxy.place / "mitmproxy-ca-cert.pem"
    set_by_environment(office, f"http://{mitmproxy.address}", authority)
    refused = office.run("login", code=None)
    found = " ".join(office.run("doctor", "--online", code=None).stdout.split())

    assert refused.returncode != 0
    assert 'issued by "mitmproxy' in " ".join(refused.stderr.split())
    assert 'issued by "mitmproxy' in found
    assert f"through http://{mitmproxy.address}" in found

    office.environ["REQUESTS_CA_BUNDLE"] = str(authority)
    office.run("login")
    assert json.loads(office.run("credentials", "synderys-readonly").stdout)["AccountId"] == "111100000001"
    assert "portal.sso.us-east-1.amazonaws.com" in aws.tunnels

    office.environ["AWS_CA_BUNDLE"] = str(aws.ca_bundle)  # counts more, and is not mitmproxy's
    office.run("logout")
    assert 'issued by "mitmproxy' in " ".join(office.run("login", code=None).stderr.split())
