"""Whose word is it: ours, or the command's."""

from __future__ import annotations

import pytest

from credtray.cli.exec_words import plain, separated


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("exec P ls -l", "exec P -- ls -l"),
        ("exec P -- ls -l", "exec P -- ls -l"),
        ("exec P --env ls --env", "exec P --env -- ls --env"),
        ("exec --env P ls -- x", "exec --env P -- ls -- x"),
        ("exec P --for 45m ls", "exec P --for 45m -- ls"),
        ("exec --for 45m P ls", "exec --for 45m P -- ls"),
        (
            "exec P --for=45m --region eu-west-1 make deploy",
            "exec P --for=45m --region eu-west-1 -- make deploy",
        ),
        ("exec P tool --verbose", "exec P -- tool --verbose"),
        ("--verbose exec P tool", "--verbose exec P -- tool"),
        ("exec P", "exec P"),
        ("exec P --", "exec P --"),
        ("exec", "exec ."),
        ("exec -- ls -l", "exec . -- ls -l"),
        ("exec --env -- ls", "exec --env . -- ls"),
        ("exec --for 45m -- ls", "exec --for 45m . -- ls"),
        ("exec --for=45m -- ls", "exec --for=45m . -- ls"),
        ("exec . -- ls", "exec . -- ls"),
        ("exec . ls", "exec . -- ls"),
        ("exec -- --help", "exec . -- --help"),
        ("exec --help -- ls", "exec --help -- ls"),
        ("exec --for", "exec --for"),
        ("exec --help", "exec --help"),
        ("status exec P ls", "status exec P ls"),
        ("", ""),
    ],
)
def test_the_command_begins_behind_the_profile_and_our_options(typed: str, understood: str) -> None:
    assert separated(typed.split()) == understood.split()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("exec P -- ls", ("P", False, ["ls"])),
        ("exec P --env ls -l", ("P", True, ["ls", "-l"])),
        ("exec --env P ls", ("P", True, ["ls"])),
        ("exec P ls -- -x", ("P", False, ["ls", "--", "-x"])),
        ("exec P", None),
        ("exec P --", None),
        ("exec P --for 45m ls", None),
        ("exec P --region x ls", None),
        ("exec --help", None),
        ("exec -- ls", None),
        ("exec . -- ls", None),
        ("exec -x -- ls", None),
        ("exec P Q -- ls", ("P", False, ["Q", "--", "ls"])),
        ("status", None),
    ],
)
def test_only_what_needs_no_word_goes_the_fast_way(
    typed: str, found: tuple[str, bool, list[str]] | None
) -> None:
    assert plain(typed.split()) == found
