from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from credtray.core.protocol import Status
from tests.as_json import iso
from tests.cli.fake_backend import (
    NOW,
    FakeBackend,
    credtray,
    document,
    idle,
    problem,
    profile,
    session,
)
from tests.cli.snapshot import snapshot

SIGNED_OUT: dict[str, Any] = {
    "signed_in_until": None,
    "access_token_expires_at": None,
    "end_is_estimate": None,
}
OLDER = {"running": True, "pid": 4711, "version": "0.0.9"}
NOT_RUNNING = {"running": False, "pid": None, "version": None}
REFUSED = problem(
    "The role is not, or no longer, assigned to you: No access",
    "Ask your administrator, or run `credtray setup` to see the roles you have.",
    "role_refused",
)
OFFLINE = problem(
    "The portal cannot be reached: connection refused",
    "credtray tries again automatically. Check the network, the VPN or the proxy.",
)

BUSY = document(
    [
        session(),
        session("corp", state="signed_out", **SIGNED_OUT),
        session("lab", state="offline", error=OFFLINE),
        session("old", state="expired", signed_in_until=iso(NOW - timedelta(hours=1)), end_is_estimate=False),
        session(
            "new",
            state="signing_in",
            user_code="ABCD-EFGH",
            sign_in_url="https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
            **SIGNED_OUT,
        ),
    ],
    [
        profile("synderys-readonly", default=True),
        profile("synderys-dns", role_name="DNS", state="refused", expires_at=None, error=REFUSED),
        profile(
            "synderys-security",
            role_name="Security",
            state="advisory",
            expires_at=iso(NOW + timedelta(minutes=14)),
        ),
        profile("asked-once", active=False),
        idle("synderys-admin"),
        idle("synderys-billing"),
        profile("corp-admin", session="corp", role_name="Admin", state="signed_out", expires_at=None),
    ],
    foreign=[{"name": "robot", "reason": "it has static keys"}],
    warnings=[
        {
            "profile": "broken",
            "file": "config",
            "line": 14,
            "text": "sso_account_id is missing",
            "hint": "Add sso_account_id, or run `credtray setup`.",
        }
    ],
)

PICTURES = {
    "busy": BUSY,
    "calm": document([session()], [profile("synderys-readonly", default=True), profile("synderys-dns")]),
    "empty": document(),
    "no-agent": document([session()], [idle("synderys-readonly")], agent=NOT_RUNNING),
    "no-desktop": document(
        [session()],
        desktop={
            "tray": {"back_end": None, "reason": "the message bus cannot be reached"},
            "notifications": {"back_end": "log", "reason": "no notification service"},
            "presence": {"back_end": None, "reason": "nobody tells\x1b[31m", "locked": False},
        },
        notices_paused_until=iso(NOW + timedelta(minutes=40)),
    ),
    "broken-files": document(
        [session()],
        problems=[
            problem("The AWS config file cannot be read: line 3", "Mend the line named.", "config_invalid")
        ],
        credentials_file=problem("The file could not be written: No space left", "Nothing was changed."),
    ),
}


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("picture", PICTURES)
def test_picture(picture: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = credtray("status", backend=FakeBackend({Status: PICTURES[picture]}))

    assert (outcome.code, outcome.err) == (0, "")
    assert snapshot(f"status-{picture}-{columns}", outcome.out) == outcome.out


def test_piped_output_has_neither_colours_nor_trailing_blanks() -> None:
    outcome = credtray("status", backend=FakeBackend({Status: BUSY}))

    assert "\x1b" not in outcome.out
    assert all(line == line.rstrip() for line in outcome.out.splitlines())


def test_long_names_are_never_cut() -> None:
    name = "a-very-long-profile-name-" * 5
    outcome = credtray("status", backend=FakeBackend({Status: document([session()], [profile(name)])}))
    column = (line[2:].removeprefix("● ").split("  ")[0] for line in outcome.out.splitlines())

    assert name in "".join(column)


def test_who_is_signed_in_is_said_and_another_person_first_of_all() -> None:
    known = session(person="alice@synderys.com")
    other = session(person="bob@synderys.com", expected_person="alice@synderys.com", state="refused")
    shown = [
        credtray("status", backend=FakeBackend({Status: document([each], [])})).out for each in (known, other)
    ]

    assert "\n  signed in as alice@synderys.com\n" in shown[0]
    assert "signed in as bob@synderys.com, not as alice@synderys.com" in shown[1].splitlines()[0]


def test_json_is_the_document_itself() -> None:
    outcome = credtray("status", "--json", backend=FakeBackend({Status: BUSY}))

    assert json.loads(outcome.out) == BUSY


def test_watch_as_json_is_a_line_per_change() -> None:
    fake = FakeBackend(documents=(BUSY, document()))
    outcome = credtray("status", "--watch", "--json", backend=fake)

    assert [json.loads(line) for line in outcome.out.splitlines()] == [BUSY, document()]
    assert outcome.code == 3
    assert outcome.err.startswith("error: The agent is not running: it ended while it was asked")


def test_watch_into_a_pipe_prints_each_picture() -> None:
    fake = FakeBackend(documents=(PICTURES["calm"], PICTURES["empty"]))
    outcome = credtray("status", "--watch", backend=fake)

    assert outcome.out.count("Agent running") == 2


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, "token renews automatically (this one is valid until 14:15)"),
        (
            {"end_is_estimate": False, "signed_in_until": iso(NOW + timedelta(minutes=47))},
            "token valid until 14:15, the end of the sign-in",
        ),
        ({"legacy": True}, "token valid until 14:15; a legacy profile's token cannot be renewed"),
    ],
)
def test_token_is_told_apart_from_the_sign_in(parts: dict[str, Any], words: str) -> None:
    outcome = credtray("status", backend=FakeBackend({Status: document([session(**parts)])}))

    assert words in outcome.out


def test_sign_in_longer_than_expected_is_said_to_be() -> None:
    late = session(signed_in_until=iso(NOW - timedelta(minutes=3)), state="mandatory")
    outcome = credtray("status", backend=FakeBackend({Status: document([late])}))

    assert "signed in, longer than expected" in outcome.out


def test_agent_from_before_an_upgrade_is_to_be_restarted() -> None:
    outcome = credtray("status", backend=FakeBackend({Status: document([session()], agent=OLDER)}))

    assert outcome.out.endswith("Agent running (version 0.0.9): restart it to use 0.1.0: credtray restart\n")


def test_a_coding_agent_that_waits_is_told_with_the_command_that_lets_it() -> None:
    question = {"profile": "synderys-security", "agent": "Claude Code", "pid": 4711, "waiting": 1}
    backend = FakeBackend({Status: document(coding_agents=[question])})
    told = " ".join(credtray("status", backend=backend).out.split())

    assert "Claude Code (pid 4711) wants the keys of synderys-security." in told
    assert "Allow it: credtray allow synderys-security" in told
