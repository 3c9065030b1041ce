"""What is missing of the desktop is told without the names that programs have for it."""

from __future__ import annotations

import pytest

from credtray.core.ports import Part
from credtray.core.problem_words import missing_words


@pytest.mark.met("L")
@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Part.TRAY, "No tray icon: the panel has removed the icon"),
        (Part.NOTIFICATIONS, "No notifications: the panel has removed the icon"),
        (Part.PRESENCE, "Screen lock and sleep cannot be detected here; notices are always shown"),
    ],
)
def test_a_missing_part_is_told_in_a_sentence(part: Part, words: str) -> None:
    assert missing_words(part.value, "the panel has removed the icon") == words
