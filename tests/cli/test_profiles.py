from __future__ import annotations

import json

import pytest

from agent.core.protocol import Status
from tests.cli.fake_backend import FakeBackend, credtray, document, idle, profile, session
from tests.cli.snapshot import snapshot

MIXED = document(
    [session()],
    [
        profile("synderys-readonly", default=True),
        profile("synderys-dns", section="dns-keys", role_name="DNS", account_id="111100000002"),
        idle("synderys-admin", role_name="Admin"),
        idle("audit", assumes=["arn:aws:iam::222200000001:role/Audit"]),
    ],
    foreign=[{"name": "robot", "reason": "it has static keys"}],
    warnings=[{"profile": "broken", "line": 14, "text": "sso_account_id is missing", "hint": "Add it."}],
)


@pytest.mark.parametrize("columns", ["80", "120"])
def test_picture(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = credtray("profiles", backend=FakeBackend({Status: MIXED}))

    assert outcome.code == 0
    assert outcome.err == "warning: line 14, broken: sso_account_id is missing\nhint: Add it.\n"
    assert snapshot(f"profiles-{columns}", outcome.out) == outcome.out


@pytest.mark.parametrize(
    ("text", "names"),
    [("ADMIN", ["synderys-admin"]), ("000002", ["synderys-dns"]), ("synderys", None), ("robot", [])],
)
def test_search_looks_at_names_accounts_and_roles(text: str, names: list[str] | None) -> None:
    outcome = credtray("profiles", "--search", text, "--json", backend=FakeBackend({Status: MIXED}))
    found = [item["name"] for item in json.loads(outcome.out)["profiles"]]

    assert found == (names if names is not None else [item["name"] for item in MIXED["profiles"]])


def test_search_without_a_match_says_so() -> None:
    outcome = credtray("profiles", "--search", "nothing", backend=FakeBackend({Status: MIXED}))

    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "No profile matches. `credtray setup` adds profiles.\n"
