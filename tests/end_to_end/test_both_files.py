"""One profile in two files, two files that are one, and none: the whole product beside the real botocore."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.end_to_end.house import House, until
from tests.end_to_end.test_kinds_of_profiles import caller

DNS = "sso_account_id = 111100000002\nsso_role_name = DNS\n"


@pytest.mark.met("F2")
def test_the_keys_are_of_the_role_that_botocore_takes(house: House) -> None:
    house.configure("synderys-readonly")
    house.credentials.write_text(f"[synderys-readonly]\n{DNS}")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-readonly")
        until(lambda: "aws_access_key_id" in house.written())

        assert house.profile("synderys-readonly")["role_name"] == "DNS"
        assert "AWSReservedSSO_DNS" in caller(house, "synderys-readonly")

        house.credentials.write_text(house.written().replace(DNS, ""))
        until(lambda: house.profile("synderys-readonly")["role_name"] == "ReadOnly")


@pytest.mark.met("F24")
def test_no_credentials_file_is_never_made_one(house: House) -> None:
    house.configure("synderys-readonly")
    house.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"
    with house.agent():
        house.run("login")
        refused = house.run("activate", "synderys-readonly", code=None)
        keys = json.loads(house.run("credentials", "synderys-readonly").stdout)

    assert refused.returncode != 0
    assert "/dev/null" in refused.stderr + refused.stdout
    assert keys["AccessKeyId"]
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.met("F24")
def test_one_file_for_both_is_written_and_given_back(house: House) -> None:
    house.configure("synderys-readonly")
    one = house.config
    before = one.read_bytes()
    house.environ |= {"AWS_CONFIG_FILE": str(one), "AWS_SHARED_CREDENTIALS_FILE": str(one)}
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-readonly")
        until(lambda: "[synderys-readonly]" in one.read_text())
        found = json.loads(house.run("doctor", "--json", code=None).stdout)

        assert "section_ignored" not in {item["code"] for item in found["findings"]}
        assert "AWSReservedSSO_ReadOnly" in caller(house, "synderys-readonly")
        assert [item["name"] for item in house.status()["profiles"]] == ["synderys-readonly"]
        assert not house.status()["foreign"]

        house.run("deactivate", "synderys-readonly")
        until(lambda: one.read_bytes() == before)


@pytest.mark.met("F7")
def test_another_spelling_of_the_start_url_is_the_same_sign_in(house: House) -> None:
    house.configure("synderys-readonly")
    house.run("login")
    for spelling in ("/start/", "/start/#/", "/start#"):
        house.config.write_text(house.config.read_text().replace("/start\n", f"{spelling}\n"))
        keys = json.loads(house.run("credentials", "synderys-readonly").stdout)
        house.config.write_text(house.config.read_text().replace(f"{spelling}\n", "/start\n"))

        assert keys["AccessKeyId"]
    assert len(house.visits()) == 1
