"""What can be wrong with network, clock, browser, agent and desktop. Words only; see the rules for when."""

from __future__ import annotations

from credtray.core import shell_words
from credtray.doctor.findings import FindingKind, Group, Repair, Severity

CLOCK_OFF = FindingKind(
    "clock_off",
    Group.NETWORK,
    Severity.BROKEN,
    "This computer's clock is wrong",
    "AWS refuses signatures that are more than about five minutes off, and tokens look older or younger.",
    "Turn on time synchronisation ({command})",
    command=shell_words.SET_CLOCK,
)
CERTIFICATE_REFUSED = FindingKind(
    "certificate_refused",
    Group.NETWORK,
    Severity.BROKEN,
    "A certificate is not trusted",
    "A proxy of your organisation opens TLS and shows a certificate of its own authority, or the clock is "
    "wrong.",
    "Name the authority's file: credtray settings set {ca_bundle_setting} FILE; other programs: "
    "AWS_CA_BUNDLE=FILE",
)
PROXY_REFUSED = FindingKind(
    "proxy_refused",
    Group.NETWORK,
    Severity.BROKEN,
    "The proxy cannot be used",
    "Its address is wrong, it needs a login, or it cannot be reached from this network.",
    "Fix HTTPS_PROXY; for the agent: credtray settings set {proxy_setting} http://HOST:PORT",
)
UNREACHABLE = FindingKind(
    "unreachable",
    Group.NETWORK,
    Severity.BROKEN,
    "AWS cannot be reached",
    "No network, a VPN that is off, a firewall, a region that does not exist, or a proxy that is needed.",
    "Check the network, then: credtray doctor --online",
)
NETWORK_SETTING_REFUSED = FindingKind(
    "network_setting_refused",
    Group.NETWORK,
    Severity.BROKEN,
    "A network setting cannot be used",
    "A proxy, a CA bundle or an address has a value that cannot work; no request was sent.",
    "{hint}",
)
OVERRIDE_FAILED = FindingKind(
    "endpoint_override_failed",
    Group.NETWORK,
    Severity.BROKEN,
    "A custom address does not answer as AWS would",
    "AWS was not asked: a variable or a line of the config file sends requests somewhere else.",
    "{hint}",
)
OVERRIDE_REACHED = FindingKind(
    "endpoint_override",
    Group.NETWORK,
    Severity.NOTE,
    "A custom address in place of AWS's can be reached",
    "A variable or a line of the config file sends requests somewhere else; AWS itself was not asked.",
    "If you did not intend that, remove {source}",
)
CAPTIVE_PORTAL = FindingKind(
    "captive_portal",
    Group.NETWORK,
    Severity.BROKEN,
    "The network answers in place of AWS",
    "A hotel, train or guest Wi-Fi (or a proxy) answers with its own page and status 200.",
    "Open any web page, sign in to the network there, then try again",
)
THROTTLED = FindingKind(
    "throttled",
    Group.NETWORK,
    Severity.WARNING,
    "The portal asks credtray to slow down",
    "Too many programs asked it at once; programs that do not use credtray each ask separately.",
    "Wait a minute. With the agent, all programs share one answer: credtray start",
)
SERVICE_FAILED = FindingKind(
    "service_failed",
    Group.NETWORK,
    Severity.WARNING,
    "AWS has an internal problem",
    "The service itself reported an error.",
    "Try again later; see https://health.aws.amazon.com",
)
BUNDLE_MISSING = FindingKind(
    "ca_bundle_missing",
    Group.NETWORK,
    Severity.BROKEN,
    "A CA bundle cannot be read",
    "The file was moved, or the variable holds a path from another computer.",
    "Correct or unset {name}",
)
PROXY_IN_SHELL = FindingKind(
    "proxy_only_in_shell",
    Group.NETWORK,
    Severity.NOTE,
    "Proxy or CA settings are missing for an agent that starts at login",
    "They are set in this shell only; programs that the desktop starts do not inherit them.",
    "Run: credtray settings set {setting} {value}",
)
NETWORK_FINE = FindingKind(
    "network_fine",
    Group.NETWORK,
    Severity.FINE,
    "AWS can be reached",
    "A TLS connection to the services of the session works.",
    "Nothing to do.",
)
BROWSER_MISSING = FindingKind(
    "browser_missing",
    Group.AGENT,
    Severity.WARNING,
    "No browser can be opened from here",
    "There is no desktop in this session, and BROWSER is not set to a command.",
    "Sign in with a code on any device: credtray login --device",
)
LOOPBACK_ELSEWHERE = FindingKind(
    "loopback_elsewhere",
    Group.AGENT,
    Severity.NOTE,
    "Your browser may be on a different computer from credtray",
    "After the sign-in the browser opens 127.0.0.1; in SSH, WSL and containers that may be another computer.",
    "Sign in with a code: credtray login --device; for good: "
    "credtray settings set {device_flow_setting} true",
)
AGENT_MISSING = FindingKind(
    "agent_not_running",
    Group.AGENT,
    Severity.WARNING,
    "The agent is not running",
    "Nothing renews tokens and keys in advance; programs fetch them when they need them.",
    "Run: credtray autostart enable --now",
)
AGENT_SILENT = FindingKind(
    "agent_silent",
    Group.AGENT,
    Severity.BROKEN,
    "The agent does not answer",
    "It runs, but gives no proper answer, or commands cannot reach it safely.",
    "Restart it: credtray restart",
)
AGENT_VERSION = FindingKind(
    "agent_version_differs",
    Group.AGENT,
    Severity.WARNING,
    "The running agent and this command are different versions",
    "credtray was updated while the agent ran, or two installations are in use.",
    "Restart it: credtray restart",
)
AGENT_TROUBLE = FindingKind(
    "agent_trouble",
    Group.AGENT,
    Severity.WARNING,
    "The agent reports a problem",
    "The text is the agent's own.",
    "{hint}",
)
AGENT_FINE = FindingKind(
    "agent_running", Group.AGENT, Severity.FINE, "The agent runs", "It answers.", "Nothing to do."
)
DESKTOP_MISSING = FindingKind(
    "desktop_part_missing",
    Group.AGENT,
    Severity.NOTE,
    "Part of the desktop is not supported",
    "The icon, notifications or the lock screen cannot be used; everything else works.",
    "See `credtray help tray-and-notifications`; `credtray status --watch` shows the same",
)
DESKTOP_SERVED = FindingKind(
    "desktop_part_served",
    Group.AGENT,
    Severity.FINE,
    "Part of the desktop is supported",
    "This is what shows it.",
    "Nothing to do.",
)
AUTOSTART_STALE = FindingKind(
    "autostart_stale",
    Group.AGENT,
    Severity.WARNING,
    "What starts at login is not this credtray",
    "It was moved or reinstalled, or switched off in the desktop's settings.",
    "Run: credtray autostart enable",
)
AUTOSTART_OLD = FindingKind(
    "autostart_old",
    Group.AGENT,
    Severity.WARNING,
    "What starts at login is a credtray that no longer exists",
    "credtray was updated, moved or reinstalled, and the entry that your desktop starts is an old one.",
    "Run: credtray repair old_autostart",
    Repair.OLD_AUTOSTART,
)
UNIT_OLD = FindingKind(
    "systemd_unit_old",
    Group.AGENT,
    Severity.WARNING,
    "A systemd unit starts a credtray that no longer exists",
    "credtray was updated, moved or reinstalled; the unit in your home directory still has the old command.",
    "Set ExecStart={program} in {unit}, then run: systemctl --user daemon-reload"
    " && systemctl --user restart {name}",
)
SETTINGS_BROKEN = FindingKind(
    "settings_broken",
    Group.AGENT,
    Severity.BROKEN,
    "settings.toml cannot be used",
    "A line is not valid TOML, or a setting is unknown or wrong; the last good settings stay in use.",
    "Fix {place}",
)
POLICY_MISTAKE = FindingKind(
    "policy_mistake",
    Group.AGENT,
    Severity.WARNING,
    "The policy of your organisation has a mistake",
    "What is wrong is not used: your own settings count there. All else that the policy sets still holds.",
    "Tell whoever looks after your computer; the file and the mistake are named above",
)
POLICY = FindingKind(
    "policy",
    Group.AGENT,
    Severity.NOTE,
    "Your organisation sets some of the settings",
    "They count more than your own and cannot be changed with `credtray settings` or on the page.",
    "Nothing to do. Questions: whoever looks after your computer",
)
AWS_CLI_OLD = FindingKind(
    "aws_cli_old",
    Group.AGENT,
    Severity.NOTE,
    "The AWS CLI is old",
    "Version 1 has no `aws sso login`; before 2.9 no sso-session; before 2.13 no endpoint settings; before "
    "2.22 no browser sign-in with PKCE.",
    "Update the AWS CLI to 2.22 or later; credtray signs in for any version",
)
AWS_CLI_MISSING = FindingKind(
    "aws_cli_missing",
    Group.AGENT,
    Severity.BROKEN,
    "The AWS CLI was not found",
    "A program runs `aws` to get keys, as kubectl does for EKS, and it is not on its PATH.",
    "Install the AWS CLI 2.22 or later, or write its full path where it is named",
)
AWS_CLI_WITHOUT_TOKEN_FILE = FindingKind(
    "aws_cli_too_old_for_endpoint",
    Group.AGENT,
    Severity.WARNING,
    "The AWS CLI is too old for the credentials endpoint",
    "It does not read AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, so it asks without a token and is refused.",
    "Update the AWS CLI; until then: credtray exec PROFILE --env -- COMMAND",
)
NOT_LOOKED = FindingKind(
    "not_looked_at",
    Group.AGENT,
    Severity.NOTE,
    "Something took too long to answer",
    "Each check may take two seconds; a network file system or a hanging program needs longer.",
    "Run: credtray doctor",
)

KINDS = (
    CLOCK_OFF,
    CERTIFICATE_REFUSED,
    PROXY_REFUSED,
    UNREACHABLE,
    NETWORK_SETTING_REFUSED,
    OVERRIDE_FAILED,
    OVERRIDE_REACHED,
    CAPTIVE_PORTAL,
    THROTTLED,
    SERVICE_FAILED,
    BUNDLE_MISSING,
    PROXY_IN_SHELL,
    NETWORK_FINE,
    BROWSER_MISSING,
    LOOPBACK_ELSEWHERE,
    AGENT_MISSING,
    AGENT_SILENT,
    AGENT_VERSION,
    AGENT_TROUBLE,
    AGENT_FINE,
    DESKTOP_MISSING,
    DESKTOP_SERVED,
    AUTOSTART_STALE,
    AUTOSTART_OLD,
    UNIT_OLD,
    SETTINGS_BROKEN,
    POLICY_MISTAKE,
    POLICY,
    AWS_CLI_OLD,
    AWS_CLI_MISSING,
    AWS_CLI_WITHOUT_TOKEN_FILE,
    NOT_LOOKED,
)
