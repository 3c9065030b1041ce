"""Profiles that are not plain: legacy, chained, credential_process; read by the real botocore."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

from tests.end_to_end.house import House, until

IDENTITY = """
import boto3, sys
session = boto3.Session(profile_name=sys.argv[1])
print(session.client("sts", region_name="us-east-1").get_caller_identity()["Arn"])
"""


def caller(house: House, name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", IDENTITY, name],
        env=house.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip() or done.stderr


def setup(house: House, *more: str) -> None:
    house.run(
        "setup", "--session", "synderys", "--start-url", "https://d-9067000001.awsapps.com/start",
        "--region", "us-east-1", "--accounts", "all", "--roles", "DNS", "--yes", *more,
    )  # fmt: skip


def test_a_credential_process_profile_of_setup_is_used_by_botocore_with_and_without_the_agent(
    house: House,
) -> None:
    setup(house, "--credential-process")
    without = caller(house, "synderys-dns")
    with house.agent():
        with_agent = caller(house, "synderys-dns")

    assert "AWSReservedSSO_DNS" in without
    assert with_agent == without
    assert "sso_session" not in house.config.read_text().split("[profile")[1].replace("credtray_sso", "")


def test_a_legacy_profile_signs_in_by_device_code_and_is_kept(house: House) -> None:
    house.configure("synderys-dns")
    house.config.write_text(
        "[profile old]\nsso_start_url = https://d-9067000001.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 111100000001\nsso_role_name = ReadOnly\nregion = eu-west-1\n"
    )
    with house.agent():
        pending = house.start("login", "--json")
        until(lambda: bool(house.session()["sign_in_url"]))
        with urllib.request.urlopen(house.session()["sign_in_url"], timeout=60) as page:  # noqa: S310 - the portal
            assert page.status == 200
        out, err = pending.communicate(timeout=60)
        assert pending.returncode == 0, err
        house.run("activate", "old")

        assert json.loads(out)["end_is_estimate"] is False
        assert house.visits() == []
        assert house.session()["legacy"] is True
        assert "AWSReservedSSO_ReadOnly" in caller(house, "old")
        assert "[old]" in house.written()


def test_a_chained_profile_is_kept_and_asked_for(house: House) -> None:
    chained = (
        "\n[profile partner]\nrole_arn = arn:aws:iam::222200000002:role/Partner\n"
        "source_profile = synderys-dns\nexternal_id = synderys-7\nregion = eu-west-1\n"
    )
    house.configure("synderys-dns", more=chained)
    with house.agent():
        house.run("login")
        house.run("activate", "partner")
        found = json.loads(house.run("credentials", "partner").stdout)
        house.environ["AWS_CONFIG_FILE"] = "/dev/null"

        assert "assumed-role/Partner" in caller(house, "partner")
        assert "AccountId" not in found or found["AccountId"] == "222200000002"


def test_undo_takes_setup_back_and_leaves_what_the_user_changed_since(house: House) -> None:
    house.config.parent.mkdir(mode=0o700)
    house.config.write_text("# mine\n[profile keep]\nregion = eu-west-1\n")
    before = house.config.read_bytes()
    setup(house, "--activate")
    assert "aws_access_key_id" in house.written()
    house.run("undo", "--yes")

    assert house.config.read_bytes() == before
    assert "aws_access_key_id" not in house.written()

    setup(house)
    house.config.write_text(house.config.read_text().replace("sso_role_name = DNS", "sso_role_name = Admin"))
    house.run("undo", "--yes", code=4)

    assert "sso_role_name = Admin" in house.config.read_text()
