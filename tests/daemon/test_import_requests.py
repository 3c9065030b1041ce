from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credtray.aws.credentials_file import CredentialsFile
from credtray.core import ini, state_document
from credtray.core.errors import (
    CredtrayError,
    FileUnwritable,
    IniRefused,
    KeysRefused,
    SectionNotOurs,
    UnexpectedReply,
    UsageError,
)
from credtray.core.events import Activated, PresenceChanged, Stopping
from credtray.core.models import Secret
from credtray.core.ports import Presence
from credtray.core.protocol import Deactivate, Done, ImportKeys, Undo
from credtray.core.state import State
from credtray.daemon.import_requests import ImportRequests
from credtray.files.shared_file import SharedFile
from tests.as_json import result
from tests.core.making import HOUR, NOON
from tests.daemon.fakes import Daemon, run

SECTION = "111122223333_ReadOnly"
SECRET = "CANARY-secret".replace("-", "/").ljust(40, "x")
TOKEN = "CANARY" + "t" * 100


def request(name: str = "P", *, section: str = SECTION, account: str | None = "111122223333") -> ImportKeys:
    return ImportKeys(
        section, f"ASIA{name}", Secret(SECRET), Secret(TOKEN), NOON + 4 * HOUR, account, "ReadOnly"
    )


async def importing(state: State | None = None, **parts: Any) -> Daemon:
    daemon = Daemon(state=state, **parts)
    daemon.requests.register(ImportRequests(daemon.loop).handlers)
    return await daemon.started()


def real_file(home: Path) -> CredentialsFile:
    directory = home / ".aws"
    directory.mkdir(exist_ok=True)
    return CredentialsFile(SharedFile(directory / "credentials", home / "locks", backup_directory=home))


def keys_in(file: CredentialsFile, section: str = SECTION) -> dict[str, str] | None:
    return ini.section_keys(file.path.read_bytes(), section) if file.path.exists() else None


async def refused(daemon: Daemon, asked: ImportKeys, kind: type[CredtrayError]) -> CredtrayError:
    with pytest.raises(kind) as told:
        await daemon.ask(asked)
    assert SECRET not in f"{told.value}{told.value.advice}"
    return told.value


# --- a whole life ------------------------------------------------------------------------------------


def test_a_paste_is_written_told_of_and_taken_out_at_its_end(home: Path) -> None:
    async def scene() -> None:
        file = real_file(home)
        daemon = await importing(credentials_file=file)
        reply = await daemon.ask(request())

        assert result(reply) == {"section": SECTION, "expires_at": "2026-11-22T16:00:00Z"}
        assert keys_in(file) == {
            "aws_access_key_id": "ASIAP",
            "aws_secret_access_key": SECRET,
            "aws_session_token": TOKEN,
        }

        await asyncio.sleep(3.45 * 3600)

        assert daemon.notifier.shown == []

        await asyncio.sleep(0.1 * 3600)

        assert daemon.notifier.shown == [daemon.notifier.there[f"pasted:{SECTION}"].title]
        assert "end at" in daemon.notifier.shown[0]

        await asyncio.sleep(0.5 * 3600)

        assert keys_in(file) is None
        assert [title.split(" at ")[0] for title in daemon.notifier.shown] == [
            f"Pasted keys of {SECTION} end",
            f"Pasted keys of {SECTION} ended",
        ]

        await asyncio.sleep(25 * 3600)

        assert daemon.state.imports == {}
        assert daemon.notifier.there == {}
        assert b"CANARY" not in daemon.state_file.document

    run(scene())


def test_while_the_screen_is_locked_nothing_is_told() -> None:
    async def scene() -> None:
        daemon = await importing()
        await daemon.ask(request())
        daemon.loop.take(PresenceChanged(Presence(locked=True)))
        await asyncio.sleep(5 * 3600)

        assert daemon.notifier.shown == []
        assert daemon.credentials.keys == {}

    run(scene())


def test_killed_at_any_time_the_next_agent_goes_on(home: Path) -> None:
    async def first() -> bytes:
        file = real_file(home)
        daemon = await importing(credentials_file=file)
        await daemon.ask(request())
        return daemon.state_file.document

    async def second(document: bytes) -> None:
        file = real_file(home)
        state = state_document.decode(document) if document else State(seed="s")
        daemon = await importing(state, credentials_file=file)

        assert keys_in(file) is not None
        assert daemon.state.imports[SECTION].credentials is None

        await asyncio.sleep(4.01 * 3600)

        assert keys_in(file) is None
        assert len(daemon.notifier.shown) == 2

    document = run(first())
    before = (home / ".aws" / "credentials").read_bytes()
    for remembered in (document, b""):  # b"": killed between the credentials file and state.json
        (home / ".aws" / "credentials").write_bytes(before)
        run(second(remembered))


def test_the_end_of_the_agent_leaves_them_in_the_file(home: Path) -> None:
    async def scene() -> None:
        file = real_file(home)
        daemon = await importing(credentials_file=file)
        await daemon.ask(request())
        daemon.loop.take(Stopping())
        await daemon.loop.everything_settled(10)

        assert keys_in(file) is not None

    run(scene())


def test_deactivate_and_undo_take_them_out() -> None:
    async def scene() -> None:
        daemon = await importing()
        await daemon.ask(request())
        await daemon.ask(Deactivate((SECTION,)))

        assert daemon.credentials.keys == {}

        await daemon.ask(request())
        undone = await daemon.ask(Undo())

        assert isinstance(undone, Done)
        assert result(undone)["credentials"]["restored"] == [SECTION]
        assert daemon.credentials.keys == {}

    run(scene())


# --- several -----------------------------------------------------------------------------------------


def test_two_imports_at_once_into_one_section_both_hear_the_truth(home: Path) -> None:
    async def scene() -> None:
        file = real_file(home)
        daemon = await importing(credentials_file=file)
        replies = await asyncio.gather(daemon.ask(request("P")), daemon.ask(request("Q")))

        assert all(isinstance(each, Done) for each in replies)
        assert (keys_in(file) or {})["aws_access_key_id"] == "ASIAQ"

    run(scene())


def test_two_imports_at_once_into_two_sections_are_both_there() -> None:
    async def scene() -> None:
        daemon = await importing()
        await asyncio.gather(daemon.ask(request("P")), daemon.ask(request("Q", section="other")))

        assert {
            section: each.credentials.access_key_id for section, each in daemon.credentials.keys.items()
        } == {
            SECTION: "ASIAP",
            "other": "ASIAQ",
        }

    run(scene())


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"[{SECTION}]\naws_access_key_id = AKIAFOREIGN\naws_secret_access_key = s\n",
        f"[{SECTION}]\naws_access_key_id = ASIAFOREIGN\naws_secret_access_key = s\naws_session_token = t\n",
        f"[{SECTION}]\ncredential_process = /bin/true\n",
    ],
)
def test_somebody_elses_section_stays_byte_for_byte(home: Path, text: str) -> None:
    async def scene() -> None:
        file = real_file(home)
        file.path.write_text(text)
        daemon = await importing(credentials_file=file)
        told = await refused(daemon, request(), SectionNotOurs)

        assert told.advice.endswith("credtray import --name NAME")
        assert file.path.read_text() == text
        assert daemon.state.imports == {}

    run(scene())


def test_a_failed_import_leaves_the_keys_pasted_before() -> None:
    async def scene() -> None:
        daemon = await importing()
        await daemon.ask(request("P"))
        daemon.credentials.full = FileUnwritable("no space left on device")
        await refused(daemon, request("Q"), FileUnwritable)
        daemon.credentials.full = None
        await asyncio.sleep(3600)

        assert daemon.credentials.keys[SECTION].credentials.access_key_id == "ASIAP"
        assert daemon.state.imports[SECTION].expires_at == NOON + 4 * HOUR

    run(scene())


def test_the_section_of_a_kept_profile_is_not_for_pasted_keys() -> None:
    async def scene() -> None:
        daemon = await importing()
        daemon.loop.take(Activated(("dev",)))

        told = await refused(daemon, request(section="dev", account="111100000000"), KeysRefused)

        assert "[dev] belongs to the profile dev" in str(told)
        assert told.advice.endswith("credtray import --name NAME")

    run(scene())


def test_keys_of_another_account_than_the_profile_of_that_name_are_refused() -> None:
    async def scene() -> None:
        daemon = await importing()
        told = await refused(daemon, request(section="dev"), KeysRefused)

        assert "111122223333" in str(told)
        assert "111100000000" in str(told)
        assert isinstance(await daemon.ask(request(section="dev", account="111100000000")), Done)
        assert isinstance(await daemon.ask(request(section="dev", account=None)), Done)

    run(scene())


def test_keys_of_another_account_than_those_pasted_before_are_refused() -> None:
    async def scene() -> None:
        daemon = await importing()
        await daemon.ask(request())
        await refused(daemon, request("Q", account="999922223333"), KeysRefused)
        await asyncio.sleep(5 * 3600)  # those have ended: the name is free
        later = replace_end(request("Q", account="999922223333"), hours=9)

        assert isinstance(await daemon.ask(later), Done)

    run(scene())


def replace_end(asked: ImportKeys, *, hours: float) -> ImportKeys:
    return ImportKeys(
        asked.section,
        asked.access_key_id,
        asked.secret_access_key,
        asked.session_token,
        NOON + timedelta(hours=hours),
        asked.account_id,
        asked.role_name,
    )


@pytest.mark.parametrize("hours", [-1, 0, 37, 24 * 365])
def test_keys_that_have_ended_or_never_end_are_refused(hours: float) -> None:
    async def scene() -> None:
        daemon = await importing()

        await refused(daemon, replace_end(request(), hours=hours), UsageError)

    run(scene())


@pytest.mark.parametrize("section", ["a]b", "a\nb", "", " x"])
def test_names_and_keys_that_cannot_be_written_are_refused(home: Path, section: str) -> None:
    async def scene() -> None:
        file = real_file(home)
        daemon = await importing(credentials_file=file)
        await refused(daemon, request(section=section), IniRefused)
        await refused(daemon, request("P\n[x]"), UnexpectedReply)

        assert not file.path.exists()
        assert daemon.state.imports == {}

    run(scene())
