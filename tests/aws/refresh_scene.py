"""A token cache on a real disk, a service that rotates strictly, and an agent between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from credtray.aws.token_cache import SharedTokenCache
from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core.errors import FileUnwritable, TokenRefused
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from tests.hand_waiter import HandWaiter, StillClock

CORP = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1", ("sso:account:access",))
NOW = StillClock().now()
CLIENT = ClientRegistration("client", Secret("client-secret"), NOW + timedelta(days=90))


def token(number: int, minutes: float = 60) -> AccessToken:
    return AccessToken(
        Secret(f"token-{number}"), NOW + timedelta(minutes=minutes), Secret(f"refresh-{number}"), CLIENT
    )


def nothing() -> None:
    return None


@dataclass(slots=True)
class StrictCenter:
    """Rotates refresh tokens and accepts each one once: the strictest the service might be."""

    current: str = "refresh-1"
    number: int = 1
    calls: list[str] = field(default_factory=list)
    during: Callable[[], None] = nothing
    fault: Exception | None = None
    keeps_refresh_token: bool = False

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        assert token.refresh_token is not None
        sent = token.refresh_token.reveal()
        self.calls.append(sent)
        if self.fault is not None:
            raise self.fault
        if sent != self.current:
            self.during()
            raise TokenRefused("InvalidGrant")
        self.number += 1
        if not self.keeps_refresh_token:
            self.current = f"refresh-{self.number}"
        self.during()
        refresh_token = None if self.keeps_refresh_token else Secret(self.current)
        return AccessToken(
            Secret(f"token-{self.number}"), NOW + timedelta(minutes=60 + self.number), refresh_token, CLIENT
        )


class FailingCache(SharedTokenCache):
    """A cache on a disk that is full from time to time."""

    full = False

    def write(self, session: SsoSession, token: AccessToken) -> None:
        if self.full:
            raise FileUnwritable("the disk is full")
        super().write(session, token)


@dataclass(slots=True)
class Scene:
    cache: FailingCache
    center: StrictCenter
    waiter: HandWaiter
    refresher: SharedTokenRefresh

    def refresh(self, known: AccessToken, now: datetime = NOW) -> AccessToken | None:
        return self.refresher.refresh(CORP, known, now)

    def on_disk(self) -> AccessToken | None:
        return self.cache.read(CORP)


def scene_in(directory: Path) -> Scene:
    waiter = HandWaiter()
    cache = FailingCache(directory / "cache", directory / "locks", StillClock(), waiter=waiter)
    center = StrictCenter()
    return Scene(cache, center, waiter, SharedTokenRefresh(cache, center, waiter=waiter))
