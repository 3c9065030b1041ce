"""Facts become findings: all rules, joined and sorted."""

from __future__ import annotations

from collections.abc import Collection

from credtray.core.diagnosis.facts import Facts
from credtray.core.diagnosis.finding import Finding
from credtray.core.diagnosis.making import joined
from credtray.core.diagnosis.rules_around import findings_around
from credtray.core.diagnosis.rules_of_files import file_findings
from credtray.core.diagnosis.rules_of_keys import key_findings
from credtray.core.diagnosis.rules_of_sign_in import sign_in_findings


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return what is to be said, the worst first, within a severity by group; never raises."""
    return joined(
        (*sign_in_findings(facts), *key_findings(facts), *file_findings(facts), *findings_around(facts))
    )


def concerning(found: Collection[Finding], facts: Facts, profiles: Collection[str]) -> tuple[Finding, ...]:
    """Return the findings that these profiles have to do with; all when none is named.

    What is about no profile and no session in particular concerns every profile.
    """
    if not profiles:
        return tuple(found)
    known = facts.config.config.profiles
    sessions = {known[name].session for name in profiles if name in known}
    return tuple(
        item
        for item in found
        if (not item.profiles and item.session is None)
        or not set(profiles).isdisjoint(item.profiles)
        or item.session in sessions
    )
