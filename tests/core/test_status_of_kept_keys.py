from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core.ports import Mark
from credtray.core.protocol.results import AgentStatus
from credtray.core.state import FileState, State
from credtray.core.summary import status_document
from tests.as_json import as_json
from tests.core.making import MINUTE, NOON, signed_in

NOBODY = AgentStatus(running=False, pid=None, version=None)


def holding(*ends: timedelta) -> State:
    marks = {f"section-{end}": Mark(f"section-{end}", "dev", NOON + end, "digest") for end in ends}
    return replace(signed_in("dev"), file=FileState(marks=marks, known=True))


@pytest.mark.parametrize(
    ("left", "state"), [(45, "fresh"), (15, "advisory"), (10, "mandatory"), (0, "expired"), (-5, "expired")]
)
def test_keys_in_the_credentials_file_are_told_when_no_others_are_held(left: int, state: str) -> None:
    found = as_json(status_document(holding(left * MINUTE), NOBODY, NOON))["profiles"][0]

    assert found["state"] == state
    assert found["expires_at"] == (NOON + left * MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_longest_of_several_sections_counts() -> None:
    found = as_json(status_document(holding(5 * MINUTE, 45 * MINUTE), NOBODY, NOON))["profiles"][0]

    assert (found["state"], found["expires_at"]) == ("fresh", "2026-11-22T12:45:00Z")
