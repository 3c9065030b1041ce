"""The clients depend on nothing but what they are given."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from credtray.aws.clients import Clients
from credtray.core.errors import ConfigInvalid, RegionRefused
from credtray.core.models import Endpoints
from tests.aws.service_world import service
from tests.fakes_identity_center import CORP

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


def test_fips_hosts_are_chosen_as_by_every_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    assert Clients().oidc(CORP).meta.endpoint_url == "https://oidc-fips.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "region", ["evil.com/#", "us-east-1.evil.com", "", "US-EAST-1", "us-east-1\n", "../x"]
)
def test_region_that_is_none_never_becomes_a_host(region: str) -> None:
    with pytest.raises(RegionRefused):
        Clients().oidc(replace(CORP, region=region))


@pytest.mark.parametrize("endpoint", ["not an address", "https://", "https://exa mple.com"])
def test_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigInvalid, match="endpoint"):
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
