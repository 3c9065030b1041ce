"""Warnings on the screen and what a click on them does, with two real notification daemons."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.end_to_end.house import ROLES, until
from tests.end_to_end.test_roles import look_again, looked, remembered
from tests.on_a_desktop.person import CHROMIUM
from tests.on_a_desktop.screen import Area
from tests.on_a_desktop.seat import Seat

SIGN_IN, LATER = 0, 1
"""The buttons of a warning."""


def signed_in(seat: Seat) -> None:
    seat.house.run("login")
    seat.house.run("activate", "synderys-dns")
    seat.clear_popups()


def warning(seat: Seat) -> Area:
    """Let the sign-in come to its last minutes; return the warning on the screen."""
    seat.sleep(hours=3, minutes=35)
    return seat.desktop.find_popup()


def end(seat: Seat) -> datetime:
    return datetime.fromisoformat(seat.house.session()["signed_in_until"])


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium package")
def test_button_of_the_warning_signs_in_with_chromium(seat_with_buttons: Seat) -> None:
    seat = seat_with_buttons
    seat.house.run("login")
    seat.house.portal.command("auto_approve", user=None)
    seat.house.journal.unlink()
    seat.use_chromium()
    with seat.agent():
        seat.house.run("activate", "synderys-dns")
        popup = warning(seat)
        before = end(seat)
        seat.desktop.click_button(popup, SIGN_IN, of=2)
        until(lambda: end(seat) - before > timedelta(hours=3))
        until(seat.house.journal.with_suffix(".done").exists)

        assert len(seat.house.visits()) == 1
        assert seat.house.session()["state"] == "fresh"
        assert seat.house.profile("synderys-dns")["state"] == "fresh"


def test_click_on_dunsts_popup_signs_in(seat: Seat) -> None:
    with seat.agent():
        signed_in(seat)
        popup = warning(seat)
        before = end(seat)
        assert len(seat.house.visits()) == 1  # the warning alone opened nothing
        seat.desktop.screen.click(*popup.centre)

        until(lambda: end(seat) - before > timedelta(hours=3))
        assert len(seat.house.visits()) == 2


def test_warning_goes_away_when_somebody_signs_in_elsewhere(seat_with_buttons: Seat) -> None:
    seat = seat_with_buttons
    with seat.agent():
        signed_in(seat)
        popup = warning(seat)
        seat.house.run("login", "--fresh", "--yes")

        until(lambda: popup not in seat.desktop.popups())


def test_reminder_brings_the_warning_back(seat_with_buttons: Seat) -> None:
    seat = seat_with_buttons
    with seat.agent():
        signed_in(seat)
        popup = warning(seat)
        seat.desktop.click_button(popup, LATER, of=2)
        until(lambda: seat.desktop.popups() == [])
        seat.sleep(minutes=11)
        seat.desktop.find_popup()

        assert len(seat.house.visits()) == 1


def test_refreshing_goes_on_without_anybody_who_shows_notifications(seat: Seat) -> None:
    with seat.agent():
        signed_in(seat)
        assert seat.desktop.daemon is not None
        seat.desktop.daemon.kill()
        before = seat.house.calls("GetRoleCredentials")
        seat.sleep(hours=3, minutes=35)
        until(lambda: seat.house.calls("GetRoleCredentials") > before)
        assert seat.part("notifications")["back_end"] is None
        seat.desktop.start_daemon()
        seat.desktop.find_popup()

        assert seat.part("notifications")["back_end"] is not None


def test_daemon_that_hangs_holds_up_nobody(seat: Seat) -> None:
    with seat.agent():
        signed_in(seat)
        assert seat.desktop.daemon is not None
        seat.desktop.daemon.suspend()
        before = seat.house.calls("GetRoleCredentials")
        seat.sleep(hours=3, minutes=35)
        until(lambda: seat.house.calls("GetRoleCredentials") > before)
        seat.house.status()
        seat.desktop.daemon.resume()
        seat.desktop.find_popup()


ADD, NOT_NOW, SHORT = 2, 3, 4
"""Two short buttons stand in the right half of the lower edge."""


def new_role(seat: Seat) -> Area:
    """Let a role be assigned and seen while notices are paused; return its notice on the screen."""
    signed_in(seat)
    looked(seat.house)
    account, _ = ROLES["synderys-dns"]
    seat.house.portal.command("assign", account_id=account, role_name="ProdAdmin")
    seat.house.run("pause", "1h")
    look_again(seat.house)
    seat.sleep(minutes=6)  # that the sign-in worked is no news by then
    seat.clear_popups()
    seat.house.run("pause", "off")
    return seat.desktop.find_popup()


def test_button_of_a_new_role_opens_the_page(seat_with_buttons: Seat) -> None:
    seat = seat_with_buttons
    with seat.agent():
        popup = new_role(seat)
        visits = len(seat.house.visits())
        assert any("You now have ProdAdmin in Synderys Network" in line for line in seat.notices())
        seat.desktop.click_button(popup, ADD, of=SHORT)

        until(lambda: len(seat.house.visits()) == visits + 1)
        assert remembered(seat.house)[0]["new"] == [[ROLES["synderys-dns"][0], "ProdAdmin"]]


def test_not_now_puts_a_new_role_aside(seat_with_buttons: Seat) -> None:
    seat = seat_with_buttons
    with seat.agent():
        popup = new_role(seat)
        visits = len(seat.house.visits())
        seat.desktop.click_button(popup, NOT_NOW, of=SHORT)

        until(lambda: bool(remembered(seat.house)[0].get("hidden")))
        assert len(seat.house.visits()) == visits
