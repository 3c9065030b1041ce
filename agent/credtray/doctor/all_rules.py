"""All of doctor's rules, joined and sorted, and those about network, clock, browser, agent and desktop."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from credtray.core.errors import ClockOff, ConfigInvalid, ProtocolMismatch, SettingsInvalid
from credtray.core.session_status import TOLERATED_CLOCK_ERROR
from credtray.core.settings import dotted
from credtray.core.shell_words import argument, toml_word, variable
from credtray.core.words import short
from credtray.doctor import finding_texts_around, finding_texts_of_files, finding_texts_of_keys
from credtray.doctor import finding_texts_around as kinds
from credtray.doctor.evidence import EndpointSight, Facts, SettingsFacts, Surrounding
from credtray.doctor.findings import Finding, FindingKind, Severity, Sight, clean, found, joined
from credtray.doctor.rules_of_files import file_findings, key_findings
from credtray.doctor.rules_of_sign_in import kind_of, sign_in_findings
from credtray.ways_out.endpoint import LEAST, cli_reads_token_file

# What network, clock, browser, agent, desktop and settings tell.


_NO_SSO = (2, 0)
_NO_SESSIONS = (2, 9)
_NO_ENDPOINTS = (2, 13)
_NO_PKCE = (2, 22)

_TOLD_BETTER_ELSEWHERE = frozenset({ConfigInvalid.code, SettingsInvalid.code})
"""The files themselves were looked at: what stands in them now counts, with its line."""


def findings_around(facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong beyond the AWS files."""
    yield from _network(facts)
    yield from _variables(facts)
    yield from _browser(facts)
    yield from _agent(facts)
    yield from _desktop(facts)
    yield from _installed(facts)
    if facts.unknown:
        yield found(kinds.NOT_LOOKED, *(Sight(clean(what)) for what in facts.unknown))


def _network(facts: Facts) -> Iterator[Finding]:
    for sight in facts.endpoints:
        yield _endpoint(sight)
        error = sight.clock_error
        if error is not None and abs(error) > TOLERATED_CLOCK_ERROR:
            yield found(
                kinds.CLOCK_OFF, Sight(f"it is {_spoken(error)}, by the clock of {clean(sight.host)}")
            )


def _endpoint(sight: EndpointSight) -> Finding:
    way = "" if sight.proxy is None else f" through {clean(sight.proxy)}"
    if sight.trouble is None and sight.override is not None:
        seen = Sight(f"{clean(sight.host)}{way}: reached; {clean(sight.override)} names it")
        fill = {"source": clean(sight.override)}
        return found(kinds.OVERRIDE_REACHED, seen, session=sight.session, fill=fill)
    if sight.trouble is None:
        seen = Sight(f"{clean(sight.host)}{way}: reached")
        return found(kinds.NETWORK_FINE, seen, session=sight.session)
    seen = Sight(f"{clean(sight.host)}{way}: {clean(sight.trouble.text)}")
    fill = {"hint": clean(sight.trouble.hint)}
    return found(kind_of(sight.trouble), seen, session=sight.session, fill=fill)


def _spoken(error: timedelta) -> str:
    return f"{short(abs(error))} {'slow' if error > timedelta() else 'fast'}"


def _variables(facts: Facts) -> Iterator[Finding]:
    for name, path in facts.missing_bundles.items():
        seen = Sight(f"{clean(name)} names {clean(path)}")
        yield found(kinds.BUNDLE_MISSING, seen, fill={"name": clean(name)})
    named = [name for name in ("HTTPS_PROXY", "https_proxy") if name in facts.environ][:1]
    bundles = [name for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE") if name in facts.environ][:1]
    for session in facts.config.config.sessions:
        lacking = [] if session in facts.settings.proxies else [("proxy", name) for name in named]
        lacking += [] if session in facts.settings.bundles else [("ca_bundle", name) for name in bundles]
        severity = Severity.WARNING if facts.autostart.enabled else None
        for setting, name in lacking:
            seen = Sight(f"{name} is set in this shell, {setting} not in settings.toml")
            # The shell fills the value in: it may hold a password.
            fill = {
                "setting": toml_word(dotted(("sessions", clean(session), setting))),
                "value": variable(name),
            }
            yield found(kinds.PROXY_IN_SHELL, seen, severity=severity, session=session, fill=fill)


def _browser(facts: Facts) -> Iterator[Finding]:
    where = facts.surrounding
    if not facts.browser:
        yield found(kinds.BROWSER_MISSING, Sight(f"this is {where.value}"))
    if where in {Surrounding.SSH, Surrounding.WSL, Surrounding.CONTAINER}:
        session = next(iter(facts.config.config.sessions), None)
        yield found(kinds.LOOPBACK_ELSEWHERE, Sight(f"this is {where.value}"), session=session)


def _agent(facts: Facts) -> Iterator[Finding]:
    agent = facts.agent
    if agent.trouble is not None and agent.trouble.code == ProtocolMismatch.code:
        yield found(kinds.AGENT_VERSION, Sight(clean(agent.trouble.text)))
    elif agent.trouble is not None:
        yield found(kinds.AGENT_SILENT, Sight(clean(agent.trouble.text)))
    elif not agent.running:
        yield found(kinds.AGENT_MISSING)
    elif agent.version is not None and agent.version != facts.version:
        seen = Sight(f"the agent is {clean(agent.version)}, this command {clean(facts.version)}")
        yield found(kinds.AGENT_VERSION, seen)
    else:
        yield found(kinds.AGENT_FINE, Sight(f"version {clean(facts.version)}"))
    troubles = (*agent.problems, *([agent.credentials_file] if agent.credentials_file else []))
    for trouble in troubles:
        if trouble.code in _TOLD_BETTER_ELSEWHERE:
            continue
        kind = kinds.CLOCK_OFF if trouble.code == ClockOff.code else kinds.AGENT_TROUBLE
        yield found(kind, Sight(clean(trouble.text)), fill={"hint": clean(trouble.hint)})


def _desktop(facts: Facts) -> Iterator[Finding]:
    for name, part in facts.agent.desktop.items():
        reason = "" if part.reason is None else f" ({clean(part.reason)})"
        if part.back_end is None and part.reason is not None:
            yield found(kinds.DESKTOP_MISSING, Sight(f"{clean(name)}: {clean(part.reason)}"))
        elif part.back_end is not None:
            yield found(kinds.DESKTOP_SERVED, Sight(f"{clean(name)}: {clean(part.back_end)}{reason}"))


def _installed(facts: Facts) -> Iterator[Finding]:
    if facts.autostart.outdated is not None:
        yield found(kinds.AUTOSTART_OLD, Sight(clean(facts.autostart.outdated)))
    elif facts.autostart.trouble is not None:
        yield found(kinds.AUTOSTART_STALE, Sight(clean(facts.autostart.trouble)))
    for unit in facts.old_units:
        fill = {"program": unit.command, "unit": clean(unit.place), "name": argument(clean(unit.name))}
        yield found(kinds.UNIT_OLD, Sight(clean(unit.reason), clean(unit.place)), fill=fill)
    settings = facts.settings
    if settings.trouble is not None:
        place = Sight(clean(settings.trouble), settings.path, settings.line)
        yield found(kinds.SETTINGS_BROKEN, place, fill={"place": place.place})
    yield from _organisation(settings)
    yield from _too_old_for_the_endpoint(facts)
    version = facts.aws_cli
    if version is not None and version < _NO_PKCE:
        spoken = ".".join(map(str, version))
        # It is in the way only of what it cannot read at all.
        fails = version < _NO_SESSIONS and any(
            not item.legacy for item in facts.config.config.sessions.values()
        )
        severity = Severity.WARNING if fails else None
        seen = Sight(f"`aws` is version {spoken}: {_lacks(version)}")
        yield found(kinds.AWS_CLI_OLD, seen, severity=severity)


def _organisation(settings: SettingsFacts) -> Iterator[Finding]:
    for mistake in settings.policy_mistakes:
        yield found(kinds.POLICY_MISTAKE, Sight(clean(mistake)))
    if settings.locked:
        places = ", ".join(clean(place) for place in settings.policy_places)
        yield found(kinds.POLICY, Sight(f"{clean(', '.join(settings.locked))}: in {places}"))


def _too_old_for_the_endpoint(facts: Facts) -> Iterator[Finding]:
    version = facts.aws_cli
    if version is None or not facts.agent.endpoint or cli_reads_token_file(version):
        return
    spoken = ".".join(map(str, version))
    least = LEAST[f"AWS CLI v{version[0]}"] if version[0] in {1, 2} else LEAST["AWS CLI v2"]
    seen = Sight(f"the endpoint is open and `aws` is version {spoken}; {least} is the least")
    yield found(kinds.AWS_CLI_WITHOUT_TOKEN_FILE, seen)


def _lacks(version: tuple[int, ...]) -> str:
    if version < _NO_SSO:
        return "it has no `aws sso login`"
    if version < _NO_SESSIONS:
        return "it reads no sso-session"
    if version < _NO_ENDPOINTS:
        return "it reads no endpoint settings and signs in with a code only"
    return "it signs in with a code only"


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
