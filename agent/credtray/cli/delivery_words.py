"""What programs have to do for keys that are not written into the credentials file. Words only."""

from __future__ import annotations

from credtray.core.models import Delivery
from credtray.core.protocol.results import ProfileStatus
from credtray.core.words import argument

_NAMES = {Delivery.PROCESS: "credential_process", Delivery.ENDPOINT: "the local endpoint"}


def way(item: ProfileStatus) -> str:
    """Return how programs get the keys, in words; nothing for those of the credentials file."""
    return _NAMES.get(item.delivery, "")


def what_to_do(item: ProfileStatus) -> str:
    """Return what a person does so that a program uses the keys; nothing for those of the file."""
    name = item.name
    match item.delivery:
        case Delivery.ENDPOINT:
            return f"Programs find them with what this prints: credtray endpoint {argument(name)}"
        case Delivery.PROCESS:
            from credtray.desktop.autostart import credential_process_command

            return (
                "Programs find them with this line in a profile of the config file without sso_ settings:\n"
                f"  credential_process = {credential_process_command(name)}"
            )
        case _:
            return ""
