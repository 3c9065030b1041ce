"""Words of commands printed on Windows: PowerShell hands over exactly what was meant, and cmd mostly, too."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core import shell_words
from credtray.core.answers import sign_in_required
from credtray.core.forms import Form
from credtray.core.notice_texts import notification, what_to_type
from credtray.core.shell_words import argument, path_word, toml_word, variable, word
from credtray.doctor.all_rules import BY_CODE, findings
from credtray.doctor.findings import general_cure
from credtray.files.obstacles import InTheWay, Obstacle
from tests.cli.snapshot import snapshot
from tests.core.diagnosis_facts import NOW, WRONG
from tests.core.test_notice_words import NOTICES

HERE = Form.POWERSHELL
NASTY = (
    "a b",
    "it's",
    "$HOME",
    "`id`",
    "a\\b",
    "*",
    "ünï 日本",
    "-rf",
    "-a.b",
    "a\nb",
    "~",
    "@x",
    "a,b",
    "100%",
)
_QUOTES = '"\u201c\u201d\u201e'
_IN_QUOTES = re.compile(
    r"`(?P<escaped>.)|\$\(\[char\](?P<number>\d+)\)|\$env:(?P<env>\w+)|\$\{env:(?P<braced>\w+)\}|(?P<home>\$HOME)"
    rf"|(?P<plain>[^`${_QUOTES}])",
    re.DOTALL,
)
"""What stands between double quotes (about_Quoting_Rules); a dollar sign that begins nothing is not here."""
_BARE = re.compile(r"(?P<home>\$HOME)|(?P<plain>[A-Za-z0-9+/=._:\\-])", re.ASCII)
"""What no shell gives a meaning of its own in the middle of a word."""


class NotOneWordError(AssertionError):
    """PowerShell would read more, or something else, than one word."""


def taken(text: str) -> str:
    """Return what PowerShell makes of one word, by its documentation (about_Parsing, about_Quoting_Rules)."""
    rule = _IN_QUOTES if text[:1] == '"' else _BARE
    if rule is _IN_QUOTES and (len(text) < 2 or text[-1] != '"'):
        raise NotOneWordError(text)
    inside = text[1:-1] if rule is _IN_QUOTES else text
    pieces, place = [], 0
    while place < len(inside):
        found = rule.match(inside, place)
        if found is None:
            raise NotOneWordError(text)
        pieces.append(_piece(found.groupdict()))
        place = found.end()
    return "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _piece(found: dict[str, str | None]) -> str:
    if found.get("number"):
        return chr(int(found["number"] or ""))
    if found.get("home"):
        return "C:\\Users\\me"
    name = found.get("env") or found.get("braced")
    return f"<{name}>" if name else found.get("escaped") or found["plain"] or ""


@pytest.mark.parametrize("name", [*NASTY, 'say "hi"', "\u201csmart\u201d"])
def test_word_is_read_as_it_was(name: str) -> None:
    assert taken(word(name, HERE)) == name


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=12))
def test_any_text_is_read_as_it_was(name: str) -> None:
    whole = name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    assert taken(word(name, HERE)) == whole


@pytest.mark.parametrize("planted", ["a b", '"a$b"', '"a`"', "it's", '"a"b"', "$x", "@x", "a,b", "a;b"])
def test_what_is_no_word_is_noticed(planted: str) -> None:
    with pytest.raises(NotOneWordError):
        taken(planted)


def test_a_word_without_signs_of_its_own_stands_as_it_is() -> None:
    assert [word(name, HERE) for name in ("corp", "10m", "a.b/c", "")] == ["corp", "10m", "a.b/c", '""']


@pytest.mark.parametrize("name", ["a b", "ünï", "a&b", "x(1)"])
def test_cmd_reads_a_usual_name_the_same(name: str) -> None:
    assert word(name, HERE) == f'"{name}"'


@pytest.mark.parametrize(("name", "text"), [("-x", '-- "-x"'), ("corp", "corp"), ("=ls", '"=ls"')])
def test_a_leading_dash_makes_no_option(name: str, text: str) -> None:
    assert argument(name, HERE) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("~", "$HOME"),
        ("~/.aws/config", r"$HOME\.aws\config"),
        ("~/my files/$x", r'"$HOME\my files\`$x"'),
        (r"C:\Users\me\.aws", r"C:\Users\me\.aws"),
        (r"C:\Program Files\x", r'"C:\Program Files\x"'),
        ("-x", r".\-x"),
    ],
)
def test_a_path_below_home_still_begins_with_it(path: str, text: str) -> None:
    assert path_word(path, HERE) == text
    assert taken(text) == path.replace("~", r"C:\Users\me").replace("/", "\\").replace("-x", r".\-x")


def test_a_setting_with_a_name_in_quotes_survives_an_old_powershell() -> None:
    """Before 7.3 it hands a double quote in a word over so that the program reads none."""
    assert toml_word('sessions."a b".proxy', HERE) == "\"sessions.'a b'.proxy\""
    assert toml_word('sessions."it\'s".proxy', HERE) == '"sessions.`"it\'s`".proxy"'
    assert toml_word('sessions."a b".proxy', Form.POSIX) == "'sessions.\"a b\".proxy'"


def test_a_variable_is_filled_in_by_the_shell() -> None:
    assert (variable("HTTPS_PROXY", HERE), variable("HTTPS_PROXY", Form.POSIX)) == (
        '"$env:HTTPS_PROXY"',
        '"$HTTPS_PROXY"',
    )


ROWS = {
    name: row for name, row in sorted(vars(shell_words).items()) if isinstance(row, shell_words.ShellCommand)
}
POSIX_ONLY = re.compile(
    r"(?:^|: |`)(chmod|chown|chattr|mv|ls|rm|sudo|unset|export|eval|timedatectl|hwclock) |: \S+ .*~/"
)


@pytest.mark.parametrize("name", ROWS)
def test_a_command_is_in_the_words_of_its_shell_alone(name: str) -> None:
    row = ROWS[name]

    assert not POSIX_ONLY.search(row.on("~/x", Form.POWERSHELL))
    assert not re.search(r"-Item|icacls|attrib|\$HOME", row.on("~/x", Form.POSIX))


@pytest.mark.parametrize("form", [Form.POSIX, Form.POWERSHELL], ids=lambda form: form.value)
def test_all_of_them_are_as_they_were_read_and_approved(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_words, "SYSTEM", form)
    paths = ("~/.aws/config", "/a b/it's")
    lines = [f"{name}: {row.on(path)}" for name, row in ROWS.items() for path in paths]
    lines += [sign_in_required(name).hint for name in NASTY]
    lines += sorted(what_to_type(notification(each, NOW, UTC)) for each in NOTICES.values())
    text = "\n".join(filter(None, dict.fromkeys(lines))) + "\n"

    assert snapshot(f"commands-{form.value}", text, Path(__file__).parent / "snapshots") == text


def test_what_takes_variables_away_takes_all_of_them() -> None:
    row = shell_words.unset("AWS_PROFILE", "AWS_REGION")

    assert row.on(form=Form.POSIX) == "unset AWS_PROFILE AWS_REGION"
    assert row.on(form=HERE) == "Remove-Item Env:AWS_PROFILE, Env:AWS_REGION -ErrorAction Ignore"


def test_macos_has_words_of_its_own_where_it_has_no_such_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell_words.CHANGEABLE.on("~/x", Form.POSIX) == "sudo chattr -i -a ~/x"

    monkeypatch.setattr(shell_words, "platform", "darwin")

    assert shell_words.CHANGEABLE.on("~/x", Form.POSIX).startswith("sudo chflags nouchg,")
    assert shell_words.PRIVATE.on("~/x", Form.POSIX) == "chmod 600 ~/x"
    assert shell_words.CHANGEABLE.on("~/x", HERE) == r"attrib -r $HOME\x"


def test_programs_in_front_are_found_first() -> None:
    row = shell_words.first_on_path(r"C:\my $x\bin")

    assert row.on(form=HERE) == r'$Env:PATH="C:\my `$x\bin;$Env:PATH"'
    assert shell_words.first_on_path("/my x").on(form=Form.POSIX) == "export PATH='/my x':\"$PATH\""


def test_a_path_is_moved_to_one_beside_it() -> None:
    row = shell_words.MOVE_AWAY

    assert row.on("~/a b", HERE) == r'Move-Item "$HOME\a b" "$HOME\a b.moved"'
    assert row.on("~/a b", Form.POSIX) == "mv ~/'a b' ~/'a b.moved'"


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_words, "SYSTEM", Form.POWERSHELL)


@pytest.mark.usefixtures("on_windows")
def test_no_cure_on_windows_is_for_another_shell() -> None:
    said = [general_cure(kind, Form.POWERSHELL) for kind in BY_CODE.values() if kind.code != "unit_old"]
    said += [item.cure for make in WRONG.values() for item in findings(make()) if item.code != "unit_old"]
    said += [InTheWay(kind, "~/.aws/a b", "root").cure for kind in Obstacle]

    assert len(said) > 100
    assert [text for text in said if POSIX_ONLY.search(text)] == []


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize("name", NASTY)
def test_commands_of_notices_and_hints_name_a_session_in_powershells_words(name: str) -> None:
    dash = "-- " if name.startswith("-") else ""

    assert sign_in_required(name).hint == f"Run: credtray login {dash}{word(name, HERE)}"
    for each in NOTICES.values():
        typed = what_to_type(notification(each, NOW, UTC))
        assert "'" not in typed.replace("it's", "")
