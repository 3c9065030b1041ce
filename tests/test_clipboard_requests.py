"""`credtray copy` over the real loop and requests, with a clipboard that remembers."""

from __future__ import annotations

import asyncio

import pytest

from credtray.click_handler import ClickHandler
from credtray.core.clicks import CopyCredentials
from credtray.core.errors import ClipboardUnavailable, CredtrayError, SignInRequired, UnknownProfile
from credtray.core.forms import Form
from credtray.core.protocol import Copy, Done, encode
from credtray.core.settings import ProfileSettings, Settings
from credtray.desktop_requests import Copying, without_desktop
from tests.as_json import result
from tests.daemon.fakes import Daemon, run
from tests.test_clicks import RecordedClipboard, RecordedDesktop


async def signed_in(board: RecordedClipboard, settings: Settings | None = None) -> Daemon:
    daemon = Daemon("dev")
    daemon.settings.content = settings or daemon.settings.content
    daemon.requests.register(Copying(daemon.loop, daemon.requests, board.clipboard).handlers)
    return await daemon.signed_in()


@pytest.mark.parametrize("form", list(Form))
def test_request_and_click_copy_the_same_text(form: Form) -> None:
    async def drive() -> None:
        desktop = RecordedDesktop()
        daemon = await signed_in(desktop.board)
        reply = await daemon.ask(Copy("dev", form))
        handler = ClickHandler(daemon.loop, daemon.requests, desktop.joined(daemon.workers))
        handler.handle(CopyCredentials("dev", form))
        await asyncio.sleep(60)

        (asked, _), (clicked, _) = desktop.board.texts
        assert asked == clicked
        assert "CANARY-key" in asked
        assert isinstance(reply, Done)
        assert result(reply)["seconds"] == 45
        assert b"CANARY" not in encode(reply)

    run(drive())


def test_settings_of_the_profile_count() -> None:
    async def drive() -> None:
        board = RecordedClipboard()
        chosen = ProfileSettings(section="elsewhere", region="eu-north-1")
        daemon = await signed_in(board, Settings(profiles={"dev": chosen}))
        await daemon.ask(Copy("dev", Form.SECTION))
        await daemon.ask(Copy("dev", Form.POSIX))

        (section, _), (lines, _) = board.texts
        assert section.startswith("[elsewhere]\n")
        assert "export AWS_REGION='eu-north-1'\n" in lines

    run(drive())


def test_desktop_without_a_clipboard_names_the_other_way() -> None:
    async def drive() -> None:
        daemon = await signed_in(RecordedClipboard(problem=ClipboardUnavailable("no display")))
        with pytest.raises(ClipboardUnavailable, match="no display") as refused:
            await daemon.ask(Copy("dev", Form.FISH))

        assert "On Wayland, install wl-clipboard. `credtray env` prints" in refused.value.advice

    run(drive())


@pytest.mark.parametrize(("profile", "kind"), [("dev", ClipboardUnavailable), ("gone", UnknownProfile)])
def test_agent_without_a_desktop_says_so(profile: str, kind: type[CredtrayError]) -> None:
    async def drive() -> None:
        daemon = await Daemon("dev").started()
        daemon.requests.register(without_desktop(daemon.loop))
        with pytest.raises(kind):
            await daemon.ask(Copy(profile, Form.FISH))

    run(drive())


def test_nothing_is_copied_while_signed_out() -> None:
    async def drive() -> None:
        board = RecordedClipboard()
        daemon = await Daemon("dev").started()
        daemon.requests.register(Copying(daemon.loop, daemon.requests, board.clipboard).handlers)
        with pytest.raises(SignInRequired):
            await daemon.ask(Copy("dev", Form.FISH))

        assert board.texts == []

    run(drive())
