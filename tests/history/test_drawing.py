"""The time line as a terminal shows it: pictures at a fixed time, kept beside the tests."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from credtray.core.protocol import Status
from credtray.core.protocol.results import StatusDocument
from credtray.desktop import paths
from credtray.history.drawing import drawn
from credtray.history.entries import Entry, Kind
from credtray.history.journal import Journal
from credtray.history.timeline import timeline
from tests.as_json import iso
from tests.cli.fake_backend import NOW, FakeBackend, credtray, document, idle, profile, session
from tests.cli.snapshot import snapshot
from tests.core.making import HOUR, MINUTE

FOLDER = Path(__file__).parent / "snapshots"


def happened(minutes: float, kind: Kind, **parts: Any) -> Entry:
    return Entry(at=NOW - minutes * MINUTE, kind=kind, session="synderys", **parts)


PAST = (
    happened(140, Kind.SIGNED_IN, until=NOW + 3 * HOUR),
    happened(130, Kind.SLEPT),
    happened(100, Kind.WOKE),
    happened(90, Kind.TOKEN_RENEWED, until=NOW - 30 * MINUTE),
    happened(80, Kind.KEYS_REFUSED, profile="synderys-dns", text="The role is not assigned to you"),
    happened(13, Kind.TOKEN_RENEWED, until=NOW + 47 * MINUTE),
    happened(13, Kind.KEYS_FETCHED, profile="synderys-readonly", until=NOW + 47 * MINUTE),
)
BUSY = document(
    [
        session(),
        session("corp", end_is_estimate=False, signed_in_until=iso(NOW + 11 * HOUR + 50 * MINUTE)),
        session("old", state="expired", signed_in_until=iso(NOW - HOUR), access_token_expires_at=None),
    ],
    [
        profile("synderys-readonly", default=True),
        profile("synderys-dns", expires_at=None, state="refused"),
        profile("a-profile-with-a-very-long-name", expires_at=iso(NOW + 5 * HOUR), keys_seconds=8 * 3600),
        idle("synderys-admin"),
    ],
)
CROWD = document([session()], [profile(f"profile-{place}") for place in range(20)])
NO_AGENT = document([session()], [profile("dns")], agent={"running": False, "pid": None, "version": None})
PICTURES = {"busy": (BUSY, PAST), "crowd": (CROWD, ()), "no-agent": (NO_AGENT, ())}


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str, width: int) -> None:
    made, past = PICTURES[name]
    lines = drawn(timeline(msgspec.convert(made, StatusDocument), past), UTC, width)
    text = "\n".join(lines) + "\n"

    assert width < 50 or all(len(line) <= width for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert snapshot(f"timeline-{name}-{width}", text, FOLDER) == text


def test_wide_letters_push_no_bar_out_of_its_place() -> None:
    names = ("dns", "運用チームの本番環境プロファイル", "e\u0301quipe", "プロファイル")
    made = document([session()], [profile(name) for name in names])
    lines = drawn(timeline(msgspec.convert(made, StatusDocument), ()), UTC, 80)
    now = {cell_len(line.partition("│")[0]) for line in lines if "│" in line}

    assert len(now) == 1
    assert all(cell_len(line) <= 80 for line in lines)


def test_words_of_a_failure_go_to_the_side_where_they_have_room_or_become_fewer() -> None:
    failed = happened(5, Kind.KEYS_REFUSED, profile="p" * 40, text="Not assigned to you")
    for width in (50, 60, 80, 120):
        lines = drawn(timeline(msgspec.convert(BUSY, StatusDocument), (failed,)), UTC, width)
        (line,) = [line for line in lines if "13:23" in line]

        assert "✗" in line
        assert len(line) <= width
        assert ("refused" if width < 120 else "Not assigned to you") in line


def test_status_draws_it_with_the_past_of_the_history() -> None:
    Journal(paths.state_directory()).append(PAST)
    outcome = credtray("status", "--timeline", backend=FakeBackend({Status: BUSY}))

    assert (outcome.code, outcome.err) == (0, "")
    assert "░" in outcome.out
    assert "you sign in" in outcome.out


def test_a_terminal_that_knows_no_such_characters_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cli.fake_backend._ENCODING", "ascii")
    outcome = credtray("status", "--timeline", backend=FakeBackend({Status: BUSY}))

    assert outcome.out.isascii()
    assert "^ about" in outcome.out
    assert "===|" in outcome.out


@pytest.mark.parametrize("option", ["--watch", "--json"])
def test_it_is_one_picture_for_a_person(option: str) -> None:
    assert credtray("status", "--timeline", option, backend=FakeBackend({Status: BUSY})).code == 2


def test_without_sessions_the_status_says_what_to_do() -> None:
    outcome = credtray("status", "--timeline", backend=FakeBackend({Status: document()}))

    assert "credtray setup" in outcome.out


def test_a_history_that_cannot_be_read_leaves_the_future() -> None:
    directory = paths.state_directory()
    (directory / "history.jsonl").mkdir(parents=True)
    outcome = credtray("status", "--timeline", backend=FakeBackend({Status: BUSY}))

    assert outcome.code == 0
    assert "you sign in" in outcome.out
