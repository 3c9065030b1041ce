"""A night with the lid closed: what somebody sees who comes back. Clocks are shifted, the rest is real."""

from __future__ import annotations

from tests.desktop.presence_fakes import FakeLogind, FakeSaver
from tests.end_to_end.house import until
from tests.on_a_desktop.offstage import offstage
from tests.on_a_desktop.seat import Seat

SAVER = "org.freedesktop.ScreenSaver"


def test_twelve_hours_asleep_are_one_notice_after_unlocking_and_no_browser(seat_with_buttons: Seat) -> None:
    seat = seat_with_buttons
    address = seat.desktop.bus.address
    seat.house.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address
    logind, saver = FakeLogind(address), FakeSaver(address, SAVER, "/org/freedesktop/ScreenSaver")
    with offstage(logind, saver) as stage, seat.agent():
        seat.house.run("login")
        seat.house.run("activate", "synderys-dns")
        seat.clear_popups()
        visits, told = len(seat.house.visits()), len(seat.notices())

        stage.do(lambda: saver.say(active=True))
        stage.do(lambda: logind.sleep(begins=True))
        until(lambda: seat.part("presence")["asleep"])
        seat.time.sleep(hours=12)
        stage.do(lambda: logind.sleep(begins=False))
        until(lambda: seat.house.session()["state"] == "expired")
        seat.desktop.screen.still()
        assert seat.desktop.popups() == []

        stage.do(lambda: saver.say(active=False))
        seat.desktop.find_popup()
        seat.desktop.screen.still()

        assert len(seat.desktop.popups()) == 1
        assert len(seat.notices()) == told + 1
        assert len(seat.house.visits()) == visits
        assert "aws_access_key_id" not in seat.house.written()


def test_sign_in_that_ends_while_the_screen_is_locked_is_told_once_after_unlocking(
    seat_with_buttons: Seat,
) -> None:
    seat = seat_with_buttons
    saver = FakeSaver(seat.desktop.bus.address, SAVER, "/org/freedesktop/ScreenSaver")
    with offstage(saver) as stage, seat.agent():
        seat.house.run("login")
        seat.house.run("activate", "synderys-dns")
        seat.clear_popups()
        stage.do(lambda: saver.say(active=True))
        for minutes in (3 * 60 + 35, 20, 10):
            seat.sleep(minutes=minutes)
            seat.house.status()
        until(lambda: seat.house.session()["state"] == "expired")
        assert seat.desktop.popups() == []

        stage.do(lambda: saver.say(active=False))
        seat.desktop.find_popup()
        seat.desktop.screen.still()

        assert len(seat.desktop.popups()) == 1
