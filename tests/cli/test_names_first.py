"""A name that does not exist is said before anything else that is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.fake_backend import credtray
from tests.cli.real_world import READONLY, SESSION

BY_PROFILE = [
    ("exec", "{name}", "--", "true"),
    ("exec", "{name}", "--env", "--", "true"),
    ("exec", "{name}", "--for", "45m", "--", "true"),
    ("credentials", "{name}"),
    ("env", "{name}"),
    ("copy", "{name}"),
    ("console", "{name}"),
    ("wait", "{name}"),
    ("endpoint", "{name}"),
    ("endpoint", "{name}", "--shell", "fish"),
    ("activate", "{name}"),
    ("deactivate", "{name}"),
    ("switch", "{name}"),
]


@pytest.fixture(autouse=True)
def configured(home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(SESSION + READONLY)


@pytest.mark.met("L")
@pytest.mark.parametrize("words", BY_PROFILE, ids=" ".join)
@pytest.mark.parametrize("name", ["foo", "synderys-readonyl", "not there"])
def test_a_profile_that_is_not_there_is_the_first_thing_said(words: tuple[str, ...], name: str) -> None:
    outcome = credtray(*(word.format(name=name) for word in words))

    assert outcome.code == 2
    assert outcome.err.startswith(f"error: No such profile: {name!r}.")
    assert ("Did you mean synderys-readonly?" in outcome.err) is (name == "synderys-readonyl")


@pytest.mark.met("L")
@pytest.mark.parametrize("command", ["login", "logout"])
def test_a_session_that_is_not_there_is_the_first_thing_said(command: str) -> None:
    outcome = credtray(command, "foo")

    assert (outcome.code, outcome.err.splitlines()[0]) == (2, "error: No such sso-session: 'foo'.")


@pytest.mark.parametrize(
    "words", [("exec", "synderys-readonly", "--", "true"), ("endpoint", "synderys-readonly")]
)
def test_a_profile_that_is_there_needs_the_agent(words: tuple[str, ...]) -> None:
    outcome = credtray(*words)

    assert outcome.code == 3
    assert "The agent is not running" in outcome.err
    assert "PROFILE" not in outcome.err
