"""The text of the autostart entry, taken apart again by a parser of the test's own and by real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credtray.core.errors import AutostartRefused
from credtray.desktop.login_entry.xdg import desktop_entry, exec_value, read_keys, string_value

pytestmark = pytest.mark.linux_desktop("the autostart folder of a desktop")

ARGUMENTS = ("-I", "-m", "credtray", "run")
AWKWARD = [
    "/opt/my programs/python",
    '/opt/"quoted"/python',
    "/opt/it's/python",
    "/opt/100%/python",
    "/opt/%f%u%%/python",
    "/opt/$(reboot)/python",
    "/opt/${HOME}/`id`/python",
    "/opt/back\\slash\\\\es/python",
    "/opt/a\\sb\\nc/python",
    "/opt/;&|<>~*?#()/python",
    "/opt/日本語 ümlaut 🔑/python",
]
paths = st.text(st.sampled_from(" \"'`$%\\;&|<>~*?#()fuick{}!^[]é🔑sntr"), min_size=1, max_size=40).map(
    lambda name: f"/{name}"
)
NEEDS_VALIDATE = pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="desktop-file-utils")
NEEDS_DEX = pytest.mark.skipif(not shutil.which("dex"), reason="dex")
NEEDS_GIO = pytest.mark.skipif(not shutil.which("gio"), reason="libglib2.0-bin")


# --- a reader written from the specification alone ---------------------------------------------------


def taken_apart(value: str) -> list[str]:
    """Return the command in an ``Exec`` value, as the Desktop Entry Specification says, in its own order."""
    command = [without_field_codes(argument) for argument in unquoted(unescaped(value))]
    if command[0] == "/usr/bin/env":  # starts what follows, as it is: a path from the root without any "="
        assert command[1].startswith("/")
        assert "=" not in command[1]
        return command[1:]
    assert "%" not in command[0], "GLib would look for it with two of them"
    return command


def unescaped(value: str) -> str:
    """Section "Possible value types": \\s \\n \\t \\r and \\\\."""
    meanings = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    characters = iter(value)
    return "".join(meanings[next(characters)] if c == "\\" else c for c in characters)


def unquoted(text: str) -> list[str]:
    """Section "The Exec key": arguments are separated by a space and may be quoted in whole."""
    arguments, rest = [], text
    while rest:
        if rest[0] == '"':
            argument, at = "", 1
            while rest[at] != '"':
                at += rest[at] == "\\"
                argument += rest[at]
                at += 1
            at += 1
        else:
            at = rest.index(" ") if " " in rest else len(rest)
            argument = rest[:at]
            assert not set(argument) & set("\t\n\"'\\><~|&;$*?#()`"), "reserved, so it must be quoted"
        arguments.append(argument)
        assert rest[at : at + 1] in {"", " "}
        rest = rest[at + 1 :]
    return arguments


def without_field_codes(argument: str) -> str:
    """Only ``%%`` may stand in our entries."""
    plain = argument.replace("%%", "")
    assert "%" not in plain
    return argument.replace("%%", "%")


# --- round trips -------------------------------------------------------------------------------------


@given(paths)
def test_any_path_comes_out_as_it_went_in(path: str) -> None:
    command = (path, *ARGUMENTS)
    keys = read_keys(desktop_entry(command, "1.0"))

    assert taken_apart(keys["Exec"]) == [*command]
    assert (unescaped(keys["TryExec"]), string_value(keys["TryExec"])) == (path, path)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])), max_size=4))
@example(["", '"', "\\", "%f", "=", "a b"])
def test_any_arguments_come_out_as_they_went_in(arguments: list[str]) -> None:
    assert taken_apart(exec_value(("/bin/true", *arguments))) == ["/bin/true", *arguments]


@pytest.mark.parametrize("broken", ["\n", "\r", "\0", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])
def test_control_characters_are_refused(broken: str) -> None:
    with pytest.raises(AutostartRefused, match="control character"):
        desktop_entry((f"/opt/a{broken}Exec/python",), "1.0")


def test_equals_sign_in_the_program_is_refused() -> None:
    with pytest.raises(AutostartRefused, match="desktops refuse to start"):
        desktop_entry(("/opt/a=b/python",), "1.0")


def test_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(AutostartRefused, match="not UTF-8"):
        desktop_entry((os.fsdecode(b"/opt/\xff/python"),), "1.0")


def test_keys_are_read_as_desktops_read_them() -> None:
    text = (
        b"# comment\n[Other]\nHidden=true\n[Desktop Entry]\r\n Exec = a=b \n#Exec=no\nExec=second\nrubbish\n"
    )

    assert dict(read_keys(text)) == {"Exec": "a=b"}
    assert dict(read_keys(b"\xff\xfe\x00")) == {}


# --- real programs -----------------------------------------------------------------------------------


def entry_with_stand_in(directory: Path, name: str) -> tuple[Path, Path]:
    """Put a stand-in for Python below a directory of that name; return the entry and what it will write."""
    program = directory / name / "python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@" >"$OUT.part" && mv "$OUT.part" "$OUT"\n')
    program.chmod(0o755)
    entry = directory / "autostart" / "credtray.desktop"
    entry.parent.mkdir()
    entry.write_bytes(desktop_entry((str(program), *ARGUMENTS), "1.0"))
    return entry, directory / "written"


def started(out: Path, *command: str | Path) -> list[str]:
    """Run a command and return the arguments with which the stand-in was started."""
    done = subprocess.run(
        command, env={**os.environ, "OUT": str(out)}, capture_output=True, text=True, timeout=20, check=False
    )
    until = time.monotonic() + 10
    while not out.exists() and time.monotonic() < until:
        time.sleep(0.02)

    assert out.exists(), done.stdout + done.stderr
    return out.read_text().splitlines()


@NEEDS_VALIDATE
@pytest.mark.parametrize("path", ["/usr/bin/python3", *AWKWARD])
def test_desktop_file_validate_has_nothing_to_say(path: str, tmp_path: Path) -> None:
    entry = tmp_path / "credtray.desktop"
    entry.write_bytes(desktop_entry((path, *ARGUMENTS), "1.0"))
    done = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@NEEDS_DEX
@pytest.mark.parametrize("name", ["plain", "with a space", "日本語 ümlaut"])
def test_dex_starts_it_at_login(name: str, tmp_path: Path) -> None:
    entry, out = entry_with_stand_in(tmp_path, name)
    argv = started(out, "dex", "-a", "-s", entry.parent, "-e", "XFCE")

    assert argv == [str(tmp_path / name / "python"), *ARGUMENTS]


@NEEDS_GIO
@pytest.mark.parametrize("path", AWKWARD)
def test_glib_starts_exactly_this_program(path: str, tmp_path: Path) -> None:
    """GLib's parser is that of GNOME, XFCE, Cinnamon and MATE."""
    name = path.removeprefix("/").removesuffix("/python")
    entry, out = entry_with_stand_in(tmp_path, name)

    assert started(out, "gio", "launch", entry) == [str(tmp_path / name / "python"), *ARGUMENTS]
