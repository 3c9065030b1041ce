"""Notifications through desktop-notifier or plyer; stand-ins of both, as their systems are not at hand."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from credtray.core import protocol
from credtray.core.clicks import ShowPage
from credtray.core.errors import NotifierUnavailable
from credtray.core.icon_state import IconState, Shape
from credtray.core.ports import Button, DesktopPart, Notification, Part, Urgency
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.notifications import native as notifications_plyer
from credtray.desktop.notifications import notifier_for
from credtray.desktop.notifications.freedesktop import DesktopNotifier
from credtray.desktop.notifications.native import MOST_SHOWN, NativeNotifier, PlyerNotifier, why_not_plyer
from credtray.desktop.notifications.windows import WindowsNotifier
from tests.desktop.center_fakes import FakeCenter, FakePlyer, FakeUrgency, running
from tests.desktop.until import until

SIGN_IN = Button("Sign in", protocol.Login("corp"))
LATER = Button("Later", protocol.Snooze("corp", 10))
WARNING = Notification("corp:end", "ends <soon>", "Sign in.", (SIGN_IN, LATER), Urgency.CRITICAL)
ENDED = Notification("corp:end", "has ended", "", (SIGN_IN,))


# --- desktop-notifier ---------------------------------------------------------------------------------


@pytest.mark.met("M4")
@pytest.mark.parametrize(("platform", "place"), [("win32", "icon"), ("darwin", "attachment")])
def test_a_notice_has_the_picture_of_its_state_as_a_file(platform: str, place: str) -> None:
    async def drive() -> tuple[Path, bool]:
        center = FakeCenter()
        async with running(center, platform) as agent:
            await agent.settled()
            await agent.show(Notification("key", "ended", "", picture=IconState(Shape.ENDED)))
            [shown] = center.sent
            path = getattr(shown, place)
            return path, path.read_bytes().startswith(b"\x89PNG")

    path, is_png = asyncio.run(drive())

    assert (path.name, is_png) == ("ended-0.png", True)
    assert not path.parent.exists()


def test_a_notice_is_shown_on_a_thread_of_its_own_and_its_clicks_come_back() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            part = await agent.settled()
            await agent.show(WARNING)
            [shown] = center.sent
            center.click(shown)
            center.press(shown, 0)
            center.press(shown, 1)
            await until(lambda: len(agent.clicks) == 3)

        assert part == DesktopPart(Part.NOTIFICATIONS, "desktop-notifier")
        assert center.threads == {"notifications"}
        assert [button.title for button in shown.buttons] == ["Sign in", "Later"]
        assert shown.urgency is FakeUrgency.Critical
        assert not set(shown.title) & set("<>")
        assert agent.clicks == [SIGN_IN.click, SIGN_IN.click, LATER.click]

    asyncio.run(drive())


def test_a_later_notice_takes_the_place_of_the_earlier_and_its_clicks() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            await agent.show(WARNING)
            await agent.show(ENDED)
            old, new = center.sent
            center.press(old, 1)
            center.press(new, 0)
            await until(lambda: agent.clicks)

            assert list(center.on_screen.values()) == [new]
            assert agent.clicks == [SIGN_IN.click]

    asyncio.run(drive())


def test_a_notice_is_withdrawn_and_its_clicks_with_it() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            await agent.show(WARNING)
            await asyncio.to_thread(agent.notifier.withdraw, WARNING.key)
            await asyncio.to_thread(agent.notifier.withdraw, "nobody's")
            center.press(center.sent[0], 0)
            await agent.show(ENDED)
            center.press(center.sent[1], 0)
            await until(lambda: agent.clicks)

            assert list(center.on_screen.values()) == center.sent[1:]
            assert len(agent.clicks) == 1

    asyncio.run(drive())


@pytest.mark.parametrize("what", ["body", "button"])
def test_a_click_in_the_notification_center_works_after_the_system_has_moved_it_there(what: str) -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center, "win32") as agent:
            await agent.settled()
            await agent.show(WARNING)
            [shown] = center.sent
            center.forgotten.add(shown.identifier)
            if what == "body":
                center.click(shown)
            else:
                center.press(shown, 0)
            await until(lambda: agent.clicks)

            assert agent.clicks == [SIGN_IN.click]

    asyncio.run(drive())


def test_a_click_on_what_nobody_knows_any_more_does_nothing_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")

    async def drive() -> None:
        center = FakeCenter()
        async with running(center, "win32") as agent:
            await agent.settled()
            assert center.on_clicked is not None
            center.on_clicked("credtray-999")
            await agent.show(ENDED)
            center.click(center.sent[0])
            await until(lambda: agent.clicks)

            assert agent.clicks == [SIGN_IN.click]

    asyncio.run(drive())

    assert caplog.text.count("no longer current") == 1


def test_a_click_on_a_notice_signs_in_where_it_is_about_that_and_opens_the_page_else() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            await agent.show(Notification("news", "signed in", ""))
            await agent.show(ENDED)
            for shown in center.sent:
                center.click(shown)
            await until(lambda: len(agent.clicks) == 2)

            assert agent.clicks == [ShowPage(), SIGN_IN.click]

    asyncio.run(drive())


def test_of_too_many_notices_the_oldest_are_taken_back() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            for number in range(MOST_SHOWN + 2):
                await agent.show(replace(ENDED, key=str(number)))

            assert list(center.on_screen.values()) == center.sent[2:]

    asyncio.run(drive())


def test_at_the_end_what_has_buttons_is_taken_back() -> None:
    async def drive() -> FakeCenter:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            await agent.show(ENDED)
            await agent.show(Notification("news", "signed in", ""))
        return center

    center = asyncio.run(drive())

    assert [shown.title for shown in center.on_screen.values()] == ["signed in"]


def test_what_desktop_notifier_only_logs_is_told() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            await agent.show(WARNING)
            center.fails = True
            with pytest.raises(NotifierUnavailable, match="refused"):
                await agent.show(ENDED)
            await asyncio.to_thread(agent.notifier.withdraw, WARNING.key)

    asyncio.run(drive())


def test_a_system_that_hangs_is_given_up_after_two_seconds() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center) as agent:
            await agent.settled()
            center.hangs = True
            with pytest.raises(NotifierUnavailable, match="within 2 s"):
                await agent.show(WARNING)

    asyncio.run(drive())


def test_before_it_runs_nobody_is_told() -> None:
    notifier = NativeNotifier("darwin", lambda _click: None, lambda _part: None, FakeCenter().load)

    with pytest.raises(NotifierUnavailable):
        notifier.show(WARNING)
    notifier.withdraw(WARNING.key)


# --- plyer --------------------------------------------------------------------------------------------


def test_plyer_shows_where_the_buttons_are() -> None:
    plyer = FakePlyer()
    notifier = PlyerNotifier(lambda: plyer)

    notifier.show(WARNING)
    notifier.withdraw(WARNING.key)

    assert plyer.shown[0]["message"] == "Sign in. To act, use the tray menu."


def test_plyers_texts_fit_a_balloon_and_are_no_options() -> None:
    plyer = FakePlyer()

    PlyerNotifier(lambda: plyer).show(Notification("key", "--help" + "x" * 200, "-u " + "y" * 900))

    title, message = plyer.shown[0]["title"], plyer.shown[0]["message"]
    assert len(title) < 64
    assert len(message) < 256
    assert [title[:1], message[:1]] == ["\N{EN DASH}"] * 2


def test_plyers_failure_is_told() -> None:
    with pytest.raises(NotifierUnavailable, match="NotImplementedError"):
        PlyerNotifier(lambda: FakePlyer(fails=True)).show(WARNING)


def test_plyer_that_hangs_is_given_up_after_two_seconds_once() -> None:
    plyer = FakePlyer()
    plyer.hold.clear()
    notifier = PlyerNotifier(lambda: plyer)
    with pytest.raises(NotifierUnavailable, match="within 2 s"):
        notifier.show(WARNING)
    with pytest.raises(NotifierUnavailable, match="still hangs"):
        notifier.show(WARNING)
    plyer.hold.set()


@pytest.mark.posix("is about notify-send and D-Bus")
def test_plyer_on_linux_asks_the_same_service_as_we_do() -> None:
    assert why_not_plyer() == "plyer asks the same service"


@pytest.mark.posix("is about notify-send and D-Bus")
@pytest.mark.parametrize(("tool", "reason"), [(True, None), (False, "plyer needs notify-send")])
def test_plyer_helps_on_linux_where_dbus_fast_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: object, reason: str | None
) -> None:
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    if tool:
        (tmp_path / "notify-send").write_text("#!/bin/sh\n")
        (tmp_path / "notify-send").chmod(0o755)

    assert why_not_plyer() == reason


@pytest.mark.posix("is about notify-send and D-Bus")
def test_the_real_plyer_calls_notify_send_and_warns_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    (tmp_path / "notify-send").write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {said}\n')
    (tmp_path / "notify-send").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    PlyerNotifier(notifications_plyer._plyer_notification).show(WARNING)

    assert "Sign in. To act, use the tray menu.|" in said.read_text()


# --- the choice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "kind"),
    [
        ("linux", DesktopNotifier),
        ("freebsd14", DesktopNotifier),
        ("darwin", NativeNotifier),
        ("win32", WindowsNotifier),
    ],
)
def test_each_system_has_its_notifier(platform: str, kind: type) -> None:
    chosen = notifier_for(platform, SessionBus(), lambda _click: None, lambda _part: None)

    assert type(chosen) is kind


def test_choosing_imports_nothing_heavy() -> None:
    heavy = {"dbus_fast", "plyer", "desktop_notifier"}
    code = (
        "import sys; from credtray.desktop.notifications import notifier_for;"
        "import credtray.desktop.presence;"
        f"print(sorted({heavy} & set(sys.modules)))"
    )

    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert outcome.stdout.strip() == "[]"
