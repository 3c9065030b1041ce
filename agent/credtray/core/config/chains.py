"""Follows ``role_arn`` and ``source_profile`` from profile to profile, as botocore does, and cuts loops.

Reads sections only; assumes no role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from credtray.core.addresses import shown
from credtray.core.config.sources import NotOurs, Unusable
from credtray.core.config.text import Section
from credtray.core.models import AssumedRole

MAX_STEPS = 10
"""Roles in one chain; botocore knows no limit, but each step is a call that has to be made every hour."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The roles a profile assumes, and the profile whose own source begins it."""

    base: str
    roles: tuple[AssumedRole, ...]
    """The first one assumed first."""


def follow(name: str, profiles: Mapping[str, Section]) -> Chain:
    """Follow the chain of one profile; a profile that assumes no role is its own base.

    Source: botocore 1.44 credentials.py ``AssumeRoleProvider``.

    Raises:
        NotOurs: a step needs something credtray does not do (a code from an MFA device, instance metadata).
        Unusable: a loop, or a step that botocore refuses too.
    """
    if "role_arn" not in profiles[name].settings:  # nearly every profile
        return Chain(name, ())
    path = [name]
    try:
        while _assumes_role(profiles[path[-1]], first=len(path) == 1):
            path.append(_source(profiles[path[-1]], path, profiles))
        roles = tuple(_role(profiles[step]) for step in reversed(path[:-1]))
    except (Unusable, NotOurs) as problem:
        raise said_of_source(name, path[-1], problem) from None
    return Chain(path[-1], roles)


def said_of_source(name: str, source: str, problem: Unusable | NotOurs) -> Unusable | NotOurs:
    """Return what is wrong with a source profile in the words for the profile that names it."""
    if source == name:
        return problem
    if isinstance(problem, NotOurs):
        return NotOurs(f"begins with the profile {shown(source)}, which {problem.reason}")
    text = f"its source profile {shown(source)} cannot be used: {problem.text}"
    return Unusable(text, problem.hint, "source_profile")


def duration(section: Section) -> int | None:
    """Return ``duration_seconds``; None when it is absent or, as for botocore, no number."""
    text = section.text("duration_seconds")
    try:
        seconds = int(text) if text is not None else None
    except ValueError:
        return None
    return seconds if seconds is None or seconds > 0 else None


def _assumes_role(section: Section, *, first: bool) -> bool:
    if "role_arn" not in section.settings or "web_identity_token_file" in section.settings:
        return False
    # A source profile with static keys lends those, whatever role it names itself.
    return first or not _has_keys(section)


def _has_keys(section: Section) -> bool:
    return "aws_access_key_id" in section.settings or "aws_secret_access_key" in section.settings


def _role(section: Section) -> AssumedRole:
    role_arn = section.text("role_arn")
    if not role_arn or not role_arn.isprintable():
        raise Unusable("its role_arn is empty or not printable", "Write the ARN of the role.", "role_arn")
    return AssumedRole(
        role_arn, section.text("role_session_name"), section.text("external_id"), duration(section)
    )


def _source(section: Section, visited: list[str], profiles: Mapping[str, Section]) -> str:
    if len(visited) > MAX_STEPS:
        raise Unusable(f"it is more than {MAX_STEPS} roles away", "Shorten the chain of source_profile.")
    source = section.text("source_profile")
    _refuse_other_sources(section, source)
    if source is None or source not in profiles:
        named = shown(source or "")
        raise NotOurs(f"assumes its role with the profile {named}, which is in neither file")
    if source == visited[-1]:
        if "sso_account_id" in section.settings or "sso_role_name" in section.settings:
            if _has_keys(section):
                return source  # botocore means the keys to be lent, and then takes SSO before them
            raise Unusable(
                "its source_profile names the profile itself, which works with static keys only",
                "Put the sso settings into a profile of their own and name that one.",
                "source_profile",
            )
        raise NotOurs("assumes its role with static keys of its own")
    if source in visited:
        raise Unusable(
            f"its chain of source_profile comes back to {shown(source)}",
            "Let one of these profiles name an SSO profile as its source_profile.",
            "source_profile",
        )
    return source


def _refuse_other_sources(section: Section, source: str | None) -> None:
    other = section.text("credential_source")
    if other is not None and source is not None:
        raise Unusable(
            "it has both source_profile and credential_source", "Remove one of them.", "credential_source"
        )
    if other is not None:
        raise NotOurs(f"assumes its role with credentials from {shown(other)} (credential_source)")
    if source is None:
        raise Unusable("it has role_arn but no source_profile", "Add source_profile.", "role_arn")
    if "mfa_serial" in section.settings:
        raise NotOurs("needs a code from an MFA device for its role (mfa_serial)")
