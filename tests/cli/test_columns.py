"""Tables and texts in narrow terminals: no name is ever broken."""

from __future__ import annotations

import importlib
import inspect

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from credtray.cli import main
from credtray.cli.columns import Column, Columns
from credtray.core.config.setup_edits import ProfileChange, ProfileOutcome
from credtray.core.protocol import Status
from credtray.setup.steps import plan_view
from tests.cli.fake_backend import FakeBackend, credtray, document, idle, profile, session

LONG = "a-name-of-sixty-characters-that-somebody-made-a-program-make"
CHINESE = "日本語のアカウント-生产环境"
NAMES = ("synderys-network-administratoraccess", "synderys-dns", LONG, CHINESE, "🚀-launch", "dev")
ITEMS = [
    profile(NAMES[0], default=True, role_name="AdministratorAccess", account_name="Synderys Network"),
    profile(NAMES[1], role_name="DNS"),
    profile(LONG, role_name="AWSPowerUserAccess"),
    profile(CHINESE, role_name="AdministratorAccess", account_name="日本"),
    profile(NAMES[4], active=False, role_name="Launch"),
    profile(NAMES[5], delivery="endpoint", session="other"),
]
FOUND = document([session(), session("other")], [*ITEMS, idle("rest")])


@pytest.mark.met("M3")
@pytest.mark.parametrize("columns", [200, 120, 100, 80, 72, 60, 40])
@pytest.mark.parametrize("command", ["status", "profiles"])
def test_no_name_is_broken_and_no_line_is_longer_than_the_terminal(
    command: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = credtray(command, backend=FakeBackend({Status: FOUND})).out.splitlines()

    assert [name for name in NAMES if not any(name in line for line in lines)] == []
    assert [line for line in lines if cell_len(line) > columns and LONG not in line] == []


@pytest.mark.met("M3")
@pytest.mark.parametrize("columns", [80, 60])
def test_a_profile_is_one_line_with_its_role_whole(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    usual = [
        profile(name, role_name="AdministratorAccess") for name in ("prod-admin", "synderys-lab", "sandbox")
    ]
    out = credtray("status", backend=FakeBackend({Status: document([session()], usual)})).out
    lines = [line for line in out.splitlines() if "●" in line][1:]

    assert [line.split()[1] for line in lines] == ["prod-admin", "synderys-lab", "sandbox"]
    assert all("until 14:15 (47 min)" in line for line in lines)
    assert all("AdministratorAccess" in line for line in lines)


@pytest.mark.met("M3")
def test_the_account_has_its_name_where_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = credtray("profiles", backend=FakeBackend({Status: FOUND})).out

    assert "Synderys Network" in out


@pytest.mark.met("M3")
@pytest.mark.parametrize("columns", [80, 60])
def test_the_preview_of_setup_breaks_no_name(columns: int) -> None:
    changes = [
        ProfileChange(name, "111100000001", "AdministratorAccess", ProfileOutcome.ADDED) for name in NAMES
    ]
    console = Console(width=columns, color_system=None)
    with console.capture() as shown:
        view = plan_view(changes, "", {"111100000001": "Synderys Platform"}, "~/.aws/config", whole=True)
        console.print(view, crop=False)

    assert all(f"+ {name}" in shown.get() for name in NAMES)
    assert "AdministratorAccess" in shown.get()
    assert "111100000001" not in shown.get()


def shown(columns: list[Column], rows: list[list[str]], width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as found:
        console.print(Columns(columns, [[Text(cell) for cell in row] for row in rows], headed=True))
    return [line.rstrip() for line in found.get().splitlines()]


def test_columns_leave_in_their_order_then_rows_are_put_on_several_lines() -> None:
    columns = [Column("Name"), Column("Second", leaves=2), Column("First", leaves=1), Column("End")]
    rows = [["name-one", "second", "first", "end"], ["name-two", "other", "", "end"]]

    assert shown(columns, rows, 40)[0].split() == ["Name", "Second", "First", "End"]
    assert shown(columns, rows, 24)[0].split() == ["Name", "Second", "End"]
    assert shown(columns, rows, 16)[0].split() == ["Name", "End"]
    assert shown(columns, rows, 12) == [
        "name-one",
        "    second",
        "    first",
        "    end",
        "name-two",
        "    other",
        "    end",
    ]


def test_one_long_name_costs_the_others_no_column() -> None:
    rows = [[name, "role"] for name in ("a", "b", "c", "d", "e" * 30)]

    assert shown([Column("Name"), Column("Role", leaves=1)], rows, 30)[:2] == ["Name  Role", "a     role"]


@pytest.mark.met("M3")
@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_examples_fit_80_columns(name: str) -> None:
    found = importlib.import_module(f"credtray.{main.COMMANDS[name][0]}")
    function = name.replace("-", "_")
    text = inspect.getdoc(getattr(found, function, None) or getattr(found, f"{function}_")) or ""
    _, examples, lines = text.partition("Examples:")

    assert examples
    assert [line for line in lines.splitlines() if len(line.strip()) > 76] == []


@pytest.mark.met("L")
@pytest.mark.parametrize("words", [(), ("--help",), *((name, "--help") for name in sorted(main.COMMANDS))])
def test_what_credtray_says_of_itself_fits_80_columns(words: tuple[str, ...]) -> None:
    assert [line for line in credtray(*words).out.splitlines() if cell_len(line.rstrip()) > 80] == []
