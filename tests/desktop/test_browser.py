"""The browser gets one checked argument and a clean environment, and never keeps us waiting."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from credtray.core.shell_words import command_line
from credtray.desktop.browser import SystemBrowser

URL = "https://oidc.us-east-1.amazonaws.com/authorize?response_type=code&state=a%20b&x=$(touch%20no)&y=`z"
SAFE = "https://oidc.us-east-1.amazonaws.com/authorize?response_type=code&state=a%20b&scopes=sso%3Aaccount;x=$(id)"

HANGS = 'read line < "${0%/*}/released"'
"""The body of a tool that goes on only when the test is over."""


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "a folder"
    folder.mkdir()
    os.mkfifo(folder / "released")
    yield folder
    os.close(os.open(folder / "released", os.O_RDWR))


def tool(folder: Path, name: str, body: str) -> Path:
    """Write a command that records its arguments and environment, then goes on with *body*."""
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f'for word in "$@"; do printf "%s\\n" "$word" >> "{folder}/{name}.argv"; done\n'
        f'env > "{folder}/{name}.env"\n'
        f"{body}\n"
    )
    path.chmod(0o755)
    return path


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), **more}


def noting(file: Path) -> dict[str, str]:
    """Return an environment whose browser writes the address it is given into a file, on every system."""
    program = file.with_suffix(".py")
    program.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text(sys.argv[2])\n")
    command = [sys.executable, "-I", "-S", str(program), str(file), "%s"]
    return {**os.environ, "BROWSER": command_line(command, windows=sys.platform == "win32")}


def recorded(folder: Path, name: str) -> list[str]:
    path = folder / f"{name}.argv"
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        os.sched_yield()
    return path.read_text().splitlines()


def only_tools(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which no real launcher is found."""
    return {**environment(folder, **more), "PATH": str(folder)}


@pytest.mark.posix("browsers are played by shell scripts")
def test_desktop_launcher_gets_the_address_as_its_one_argument(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 0")

    assert SystemBrowser(environment(tools, DISPLAY=":0")).open(SAFE)
    assert recorded(tools, "xdg-open") == [SAFE]


@pytest.mark.posix("browsers are played by shell scripts")
def test_aws_and_own_variables_do_not_reach_the_browser(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 0")
    secret = {"AWS_SECRET_ACCESS_KEY": "CANARY", "AWS_PROFILE": "CANARY", "CREDTRAY_X": "CANARY"}
    SystemBrowser(environment(tools, DISPLAY=":0", LANG="de_DE", **secret)).open(SAFE)
    recorded(tools, "xdg-open")
    told = (tools / "xdg-open.env").read_text()

    assert "CANARY" not in told
    assert "LANG=de_DE" in told


@pytest.mark.posix("browsers are played by shell scripts")
def test_no_display_means_no_browser_and_no_process(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 0")

    assert not SystemBrowser(environment(tools)).open(SAFE)
    assert not (tools / "xdg-open.argv").exists()


@pytest.mark.posix("browsers are played by shell scripts")
def test_wayland_is_a_display_too(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 0")

    assert SystemBrowser(environment(tools, WAYLAND_DISPLAY="wayland-0")).open(SAFE)


@pytest.mark.posix("browsers are played by shell scripts")
def test_launcher_that_fails_is_followed_by_the_next(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 3")
    tool(tools, "gio", "exit 0")

    assert SystemBrowser(only_tools(tools, DISPLAY=":0")).open(SAFE)
    assert recorded(tools, "gio") == ["open", SAFE]


@pytest.mark.posix("browsers are played by shell scripts")
def test_all_launchers_failing_is_told(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 3")

    assert not SystemBrowser(only_tools(tools, DISPLAY=":0")).open(SAFE)


@pytest.mark.posix("browsers are played by shell scripts")
def test_no_launcher_installed_is_told(tools: Path) -> None:
    assert not SystemBrowser(only_tools(tools, DISPLAY=":0")).open(SAFE)


@pytest.mark.posix("browsers are played by shell scripts")
def test_hanging_launcher_is_not_waited_for_and_counts_as_not_opened(tools: Path) -> None:
    tool(tools, "xdg-open", HANGS)
    tool(tools, "gio", HANGS)

    assert not SystemBrowser(only_tools(tools, DISPLAY=":0"), patience=0.5).open(SAFE)


@pytest.mark.posix("browsers are played by shell scripts")
@pytest.mark.parametrize("form", ["{}", "{} %s", "{} %s &", "{} --new-tab=%s", "/nowhere/else:{}"])
def test_browser_variable_is_understood_in_all_its_forms(tools: Path, form: str) -> None:
    command = tool(tools, "my-browser", "exit 0")
    quoted = f"'{command}'"

    assert SystemBrowser(environment(tools, BROWSER=form.format(quoted))).open(SAFE)
    expected = f"--new-tab={SAFE}" if "new-tab" in form else SAFE
    assert recorded(tools, "my-browser") == [expected]


@pytest.mark.posix("browsers are played by shell scripts")
@pytest.mark.parametrize("form", ["{}", "{} %s", "{} -P 'my work' %s", "{} --url=%s"])
def test_command_of_the_caller_beats_all_others(tools: Path, form: str) -> None:
    command = tool(tools, "my-browser", "exit 0")
    tool(tools, "xdg-open", "exit 0")
    surroundings = environment(tools, DISPLAY=":0", BROWSER="xdg-open", AWS_SESSION_TOKEN="CANARY")

    assert SystemBrowser(surroundings).open(SAFE, form.format(f"'{command}'"))
    expected = {"{} -P 'my work' %s": ["-P", "my work", SAFE], "{} --url=%s": [f"--url={SAFE}"]}
    assert recorded(tools, "my-browser") == expected.get(form, [SAFE])
    assert "CANARY" not in (tools / "my-browser.env").read_text()
    assert not (tools / "xdg-open.argv").exists()


@pytest.mark.posix("browsers are played by shell scripts")
@pytest.mark.parametrize(
    "command", ["'open quote", "/nowhere/browser %s", "%s", "", "/bin/false %s", "$(true)"]
)
def test_command_that_does_not_work_is_told_and_nothing_else_is_tried(tools: Path, command: str) -> None:
    tool(tools, "xdg-open", "exit 0")

    assert not SystemBrowser(environment(tools, DISPLAY=":0")).open(SAFE, command)
    assert not (tools / "xdg-open.argv").exists()


@pytest.mark.posix("browsers are played by shell scripts")
def test_browser_of_the_user_that_stays_open_counts_as_opened(tools: Path) -> None:
    command = tool(tools, "my-browser", HANGS)

    assert SystemBrowser(environment(tools, BROWSER=f"'{command}' %s"), patience=0.3).open(SAFE)


@pytest.mark.posix("browsers are played by shell scripts")
@pytest.mark.parametrize("value", ["'open quote", "/nowhere/browser", "%s", ":::", " ", "&"])
def test_unusable_browser_variable_is_told(tools: Path, value: str) -> None:
    assert not SystemBrowser(only_tools(tools, BROWSER=value)).open(SAFE)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "",
        "-P",
        "--help",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://oidc.us-east-1.amazonaws.com/",
        "ftp://example.com/",
        "https://user@example.com/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\nx",
        'https://example.com/"',
        "https://example.com/é",
        "HTTPS://example.com/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
    ],
)
def test_what_is_no_plain_web_address_never_becomes_an_argument(tmp_path: Path, url: str) -> None:
    noted = tmp_path / "opened"

    assert not SystemBrowser(noting(noted)).open(url)
    assert not noted.exists()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/authorize?x=1", "http://localhost:1/a", "http://[::1]:1/"]
)
def test_loopback_may_be_plain_http(tmp_path: Path, url: str) -> None:
    noted = tmp_path / "opened"

    assert SystemBrowser(noting(noted), patience=60).open(url)
    assert noted.read_text() == url


@pytest.mark.posix("browsers are played by shell scripts")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_finished_browser_leaves_no_zombie(tools: Path) -> None:
    command = tool(tools, "my-browser", "exec /bin/sleep 0.4")
    before = _children()
    SystemBrowser(environment(tools, BROWSER=f"'{command}'"), patience=0.1).open(SAFE)
    deadline = time.monotonic() + 60
    while _children() - before and time.monotonic() < deadline:
        os.sched_yield()

    assert _children() - before == set()


def _children() -> set[str]:
    own = os.getpid()
    return set(Path(f"/proc/{own}/task/{own}/children").read_text().split())


# --- a clean browser -----------------------------------------------------------------------------------


def profile_of(words: list[str]) -> Path:
    """Return the folder that a browser was started with."""
    found = [word.partition("=")[2] for word in words if word.startswith("--user-data-dir=")]
    return Path(found[0] if found else words[words.index("--profile") + 1])


@pytest.mark.posix("browsers are played by shell scripts")
@pytest.mark.parametrize("name", ["chromium", "google-chrome", "firefox", "firefox-esr"])
def test_a_clean_browser_has_an_empty_private_profile_of_its_own(tools: Path, name: str) -> None:
    tool(tools, name, "exit 0")
    tool(tools, "xdg-open", "exit 0")
    browser = SystemBrowser(only_tools(tools, DISPLAY=":0"))

    assert browser.open_clean(SAFE)
    words = recorded(tools, name)
    folder = profile_of(words)

    assert words[-1] == SAFE
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []
    assert not (tools / "xdg-open.argv").exists()

    (tools / f"{name}.argv").unlink()

    assert browser.open_clean(SAFE)
    assert profile_of(recorded(tools, name)) != folder


@pytest.mark.posix("browsers are played by shell scripts")
def test_the_browser_of_the_desktop_is_the_first_choice_for_a_clean_one(tools: Path) -> None:
    for name in ("chromium", "firefox"):
        tool(tools, name, "exit 0")
    tool(tools, "xdg-settings", "echo chromium.desktop")

    assert SystemBrowser(only_tools(tools, DISPLAY=":0")).open_clean(SAFE)
    assert recorded(tools, "chromium")
    assert not (tools / "firefox.argv").exists()


@pytest.mark.posix("browsers are played by shell scripts")
def test_where_no_known_browser_is_there_nothing_is_opened_and_it_is_told(tools: Path) -> None:
    tool(tools, "xdg-open", "exit 0")

    assert not SystemBrowser(only_tools(tools, DISPLAY=":0")).open_clean(SAFE)
    assert not SystemBrowser(only_tools(tools)).open_clean(SAFE)
    assert not (tools / "xdg-open.argv").exists()


@pytest.mark.posix("browsers are played by shell scripts")
def test_a_clean_browser_opens_no_strange_address(tools: Path) -> None:
    tool(tools, "chromium", "exit 0")

    assert not SystemBrowser(only_tools(tools, DISPLAY=":0")).open_clean("file:///etc/passwd")
    assert not (tools / "chromium.argv").exists()


@pytest.mark.posix("browsers are played by shell scripts")
def test_profiles_of_earlier_days_are_taken_away(tools: Path) -> None:
    tool(tools, "chromium", "exit 0")
    browser = SystemBrowser(only_tools(tools, DISPLAY=":0"))
    browser.open_clean(SAFE)
    first = profile_of(recorded(tools, "chromium"))
    (first / "Cookies").write_text("CANARY")
    (tools / "chromium.argv").unlink()
    browser.open_clean(SAFE)

    assert first.exists()  # it may be open

    os.utime(first, (0, 0))
    browser.open_clean(SAFE)

    assert not first.exists()


@pytest.mark.linux_desktop("snaps are Linux's")
def test_a_snap_gets_its_profile_where_it_can_read_it(tools: Path) -> None:
    tool(tools, "firefox", "exit 0")
    common = Path.home() / "snap" / "firefox" / "common"
    common.mkdir(parents=True)

    assert SystemBrowser(only_tools(tools, DISPLAY=":0")).open_clean(SAFE)
    assert common in profile_of(recorded(tools, "firefox")).parents
