"""`credtray history` and `credtray why`, from files to what is printed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credtray.core.models import Way
from credtray.desktop import paths
from credtray.history.entries import Entry, Kind, encode
from credtray.history.journal import Journal
from tests.cli.fake_backend import Outcome, credtray
from tests.core.making import HOUR, MINUTE


def ago(span: timedelta) -> datetime:
    return datetime.now(UTC) - span


def entry(span: timedelta, kind: Kind = Kind.KEYS_FETCHED, **parts: Any) -> Entry:
    made: dict[str, Any] = {"at": ago(span), "kind": kind, "session": "corp", "profile": "dns", **parts}
    return Entry(**made)


def keep(*entries: Entry) -> Journal:
    journal = Journal(paths.state_directory())
    journal.append(entries)
    return journal


def clock(span: timedelta) -> str:
    return ago(span).astimezone().strftime("%H:%M")


def refused(outcome: Outcome) -> str:
    assert outcome.code == 2
    assert outcome.out == ""
    return outcome.err


def test_the_last_day_is_told_in_sentences_of_local_time() -> None:
    keep(
        entry(30 * HOUR, profile="old"),
        entry(2 * MINUTE),
        entry(MINUTE, Kind.KEYS_GIVEN, way=Way.ENDPOINT, pid=4711, program="terraform"),
    )
    outcome = credtray("history")

    assert outcome.code == 0
    assert "old" not in outcome.out
    assert f"{clock(2 * MINUTE)}  keys of dns renewed\n" in outcome.out
    assert "  terraform (pid 4711) was given the keys of dns, by the endpoint\n" in outcome.out


def test_days_have_headings() -> None:
    keep(entry(30 * HOUR), entry(MINUTE))
    outcome = credtray("history", "--since", "2d")

    assert f"{ago(30 * HOUR).astimezone():%A} " in outcome.out.splitlines()[0]


def test_it_can_be_asked_for_a_profile_a_session_and_a_time() -> None:
    keep(
        entry(3 * HOUR),
        entry(2 * MINUTE, profile="ro"),
        entry(MINUTE, Kind.SIGNED_OUT, session="lab", profile=None),
    )

    assert credtray("history", "--profile", "dns").out.count("\n") >= 1
    assert "ro" not in credtray("history", "--profile", "dns").out
    assert "lab" in credtray("history", "--session", "lab").out
    assert "dns" not in credtray("history", "--since", "1h").out


def test_for_programs_there_is_json_with_every_entry() -> None:
    keep(entry(MINUTE, until=ago(-HOUR)))
    document = json.loads(credtray("history", "--json").out)

    assert (document["version"], document["unreadable_lines"]) == (1, 0)
    assert [(each["kind"], each["profile"]) for each in document["entries"]] == [("keys_fetched", "dns")]


def test_without_a_history_it_says_how_to_get_one() -> None:
    assert "credtray start" in credtray("history").out
    assert "credtray start" in credtray("why", "1m").out


def test_nothing_in_that_time_names_the_last_entry() -> None:
    keep(entry(40 * HOUR))

    assert "The last entry is of " in credtray("history").out


@pytest.mark.parametrize("command", [("history", "--since"), ("why",)])
def test_a_time_that_has_not_come_is_refused(command: tuple[str, ...]) -> None:
    tomorrow = (datetime.now().astimezone() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    assert "has not come yet" in refused(credtray(*command, tomorrow))


@pytest.mark.parametrize("text", ["noon", "25:00", ""])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    assert "14:05" in refused(credtray("why", text))


def test_lines_that_cannot_be_read_are_mentioned() -> None:
    journal = keep(entry(MINUTE))
    with journal.path.open("ab") as file:
        file.write(b"garbage\n")
    outcome = credtray("history")

    assert "1 line of the history cannot be read" in outcome.err
    assert "dns" in outcome.out


def test_a_history_of_a_newer_version_is_shown_as_far_as_it_goes() -> None:
    journal = keep(entry(MINUTE))
    journal.path.write_bytes(b'{"credtray_history":9}\n' + encode([entry(MINUTE)]))
    outcome = credtray("history")

    assert "A newer credtray wrote this history" in outcome.err
    assert "dns" in outcome.out


def test_clearing_removes_it() -> None:
    journal = keep(entry(MINUTE))

    assert credtray("history", "--clear").out == "The history is removed.\n"
    assert not journal.path.exists()
    assert credtray("history", "--clear").out == "There is no history to remove.\n"


def test_why_names_the_reason_and_what_happened_around() -> None:
    keep(
        entry(HOUR, Kind.SIGNED_IN, profile=None),
        entry(9 * MINUTE, Kind.KEYS_REFUSED, code="role_refused", text="The role is not assigned to you"),
    )
    outcome = credtray("why", "5m", "--profile", "dns")
    lines = outcome.out.splitlines()

    assert "dns was refused, since" in lines[0]
    assert "credtray setup" in lines[1]
    assert lines[-1].endswith("dns was refused: The role is not assigned to you")


def test_why_in_json_has_reasons_and_entries() -> None:
    keep(entry(HOUR), entry(MINUTE))
    document = json.loads(credtray("why", "1m", "--json").out)

    assert document["reasons"]
    assert [each["profile"] for each in document["around"]] == ["dns"]


def test_why_before_the_history_began_says_when_it_did() -> None:
    keep(entry(HOUR))

    assert "The history begins later" in refused(credtray("why", "2h"))


def test_why_of_a_profile_nobody_knows_offers_the_nearest() -> None:
    keep(entry(HOUR))

    assert "Did you mean dns?" in refused(credtray("why", "5m", "--profile", "dnss"))
