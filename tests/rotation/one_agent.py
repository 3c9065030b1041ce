"""One of several processes that share a token cache: keeps its sessions fresh until its input ends.

Usage: python -m tests.rotation.one_agent HOME URL SESSION... ; prints one JSON object at the end.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.locations import locate
from credtray.aws.token_cache import SharedTokenCache
from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core.errors import CredtrayError
from credtray.core.models import AccessToken, Endpoints, SsoSession
from credtray.demo.identity_center import START_URL
from credtray.desktop.clock_watch import SystemClock

REFRESH_WITH_LEFT = timedelta(seconds=2)
_LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Witness:
    """Notes calls for tokens that were not due: each would be a second call for one expiry."""

    center: BotocoreIdentityCenter
    clock: SystemClock
    early: list[str]

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        if token.expires_at - self.clock.now() > REFRESH_WITH_LEFT:
            self.early.append(session.name)
        return self.center.refresh(session, token)


def session_named(name: str, url: str) -> SsoSession:
    """Return the session that test and processes agree on."""
    endpoints = Endpoints(oidc=url, portal=url)
    return SsoSession(name, START_URL, "us-east-1", ("sso:account:access",), endpoints=endpoints)


def main(home: Path, url: str, names: list[str]) -> None:
    """Refresh by what is remembered, never by watching the file: the hardest case for the lock."""
    clock = SystemClock()
    cache = SharedTokenCache(locate({}, home).token_cache, home / "locks", clock)
    clients = Clients()
    center = BotocoreIdentityCenter(clients, clock, Portal(clients, clock, random.random))
    report: dict[str, list[str]] = {"errors": [], "signed_out": [], "early": []}
    refresher = SharedTokenRefresh(cache, Witness(center, clock, report["early"]))
    sessions = [session_named(name, url) for name in names]
    clients.oidc(sessions[0])  # botocore takes its third of a second before the race begins
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    os.read(0, 1)
    held: dict[str, AccessToken | None] = {session.name: cache.read(session) for session in sessions}
    while not _input_ended():
        for session in sessions:
            token = held[session.name]
            if token is None:
                report["signed_out"].append(session.name)
                continue
            if token.expires_at - clock.now() <= REFRESH_WITH_LEFT:
                try:
                    held[session.name] = refresher.refresh(session, token, clock.now())
                except CredtrayError as error:
                    report["errors"].append(f"{type(error).__name__}: {error}")
    sys.stdout.write(json.dumps(report) + "\n")


def _input_ended() -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        return bool(selector.select(_LOOK_EVERY)) and not os.read(0, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
