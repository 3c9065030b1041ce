"""What containers get of a shared profile: a directory with a socket, and variables that lead there.

Makes texts only. One directory is for one profile, and is never the agent's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from credtray.core.shell_words import command_line

MOUNT = "/run/credtray"
"""Where the directory is in a container; packaging/devcontainer-feature says the same."""
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "AWS_CONFIG_FILE": f"{MOUNT}/config",
        # A profile with keys of its own, in the usual file, would go before this one.
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_SDK_LOAD_CONFIG": "1",
    }
)
_IMAGE = ("amazon/aws-cli", "sts", "get-caller-identity")


def container_host(name: str) -> str:
    """Return what the other side is called in lists, menus and on the page."""
    return f"container {name}"


def container_config(region: str | None, origin: str) -> bytes:
    """Return the config file of a container: its programs need name no profile."""
    lines = ["[default]", f'credential_process = sh {MOUNT}/keys.get "{origin}"']
    if region is not None:
        lines.append(f"region = {region}")
    return "".join(f"{line}\n" for line in lines).encode()


def docker_words(place: PurePath) -> str:
    """Return the command that starts a container which can use it."""
    words = ["docker", "run", "--rm", "--mount", f"type=bind,source={place},target={MOUNT},readonly"]
    for name, value in VARIABLES.items():
        words += ["-e", f"{name}={value}"]
    return command_line([*words, *_IMAGE], windows=False)


def compose_words(place: PurePath) -> str:
    """Return the same as a service of a compose file."""
    variables = "".join(f"          {name}: {_quoted(value)}\n" for name, value in VARIABLES.items())
    return f"""\
    services:
      aws:
        image: amazon/aws-cli
        command: sts get-caller-identity
        volumes:
          - type: bind
            source: {_quoted(str(place))}
            target: {MOUNT}
            read_only: true
        environment:
{variables}"""


def _quoted(text: str) -> str:
    """Return a text of YAML, in which compose would replace a dollar."""
    return "'" + text.replace("'", "''").replace("$", "$$") + "'"
