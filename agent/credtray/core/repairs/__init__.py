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
        f"section {mark.section}: take out the keys of {mark.profile}, which ended on {when}"
        for mark, when in zip(stale, ended, strict=True)
    )
    return RepairPlan(tuple(changes), removed=stale)


REPAIRS: Mapping[str, Repair] = MappingProxyType(
    {
        "legacy_profiles": Repair(
            "Legacy profiles get an sso-session, so that their sign-in renews itself", plan_legacy_profiles
        ),
        "outdated_session": Repair(
            "An sso-session gets the scopes or the region it needs", plan_outdated_sessions
        ),
        "old_commands": Repair(
            "Credential processes start the credtray that is installed now", plan_old_commands
        ),
        "old_autostart": Repair(
            "The credtray that is installed now starts at login", plan_old_autostart, undoable=False
        ),
        "stale_keys": Repair(
            "Keys that have ended leave the credentials file", plan_stale_keys, undoable=False
        ),
    }
)
"""By name. Source of the first two: AWS CLI 2.36 ``aws configure sso`` writes sessions this way."""
