"""What could stand at the cursor. What shells make of it: tests/cli/test_completion_in_shells.py."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
import typer

from credtray.cli.completion import Kind, offer
from credtray.cli.main import COMMANDS, HIDDEN

CONFIG = """
[sso-session synderys]
sso_start_url = https://aws.synderys.com
[profile dev]
sso_account_id = 111100000001
sso_role_name = ReadOnly
[profile dns]
[profile -leading]
"""


def run_it(
    profile: Annotated[str, typer.Argument(autocompletion=lambda incomplete: [("dev", "the one"), "dns"])],
    command: Annotated[list[str], typer.Argument(metavar="[-- CMD...]")],
    source: Annotated[str | None, typer.Option("--from", "-f", metavar="[FILE|-]")] = None,
    kind: Annotated[str | None, typer.Option("--kind", autocompletion=lambda: ["a", "b c"])] = None,
    quiet: Annotated[bool | None, typer.Option("--quiet/--loud")] = None,
    secret: Annotated[bool | None, typer.Option("--secret", hidden=True)] = None,
) -> None:
    """Run something.

    Examples:
      credtray trial
    """


@pytest.fixture(autouse=True)
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    module = ModuleType("credtray.cli.trial")
    module.__dict__["trial"] = run_it
    monkeypatch.setitem(sys.modules, "credtray.cli.trial", module)
    monkeypatch.setitem(COMMANDS, "trial", ("cli.trial", "Trial"))


def values(line: str, **parts: bool) -> list[str]:
    *words, incomplete = line.split(" ")
    return [each.value for each in offer(words, incomplete, **parts).candidates]


def kind(line: str) -> tuple[Kind, int]:
    *words, incomplete = line.split(" ")
    found = offer(words, incomplete)
    return found.kind, found.before


def test_commands_are_offered_with_their_summaries() -> None:
    (found,) = offer([], "pau").candidates

    assert found.value == "pause"
    assert found.help == "Pause notices for a while: all of them, or the warnings about one sign-in."
    assert values("") == [name for name in COMMANDS if name not in HIDDEN]
    assert offer([], "pau", described=False).candidates[0].help == ""


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - HIDDEN))
def test_every_command_is_offered_with_a_summary(name: str) -> None:
    found = {each.value: each.help for each in offer([], name).candidates}

    assert found[name].endswith(".")


def test_summary_shows_no_marks_of_the_help() -> None:
    (found,) = offer([], "switch").candidates

    assert found.help == "Make a profile the default: its keys go into [default]."


def test_options_of_the_program_come_before_a_command() -> None:
    assert values("--v") == ["--verbose", "--version"]
    assert values("--verbose --v") == ["--version"]
    assert values("--verbose paus") == ["pause"]


def test_options_are_offered_once_and_hidden_ones_never() -> None:
    assert values("trial -") == ["--from", "--kind", "--quiet", "--loud", "--help"]
    assert values("trial --kind a --quiet -") == ["--from", "--help"]
    assert values("trial --kind=a --l") == ["--loud"]
    assert values("trial -f") == ["-f"]


def test_value_of_an_option_is_offered_beside_it_and_joined() -> None:
    assert values("trial --kind ") == ["a", "b c"]
    assert values("trial --kind b") == ["b c"]
    assert values("trial --kind=b") == ["--kind=b c"]
    assert values("trial dev --quiet=x") == []
    assert values("trial --unknown=x") == []


def test_argument_in_turn_is_offered_whatever_options_stand_between() -> None:
    assert values("trial ") == ["dev", "dns"]
    assert values("trial --quiet d") == ["dev", "dns"]
    assert values("trial --kind a --from x dn") == ["dns"]
    assert offer(["trial"], "de").candidates[0].help == "the one"


def test_files_and_command_lines_are_left_to_the_shell() -> None:
    assert kind("trial --from ") == (Kind.FILES, 0)
    assert kind("trial --from=x") == (Kind.FILES, 0)
    assert kind("trial dev -- ") == (Kind.COMMAND, 3)
    assert kind("trial dev aws s3 --he") == (Kind.COMMAND, 2)
    assert kind("trial --kind a dev -- aws --re") == (Kind.COMMAND, 5)
    assert kind("trial dev --k") == (Kind.WORDS, 0)


def test_real_commands_leave_them_to_the_shell() -> None:
    assert kind("exec dev -- aws ") == (Kind.COMMAND, 3)
    assert kind("exec --for 45m dev -- ") == (Kind.COMMAND, 5)
    assert kind("import ") == (Kind.FILES, 0)
    assert values("settings get warn") == ["warn_before"]


def test_profiles_that_were_named_are_not_offered_again() -> None:
    assert values("activate d") == ["dev", "dns"]
    assert values("activate dev d") == ["dns"]
    assert values("activate dev dns ") == []


def test_name_like_an_option_is_offered_only_where_it_is_none() -> None:
    assert values("env ") == ["dev", "dns"]
    assert values("env -- -") == ["-leading"]


def test_profiles_tell_their_role() -> None:
    assert offer(["env"], "de").candidates[0].help == "ReadOnly in 111100000001"


def test_sessions_regions_and_shells_are_offered() -> None:
    assert values("login ") == ["synderys"]
    assert values("env dev --shell po") == ["powershell"]
    assert values("completion f") == ["fish"]


def test_after_the_last_argument_and_after_no_command_nothing_is_offered() -> None:
    assert values("env dev ") == []
    assert values("nonsense ") == []
    assert values("nonsense --") == []


def test_help_offers_pages_with_their_titles_and_commands() -> None:
    found = {each.value: each.help for each in offer(["help"], "in").candidates}

    assert found["install"] == "Install it"
    assert "reference/settings" in values("help ref")
    assert "exec" in values("help ex")
    assert values("help snoo") == []
