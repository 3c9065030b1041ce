"""The repairs credtray offers: facts in, a plan out that a person sees before anything is written.

Carries nothing out. Names are fixed: findings of `credtray doctor` point at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from credtray.core.repairs.commands import plan_old_autostart, plan_old_commands
from credtray.core.repairs.legacy import plan_legacy_profiles
from credtray.core.repairs.plan import Repair, RepairPlan, Scene, TokenOrigin
from credtray.core.repairs.sessions import plan_outdated_sessions

__all__ = ["REPAIRS", "Repair", "RepairPlan", "Scene", "TokenOrigin"]


def plan_stale_keys(scene: Scene) -> RepairPlan:
    """Plan to take out keys of ours that have ended and that nobody will replace."""
    stale = tuple(
        mark for mark in scene.marks if mark.expires_at <= scene.now and mark.section not in scene.owned
    )
    ended = (mark.expires_at.strftime("%Y-%m-%d %H:%M UTC") for mark in stale)
    changes = (
        f"section {mark.section}: remove the keys of {mark.profile}, which expired on {when}"
        for mark, when in zip(stale, ended, strict=True)
    )
    return RepairPlan(tuple(changes), removed=stale)


REPAIRS: Mapping[str, Repair] = MappingProxyType(
    {
        "legacy_profiles": Repair(
            "Give legacy profiles an sso-session, so that their sign-in can be renewed", plan_legacy_profiles
        ),
        "outdated_session": Repair(
            "Give an sso-session the scopes or the region it needs", plan_outdated_sessions
        ),
        "old_commands": Repair("Make credential processes start the installed credtray", plan_old_commands),
        "old_autostart": Repair(
            "Make the installed credtray start at login", plan_old_autostart, undoable=False
        ),
        "stale_keys": Repair(
            "Remove expired keys from the credentials file", plan_stale_keys, undoable=False
        ),
    }
)
"""By name. Source of the first two: AWS CLI 2.36 ``aws configure sso`` writes sessions this way."""
