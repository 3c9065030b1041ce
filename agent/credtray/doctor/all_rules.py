"""Facts become findings: all rules, joined and sorted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from credtray.doctor import finding_texts_around, finding_texts_of_files, finding_texts_of_keys
from credtray.doctor.evidence import Facts
from credtray.doctor.findings import Finding, FindingKind, joined
from credtray.doctor.rules_around import findings_around
from credtray.doctor.rules_of_files import file_findings, key_findings
from credtray.doctor.rules_of_sign_in import sign_in_findings


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


# Everything doctor knows, by code: what docs/reference/findings.md lists.


EVERY_KIND: tuple[FindingKind, ...] = (
    *finding_texts_of_keys.KINDS,
    *finding_texts_of_files.KINDS,
    *finding_texts_around.KINDS,
)
"""In the order of the groups."""

BY_CODE: Mapping[str, FindingKind] = MappingProxyType({kind.code: kind for kind in EVERY_KIND})

ONLY_IN_TEXTS: frozenset[FindingKind] = frozenset(
    {
        finding_texts_of_keys.KEYS_EXPIRED,
        finding_texts_of_keys.KEYS_UNKNOWN,
        finding_texts_of_keys.ACCESS_DENIED,
        finding_texts_of_keys.NO_KEYS_FOUND,
        finding_texts_of_keys.START_URL_WRONG,
        finding_texts_of_keys.LOGIN_SESSION_ENDED,
        finding_texts_of_keys.OTHER_ACCOUNT,
        finding_texts_of_keys.REGISTRY_LOGIN_ENDED,
        finding_texts_of_keys.CLUSTER_REFUSED,
        finding_texts_of_files.PROCESS_FAILED,
        finding_texts_of_files.PROGRAM_WITHOUT_SSO,
        finding_texts_of_files.MFA_NEEDED,
        finding_texts_of_files.DURATION_TOO_LONG,
        finding_texts_around.AWS_CLI_MISSING,
    }
)
"""Nothing on a computer shows them; the text of an error alone does."""

ONLY_ASKED: frozenset[FindingKind] = frozenset(
    {
        finding_texts_of_keys.SIGN_IN_REFUSED,
        finding_texts_of_keys.SIGN_IN_TIMED_OUT,
        finding_texts_of_keys.ROLE_REFUSED,
        finding_texts_around.CLOCK_OFF,
        finding_texts_around.CERTIFICATE_REFUSED,
        finding_texts_around.PROXY_REFUSED,
        finding_texts_around.UNREACHABLE,
        finding_texts_around.CAPTIVE_PORTAL,
        finding_texts_around.THROTTLED,
        finding_texts_around.SERVICE_FAILED,
    }
)
"""Only AWS shows them: that they were not seen says nothing as long as nobody asked."""
