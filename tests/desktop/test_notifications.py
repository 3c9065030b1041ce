"""What a notification daemon gets to see of our notices, and what its clicks mean."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from credtray.core import protocol
from credtray.core.clicks import OpenLog, ShowPage
from credtray.core.errors import NotifierUnavailable
from credtray.core.icon_state import IconState, Shape
from credtray.core.ports import Button, Notification, Urgency
from credtray.desktop import paths
from credtray.desktop.icon import Panel, draw, palettes
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.notification_fakes import Notified, daemon_on, shown_by, told
from tests.desktop.until import until

pytestmark = pytest.mark.linux_desktop("D-Bus")

SIGN_IN = Button("Sign in", protocol.Login("corp"))
LATER = Button("Remind me in 10 min", protocol.Snooze("corp", 10))
WARNING = Notification("corp:end", "corp ends in 10 min", "Sign in again.", (SIGN_IN, LATER))
ENDED = Notification("corp:end", "corp has ended", "Sign in.", (SIGN_IN,))
OTHER = Notification("other", "something else", "", (Button("Log", OpenLog()),))


# --- what is shown -----------------------------------------------------------------------------------


def test_a_notice_is_shown_with_its_words(bus: DbusDaemon) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            [shown] = daemon.notified
            return shown

    shown = asyncio.run(drive())

    assert (shown.app_name, shown.title, shown.body) == ("credtray", "corp ends in 10 min", "Sign in again.")
    assert shown.hints["desktop-entry"] == "credtray"


def shown_picture(hint: list[Any]) -> Image.Image:
    """Read what the specification says of image-data."""
    width, height, stride, transparent, bits, channels, data = hint

    assert (transparent, bits, channels, stride, len(data)) == (True, 8, 4, 4 * width, 4 * width * height)
    return Image.frombytes("RGBA", (width, height), bytes(data))


@pytest.mark.met("M4")
@pytest.mark.parametrize("shape", Shape)
def test_a_notice_shows_the_icon_of_its_state_and_no_other(bus: DbusDaemon, shape: Shape) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(Notification("key", "title", "", picture=IconState(shape, 5)))
            return daemon.notified[0]

    shown = asyncio.run(drive())
    picture = shown_picture(shown.hints["image-data"])

    assert shown.icon == ""
    assert (
        ImageChops.difference(picture, draw(IconState(shape, 5), picture.width, Panel.AUTO)).getbbox() is None
    )


@pytest.mark.met("M4")
@pytest.mark.parametrize(
    ("version", "hint"),
    [("1.2", "image-data"), ("1.1", "image_data"), ("1.0", "icon_data"), ("", "image-data")],
)
def test_the_picture_has_the_name_that_the_daemon_knows(bus: DbusDaemon, version: str, hint: str) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address, version=version) as (daemon, agent):
            await agent.show(ENDED)
            return daemon.notified[0]

    assert [name for name in asyncio.run(drive()).hints if "data" in name] == [hint]


def test_without_a_picture_the_words_are_shown(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for cache in (palettes, draw):
        cache.cache_clear()
    monkeypatch.setattr(paths, "_folders", lambda: (tmp_path,))

    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(Notification("key", "title", "", picture=IconState(Shape.ENDED)))
            return daemon.notified[0]

    shown = asyncio.run(drive())

    assert (shown.title, shown.icon, "image-data" in shown.hints) == ("title", "credtray", False)


@pytest.mark.met("L")
@pytest.mark.parametrize("urgency", [Urgency.NORMAL, Urgency.CRITICAL])
def test_what_stays_never_expires(bus: DbusDaemon, urgency: Urgency) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(Notification("key", "ended", "", urgency=urgency, stays=True))
            return daemon.notified[0]

    assert asyncio.run(drive()).expires == 0


def test_each_button_and_the_body_have_a_label(bus: DbusDaemon) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            return daemon.notified[0]

    assert list(asyncio.run(drive()).labels.values()) == ["Sign in", "Sign in", "Remind me in 10 min"]


def test_a_daemon_that_draws_the_default_action_gets_no_button_twice(bus: DbusDaemon) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address, server="Xfce Notify Daemon") as (daemon, agent):
            await agent.show(WARNING)
            return daemon.notified[0]

    assert list(asyncio.run(drive()).labels.values()) == ["Sign in", "Remind me in 10 min"]


@pytest.mark.met("M4")
@pytest.mark.parametrize(
    ("server", "title"),
    [
        ("Xfce Notify Daemon", "corp-production"),
        ("dunst", "corp-production: the sign-in ends in about 30 min"),
    ],
)
def test_a_daemon_that_cuts_titles_gets_the_rest_in_the_body(
    bus: DbusDaemon, server: str, title: str
) -> None:
    long = replace(WARNING, title="corp-production: the sign-in ends in about 30 min")

    async def drive() -> Notified:
        async with shown_by(bus.address, server=server) as (daemon, agent):
            await agent.show(long)
            return daemon.notified[0]

    shown = asyncio.run(drive())

    assert shown.title == title
    assert "ends in about 30 min" in shown.title + shown.body


@pytest.mark.parametrize(
    ("urgency", "level", "expires", "transient"),
    [(Urgency.LOW, 0, 5000, True), (Urgency.NORMAL, 1, -1, None), (Urgency.CRITICAL, 2, 0, None)],
)
def test_urgency_decides_how_long_it_stays(
    bus: DbusDaemon, urgency: Urgency, level: int, expires: int, transient: object
) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(Notification("key", "title", "body", urgency=urgency))
            return daemon.notified[0]

    shown = asyncio.run(drive())

    assert (level, expires) == (shown.hints["urgency"], shown.expires)
    assert shown.hints.get("transient") is transient
    assert "resident" not in shown.hints


@pytest.mark.parametrize("capabilities", [(), ("body", "body-markup"), ("body",)])
def test_without_buttons_the_body_names_the_tray_menu(bus: DbusDaemon, capabilities: tuple[str, ...]) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address, capabilities=capabilities) as (daemon, agent):
            await agent.show(WARNING)
            assert agent.part is not None
            assert agent.part.reason == "it shows no buttons; the tray menu has them"
            return daemon.notified[0]

    shown = asyncio.run(drive())

    assert (shown.body, shown.actions) == ("Sign in again. To act, use the tray menu.", [])


def test_a_notice_without_anything_to_click_names_no_menu(bus: DbusDaemon) -> None:
    async def drive() -> Notified:
        async with shown_by(bus.address, capabilities=()) as (daemon, agent):
            await agent.show(Notification("key", "title", "body"))
            return daemon.notified[0]

    assert asyncio.run(drive()).body == "body"


@pytest.mark.parametrize("capabilities", [("actions", "body-markup"), ("actions",), ()])
def test_no_daemon_sees_markup_whatever_it_says_it_can(
    bus: DbusDaemon, capabilities: tuple[str, ...]
) -> None:
    hostile = '<a href="https://evil.example">R&D</a> &lt;b&gt;'
    notice = Notification("key", hostile, hostile, (Button(hostile, OpenLog()),))

    async def drive() -> Notified:
        async with shown_by(bus.address, capabilities=capabilities) as (daemon, agent):
            await agent.show(notice)
            return daemon.notified[0]

    shown = asyncio.run(drive())

    texts = [shown.title, shown.body, *shown.labels.values()]
    assert {letter for text in texts for letter in text} & set("<>&") == set()
    assert "R+D" in shown.title


def test_names_of_any_script_arrive_and_half_characters_stop_nothing(bus: DbusDaemon) -> None:
    notice = Notification(
        "key", "حساب 🚀 アカウント %s %n \\n", "half \ud800 nul \x00 bell \x07 turn \u202e x"
    )

    async def drive() -> Notified:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(notice)
            return daemon.notified[0]

    shown = asyncio.run(drive())

    assert (shown.title, shown.body) == ("حساب 🚀 アカウント %s %n \\n", "half \ufffd nul   bell   turn  x")


# --- one notice per key -------------------------------------------------------------------------------


def test_a_later_notice_with_the_same_key_replaces_the_earlier(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            await agent.show(OTHER)
            await agent.show(ENDED)

            assert [shown.title for shown in daemon.on_screen.values()] == [ENDED.title, OTHER.title]
            assert [shown.replaces for shown in daemon.notified] == [0, 0, 1]

    asyncio.run(drive())


def test_a_notice_that_has_left_the_screen_is_not_replaced_but_shown_anew(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            daemon.expire(1)
            await agent.show(OTHER)  # its answer comes after the signal
            await agent.show(ENDED)

            assert [shown.replaces for shown in daemon.notified] == [0, 0, 0]

    asyncio.run(drive())


def test_a_notice_is_withdrawn(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            await agent.show(OTHER)
            await agent.withdraw(WARNING.key)
            await agent.withdraw(WARNING.key)
            await agent.withdraw("nobody's")

            assert (daemon.closed, list(daemon.on_screen)) == ([1], [2])

    asyncio.run(drive())


def test_notices_shown_by_many_threads_at_once_do_not_stack(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await asyncio.gather(*(agent.show(WARNING) for _ in range(10)))

            assert (len(daemon.notified), len(daemon.on_screen)) == (10, 1)

    asyncio.run(drive())


def test_a_daemon_with_room_for_one_confuses_no_clicks(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address, slot=5) as (daemon, agent):
            await agent.show(WARNING)
            await agent.show(OTHER)
            daemon.click(5, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [ShowPage()]

    asyncio.run(drive())


def test_at_the_end_notices_whose_buttons_go_dead_leave_the_screen(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with daemon_on(bus.address) as daemon:
            async with told(bus.address) as agent:
                await agent.served()
                await agent.show(WARNING)
                await agent.show(Notification("news", "signed in", ""))

            assert [shown.title for shown in daemon.on_screen.values()] == ["signed in"]

    asyncio.run(drive())


# --- clicks -------------------------------------------------------------------------------------------


def action(shown: Notified, label: str) -> str:
    return next(key for key, value in shown.labels.items() if value == label and key != "default")


def test_buttons_and_body_tell_their_click(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            daemon.click(1, action(daemon.notified[0], LATER.label))
            daemon.click(1, action(daemon.notified[0], SIGN_IN.label))
            daemon.click(1, "default")
            await until(lambda: len(agent.clicks) == 3)

            assert [LATER.click, SIGN_IN.click, SIGN_IN.click] == agent.clicks

    asyncio.run(drive())


def test_a_click_told_after_the_popup_closed_still_counts(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            daemon.expire(1)
            daemon.click(1, "default")
            await until(lambda: agent.clicks)

            assert [SIGN_IN.click] == agent.clicks

    asyncio.run(drive())


@pytest.mark.parametrize(
    ("member", "signature", "body"),
    [
        ("ActionInvoked", "us", [1, "n99:0"]),
        ("ActionInvoked", "us", [1, ""]),
        ("ActionInvoked", "us", [7, "default"]),
        ("ActionInvoked", "ss", ["1", "default"]),
        ("ActionInvoked", "u", [1]),
        ("ActionInvoked", "", []),
        ("NotificationClosed", "", []),
        ("NotificationClosed", "ss", ["1", "x"]),
        ("ActivationToken", "us", [1, "default"]),
    ],
)
def test_rubbish_signals_mean_nothing(bus: DbusDaemon, member: str, signature: str, body: list[Any]) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            await agent.show(OTHER)
            daemon.emit(member, signature, body)
            daemon.click(2, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [ShowPage()]

    asyncio.run(drive())


def test_a_click_on_what_was_replaced_means_nothing(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            await agent.show(Notification(WARNING.key, "it did not move", "", (OTHER.buttons[0],)))
            for old in daemon.notified[0].actions[2::2]:
                daemon.click(1, old)
            daemon.click(1, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [ShowPage()]

    asyncio.run(drive())


def test_a_click_on_what_was_withdrawn_means_nothing(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent):
            await agent.show(WARNING)
            await agent.show(OTHER)
            await agent.withdraw(WARNING.key)
            daemon.click(1, "default")
            daemon.click(1, action(daemon.notified[0], SIGN_IN.label))
            daemon.click(2, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [ShowPage()]

    asyncio.run(drive())


def test_a_click_from_somebody_who_is_not_the_daemon_means_nothing(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (daemon, agent), daemon_on(bus.address, owns=False) as stranger:
            await agent.show(WARNING)
            await agent.show(OTHER)
            stranger.click(1, "default")
            # The daemon may say something only after the stranger has: the bus keeps the order.
            async with daemon_on(bus.address, owns=False):
                daemon.click(2, "default")
            await until(lambda: agent.clicks)

            assert agent.clicks == [ShowPage()]

    asyncio.run(drive())


def test_before_it_runs_and_after_it_ended_nobody_is_told(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with shown_by(bus.address) as (_, agent):
            await agent.show(OTHER)
        with pytest.raises(NotifierUnavailable):
            await agent.show(OTHER)
        await agent.withdraw(OTHER.key)

    asyncio.run(drive())
