"""The config file of a child, as botocore reads it: this profile's settings, nobody else's credentials."""

from __future__ import annotations

from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
from botocore.configloader import load_config
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import ConfigInvalid
from credtray.ways_out.child_config import KEPT, child_config

PROCESS = "/usr/bin/python -I -S door credentials dev"
USERS = """\
[default]
aws_access_key_id = AKIAHOSTILE
aws_secret_access_key = CANARY
region = us-west-2
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
[profile dev]
sso_session = corp
sso_account_id = 111100000000
sso_role_name = Admin
region = eu-west-1
output = yaml
role_arn = arn:aws:iam::222200000000:role/Other
source_profile = other
login_session = x
aws_security_token = CANARY
s3 =
    max_concurrent_requests = 20
    addressing_style = path
services = mine
cli_pager =
[services mine]
s3 =
  endpoint_url = http://localhost:9000
[profile "two words"]
region = eu-west-2
[profile other]
aws_access_key_id = AKIAOTHER
"""


def read(tmp_path: Path, text: str, profile: str) -> dict[str, Any]:
    path = tmp_path / "config"
    path.write_bytes(child_config(text.encode("utf-8", "surrogateescape"), b"", profile, PROCESS))
    found: dict[str, Any] = load_config(str(path))
    return found


def test_settings_stay_and_credentials_do_not(tmp_path: Path) -> None:
    found = read(tmp_path, USERS, "dev")
    expected = {
        "region": "eu-west-1",
        "output": "yaml",
        "s3": {"max_concurrent_requests": "20", "addressing_style": "path"},
        "services": "mine",
        "cli_pager": "",
        "credential_process": PROCESS,
    }

    assert found["profiles"] == {"default": expected, "dev": expected}
    assert found["services"]["mine"] == {"s3": {"endpoint_url": "http://localhost:9000"}}
    assert b"CANARY" not in child_config(USERS.encode(), b"", "dev", PROCESS)


def test_name_of_two_words_is_found_under_it(tmp_path: Path) -> None:
    assert read(tmp_path, USERS, "two words")["profiles"]["two words"]["region"] == "eu-west-2"


def test_default_profile_itself_keeps_its_region_and_loses_its_keys(tmp_path: Path) -> None:
    assert read(tmp_path, USERS, "default")["profiles"] == {
        "default": {"region": "us-west-2", "credential_process": PROCESS}
    }


def test_profile_the_caller_does_not_have_is_served_all_the_same(tmp_path: Path) -> None:
    assert read(tmp_path, USERS, "gone")["profiles"] == {"default": {"credential_process": PROCESS}}


def test_windows_line_ends_are_no_part_of_a_value(tmp_path: Path) -> None:
    found = read(tmp_path, USERS.replace("\n", "\r\n"), "dev")

    assert found["profiles"] == read(tmp_path, USERS, "dev")["profiles"]


def test_broken_config_file_is_named() -> None:
    with pytest.raises(ConfigInvalid, match="line 1"):
        child_config(b"region = x\n", b"", "dev", PROCESS)


def test_nothing_that_is_kept_has_a_say_in_credentials() -> None:
    choosing = (
        "aws_",
        "sso_",
        "role_",
        "source_",
        "credential_",
        "web_identity",
        "login_",
        "mfa_",
        "external_",
    )

    assert [name for name in KEPT if name.startswith(choosing)] == []


@given(
    st.dictionaries(
        st.sampled_from(["region", "s3", "cli_x", "aws_access_key_id", "role_arn", "new_way_to_sign_in"]),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12),
    )
)
def test_whatever_a_profile_holds_its_child_has_our_credentials_only(values: dict[str, str]) -> None:
    body = "".join(f"{name} = {value}\n" for name, value in values.items())
    text = child_config(f"[profile dev]\n{body}".encode(), b"", "dev", PROCESS).decode()

    assert text.count("credential_process = ") == 2
    assert "role_arn" not in text.replace("= role_arn", "")
    assert "new_way_to_sign_in =" not in text
    assert "aws_access_key_id =" not in text


@pytest.mark.parametrize(
    ("name", "named"), [("prod-zürich", ["default", "profile prod-zÃ¼rich"]), ("PROD-ÁRVÍZ", ["default"])]
)
def test_boto3_for_windows_finds_nothing_in_it_that_it_reads_otherwise(name: str, named: list[str]) -> None:
    config = f"[profile {name}]\nsso_session = corp\nregion = eu-west-1\n".encode()
    parser = RawConfigParser()
    parser.read_string(child_config(config, b"", name, f"{PROCESS} {name}", "cp1252").decode("cp1252"))

    assert parser.sections() == named
    assert dict(parser["default"]) == {"region": "eu-west-1"}


def test_code_page_changes_nothing_where_all_is_ascii() -> None:
    text = USERS.encode()

    assert child_config(text, b"", "dev", PROCESS, "cp932") == child_config(text, b"", "dev", PROCESS)
