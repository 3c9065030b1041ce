"""The environment of a child that is to act as one profile and as nobody else. Pure.

Starts nothing, reads nothing and imports nothing dear: each `credtray exec` waits for it. The config file
that goes with it is in ``child_config``.
"""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False  # as type checkers understand it; importing typing costs more than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

MARKER = "CREDTRAY_PROFILE"
"""Tells a prompt, and a nested command, whose credentials these are."""

CONFIG_FILE, CREDENTIALS_FILE = "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"
OUTER_CONFIG_FILE, OUTER_CREDENTIALS_FILE = "CREDTRAY_OUTER_CONFIG_FILE", "CREDTRAY_OUTER_CREDENTIALS_FILE"
"""What the two were before; empty where they were not set."""

OUR_SUFFIX = ".credtray"
"""Ends the names of the files that we put there instead: by it a nested command knows them."""

REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
"""The SDKs read the former; the AWS CLI and boto3 read the latter, too."""

_KEYS = "keys of somebody else"
_ROLE = "makes an SDK assume another role"
_PROFILE = "chooses another profile"
_SERVER = "another server of credentials"
_REGION = "the profile decides on the region"
_PEER = "another program's mark: what it says is not true of the child"

_NOTHING, _ENDPOINT, _BOTH = "", "endpoint", "endpoint and keys"
_CHOOSING = (
    # name, what it does, what of ours it overrides for a program that sees both
    ("AWS_ACCESS_KEY_ID", _KEYS, _ENDPOINT),
    ("AWS_SECRET_ACCESS_KEY", _KEYS, _ENDPOINT),
    ("AWS_SESSION_TOKEN", _KEYS, _ENDPOINT),
    ("AWS_SECURITY_TOKEN", "read before AWS_SESSION_TOKEN by botocore 1.44 (EnvProvider)", _BOTH),
    ("AWS_ACCESS_KEY", "keys as the SDK for Java 1.x spells them", _NOTHING),
    ("AWS_SECRET_KEY", "keys as the SDK for Java 1.x spells them", _NOTHING),
    ("AWS_CREDENTIAL_EXPIRATION", "the end of others' keys: botocore refuses ours after it", _ENDPOINT),
    ("AWS_SESSION_EXPIRATION", "the same, as aws-vault spelled it", _NOTHING),
    ("AWS_CREDENTIAL_FILE", "keys of boto 2", _NOTHING),
    ("AWS_ACCOUNT_ID", "botocore 1.44 takes it for the account of the keys", _NOTHING),
    ("AWS_BEARER_TOKEN_*", "a token that is used instead of keys", _NOTHING),
    # With AWS_PROFILE the SDK for JavaScript 3.840 ignores keys in variables (credential-provider-node), and
    # botocore 1.44 ends with ProfileNotFound when there is no such profile, though the keys win otherwise.
    ("AWS_PROFILE", _PROFILE, _BOTH),
    ("AWS_DEFAULT_PROFILE", "read before AWS_PROFILE by botocore, after it by the AWS CLI", _BOTH),
    ("AWS_ROLE_ARN", _ROLE, _ENDPOINT),
    ("AWS_ROLE_SESSION_NAME", _ROLE, _NOTHING),
    ("AWS_IAM_ROLE_ARN", "the same, as the SDK for Java spells it", _NOTHING),
    ("AWS_IAM_ROLE_SESSION_NAME", "the same, as the SDK for Java spells it", _NOTHING),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", _ROLE, _ENDPOINT),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "read before the full address by botocore", _ENDPOINT),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "read before the token's file by the SDK for JavaScript 3.840 (credential-provider-http)",
        _ENDPOINT,
    ),
    ("AWS_CONTAINER_*", _SERVER, _NOTHING),
    ("AWS_LOGIN_*", "a sign-in of `aws login`", _NOTHING),
    ("AWS_REGION", _REGION, _NOTHING),
    ("AWS_DEFAULT_REGION", _REGION, _NOTHING),
    ("AWS_VAULT", _PEER, _NOTHING),
    ("AWS_VAULT_*", _PEER, _NOTHING),
    ("AWS_SSO", _PEER, _NOTHING),
    ("AWS_SSO_*", _PEER, _NOTHING),
    ("AWSUME_*", _PEER, _NOTHING),
    ("GRANTED_*", _PEER, _NOTHING),
    (MARKER, "an outer `credtray exec`", _NOTHING),
    (OUTER_CONFIG_FILE, "an outer `credtray exec`", _NOTHING),
    (OUTER_CREDENTIALS_FILE, "an outer `credtray exec`", _NOTHING),
    ("_AWS_CLI_PROFILE_CHAIN", "the AWS CLI's guard against profiles that call themselves", _NOTHING),
)
"""Every variable that chooses credentials, profile or region; a ``*`` at the end stands for anything.

Everything else stays: proxies, AWS_CA_BUNDLE, AWS_ENDPOINT_URL*, AWS_CONFIG_FILE, AWS_MAX_ATTEMPTS and
others choose the way, not who goes it.
"""

REMOVED: Mapping[str, str] = MappingProxyType({name: reason for name, reason, _ in _CHOOSING})
"""What a child does not inherit, each with the reason."""
OVER_KEYS = tuple(name for name, _, ours in _CHOOSING if ours == _BOTH)
"""What has to go for keys in variables to count."""
OVER_ENDPOINT = tuple(name for name, _, ours in _CHOOSING if ours != _NOTHING)
"""What has to go for the local endpoint to count: it is the last but one place where botocore 1.44 looks."""


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """Return it without everything that chooses credentials, profile or region; see ``REMOVED``."""
    outer = outside(environ)
    return {name: value for name, value in outer.items() if not _removed(name)}


def _removed(name: str) -> bool:
    known = name.upper()  # Windows tells no capitals from small letters
    if known in REMOVED:
        return True
    return any(each.endswith("*") and known.startswith(each[:-1]) for each in REMOVED)


def outside(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as it names files outside of `credtray exec`: for a command run inside.

    A file that somebody named inside stays.
    """
    found = dict(environ)
    for name, outer in ((CONFIG_FILE, OUTER_CONFIG_FILE), (CREDENTIALS_FILE, OUTER_CREDENTIALS_FILE)):
        before = found.pop(outer, None)
        if before is None or not found.get(name, "").endswith(OUR_SUFFIX):
            continue
        if before:
            found[name] = before
        else:
            del found[name]
    return found


def step_out(environ: MutableMapping[str, str]) -> None:
    """Make it name the files that it names outside of `credtray exec`; see ``outside``."""
    if MARKER not in environ:
        return
    wanted = outside(environ)
    for name in environ.keys() - wanted.keys():
        del environ[name]
    environ.update(wanted)


def with_keys(
    environ: Mapping[str, str], profile: str, keys: Mapping[str, str], region: str | None
) -> dict[str, str]:
    """Return the environment of a child that gets static keys: the first thing every SDK looks at.

    The secrets are in it in plain text: it is for the child alone.

    Args:
        environ: the caller's.
        profile: whose keys.
        keys: the object of the credential_process contract.
        region: that goes with them.
    """
    return {
        **cleaned(environ),
        **_marked(profile, region),
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": keys["Expiration"],
    }


def with_endpoint(
    environ: Mapping[str, str],
    profile: str,
    endpoint: tuple[str, str],
    files: tuple[str, str],
    region: str | None,
) -> dict[str, str]:
    """Return the environment of a child that fetches its credentials, so that they never grow old.

    What SDKs look at before is empty or ours: the environment and both files. What they look at afterwards,
    the role of the machine, is switched off: the SDK for Java would go on to it when a fetch fails.

    Args:
        environ: the caller's.
        profile: whose credentials.
        endpoint: its address, and the file with its token.
        files: config file and credentials file for the child; their names end with ``OUR_SUFFIX``.
        region: that goes with them.
    """
    outer = outside(environ)
    return {
        **cleaned(environ),
        **_marked(profile, region),
        CONFIG_FILE: files[0],
        CREDENTIALS_FILE: files[1],
        OUTER_CONFIG_FILE: outer.get(CONFIG_FILE, ""),
        OUTER_CREDENTIALS_FILE: outer.get(CREDENTIALS_FILE, ""),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint[0],
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": endpoint[1],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _marked(profile: str, region: str | None) -> dict[str, str]:
    return {MARKER: profile, **(dict.fromkeys(REGIONS, region) if region else {})}
