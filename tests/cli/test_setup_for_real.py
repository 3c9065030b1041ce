from __future__ import annotations

import json
import sys

import pytest

from credtray.demo.identity_center.faults import Body, Status
from tests.cli.real_world import AWS, DNS, READONLY, SESSION, World, profile

PRESET = ("setup", "synderys", "--accounts", "all", "--yes")


def test_setup_writes_signs_in_and_activates(world: World) -> None:
    outcome = world.credtray(*PRESET, "--roles", "ReadOnly,DNS", "--activate")

    assert outcome.returncode == 0, outcome.stderr
    assert world.config.read_text() == SESSION + DNS + READONLY
    if sys.platform != "win32":  # modes
        assert world.config.stat().st_mode & 0o777 == 0o600
    assert "[synderys-dns]" in world.credentials.read_text()
    assert "[synderys-readonly]" in world.credentials.read_text()
    assert outcome.stdout.startswith("2 new profiles for synderys.\nsynderys-dns is active: keys in ")
    assert world.proxy.refused == []


def test_status_without_an_agent_tells_of_the_keys_in_the_file(world: World) -> None:
    world.credtray(*PRESET, "--roles", "DNS", "--activate")
    status = json.loads(world.credtray("status", "--json").stdout)

    assert (status["agent"]["running"], status["sessions"][0]["state"]) == (False, "fresh")
    assert status["profiles"][0]["state"] == "fresh"
    assert status["profiles"][0]["expires_at"] in world.credentials.read_text()


@pytest.mark.posix("the AWS CLI of Debian")
@pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package")
def test_aws_cli_uses_what_setup_wrote(world: World) -> None:
    world.credtray(*PRESET, "--roles", "ReadOnly")
    world.credtray(
        "setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes", "--credential-process"
    )
    by_sso = world.aws("sts", "get-caller-identity", "--profile", "synderys-readonly")
    by_process = world.aws("sts", "get-caller-identity", "--profile", "synderys-dns")

    assert json.loads(by_sso.stdout)["Account"] == "111100000001", by_sso.stderr
    assert json.loads(by_process.stdout)["Account"] == "111100000002", by_process.stderr


def test_existing_configuration_is_extended_and_its_bytes_survive(world: World) -> None:
    lines = (
        "# mine",
        "[default]",
        "region=eu-west-1",
        "",
        "[profile robot]",
        "aws_access_key_id = AKIAEXAMPLE",
    )
    before = "".join(f"{line}\r\n" for line in lines)
    world.config.parent.mkdir()
    world.config.write_bytes(before.encode())
    world.credtray(*PRESET, "--roles", "ReadOnly", "--profile-region", "eu-central-1")
    outcome = world.credtray(*PRESET, "--roles", "ReadOnly,DNS")
    after = world.config.read_bytes().decode()

    assert outcome.returncode == 0, outcome.stderr
    assert after.startswith(before)
    assert "1 new, 1 unchanged profiles for synderys.\n" in outcome.stdout
    assert "AKIAEXAMPLE" not in outcome.stdout + outcome.stderr
    assert after.count("[sso-session synderys]") == 1
    assert "region = eu-central-1" in after


def test_setup_that_changes_nothing_says_so(world: World) -> None:
    world.credtray(*PRESET, "--roles", "DNS")
    before = world.config.read_bytes(), world.config.stat().st_mtime_ns
    outcome = world.credtray(*PRESET, "--roles", "DNS")

    assert (outcome.returncode, outcome.stdout) == (0, "1 unchanged profile for synderys.\n")
    assert (world.config.read_bytes(), world.config.stat().st_mtime_ns) == before


def test_prune_takes_out_only_what_setup_made(world: World) -> None:
    world.credtray(*PRESET, "--roles", "ReadOnly,DNS")
    by_hand = profile("by-hand", "111100000003", "Security").replace("# credtray: made by setup\n", "")
    with world.config.open("a") as file:
        file.write(by_hand)
    outcome = world.credtray(*PRESET, "--roles", "DNS", "--prune")

    assert outcome.returncode == 0, outcome.stderr
    assert world.config.read_text() == SESSION + DNS + by_hand


def test_dry_run_shows_everything_and_writes_nothing(world: World) -> None:
    outcome = world.credtray("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--dry-run")

    assert outcome.returncode == 0, outcome.stderr
    assert "+[profile synderys-dns]\n" in outcome.stdout
    assert outcome.stderr.endswith("Nothing was written (--dry-run).\n")
    assert not world.config.exists()


def test_failing_portal_leaves_nothing_half_written(world: World) -> None:
    world.portal.inject("ListAccountRoles", Status(500))
    outcome = world.credtray(*PRESET, "--roles", "all")

    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-2].startswith("error: The service answered with a server error")
    assert not world.config.exists()


@pytest.mark.met("L")
def test_after_a_denied_sign_in_setup_names_a_command_that_works(world: World) -> None:
    denied = '{"error": "invalid_grant", "__type": "InvalidGrantException"}'
    world.portal.inject("CreateToken", Body(denied, status=400), times=1)
    outcome = world.credtray(*PRESET, "--roles", "DNS")

    assert outcome.returncode == 1
    assert "The sign-in was denied" in outcome.stderr
    assert outcome.stderr.splitlines()[-1] == "hint: Run `credtray setup` to try again."
    assert world.credtray(*PRESET, "--roles", "DNS").returncode == 0


def test_revoked_token_leads_to_one_new_sign_in(world: World) -> None:
    world.credtray(*PRESET, "--roles", "DNS")
    world.portal.revoke_sign_ins()
    outcome = world.credtray(*PRESET, "--roles", "ReadOnly")

    assert outcome.returncode == 0, outcome.stderr
    assert "The portal no longer accepts the last sign-in." in outcome.stderr
    assert "[profile synderys-readonly]" in world.config.read_text()


def test_undo_restores_the_files(world: World) -> None:
    world.config.parent.mkdir()
    world.config.write_text("[default]\nregion = eu-west-1\n")
    world.credtray(*PRESET, "--roles", "DNS", "--activate")
    outcome = world.credtray("undo", "--yes")

    assert outcome.returncode == 0, outcome.stderr
    assert world.config.read_text() == "[default]\nregion = eu-west-1\n"
    assert "synderys-dns" not in world.credentials.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--session", "x", "--start-url", "http://evil.com", "--region", "us-east-1"),
            "does not begin with https",
        ),
        (("--session", "x", "--start-url", "https://x.awsapps.com/start", "--region", "a/#"), "region"),
        (("synderys", "--template", "same"), "names no field"),
        (("synderys", "--profile-region", "x;y"), "region"),
    ],
)
def test_nothing_is_asked_of_anybody_when_the_words_are_wrong(
    world: World, words: tuple[str, ...], told: str
) -> None:
    outcome = world.credtray("setup", *words, "--accounts", "all", "--roles", "all", "--yes")

    assert outcome.returncode in {1, 2}
    assert told in outcome.stderr
    assert world.proxy.tunnels == []


def test_a_host_of_aws_that_nobody_knew_is_told_as_unknown_and_tried(world: World) -> None:
    words = ("--session", "new", "--start-url", "https://start.new.aws/corp", "--region", "us-east-1")
    outcome = world.credtray("setup", *words, "--accounts", "all", "--roles", "all", "--yes")

    assert "credtray does not know start.new.aws, a name of AWS; trying it as it is." in outcome.stderr
    assert "start.new.aws" in world.proxy.refused, "it was looked up"
    assert world.proxy.tunnels[-1] == "oidc.us-east-1.amazonaws.com", "and tried although that led nowhere"
    assert "The service refused the request" in outcome.stderr
