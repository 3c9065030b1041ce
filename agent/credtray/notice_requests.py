"""A notification to try: one way for the menu and for `credtray notify-test`.

Tells who showed it, or why nobody did; what a person sees of it, nobody can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from credtray.core import protocol
from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Notification, Notifier, Part
from credtray.core.problem_words import GOOD_NEWS
from credtray.core.protocol import Done
from credtray.core.protocol.results import TestNoticeResult, told
from credtray.core.summary import paused_until
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Handler
from credtray.daemon.workers import Workers

TEST = Notification(
    "test",
    "This is a test notification",
    "credtray tells you here when your sign-in is about to end.",
    picture=GOOD_NEWS,
)
_INSTEAD = "Nothing else depends on it: the icon and `credtray status` show the same."


class TrialNotices:
    """Shows test notifications, whether or not notices are paused: a person asked for this one."""

    def __init__(self, loop: Loop, workers: Workers, notifier: Notifier) -> None:
        self._loop = loop
        self._workers = workers
        self._notifier = notifier

    @property
    def handlers(self) -> Mapping[type, Handler]:
        """What ``Requests.register`` takes."""
        return {protocol.TestNotice: self._carry_out}

    async def _carry_out(self, _request: protocol.TestNotice, _sink: ReplySink) -> Done[TestNoticeResult]:
        try:
            await self._workers.desktop_result_of(lambda: self._notifier.show(TEST))
        except NotifierUnavailable as error:
            raise NotifierUnavailable(error.detail, hint=_INSTEAD) from None
        state = self._loop.state
        part = state.desktop.get(Part.NOTIFICATIONS)
        return Done(
            TestNoticeResult(
                None if part is None else part.back_end,
                None if part is None else part.reason,
                told(paused_until(state, self._loop.now())),
            )
        )


async def _refuse(_request: protocol.TestNotice, _sink: ReplySink) -> Done[TestNoticeResult]:
    raise NotifierUnavailable("the agent runs without a desktop", hint=_INSTEAD)


WITHOUT_DESKTOP: dict[type, Handler] = {protocol.TestNotice: _refuse}
"""What answers `credtray notify-test` where the agent has no desktop."""
