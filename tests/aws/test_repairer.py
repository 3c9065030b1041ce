"""A repair is carried out as it was agreed to, on the file as it is by then, or not at all."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from credtray.aws.credentials_file import CredentialsFile
from credtray.aws.profile_writer import ProfileWriter
from credtray.core.errors import RepairRefused
from credtray.doctor.repair_command import remove_sections, repair_config
from credtray.doctor.repair_plans import REPAIRS, ConfigChange, RepairPlan, Scene
from credtray.files.shared_file import SharedFile
from tests.aws.file_fakes import NOW, wanted

LEGACY = (
    b"[profile dev]\r\nsso_start_url = https://acme.awsapps.com/start\r\nsso_region = eu-west-1\r\n"
    b"sso_account_id = 111100000001\r\nsso_role_name = ReadOnly\r\n"
)


def plan(data: bytes) -> RepairPlan:
    return REPAIRS["legacy_profiles"].plan(Scene(NOW, data))


@pytest.fixture
def path(home: Path) -> Path:
    found = home / ".aws" / "config"
    found.parent.mkdir(mode=0o700)
    found.write_bytes(LEGACY)
    return found


def shared(path: Path, home: Path) -> SharedFile:
    return SharedFile(path, home / "locks", backup_directory=home / "state")


def test_repair_writes_what_was_agreed_and_its_undo_the_old_bytes(path: Path, home: Path) -> None:
    file, recorded = shared(path, home), list[ConfigChange]()
    repair_config(file, plan, plan(LEGACY), recorded.append)
    change = recorded[-1]

    assert path.read_bytes() == change.after
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")

    ProfileWriter(file).restore(change.originals, change.results)

    assert path.read_bytes() == LEGACY


def test_change_of_the_same_profile_since_the_preview_is_refused(path: Path, home: Path) -> None:
    agreed = plan(LEGACY)
    there = LEGACY.replace(b"eu-west-1", b"eu-west-2")
    path.write_bytes(there)
    recorded: list[ConfigChange] = []
    with pytest.raises(RepairRefused, match="changed since the preview"):
        repair_config(shared(path, home), plan, agreed, recorded.append)

    assert path.read_bytes() == there
    assert recorded == []


def test_change_elsewhere_since_the_preview_is_kept(path: Path, home: Path) -> None:
    agreed = plan(LEGACY)
    path.write_bytes(b"[profile other]\nregion = eu-west-3\n" + LEGACY)
    recorded: list[ConfigChange] = []
    repair_config(shared(path, home), plan, agreed, recorded.append)

    assert path.read_bytes().startswith(b"[profile other]\nregion = eu-west-3\n[profile dev]\r\n")

    ProfileWriter(shared(path, home)).restore(recorded[-1].originals, recorded[-1].results)

    assert path.read_bytes() == b"[profile other]\nregion = eu-west-3\n" + LEGACY


@pytest.mark.wine_lacks("links that other programs see")
def test_link_stays_a_link_and_its_file_is_repaired(path: Path, home: Path) -> None:
    target = home / "dotfiles" / "aws-config"
    target.parent.mkdir(mode=0o700)
    path.rename(target)
    path.symlink_to(target)
    repair_config(shared(path, home), plan, plan(LEGACY), lambda _change: None)

    assert path.is_symlink()
    assert b"sso_session = acme" in target.read_bytes()


@pytest.mark.posix("fork")
def test_kill_before_the_write_leaves_a_record_that_undoes_nothing(path: Path, home: Path) -> None:
    agreed = plan(LEGACY)
    child = os.fork()
    if child == 0:
        repair_config(shared(path, home), plan, agreed, lambda _change: os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    change = agreed.config
    assert change is not None
    undone = ProfileWriter(shared(path, home)).restore(change.originals, change.results)

    assert os.WTERMSIG(status) == signal.SIGKILL
    assert undone.skipped == {}
    assert path.read_bytes() == LEGACY


# --- the credentials file ----------------------------------------------------------------------------


def kept(home: Path) -> tuple[SharedFile, CredentialsFile]:
    path = home / ".aws" / "credentials"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(b"[mine]\naws_access_key_id = AKIAMINE\n")
    file = shared(path, home)
    credentials = CredentialsFile(file)
    credentials.sync([wanted("dev", 1), wanted("ops", 1)], [], NOW)
    return file, credentials


def test_ended_sections_go_and_all_others_stay(home: Path) -> None:
    file, credentials = kept(home)
    dev, ops = credentials.marks()
    remove_sections(file, [dev])

    assert credentials.marks() == (ops,)
    assert file.read().startswith(b"[mine]\naws_access_key_id = AKIAMINE\n")


def test_section_with_newer_keys_than_in_the_preview_is_refused(home: Path) -> None:
    file, credentials = kept(home)
    dev, ops = credentials.marks()
    with pytest.raises(RepairRefused):
        remove_sections(file, [replace(dev, digest="0" * 16), ops])

    assert credentials.marks() == (dev, ops)
