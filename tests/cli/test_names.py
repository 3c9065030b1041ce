from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.cli.names import complete_profile, complete_region, complete_session

CONFIG = """\
[default]
region = us-east-1
[sso-session synderys]
sso_region = us-east-1
sso_start_url = https://aws.synderys.com
[profile synderys-readonly]
sso_account_id = 111100000001
sso_role_name = ReadOnly
region = eu-central-1
[profile "my prof"]
[profile synderys-dns]\r
[profile two words]
[profile "broken]
[services local]
[profile synderys-dns]
"""


@pytest.fixture
def config(home: Path) -> Path:
    (home / ".aws").mkdir()
    path = home / ".aws" / "config"
    path.write_bytes(CONFIG.encode())
    return path


@pytest.mark.usefixtures("config")
def test_profiles_and_sessions_are_completed() -> None:
    assert complete_profile("") == [
        ("default", ""),
        ("synderys-readonly", "ReadOnly in 111100000001"),
        ("my prof", ""),
        ("synderys-dns", ""),
    ]
    assert complete_profile("synderys-d") == [("synderys-dns", "")]
    assert complete_session("s") == [("synderys", "https://aws.synderys.com")]
    assert complete_region("") == ["eu-central-1", "us-east-1"]
    assert complete_region("eu") == ["eu-central-1"]


def test_missing_config_file_completes_nothing() -> None:
    assert complete_profile("") == []


def test_config_file_of_the_environment_is_read(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.rename(config.parent / "other")
    monkeypatch.setenv("WHERE", str(config.parent))
    monkeypatch.setenv("AWS_CONFIG_FILE", "$WHERE/other")

    assert [name for name, _ in complete_session("")] == ["synderys"]


@given(data=st.binary(max_size=300))
def test_no_content_brings_up_an_error(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "config"
    path.write_bytes(b"[profile " + data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CONFIG_FILE", str(path))
        names = complete_profile("")

    assert all(name.isprintable() for name, _ in names)


@pytest.mark.met("F2")
def test_profiles_of_the_credentials_file_are_completed_with_the_role_they_have(config: Path) -> None:
    (config.parent / "credentials").write_text(
        "[synderys-readonly]\nsso_role_name = Admin\n"
        "[old]\nsso_role_name = DNS\nsso_account_id = 111100000002\n"
        "[keys]\naws_access_key_id = CANARY\n[profile wrong]\nsso_role_name = DNS\n"
    )
    found = dict(complete_profile(""))

    assert found["synderys-readonly"] == "Admin in 111100000001"
    assert found["old"] == "DNS in 111100000002"
    assert not {"keys", "profile wrong"} & found.keys()
