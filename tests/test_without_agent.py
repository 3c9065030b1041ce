"""Commands without an agent: looking leaves no trace, choosing loses nobody else's choice."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest

from credtray.app import build, carried_out, perform
from credtray.core.errors import CredtrayError, NothingToUndo, SignInRequired
from credtray.core.models import SsoSession
from credtray.core.protocol import (
    Activate,
    Asks,
    Credentials,
    Deactivate,
    ListUndo,
    Login,
    Snooze,
    Status,
    Stop,
    Switch,
    Undo,
)
from credtray.core.protocol.results import LoginResult
from credtray.desktop import paths
from tests.as_json import as_json

R = TypeVar("R")
CONFIG = """\
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
""" + "".join(
    f"[profile {name}]\nsso_session = corp\nsso_account_id = 111100000000\nsso_role_name = {name}\n"
    for name in ("dev", "ro", "dns")
)


@pytest.fixture
def config(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SSO", "SSO_OIDC", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", "http://127.0.0.1:9")  # nobody listens there
    (home / ".aws").mkdir(mode=0o700)
    path = home / ".aws" / "config"
    path.write_text(CONFIG)
    return path


def ask(request: Asks[R]) -> R:
    return asyncio.run(carried_out(build(), request, lambda _step: None))


def document(request: Asks[Any]) -> dict[str, Any]:
    found: dict[str, Any] = as_json(ask(request))
    return found


def tree(home: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a home: mode, modification time, content."""
    found = {}
    for path in sorted(home.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


def remembered() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((paths.state_directory() / "state.json").read_bytes())
    return found


def remember(**parts: Any) -> None:
    paths.state_directory().mkdir(parents=True, exist_ok=True)
    (paths.state_directory() / "state.json").write_text(json.dumps({"version": 1, **parts}))


@pytest.mark.parametrize("state", [None, b'{"active": ["dev"]}', b"torn", b'{"version": 9}'])
def test_status_leaves_no_trace_and_asks_no_portal(home: Path, config: Path, state: bytes | None) -> None:
    if state is not None:
        paths.state_directory().mkdir(parents=True)
        (paths.state_directory() / "state.json").write_bytes(state)
    before = tree(home)
    found = document(Status())

    assert tree(home) == before
    assert found["agent"] == {"running": False, "pid": None, "version": None}
    assert [item["state"] for item in found["profiles"]] == ["signed_out"] * 3


def test_status_of_an_expired_sign_in_refreshes_nothing(home: Path, config: Path) -> None:
    cache = build().token_cache
    session = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1")
    cache.token_path(session).parent.mkdir(parents=True)
    token = {
        "startUrl": session.start_url,
        "region": session.region,
        "accessToken": "CANARY",
        "expiresAt": "2026-01-01T00:00:00Z",
        "refreshToken": "CANARY",
        "clientId": "c",
        "clientSecret": "CANARY",
        "registrationExpiresAt": "2036-01-01T00:00:00Z",
    }
    cache.token_path(session).write_text(json.dumps(token))
    before = tree(home)
    found = document(Status())

    assert tree(home) == before
    assert found["sessions"][0]["access_token_expires_at"] == "2026-01-01T00:00:00Z"
    assert "CANARY" not in json.dumps(found)


def test_credentials_nobody_signed_in_for_leave_no_trace(home: Path, config: Path) -> None:
    before = tree(home)
    with pytest.raises(SignInRequired):
        ask(Credentials("dev"))

    assert tree(home) == before


def test_choices_are_remembered(config: Path) -> None:
    ask(Activate(("dev", "ro")))
    ask(Switch("dns"))
    ask(Deactivate(("ro",)))

    assert (remembered()["active"], remembered()["default"]) == (["dev"], "dns")


def test_two_commands_at_once_lose_nobodys_choice(home: Path, config: Path) -> None:
    names = ("dev", "ro", "dns")
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "credtray", "activate", name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    for command in commands:
        command.communicate(timeout=60)

    assert set(remembered()["active"]) == set(names)


def test_command_waits_for_the_one_before_it(config: Path) -> None:
    """Whoever holds the lock has read state.json and will write it: changing it meanwhile would be lost."""
    components, order = build(), list[str]()
    done = threading.Event()

    def activate() -> None:
        ask(Activate(("dev",)))
        order.append("command")
        done.set()

    with components.choices_lock(0):
        thread = threading.Thread(target=activate)
        thread.start()
        assert not done.wait(0.3)
        remember(active=["ro"])
        order.append("holder")
    thread.join(30)

    assert order == ["holder", "command"]
    assert remembered()["active"] == ["ro", "dev"]


def test_agent_that_started_meanwhile_is_asked_instead(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Agent:
        """It began to serve while the command waited for the lock."""

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def ask(self, request: Asks[Any], progress: object = None) -> dict[str, str]:
            return {"asked": type(request).__name__}

    monkeypatch.setattr("credtray.app.AgentClient.connect", Agent)

    assert document(Activate(("dev",))) == {"asked": "Activate"}
    assert not (paths.state_directory() / "state.json").exists()


def test_login_that_took_minutes_does_not_undo_choices_made_meanwhile(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(active=["dev"])

    async def finished(self: Any, name: str, request: Login, tell: object) -> LoginResult:
        remember(active=["dev", "ro"], default="dns")  # somebody else, while the browser was open
        return LoginResult(session=name, signed_in_until=None, end_is_estimate=None, already=False)

    monkeypatch.setattr("credtray.daemon.sign_in_sharing.SignIns.login", finished)
    ask(Login("corp"))

    assert (remembered()["active"], remembered()["default"]) == (["dev", "ro"], "dns")
    assert list(remembered()["sessions"]) == ["corp"]


def test_what_an_undo_would_take_back_is_told(config: Path) -> None:
    assert document(ListUndo()) == {"credentials": [], "profiles": []}


def test_nothing_to_undo_is_said(config: Path) -> None:
    with pytest.raises(NothingToUndo):
        ask(Undo())


def test_unwritable_state_is_no_obstacle(config: Path) -> None:
    (paths.state_directory() / "state.json").mkdir(parents=True)

    assert document(Activate(("dev",)))["reasons"]["dev"]["code"] == "sign_in_required"


def test_requests_for_an_agent_are_not_carried_out_without_one(config: Path) -> None:
    requests: tuple[Asks[Any], ...] = (Stop(), Snooze("corp", 5))
    for request in requests:
        with pytest.raises(CredtrayError, match="not running"):
            perform(request, lambda _step: None)
