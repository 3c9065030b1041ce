"""The two files `credtray exec` has its child read instead of the user's. Holds no key and no token.

Imports what costs only when there is something to write: mostly the files are there from the last time.
"""

from __future__ import annotations

import os
import shlex
import sys

from credtray.core import ini
from credtray.core.child_environment import CONFIG_FILE, CREDENTIALS_FILE, OUR_SUFFIX, outside
from credtray.core.config.sections import Section, read_config
from credtray.core.config.sso import merged, whole_credentials
from credtray.core.ini.text import encode
from credtray.desktop.socket_path import socket_paths

_FOLDER = "exec"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
"""No capitals: the disks of macOS and Windows take ``Dev`` and ``dev`` for one file."""
_LONGEST_NAME = 120
_NO_KEYS = "+no-keys"
"""No profile's file is called that: a plus sign in a name is written otherwise."""


def files_of(profile: str) -> tuple[str, str]:
    """Return the config file and the credentials file of this profile's children.

    The former is written anew when one of the user's two files has changed.

    Raises:
        ConfigInvalid: the user's config file is broken.
        CredtrayError: a file cannot be read or written.
    """
    folder = f"{_directory()}/{_FOLDER}"
    config, credentials = f"{folder}/{_named(profile)}{OUR_SUFFIX}", f"{folder}/{_NO_KEYS}{OUR_SUFFIX}"
    sources = _source(CONFIG_FILE, "~/.aws/config"), _source(CREDENTIALS_FILE, "~/.aws/credentials")
    stamp = _stamp(sources)
    if not _made_from(config, stamp):
        _write(config, stamp, sources, profile)
    if not os.path.exists(credentials):  # noqa: PTH110 -- pathlib is dear
        _put(credentials, b"")
    return config, credentials


def _directory() -> str:
    """Return our runtime directory, beside the agent's socket; as ``desktop.paths`` finds it, for less."""
    if sys.platform == "win32":
        from credtray.desktop.paths import runtime_directory

        return str(runtime_directory())
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        directories = [os.path.dirname(path) for path in socket_paths()]  # noqa: PTH120 -- pathlib is dear
        for directory in directories[:-1]:
            try:
                above = os.path.dirname(directory)  # noqa: PTH120 -- pathlib is dear
                if os.stat(above).st_uid == os.geteuid():  # noqa: PTH116 -- pathlib is dear
                    return directory
            except OSError:
                continue
        return directories[-1]


def _named(profile: str) -> str:
    """Return a file name that no other profile's children have: its file says whose credentials they get."""
    # The number ends with a point: without it "a 13b" and "a\u2013b" were one name.
    name = "".join(each if each in _PLAIN else f"%{ord(each):x}." for each in profile)
    if len(name) <= _LONGEST_NAME:
        return name
    import hashlib

    return "+" + hashlib.sha256(profile.encode(errors="surrogatepass")).hexdigest()


def _source(variable: str, usual: str) -> str:
    path = outside(os.environ).get(variable) or usual
    return os.path.abspath(os.path.expanduser(os.path.expandvars(path)))  # noqa: PTH100, PTH111 -- as botocore


def _stamp(sources: tuple[str, str]) -> str:
    """Return the first line of a file made from these two as they are, by this very credtray."""
    seen = " and ".join(f"{source!a} {_seen(source)}" for source in sources)
    return f"# made by credtray exec from {seen} with {sys.executable!a} {__file__!a}\n"


def _seen(source: str) -> str:
    try:
        found = os.stat(source)  # noqa: PTH116 -- pathlib is dear
    except OSError:
        return "absent"
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _made_from(path: str, stamp: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- pathlib is dear
            return file.readline() == stamp.encode()
    except OSError:
        return False


def _write(made: str, stamp: str, sources: tuple[str, str], profile: str) -> None:
    from credtray.core.errors import CredtrayError
    from credtray.desktop.autostart import credential_process_command

    config = _content(sources[0])
    try:
        credentials = _content(sources[1])
    except CredtrayError:  # it is of no use to the child, and the profile can do without
        credentials = b""
    process = credential_process_command(profile)
    _put(made, stamp.encode() + child_config(config, credentials, profile, process))


def _content(source: str) -> bytes:
    from pathlib import Path

    from credtray.files.atomic_file import INI_LIMIT, is_null, read_bounded

    path = Path(source)
    return b"" if is_null(path) else read_bounded(path, INI_LIMIT) or b""


def _put(path: str, data: bytes) -> None:
    from pathlib import Path

    from credtray.files.atomic_file import write_atomically

    write_atomically(Path(path), data)


# The config file of a child that acts as one profile: its settings, and credtray for its credentials. Pure.
#
# Copies no key and no other profile: a child cannot take what it cannot see.


KEPT = frozenset(
    {"region", "output", "ca_bundle", "services", "endpoint_url", "ignore_configured_endpoint_urls"}
    | {"api_versions", "parameter_validation", "tcp_keepalive", "retry_mode", "max_attempts", "defaults_mode"}
    | {"use_dualstack_endpoint", "use_fips_endpoint", "endpoint_discovery_enabled", "auth_scheme_preference"}
    | {"sts_regional_endpoints", "account_id_endpoint_mode", "sigv4a_signing_region_set", "sdk_ua_app_id"}
    | {"request_checksum_calculation", "response_checksum_validation", "disable_request_compression"}
    | {"request_min_compression_size_bytes", "ec2_metadata_service_endpoint", "user_agent_extra"}
    | {"ec2_metadata_service_endpoint_mode", "metadata_service_timeout", "metadata_service_num_attempts"}
    | {"s3", "s3api", "cloudfront", "emr", "configservice"}
)
"""Settings without any say in credentials (AWS SDKs and Tools reference; botocore 1.44 configprovider.py).

What is new and unknown stays behind: a setting that is lost is noticed, another identity is not.
"""
_KEPT_FAMILIES = ("cli_", "s3_")


def child_config(config: bytes, credentials: bytes, profile: str, process: str) -> bytes:
    """Return the config file of a child.

    ``[default]`` is the profile, and the profile is there under its own name, for who names it.

    Args:
        config: the user's config file.
        credentials: the user's credentials file, which has the last word on each setting.
        profile: whose settings are kept.
        process: the ``credential_process`` of both.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    found = merged(read_config(config), whole_credentials(credentials))
    section = found.profiles.get(profile)
    kept = "" if section is None else _kept(section)
    body = f"{kept}credential_process = {process}\n"
    text = f"[default]\n{body}"
    if profile != "default" and section is not None:
        text += f"\n[{_header(section, profile)}]\n{body}"
    services = found.services.get((section.text("services") if section is not None else None) or "")
    return encode(text) + (b"\n" + ini.text_of(services.span) if services is not None else b"")


def _kept(section: Section) -> str:
    values = section.span.values
    if section.over is not None:
        said = section.over.settings
        values |= {name: value for name, value in section.over.span.values.items() if name in said}
        values |= {name: value for name, value in said.items() if isinstance(value, str)}
    kept = ((name, value) for name, value in values.items() if name in KEPT or _of_a_family(name))
    return "".join(_written(name, value) for name, value in kept)


def _header(section: Section, profile: str) -> str:
    """Return the header as it stands in the config file, or as it would for a profile of the other file."""
    if section.over is None or section.span is not section.over.span:
        return section.span.name
    return f"profile {shlex.quote(profile)}"


def _of_a_family(name: str) -> bool:
    return name.startswith(_KEPT_FAMILIES)


def _written(name: str, value: str) -> str:
    first, *more = value.split("\n")
    lines = [f"{name} = {first}".rstrip(), *(f"    {line}" for line in more if line)]
    return "".join(f"{line}\n" for line in lines)
