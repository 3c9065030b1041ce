from __future__ import annotations

import pytest

from credtray.cli.main import COMMANDS, command_named
from credtray.core.errors import UsageError, every_error
from credtray.core.protocol import Status
from tests.cli.fake_backend import FakeBackend, credtray, document
from tests.cli.snapshot import snapshot


def test_without_words_a_short_overview_is_printed() -> None:
    outcome = credtray()

    assert (outcome.code, outcome.err) == (0, "")
    assert snapshot("overview", outcome.out) == outcome.out


def test_help_lists_every_command() -> None:
    outcome = credtray("--help")

    assert outcome.code == 0
    assert snapshot("help", outcome.out) == outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_a_summary_and_examples(command: str) -> None:
    outcome = credtray(command, "--help")

    assert outcome.code == 0
    assert f"   credtray {command}" in outcome.out or f"$(credtray {command}" in outcome.out
    assert snapshot(f"help-{command}", outcome.out) == outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_arguments_as_manuals_do(command: str) -> None:
    out = credtray(command, "--help").out
    usage = next(line for line in out.splitlines() if "Usage:" in line)

    assert not set("{}<>") & set(usage)
    assert "[[" not in usage
    assert "list[" not in out
    assert "<str>" not in out


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_the_help_fit_80_columns(command: str) -> None:
    examples = (command_named(command).help or "").partition("Examples:\n")[2]

    assert [line for line in examples.splitlines() if len(line) > 78] == []


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("activate", "PROFILE..."),
        ("wait", "PROFILE"),
        ("doctor", "[PROFILE...]"),
        ("exec", "PROFILE [-- COMMAND...]"),
        ("pause", "[DURATION] [SESSION]"),
        ("autostart", "ACTION"),
        ("settings", "[ACTION] [KEY] [VALUE...]"),
    ],
)
def test_usage_line_says_what_is_needed_and_how_often(command: str, usage: str) -> None:
    out = credtray(command, "--help").out

    assert f" Usage: credtray {command} [OPTIONS] {usage} " in out


def test_unknown_command_offers_the_nearest() -> None:
    outcome = credtray("statu")

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: No such command 'statu'. Did you mean 'status'")
    assert "hint: credtray --help\n" in outcome.err


def test_unknown_option_names_the_help_of_its_command() -> None:
    outcome = credtray("status", "--jsn")

    assert outcome.code == 2
    assert "--json" in outcome.err
    assert "hint: credtray status --help\n" in outcome.err


def test_missing_argument_is_a_wrong_word() -> None:
    outcome = credtray("activate")

    assert outcome.code == 2
    assert outcome.err.startswith("error: Missing argument 'PROFILE'")


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_each_error_is_told_with_its_hint_and_its_exit_code(kind: type[Exception]) -> None:
    error = next(known for known in every_error() if known is kind)("because of X")
    outcome = credtray("status", backend=FakeBackend({Status: error}))

    assert error.exit_code == outcome.code
    assert outcome.out == ""
    title = "" if kind is UsageError else f"{error.title}: "
    assert outcome.err == f"error: {title}because of X\nhint: {error.hint}\n"


@pytest.mark.parametrize("words", [("--verbose", "status"), ("status", "--verbose")])
def test_verbose_adds_the_traceback_wherever_it_stands(words: tuple[str, ...]) -> None:
    error = every_error()[1]("because of X")
    outcome = credtray(*words, backend=FakeBackend({Status: error}))

    assert error.exit_code == outcome.code
    assert "Traceback (most recent call last)" in outcome.err
    assert outcome.err.endswith(f"hint: {error.hint}\n")


def test_verbose_after_two_dashes_is_a_name() -> None:
    outcome = credtray("activate", "--", "--verbose", backend=FakeBackend({}))

    assert "Traceback" not in outcome.err


def test_text_of_an_unexpected_exception_is_not_shown() -> None:
    outcome = credtray("status", backend=FakeBackend({Status: ValueError("SECRET-1234")}))

    assert outcome.code == 1
    assert outcome.err == (
        "error: Something went wrong inside credtray (ValueError)\n"
        "hint: Run the command again with --verbose and report what it prints.\n"
    )


def test_interrupted_command_ends_with_130() -> None:
    outcome = credtray("status", backend=FakeBackend({Status: KeyboardInterrupt()}))

    assert (outcome.code, outcome.out) == (130, "")


def test_names_cannot_move_the_cursor() -> None:
    evil = document(foreign=[{"name": "a\x1b[2Jb\u202e", "reason": "it has \x07 keys"}])
    outcome = credtray("profiles", backend=FakeBackend({Status: evil}))

    assert not any(character in outcome.out for character in "\x1b\x07\u202e")
    assert "a\N{REPLACEMENT CHARACTER}[2Jb" in outcome.out


def test_a_wrong_choice_is_told_in_plain_words() -> None:
    outcome = credtray("completion", "tcsh")

    assert outcome.err.startswith("error: Invalid value for 'SHELL': 'tcsh' is not one of")


def test_message_of_several_lines_becomes_one() -> None:
    outcome = credtray("completion")

    assert outcome.err == (
        "error: Missing argument 'SHELL'. Choose from: bash, zsh, fish, powershell\n"
        "hint: credtray completion --help\n"
    )
