"""Facts become findings: all rules, joined and sorted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from credtray.doctor import causes_around, causes_of_files, causes_of_keys
from credtray.doctor.evidence import Facts
from credtray.doctor.findings import Finding, Kind, joined
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


EVERY_KIND: tuple[Kind, ...] = (*causes_of_keys.KINDS, *causes_of_files.KINDS, *causes_around.KINDS)
"""In the order of the groups."""

BY_CODE: Mapping[str, Kind] = MappingProxyType({kind.code: kind for kind in EVERY_KIND})

ONLY_IN_TEXTS: frozenset[Kind] = frozenset(
    {
        causes_of_keys.KEYS_EXPIRED,
        causes_of_keys.KEYS_UNKNOWN,
        causes_of_keys.ACCESS_DENIED,
        causes_of_keys.NO_KEYS_FOUND,
        causes_of_keys.START_URL_WRONG,
        causes_of_keys.LOGIN_SESSION_ENDED,
        causes_of_keys.OTHER_ACCOUNT,
        causes_of_keys.REGISTRY_LOGIN_ENDED,
        causes_of_keys.CLUSTER_REFUSED,
        causes_of_files.PROCESS_FAILED,
        causes_of_files.PROGRAM_WITHOUT_SSO,
        causes_of_files.MFA_NEEDED,
        causes_of_files.DURATION_TOO_LONG,
        causes_around.AWS_CLI_MISSING,
    }
)
"""Nothing on a computer shows them; the text of an error alone does."""

ONLY_ASKED: frozenset[Kind] = frozenset(
    {
        causes_of_keys.SIGN_IN_REFUSED,
        causes_of_keys.SIGN_IN_TIMED_OUT,
        causes_of_keys.ROLE_REFUSED,
        causes_around.CLOCK_OFF,
        causes_around.CERTIFICATE_REFUSED,
        causes_around.PROXY_REFUSED,
        causes_around.UNREACHABLE,
        causes_around.CAPTIVE_PORTAL,
        causes_around.THROTTLED,
        causes_around.SERVICE_FAILED,
    }
)
"""Only AWS shows them: that they were not seen says nothing as long as nobody asked."""
