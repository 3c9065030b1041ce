"""boto3 for Windows runs what ``setup --credential-process`` wrote, by itself and below ``credtray exec``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.real_world import World, profile

pytestmark = pytest.mark.windows

WHO_AM_I = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
PYTHON = (sys.executable, "-I", "-c", WHO_AM_I)
DNS = "arn:aws:sts::111100000002:assumed-role/AWSReservedSSO_DNS_"


def test_boto3_takes_keys_from_the_command_in_the_profile_also_below_exec(world: World) -> None:
    words = ("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes", "--credential-process")
    made = world.credtray(*words)
    with world.agent():
        by_itself = subprocess.run(
            PYTHON,
            env={**world.environment, "AWS_PROFILE": "synderys-dns"},
            capture_output=True,
            text=True,
            check=False,
        )
        below_exec = world.credtray("exec", "synderys-dns", "--", *PYTHON)
        findings = json.loads(world.credtray("doctor", "--json").stdout)["findings"]

    assert made.returncode == 0, made.stderr
    assert "credential_process = " in world.config.read_text("utf-8")
    assert (by_itself.returncode, by_itself.stdout[: len(DNS)]) == (0, DNS), by_itself.stderr
    assert (below_exec.returncode, below_exec.stdout[: len(DNS)]) == (0, DNS), below_exec.stderr
    assert [finding for finding in findings if finding["severity"] == "broken"] == []


def test_boto3_below_exec_acts_as_a_profile_whose_name_it_cannot_read(world: World) -> None:
    name = "PROD-ÁRVÍZ"  # cp1252 has no letter for a byte of this in UTF-8
    world.credtray("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes")
    with world.config.open("a", encoding="utf-8", newline="") as file:
        file.write(profile(name, "111100000002", "DNS"))
    with world.agent():
        below_exec = world.credtray("exec", name, "--", *PYTHON)

    assert (below_exec.returncode, below_exec.stdout[: len(DNS)]) == (0, DNS), below_exec.stderr
