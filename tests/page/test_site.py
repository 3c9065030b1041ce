"""The views where something is missing: no history to be read, no config, a message on its way."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import pytest

from credtray.app import build
from credtray.core.errors import ConfigInvalid
from credtray.core.events import ConfigBroken, ConfigLoaded, Event, SettingsLoaded
from credtray.core.models import AwsConfig
from credtray.core.settings import Settings
from credtray.desktop import paths
from credtray.page.site import PageSite, Watched
from credtray.share.shared import Shares
from credtray.ways_out.page import Kind
from credtray.web.page_server import Answer, Asked
from tests.daemon.fakes import Daemon, run
from tests.roles.scene import watch_of


class Desk:
    """The views with the agent's real loop, and a history below this test's home."""

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.site = PageSite(
            self.daemon.loop,
            self.daemon.requests,
            build(),
            self.daemon.workers,
            Watched(Shares(self.daemon.workers), watch_of(self.daemon)),
        )

    async def view(self, name: str, query: Mapping[str, str] | None = None) -> Answer:
        return await self.site.answer(Asked(Kind.VIEW, name, query or {}, "/room/", "token"))


def seen(name: str, *events: Event, query: Mapping[str, str] | None = None) -> Answer:
    async def drive() -> Answer:
        desk = Desk()
        await desk.daemon.started()
        for event in events:
            desk.daemon.loop.take(event)
        return await desk.view(name, query)

    found: Answer = run(drive())
    return found


def test_history_that_cannot_be_read_is_not_told_as_an_empty_one() -> None:
    (paths.state_directory() / "history.jsonl").mkdir(parents=True, mode=0o700)
    body = seen("history").body.decode()

    assert "The history cannot be shown" in body
    assert "history.jsonl" in body
    assert "Nothing has happened yet" not in body


@pytest.mark.parametrize(
    ("kept", "words"), [(True, "Nothing has happened yet"), (False, "No history is kept")]
)
def test_history_that_is_turned_off_is_not_told_as_an_empty_one(*, kept: bool, words: str) -> None:
    body = seen("history", SettingsLoaded(Settings(history=kept))).body.decode()

    assert [each for each in ("Nothing has happened yet", "No history is kept") if each in body] == [words]


def test_config_that_cannot_be_read_is_no_welcome() -> None:
    gone = ConfigLoaded(AwsConfig({}, {}))
    broken = ConfigBroken(ConfigInvalid("line 2: text before the first section header").problem)

    assert seen("", gone).location == "add"
    answer = seen("", gone, broken)
    assert answer.status is HTTPStatus.OK
    assert "line 2: text before the first section header" in answer.body.decode()
    assert "set up" not in answer.body.decode()
    assert "Not set up" not in answer.body.decode()


def test_message_is_not_lost_on_the_way_to_the_setup() -> None:
    assert seen("", ConfigLoaded(AwsConfig({}, {})), query={"told": "0a"}).location == "add?told=0a"


def test_address_of_a_notice_about_new_roles_is_good_whatever_became_of_the_session() -> None:
    assert seen("add", query={"new": "nobody-knows"}).location == "add"
