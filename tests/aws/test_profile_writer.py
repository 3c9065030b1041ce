"""Profiles written into a real file: what was shown is what is written, beside others who write too."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from credtray.aws.profile_writer import ProfileWriter
from credtray.core.config.setup_edits import MARK
from credtray.core.config.sso import parse_config
from credtray.core.errors import CredtrayError, FileContended, FileUnparsable
from credtray.files.shared_file import SharedFile
from tests.core.test_config_edits import ADMIN, READ_ONLY, THEIRS, wish
from tests.hand_waiter import HandWaiter


@pytest.fixture
def waiter() -> HandWaiter:
    return HandWaiter()


@pytest.fixture
def path(home: Path) -> Path:
    return home / ".aws" / "config"


@pytest.fixture
def writer(path: Path, tmp_path: Path, waiter: HandWaiter) -> ProfileWriter:
    return ProfileWriter(SharedFile(path, tmp_path / "locks", backup_directory=tmp_path, waiter=waiter))


def test_a_preview_writes_nothing(writer: ProfileWriter, path: Path) -> None:
    preview = writer.preview(wish(ADMIN))

    assert f"+{MARK}" in preview.diff
    assert not path.exists()


@pytest.mark.posix("modes")
def test_what_was_shown_is_written_into_a_private_new_file(writer: ProfileWriter, path: Path) -> None:
    preview = writer.preview(wish(ADMIN))
    written = writer.apply(preview)

    assert path.read_bytes() == preview.plan.after
    assert written.outcome.created
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(parse_config(path.read_bytes(), {}).profiles) == {"corp-admin"}


def test_an_undo_gives_back_the_file(writer: ProfileWriter, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(THEIRS)
    written = writer.apply(writer.preview(wish(ADMIN, READ_ONLY)))
    undone = writer.restore(written.originals, written.results)

    assert path.read_bytes() == THEIRS
    assert set(undone.restored) == {"sso-session corp", "profile corp-admin", "profile corp-readonly"}
    assert not undone.skipped


def test_what_others_wrote_since_the_preview_is_kept(writer: ProfileWriter, path: Path) -> None:
    preview = writer.preview(wish(ADMIN))
    path.parent.mkdir()
    path.write_bytes(THEIRS)
    writer.apply(preview)

    assert path.read_bytes().startswith(THEIRS)
    assert set(parse_config(path.read_bytes(), {}).profiles) == {"corp-admin"}


def test_another_outcome_than_was_shown_is_not_written(writer: ProfileWriter, path: Path) -> None:
    preview = writer.preview(wish(ADMIN))
    path.parent.mkdir()
    theirs = b"[profile corp-admin]\naws_access_key_id = AKIA\n"
    path.write_bytes(theirs)
    with pytest.raises(FileContended, match="since the preview"):
        writer.apply(preview)

    assert path.read_bytes() == theirs


def test_an_editor_that_puts_its_version_over_ours_loses_neither(
    writer: ProfileWriter, path: Path, waiter: HandWaiter
) -> None:
    path.parent.mkdir()
    path.write_bytes(THEIRS)
    preview = writer.preview(wish(ADMIN, region="eu-west-1"))
    rounds: list[None] = []

    def editor_saves(_seconds: float) -> None:
        ours = path.read_bytes()
        if MARK.encode() in ours and not rounds:
            rounds.append(None)
            changed = ours.replace(b"region = eu-west-1", b"region = ap-south-1")
            path.write_bytes(changed + b"[profile late]\nregion = us-west-2\n")

    waiter.during = editor_saves
    written = writer.apply(preview)
    after = path.read_bytes()

    assert b"[profile late]" in after
    assert "corp-admin" in parse_config(after, {}).profiles
    assert written.originals == dict.fromkeys(["sso-session corp", "profile corp-admin"])


def test_nothing_is_written_into_a_broken_file(writer: ProfileWriter, path: Path) -> None:
    preview = writer.preview(wish(ADMIN))
    path.parent.mkdir()
    path.write_bytes(b"[a]\n[a]\n")
    with pytest.raises(FileUnparsable):
        writer.apply(preview)
    with pytest.raises(CredtrayError):
        writer.preview(wish(ADMIN))

    assert path.read_bytes() == b"[a]\n[a]\n"
