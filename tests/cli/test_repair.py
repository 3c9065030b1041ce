"""`credtray repair` on real files: what it shows, writes and refuses; judged by botocore and the AWS CLI."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_backend import FakeBackend, credtray
from tests.cli.real_world import AWS, World

START_URL = "https://d-9067000001.awsapps.com/start"
LEGACY = (
    f"# by hand\n[default]\nregion = us-east-1\n\n[profile dev]\nsso_start_url = {START_URL}\n"
    "sso_region = us-east-1\nsso_account_id = 111100000001\n# the role\nsso_role_name = ReadOnly\n"
    "region = us-east-1\n\n[profile keys]\naws_access_key_id = AKIAMINE\naws_secret_access_key = hunter2"
)


@pytest.fixture
def config(home: Path) -> Path:
    path = home / ".aws" / "config"
    path.parent.mkdir(mode=0o700)
    path.write_text(LEGACY)
    return path


def repair(*words: str) -> Any:
    return credtray("repair", *words, backend=FakeBackend())


def document(*words: str) -> dict[str, dict[str, Any]]:
    outcome = repair(*words, "--json")
    assert outcome.code == 0, outcome.err
    return {item["name"]: item for item in json.loads(outcome.out)["repairs"]}


def test_dry_run_shows_the_change_and_makes_none(config: Path) -> None:
    outcome = repair("--dry-run")

    assert outcome.code == 0
    assert "+sso_session = sso\n" in outcome.out
    assert "hunter2" not in outcome.out + outcome.err
    assert config.read_text() == LEGACY


def test_preview_with_an_id_is_what_is_carried_out_or_nothing_is(config: Path) -> None:
    shown = document("legacy_profiles", "--dry-run")["legacy_profiles"]["preview_id"]
    config.write_text(LEGACY.replace("[profile dev]", "[profile other]"))
    other = config.read_text()
    refused = repair("legacy_profiles", "--yes", "--preview-id", shown, "--json")

    assert refused.code == 1
    assert "no longer what was previewed" in refused.err
    assert not json.loads(refused.out)["repairs"][0]["done"]
    assert config.read_text() == other

    config.write_text(LEGACY)
    assert document("legacy_profiles", "--yes", "--preview-id", shown)["legacy_profiles"]["done"]
    assert "sso_session = sso" in config.read_text()


def test_id_of_a_preview_needs_the_name_of_its_repair(config: Path) -> None:
    outcome = repair("--yes", "--preview-id", "0123456789abcdef")

    assert (outcome.code, config.read_text()) == (2, LEGACY)


def test_repair_without_a_terminal_needs_yes(config: Path) -> None:
    outcome = repair()

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.endswith("hint: credtray repair --yes\n")
    assert config.read_text() == LEGACY


def test_json_tells_what_was_done_and_what_comes_next(config: Path) -> None:
    found = document("--yes")["legacy_profiles"]

    assert found["done"]
    assert found["next_steps"] == ["Sign in once: credtray login sso"]
    assert "sso_session = sso\n" in config.read_text()
    assert not document("--yes")["legacy_profiles"]["needed"]


def test_undo_brings_the_very_bytes_back(config: Path) -> None:
    document("--yes")
    done = subprocess.run(
        [sys.executable, "-m", "credtray", "undo", "--yes"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert config.read_text() == LEGACY


def test_unknown_repair_offers_the_nearest(config: Path) -> None:
    outcome = repair("legacy_profile", "--yes")

    assert outcome.code == 2
    assert "Did you mean legacy_profiles?" in outcome.err


def test_home_in_order_needs_nothing(config: Path) -> None:
    config.write_text("[default]\nregion = us-east-1\n")

    assert repair("--yes").out == "Nothing to repair.\n"


def test_broken_config_file_is_told_with_its_line(config: Path) -> None:
    config.write_text("[default\n")
    outcome = repair("legacy_profiles", "--dry-run")

    assert outcome.code != 0
    assert "line 1" in outcome.err


def test_token_of_another_region_mends_the_session(config: Path) -> None:
    config.write_text(f"[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\n")
    cache = config.parent / "sso" / "cache"
    cache.mkdir(parents=True)
    token = cache / f"{hashlib.sha1(b'corp', usedforsecurity=False).hexdigest()}.json"
    content = json.dumps({"startUrl": START_URL, "region": "us-east-1", "accessToken": "CANARY"})
    token.write_text(content)
    found = document("outdated_session", "--yes")["outdated_session"]

    assert found["changes"] == [
        "session corp: sso_region us-east-1 instead of eu-west-1",
        "session corp: sso_registration_scopes sso:account:access",
    ]
    assert "sso_region = us-east-1\n" in config.read_text()
    assert token.read_text() == content
    assert "CANARY" not in json.dumps(found)


IDENTITY = "import boto3; print(boto3.Session(profile_name='dev').client('sts').get_caller_identity()['Arn'])"


@pytest.mark.posix("the AWS CLI of Debian")
@pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package")
def test_migrated_home_is_the_same_role_to_botocore_and_the_aws_cli(world: World) -> None:
    """Before: a legacy sign-in as `aws sso login` leaves it. After: the new session's own sign-in."""
    world.config.parent.mkdir()
    world.config.write_text(f"[sso-session tmp]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n")
    assert world.credtray("login", "tmp").returncode == 0
    cache = world.home / ".aws" / "sso" / "cache"
    fields = json.loads((cache / f"{_sha1('tmp')}.json").read_text())
    kept = ("startUrl", "region", "accessToken", "expiresAt")
    legacy_token = cache / f"{_sha1(START_URL)}.json"
    legacy_token.write_text(json.dumps({name: fields[name] for name in kept}))
    world.config.write_text(LEGACY)
    before = _identities(world)
    done = world.credtray("repair", "legacy_profiles", "--yes")
    assert done.returncode == 0, done.stderr
    legacy_token.unlink()
    assert world.credtray("login", "sso").returncode == 0

    assert _identities(world) == before
    assert "ReadOnly" in before[0]
    assert world.credtray("undo", "--yes").returncode == 0
    assert world.config.read_text() == LEGACY


def _identities(world: World) -> list[str]:
    cli = world.aws("--profile", "dev", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
    assert cli.returncode == 0, cli.stderr
    boto = subprocess.run(
        [sys.executable, "-c", IDENTITY],
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert boto.returncode == 0, boto.stderr
    return [cli.stdout.strip(), boto.stdout.strip()]


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
