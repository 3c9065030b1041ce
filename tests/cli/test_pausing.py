from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta

import pytest

from credtray.cli.reference import pages
from credtray.core.protocol import PauseNotices, Snooze
from tests.as_json import iso
from tests.cli.fake_backend import NOW, FakeBackend, credtray

SLACK = timedelta(minutes=1)


def asked(*arguments: str) -> datetime | None:
    """Return until when the agent was asked to be quiet."""
    fake = FakeBackend({PauseNotices: {"until": iso(NOW)}})

    assert credtray("pause", *arguments, backend=fake).code == 0
    [request] = fake.asked
    assert isinstance(request, PauseNotices)
    return request.until


@pytest.mark.parametrize(("words", "minutes"), [((), 60), (("1h",), 60), (("30m",), 30), (("7d",), 7 * 1440)])
def test_pause_lasts_as_long_as_was_asked_for(words: tuple[str, ...], minutes: int) -> None:
    until = asked(*words)
    expected = datetime.now(UTC) + timedelta(minutes=minutes)

    assert until is not None
    assert abs(until - expected) < SLACK


@pytest.mark.parametrize("word", ["tomorrow", "Tomorrow"])
def test_until_tomorrow_is_eight_in_the_morning_here(word: str) -> None:
    until = asked(word)

    assert until is not None
    assert until.astimezone().time() == time(8)
    assert timedelta() < until - datetime.now(UTC) < timedelta(hours=33)


def test_off_shows_them_again() -> None:
    fake = FakeBackend({PauseNotices: {"until": None}})
    outcome = credtray("pause", "off", backend=fake)

    assert fake.asked == [PauseNotices(None)]
    assert outcome.out == "Notices are shown again.\n"


def test_pause_tells_until_when_and_how_to_end_it() -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    outcome = credtray("pause", backend=FakeBackend({PauseNotices: {"until": iso(until)}}))
    shown = until.astimezone().strftime("%H:%M")

    assert outcome.out == f"Notices paused until {shown}. Resume: credtray pause off\n"


def test_json_is_the_answer_itself() -> None:
    outcome = credtray("pause", "1h", "--json", backend=FakeBackend({PauseNotices: {"until": iso(NOW)}}))

    assert json.loads(outcome.out) == {"until": iso(NOW)}


@pytest.mark.parametrize("word", ["soon", "0m", "-1h", "8d", "", "9" * 400 + "h"])
def test_what_is_no_duration_is_refused_with_what_would_be(word: str) -> None:
    outcome = credtray("pause", "--", word, backend=FakeBackend())

    assert outcome.code == 2
    assert "tomorrow" in outcome.err or "at most 7d" in outcome.err


@pytest.mark.met("L")
@pytest.mark.parametrize("words", [("30m", "synderys"), ("30m", "lab")])
def test_with_a_session_only_its_warnings_pause(words: tuple[str, str]) -> None:
    fake = FakeBackend({Snooze: {"until": iso(NOW)}})
    outcome = credtray("pause", *words, backend=fake)

    assert fake.asked == [Snooze(words[1], 30)]
    assert outcome.out.startswith(f"No warnings about {words[1]} until ")


@pytest.mark.parametrize("word", ["off", "tomorrow"])
def test_the_warnings_of_one_session_pause_for_a_duration(word: str) -> None:
    outcome = credtray("pause", word, "synderys", backend=FakeBackend())

    assert outcome.code == 2
    assert "30m" in outcome.err


def test_the_former_name_works_and_is_offered_nowhere() -> None:
    assert credtray("snooze", "30m", "synderys", backend=FakeBackend({Snooze: {"until": iso(NOW)}})).code == 0
    assert "snooze" not in credtray("--help").out
    assert "## credtray snooze" not in pages()["commands.md"]


def test_help_and_reference_tell_of_it() -> None:
    assert "credtray pause tomorrow" in credtray("pause", "--help").out
    assert "## credtray pause\n" in pages()["commands.md"]
