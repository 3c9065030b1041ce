"""`credtray settings`: shows, changes and hands to an editor; the user's comments and files stay whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from credtray.cli.settings import complete_action, complete_setting, complete_tag, keys_of
from credtray.core.errors import SettingsInvalid
from credtray.core.shell_words import command_line
from credtray.desktop import paths
from tests.cli.fake_backend import credtray

MINE = '# mine\nwarn_before = ["1h"]   # early\n\n[profiles."my prof"]\ntags = ["x", "Yearly"]\n'
CONFIG = "[sso-session corp]\nsso_region = us-east-1\n[profile dev]\n[profile my.prof]\n"


@pytest.fixture
def file(home: Path) -> Path:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    path = paths.settings_file()
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(MINE)
    return path


def editing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Let the user's editor be a program that changes the file it is given."""
    program = tmp_path / "editor.py"
    program.write_text(f"import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n{script}\n")
    monkeypatch.delenv("VISUAL", raising=False)
    editor = [sys.executable, str(program)]
    monkeypatch.setenv("EDITOR", command_line(editor, windows=sys.platform == "win32"))


# --- looking -----------------------------------------------------------------------------------------


def test_the_list_tells_the_file_and_what_differs(file: Path) -> None:
    outcome = credtray("settings")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == f"File: {file}"
    assert '* warn_before              ["1h"]   (default: ["30m", "10m"])' in outcome.out
    assert '* profiles."my prof".tags  ["x", "Yearly"]   (default: [])' in outcome.out
    assert '  icon                     "auto"' in outcome.out


@pytest.mark.usefixtures("home")
def test_looking_makes_no_file() -> None:
    outcome = credtray("settings")

    assert "not created yet" in outcome.out
    assert "All settings have their default values." in outcome.out
    assert not paths.settings_file().parent.exists()


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("key", "out"),
    [
        ("warn_before", "1h\n"),
        ("icon", "auto\n"),
        ("remove_keys_at_end", "true\n"),
        ("sessions.synderys.duration", "8h\n"),
        ("sessions.corp.warn_before", "1h\n"),
        ("profiles.my prof.tags", "x\nYearly\n"),
        ("profiles.'my prof'.section", "my prof\n"),
        ("profiles.dev.region", ""),
    ],
)
def test_get_tells_what_is_in_effect(key: str, out: str) -> None:
    assert credtray("settings", "get", key).out == out


def test_for_programs_values_have_their_kind(file: Path) -> None:
    whole = json.loads(credtray("settings", "--json").out)
    one = json.loads(credtray("settings", "get", "warn_before", "--json").out)

    assert (whole["file"], whole["exists"]) == (str(file), True)
    assert [item["key"] for item in whole["settings"] if item["changed"]] == [
        "warn_before",
        'profiles."my prof".tags',
    ]
    assert one == {
        "key": "warn_before",
        "keys": ["warn_before"],
        "value": ["1h"],
        "default": ["30m", "10m"],
        "changed": True,
        "locked": False,
    }
    assert json.loads(credtray("settings", "path", "--json").out) == {"file": str(file), "exists": True}


def test_a_broken_file_is_named_with_its_line(file: Path) -> None:
    file.write_text(f'{MINE}delivery = "mail"\n')
    outcome = credtray("settings")

    assert outcome.code == 1
    assert f"{file}: " in outcome.err
    assert "at line 6" in outcome.err


# --- changing ----------------------------------------------------------------------------------------


def test_set_changes_one_value_and_says_how_to_take_it_back(file: Path) -> None:
    outcome = credtray("settings", "set", "profiles.my.prof.description", "Reads", "the bills")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        'profiles."my.prof".description = "Reads the bills". Undo: credtray settings undo\n'
    )
    assert file.read_text() == f'{MINE}\n[profiles."my.prof"]\ndescription = "Reads the bills"\n'
    assert credtray("settings", "undo").code == 0
    assert file.read_text() == MINE


def test_unset_brings_the_default_back(file: Path) -> None:
    outcome = credtray("settings", "unset", "warn_before")

    assert outcome.out.startswith('warn_before = ["30m", "10m"].')
    assert "# mine\n" in file.read_text()


def test_a_name_that_is_not_in_the_config_file_may_be_a_slip(file: Path) -> None:
    outcome = credtray("settings", "set", "profiles.deb.favourite", "true")

    assert outcome.code == 0
    assert outcome.err == "warning: There is no profile 'deb' in the config file. Did you mean dev?\n"
    assert "[profiles.deb]" in file.read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("set", "warn_befor", "1h"), "Did you mean warn_before?"),
        (("set", "warn_before", "soon"), 'must be a duration such as "30m"'),
        (("set", "icon", "red"), 'must be "auto", "light" or "dark"'),
        (("set", "profiles.my", "prof.tags"), "'profiles.NAME.SETTING', quoted when NAME has blanks"),
        (("set", "profiles.dev.tag", "x"), "Did you mean tags?"),
        (("set", "profiles..tags", "x"), "not the name of a setting"),
        (("set", "warn_before"), "needs a value"),
        (("set",), "needs the name of a setting"),
        (("get",), "needs the name of a setting"),
        (("get", "icon", "dark"), "takes no value"),
        (("path", "icon"), "takes no further words"),
        (("gett", "icon"), "Did you mean get?"),
    ],
)
def test_words_that_do_not_fit_are_explained_and_change_nothing(
    file: Path, words: tuple[str, ...], says: str
) -> None:
    outcome = credtray("settings", *words)

    assert outcome.code == 2
    assert says in outcome.err
    assert file.read_text() == MINE


def test_nothing_to_undo_is_said(file: Path) -> None:
    outcome = credtray("settings", "undo")

    assert outcome.code == 1
    assert "nothing to undo" in outcome.err
    assert file.read_text() == MINE


# --- editing -----------------------------------------------------------------------------------------


def test_an_edit_is_taken_over_and_can_be_undone(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editing(monkeypatch, tmp_path, "file.write_text(file.read_text().replace('1h', '2h'))")
    outcome = credtray("settings", "edit")

    assert (outcome.code, outcome.err) == (0, "")
    assert file.read_text() == MINE.replace("1h", "2h")
    credtray("settings", "undo")
    assert file.read_text() == MINE


def test_an_edit_that_changes_nothing_says_so(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editing(monkeypatch, tmp_path, "")

    assert credtray("settings", "edit").out == "Nothing was changed.\n"
    assert file.read_text() == MINE


def test_a_broken_edit_is_reported_with_its_line_and_the_old_file_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editing(monkeypatch, tmp_path, "file.write_text(file.read_text() + 'delivery = 3\\n')")
    outcome = credtray("settings", "edit")

    assert outcome.code == 1
    assert "at line 6" in outcome.err
    assert file.read_text() == MINE


@pytest.mark.parametrize(("again", "code", "text"), [("yes", 0, MINE.replace("1h", "3h")), ("no", 1, MINE)])
def test_a_broken_edit_may_be_edited_again(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    again: str,
    code: int,
    text: str,
) -> None:
    first = "text = file.read_text()\nbroken = '1h' in text\n"
    editing(
        monkeypatch,
        tmp_path,
        f"{first}file.write_text(text.replace('1h', '3x') if broken else text.replace('3x', '3h'))",
    )
    monkeypatch.setattr("credtray.cli.terminal.interactive", lambda: True)
    monkeypatch.setattr("credtray.cli.questions.ask_yes", lambda *_args, **_words: again == "yes")
    outcome = credtray("settings", "edit")

    assert outcome.code == code
    assert "3x" in outcome.err
    assert file.read_text() == text


def test_what_somebody_else_saved_meanwhile_wins_and_the_edit_is_kept_beside(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = f"pathlib.Path({str(file)!r}).write_text('# theirs\\n')"
    editing(monkeypatch, tmp_path, f"{other}\nfile.write_text('# my edit\\n')")
    outcome = credtray("settings", "edit")
    kept = paths.state_directory() / "settings.toml.yours"

    assert outcome.code == 1
    assert str(kept) in outcome.err
    assert (file.read_text(), kept.read_text()) == ("# theirs\n", "# my edit\n")


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("/nowhere/vi", 127, "/nowhere/vi (from VISUAL or EDITOR)"),
        (f'"{sys.executable}" -c "raise SystemExit(1)"', 126, "ended with exit code 1"),
        pytest.param("'open", 2, "No closing quotation", marks=pytest.mark.posix("quotes of sh")),
        pytest.param("/", 126, "Permission denied", marks=pytest.mark.posix("a folder is no program there")),
    ],
)
def test_an_editor_that_does_not_work_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: int, says: str
) -> None:
    monkeypatch.setenv("VISUAL", command)
    outcome = credtray("settings", "edit")

    assert outcome.code == code
    assert says in outcome.err
    assert file.read_text() == MINE


@pytest.mark.usefixtures("home")
def test_the_first_edit_begins_with_the_explained_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editing(monkeypatch, tmp_path, "assert '#warn_before = ' in file.read_text()")

    assert credtray("settings", "edit").code == 0
    assert paths.settings_file().read_text().startswith("# credtray's settings.")


@pytest.mark.linux_desktop("Windows has an editor and a desktop")
@pytest.mark.usefixtures("file")
def test_without_editor_and_desktop_the_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    outcome = credtray("settings", "edit")

    assert outcome.code == 1
    assert str(paths.settings_file()) in outcome.err


# --- names and completion ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("warn_before", ("warn_before",)),
        ("sessions.corp.duration", ("sessions", "corp", "duration")),
        ('profiles."my prof".tags', ("profiles", "my prof", "tags")),
        ("profiles.'a.b'.tags", ("profiles", "a.b", "tags")),
        ('profiles."we\\"ird".tags', ("profiles", 'we"ird', "tags")),
        ("profiles.my prof.tags", ("profiles", "my prof", "tags")),
        ("profiles.a.b.tags", ("profiles", "a.b", "tags")),
        ("profiles.tags.tags", ("profiles", "tags", "tags")),
    ],
)
def test_a_path_is_read_as_toml_or_without_the_quotes_the_shell_ate(text: str, keys: tuple[str, ...]) -> None:
    assert keys_of(text) == keys


@pytest.mark.parametrize("text", ["", ".", "profiles", 'profiles."open.tags', "a b", 'profiles."\\x".tags'])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(SettingsInvalid):
        keys_of(text)


@pytest.mark.usefixtures("file")
def test_actions_settings_and_tags_are_completed() -> None:
    assert complete_action("u") == ["unset", "undo"]
    assert complete_setting("") == [
        *("warn_before", "remove_keys_at_end", "remove_keys_at_sign_out", "remove_keys_on_stop"),
        *("history", "watch_roles", "confirm_production", "working_day", "agents", "icon", "sessions."),
        "profiles.",
    ]
    assert complete_setting("sessions.corp.d") == ["sessions.corp.duration", "sessions.corp.device_flow"]
    assert complete_setting('profiles."my.prof".t') == ['profiles."my.prof".tags']
    assert complete_tag("y") == ["Yearly"]


def test_a_broken_file_completes_no_tag_and_raises_nothing(file: Path) -> None:
    file.write_text("icon = ")

    assert complete_tag("") == []


# --- what the organisation sets ------------------------------------------------------------------------


def lock(home: Path, text: str) -> Path:
    """Write what the organisation sets on this computer."""
    path = home / "organisation" / "policy.toml"
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)
    return path


@pytest.mark.posix("a file with an owner and a mode")
def test_what_is_locked_says_so_and_is_not_changed(home: Path, file: Path) -> None:
    policy = lock(home, 'warn_before = ["2h"]\nhistory = 7\n')
    listed = credtray("settings")
    whole = json.loads(credtray("settings", "--json").out)
    refused = [
        credtray("settings", *words) for words in (("set", "warn_before", "5m"), ("unset", "warn_before"))
    ]

    assert '* warn_before              ["2h"]   (set by your organisation)' in listed.out
    assert f"Set by your organisation: 1, in {policy}" in listed.out
    assert f"{policy}: history must be true or false" in listed.err
    assert [item["key"] for item in whole["settings"] if item["locked"]] == ["warn_before"]
    assert whole["policy"]["places"] == [str(policy)]
    for outcome in refused:
        assert outcome.code == 1
        assert (
            f'This setting is set by your organisation: warn_before is set to ["2h"] in {policy}'
            in outcome.err
        )
        assert "Ask whoever looks after your computer" in outcome.err
    assert file.read_text() == MINE


@pytest.mark.posix("a file with an owner and a mode")
def test_an_editor_that_changes_what_is_locked_is_refused(
    home: Path, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock(home, "history = false\n")
    editing(monkeypatch, tmp_path, "file.write_text('history = true\\n')")
    outcome = credtray("settings", "edit")

    assert outcome.code == 1
    assert "set by your organisation" in outcome.err
    assert file.read_text() == MINE
