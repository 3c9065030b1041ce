"""Facts of a computer on which everything is fine, and one change for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from credtray.core.errors import IN_PLACE_OF_AWS
from credtray.core.ini.text import IniProblem
from credtray.core.models import AwsConfig, ConfigWarning, CredentialStatus, Profile, SsoSession
from credtray.core.protocol.results import ErrorEntry, PartStatus
from credtray.doctor.all_rules import ONLY_IN_TEXTS
from credtray.doctor.evidence import (
    AgentFacts,
    AutostartFacts,
    ConfigFacts,
    CredentialsFacts,
    EndpointSight,
    Facts,
    FileFacts,
    Held,
    IniFacts,
    KeyKind,
    KeySection,
    Misread,
    OldUnit,
    Place,
    SessionSight,
    SettingsFacts,
    Surrounding,
    TokenFacts,
)
from credtray.files.obstacles import InTheWay, Obstacle

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
URL = "https://d-9067000001.awsapps.com/start"
SESSION = SsoSession("corp", URL, "us-east-1", ("sso:account:access",))
OTHER = SsoSession("spare", URL, "us-east-1", ("sso:account:access",))
LEGACY = SsoSession(URL, URL, "us-east-1", legacy=True)
CONFIG, CREDENTIALS, TOKEN = "~/.aws/config", "~/.aws/credentials", "~/.aws/sso/cache/ee0b.json"


def minutes(count: float) -> datetime:
    return NOW + timedelta(minutes=count)


def frozen(**items: Any) -> Mapping[str, Any]:
    return MappingProxyType(items)


def profile(name: str, session: SsoSession = SESSION) -> Profile:
    return Profile(name, session.name, "111100000001", "ReadOnly", "us-east-1")


def config(*sessions: SsoSession, **parts: Any) -> ConfigFacts:
    every = sessions or (SESSION,)
    profiles = {
        f"dev-{number}" if number else "dev": profile("dev", item) for number, item in enumerate(every)
    }
    return ConfigFacts(
        IniFacts(FileFacts(CONFIG, exists=True, mode=0o600)),
        AwsConfig(
            MappingProxyType({item.name: item for item in every}),
            MappingProxyType(profiles),
            warnings=parts.pop("warnings", ()),
        ),
        MappingProxyType(dict.fromkeys(profiles, 7)),
        MappingProxyType({item.name: 1 for item in every}),
        **parts,
    )


GOOD_TOKEN = TokenFacts(
    FileFacts(TOKEN, exists=True, mode=0o600), Held.TOKEN, "", minutes(40), True, minutes(100_000)
)
RUNNING = AgentFacts(
    running=True, version="0.1.0", sessions=frozen(corp=SessionSight(CredentialStatus.FRESH))
)

FINE = Facts(
    now=NOW,
    version="0.1.0",
    config=config(),
    credentials=CredentialsFacts(IniFacts(FileFacts(CREDENTIALS, exists=True, mode=0o600))),
    tokens=frozen(corp=GOOD_TOKEN),
    agent=RUNNING,
)


def token(**parts: Any) -> Facts:
    return replace(FINE, tokens=frozen(corp=replace(GOOD_TOKEN, **parts)))


def agent(**parts: Any) -> Facts:
    return replace(FINE, agent=replace(RUNNING, **parts))


def told(code: str, text: str = "as it was told") -> Facts:
    """A session of which the agent tells this error."""
    return agent(
        sessions=frozen(corp=SessionSight(CredentialStatus.FRESH, trouble=ErrorEntry(code, text, "Do that.")))
    )


def keys(**parts: Any) -> Facts:
    section = KeySection(**{"name": "dev", "line": 3, "kind": KeyKind.UNKNOWN, **parts})
    return replace(FINE, credentials=replace(FINE.credentials, sections=("dev",), keys=(section,)))


def config_file(**parts: Any) -> Facts:
    text = replace(FINE.config.text, file=replace(FINE.config.text.file, **parts))
    return replace(FINE, config=replace(FINE.config, text=text))


def misread(*lines: Misread) -> Facts:
    text = replace(FINE.config.text, code_page="cp1252", misread=lines)
    return replace(FINE, config=replace(FINE.config, text=text))


def barred(obstacle: Obstacle, path: str = "~/.aws/sso/cache", **parts: Any) -> Facts:
    return replace(FINE, in_the_way=(InTheWay(obstacle, path, "somebody", **parts),))


def unparsable(text: str, *duplicates: Place) -> Facts:
    broken = replace(
        FINE.config.text, problem=IniProblem(9, text), duplicates=(duplicates,) if duplicates else ()
    )
    return replace(FINE, config=ConfigFacts(broken), tokens=frozen())


def environ(**variables: str) -> Facts:
    return replace(FINE, environ=MappingProxyType(variables))


def online(**parts: Any) -> Facts:
    sight = EndpointSight(**{"session": "corp", "host": "oidc.us-east-1.amazonaws.com", **parts})
    return replace(FINE, endpoints=(sight,))


WRONG: Mapping[str, Callable[[], Facts]] = MappingProxyType(
    {
        "signed_out": lambda: token(held=Held.NOTHING),
        "sign_in_ended": lambda: token(expires_at=minutes(0), has_refresh_token=False),
        "access_token_expired": lambda: replace(token(expires_at=minutes(0)), agent=AgentFacts()),
        "session_without_scopes": lambda: replace(
            token(has_refresh_token=False), config=config(replace(SESSION, scopes=None))
        ),
        "token_of_other_session": lambda: token(held=Held.MISMATCH, reason="it is for another"),
        "registration_ended": lambda: token(registration_ends=minutes(0)),
        "token_unreadable": lambda: token(held=Held.UNREADABLE, reason="it is empty"),
        "sign_in_refused": lambda: told("sign_in_denied"),
        "sign_in_timed_out": lambda: told("sign_in_timed_out"),
        "role_refused": lambda: agent(profiles=frozen(dev=ErrorEntry("role_refused", "HTTP 403: No access"))),
        "foreign_keys_shadow": lambda: keys(kind=KeyKind.LONG_TERM),
        "temporary_keys_shadow": lambda: keys(kind=KeyKind.TEMPORARY),
        "stale_keys": lambda: keys(profile="dev", expires_at=minutes(0)),
        "unguarded_keys": lambda: replace(
            keys(profile="dev", expires_at=minutes(9)), settings=SettingsFacts(guards={"dev": True})
        ),
        "unattended_keys": lambda: replace(keys(profile="dev", expires_at=minutes(9)), agent=AgentFacts()),
        "foreign_keys_ended": lambda: keys(name="other", expires_at=minutes(0)),
        "half_keys": lambda: keys(name="other", half=True),
        "old_security_token": lambda: keys(profile="dev", expires_at=minutes(9), old_token=True),
        "edited_keys": lambda: keys(edited=True),
        "file_unparsable": lambda: unparsable("a second key in [dev]"),
        "duplicate_section": lambda: unparsable("a second section [dev]", Place("dev", 3), Place("dev", 9)),
        "file_unreadable": lambda: config_file(unread="permission denied"),
        "file_of_other_user": lambda: config_file(foreign_owner=True),
        "run_as_root": lambda: barred(Obstacle.OWNER, by_root=True),
        "place_closed": lambda: barred(Obstacle.MODE),
        "place_read_only": lambda: barred(Obstacle.READ_ONLY),
        "place_immutable": lambda: barred(Obstacle.IMMUTABLE),
        "place_taken": lambda: barred(Obstacle.NO_DIRECTORY),
        "file_mode": lambda: config_file(mode=0o620),
        "directory_mode": lambda: config_file(open_above="~/.aws"),
        "file_system_without_modes": lambda: config_file(without_modes=True),
        "file_link": lambda: config_file(link="~/dotfiles/config"),
        "code_page": lambda: misread(
            Misread(4, "[profile prod-zürich]", "[profile prod-zÃ¼rich]"),
            Misread(9, "credential_process", "credential_process"),
            Misread(12, "a comment", None),
        ),
        "profile_incomplete": lambda: replace(
            FINE, config=config(warnings=(ConfigWarning("half", 4, "it lacks sso_role_name", "Add it."),))
        ),
        "section_ignored": lambda: replace(FINE, config=config(ignored=(Place("profile my dev", 12),))),
        "legacy_profiles": lambda: replace(FINE, config=config(LEGACY), tokens=frozen()),
        "profile_unknown": lambda: environ(AWS_PROFILE="dve"),
        "nothing_configured": lambda: replace(
            FINE, config=ConfigFacts(IniFacts(FileFacts(CONFIG))), tokens=frozen()
        ),
        "region_missing": lambda: replace(FINE, config=config(without_region=("dev",))),
        "old_command": lambda: replace(FINE, old_commands=frozen(dev="/old/python does not exist")),
        "credential_process_missing": lambda: replace(FINE, missing_programs=frozen(dev="/old/python")),
        "profile_variables_differ": lambda: environ(AWS_PROFILE="dev", AWS_DEFAULT_PROFILE="default"),
        "empty_file_variable": lambda: environ(AWS_CONFIG_FILE=""),
        "environment_keys": lambda: environ(AWS_ACCESS_KEY_ID="set", AWS_SECRET_ACCESS_KEY="set"),
        "endpoint_refused": lambda: replace(FINE, endpoint_answers=False),
        "half_environment_keys": lambda: environ(AWS_ACCESS_KEY_ID="set"),
        "clock_off": lambda: online(clock_error=timedelta(minutes=-6)),
        "certificate_refused": lambda: online(trouble=ErrorEntry("certificate_refused", "self-signed")),
        "aws_cli_too_old_for_endpoint": lambda: replace(agent(endpoint=True), aws_cli=(2, 9, 19)),
        "assume_role_refused": lambda: agent(
            profiles=frozen(dev=ErrorEntry("assume_role_refused", "HTTP 403: AccessDenied", "Ask its owner."))
        ),
        "profile_setting_refused": lambda: agent(
            profiles=frozen(dev=ErrorEntry("profile_refused", "duration_seconds is 43200", "Take it out."))
        ),
        "network_setting_refused": lambda: told("network_setting_refused"),
        "endpoint_override_failed": lambda: online(
            trouble=ErrorEntry(
                "portal_failed", f"HTTP 501 (localhost:1, which X names {IN_PLACE_OF_AWS})", "-"
            )
        ),
        "endpoint_override": lambda: online(override="AWS_ENDPOINT_URL"),
        "proxy_refused": lambda: online(trouble=ErrorEntry("proxy_refused", "HTTP 407")),
        "unreachable": lambda: online(trouble=ErrorEntry("offline", "refused")),
        "captive_portal": lambda: told("captive_portal"),
        "throttled": lambda: told("throttled"),
        "service_failed": lambda: told("portal_failed"),
        "ca_bundle_missing": lambda: replace(FINE, missing_bundles=frozen(AWS_CA_BUNDLE="/gone.pem")),
        "proxy_only_in_shell": lambda: environ(HTTPS_PROXY="http://proxy:3128"),
        "browser_missing": lambda: replace(FINE, browser=False, surrounding=Surrounding.BARE),
        "loopback_elsewhere": lambda: replace(FINE, surrounding=Surrounding.SSH),
        "agent_not_running": lambda: replace(FINE, agent=AgentFacts()),
        "agent_silent": lambda: replace(
            FINE, agent=AgentFacts(trouble=ErrorEntry("agent_silent", "nothing came"))
        ),
        "agent_version_differs": lambda: agent(version="0.0.9"),
        "agent_trouble": lambda: agent(
            problems=(ErrorEntry("file_contended", "it is rewritten", "Find it."),)
        ),
        "desktop_part_missing": lambda: agent(desktop=frozen(tray=PartStatus(None, "no bus"))),
        "desktop_part_served": lambda: agent(desktop=frozen(tray=PartStatus("status_notifier"))),
        "autostart_old": lambda: replace(
            FINE, autostart=AutostartFacts(True, "it starts /gone", "/gone/python does not exist")
        ),
        "systemd_unit_old": lambda: replace(
            FINE,
            old_units=(OldUnit("~/.config/systemd/user/c.service", "c.service", "/x is gone", "/p/python"),),
        ),
        "autostart_stale": lambda: replace(FINE, autostart=AutostartFacts(True, "it starts something else")),
        "settings_broken": lambda: replace(FINE, settings=SettingsFacts("~/settings.toml", "no TOML", 3)),
        "policy_mistake": lambda: replace(
            FINE,
            settings=SettingsFacts(policy_mistakes=("/etc/credtray/policy.toml: histori is not a setting",)),
        ),
        "policy": lambda: replace(
            FINE, settings=SettingsFacts(locked=("history",), policy_places=("/etc/credtray/policy.toml",))
        ),
        "aws_cli_old": lambda: replace(FINE, aws_cli=(2, 9, 19)),
        "network_fine": lambda: online(clock_error=timedelta(minutes=5)),
        "not_looked_at": lambda: replace(FINE, unknown=("the agent: no answer within 2 s",)),
    }
)
"""Code -> facts on which it is found. Those on which all is fine have none of these."""

ONLY_EXPLAINED = frozenset(kind.code for kind in ONLY_IN_TEXTS)
"""Nothing on the computer shows these: they are in the text of an error alone."""

ALWAYS_FINE = frozenset({"signed_in", "agent_running"})
"""What is found where all is fine."""
