"""`credtray roles`: what is shown of the last look, as text and as JSON, and whose look that is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from credtray.core.errors import Offline
from credtray.core.models import Account
from credtray.core.naming import RoleChoice
from credtray.core.protocol import Status
from credtray.desktop import paths
from credtray.roles.record import AccountRoles, Record
from credtray.roles.watch import RolesFile
from credtray.setup import session as portal
from tests.cli.fake_backend import NOW, FakeBackend, Outcome, credtray, document, idle, session
from tests.cli.snapshot import snapshot

URL = "https://d-9067000001.awsapps.com/start"
PLATFORM, LAB = "111100000001", "111100000002"
DOCUMENT = document(
    [session(person="alice", start_url=URL)],
    [
        idle("readonly", account_id=PLATFORM, role_name="ReadOnly"),
        idle("lab", account_id=LAB, role_name="Admin"),
    ],
)
ALICE = Record(
    portal=URL,
    person="alice",
    at=NOW,
    accounts={
        PLATFORM: AccountRoles(("ReadOnly", "ProdAdmin"), "synderys-prod"),
        LAB: AccountRoles((), "lab"),
    },
    new=frozenset({(PLATFORM, "ProdAdmin")}),
    gone=frozenset({(LAB, "Admin")}),
)
BOB = Record(portal=URL, person="bob", at=NOW, accounts={LAB: AccountRoles(("Secret",), "lab")})


def shown(*words: str, records: tuple[Record, ...] = (BOB, ALICE), seen: Any = None) -> Outcome:
    """Return what the command prints of these looks."""
    RolesFile(paths.state_directory() / "roles.json").save(records)
    return credtray("roles", *words, backend=FakeBackend({Status: seen or DOCUMENT}))


def entries(outcome: Outcome) -> list[tuple[str, list[str], bool]]:
    (found,) = json.loads(outcome.out)["sessions"]
    return [(each["role_name"], each["profiles"], each["new"]) for each in found["roles"]]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Let AWS answer with these roles, or fail."""

    def answers(found: Any) -> None:
        def listed(*_given: object) -> list[RoleChoice]:
            if isinstance(found, Exception):
                raise found
            return [RoleChoice(Account(PLATFORM, "synderys-prod"), role) for role in found]

        monkeypatch.setattr(portal, "choices_now", listed)
        directory = paths.state_directory().parents[2] / ".aws"
        directory.mkdir(mode=0o700)
        text = f"[sso-session synderys]\nsso_start_url = {URL}\nsso_region = us-east-1\n"
        (directory / "config").write_text(text)

    return answers


def test_picture() -> None:
    outcome = shown()

    assert (outcome.code, outcome.err) == (0, "")
    assert snapshot("roles", outcome.out) == outcome.out


def test_new_ones_alone() -> None:
    assert entries(shown("--new", "--json")) == [("ProdAdmin", [], True)]
    assert "ReadOnly" not in shown("--new").out


def test_roles_are_those_of_who_is_signed_in() -> None:
    assert entries(shown("--json")) == [("ProdAdmin", [], True), ("ReadOnly", ["readonly"], False)]
    bob = document([session(person="bob", start_url=URL)], [])
    assert entries(shown("--json", seen=bob)) == [("Secret", [], False)]


def test_asked_now_it_is_compared_with_the_last_look_and_nothing_is_written(
    aws: Callable[[Any], None],
) -> None:
    aws(["ReadOnly", "Billing"])
    outcome = shown("--now", "--json")

    assert entries(outcome) == [("Billing", [], True), ("ReadOnly", ["readonly"], False)]
    assert RolesFile(paths.state_directory() / "roles.json").load() == (BOB, ALICE)


def test_where_nobody_looked_aws_is_asked(aws: Callable[[Any], None]) -> None:
    aws(["ReadOnly"])

    assert entries(shown("--json", records=())) == [("ReadOnly", ["readonly"], False)]


def test_session_that_cannot_be_asked_costs_no_other(aws: Callable[[Any], None]) -> None:
    aws(Offline("no route"))
    several = document([session(person="alice", start_url=URL), session("lab", start_url="https://lab")], [])
    outcome = shown(seen=several)

    assert outcome.code == 0
    assert "ReadOnly" in outcome.out
    assert "lab" in outcome.err


def test_unknown_session_is_refused_and_the_nearest_is_offered() -> None:
    outcome = shown("synderis")

    assert outcome.code == 2
    assert "Did you mean synderys?" in outcome.err


def test_a_broken_config_is_not_one_without_a_session() -> None:
    broken = {"code": "config_invalid", "text": "The file cannot be read: line 1", "hint": "Edit it"}

    outcome = shown(seen=document(problems=[broken]))

    assert (outcome.out, "cannot be read: line 1" in outcome.err) == ("", True)
    assert "names no sso-session" not in outcome.err
