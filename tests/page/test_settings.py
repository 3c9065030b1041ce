"""The settings of the page: the file stays the truth, and nobody's change is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.app import build
from credtray.core.errors import FileRefused, FileUnwritable, SettingLocked, SettingsInvalid, UsageError
from credtray.core.events import FilesChanged
from credtray.desktop import paths
from credtray.page.actions import Message
from credtray.page.settings import Control, PageSettings, SettingsView
from credtray.store.settings_file import SettingsFile
from tests.core.making import config, session
from tests.daemon.fakes import Daemon, run

TEXT = '# mine\nhistory = true # why\n\n[sessions.corp]\nbrowser = "firefox %s"\n'


class Desk:
    """The settings of the page with the agent's real loop and a real file below this test's home."""

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.settings = PageSettings(build(), self.daemon.workers, self.daemon.loop)
        self.path = paths.settings_file()

    def put(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.write_text(text, "utf-8")

    async def view(self) -> SettingsView:
        return await self.settings.view()

    async def control(self, setting: str) -> Control:
        groups = (await self.view()).groups
        return next(each for group in groups for each in group.controls if each.setting == setting)

    async def press(self, action: str, **fields: str) -> Message:
        return await self.settings.handlers[action]({name: (value,) for name, value in fields.items()})

    async def save(self, setting: str, value: str, **more: str) -> Message:
        """Send the form as it is shown now."""
        control = await self.control(setting)
        seen = {"session": control.session, "was": control.was} | more
        return await self.press("set", setting=setting, value=value, **seen)


def driven(work: Callable[[Desk], Awaitable[None]]) -> None:
    async def drive() -> None:
        desk = Desk()
        await desk.daemon.started()
        await work(desk)

    run(drive())


def test_what_the_file_says_and_what_is_default_is_told() -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        view = await desk.view()
        history, warn, browser = [await desk.control(name) for name in ("history", "warn_before", "browser")]

        assert view.place.startswith("~/")
        assert view.place.endswith("/credtray/settings.toml")
        assert (history.value, history.in_file) == ("on", True)
        assert (warn.value, warn.in_file, warn.default) == ("30m, 10m", False, "30m, 10m")
        assert (browser.session, browser.value, browser.default) == ("corp", "firefox %s", "none")

    driven(work)


@pytest.mark.parametrize(
    ("setting", "typed_in", "line"),
    [
        ("warn_before", "1h, 5m", 'warn_before = ["1h", "5m"]'),
        ("warn_before", "1h 5m", 'warn_before = ["1h", "5m"]'),
        ("warn_before", "2h", 'warn_before = ["2h"]'),
        ("warn_before", "", "warn_before = []"),
        ("history", "false", "history = false # why"),
        ("icon", "dark", 'icon = "dark"'),
        ("working_day", " Mon-Fri 09:00-17:30", 'working_day = "Mon-Fri 09:00-17:30"'),
        ("browser", "chromium --profile 'a b' %s", "browser = \"chromium --profile 'a b' %s\""),
    ],
)
def test_value_is_written_and_every_comment_stays(setting: str, typed_in: str, line: str) -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        message = await desk.save(setting, typed_in)

        assert message.good
        assert line in desk.path.read_text("utf-8").splitlines()
        assert desk.path.read_text("utf-8").startswith("# mine\n")

    driven(work)


def test_empty_hours_are_no_hours() -> None:
    async def work(desk: Desk) -> None:
        desk.put('working_day = "09:00-17:30"\n')
        message = await desk.save("working_day", "")

        assert message.good
        assert "working_day" not in desk.path.read_text("utf-8")

    driven(work)


def test_empty_browser_and_the_default_take_the_line_out() -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        await desk.save("browser", "")
        history = await desk.control("history")
        await desk.press("unset", setting="history", was=history.was)

        assert desk.path.read_text("utf-8").split() == ["#", "mine", "[sessions.corp]"]

    driven(work)


@pytest.mark.parametrize(
    ("setting", "typed_in", "words"),
    [
        ("warn_before", "soon", "warn_before must be a duration"),
        ("warn_before", "-5m", "warn_before must be a duration"),
        ("history", "maybe", "history must be true or false"),
        ("working_day", "nine to five", 'working_day must be hours such as "09:00-17:30"'),
        ("icon", "pink", 'icon must be "auto", "light" or "dark"'),
        ("browser", "a\nb", "sessions.corp.browser must be a printable text"),
        ("browser", "\u202efirefox", "sessions.corp.browser must be a printable text"),
    ],
)
def test_value_that_is_none_is_refused_and_nothing_is_written(
    setting: str, typed_in: str, words: str
) -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        with pytest.raises(UsageError, match=words):
            await desk.save(setting, typed_in)

        assert desk.path.read_text("utf-8") == TEXT

    driven(work)


@pytest.mark.parametrize(
    "fields",
    [
        {"setting": "device_flow"},
        {"setting": "profiles"},
        {"setting": "", "session": "corp"},
        {"setting": "proxy", "session": "corp"},
        {"setting": "browser"},
        {"setting": "browser", "session": "nobody"},
        {"setting": "history", "session": "corp"},
    ],
)
def test_what_is_not_on_the_page_cannot_be_changed(fields: dict[str, str]) -> None:
    async def work(desk: Desk) -> None:
        for action in ("set", "unset"):
            with pytest.raises(UsageError, match="out of date"):
                await desk.press(action, value="true", was="not set", **fields)

        assert not desk.path.exists()

    driven(work)


def test_later_one_of_two_tabs_writes_nothing_and_is_told_what_there_is() -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        seen = (await desk.control("warn_before")).was
        await desk.save("warn_before", "2h")
        with pytest.raises(UsageError, match="has changed since you saw it") as caught:
            await desk.press("set", setting="warn_before", value="5m", was=seen)

        assert caught.value.advice == 'warn_before is ["2h"] now. Save again to change it.'
        assert 'warn_before = ["2h"]' in desk.path.read_text("utf-8")
        await desk.save("icon", "dark")  # another setting: both have their way
        assert 'icon = "dark"' in desk.path.read_text("utf-8")

    driven(work)


def test_undo_takes_back_what_was_seen_and_nothing_else() -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        assert (await desk.view()).undo == ""
        await desk.save("history", "false")
        seen = (await desk.view()).undo
        with desk.path.open("a", encoding="utf-8") as file:
            file.write("# by hand\n")
        by_hand = desk.path.read_text("utf-8")
        with pytest.raises(UsageError, match="the settings have changed since you saw them"):
            await desk.press("undo-setting", was=seen)
        assert desk.path.read_text("utf-8") == by_hand
        await desk.press("undo-setting", was=(await desk.view()).undo)

        assert desk.path.read_text("utf-8") == TEXT

    driven(work)


def test_broken_file_is_shown_with_its_line_and_never_written() -> None:
    async def work(desk: Desk) -> None:
        desk.put("history = true\nicon = 3\n")
        view = await desk.view()
        assert view.broken.endswith("(at line 2)")
        assert view.undo == ""
        with pytest.raises(SettingsInvalid, match="line 2"):
            await desk.save("history", "false")

        assert desk.path.read_text("utf-8") == "history = true\nicon = 3\n"

    driven(work)


def test_file_that_is_no_text_is_told() -> None:
    async def work(desk: Desk) -> None:
        desk.put("")
        desk.path.write_bytes(b"\xff\xfe")

        assert "UTF-8" in (await desk.view()).broken

    driven(work)


@pytest.mark.posix("modes")
def test_read_only_file_is_told_before_anybody_tries() -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        desk.path.chmod(0o400)
        view = await desk.view()
        assert view.locked
        assert view.locked_cure.command.startswith("chmod u+rw")
        with pytest.raises(FileRefused, match="read-only"):
            await desk.save("history", "false")

        assert desk.path.read_text("utf-8") == TEXT

    driven(work)


def test_directory_that_is_somebody_elses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `sudo credtray settings edit`."""

    def refuses(*_: object, **_named: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        with monkeypatch.context() as held:
            for name in ("stat", "exists"):
                held.setattr(Path, name, refuses)
            held.setattr(SettingsFile, "text", unreadable)
            view = await desk.view()

        assert view.broken == "~/.config/credtray/settings.toml: permission denied"
        assert view.exists

    driven(work)


def unreadable(_file: SettingsFile) -> str:
    raise FileUnwritable("~/.config/credtray/settings.toml: permission denied")


def test_legacy_sessions_have_no_browser_of_their_own_and_hostile_names_are_kept() -> None:
    async def work(desk: Desk) -> None:
        hostile = "\u202e<b>" + "x" * 500
        desk.daemon.config.put(config(sessions=(session(hostile), session("https://a", legacy=True))))
        desk.daemon.loop.take(FilesChanged())
        await desk.daemon.loop.read(10)
        (browser,) = [
            each
            for group in (await desk.view()).groups
            if group.title == "Browser"
            for each in group.controls
        ]
        assert browser.session == hostile
        assert "\u202e" not in browser.label
        assert len(browser.label) < 100
        await desk.save("browser", "firefox %s")

        assert (await desk.control("browser")).value == "firefox %s"

    driven(work)


@given(st.text(max_size=200))
def test_no_text_that_is_typed_breaks_the_file(typed_in: str) -> None:
    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        for setting in ("warn_before", "browser", "icon", "history"):
            with suppress(UsageError):
                await desk.save(setting, typed_in)
        view = await desk.view()

        assert view.broken == ""
        assert desk.path.read_text("utf-8").startswith("# mine\n")

    driven(work)


def test_start_at_login_is_looked_at_and_switched(home: Path) -> None:
    async def work(desk: Desk) -> None:
        for action, wanted in (("at-login", True), ("not-at-login", False)):
            await desk.press(action)
            status = (await desk.view()).at_login
            assert status is not None
            assert status.enabled is wanted

    driven(work)


# --- what the organisation sets ------------------------------------------------------------------------


@pytest.mark.posix("a file with an owner and a mode")
def test_what_the_organisation_sets_is_shown_and_not_changed(home: Path) -> None:
    policy = home / "organisation" / "policy.toml"
    policy.parent.mkdir(mode=0o755)
    policy.write_text('history = false\n[sessions.corp]\nbrowser = "safe %s"\n')

    async def work(desk: Desk) -> None:
        desk.put(TEXT)
        history, icon, browser = [await desk.control(name) for name in ("history", "icon", "browser")]

        assert (history.value, history.set_by, icon.set_by) == ("off", str(policy), "")
        assert (browser.value, browser.set_by) == ("safe %s", str(policy))
        for action in ("set", "unset"):
            with pytest.raises(SettingLocked):
                await desk.press(action, setting="history", value="true", was=history.was)
        assert (await desk.save("icon", "dark")).title == "Saved"
        assert desk.path.read_text("utf-8").startswith("# mine\nhistory = true # why\n")

    driven(work)
