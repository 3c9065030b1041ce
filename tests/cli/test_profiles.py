from __future__ import annotations

import json

import pytest

from credtray.core.protocol import Status
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

WRITTEN_DOWN = document(
    [session(sign_in_length_is_learned=True), session("lab", sign_in_seconds=8 * 3600)],
    [
        idle("plain", recent=1),
        idle("bills", description="Reads the bills", tags=["billing", "Weekly"], recent=0),
        idle("shop", notes="Ask Kim before Friday", tags=["billing"], production=True, favourite=True),
        profile("robots", delivery="endpoint", account_name="Robotics", account_id="111100000009"),
        profile("queue", delivery="process", default=True),
    ],
)


@pytest.mark.parametrize("columns", ["80", "120"])
def test_picture(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = credtray("profiles", backend=FakeBackend({Status: MIXED}))

    assert outcome.code == 0
    assert outcome.err == "warning: config file, line 14, broken: sso_account_id is missing\nhint: Add it.\n"
    assert snapshot(f"profiles-{columns}", outcome.out) == outcome.out


@pytest.mark.parametrize(
    ("text", "names"),
    [("ADMIN", ["synderys-admin"]), ("000002", ["synderys-dns"]), ("synderys", None), ("robot", [])],
)
def test_search_looks_at_names_accounts_and_roles(text: str, names: list[str] | None) -> None:
    outcome = credtray("profiles", "--search", text, "--json", backend=FakeBackend({Status: MIXED}))
    found = [item["name"] for item in json.loads(outcome.out)["profiles"]]

    assert found == (names if names is not None else [item["name"] for item in MIXED["profiles"]])


def test_broken_file_is_told_and_setup_is_not_offered() -> None:
    problem = {"code": "config_invalid", "text": "It cannot be read", "hint": "Mend it."}
    outcome = credtray("profiles", backend=FakeBackend({Status: document([], [], problems=[problem])}))

    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "warning: It cannot be read\nhint: Mend it.\n"


def test_search_without_a_match_says_so() -> None:
    outcome = credtray("profiles", "--search", "nothing", backend=FakeBackend({Status: MIXED}))

    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "No profile matches. `credtray setup` adds profiles.\n"


@pytest.mark.parametrize("columns", ["80", "140"])
def test_picture_of_what_was_written_down(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = credtray("profiles", backend=FakeBackend({Status: WRITTEN_DOWN}))

    assert outcome.code == 0
    assert snapshot(f"profiles-written-down-{columns}", outcome.out) == outcome.out


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--search", "billing"), ["shop", "bills"]),
        (("--search", "KIM friday"), ["shop"]),
        (("--search", "friday bills"), []),
        (("--search", "robotics"), ["robots"]),
        (("--search", "reads weekly"), ["bills"]),
        (("--tag", "BILLING"), ["shop", "bills"]),
        (("--tag", "billing", "--tag", "weekly"), ["bills"]),
        (("--tag", "bill"), []),
        (("--tag", "billing", "--search", "kim"), ["shop"]),
        (("--search", "readonly"), ["shop", "bills", "plain", "robots", "queue"]),
        ((), ["plain", "bills", "shop", "robots", "queue"]),
    ],
)
def test_all_words_and_tags_must_fit_and_favourites_and_late_choices_lead(
    words: tuple[str, ...], names: list[str]
) -> None:
    outcome = credtray("profiles", *words, "--json", backend=FakeBackend({Status: WRITTEN_DOWN}))

    assert names == [item["name"] for item in json.loads(outcome.out)["profiles"]]


def test_a_tag_is_nothing_a_profile_left_alone_has() -> None:
    outcome = credtray("profiles", "--tag", "robot", "--json", backend=FakeBackend({Status: MIXED}))

    assert json.loads(outcome.out)["foreign"] == []


def test_an_older_agent_knows_nothing_of_what_was_written_down() -> None:
    old = {key: value for key, value in idle("dev").items() if key not in NEWER}
    outcome = credtray("profiles", "--search", "dev", backend=FakeBackend({Status: document([], [old])}))

    assert (outcome.code, outcome.err) == (0, "")
    assert "dev" in outcome.out


NEWER = {"delivery", "description", "notes", "tags", "favourite", "production", "recent"}


# --- automation --------------------------------------------------------------------------------------


def test_automation_is_told_why_not_and_what_instead() -> None:
    outcome = credtray("profiles", "--for-automation", backend=FakeBackend({Status: WRITTEN_DOWN}))

    assert (outcome.code, outcome.err) == (0, "")
    assert snapshot("profiles-for-automation", outcome.out) == outcome.out


def test_automation_for_programs_names_each_session_with_its_length() -> None:
    words = ("profiles", "--for-automation", "--json")
    told = json.loads(credtray(*words, backend=FakeBackend({Status: WRITTEN_DOWN})).out)

    assert told["fits"] is False
    assert told["sessions"] == [
        {"name": "synderys", "sign_in_seconds": 14400, "learned": True, "renews_without_a_person": False},
        {"name": "lab", "sign_in_seconds": 28800, "learned": False, "renews_without_a_person": False},
    ]
    assert any("OIDC" in item["use"] for item in told["instead"])
    assert told["while_signed_in"][0]["command"] == "credtray wait robots --for 2h"


def test_automation_goes_with_no_search() -> None:
    outcome = credtray("profiles", "--for-automation", "--tag", "x", backend=FakeBackend())

    assert outcome.code == 2
    assert "Use --for-automation alone" in outcome.err


def test_profile_whose_role_was_removed_says_so() -> None:
    error = {"code": "role_refused", "text": "The role is no longer assigned to you", "hint": "Ask."}
    outcome = credtray(
        "profiles", backend=FakeBackend({Status: document([session()], [idle("dev", error=error)])})
    )

    assert "The role is no longer assigned to you" in outcome.out
