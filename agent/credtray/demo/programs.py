"""The programs of the demo that need keys: each gets them in its own way, and says who it is with them.

Each is the real thing in a process of its own; raises ``Missing`` when it is not who it should be.
"""

from __future__ import annotations

import json
import shlex
import sys
from datetime import datetime, timedelta

from credtray.core.durations import short
from credtray.demo.stage import Missing, Stage
from credtray.demo.timeline import Timeline
from credtray.desktop.autostart import credential_process_command

_LEAST = timedelta(minutes=15)
_WHO_AM_I = """
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
"""


class Programs:
    """Asks for keys as programs do."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self._stage = stage
        self._told = timeline

    def told_no_profile(self, role: str) -> None:
        """Let boto3 use whatever is the default."""
        account, name = self._who("asked", role, self._stage.python("asked", "-c", _WHO_AM_I))
        self._told.tell("asked", f"boto3, told no profile, is {name} as {role} in {account}")

    def credential_process(self, profile: str) -> None:
        """Run what stands behind ``credential_process`` in a config file."""
        command = credential_process_command(profile)
        answer = json.loads(self._stage.python("asked", *shlex.split(command)[1:]))
        left = datetime.fromisoformat(answer["Expiration"]) - self._stage.clock.now()
        if left < _LEAST:
            raise Missing("asked", f"credential_process got keys with {short(left)} left")
        self._told.tell("asked", f"credential_process of {profile}: keys good for {short(left)}")

    def child(self, profile: str, role: str) -> None:
        """Run a program that knows nothing of profiles under `credtray exec`."""
        words = ("exec", profile, "--for", "45m", "--", sys.executable, "-I", "-c", _WHO_AM_I)
        _, name = self._who("ran", role, self._stage.credtray("ran", *words).out.strip())
        self._told.tell("ran", f"credtray exec {profile}: the program is {name} as {role}")

    def _who(self, step: str, role: str, arn: str) -> tuple[str, str]:
        """Return the account and the person of an assumed role's ARN."""
        account, _, assumed = arn.partition("::")[2].partition(":assumed-role/AWSReservedSSO_")
        if not assumed.startswith(f"{role}_"):
            raise Missing(step, f"it is {arn}, not {role}")
        return account, assumed.rpartition("/")[2]
