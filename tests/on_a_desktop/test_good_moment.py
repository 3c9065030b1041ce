"""Warnings and a person who presents something: what they see, on a whole desktop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from dbus_fast import Variant

from tests.desktop.presence_fakes import FakeSaver
from tests.desktop.window_hints import HintedWindows
from tests.end_to_end.house import until
from tests.on_a_desktop.offstage import offstage
from tests.on_a_desktop.seat import Seat

XFCONF_NAME = "org.xfce.Xfconf"
SAVER = "org.freedesktop.ScreenSaver"


@pytest.fixture
def windows(seat_with_buttons: Seat) -> Iterator[HintedWindows]:
    with seat_with_buttons.desktop.screen.looking() as display:
        yield HintedWindows(display)


def minutes_left(seat: Seat) -> float:
    status = seat.house.status()
    ends = datetime.fromisoformat(status["sessions"][0]["signed_in_until"])
    return (ends - datetime.fromisoformat(status["now"])).total_seconds() / 60


def test_a_warning_waits_for_the_end_of_the_slides_and_comes_once(
    seat_with_buttons: Seat, windows: HintedWindows
) -> None:
    seat = seat_with_buttons
    with seat.agent():
        seat.house.run("login")
        seat.house.run("activate", "synderys-dns")
        seat.clear_popups()
        told, slides = len(seat.notices()), windows.window(full=True)
        windows.activate(slides)
        until(lambda: seat.part("presence")["busy"])
        for minutes in (3 * 60 + 35, 5):
            seat.sleep(minutes=minutes)
            seat.house.status()
        until(lambda: 15 <= minutes_left(seat) <= 25)
        seat.desktop.screen.still()
        assert len(seat.notices()) == told

        windows.close(slides)
        windows.activate(None)
        seat.desktop.find_popup()
        seat.desktop.screen.still()

        assert len(seat.desktop.popups()) == 1
        assert len(seat.notices()) == told + 1


def test_nothing_comes_over_the_slides_even_when_the_sign_in_ends_during_them(
    seat_with_buttons: Seat, windows: HintedWindows
) -> None:
    seat = seat_with_buttons
    with seat.agent():
        seat.house.run("login")
        seat.clear_popups()
        told = len(seat.notices())
        slides = windows.window(full=True)
        windows.activate(slides)
        until(lambda: seat.part("presence")["busy"])
        for minutes in (3 * 60 + 35, 21, 10):
            seat.sleep(minutes=minutes)
            seat.house.status()
        until(lambda: seat.house.session()["state"] == "expired")
        seat.desktop.screen.still()
        assert len(seat.notices()) == told

        windows.close(slides)
        windows.activate(None)
        until(lambda: len(seat.notices()) == told + 1)


def test_who_unlocks_the_screen_for_a_working_day_is_asked_once_for_a_sign_in_that_covers_it(
    seat_with_buttons: Seat,
) -> None:
    seat = seat_with_buttons
    saver = FakeSaver(seat.desktop.bus.address, SAVER, "/org/freedesktop/ScreenSaver")
    with offstage(saver) as stage, seat.agent():
        seat.house.run("settings", "set", "sessions.synderys.duration", "4h")
        seat.house.run("login")
        now = datetime.fromisoformat(seat.house.status()["now"])
        begin, end = now + timedelta(hours=2, minutes=30), now + timedelta(hours=5)
        seat.house.run("settings", "set", "working_day", f"{begin:%H:%M}-{end:%H:%M}")
        seat.clear_popups()
        told = len(seat.notices())
        stage.do(lambda: saver.say(active=True))
        until(lambda: seat.part("presence")["locked"])
        seat.sleep(hours=2)
        until(lambda: minutes_left(seat) < 121)
        assert len(seat.notices()) == told

        stage.do(lambda: saver.say(active=False))
        seat.desktop.find_popup()
        until(lambda: len(seat.notices()) == told + 1)
        assert "sign in now for the whole day?" in seat.notices()[-1]
        stage.do(lambda: saver.say(active=True))
        until(lambda: seat.part("presence")["locked"])
        stage.do(lambda: saver.say(active=False))
        until(lambda: not seat.part("presence")["locked"])
        seat.desktop.screen.still()

        assert len(seat.desktop.popups()) == 1
        assert len(seat.notices()) == told + 1


@pytest.mark.parametrize(
    ("channel", "name", "why"),
    [
        ("xfce4-notifyd", "/do-not-disturb", "do not disturb is on"),
        ("xfce4-power-manager", "/xfce4-power-manager/presentation-mode", "presentation mode is on"),
    ],
)
def test_switches_of_xfce_are_seen_as_its_own_settings_daemon_tells_them(
    seat_with_buttons: Seat, channel: str, name: str, why: str
) -> None:
    seat = seat_with_buttons

    def switch(value: bool) -> None:  # noqa: FBT001 - what is set
        place = "/org/xfce/Xfconf"
        set_it = f"{XFCONF_NAME}.SetProperty"
        seat.desktop.bus.call(XFCONF_NAME, place, set_it, "ssv", channel, name, Variant("b", value))

    with seat.agent():
        assert not seat.part("presence")["busy"]
        switch(value=True)
        until(lambda: seat.part("presence")["busy"])
        assert why in seat.part("presence")["reason"]
        switch(value=False)
        until(lambda: not seat.part("presence")["busy"])


def test_unlocking_in_the_middle_of_slides_brings_nothing_before_they_are_over(
    seat_with_buttons: Seat, windows: HintedWindows
) -> None:
    seat = seat_with_buttons
    saver = FakeSaver(seat.desktop.bus.address, SAVER, "/org/freedesktop/ScreenSaver")
    with offstage(saver) as stage, seat.agent():
        seat.house.run("login")
        seat.clear_popups()
        told, slides = len(seat.notices()), windows.window(full=True)
        windows.activate(slides)
        stage.do(lambda: saver.say(active=True))
        until(lambda: seat.part("presence")["busy"] and seat.part("presence")["locked"])
        seat.sleep(minutes=3 * 60 + 35)
        seat.house.status()
        stage.do(lambda: saver.say(active=False))
        until(lambda: not seat.part("presence")["locked"])
        seat.desktop.screen.still()
        assert len(seat.notices()) == told

        windows.fills(slides, full=False)
        until(lambda: len(seat.notices()) == told + 1)
