"""The Identity Center for tests: start one, move its time by hand, sign in without a browser.

Usage: the fixtures ``portal`` (real time) and ``hand_portal`` with ``hand_clock`` (time moved by hand), or
``running()`` for one in another process. Nothing here talks to anything but loopback.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from credtray.demo.identity_center import IdentityCenter
from tests import warm_start

PORTAL = "credtray.demo.identity_center"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class HandClock:
    """A clock that stands still until it is moved. Call it for the time."""

    time: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        """Move on by the parts of a timedelta: ``advance(minutes=5)``."""
        self.time += timedelta(**parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return self.headers["location"]


def ask(
    url: str,
    *,
    method: str = "GET",
    body: bytes | dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 10,
) -> Answer:
    """Send one request as it is (a dict becomes JSON) and return the answer; redirects are not followed."""
    parts = urlsplit(url)
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request(method, target, content, headers or {})
        answer = connection.getresponse()
        lowered = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, lowered, answer.read())
    finally:
        connection.close()


def form(url: str, fields: dict[str, str], *, cookie: str = "") -> Answer:
    """Send an HTML form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if cookie:
        headers["Cookie"] = cookie
    return ask(url, method="POST", body=urlencode(fields).encode(), headers=headers)


@dataclass(frozen=True, slots=True)
class RunningPortal:
    """An Identity Center in another process."""

    url: str
    control_url: str
    speed: float
    origin: datetime
    process: warm_start.Process

    def command(self, name: str, **members: Any) -> Any:
        """Send one control command (see demo/identity_center/control.py) and return its content."""
        answer = ask(self.control_url, method="POST", body={"command": name, **members})
        if answer.status != http.client.OK:
            raise ValueError(answer.body.decode())
        return answer.json()


@contextmanager
def running(*arguments: str) -> Iterator[RunningPortal]:
    """Run ``python -m credtray.demo.identity_center`` with *arguments*; it ends with the block."""
    process = warm_start.start(
        PORTAL, "--until-input-ends", *arguments, env=dict(os.environ), stdin=subprocess.PIPE, stderr=2
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        try:
            yield RunningPortal(
                url=said["url"],
                control_url=said["control_url"],
                speed=said["speed"],
                origin=datetime.fromisoformat(said["origin"]),
                process=process,
            )
        finally:
            process.stdin.close()
            process.wait(10)


@pytest.fixture
def portal() -> Iterator[IdentityCenter]:
    """An Identity Center in real time; nobody signs in by itself until ``portal.auto_approve()``."""
    with IdentityCenter() as center:
        yield center


@pytest.fixture
def hand_clock() -> HandClock:
    """Time that only moves when told."""
    return HandClock()


@pytest.fixture
def hand_portal(hand_clock: HandClock) -> Iterator[IdentityCenter]:
    """An Identity Center that lives in the time of ``hand_clock``."""
    with IdentityCenter(clock=hand_clock) as center:
        yield center
