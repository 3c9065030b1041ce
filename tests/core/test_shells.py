"""Each shell reads back what was written for it; PowerShell and cmd are played by their own rules."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.errors import IniRefused, UnexpectedReply
from agent.core.forms import Form
from agent.core.models import RoleCredentials
from agent.core.secret import Secret
from agent.core.shells import written
from tests import botocore_oracle
from tests.core.making import HOUR, NOON, keys

NAMES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
REGION = "eu-west-1"
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
    ("form", "line", "ending"),
    [
        (Form.POSIX, "export {}='{}'", "\n"),
        (Form.FISH, "set -gx {} '{}'", "\n"),
        (Form.POWERSHELL, '$Env:{}="{}"', "\r\n"),
        (Form.CMD, "SET {}={}", "\r\n"),
    ],
)
def test_each_shell_is_written_to_as_its_users_know_it(form: Form, line: str, ending: str) -> None:
    values = zip(NAMES, ("ASIA0", "secret", "session", REGION, REGION), strict=True)
    expected = "".join(line.format(name, value) + ending for name, value in values)

    assert expected == text(form, keys())


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


@pytest.mark.parametrize("shell", _SHELLS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_PRINTABLE, _PRINTABLE, _PRINTABLE), min_size=1, max_size=30))
def test_real_shells_read_every_value_back(
    shell: str, tmp_path: Path, values: list[tuple[str, str, str]]
) -> None:
    form, command = _SHELLS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: packaging/environment.sh tools")
    show = " ".join(f'"${name}"' for name in NAMES)
    script = "".join(f"{text(form, credentials(*each))}printf '%s\\0' {show}\n" for each in values)
    path = tmp_path / "script"
    path.write_text(script)
    ran = subprocess.run([*command, path], capture_output=True, check=False, timeout=60)
    expected = [value for each in values for value in (*each, REGION, REGION)]

    assert ran.stderr == b""
    assert expected == ran.stdout.decode().split("\0")[:-1]


@given(_PRINTABLE, _PRINTABLE, _PRINTABLE)
def test_powershell_reads_every_value_back(access: str, secret: str, session: str) -> None:
    lines = text(Form.POWERSHELL, credentials(access, secret, session)).split("\r\n")

    assert {**dict(zip(NAMES, (access, secret, session), strict=False)), "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION} == dict(powershell_reads(line) for line in lines[:-1])  # fmt: skip


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

    assert dict(zip(NAMES, (access, secret, session), strict=False)) == dict(
        cmd_reads(line) for line in lines[:-1]
    )


@pytest.mark.parametrize(
    "value", ["%PATH%", "%PATH:a=b%", "%path:~0,3%", "100%PATH%%", "a&del b", 'say "%PATH%"', "x>1"]
)
def test_cmd_expands_and_runs_nothing(value: str) -> None:
    ((_, read), *_) = [cmd_reads(line) for line in text(Form.CMD, credentials(value, "s", "t")).splitlines()]

    assert value == read


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
