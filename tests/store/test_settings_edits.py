"""Every setting is set and taken out without losing a byte of anything else, whoever else writes."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import tomllib
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core.errors import FileContended, NothingToUndo, SettingsInvalid
from credtray.core.settings import (
    TABLES,
    ProfileSettings,
    SessionSettings,
    Settings,
    Toml,
    Where,
    as_toml,
    entry_at,
    names_of,
    types_of,
)
from credtray.store.new_settings import field_texts, new_text
from credtray.store.settings_file import SettingsFile, edited, lines_of, settings_of

_NAME = st.one_of(
    st.sampled_from(["dev", "my prof", "a.b", 'we"ird', "ü", "#x", "[y]", "1", "'"]),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8),
)
_TEXT = st.one_of(
    st.sampled_from(['"', "\\", "'''", "#", "a=b", "%s & co", "日本", "true", "1h"]),
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20),
).filter(lambda text: bool(text.strip()) and text.isprintable())
_DURATION = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))
_VALUES: dict[str, st.SearchStrategy[object]] = {
    "bool": st.booleans(),
    "Panel": st.sampled_from(["auto", "light", "dark"]),
    "Section | None": _TEXT.filter(lambda text: "]" not in text),
    "Region | None": st.sampled_from(["eu-west-1", "us-gov-east-1"]),
    "str | None": _TEXT,
    "ProxyAddress | None": st.sampled_from(["http://proxy.example.com:3128", "proxy:1", "https://a:b%40@p"]),
    "WorkingDay | None": st.sampled_from(["09:00-17:30", "Sat-Mon 22:00-06:00"]),
    "Agents | None": st.sampled_from(["allow", "ask", "never"]),
    "Delivery": st.sampled_from(["file", "process", "endpoint"]),
    "tuple[str, ...]": st.lists(_TEXT, max_size=3),
    "timedelta | None": _DURATION.map(as_toml),
    "tuple[timedelta, ...]": st.lists(_DURATION.map(as_toml), max_size=3),
    "tuple[timedelta, ...] | None": st.lists(_DURATION.map(as_toml), max_size=3),
}
STARTS = (
    "",
    new_text(),
    '[profiles]\ndev.tags = ["x"]\n',
    '# mine\nwarn_before = ["1h"]   # early\n\n[profiles."a.b"]\nsection = "abc"  # keep\n# the end',
    'icon = "dark" # no line end',
    '[profiles]\ndev.tags = ["x"]\nro = { tags = ["y"], favourite = true }\n',
    '# above the table\n[profiles.dev]\ntags = [\n  "one",  # 1st\n  "two",\n]\n\n# last\n[sessions."x y"]\n',
    'sessions.corp.duration = "4h"\nprofiles.dev.notes = "n"\n',
)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Where, Toml]:
    kind = draw(st.sampled_from([Settings, SessionSettings, ProfileSettings]))
    field = draw(st.sampled_from(names_of(kind)))
    table = next((name for name, each in TABLES.items() if each is kind), None)
    keys = (field,) if table is None else (table, draw(_NAME), field)
    value = draw(_VALUES[types_of(kind)[field]])
    assert isinstance(value, (str, bool, list))
    return keys, value


def read(text: str, keys: Where) -> object:
    return entry_at(settings_of(text), keys).value


def comments(text: str) -> list[str]:
    return [line for line in lines_of(text) if line.lstrip().startswith("#")]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(STARTS), st.lists(changes(), min_size=1, max_size=4), st.booleans())
def test_whatever_is_set_reads_back_and_all_comments_stay(
    start: str,
    wanted: list[tuple[Where, Toml]],
    windows: bool,  # noqa: FBT001 - a value of the property
) -> None:
    text = start.replace("\n", "\r\n") if windows else start
    for keys, value in wanted:
        before, expected = text, tomllib.loads(text)
        text = edited(text, keys, value)
        table = expected
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value

        assert expected == tomllib.loads(text)
        assert [each.strip() for each in comments(before)] == [each.strip() for each in comments(text)]
        assert "\r\n" not in before or text.count("\n") == text.count("\r\n")
    settings_of(text)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(STARTS), changes())
def test_what_was_set_new_is_taken_out_again(start: str, change: tuple[Where, Toml]) -> None:
    keys, value = change
    before = read(start, keys)
    was_there = tomllib.loads(start)
    text = edited(edited(start, keys, value), keys, None)

    assert comments(start) == comments(text) or not start.endswith("\n")
    if was_there == tomllib.loads(edited(start, keys, None)):
        assert before == read(text, keys)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('[profiles]\ndev.tags = ["x"]  # one\n# mine\n', "[profiles]\n# mine\n"),
        ('# mine\nprofiles.dev.tags = ["x"]\n', "# mine\n"),
        ('[profiles.dev]\ntags = ["x"]\n', "[profiles.dev]\n"),
        ('[profiles]\ndev.tags = ["x"]\ndev.notes = "n"\n', '[profiles]\ndev.notes = "n"\n'),
    ],
)
def test_the_last_setting_of_a_table_without_a_header_is_taken_out(text: str, left: str) -> None:
    assert edited(text, ("profiles", "dev", "tags"), None) == left


_PIECES: dict[Where, list[str]] = {
    ("icon",): ['icon = "dark"   # for the panel\n', "icon='light'\n"],
    ("warn_before",): ['warn_before = [\n  "1h",  # early\n  "5m",\n]  # both\n', "  warn_before = [ ]\n"],
    ("confirm_production",): ['"confirm_production"=true\n'],
    ("profiles", "*", "tags"): ['tags = ["x"]  # one\n', "\ttags\t=\t[]\n"],
    ("profiles", "*", "notes"): ["notes = 'n'\n", 'notes = """n#"""  # not a comment\n'],
    ("profiles", "*", "favourite"): ["favourite = true\n"],
}
"""Path of a setting -> ways to write it."""
_BETWEEN = st.lists(st.sampled_from(["\n", "# mine\n", '#icon = "auto"\n', "  # [profiles.x]\n"]), max_size=2)
_NEW: dict[str, Toml] = {"icon": "auto", "tags": ["new"], "notes": "new", "warn_before": ["2h"]}


@st.composite
def written_files(draw: st.DrawFn) -> list[tuple[str, Where]]:
    """Return a settings file in pieces, each with the path of what it sets; () where it sets nothing."""
    pieces: list[tuple[str, Where]] = []
    for table in ("", *draw(st.lists(st.sampled_from(["dev", "a b", "ro"]), max_size=3, unique=True))):
        pieces += [(line, ()) for line in draw(_BETWEEN)]
        own = [keys for keys in _PIECES if (len(keys) == 1) == (not table)]
        if table:
            name = draw(st.sampled_from([f'[profiles."{table}"]\n', f'[ profiles . "{table}" ]  # it\n']))
            pieces.append((name, ()))
        for keys in draw(st.lists(st.sampled_from(own), unique=True)):
            pieces += [(line, ()) for line in draw(_BETWEEN)]
            path = tuple(table if key == "*" else key for key in keys)
            pieces.append((draw(st.sampled_from(_PIECES[keys])), path))
    return pieces


@settings(max_examples=150, deadline=None)
@given(written_files(), st.data(), st.booleans())
def test_an_edit_leaves_every_other_line_byte_for_byte(
    pieces: list[tuple[str, Where]],
    data: st.DataObject,
    windows: bool,  # noqa: FBT001 - a value of the property
) -> None:
    pieces = [(text.replace("\n", "\r\n") if windows else text, keys) for text, keys in pieces]
    text = "".join(each for each, _ in pieces)
    new = [("icon",), ("profiles", "dev", "notes"), ("profiles", "q", "tags")]
    keys = data.draw(st.sampled_from([*(own for _, own in pieces if own), *new]))
    value = data.draw(st.sampled_from([_NEW.get(keys[-1], False), None]))
    after = edited(text, keys, value)
    places = [at for at, (_, own) in enumerate(pieces) if own == keys]
    above = "".join(each for each, _ in pieces[: places[0]]) if places else None
    rest = "".join(each for each, own in pieces if own != keys)
    cuts = range(len(rest) + 1) if above is None else [len(above)]

    assert len(after) >= len(rest)
    assert any(after.startswith(rest[:cut]) and after.endswith(rest[cut:]) for cut in cuts)


def test_an_inline_table_takes_in_what_is_new() -> None:
    start = '# b\n[profiles]\na = { notes = "n" } # i\n# e\n'
    text = edited(start, ("profiles", "a", "tags"), ["x"])

    assert read(text, ("profiles", "a", "tags")) == ("x",)
    assert [*lines_of(text)[:2], lines_of(text)[3]] == ["# b\n", "[profiles]\n", "# e\n"]


def test_a_library_that_loses_a_comment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tomlkit.dumps

    def careless(document: tomlkit.TOMLDocument) -> str:
        return whole(document).replace("# theirs\n", "")

    monkeypatch.setattr("tomlkit.dumps", careless)
    text = 'icon = "dark"\n# theirs\nwarn_before = []\n'
    with pytest.raises(SettingsInvalid, match="cannot be changed here without changing more"):
        edited(text, ("icon",), "light")

    assert edited(text, ("remove_keys_at_end",), value=False) == f"{text}remove_keys_at_end = false\n"


@pytest.mark.parametrize("start", STARTS)
def test_a_new_setting_is_a_new_line_and_no_other_line_is_touched(start: str) -> None:
    text = edited(start, ("remove_keys_at_end",), value=False)
    added = lines_of(text)
    added.remove("remove_keys_at_end = false\n")

    assert "".join(added).rstrip("\n") == start.rstrip("\n")


def test_a_new_setting_stands_behind_its_explanation() -> None:
    lines = lines_of(edited(new_text(), ("icon",), "dark"))

    assert lines[lines.index('icon = "dark"\n') - 1] == '#icon = "auto"\n'


def test_a_setting_for_all_never_comes_behind_a_table_that_waits_for_its_number_sign_to_go() -> None:
    without = "".join(line for line in lines_of(new_text()) if "icon" not in line)
    text = edited(without, ("icon",), "dark")

    assert text.index('icon = "dark"') < text.index("#[sessions.NAME]")


def test_the_comment_above_a_table_stays_above_it() -> None:
    text = edited('warn_before = []\n\n# about dev\n[profiles.dev]\ntags = ["x"]\n', ("icon",), "dark")

    assert text == 'warn_before = []\n\nicon = "dark"\n# about dev\n[profiles.dev]\ntags = ["x"]\n'


# --- the new file ------------------------------------------------------------------------------------


def test_the_new_file_says_nothing_yet_and_explains_every_setting() -> None:
    text = new_text()

    assert settings_of(text) == Settings()
    assert all(line.startswith("#") or not line.strip() for line in lines_of(text))
    for kind in (Settings, *TABLES.values()):
        told = field_texts(kind)
        for item in fields(kind):
            assert item.name in TABLES or (told[item.name] and f"\n#{item.name} = " in text)


def test_the_new_file_without_its_number_signs_is_valid_and_says_the_defaults() -> None:
    lines = [line[1:] if line.startswith("#") and line[1:2] != " " else line for line in lines_of(new_text())]
    found = settings_of("".join(lines))

    with_default = [name for name in names_of(Settings) if getattr(Settings(), name) is not None]

    assert [getattr(found, name) for name in with_default] == [
        getattr(Settings(), name) for name in with_default
    ]
    assert found.working_day == "Mon-Fri 09:00-17:30"
    assert found.profile("NAME").description == "Reads the bills"
    assert not found.profile("NAME").production


# --- what is wrong is found --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('icon = "auto"\nbogus = 1\n', 2),
        ("# a\n\nwarn_before = 1h\n", 3),
        ('[sessions.corp]\nduration = "4h"\n\n[profiles.dev]\ntags = ["a"]\ndelivery = "mail"\n', 6),
        ('[profiles.dev]\ntags = [\n  "ok",\n  1,\n]\n', 2),
        ('profiles.dev.region = "nowhere"\n', 1),
        ('\ufeff# from Windows\r\nicon = "red"\r\n', 2),
        ("[profiles.dev]\n\n[profiles.dev.tags]\nx = 1\n", 3),
        ("profiles = 3\n", 1),
    ],
)
def test_the_line_of_what_is_wrong_is_named(text: str, line: int) -> None:
    with pytest.raises(SettingsInvalid, match=rf"at line {line}\b"):
        settings_of(text)


def test_a_file_from_windows_is_read_and_keeps_its_ways(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes('\ufeff# mine\r\nicon = "dark"\r\n'.encode())
    SettingsFile(path).set(("warn_before",), ["5m"])

    assert path.read_bytes() == '\ufeff# mine\r\nicon = "dark"\r\nwarn_before = ["5m"]\r\n'.encode()


# --- the file ----------------------------------------------------------------------------------------


def _set_many(path: str, own: str, name: str, count: int) -> None:
    for number in range(count):
        SettingsFile(Path(path), Path(own)).set(("profiles", f"{name}{number}", "favourite"), value=True)


def test_two_that_set_at_once_lose_nothing(tmp_path: Path) -> None:
    path, count = tmp_path / "settings.toml", 10
    spawn = multiprocessing.get_context("spawn")
    both = [
        spawn.Process(target=_set_many, args=(str(path), str(tmp_path / "own"), name, count)) for name in "ab"
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(60)

    assert [process.exitcode for process in both] == [0, 0]
    assert len(SettingsFile(path).load().profiles) == 2 * count


def test_what_an_editor_saves_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n")
    saves = iter(["# saved by an editor\n"])

    def late(text: str, keys: Where, value: Toml | None) -> str:
        after = edited(text, keys, value)
        for saved in saves:
            path.write_text(saved)
        return after

    monkeypatch.setattr("credtray.store.settings_file.edited", late)
    SettingsFile(path).set(("icon",), "dark")

    assert path.read_text() == '# saved by an editor\nicon = "dark"\n'


@pytest.mark.wine_lacks("links that other programs see")
def test_a_link_stays_a_link_and_the_mode_stays_the_users(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "settings.toml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    real.chmod(0o644)
    path = tmp_path / "settings.toml"
    path.symlink_to(real)
    SettingsFile(path, tmp_path / "own").set(("icon",), "dark")

    assert path.is_symlink()
    assert real.read_text() == '# mine\nicon = "dark"\n'
    assert real.stat().st_mode & 0o777 == 0o644


def test_undo_puts_the_former_text_back_and_once_more_the_later_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n")
    file = SettingsFile(path, tmp_path / "own")
    file.set(("icon",), "dark")
    changed = path.read_text()
    texts = []
    for _ in range(2):
        file.undo()
        texts.append(path.read_text())

    assert texts == ["# mine\n", changed]


def test_nothing_edited_is_nothing_to_undo(tmp_path: Path) -> None:
    with pytest.raises(NothingToUndo):
        SettingsFile(tmp_path / "settings.toml").undo()


def test_an_edit_of_what_somebody_changed_meanwhile_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# theirs\n")
    with pytest.raises(FileContended):
        SettingsFile(path).take_over("# before\n", "# mine\n")

    assert path.read_text() == "# theirs\n"


def test_a_broken_edit_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# before\n")
    with pytest.raises(SettingsInvalid, match="line 1"):
        SettingsFile(path).take_over("# before\n", "icon = dark\n")

    assert path.read_text() == "# before\n"


@pytest.mark.posix("limits of a process")
def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n")
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "import credtray.store.settings_file\n"
        "from credtray.core.errors import FileUnwritable\n"
        "from credtray.store.settings_file import SettingsFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try:\n"
        "    SettingsFile(Path(sys.argv[1])).set(('icon',), 'dark')\n"
        "except FileUnwritable:\n"
        "    sys.exit(7)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=False, timeout=60)

    assert done.returncode == 7
    assert path.read_text() == "# mine\n"
    assert list(tmp_path.glob(".credtray-*")) == []
