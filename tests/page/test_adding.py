"""Adding profiles from the page: what other tabs see and do while one of them writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from credtray.app import build
from credtray.aws.profile_writer import Preview, ProfileWriter
from credtray.core.errors import FileContended, UsageError
from credtray.core.models import Account
from credtray.core.naming import RoleChoice
from credtray.page.actions import Message
from credtray.page.adding import Adding, AddView
from credtray.roles.record import AccountRoles, Record
from credtray.setup import session as portal
from tests.core.making import NOON
from tests.daemon.fakes import Daemon, run
from tests.fakes_identity_center import START_URL
from tests.roles.scene import watch_of

ROLES = [RoleChoice(Account("111100000001", "Platform"), role) for role in ("ReadOnly", "Admin")]


class Desk:
    """Adding with the agent's real loop, real files below this test's home, and a portal that says yes."""

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.found = asyncio.Event()
        self.roles = watch_of(self.daemon)
        self.adding = Adding(build(), self.daemon.workers, self.daemon.loop, self.found.set, self.roles)

    def view(self) -> AddView:
        return self.adding.view(self.daemon.loop.state)

    async def press(self, action: str, *roles: str) -> Message:
        fields = {"shown": (self.view().shown,), "role": roles, "offer": ("session:corp",)}
        return await self.adding.handlers[action](fields)

    async def previewed(self) -> None:
        await self.press("add-begin")
        await self.found.wait()
        await self.press("add-pick", "0")
        assert self.view().stage == "preview"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Desk], Awaitable[None]]], None]:
    monkeypatch.setattr(portal, "sign_in", lambda *_: None)
    monkeypatch.setattr(portal, "choices_of", lambda *_: (None, None, ROLES))

    def driven(work: Callable[[Desk], Awaitable[None]]) -> None:
        async def drive() -> None:
            found = Desk()
            await found.daemon.started()
            await work(found)

        run(drive())

    return driven


def refused(_writer: ProfileWriter, _preview: Preview) -> None:
    raise FileContended("~/.aws/config is being changed by another program")


def record(*roles: str) -> Record:
    """Return what was listed last: all roles, of which these are new."""
    listed = AccountRoles(tuple(each.role_name for each in ROLES), "Platform")
    new = frozenset(("111100000001", role) for role in roles)
    return Record(portal=START_URL, at=NOON, accounts={"111100000001": listed}, new=new)


def test_new_roles_are_ticked_and_first_and_nothing_is_asked(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None], home: Path
) -> None:
    async def work(it: Desk) -> None:
        it.roles.hide("corp")  # nothing was listed: nothing to put aside
        assert it.view().news == ()
        it.roles._records = (record("ReadOnly"),)
        assert [each.roles for each in it.view().news] == ["ReadOnly in Platform"]
        asked = dict(it.daemon.portal.counted)
        await it.adding.handlers["add-new"]({"session": ("corp",)})
        ticks = it.view().ticks

        assert [(tick.role, tick.new) for tick in ticks] == [("ReadOnly", True), ("Admin", False)]
        assert dict(it.daemon.portal.counted) == asked
        await it.press("add-pick", ticks[0].number)
        await it.press("add-write")

    desk(work)

    assert (home / ".aws" / "config").read_text().count("sso_role_name = ") == 1


def test_notice_does_not_throw_away_what_is_being_checked_in_another_tab(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None],
) -> None:
    async def work(it: Desk) -> None:
        it.roles._records = (record("Admin"),)
        await it.previewed()
        shown = it.view()
        it.adding.begin_with("corp")

        assert it.view() == shown

    desk(work)


def test_roles_that_were_seen_on_the_page_are_put_aside_though_no_notice_was_about_them(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None],
) -> None:
    async def work(it: Desk) -> None:
        it.roles._records = (record("Admin"),)
        await it.adding.handlers["add-not-now"]({"session": ("corp",)})

        assert it.view().news == ()

    desk(work)


def test_who_looks_while_it_is_written_sees_what_is_written_and_not_that_it_is(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None], home: Path
) -> None:
    async def work(it: Desk) -> None:
        await it.previewed()
        first, second = (asyncio.ensure_future(it.press("add-write")) for _ in range(2))
        await asyncio.sleep(0)
        assert it.view().stage == "preview"
        assert await first == Message("1 profile is set up", shown=False)
        assert await second == Message("Written already")
        assert len(it.view().new) == 1

    desk(work)

    assert (home / ".aws" / "config").read_text().count("sso_role_name = ReadOnly") == 1


@pytest.mark.parametrize("meanwhile", ["add-cancel", "add-back"])
def test_write_that_fails_after_another_tab_went_on_leaves_that_tab_where_it_is(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None],
    meanwhile: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ProfileWriter, "apply", refused)

    async def work(it: Desk) -> None:
        await it.previewed()
        writing = asyncio.ensure_future(it.press("add-write"))
        await asyncio.sleep(0)
        await it.press(meanwhile)
        stage = it.view().stage
        with pytest.raises(FileContended):
            await writing
        assert it.view().stage == stage

    desk(work)


def test_write_that_fails_can_be_tried_again(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(it: Desk) -> None:
        await it.previewed()
        with monkeypatch.context() as held:
            held.setattr(ProfileWriter, "apply", refused)
            with pytest.raises(FileContended):
                await it.press("add-write")
        assert it.view().stage == "preview"
        assert (await it.press("add-write")).title == "1 profile is set up"

    desk(work)


def test_form_of_a_preview_that_is_gone_writes_nothing(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None], home: Path
) -> None:
    async def work(it: Desk) -> None:
        await it.previewed()
        shown = it.view().shown
        await it.press("add-cancel")
        with pytest.raises(UsageError):
            await it.adding.handlers["add-write"]({"shown": (shown,)})

    desk(work)

    assert not (home / ".aws" / "config").exists()


@pytest.mark.posix("/etc")
def test_a_session_of_an_installed_team_file_is_written_as_that_file_says(
    desk: Callable[[Callable[[Desk], Awaitable[None]]], None], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "organisation" / "team"
    folder.mkdir(parents=True)
    (folder / "acme.toml").write_text(
        'credtray_team = 1\n[sessions.acme]\nstart_url = "https://acme.awsapps.com/start"\n'
        'region = "eu-west-1"\n'
        'duration = "3h"\ntemplate = "mine-{role}"\nprofile_region = "eu-west-3"\n'
    )
    monkeypatch.setattr(portal, "located", lambda _ports, session, _talk: session)

    async def work(it: Desk) -> None:
        await it.adding.handlers["add-begin"]({"shown": (it.view().shown,), "offer": ("preset:acme",)})
        await it.found.wait()
        await it.press("add-pick", "0")
        await it.press("add-write")

    desk(work)

    text = (home / ".aws" / "config").read_text()
    assert "[sso-session acme]" in text
    assert "[profile mine-readonly]" in text
    assert "region = eu-west-3" in text
    assert build().settings_file.load().sign_in_length("acme") == timedelta(hours=3)
