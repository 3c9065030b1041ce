"""How events of the desktop change the state: who is there, what is shown, how the parts are served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.core import events
from agent.core.state import State, frozen, put


def _presence_changed(state: State, event: events.PresenceChanged, _now: datetime) -> State:
    return replace(state, presence=event.presence)


def _notices_paused(state: State, event: events.NoticesPaused, _now: datetime) -> State:
    return replace(state, paused_until=event.until)


def _part_changed(state: State, event: events.PartChanged, _now: datetime) -> State:
    return replace(state, desktop=put(state.desktop, event.part.name, event.part))


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.PresenceChanged: _presence_changed,
        events.NoticesPaused: _notices_paused,
        events.PartChanged: _part_changed,
    }
)
