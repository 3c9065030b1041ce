"""How `credtray exec` starts programs on Windows: the rules, which are pure and the same everywhere."""

from __future__ import annotations

import pytest

from credtray.cli.exec_on_windows import child_command
from credtray.core.errors import CommandRefused

ENVIRON = {"SYSTEMROOT": r"C:\Windows"}
CMD = r"C:\Windows\System32\cmd.exe"


def test_a_program_gets_its_words_by_the_rules_of_the_c_runtime() -> None:
    command = child_command(r"C:\a b\aws.EXE", ["s3", 'say "100%"'], ENVIRON)

    assert command.program == r"C:\a b\aws.EXE"
    assert command.line == r'"C:\a b\aws.EXE" s3 "say \"100%\""'


@pytest.mark.parametrize("program", [r"C:\npm\cdk.cmd", r"C:\npm\CDK.BAT", r"C:\npm\cdk.cmd. ."])
def test_a_batch_file_is_read_by_cmd_with_every_word_in_quotes(program: str) -> None:
    command = child_command(program, ["deploy", "a&calc", "^|<>()!x!", ""], ENVIRON)

    assert command.program == CMD
    assert command.line == (f'"{CMD}" /d /e:on /v:off /s /c ""{program}" "deploy" "a&calc" "^|<>()!x!" """')


@pytest.mark.parametrize("word", ['"&calc.exe', "%PATH%", "100%", "a\nb", "a\rb", "a\0b"])
def test_a_word_that_cmd_would_read_otherwise_is_refused(word: str) -> None:
    with pytest.raises(CommandRefused, match="batch file") as refused:
        child_command(r"C:\npm\cdk.cmd", [word], ENVIRON)

    assert "percent signs" in refused.value.advice
    assert "\\\\" not in str(refused.value)


@pytest.mark.parametrize("folder", ["100%", "%", "50% off % x", "%NOWHERE%", "%%"])
def test_percent_signs_of_its_own_folder_are_left_alone_by_cmd(folder: str) -> None:
    program = rf"C:\{folder}\cdk.cmd"

    assert f'""{program}" "deploy""' in child_command(program, ["deploy"], ENVIRON).line


@pytest.mark.parametrize("name", ["%SystemRoot%", "%path%", "a%cd%b"])
def test_a_folder_that_cmd_would_take_for_a_variable_is_named(name: str) -> None:
    with pytest.raises(CommandRefused, match="fill in %") as refused:
        child_command(rf"C:\{name}\cdk.cmd", ["deploy"], ENVIRON)

    assert "Rename that folder" in refused.value.advice


def test_a_program_that_only_names_a_batch_file_is_no_batch_file() -> None:
    command = child_command(r"C:\x.cmd\aws.exe", ["100%"], ENVIRON)

    assert command.program == r"C:\x.cmd\aws.exe"
