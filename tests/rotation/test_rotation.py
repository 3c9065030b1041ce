"""Eight processes share sign-ins whose refresh tokens work exactly once: none is lost by us."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.aws.token_cache import SharedTokenCache
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.demo.identity_center import IdentityCenter, Rotation
from credtray.desktop.clock_watch import SystemClock
from tests.demo.program import Program
from tests.portal import portal as portal  # noqa: PLC0414 - a fixture
from tests.rotation.one_agent import session_named
from tests.soak import examples

PROCESSES = 8
SESSIONS = [f"session-{number}" for number in range(6)]
EXPIRIES = examples(60)
LIFE = timedelta(seconds=3)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(home: Path) -> SharedTokenCache:
    return SharedTokenCache(home / ".aws" / "sso" / "cache", home / "locks", SystemClock())


def sign_in(center: IdentityCenter, session: SsoSession, cache: SharedTokenCache) -> None:
    program = Program(center.url)
    told = program.signed_in()
    client = ClientRegistration(
        program.client["clientId"],
        Secret(program.client["clientSecret"]),
        datetime.fromtimestamp(program.client["clientSecretExpiresAt"], UTC),
    )
    expires_at = datetime.now(UTC) + timedelta(seconds=told["expiresIn"])
    cache.write(
        session, AccessToken(Secret(told["accessToken"]), expires_at, Secret(told["refreshToken"]), client)
    )


@pytest.fixture
def agents(portal: IdentityCenter, home: Path) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.rotation.one_agent", str(home), portal.url, *SESSIONS]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(PROCESSES)
        ]
        for agent in started:
            assert agent.stdout is not None
            assert agent.stdout.readline() == "ready\n"
        yield started


def let_go(agents: list[subprocess.Popen[str]]) -> None:
    for agent in agents:
        assert agent.stdin is not None
        agent.stdin.write("!")
        agent.stdin.flush()


@pytest.mark.timeout(600)
def test_no_sign_in_is_lost_and_each_expiry_costs_one_call(
    portal: IdentityCenter, cache: SharedTokenCache, agents: list[subprocess.Popen[str]]
) -> None:
    portal.auto_approve()
    portal.set_rotation(Rotation.STRICT)
    portal.set_lifetimes(access_token=LIFE)
    for name in SESSIONS:
        sign_in(portal, session_named(name, portal.url), cache)
    let_go(agents)
    deadline = time.monotonic() + EXPIRIES * 5
    while portal.journal.by_grant().get("refresh_token", 0) < EXPIRIES and time.monotonic() < deadline:
        time.sleep(0.05)
    reports = [json.loads(agent.communicate()[0]) for agent in agents]
    calls = portal.journal.by_grant()["refresh_token"]
    tokens = [cache.read(session_named(name, portal.url)) for name in SESSIONS]

    assert calls >= EXPIRIES
    assert portal.journal.refused("CreateToken") == 0
    assert [report["errors"] for report in reports] == [[]] * PROCESSES
    assert [report["signed_out"] for report in reports] == [[]] * PROCESSES
    assert all(token is not None and token.refreshable for token in tokens)
    assert [report["early"] for report in reports] == [[]] * PROCESSES
