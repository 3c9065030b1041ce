"""What a person should be told of pasted keys: once before they end, and once that they have. Pure.

Pasted keys belong to no session, so the notices of sessions know nothing of them; held they are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from credtray.core.imports import FORGOTTEN_AFTER, ImportedKeys, kept_imports
from credtray.core.notices import OF_PASTED_KEYS, Notice, Subject, held, pasted_key
from credtray.core.settings import Settings
from credtray.core.state import State

_SOON = frozenset({"soon"})
_ENDED = frozenset({"ended"})


def due(state: State, now: datetime) -> tuple[Notice, ...]:
    """Return the notices to show now, at most one for each section."""
    if not state.imports or held(state, now):
        return ()
    holding = (_holding(item, state.settings, now) for item in kept_imports(state.imports))
    return tuple(
        notice
        for notice in holding
        if notice is not None and not notice.says <= state.imports[notice.names[0]].said
    )


def moot(state: State, now: datetime) -> tuple[str, ...]:
    """Return the keys of the notices on the screen that hold no longer, and that nothing replaces now."""
    replaced = {notice.key for notice in due(state, now)}
    return tuple(
        pasted_key(item.section)
        for item in state.imports.values()
        if item.showing and not _stands(item, state, now) and pasted_key(item.section) not in replaced
    )


def instants(state: State) -> Iterator[datetime]:
    """Yield when something about pasted keys may have to be told or done."""
    for item in state.imports.values():
        warned_at = _warned_at(item, state.settings)
        if warned_at is not None:
            yield warned_at
        yield item.expires_at
        yield item.expires_at + FORGOTTEN_AFTER


def _stands(item: ImportedKeys, state: State, now: datetime) -> bool:
    notice = None if item.released else _holding(item, state.settings, now)
    return notice is not None and notice.says <= item.showing


def _holding(item: ImportedKeys, settings: Settings, now: datetime) -> Notice | None:
    key, names, ends_at = pasted_key(item.section), (item.section,), item.expires_at
    if ends_at <= now:
        if now >= ends_at + FORGOTTEN_AFTER:
            return None
        return Notice(Subject.PASTED_ENDED, OF_PASTED_KEYS, key, _ENDED, ends_at=ends_at, names=names)
    warned_at = _warned_at(item, settings)
    if warned_at is None or now < warned_at:
        return None
    return Notice(Subject.PASTED_END_SOON, OF_PASTED_KEYS, key, _SOON, ends_at=ends_at, names=names)


def _warned_at(item: ImportedKeys, settings: Settings) -> datetime | None:
    """Return when the notice is due: at the first threshold that still lay ahead when they were pasted."""
    life = timedelta.max if item.imported_at is None else item.expires_at - item.imported_at
    ahead = max((each for each in settings.warn_before if each < life), default=None)
    return None if ahead is None else item.expires_at - ahead
