"""One agent, two sessions: one behind a proxy that wants a login and opens TLS, one without any."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.connect_proxy import ConnectProxy
from tests.end_to_end.house import House, until
from tests.portal import RunningPortal

PASSWORD = "CANARY-of-the-proxy"
BROWSER = Path(__file__).parents[1] / "cli" / "browser_program.py"
CONFIG = """\
[sso-session office]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile in-office]
sso_session = office
sso_account_id = 111100000001
sso_role_name = ReadOnly

[sso-session home]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile at-home]
sso_session = home
sso_account_id = 111100000002
sso_role_name = DNS
endpoint_url = {portal}
"""


@pytest.fixture
def proxy(portal: RunningPortal) -> Iterator[ConnectProxy]:
    port = urlsplit(portal.url).port
    assert port is not None
    with ConnectProxy(port, login=f"alice:{PASSWORD}") as found:
        yield found


@pytest.fixture
def two(portal: RunningPortal, home: Path) -> House:
    house = House(home, portal)
    for name in ("AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"):
        del house.environ[name]
    house.config.parent.mkdir(mode=0o700)
    house.config.write_text(CONFIG.format(portal=portal.url))
    return house


def settle(house: House, proxy: ConnectProxy, address: str) -> None:
    """Give the session in the office this proxy, its authority, and a browser that goes the same way."""
    browser = ["env", f"HTTPS_PROXY={proxy.url}", sys.executable, str(BROWSER), str(proxy.ca_bundle), "%s"]
    settings = house.home / ".config" / "credtray" / "settings.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"[sessions.office]\nproxy = {json.dumps(address)}\nca_bundle = {json.dumps(str(proxy.ca_bundle))}\n"
        f"browser = {json.dumps(shlex.join(browser))}\n"
    )


def test_each_session_goes_its_own_way_and_a_corrected_proxy_counts_at_once(
    two: House, proxy: ConnectProxy
) -> None:
    told: list[str] = []
    settle(two, proxy, proxy.url.replace(PASSWORD, f"{PASSWORD}-mistyped"))
    with two.agent():
        refused = two.run("login", "office", code=None)
        told += [refused.stdout, refused.stderr]

        assert refused.returncode != 0
        assert "The proxy does not let credtray through: the proxy http://127.0.0.1:" in refused.stderr
        assert "(the setting sessions.office.proxy) asks for a user name and password" in refused.stderr
        assert two.run("login", "home").returncode == 0
        assert proxy.tunnels == []

        settle(two, proxy, proxy.url)
        until(lambda: two.run("login", "office", code=None).returncode == 0)
        done = two.run("login", "office")
        keys = json.loads(two.run("credentials", "in-office").stdout)
        told += [done.stdout, done.stderr, two.run("status").stdout, json.dumps(two.status())]

    assert keys["AccountId"] == "111100000001"
    asked = set(proxy.tunnels) - {"sts.us-east-1.amazonaws.com"}  # whose sign-in it is: sooner or later

    assert asked == {"oidc.us-east-1.amazonaws.com", "portal.sso.us-east-1.amazonaws.com"}
    told += [two.log.read_text(), (two.home / "agent-output").read_text()]
    assert not any(PASSWORD in text for text in told)
