"""What programs have to do for keys that are not written into the credentials file. Words only."""

from __future__ import annotations

from typing import Any

from credtray.core.shell_words import argument

FILE, PROCESS, ENDPOINT = "file", "process", "endpoint"
_NAMES = {PROCESS: "credential_process", ENDPOINT: "the local endpoint"}


def delivery_of(item: dict[str, Any]) -> str:
    """Return how a profile of the status document is delivered."""
    return str(item.get("delivery", FILE))  # an older agent knows only files


def way(item: dict[str, Any]) -> str:
    """Return how programs get the keys, in words; nothing for those of the credentials file."""
    return _NAMES.get(delivery_of(item), "")


def what_to_do(item: dict[str, Any]) -> str:
    """Return what a person does so that a program uses the keys; nothing for those of the file."""
    name = str(item["name"])
    match delivery_of(item):
        case "endpoint":
            return f"Programs find them with what this prints: credtray endpoint {argument(name)}"
        case "process":
            from credtray.desktop.credential_command import (
                credential_process_command,
            )

            return (
                "Programs find them with this line in a profile of the config file without sso_ settings:\n"
                f"  credential_process = {credential_process_command(name)}"
            )
        case _:
            return ""
