"""The same world with a desktop: a screen that locks, slides, a person who wants quiet, daemons that die.

What must hold: no notice while nobody would see it, and over slides only what cannot wait; each thing told
once in a sign-in; after an absence the truth of that moment, once; nothing on the screen that is true no
longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from credtray.core.events import (
    NetworkChanged,
    NoticesPaused,
    NoticeUnseen,
    PartChanged,
    PresenceChanged,
    Snoozed,
)
from credtray.core.notices import Notice, Subject
from credtray.core.ports import DesktopPart, Part, Presence
from credtray.core.session_status import offline, sign_in_status
from credtray.core.state import SessionState, SignInStatus
from tests.core.making import MINUTE, NOON
from tests.simulation.world import World

AGAIN = frozenset({Subject.CANNOT_REFRESH, Subject.OFFLINE})
"""Told once for each time it happens, not once in a sign-in."""


class DesktopWorld(World):
    def __init__(self, seed: int, *, tick: timedelta = 5 * MINUTE, calm: bool = False) -> None:
        self.presence = Presence()
        self.quiet_until = NOON
        self.service = True
        self.there: dict[str, Notice] = {}
        self.snoozed: datetime | None = None
        self.shown_at: Counter[tuple[datetime, str]] = Counter()
        self.returns = 0
        self.held_back = 0
        self.slides = 0
        self.withdrawn = 0
        self.reminded = 0
        super().__init__(seed, tick=tick, calm=calm)
        self.take(part("freedesktop"))
        self.at(MINUTE, self.look_at_the_screen)

    # --- the screen -------------------------------------------------------------------------------------

    def show(self, notice: Notice) -> None:
        assert not self.presence.away, f"told to nobody: {notice}"
        assert not self.presence.busy, f"told to somebody who presents something: {notice}"
        assert self.quiet_until <= self.now, f"told to somebody who wants quiet: {notice}"
        assert not self.signing_in, f"told while somebody signs in: {notice}"
        if not self.service:
            self.at(self.some(0.01, 2), lambda: self.take(unseen(notice)))
            return
        self.there[notice.key] = notice
        self.shown_at[self.now, notice.key] += 1
        super().show(notice)
        if notice.subject is Subject.ENDS_SOON and self.random.random() < 0.3:
            self.at(self.some(1, 60), self.remind_me)

    def withdraw(self, key: str) -> None:
        self.there.pop(key, None)
        self.withdrawn += 1

    def remind_me(self) -> None:
        notice = self.there.get("corp:end")
        if notice is None or notice.subject is not Subject.ENDS_SOON or self.presence.away or self.signing_in:
            return
        started = self.session.sign_in
        assert started is not None
        for told in [each for each in self.notices if each[:2] == (started.started_at, Subject.ENDS_SOON)]:
            del self.notices[told]  # a person asked to be told again
        self.snoozed = self.now + 10 * MINUTE
        self.reminded += 1
        self.take(Snoozed("corp", self.snoozed))

    # --- the person -------------------------------------------------------------------------------------

    def faults(self) -> tuple[Callable[[], None], ...]:
        return (
            *super().faults(),
            self.lock,
            self.present_slides,
            self.pause,
            self.service_dies,
            self.network_flaps,
        )

    def be(self, presence: Presence) -> None:
        back = _is_free(presence) and not _is_free(self.presence)
        self.presence = presence
        self.take(PresenceChanged(presence))
        if back and not self.asleep:
            self.check_return()

    def lock(self) -> None:
        self.be(replace(self.presence, **{self.random.choice(("locked", "idle")): True}))
        self.at(self.some(30, 4 * 3600), self.unlock)

    def unlock(self) -> None:
        if not self.asleep and self.present:
            self.be(Presence(busy=self.presence.busy))

    def present_slides(self) -> None:
        self.slides += 1
        self.be(replace(self.presence, busy=True))
        self.at(self.some(300, 3 * 3600), lambda: self.be(replace(self.presence, busy=False)))

    def go_away(self) -> None:
        self.be(replace(self.presence, locked=True))
        super().go_away()

    def come_back(self) -> None:
        self.present = True
        self.unlock()
        super().come_back()

    def sleep(self) -> None:
        self.be(replace(self.presence, locked=True, asleep=True))
        super().sleep()

    def wake(self) -> None:
        was_asleep = self.asleep
        super().wake()
        if was_asleep:
            self.be(replace(self.presence, locked=True, asleep=False))
            self.at(self.some(5, 600), self.unlock)

    def pause(self) -> None:
        length = timedelta(hours=self.random.choice((1, 14)))
        self.quiet_until = self.now + length
        self.take(NoticesPaused(self.quiet_until))
        if self.random.random() < 0.3:
            self.at(length / 2, self.resume)

    def resume(self) -> None:
        self.quiet_until = self.now
        self.take(NoticesPaused(None))

    # --- what breaks ------------------------------------------------------------------------------------

    def service_dies(self) -> None:
        self.service = False
        self.there.clear()
        self.take(part(None))

        def comes() -> None:
            self.service = True
            self.take(part("freedesktop"))

        self.at(self.some(1, 3 * 3600), comes)

    def network_flaps(self) -> None:
        for _ in range(5):
            self.at(self.some(1, 600), lambda: self.take(NetworkChanged()))

    # --- what must hold ---------------------------------------------------------------------------------

    @property
    def session(self) -> SessionState:
        return self.state.sessions["corp"]

    def check_return(self) -> None:
        """At the very moment of the return: one notice at most, and the end is known to whoever is there."""
        self.returns += 1
        about_the_end = self.shown_at[self.now, "corp:end"]

        assert about_the_end <= 1, "the same thing was told twice at the return"
        self.held_back += about_the_end
        self.check_told()

    def look_at_the_screen(self) -> None:
        self.at(self.some(20, 400), self.look_at_the_screen)
        if not self.asleep and not self.signing_in and not self.presence.away:
            self.check_standing()
        if not self.asleep and not self.signing_in and _is_free(self.presence):
            self.check_told()

    def check_standing(self) -> None:
        notice = self.there.get("corp:end")
        standing, sign_in = sign_in_status(self.session, self.now), self.session.sign_in
        if notice is None:
            return
        if notice.subject is Subject.ENDED:
            assert standing is SignInStatus.ENDED, "it says ended, and it has not"
        elif notice.subject is Subject.SIGN_IN_FAILED:
            still = notice.left is not None and notice.left.present_until is not None
            assert standing is SignInStatus.SIGNED_IN or not still, "it says what is left, and nothing is"
        else:
            assert standing is SignInStatus.SIGNED_IN, f"it says {notice.subject}, and it has ended"
        if notice.subject is Subject.ENDS_SOON:
            assert sign_in is not None
            assert self.now < sign_in.ends_at <= self.now + 30 * MINUTE, "the end has moved away"
            assert self.snoozed is None or not self.now < self.snoozed, "it does not wait for its reminder"

    def check_told(self) -> None:
        """Whoever is there, wants to know and can be told knows that the sign-in has ended."""
        session = self.session
        listening = self.service and self.quiet_until <= self.now and not self.signing_in
        if (
            not listening
            or sign_in_status(session, self.now) is not SignInStatus.ENDED
            or offline(session, self.now)
        ):
            return
        assert "ended" in session.said - session.unseen, "nobody was told that the sign-in has ended"
        assert session.sign_in is not None


def _is_free(presence: Presence) -> bool:
    return not (presence.away or presence.busy)


def part(back_end: str | None) -> PartChanged:
    return PartChanged(DesktopPart(Part.NOTIFICATIONS, back_end))


def unseen(notice: Notice) -> NoticeUnseen:
    return NoticeUnseen(notice.session, notice.key, notice.tells)
