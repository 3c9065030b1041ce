"""A screen that shows what the policy decides: what stands there, and what was shown since the last look."""

from __future__ import annotations

from datetime import datetime

from credtray.core.apply import apply
from credtray.core.events import (
    Begun,
    Event,
    Fetched,
    NoticeUnseen,
    Refreshed,
    Tick,
)
from credtray.core.notices import Notice, Subject
from credtray.core.policy import ShowNotice, WithdrawNotice, decide
from credtray.core.state import State
from tests.core.making import HOUR, MINUTE, NOON, after, fetching, keys, signed_in, token


class Screen:
    """Takes events at a minute after noon, and carries out what concerns notices."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.there: dict[str, Notice] = {}
        """By key."""
        self.broken = False
        """Nobody can be told."""

    def at(self, minutes: float, *events: Event) -> list[Subject]:
        """Return what is shown at that time."""
        now = NOON + minutes * MINUTE
        shown: list[Subject] = []
        for event in events or (Tick(),):
            self.state = apply(self.state, event, now)
            shown += self._carry_out(now)
        return shown

    def standing(self) -> list[Subject]:
        return [notice.subject for notice in self.there.values()]

    def _carry_out(self, now: datetime) -> list[Subject]:
        shown: list[Subject] = []
        for action in decide(self.state, now):
            match action:
                case ShowNotice(notice):
                    self.state = apply(self.state, Begun(action), now)
                    if self.broken:
                        failed = NoticeUnseen(notice.session, notice.key, notice.tells)
                        self.state = apply(self.state, failed, now)
                    else:
                        self.there[notice.key] = notice
                        shown.append(notice.subject)
                case WithdrawNotice(session, key):
                    self.state = apply(self.state, Begun(WithdrawNotice(session, key)), now)
                    self.there.pop(key, None)
                case _:
                    pass
        return shown


def cut() -> State:
    """Signed in at noon until 13:30, which is proven: the token refreshed at 12:40 was cut there."""
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(life=3 * HOUR)))
    cut_token = token(NOON + 40 * MINUTE, 50 * MINUTE)
    return after(state, Refreshed("corp", cut_token), now=NOON + 40 * MINUTE)


def warned() -> Screen:
    """The first warning stands on the screen."""
    screen = Screen(cut())

    assert screen.at(60) == [Subject.ENDS_SOON]
    return screen
