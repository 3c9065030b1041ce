"""Which sso-session `credtray setup` is about: an existing one, a preset, or a new one from options.

Checks addresses and names before anything is sent anywhere. Writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from credtray.core import naming
from credtray.core.addresses import (
    DEFAULT_SCOPES,
    PRESETS,
    Preset,
    check_region,
    same_portal_address,
    start_url_kind,
)
from credtray.core.durations import parse_duration
from credtray.core.errors import UsageError
from credtray.core.expiry import SHORTEST_SIGN_IN
from credtray.core.models import AwsConfig, SsoSession
from credtray.core.words import did_you_mean

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")
_HOURS = re.compile(r"[0-9]{1,4}([.][0-9]{1,2})?\Z")
_LONGEST_SIGN_IN = timedelta(days=90)
_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]*\Z")


@dataclass(frozen=True, slots=True)
class SessionWish:
    """What was said about the session on the command line; None: not said."""

    preset: str | None = None
    name: str | None = None
    start_url: str | None = None
    region: str | None = None
    scopes: tuple[str, ...] | None = None
    duration: timedelta | None = None
    """How long a sign-in lasts there."""

    @property
    def silent(self) -> bool:
        """True when nothing was said at all."""
        return replace(self, duration=None) == SessionWish()


def known_session(wish: SessionWish, config: AwsConfig) -> SsoSession | None:
    """Return the session when it is in the config file already.

    Raises:
        UsageError: an unknown preset, or the file says something else than the options.
    """
    name = wish.name or wish.preset
    found = config.sessions.get(name) if name else None
    if found is None or found.legacy:
        return None
    said: Mapping[str, tuple[object, object]] = {
        "--start-url": (wish.start_url, found.start_url),
        "--region": (wish.region, found.region),
        "--scopes": (wish.scopes, found.scopes),
    }
    for option, (said_value, there) in said.items():
        if said_value is not None and said_value != there and not _same_address(option, said_value, there):
            raise UsageError(
                f"The config file has an sso-session {name} with another {option[2:]} ({there})",
                hint=f"Leave out {option} to extend it, or choose another --session.",
            )
    return found


def _same_address(option: str, said: object, there: object) -> bool:
    return option == "--start-url" and same_portal_address(str(said), str(there))


def preset_of(wish: SessionWish) -> Preset | None:
    """Return the preset that was asked for, by argument or by its session's name.

    Raises:
        UsageError: there is none of that name; the nearest are offered.
    """
    if wish.preset is None:
        return PRESETS.get(wish.name or "") if wish.start_url is None else None
    if wish.preset not in PRESETS:
        raise UsageError(
            f"There is no preset or sso-session named {wish.preset!r}.{did_you_mean(wish.preset, PRESETS)}",
            hint=f"Presets: {', '.join(PRESETS)}. For any other organisation, give --start-url and --region.",
        )
    return PRESETS[wish.preset]


def new_session(wish: SessionWish, config: AwsConfig) -> SsoSession:
    """Return the session the options (and the preset behind them) describe, checked.

    Raises:
        UsageError: something is missing, or the name is taken by something else.
        StartUrlRefused, RegionRefused: an address no sign-in may be sent to.
    """
    preset = preset_of(wish)
    start_url = wish.start_url or (preset.start_url if preset else None)
    region = wish.region or (preset.region if preset else None)
    name = wish.name or (preset.session if preset else None)
    parts = {"--session": name, "--start-url": start_url, "--region": region}
    missing = [option for option, value in parts.items() if value is None]
    if name is None or start_url is None or region is None:
        raise UsageError(f"{', '.join(missing)} missing", hint="Or name a preset: credtray setup synderys")
    check_session_name(name, config)
    start_url_kind(start_url)
    check_region(region)
    return SsoSession(name, start_url, region, wish.scopes or (preset.scopes if preset else DEFAULT_SCOPES))


def check_session_name(name: str, config: AwsConfig) -> None:
    """Check a name for a new session.

    Raises:
        UsageError: characters that not every tool reads back, or the name is taken.
    """
    if not _NAME.match(name):
        raise UsageError(f"The session name {name!a} may only contain letters, digits and . _ @ + -")
    if name in config.sessions:
        raise UsageError(f"There is an sso-session {name} already")


def read_scopes(text: str | None) -> tuple[str, ...] | None:
    """Read --scopes.

    Raises:
        UsageError: not a comma separated list of scopes.
    """
    if text is None:
        return None
    scopes = tuple(scope.strip() for scope in text.split(",") if scope.strip())
    if not scopes or not all(_SCOPE.match(scope) for scope in scopes):
        raise UsageError(f"--scopes {text!a} is not a list such as sso:account:access")
    return scopes


def read_length(text: str) -> timedelta | None:
    """Read how long a sign-in lasts: hours (``8``, ``7.5``) or a duration (``12h``); None for nothing.

    Raises:
        UsageError: it is neither, or not between 15 minutes and 90 days, which is what AWS allows.
    """
    said = text.strip().lower().removesuffix("hours").removesuffix("hour").replace(" ", "")
    if not said:
        return None
    try:
        length = timedelta(hours=float(said)) if _HOURS.match(said) else parse_duration(said)
    except ValueError:
        raise UsageError(f"{text!a} is not a number of hours, nor a duration such as 8h or 90m") from None
    length = timedelta(minutes=round(length.total_seconds() / 60))
    if not SHORTEST_SIGN_IN <= length <= _LONGEST_SIGN_IN:
        raise UsageError(f"{text!a}: AWS allows sign-ins of 15 minutes to 90 days")
    return length


def suggested_name(start_url: str, config: AwsConfig) -> str:
    """Return a session name for a start URL: the organisation's part of the host name."""
    return naming.suggested_name(start_url, config.sessions)
