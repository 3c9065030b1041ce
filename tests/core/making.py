"""Makes the values tests talk about, with sensible defaults."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import FrameType

from credtray.core.apply import apply
from credtray.core.events import Activated, Begun, ConfigLoaded, Event, Fetched, MarksRead, SignedIn
from credtray.core.models import (
    AccessToken,
    AwsConfig,
    ClientRegistration,
    Profile,
    RoleCredentials,
    Secret,
    SsoSession,
)
from credtray.core.policy import FetchRoleCredentials, RefreshToken, SyncCredentialsFile
from credtray.core.settings import Settings
from credtray.core.state import State

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def session(name: str = "corp", *, legacy: bool = False) -> SsoSession:
    return SsoSession(name, "https://d-9067000001.awsapps.com/start", "us-east-1", legacy=legacy)


def profile(name: str = "dev", of: str = "corp", role: str = "Admin") -> Profile:
    return Profile(name, of, "111100000000", role, region="eu-west-1")


def registration(now: datetime = NOON) -> ClientRegistration:
    return ClientRegistration("client", Secret("client-secret"), now + timedelta(days=90))


def token(
    now: datetime = NOON, life: timedelta = HOUR, *, name: str = "t0", refreshable: bool = True
) -> AccessToken:
    refresh = Secret(f"r-{name}") if refreshable else None
    return AccessToken(Secret(f"a-{name}"), now + life, refresh, registration(now), issued_at=now)


def keys(now: datetime = NOON, life: timedelta = HOUR, *, name: str = "0") -> RoleCredentials:
    return RoleCredentials(f"ASIA{name}", Secret("secret"), Secret("session"), now + life, now)


def config(*profiles: Profile, sessions: tuple[SsoSession, ...] = (session(),)) -> AwsConfig:
    return AwsConfig({each.name: each for each in sessions}, {each.name: each for each in profiles})


def after(state: State, *events: Event, now: datetime = NOON) -> State:
    for event in events:
        state = apply(state, event, now)
    return state


def refreshing(session: str) -> Begun:
    return Begun(RefreshToken(session))


def fetching(profile: str) -> Begun:
    return Begun(FetchRoleCredentials(profile))


def writing() -> Begun:
    return Begun(SyncCredentialsFile((), ()))


def held() -> State:
    """Signed in, and the keys of one profile fetched."""
    return after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))


def started(*names: str, settings: Settings = Settings(), now: datetime = NOON) -> State:
    """An agent that has read its files: profiles of one session, its account known, nobody signed in."""
    profiles = tuple(profile(name) for name in names or ("dev",))
    fresh = replace(State(seed="s"), settings=settings, accounts={"111100000000": "Lab"})
    return after(fresh, ConfigLoaded(config(*profiles)), MarksRead(()), now=now)


def signed_in(
    *names: str, settings: Settings = Settings(), now: datetime = NOON, life: timedelta = HOUR
) -> State:
    """The same, signed in just now, all profiles active, no keys yet."""
    names = names or ("dev",)
    return after(
        started(*names, settings=settings, now=now),
        SignedIn("corp", token(now, life)),
        Activated(names),
        now=now,
    )


def calls_of(work: Callable[[], object]) -> int:
    """Return how many Python functions the work calls: what it costs, and the same on a busy machine."""
    called = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal called
        called += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return called
