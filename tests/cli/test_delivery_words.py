from __future__ import annotations

import shlex

import msgspec
import pytest

from credtray.cli.status_words import what_to_do
from credtray.core.protocol import Status
from credtray.core.protocol.results import ProfileStatus
from tests.cli.fake_backend import FakeBackend, credtray, document, profile, session


@pytest.mark.parametrize(
    ("delivery", "words"), [("process", "by credential_process"), ("endpoint", "by the local endpoint")]
)
def test_status_says_how_keys_reach_programs_that_are_in_no_section(
    delivery: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    both = [profile("dns", delivery=delivery), profile("idle", delivery=delivery, active=False)]
    out = credtray("status", backend=FakeBackend({Status: document([session()], both)})).out

    (dns,) = [line for line in out.splitlines() if " dns " in line]
    (idle,) = [line for line in out.splitlines() if " idle " in line]

    assert words in dns
    assert words not in idle


def test_names_with_blanks_are_quoted_for_the_shell() -> None:
    told = what_to_do(msgspec.convert(profile("my prof", delivery="endpoint"), ProfileStatus))

    assert shlex.split(told.partition(": ")[2]) == ["credtray", "endpoint", "my prof"]


def test_for_keys_of_the_file_there_is_nothing_to_do() -> None:
    assert what_to_do(msgspec.convert(profile("dns"), ProfileStatus)) == ""
