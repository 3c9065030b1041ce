"""Gives each wheel the command that its system can start; hatchling calls it, see pyproject.toml.

POSIX: two scripts of packaging/commands, which keep PYTHONPATH and its kind out (docs/adr/0032-isolation.md).
Windows starts no scripts: its wheel has an entry point, from which installers make credtray.exe, and is
tagged for Windows, so that installers there take it before the one for everybody.

``CREDTRAY_WHEEL_FOR=win_amd64`` (or ``win_arm64``, ``posix``) builds for another system than this one.
"""

from __future__ import annotations

import os
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

COMMANDS = ("credtray", "credtray-python", "docker-credential-credtray")


def windows_tag() -> str | None:
    """Return the platform tag of the Windows the wheel is for; None: it is for POSIX systems."""
    wanted = os.environ.get("CREDTRAY_WHEEL_FOR") or ("" if os.name == "nt" else "posix")
    if wanted == "posix":
        return None
    return wanted or sysconfig.get_platform().replace("-", "_").replace(".", "_")


class CommandMetadata(MetadataHookInterface):
    """Names the entry point, or none: pip drops a script that has the name of an entry point."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what ``dynamic`` leaves to us."""
        if windows_tag() is not None:
            metadata["scripts"] = {
                "credtray": "credtray.__main__:main",
                "docker-credential-credtray": "credtray.__main__:docker_credential",
            }


class Commands(BuildHookInterface[Any]):
    """Puts the scripts into the wheel, or tags it for Windows."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 -- hatchling's signature
        """Change what the wheel is made of."""
        tag = windows_tag()
        if tag is None:
            build_data["shared_scripts"] |= {f"packaging/commands/{name}": name for name in COMMANDS}
        else:
            build_data["tag"] = f"py3-none-{tag}"
