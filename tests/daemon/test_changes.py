"""Undo over the real files: exactly what was there comes back, and what the user changed stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from credtray.aws import profile_writer
from credtray.aws.credentials_file import CredentialsFile
from credtray.aws.profile_writer import ProfileWriter
from credtray.core import protocol
from credtray.core.config.setup_edits import MARK
from credtray.core.errors import FileUnwritable, NothingToUndo
from credtray.daemon.changes import Changes
from credtray.files.shared_file import SharedFile
from credtray.store.settings_file import SettingsFile
from credtray.store.state_files import UndoFile
from tests.as_json import result
from tests.core.making import NOON
from tests.daemon.fakes import Daemon, run

USERS = (
    b"# mine\r\n[other]\r\naws_access_key_id = AKIAMINE\r\naws_secret_access_key = x\r\n\r\n"
    b"[default]\r\nregion = us-west-2\r\n"
)
BEFORE = b"[profile old]\nregion = us-east-1\n"
OURS = f"\n[profile dev]\n{MARK}\nsso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n"


def shared(path: Path) -> SharedFile:
    """The one writer, with its locks and its backup beside the folder."""
    beside = path.parent.parent
    return SharedFile(path, beside / "locks", backup_directory=beside / "backup")


class Disk:
    """A daemon whose credentials file, config file and undo record are real."""

    def __init__(self, path: Path) -> None:
        self.credentials, self.config = path / "aws" / "credentials", path / "aws" / "config"
        self.credentials.parent.mkdir(mode=0o700)
        self.credentials.write_bytes(USERS)
        self.credentials.chmod(0o600)
        self.config.write_bytes(BEFORE + OURS.encode())
        self.undo_file = UndoFile(path / "undo.json")
        self.changes = Changes(
            SettingsFile(path / "settings.toml"), ProfileWriter(shared(self.config)).restore, self.undo_file
        )
        self.daemon = Daemon(
            "dev", "ro", credentials_file=CredentialsFile(shared(self.credentials)), changes=self.changes
        )

    async def kept(self) -> Disk:
        await self.daemon.started()
        await self.daemon.ask(protocol.Login("corp"))
        await self.daemon.ask(protocol.Activate(("dev",)))
        await self.daemon.ask(protocol.Switch("ro"))
        return self

    async def undo(self) -> dict[str, Any]:
        reply = await self.daemon.ask(protocol.Undo())
        found: dict[str, Any] = result(reply)
        return found


def test_undo_restores_both_files_byte_for_byte_and_a_second_one_finds_nothing(tmp_path: Path) -> None:
    async def drive() -> None:
        disk = await Disk(tmp_path).kept()
        disk.undo_file.remember(NOON, "setup corp", {"profile dev": None})

        assert b"ASIA" in disk.credentials.read_bytes()
        done = await disk.undo()
        assert disk.credentials.read_bytes() == USERS
        assert disk.config.read_bytes() == BEFORE
        assert done["credentials"] == {"restored": ["default", "dev"], "skipped": {}}
        assert done["profiles"] == {"restored": ["profile dev"], "skipped": {}}
        with pytest.raises(NothingToUndo):
            await disk.undo()
        assert (disk.credentials.read_bytes(), disk.config.read_bytes()) == (USERS, BEFORE)

    run(drive())


def test_undo_leaves_alone_what_the_user_changed_since(tmp_path: Path) -> None:
    async def drive() -> None:
        disk = await Disk(tmp_path).kept()
        disk.undo_file.remember(NOON, "setup corp", {"profile dev": None})
        disk.config.write_bytes(disk.config.read_bytes() + b"cli_pager = less\n")
        text = disk.credentials.read_bytes().replace(b"[dev]\r\n", b"[dev]\r\noutput = text\r\n")
        disk.credentials.write_bytes(text)
        await asyncio.sleep(1)
        done = await disk.undo()

        assert done["profiles"]["skipped"] == {"profile dev": "somebody has changed it since"}
        assert b"cli_pager = less" in disk.config.read_bytes()
        assert b"output = text" in disk.credentials.read_bytes()
        assert b"ASIA" not in disk.credentials.read_bytes()

    run(drive())


def test_last_edit_of_the_config_file_alone_is_taken_back(tmp_path: Path) -> None:
    async def drive() -> None:
        disk = await Disk(tmp_path).kept()
        disk.undo_file.remember(NOON, "setup old", {"profile old": None})
        disk.undo_file.remember(NOON, "setup corp", {"profile dev": None})
        done = result(await disk.daemon.ask(protocol.Undo("last")))

        assert done["profiles"] == {"restored": ["profile dev"], "skipped": {}}
        assert disk.config.read_bytes() == BEFORE
        assert b"ASIA" in disk.credentials.read_bytes()
        assert [each.what for each in disk.undo_file.changes()] == ["setup old"]

    run(drive())


def test_another_edit_than_the_one_that_is_meant_stays(tmp_path: Path) -> None:
    async def drive() -> None:
        disk = await Disk(tmp_path).kept()
        meant = disk.undo_file.remember(NOON, "repair legacy_profiles", {"profile old": None})
        disk.undo_file.remember(NOON, "setup corp", {"profile dev": None})
        before = disk.config.read_bytes()
        with pytest.raises(NothingToUndo, match="another change"):
            await disk.changes.undo_last(disk.daemon.loop, meant)

        assert disk.config.read_bytes() == before

    run(drive())


def test_listing_changes_nothing(tmp_path: Path) -> None:
    async def drive() -> None:
        disk = await Disk(tmp_path).kept()
        before = disk.credentials.read_bytes(), disk.config.read_bytes()
        await disk.daemon.ask(protocol.Undo("list"))

        assert (disk.credentials.read_bytes(), disk.config.read_bytes()) == before

    run(drive())


def test_change_that_could_not_be_taken_back_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drive() -> None:
        disk = await Disk(tmp_path).kept()
        disk.undo_file.remember(NOON, "setup corp", {"profile dev": None})

        def full(*_asked: object) -> None:
            raise FileUnwritable("no space left")

        with monkeypatch.context() as broken:
            broken.setattr(profile_writer, "undo_setup", full)
            with pytest.raises(FileUnwritable):
                await disk.undo()

        assert [change.what for change in disk.undo_file.changes()] == ["setup corp"]
        assert (await disk.undo())["profiles"]["restored"] == ["profile dev"]

    run(drive())
