"""Which sections the credentials file should hold, and which of ours it should lose. Pure."""

from __future__ import annotations

from datetime import datetime

from credtray.core import pasted_keys
from credtray.core.identity import is_other
from credtray.core.models import Delivery, RoleCredentials, SectionKeys
from credtray.core.ports import Mark
from credtray.core.section_mark import key_digest
from credtray.core.state import ProfileState, State, region_of

DEFAULT = "default"


def sections_of(state: State) -> dict[str, str]:
    """Return section -> profile for everything people chose to have in the credentials file.

    A profile that is delivered otherwise has no section of its own; ``[default]`` is chosen by itself.
    """
    chosen = {
        state.settings.section(name): name
        for name in state.active
        if name in state.profiles and state.settings.profile(name).delivery is Delivery.FILE
    }
    if state.default is not None and state.default in state.profiles:
        chosen[DEFAULT] = state.default
    return chosen


def wanted_sections(state: State, now: datetime) -> tuple[SectionKeys, ...]:
    """Return the sections that must be written because the file does not hold these keys yet."""
    chosen = sections_of(state)
    pasted = pasted_keys.wanted_imports(state.imports, state.file.marks, chosen, now)
    wanted = [keys for keys in pasted if keys.section not in state.file.refused]
    if _emptied(state):
        return tuple(wanted)
    for section, name in chosen.items():
        keys = _keys(state, section, state.profiles[name], now)
        if keys is not None and section not in state.file.refused and not _holds(state, keys):
            wanted.append(keys)
    return tuple(wanted)


def _keys(state: State, section: str, profile: ProfileState, now: datetime) -> SectionKeys | None:
    credentials = profile.credentials
    if credentials is None or credentials.expires_at <= now or _signed_out(state, profile):
        return None
    region = region_of(state, profile.name) if section == DEFAULT else None
    return SectionKeys(section, profile.name, credentials, region)


def _holds(state: State, keys: SectionKeys) -> bool:
    mark = state.file.marks.get(keys.section)
    if mark is None or mark.profile != keys.profile:
        return False
    return mark.digest == key_digest(keys.credentials.access_key_id)


def unwanted_sections(state: State, now: datetime) -> tuple[str, ...]:
    """Return sections of ours that must go: expired, signed out, no longer chosen, or the agent stops."""
    chosen = sections_of(state)
    return tuple(
        section for section, mark in state.file.marks.items() if not _may_stay(state, mark, chosen, now)
    )


def _may_stay(state: State, mark: Mark, chosen: dict[str, str], now: datetime) -> bool:
    if mark.pasted:
        at_end = state.settings.remove_keys_at_end
        return pasted_keys.may_stay(state.imports, mark, chosen, now, remove_at_end=at_end)
    if _emptied(state):
        return False
    if state.stopping:
        return True
    if chosen.get(mark.section) != mark.profile:
        # Another profile's keys are about to replace it in one step; an empty moment between would hurt.
        return mark.section in chosen and _replacement_ready(state, chosen[mark.section], now)
    if _signed_out(state, state.profiles[mark.profile]) and state.settings.remove_keys_at_sign_out:
        return False
    return not _of_other(state, mark) and _still_good(state, mark, now)


def _still_good(state: State, mark: Mark, now: datetime) -> bool:
    return _keys_end(state, mark) > now or not state.settings.remove_keys_at_end


def _keys_end(state: State, mark: Mark) -> datetime:
    """Return when the keys of a section end: as the mark says, or better known since the clock was set."""
    held = _held_as(state, mark)
    return mark.expires_at if held is None else held.expires_at


def _held_as(state: State, mark: Mark) -> RoleCredentials | None:
    """Return the keys held of which a section speaks; None: they are no more held."""
    held = state.profiles[mark.profile].credentials
    return held if held is not None and key_digest(held.access_key_id) == mark.digest else None


def _of_other(state: State, mark: Mark) -> bool:
    """Tell whether a section holds keys of a person nobody has agreed to, as far as can be told.

    What is held is the former person's. The rest may be, too, unless keys were given out unchecked.
    """
    session = state.sessions.get(state.profiles[mark.profile].profile.session)
    if session is None or not is_other(session) or not session.identity.unchecked:
        return False
    return _held_as(state, mark) is None


def _replacement_ready(state: State, name: str, now: datetime) -> bool:
    credentials = state.profiles[name].credentials
    return credentials is not None and credentials.expires_at > now


def _signed_out(state: State, profile: ProfileState) -> bool:
    session = state.sessions.get(profile.profile.session)
    if session is None:
        return True
    return session.looked and session.token is None and not session.ended and session.pending is None


def _emptied(state: State) -> bool:
    return state.stopping and not state.followed and state.settings.remove_keys_on_stop
