"""Each shell reads back what was written for it; PowerShell and cmd are played by their own rules."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credtray.core.errors import FormRefused, IniRefused, UnexpectedReply
from credtray.core.forms import Form
from credtray.core.models import RoleCredentials, Secret
from credtray.ways_out.shells import assignments, removals, written
from tests import botocore_oracle
from tests.core.making import HOUR, NOON, keys

NAMES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
SHADOWS = ("AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
REGION = "eu-west-1"
UNTIL = "2026-11-22T13:00:00Z"
_SPECIAL = "'\"\\`$%^&|<>()!;#~*?[]{}= aA1\u2018\u2019\u201c\u201d\u201e"
_PRINTABLE = st.one_of(
    st.text(st.sampled_from(_SPECIAL), min_size=1, max_size=24),
    st.text(st.characters(categories=["L", "N", "P", "S", "M"]), min_size=1, max_size=24),
).filter(str.isprintable)
"""Far more than keys can hold: letters, digits and ``+/=``."""


def credentials(access: str, secret: str, session: str) -> RoleCredentials:
    return RoleCredentials(access, Secret(secret), Secret(session), NOON + HOUR, NOON)


def text(form: Form, of: RoleCredentials, region: str | None = REGION) -> str:
    return written(of, form, "dev", region).reveal()


# --- what is written ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "away", "line", "ending"),
    [
        (Form.POSIX, "unset {}", "export {}='{}'", "\n"),
        (Form.FISH, "set -eg {}", "set -gx {} '{}'", "\n"),
        (Form.POWERSHELL, "Remove-Item Env:{} -ErrorAction Ignore", '$Env:{}="{}"', "\r\n"),
        (Form.CMD, "SET {}=", "SET {}={}", "\r\n"),
        (Form.DOTENV, None, "{}={}", "\n"),
    ],
)
def test_each_shell_is_written_to_as_its_users_know_it(
    form: Form, away: str | None, line: str, ending: str
) -> None:
    values = zip(NAMES, ("ASIA0", "secret", "session", UNTIL, REGION, REGION), strict=True)
    removed = "".join(away.format(name) + ending for name in SHADOWS) if away else ""
    expected = removed + "".join(line.format(name, value) + ending for name, value in values)

    assert expected == text(form, keys())


def test_json_is_one_object_of_the_same_variables() -> None:
    values = ("ASIA0", "secret", "session", UNTIL, REGION, REGION)

    assert dict(zip(NAMES, values, strict=True)) == json.loads(text(Form.JSON, keys()))


def test_without_a_region_none_is_set() -> None:
    assert not [form for form in Form if "REGION" in text(form, keys(), None)]


def test_section_holds_the_three_keys_and_no_region() -> None:
    expected = (
        "[dev]\naws_access_key_id = ASIA0\naws_secret_access_key = secret\naws_session_token = session\n"
    )

    assert expected == text(Form.SECTION, keys())


@pytest.mark.parametrize("form", list(Form))
def test_result_does_not_show_itself(form: Form) -> None:
    result = written(keys(), form, "dev", None)

    assert "secret" not in f"{result!r} {result}"


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("value", ["", "two\nlines", "bell\x07", "half\ud800"])
def test_values_that_cannot_be_pasted_are_refused_without_being_told(form: Form, value: str) -> None:
    with pytest.raises(UnexpectedReply) as refused:
        text(form, credentials("ASIA0", "secret", value))

    assert not value or value not in str(refused.value)


@pytest.mark.parametrize("section", ["", "a]b", "DEFAULT", "x\ny", " outer "])
def test_section_that_no_aws_file_can_hold_is_refused(section: str) -> None:
    with pytest.raises(IniRefused):
        written(keys(), Form.SECTION, section, None)


# --- what is read back -------------------------------------------------------------------------------

_SHELLS = {
    "sh": (Form.POSIX, ["sh", "-eu"]),
    "bash": (Form.POSIX, ["bash", "--norc", "-eu"]),
    "zsh": (Form.POSIX, ["zsh", "-f", "-eu"]),
    "zsh with RC_QUOTES": (Form.POSIX, ["zsh", "-f", "-o", "rcquotes", "-eu"]),
    "fish": (Form.FISH, ["fish", "--no-config"]),
}


@pytest.mark.posix("shells of Unix")
@pytest.mark.parametrize("shell", _SHELLS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_PRINTABLE, _PRINTABLE, _PRINTABLE), min_size=1, max_size=30))
def test_real_shells_read_every_value_back(
    shell: str, tmp_path: Path, values: list[tuple[str, str, str]]
) -> None:
    form, command = _SHELLS[shell]
    show = " ".join(f'"${name}"' for name in NAMES)
    texts = (text(form, credentials(*each)) for each in values)
    ran = run_by(command, tmp_path, "".join(f"{each}printf '%s\\0' {show}\n" for each in texts))
    expected = [value for each in values for value in (*each, UNTIL, REGION, REGION)]

    assert ran.stderr == b""
    assert expected == ran.stdout.decode().split("\0")[:-1]


@pytest.mark.posix("shells of Unix")
@pytest.mark.parametrize("shell", _SHELLS)
def test_real_shells_hand_on_nothing_that_would_shadow_the_keys(shell: str, tmp_path: Path) -> None:
    form, command = _SHELLS[shell]
    old = dict.fromkeys((*SHADOWS, *NAMES), "old")
    ran = run_by(command, tmp_path, f"{text(form, keys(), None)}env\n", **old)
    left = dict(line.split("=", 1) for line in ran.stdout.decode().splitlines() if line.startswith("AWS_"))

    assert ran.stderr == b""
    assert left == {
        **dict(zip(NAMES, ("ASIA0", "secret", "session", UNTIL), strict=False)),
        "AWS_REGION": "old",
        "AWS_DEFAULT_REGION": "old",
    }


@pytest.mark.posix("shells of Unix")
@pytest.mark.parametrize("shell", _SHELLS)
def test_real_shells_take_variables_away_whether_they_are_set_or_not(shell: str, tmp_path: Path) -> None:
    form, command = _SHELLS[shell]
    ran = run_by(command, tmp_path, f"{removals(['AWS_A', 'AWS_B'], form)}env\n", AWS_A="old")

    assert ran.stderr == b""
    assert "AWS_" not in ran.stdout.decode()


def run_by(
    command: list[str], tmp_path: Path, script: str, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: packaging/environment.sh tools")
    path = tmp_path / "script"
    path.write_text(script)
    environ |= {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    return subprocess.run([*command, path], capture_output=True, check=False, timeout=60, env=environ)


_IN_ENV_FILES = st.text(st.sampled_from("aZ09+/=._:@%,-"), min_size=1, max_size=24)


@pytest.mark.posix("sh")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_IN_ENV_FILES, min_size=1, max_size=40))
def test_env_file_is_read_alike_by_sh_docker_and_python_dotenv(tmp_path: Path, values: list[str]) -> None:
    expected = {f"V{number}": value for number, value in enumerate(values)}
    written_out = assignments(expected, Form.DOTENV)
    path = tmp_path / "keys.env"
    path.write_text(written_out)
    show = " ".join(f'"${name}"' for name in expected)
    ran = run_by(["sh", "-eu"], tmp_path, f"set -a\n. '{path}'\nset +a\nprintf '%s\\0' {show}\n")

    assert ran.stderr == b""
    assert list(expected.values()) == ran.stdout.decode().split("\0")[:-1]
    assert expected == dict(line.split("=", 1) for line in written_out.splitlines())  # docker: as it stands
    assert expected == dict(dotenv_reads(line) for line in written_out.splitlines())


def dotenv_reads(line: str) -> tuple[str, str]:
    """Read one line by python-dotenv 1.0's rules for values without quotes, ``${}`` expanded afterwards."""
    name, value = line.split("=", 1)
    assert value[0] not in "'\"", "it would be taken for a quoted one"
    assert "${" not in value, "it would be expanded"
    return name, re.sub(r"\s+#.*", "", value).rstrip()


@pytest.mark.parametrize(
    "value", ["a b", "a#b", "$HOME", "~", "'q'", '"q"', "back\\slash", "a`b", "ü", "a;b"]
)
def test_what_env_files_do_not_read_alike_is_refused_without_being_told(value: str) -> None:
    with pytest.raises(FormRefused) as refused:
        assignments({"AWS_SECRET_ACCESS_KEY": value}, Form.DOTENV)

    assert "AWS_SECRET_ACCESS_KEY" in str(refused.value)
    assert value not in str(refused.value)


def test_env_file_and_section_take_nothing_away() -> None:
    for form in (Form.DOTENV, Form.SECTION):
        with pytest.raises(FormRefused):
            removals(["AWS_PROFILE"], form)


def test_section_holds_no_variables() -> None:
    with pytest.raises(FormRefused):
        assignments({"AWS_PROFILE": "dev"}, Form.SECTION)


@given(_PRINTABLE)
def test_json_reads_every_value_back(value: str) -> None:
    assert {"V": value} == json.loads(assignments({"V": value}, Form.JSON))
    assert json.loads(removals(["V"], Form.JSON)) == {"V": None}


@given(_PRINTABLE, _PRINTABLE, _PRINTABLE)
def test_powershell_reads_every_value_back(access: str, secret: str, session: str) -> None:
    lines = text(Form.POWERSHELL, credentials(access, secret, session)).split("\r\n")
    values = (access, secret, session, UNTIL, REGION, REGION)

    assert dict(zip(NAMES, values, strict=True)) == dict(
        powershell_reads(line) for line in lines[len(SHADOWS) : -1]
    )


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ('say "hi"', '$Env:A="say `"hi`""'),
        ("it's", '$Env:A="it\'s"'),
        ("$HOME ${x} $(id)", '$Env:A="`$HOME `${x} `$(id)"'),
        ("a`b", '$Env:A="a``b"'),
        ("\u201csmart\u201d", '$Env:A="`\u201csmart`\u201d"'),
        ("Zürich 日本", '$Env:A="Zürich 日本"'),
    ],
)
def test_powershell_is_written_to_by_its_own_rules(value: str, line: str) -> None:
    assert assignments({"A": value}, Form.POWERSHELL) == f"{line}\r\n"
    assert powershell_reads(line) == ("A", value)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x1bb", ""])
def test_a_value_of_more_than_one_line_is_refused_for_powershell_and_not_told(value: str) -> None:
    with pytest.raises(FormRefused) as refused:
        assignments({"A": value}, Form.POWERSHELL)
    assert not value or value not in str(refused.value)


def powershell_reads(line: str) -> tuple[str, str]:
    """Read ``$Env:NAME="..."`` by PowerShell's rules for expandable strings (specification, 2.3.5.2)."""
    match = re.fullmatch(r'\$Env:(\w+)="(.*)"', line, re.DOTALL)
    assert match
    value, rest = "", iter(match[2])
    for char in rest:
        assert char not in '$"\u201c\u201d\u201e', "it would end the string, or be expanded"
        if char != "`":
            value += char
            continue
        escaped = next(rest)
        assert escaped not in "0abefnrtuv", "it would become a control character"
        value += escaped
    return match[1], value


@given(_PRINTABLE, _PRINTABLE, _PRINTABLE)
def test_cmd_reads_every_value_back(access: str, secret: str, session: str) -> None:
    lines = text(Form.CMD, credentials(access, secret, session), None).split("\r\n")

    assert {
        **dict.fromkeys(SHADOWS, ""),
        **dict(zip(NAMES, (access, secret, session, UNTIL), strict=False)),
    } == dict(cmd_reads(line) for line in lines[:-1])


@pytest.mark.parametrize(
    "value", ["%PATH%", "%PATH:a=b%", "%path:~0,3%", "100%PATH%%", "a&del b", 'say "%PATH%"', "x>1"]
)
def test_cmd_expands_and_runs_nothing(value: str) -> None:
    lines = text(Form.CMD, credentials(value, "s", "t")).splitlines()

    assert value == dict(cmd_reads(line) for line in lines)["AWS_ACCESS_KEY_ID"]


_VARIABLES = {"PATH": "EXPANDED", "A": "EXPANDED", "X": "EXPANDED"}


def cmd_reads(line: str) -> tuple[str, str]:
    """Read one line at cmd's prompt: percent signs first, then carets and quotes, then SET."""
    name, _, value = _carets(_percents(line)).removeprefix("SET ").partition("=")
    return name, value


def _percents(line: str) -> str:
    done, rest = "", line
    while "%" in rest:
        before, _, rest = rest.partition("%")
        inside, closing, after = rest.partition("%")
        name = inside.partition(":")[0].upper()
        if closing and name in _VARIABLES:
            done, rest = done + before + _VARIABLES[name], after
        else:  # at the prompt what names no variable stays as it is
            done += f"{before}%"
    return done + rest


def _carets(line: str) -> str:
    done, quoted, chars = "", False, iter(line)
    for char in chars:
        if char == "^" and not quoted:
            done += next(chars)
            continue
        assert quoted or char not in "&|<>()", "it would run or redirect something"
        quoted ^= char == '"'
        done += char
    return done


@given(
    _PRINTABLE.filter(lambda value: value == value.strip()), st.sampled_from(["dev", "a b", "prod.eu", "ünï"])
)
def test_botocore_reads_the_section_back(value: str, section: str) -> None:
    data = written(credentials("ASIA0", value, value), Form.SECTION, section, None).reveal().encode()

    assert {
        section: {"aws_access_key_id": "ASIA0", "aws_secret_access_key": value, "aws_session_token": value}
    } == (botocore_oracle.plain(data))
