from __future__ import annotations

import json
from typing import Any

import pytest

from credtray.core.errors import NotifierUnavailable
from credtray.core.protocol import TestNotice
from tests.as_json import iso
from tests.cli.fake_backend import NOW, FakeBackend, credtray

SHOWN: dict[str, Any] = {"shown_by": "dunst", "reason": None, "notices_paused_until": None}


@pytest.mark.met("L")
def test_it_says_who_was_sent_the_notification() -> None:
    fake = FakeBackend({TestNotice: SHOWN})
    outcome = credtray("notify-test", backend=fake)

    assert fake.asked == [TestNotice()]
    assert (outcome.code, outcome.out) == (0, "Sent a test notification to dunst.\n")


@pytest.mark.met("L")
@pytest.mark.parametrize("reason", ["no notification service is running", "the agent runs without a desktop"])
def test_it_says_why_nothing_was_shown_and_fails(reason: str) -> None:
    outcome = credtray("notify-test", backend=FakeBackend({TestNotice: NotifierUnavailable(reason)}))

    assert outcome.code == 1
    assert reason in outcome.err


def test_it_tells_what_stands_in_the_way_of_other_notices() -> None:
    told = {**SHOWN, "reason": "it shows no buttons", "notices_paused_until": iso(NOW)}
    outcome = credtray("notify-test", backend=FakeBackend({TestNotice: told}))

    assert "Note: it shows no buttons." in outcome.out
    assert "Resume: credtray pause off" in outcome.out


def test_json_is_the_answer_itself() -> None:
    outcome = credtray("notify-test", "--json", backend=FakeBackend({TestNotice: SHOWN}))

    assert json.loads(outcome.out) == SHOWN
