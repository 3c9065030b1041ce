"""The window that a setting allows, in a thousand hours of faults, absences and restless people."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from credtray.core.errors import Offline, SignInTimedOut
from credtray.core.events import (
    PartChanged,
    SettingsLoaded,
    SignInAddressKnown,
    SignInFailed,
    SignInStarted,
    WindowUnopened,
)
from credtray.core.ports import DesktopPart, Part
from credtray.core.session_status import sign_in_status
from credtray.core.settings import SessionSettings, Settings
from credtray.core.state import SignInStatus
from tests.core.making import MINUTE
from tests.simulation.desktop_world import DesktopWorld
from tests.soak import SOAK

SEEDS = 60 if SOAK else 6
ALLOWED = Settings(sessions={"corp": SessionSettings(open_by_itself=True)})


class WindowWorld(DesktopWorld):
    """The person signs in through some of the windows, closes others, and is often not there."""

    def __init__(self, seed: int) -> None:
        self.windows: Counter[datetime] = Counter()
        self.tries = 0
        super().__init__(seed)
        self.take(SettingsLoaded(ALLOWED))
        self.take(PartChanged(DesktopPart(Part.PRESENCE, "logind")))

    def open_window(self) -> None:
        self.tries += 1
        assert not self.asleep, "a window was opened while the machine slept"
        assert not self.presence.away, "a window was opened for nobody"
        assert not self.presence.busy, "a window was opened over slides"
        assert self.quiet_until <= self.now, "a window was opened for somebody who wants quiet"
        assert not self.signing_in, "a window was opened while somebody signs in"
        assert sign_in_status(self.session, self.now) is SignInStatus.ENDED, (
            "a window was opened for a sign-in that lasts"
        )
        self.signing_in = True
        self.take(SignInStarted("corp"))
        self.at(self.some(0.1, 3), self.portal_answers)

    def portal_answers(self) -> None:
        if self.asleep or self.presence.away or self.portal.fault is not None:
            self.signing_in = False
            self.take(SignInFailed("corp", Offline().problem))
            self.take(WindowUnopened("corp"))
            return
        assert self.session.sign_in is not None
        self.windows[self.session.sign_in.started_at] += 1
        self.take(SignInAddressKnown("corp", "https://example.com/", None))
        self.at(
            self.some(10, 90), self.finish_sign_in if self.random.random() < 0.5 else self.nobody_signs_in
        )

    def nobody_signs_in(self) -> None:
        self.signing_in = False
        self.take(SignInFailed("corp", SignInTimedOut().problem))


def test_at_most_one_window_for_an_ended_sign_in_and_none_for_nobody() -> None:
    worlds = [WindowWorld(seed) for seed in range(SEEDS)]
    for world in worlds:
        world.run(timedelta(hours=400))

        assert set(world.windows.values()) == {1}
    opened = sum(len(world.windows) for world in worlds)

    assert opened > 20, "windows were hardly ever opened: the simulation tested nothing"
    assert sum(world.tries for world in worlds) > opened, "the portal was always there: it tested nothing"


def test_nobody_at_all_means_no_window_at_all() -> None:
    world = WindowWorld(1)
    world.go_away()
    tried = world.tries
    world.run(30 * MINUTE)
    world.lock()
    world.be(world.presence)
    world.present = False
    world.come_back = lambda: None  # type: ignore[method-assign]  # gone for good
    world.unlock = lambda: None  # type: ignore[method-assign]  # as above
    world.run(timedelta(hours=100))

    assert world.tries == tried
