"""The clients depend on nothing but what they are given."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.role_credentials import BotocoreRoleCredentials
from credtray.core.addresses import browser_address_allowed
from credtray.core.config.sso import parse_config
from credtray.core.errors import NetworkSettingRefused, RegionRefused, UnexpectedReply
from credtray.core.models import AccessToken, Endpoints, Profile, RoleCredentials, Secret, SsoSession
from tests.aws.service_world import service
from tests.aws.test_reply_fuzz import ScriptedClients
from tests.fakes_identity_center import CORP, NOON, FakeClock

HOSTILE = {
    "AWS_PROFILE": "nobody",
    "AWS_DEFAULT_PROFILE": "nobody",
    "AWS_RETRY_MODE": "nonsense",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_DEFAULTS_MODE": "nonsense",
    "AWS_STS_REGIONAL_ENDPOINTS": "nonsense",
    "AWS_ENDPOINT_URL": "https://evil.example",
    "AWS_ENDPOINT_URL_SSO": "https://evil.example",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "nonsense",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "nonsense",
    "AWS_REGION": "mars",
    "AWS_DEFAULT_REGION": "mars",
    "AWS_ACCESS_KEY_ID": "AKIAFOREIGN",
    "AWS_SECRET_ACCESS_KEY": "foreign",
    "AWS_CSM_ENABLED": "true",
}


def test_environment_and_files_of_the_user_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    garbage = tmp_path / "config"
    garbage.write_bytes(b"\x00[profile\xff\n= broken")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(garbage))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(garbage))
    clients = Clients()

    assert clients.oidc(CORP).meta.endpoint_url == "https://oidc.us-east-1.amazonaws.com"
    assert clients.portal(CORP).meta.endpoint_url == "https://portal.sso.us-east-1.amazonaws.com"
    with service(clients=clients) as there:
        assert there.fetch(there.sign_in()).value.access_key_id


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "oidc.eu-central-1.amazonaws.com"),
        ("cn-north-1", "oidc.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "oidc.us-gov-west-1.amazonaws.com"),
    ],
)
def test_region_chooses_the_host(region: str, host: str) -> None:
    assert Clients().oidc(replace(CORP, region=region)).meta.endpoint_url == f"https://{host}"


def _hosts(clients: Clients, endpoints: Endpoints, region: str) -> list[str]:
    keys = RoleCredentials("k", Secret("s"), Secret("t"), NOON, NOON)
    session = replace(CORP, region=region, endpoints=endpoints)
    three = (clients.oidc(session), clients.portal(session), clients.sts(keys, region, endpoints))
    return [client.meta.endpoint_url for client in three]


def _hosts_of_botocore(config: Path, environ: dict[str, str], region: str) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AWS_CONFIG_FILE": str(config), **environ}.items():
            patch.setenv(name, value)
        session = Session(profile="p")
        return [
            session.create_client(
                service, region_name=region, aws_access_key_id="k", aws_secret_access_key="s"
            ).meta.endpoint_url
            for service in ("sso-oidc", "sso", "sts")
        ]


_SETTINGS = (
    "use_fips_endpoint = true",
    "use_fips_endpoint = TRUE",
    "use_fips_endpoint = 1",
    "use_dualstack_endpoint = true",
    "endpoint_url = https://profile.test",
    "services = s",
    "ignore_configured_endpoint_urls = true",
    "sts_regional_endpoints = legacy",
    "sts_regional_endpoints = regional",
)
_VARIABLES = (
    ("AWS_USE_FIPS_ENDPOINT", "true"),
    ("AWS_USE_FIPS_ENDPOINT", "false"),
    ("AWS_USE_FIPS_ENDPOINT", ""),
    ("AWS_USE_DUALSTACK_ENDPOINT", "True"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "no"),
    ("AWS_ENDPOINT_URL", "https://env.test"),
    ("AWS_ENDPOINT_URL_SSO", "https://env-sso.test"),
    ("AWS_ENDPOINT_URL_SSO_OIDC", "https://env-oidc.test"),
    ("AWS_ENDPOINT_URL_STS", "https://env-sts.test"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ("AWS_STS_REGIONAL_ENDPOINTS", "legacy"),
    ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
)
_REGIONS = ("us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "mx-central-1")
_PROFILE = (
    f"[sso-session corp]\nsso_start_url = {CORP.start_url}\nsso_region = us-east-1\n"
    "[services s]\nsso_oidc =\n  endpoint_url = https://services-oidc.test\n"
    "sts =\n  endpoint_url = https://services-sts.test\n"
    "[profile p]\nsso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n"
)


def _agreed(settings: Iterable[str], environ: dict[str, str], region: str, tmp_path: Path) -> list[str]:
    """Return the hosts for a profile with these settings, having asked botocore too."""
    rows = {row.split(" ")[0]: row for row in settings}
    text = _PROFILE + "".join(f"{row}\n" for row in rows.values())
    (tmp_path / "config").write_text(text)
    endpoints = parse_config(text.encode(), environ).profiles["p"].endpoints
    hosts = _hosts(Clients(), endpoints or Endpoints(), region)

    assert _hosts_of_botocore(tmp_path / "config", environ, region) == hosts
    return hosts


@pytest.mark.met("F10")
def test_fips_in_the_profile_chooses_the_hosts(tmp_path: Path) -> None:
    hosts = _agreed(["use_fips_endpoint = true"], {}, "us-east-1", tmp_path)

    assert hosts[:2] == [
        "https://oidc-fips.us-east-1.amazonaws.com",
        "https://portal.sso-fips.us-east-1.amazonaws.com",
    ]


@pytest.mark.met("F10")
@pytest.mark.parametrize(
    ("settings", "environ", "hosts"),
    [
        (
            [],
            {"AWS_USE_FIPS_ENDPOINT": "true"},
            ["oidc-fips.eu-west-1", "portal.sso-fips.eu-west-1", "sts-fips.eu-west-1"],
        ),
        (
            ["use_fips_endpoint = true"],
            {"AWS_USE_FIPS_ENDPOINT": "false"},
            ["oidc.eu-west-1", "portal.sso.eu-west-1", "sts.eu-west-1"],
        ),
        (["use_dualstack_endpoint = true"], {}, ["eu-west-1.api.aws"] * 3),
        (
            ["sts_regional_endpoints = legacy"],
            {},
            ["oidc.eu-west-1", "portal.sso.eu-west-1", "sts.amazonaws.com"],
        ),
        (
            ["use_fips_endpoint = true", "services = s"],
            {},
            ["services-oidc.test", "portal.sso-fips.eu-west-1", "services-sts.test"],
        ),
        (
            ["endpoint_url = https://profile.test"],
            {"AWS_ENDPOINT_URL_SSO": "https://s.test"},
            ["profile.test", "s.test", "profile.test"],
        ),
        (
            ["endpoint_url = https://profile.test"],
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            ["oidc.eu-west-1", "portal.sso.eu-west-1", "sts.eu-west-1"],
        ),
    ],
)
def test_the_first_to_say_something_chooses_the_host(
    settings: list[str], environ: dict[str, str], hosts: list[str], tmp_path: Path
) -> None:
    found = _agreed(settings, environ, "eu-west-1", tmp_path)

    assert all(part in host for part, host in zip(hosts, found, strict=True))


@pytest.mark.met("F10")
@pytest.mark.parametrize("seed", range(24))
def test_hosts_are_those_of_botocore_for_every_mixture(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    settings = chance.sample(_SETTINGS, chance.randrange(4))
    environ = dict(chance.sample(_VARIABLES, chance.randrange(4)))

    assert _agreed(settings, environ, chance.choice(_REGIONS), tmp_path)


def test_the_environment_itself_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    assert Clients().oidc(CORP).meta.endpoint_url == "https://oidc.us-east-1.amazonaws.com"


class _Asked(ScriptedClients):
    """Notes which way role credentials are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.ways: list[Endpoints] = []

    def portal(self, session: SsoSession) -> Any:
        self.ways.append(session.endpoints)
        return super().portal(session)


@pytest.mark.met("F10")
@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Endpoints(fips=True), Endpoints(fips=True)),
        (Endpoints(), Endpoints()),
        (None, Endpoints(dual_stack=True)),
    ],
)
def test_a_profiles_own_settings_choose_where_its_keys_come_from(
    own: Endpoints | None, expected: Endpoints
) -> None:
    clients, token = _Asked(), AccessToken(Secret("t"), NOON)
    session = replace(CORP, endpoints=Endpoints(dual_stack=True))
    profile = Profile("p", "corp", "111100000000", "Admin", endpoints=own)
    with pytest.raises(UnexpectedReply):  # what answers here says nothing
        BotocoreRoleCredentials(clients, FakeClock()).fetch(session, token, profile, lambda: NOON)

    assert clients.ways == [expected]


@pytest.mark.met("F10")
def test_a_shared_sign_in_goes_the_way_of_the_first_profile_that_says_one() -> None:
    rows = "sso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n"
    text = (
        _PROFILE
        + f"[profile z]\n{rows}use_dualstack_endpoint = true\n[profile q]\n{rows}use_fips_endpoint = true\n"
    )
    config = parse_config(text.encode(), {})

    assert config.sessions["corp"].endpoints == Endpoints(fips=True)
    assert config.profiles["p"].endpoints == Endpoints()
    assert config.profiles["z"].endpoints == Endpoints(dual_stack=True)


@pytest.mark.met("F10")
def test_the_sign_in_page_is_where_the_clients_calls_go() -> None:
    clients = Clients()
    center = BotocoreIdentityCenter(clients, FakeClock(), Portal(clients, FakeClock(), lambda: 0.0))
    fips = replace(CORP, endpoints=Endpoints(fips=True))
    page = center.authorize_endpoint(fips)

    assert page == "https://oidc-fips.us-east-1.amazonaws.com"
    assert browser_address_allowed(f"{page}/authorize?x=1", fips)


@pytest.mark.parametrize(
    "region", ["evil.com/#", "us-east-1.evil.com", "", "US-EAST-1", "us-east-1\n", "../x"]
)
def test_region_that_is_none_never_becomes_a_host(region: str) -> None:
    with pytest.raises(RegionRefused):
        Clients().oidc(replace(CORP, region=region))


@pytest.mark.parametrize("endpoint", ["not an address", "https://", "https://exa mple.com"])
def test_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(NetworkSettingRefused, match="is not an address"):
        Clients().oidc(replace(CORP, endpoints=Endpoints(oidc=endpoint)))


def test_sessions_of_one_place_share_a_client_and_others_do_not() -> None:
    clients = Clients()
    elsewhere = replace(CORP, endpoints=Endpoints(portal="http://127.0.0.1:1"))

    assert clients.portal(CORP) is clients.portal(replace(CORP, name="other"))
    assert clients.portal(CORP) is not clients.portal(elsewhere)
    assert clients.oidc(CORP) is clients.oidc(elsewhere)


def test_threads_share_one_client() -> None:
    clients = Clients()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(clients.portal(CORP))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 16
    assert len({id(client) for client in found}) == 1


def test_importing_the_wing_does_not_import_botocore() -> None:
    code = (
        "import sys, credtray.aws.identity_center, credtray.aws.role_credentials, credtray.daemon.sign_in\n"
        "print([name for name in ('botocore', 'boto3', 'urllib3') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "[]\n"
