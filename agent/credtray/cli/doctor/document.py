"""The documents of `credtray doctor --json` and `credtray explain --json`: versioned contracts.

Prints nothing and finds nothing out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from credtray.core import resolution
from credtray.core.diagnosis import Explanation, Facts, Finding, Severity, texts_of
from credtray.core.errors import UnknownProfile
from credtray.core.protocol.results import whole_seconds
from credtray.core.resolution import Resolution
from credtray.core.words import did_you_mean

VERSION = 1
FEW_PROFILES = 5
"""So many are in the table when nobody named one and none is in use."""


def doctor_document(
    facts: Facts, found: Sequence[Finding], table: Mapping[str, Sequence[Resolution]], more: int
) -> dict[str, Any]:
    """Return what doctor found as plain JSON values; ``more`` profiles are not in the table."""
    return {
        "version": VERSION,
        "now": whole_seconds(facts.now),
        "credtray": facts.version,
        "agent": {"running": facts.agent.running, "version": facts.agent.version},
        "worst": (found[0].severity if found else Severity.FINE).value,
        "findings": [finding_document(item) for item in found],
        "profiles": [
            {"profile": name, "clients": [_client(item) for item in clients]}
            for name, clients in table.items()
        ],
        "profiles_left_out": more,
        "environment": dict(sorted(facts.environ.items())),
    }


def finding_document(item: Finding) -> dict[str, Any]:
    """Return one finding."""
    return {
        "code": item.code,
        "severity": item.severity.value,
        "group": item.kind.group.value,
        "title": item.kind.title,
        "seen": [{"text": sight.text, "file": sight.file, "line": sight.line} for sight in item.seen],
        "cause": item.kind.cause,
        "cure": item.cure,
        "repair": None if item.repair is None else item.repair.value,
        "profiles": list(item.profiles),
        "session": item.session,
        "texts": list(texts_of(item.kind)),
    }


def explain_document(explained: Sequence[Explanation], whose: str | None = None) -> dict[str, Any]:
    """Return the causes of a text, the one that is so here first; none: the text is unknown.

    Args:
        explained: the causes.
        whose: who else an unknown text comes from.
    """
    return {
        "version": VERSION,
        "known": bool(explained),
        "not_about_aws": None if explained else whose,
        "causes": [
            {
                "code": item.kind.code,
                "title": item.kind.title,
                "cause": item.kind.cause,
                "cure": item.cure,
                "repair": None if item.kind.repair is None else item.kind.repair.value,
                "error": item.error,
                "applies_here": item.present is not None,
                "standing": item.standing.value,
                "seen": [] if item.present is None else finding_document(item.present)["seen"],
            }
            for item in explained
        ],
    }


def tabled(facts: Facts, named: Collection[str], *, every: bool) -> tuple[str, ...]:
    """Return the profiles the table is about: those named, all, those in use, or the first few.

    Raises:
        UnknownProfile: a named one is in neither file; the nearest names are offered.
    """
    known = tuple(dict.fromkeys((*facts.config.sections, *facts.credentials.sections)))
    broken = facts.config.text.problem is not None or facts.credentials.text.problem is not None
    for name in named:
        if name not in known and not broken:
            raise UnknownProfile(f"{name!r}.{did_you_mean(name, known)}")
    if named:
        return tuple(dict.fromkeys(named))
    if every:
        return known
    variables = (facts.environ.get("AWS_PROFILE"), facts.environ.get("AWS_DEFAULT_PROFILE"), "default")
    used = dict.fromkeys((*facts.active, *variables))
    return tuple(name for name in used if name in known) or known[:FEW_PROFILES]


def row(around: resolution.Surroundings, profile: str) -> tuple[Resolution, ...]:
    """Return what each client uses for one profile that AWS_PROFILE names."""
    return tuple(resolution.resolve(around, profile, client) for client in resolution.Client)


def _client(item: Resolution) -> dict[str, Any]:
    where = item.where
    return {
        "client": item.client.value,
        "proven": item.client.proven,
        "profile": item.profile,
        "uses": item.provider.value,
        "where": {"place": where.place.value, "name": where.name, "line": where.line},
        "why": item.why,
        "kept_fresh_by_credtray": item.kept_fresh_by_us,
        "notices_renewal": item.will_notice_renewal,
        "troubles": [
            {"kind": trouble.kind.value, "text": trouble.text, "fatal": trouble.fatal}
            for trouble in item.troubles
        ],
    }
