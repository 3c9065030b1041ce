"""Organisations credtray knows by name, so that their people type nothing: data, never special cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

DEFAULT_SCOPES = ("sso:account:access",)
"""The one scope credtray needs; the AWS CLI's own default."""

DEFAULT_SIGN_IN_LENGTH = timedelta(hours=8)
"""The service's default for a sign-in (15 minutes to 90 days can be configured)."""


@dataclass(frozen=True, slots=True)
class Preset:
    """What `credtray setup` offers as defaults for one organisation."""

    session: str
    start_url: str
    region: str
    sign_in_length: timedelta
    scopes: tuple[str, ...] = DEFAULT_SCOPES


PRESETS = {
    "synderys": Preset("synderys", "https://aws.synderys.com", "us-east-1", timedelta(hours=4)),
}


def usual_length(session: str) -> timedelta:
    """Return how long a sign-in of this session is expected to last before anything was learned."""
    preset = PRESETS.get(session)
    return preset.sign_in_length if preset else DEFAULT_SIGN_IN_LENGTH
