"""The fast half of `credtray kube-token`: asks the agent for keys and signs, imports next to nothing.

Must not choose a host that somebody has set otherwise: where a variable or the config file may say so, the
command line goes on with botocore, which knows all of that.
"""

from __future__ import annotations

import os
import time
from binascii import b2a_base64

from credtray.credentials_fetch import (
    GIVE_UP_SECONDS,
    NoAnswer,
    ask,
    complain,
    explain,
    issued,
    parsed,
    question,
    without_agent,
    write,
)
from credtray.tokens.presigned import Signer, service_host

NAME = "kube-token"
ASKED = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
HEADER = "x-k8s-aws-id"
URL_SECONDS = 60
TOKEN_SECONDS = 14 * 60
"""The cluster takes it for 15 minutes (AWS CLI 2.9, awscli/customizations/eks/get_token.py)."""
OF_KUBERNETES = "KUBERNETES_EXEC_INFO"
_API = "client.authentication.k8s.io/"
_CURRENT = ("v1beta1", "v1")
_OLD = "v1alpha1"

REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
"""Which go before the profile's region, as in the AWS CLI."""
_HOST_VARIABLES = (
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
)
_HOST_SETTINGS = (
    b"use_fips_endpoint",
    b"use_dualstack_endpoint",
    b"sts_regional_endpoints",
    b"endpoint_url",
)
_SIGNS_OF_A_REGION = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_LONGEST_CLUSTER = 100
_OPTIONS = {"-P": "profile", "--profile": "profile", "--region": "region"}


def answer(arguments: list[str]) -> int | list[str]:
    """Answer ``kube-token CLUSTER --profile P [--region R]`` by asking the agent.

    Returns:
        The exit code; or the arguments the command line is to be run with instead.
    """
    deadline = time.monotonic() + GIVE_UP_SECONDS
    known = _plain(arguments[1:])
    if known is None or _somebody_chose_a_host():
        return arguments
    cluster, profile, region = known["cluster"], known["profile"], known.get("region") or region_around()
    try:
        return _answered(arguments, cluster, profile, region, deadline)
    except NoAnswer as reason:
        return without_agent(reason, deadline, arguments)
    except KeyboardInterrupt:
        return 130


def _answered(
    arguments: list[str], cluster: str, profile: str, region: str, deadline: float
) -> int | list[str]:
    keys = issued(profile, deadline, ',"way":"kube"')
    if isinstance(keys, int):
        return keys
    if not region:
        asked = question(profile, "wait", ',"seconds":0,"keys":true') or b""
        line = ask(asked, deadline)
        reply = parsed(line)
        if "result" not in reply:
            return explain(line)
        region = reply["result"]["region"] or ""
    if not region or not _SIGNS_OF_A_REGION.issuperset(region):
        return arguments  # it says what is wrong with that
    found, now = parsed(keys), time.time()
    signer = Signer(found, region, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)))
    address = signer.address("sts", service_host("sts", region), ASKED, URL_SECONDS, {HEADER: cluster})
    return write(exec_credential(address, found["Expiration"], now))


def _plain(words: list[str]) -> dict[str, str] | None:
    """Return cluster, profile and region; None for whatever else the command line has to read."""
    found: dict[str, str] = {}
    at = 0
    while at < len(words):
        option, mark, value = words[at].partition("=")
        name = _OPTIONS.get(option)
        if name is None:
            name, value = "cluster", words[at]
        elif not mark:
            at += 1
            value = "".join(words[at : at + 1])
        if name in found or not value or (name == "cluster" and not is_cluster(value)):
            return None
        found[name] = value
        at += 1
    return found if "cluster" in found and "profile" in found else None


def is_cluster(name: str) -> bool:
    """Tell whether EKS would take it for a cluster's name (or, on Outposts, for its id)."""
    return (
        0 < len(name) <= _LONGEST_CLUSTER
        and name.isascii()
        and name[0].isalnum()
        and name.replace("-", "").replace("_", "").isalnum()
    )


def region_around() -> str:
    """Return the region that the environment names, or an empty text."""
    return next((os.environ[name] for name in REGIONS if os.environ.get(name)), "")


def _somebody_chose_a_host() -> bool:
    if any(name in os.environ for name in _HOST_VARIABLES):
        return True
    config = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        with open(os.path.expanduser(os.path.expandvars(config)), "rb") as file:  # noqa: PTH111, PTH123 -- pathlib is dear
            text = file.read().lower()
    except OSError:
        return False  # the agent knows the profile, or says why not
    return any(setting in text for setting in _HOST_SETTINGS)


# --- what kubectl reads ------------------------------------------------------------------------------


def exec_credential(address: str, keys_end: str, now: float) -> bytes:
    """Return the line that kubectl reads: the address as a token, and until when it is one.

    The bytes are those of `aws eks get-token`, but for keys that end before the token would.
    """
    plain = b2a_base64(address.encode(), newline=False).decode().rstrip("=")
    token = plain.replace("+", "-").replace("/", "_")
    over = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + TOKEN_SECONDS))
    return (
        f'{{"kind": "ExecCredential", "apiVersion": "{_API}{_version()}", "spec": {{}}, "status": '
        f'{{"expirationTimestamp": "{min(over, keys_end)}", "token": "k8s-aws-v1.{token}"}}}}\n'
    ).encode()


def _version() -> str:
    """Return the version that kubectl asks for; as the AWS CLI does where it asks for none or another one."""
    text = os.environ.get(OF_KUBERNETES, "")
    if not text:
        return _CURRENT[0]
    for version in _CURRENT:  # as kubectl writes it: importing json costs as much as all the rest
        if text.startswith(f'{{"kind":"ExecCredential","apiVersion":"{_API}{version}",'):
            return version
    wanted = _asked_for(text)
    if wanted == _OLD:
        complain(f"Your kubeconfig asks for {_API}{_OLD}, which is outdated. Ask for {_CURRENT[0]} there.", 0)
    elif wanted not in _CURRENT:
        complain(f"{OF_KUBERNETES} asks for no version that credtray knows; it answers in {_CURRENT[0]}.", 0)
        return _CURRENT[0]
    return wanted


def _asked_for(text: str) -> str:
    import json

    try:
        wanted = json.loads(text)["apiVersion"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return wanted.removeprefix(_API) if isinstance(wanted, str) and wanted.startswith(_API) else ""
