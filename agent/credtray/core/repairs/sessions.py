"""Plans the mending of sso-sessions whose settings do not fit their sign-in (any more).

Leaves token files alone; an Identity Center lives in one region, so a token got for the same start URL, or a
host name that carries its region, proves which one that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from credtray.core import ini
from credtray.core.addresses import DEFAULT_SCOPES, check_region, region_in_host, same_portal_address
from credtray.core.config.sources import Unusable, read_session
from credtray.core.config.sso import merged
from credtray.core.config.text import ConfigText, Section, read_config
from credtray.core.errors import CredtrayError, RegionRefused
from credtray.core.models import SsoSession
from credtray.core.repairs.plan import RepairPlan, Scene, TokenOrigin, config_change, said_over
from credtray.core.words import argument

_SCOPES = "sso_registration_scopes"


def plan_outdated_sessions(scene: Scene) -> RepairPlan:
    """Plan scopes for sessions without any, and the right region where the configured one is proven wrong.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    config = read_config(scene.config)
    plans = _Plans(config, said_over(scene))
    for name, section in sorted(config.sso_sessions.items()):
        try:
            session = read_session(name, section)
            ini.check_section_name(section.span.name)
        except Unusable as problem:
            plans.left_alone[name] = problem.text
        except CredtrayError as error:
            plans.left_alone[name] = error.detail
        else:
            plans.look_at(session, section, scene.tokens.get(name))
    return RepairPlan(
        tuple(plans.changes),
        tuple(plans.next_steps),
        MappingProxyType(plans.left_alone),
        config_change(scene.config, plans.edits),
    )


class _Plans:
    """Collects what is to be done for each session."""

    def __init__(self, config: ConfigText, over: Mapping[str, Section]) -> None:
        self._profiles = merged(config, over).profiles
        self.changes: list[str] = []
        self.next_steps: list[str] = []
        self.left_alone: dict[str, str] = {}
        self.edits: list[ini.Edit] = []

    def look_at(self, session: SsoSession, section: Section, token: TokenOrigin | None) -> None:
        wanted: dict[str, str] = {}
        region = _proven_region(session, token)
        repeats = self._repeats_elsewhere(session.name)
        if region is not None and region != session.region and repeats is not None:
            self.left_alone[session.name] = f"{repeats} repeats sso_region in the credentials file"
        elif region is not None and region != session.region:
            wanted["sso_region"] = region
            self.changes.append(f"session {session.name}: sso_region {region} instead of {session.region}")
        if not session.scopes:
            own = [name for name, profile in self._profiles_of(session.name) if _SCOPES in profile.settings]
            if own:
                self.left_alone[session.name] = f"the profile {own[0]} has its own {_SCOPES}"
            else:
                wanted[_SCOPES] = ",".join(DEFAULT_SCOPES)
                self.changes.append(f"session {session.name}: {_SCOPES} {wanted[_SCOPES]}")
        if not wanted:
            return
        self.edits.append(ini.SectionEdit(section.span.name, wanted))
        if "sso_region" in wanted:
            self._follow(session.name, wanted["sso_region"])
        self.next_steps.append(f"Sign in again: credtray login --fresh {argument(session.name)}")

    def _follow(self, session: str, region: str) -> None:
        """Give the region to profiles that repeat it: botocore refuses a profile that contradicts."""
        for _, profile in self._profiles_of(session):
            if "sso_region" in profile.span.values:
                self.edits.append(ini.SectionEdit(profile.span.name, {"sso_region": region}))

    def _repeats_elsewhere(self, session: str) -> str | None:
        """Return a profile whose sso_region cannot follow, because the credentials file says it."""
        repeating = (
            name
            for name, profile in self._profiles_of(session)
            if profile.over is not None and "sso_region" in profile.over.settings
        )
        return next(repeating, None)

    def _profiles_of(self, session: str) -> Iterator[tuple[str, Section]]:
        for name, section in sorted(self._profiles.items()):
            if section.text("sso_session") == session:
                yield name, section


def _proven_region(session: SsoSession, token: TokenOrigin | None) -> str | None:
    in_host = region_in_host(session.start_url)
    if in_host is not None:
        return in_host
    if token is None or not same_portal_address(token.start_url, session.start_url):
        return None
    try:
        return check_region(token.region)
    except RegionRefused:  # a token file is anybody's
        return None
