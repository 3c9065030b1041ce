"""Requests that only an agent on a desktop can carry out: `credtray copy` and `credtray notify-test`.

The menu goes the same way. Copies nothing by itself, and tells nobody what it copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from credtray.core import protocol
from credtray.core.answers import known_profile
from credtray.core.errors import ClipboardUnavailable, NotifierUnavailable
from credtray.core.forms import Form
from credtray.core.models import Way
from credtray.core.ports import DesktopPart, Notification, Notifier, Part
from credtray.core.problem_words import GOOD_NEWS
from credtray.core.protocol import Done
from credtray.core.protocol.results import CopyResult, TestNoticeResult, told, whole_seconds
from credtray.core.state import region_of
from credtray.core.summary import paused_until
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Handler, Recipient, Requests
from credtray.daemon.workers import Workers
from credtray.desktop.clipboard import Clipboard
from credtray.desktop.icon_place import icon_words
from credtray.ways_out.shells import written

CLIPBOARD_SECONDS = 45.0
"""How long role credentials stay on the clipboard."""
_CLIPBOARD = Recipient(Way.CLIPBOARD)
_INSTEAD = "`credtray env` prints them for your shell."


class Copying:
    """Puts role credentials on one clipboard."""

    def __init__(self, loop: Loop, requests: Requests, clipboard: Clipboard) -> None:
        self._loop = loop
        self._requests = requests
        self._clipboard = clipboard

    @property
    def handlers(self) -> Mapping[type, Handler]:
        """What ``Requests.register`` takes."""
        return {protocol.Copy: self._carry_out}

    async def copy(self, profile: str, form: Form, to: Recipient = _CLIPBOARD) -> datetime:
        """Put them there for 45 s and return when the keys themselves end.

        Raises:
            CredtrayError: there are none, they cannot be written in that form, or there is no
                clipboard.
        """
        credentials = await self._requests.credentials(profile, to)
        state = self._loop.state
        section = state.settings.section(profile)
        text = written(credentials, form, section, region_of(state, profile))
        await self._clipboard.put(text.reveal(), secret=True, seconds=CLIPBOARD_SECONDS)
        return credentials.expires_at

    async def _carry_out(self, request: protocol.Copy, sink: ReplySink) -> Done[CopyResult]:
        try:
            to = Recipient(Way.CLIPBOARD, sink.caller, sink.send)
            until = await self.copy(request.profile, request.form, to)
        except ClipboardUnavailable as error:
            raise ClipboardUnavailable(error.detail, hint=f"{error.hint} {_INSTEAD}") from None
        return Done(CopyResult(request.profile, CLIPBOARD_SECONDS, whole_seconds(until)))


def without_desktop(loop: Loop) -> dict[type, Handler]:
    """Return what answers `credtray copy` where the agent has no desktop."""

    async def refuse(request: protocol.Copy, _sink: ReplySink) -> Done[CopyResult]:
        known_profile(loop.state, request.profile)
        raise ClipboardUnavailable("the agent runs without a desktop", hint=_INSTEAD)

    return {protocol.Copy: refuse}


# A notification to try: one way for the menu and for `credtray notify-test`.
#
# Tells who showed it, or why nobody did; what a person sees of it, nobody can tell.


TEST = Notification(
    "test",
    "This is a test notification",
    "credtray tells you here when your sign-in is about to end.",
    picture=GOOD_NEWS,
)
_INSTEAD_OF_A_NOTICE = "Nothing else depends on it: the icon and `credtray status` show the same."


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

    async def _carry_out(self, request: protocol.TestNotice, _sink: ReplySink) -> Done[TestNoticeResult]:
        state = self._loop.state
        shown = _runs_already(state.desktop.get(Part.TRAY)) if request.already else TEST
        try:
            await self._workers.desktop_result_of(lambda: self._notifier.show(shown))
        except NotifierUnavailable as error:
            raise NotifierUnavailable(error.detail, hint=_INSTEAD_OF_A_NOTICE) from None
        part = state.desktop.get(Part.NOTIFICATIONS)
        return Done(
            TestNoticeResult(
                None if part is None else part.back_end,
                None if part is None else part.reason,
                told(paused_until(state, self._loop.now())),
            )
        )


def _runs_already(tray: DesktopPart | None) -> Notification:
    """Return what a click in a menu of applications shows when there is nothing to start."""
    where = icon_words(None, None) if tray is None else icon_words(tray.back_end, tray.reason)
    return Notification("already", "credtray is already running", where, picture=GOOD_NEWS)


async def _refuse(_request: protocol.TestNotice, _sink: ReplySink) -> Done[TestNoticeResult]:
    raise NotifierUnavailable("the agent runs without a desktop", hint=_INSTEAD_OF_A_NOTICE)


WITHOUT_DESKTOP: dict[type, Handler] = {protocol.TestNotice: _refuse}
"""What answers `credtray notify-test` where the agent has no desktop."""
