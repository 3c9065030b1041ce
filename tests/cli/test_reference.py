from __future__ import annotations

from pathlib import Path

import pytest

from credtray.cli.main import COMMANDS, HIDDEN
from credtray.cli.reference import EXIT_CODES, main, pages
from credtray.core.apply import apply
from credtray.core.config.sso import parse_config
from credtray.core.errors import every_error
from credtray.core.events import ConfigLoaded
from credtray.core.protocol.results import AgentStatus
from credtray.core.state import State
from credtray.core.summary import status_document
from tests.as_json import as_json
from tests.cli.fake_backend import NOW
from tests.cli.real_world import DNS, SESSION

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


def test_every_exit_code_of_an_error_is_explained() -> None:
    codes = {str(error.exit_code) for error in every_error()}

    assert codes <= {code for code, _ in EXIT_CODES}


def test_every_command_and_every_error_has_its_place() -> None:
    made = pages()

    assert all(f"## credtray {name}\n" in made["commands.md"] for name in COMMANDS if name not in HIDDEN)
    assert all(f"| `{kind.code}` |" in made["errors.md"] for kind in every_error())


def test_settings_are_told_with_default_and_meaning() -> None:
    text = pages()["settings.md"]

    assert "| `warn_before` | 30 min, 10 min | When to say that a sign-in ends soon." in text
    assert "| `remove_keys_on_stop` | `true` |" in text
    assert "| `duration` | not set |" in text


def test_every_field_of_the_status_document_is_documented() -> None:
    text = (FOLDER / "status.md").read_text(encoding="utf-8")
    config = parse_config((SESSION + DNS).encode(), {})
    state = apply(State(), ConfigLoaded(config), NOW)
    found = as_json(status_document(state, AgentStatus(running=True, pid=1, version="1"), NOW))
    fields = [*found, *found["agent"], *found["sessions"][0], *found["profiles"][0]]

    assert found["sessions"]
    assert found["profiles"]
    assert [name for name in fields if f"`{name}`" not in text] == []
