"""Credential processes of an earlier credtray: found by the doctor, written anew by the repair, undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credtray.core.own_commands import OwnCommand, own_command
from credtray.desktop.autostart import credential_process_command
from tests.cli.doctor_homes import CONFIG, lay, token
from tests.cli.fake_backend import credtray


@pytest.mark.met("F3")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "/x/python -I -S /y/agent/__main__.py credentials p",
            OwnCommand("/x/python", "/y/agent/__main__.py", "agent", "p"),
        ),
        (
            "'/x y/python' -I -S '/z z/credtray/__main__.py' credentials -- -p",
            OwnCommand("/x y/python", "/z z/credtray/__main__.py", "credtray", "-p"),
        ),
        (
            r"C:\x\python.exe -I -S C:\y\agent\__main__.py credentials p",
            OwnCommand(r"C:\x\python.exe", r"C:\y\agent\__main__.py", "agent", "p"),
        ),
        ("/x/python -m agent credentials p", OwnCommand("/x/python", None, "agent", "p")),
        ("/x/python -I -m credtray credentials p", OwnCommand("/x/python", None, "credtray", "p")),
        ("aws-vault exec p", None),
        ("/x/python /y/agent/__main__.py run", None),
        ("'unclosed", None),
        ("", None),
        ("credentials", None),
    ],
)
def test_commands_of_ours_are_recognised(text: str, expected: OwnCommand | None) -> None:
    assert own_command(text) == expected


@pytest.mark.met("F3")
@pytest.mark.parametrize(
    "command",
    [
        "/x/python -I -S /y/agent/__main__.py credentials dev",
        "/usr/bin/env -I -S /y/credtray/__main__.py credentials dev",
        "/usr/bin/env -m agent credentials dev",
    ],
)
def test_old_command_is_found_repaired_and_given_back(home: Path, command: str) -> None:
    before = f"{CONFIG}# mine\n[profile dev-keys]\ncredential_process = {command}\n"
    lay(home, before, cached=token())
    found = json.loads(credtray("doctor", "--json").out)["findings"]
    finding = next(item for item in found if item["code"] == "old_command")

    assert (finding["profiles"], finding["repair"]) == (["dev-keys"], "old_commands")
    assert "credential_process_missing" not in [item["code"] for item in found]
    assert credtray("repair", "old_commands", "--yes").code == 0
    after = (home / ".aws" / "config").read_text()
    assert after == before.replace(command, credential_process_command("dev"))
    assert "old_command" not in credtray("doctor", "--json").out
    assert credtray("undo", "--yes").code == 0
    assert (home / ".aws" / "config").read_text() == before


def test_command_of_another_installation_that_is_there_is_left_alone(home: Path) -> None:
    command = credential_process_command("dev")
    lay(home, f"{CONFIG}[profile x]\ncredential_process = {command}\n", cached=token())

    assert "Nothing to repair." in credtray("repair", "old_commands").out
