from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.main import COMMANDS
from agent.cli.reference import main, pages
from agent.core.errors import every_error

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_pages_in_the_repository_are_those_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(FOLDER), "--check"])

    assert capsys.readouterr().out == ""
    assert code == 0


def test_stale_page_is_named_and_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path)])
    (tmp_path / "errors.md").write_text("old")
    capsys.readouterr()

    assert main([str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().out == "errors.md: is stale\n"
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0


def test_every_command_and_every_error_has_its_place() -> None:
    made = pages()

    assert all(f"## credtray {name}\n" in made["commands.md"] for name in COMMANDS)
    assert all(f"| `{kind.code}` |" in made["errors.md"] for kind in every_error())


def test_settings_are_told_with_default_and_meaning() -> None:
    text = pages()["settings.md"]

    assert "| `warn_before` | 30 min, 10 min | When to say that a sign-in ends soon." in text
    assert "| `remove_keys_on_stop` | `true` |" in text
    assert "| `duration` | not set |" in text
