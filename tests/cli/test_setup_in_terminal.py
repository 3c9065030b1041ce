from __future__ import annotations

import json

import pytest

from tests.cli.real_world import World
from tests.cli.terminal_session import CTRL_C, DOWN, ENTER, ESCAPE, SPACE, TAB, TerminalSession

pytestmark = pytest.mark.posix("a pseudo-terminal")


@pytest.mark.met("M1")
def test_preset_is_set_up_by_pressing_keys(world: World) -> None:
    with TerminalSession(world, "setup") as terminal:
        terminal.expect("Which sign-in?")
        terminal.expect("synderys  https://aws.synderys.com")
        terminal.type(ENTER)
        terminal.expect("Session synderys: https://aws.synderys.com, us-east-1")
        terminal.expect("https://oidc.us-east-1.amazonaws.com/authorize?")
        terminal.expect("Which accounts and roles?")
        terminal.expect("ReadOnly")
        terminal.type(*"no such", ENTER)
        terminal.expect("no match")
        terminal.expect("Nothing is picked yet")
        terminal.type(ESCAPE, *"only read", TAB, ENTER)
        terminal.expect("Which accounts and roles? 1 picked")
        terminal.expect("Default region for these profiles")
        terminal.type(ENTER)
        terminal.expect("+ synderys-readonly")
        terminal.expect("Write this?")
        terminal.type(ENTER)
        terminal.expect("1 new profile for synderys.")
        terminal.expect("Take these settings over?")
        terminal.type(ENTER)
        terminal.expect("Keep fresh keys for this profile in ~/.aws/credentials?")
        terminal.type("y")
        terminal.expect("Start credtray now?")
        terminal.type("n")
        terminal.expect("warning: credtray is not running: nothing renews these keys.")
        code = terminal.end()

    assert code == 0
    assert "[profile synderys-readonly]" in world.config.read_text()
    assert "[synderys-readonly]" in world.credentials.read_text()


def test_from_nothing_to_fresh_keys_it_is_one_command(world: World) -> None:
    """On a desktop: what is asked last starts the agent now and at every login."""
    words = ("setup", "synderys", "--accounts", "all", "--roles", "DNS")
    with TerminalSession(world, *words, DISPLAY=":no-such") as terminal:
        terminal.expect("Default region for these profiles")
        terminal.type(ENTER)
        terminal.expect("Write this?")
        terminal.type(ENTER)
        terminal.expect("Take these settings over?")
        terminal.type(ENTER)
        terminal.expect("Keep fresh keys")
        terminal.type("y")
        terminal.expect("Start credtray now and at every login?")
        terminal.type(ENTER)
        terminal.expect("credtray will start at login:")
        terminal.expect("credtray is now in your application menu:")
        terminal.expect("credtray is running (pid ")
        terminal.expect("synderys-dns is active: keys in [synderys-dns] until ")
        code = terminal.end()
    found = json.loads(world.credtray("status", "--json").stdout)
    again = world.credtray("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes")
    world.credtray("stop")

    assert code == 0
    assert found["agent"]["running"]
    assert [item["name"] for item in found["profiles"] if item["active"]] == ["synderys-dns"]
    assert (world.home / ".config" / "autostart" / "credtray.desktop").exists()
    assert (again.returncode, "Start" in again.stderr) == (0, False)


def test_own_start_url_is_checked_as_it_is_typed(world: World) -> None:
    with TerminalSession(world, "setup", "--accounts", "all", "--roles", "DNS") as terminal:
        terminal.expect("another start URL")
        terminal.type(DOWN, ENTER)
        terminal.expect("Start URL:")
        terminal.type(*"http://x", ENTER)
        terminal.expect("does not begin with https://")
        terminal.type(*("\x7f" * 8), *"https://d-9067000001.awsapps.com/start", ENTER)
        terminal.expect("Region of Identity Center:")
        terminal.type(ENTER)
        terminal.expect("A short name for this sign-in")
        terminal.type(ENTER)
        terminal.expect("How many hours")
        terminal.type(*"12", ENTER)
        terminal.expect("Default region for these profiles")
        terminal.type(*("\x7f" * 9), ENTER)
        terminal.expect("Write this?")
        terminal.type(DOWN, ENTER)
        terminal.expect("Template")
        terminal.type(*"-{account_id}", ENTER)
        terminal.expect("+ sso-dns-111100000002")
        terminal.expect("Write this?")
        terminal.type(ENTER)
        terminal.expect("Keep fresh keys")
        terminal.type("n")
        terminal.expect("Start credtray now?")
        terminal.type("n")
        code = terminal.end()

    assert code == 0
    assert "[profile sso-dns-111100000002]" in world.config.read_text()
    assert 'duration = "12h"' in next(world.home.rglob("settings.toml")).read_text()
    assert "\nregion" not in world.config.read_text()


@pytest.mark.parametrize(
    "question",
    ["Which sign-in?", "Which accounts and roles?", "Default region for these profiles", "Write this?"],
)
def test_ctrl_c_at_any_question_changes_nothing(world: World, question: str) -> None:
    answers = {
        "Which sign-in?": (ENTER,),
        "Which accounts and roles?": (SPACE, ENTER),
        "Default region for these profiles": (ENTER,),
        "Write this?": (),
    }
    with TerminalSession(world, "setup") as terminal:
        for asked, keys in answers.items():
            terminal.expect(asked)
            if asked == question:
                break
            terminal.type(*keys)
        terminal.type(CTRL_C)
        terminal.expect("Setup was cancelled")
        code = terminal.end()

    assert code == 130
    assert not world.config.exists()
    assert not world.credentials.exists()


def test_ctrl_c_during_the_sign_in_changes_nothing(world: World) -> None:
    world.portal.auto_approve(None)
    with TerminalSession(world, "setup", "synderys") as terminal:
        terminal.expect("Waiting for you to finish in the browser.")
        terminal.type(CTRL_C)
        terminal.expect("Setup was cancelled; nothing was changed.")
        code = terminal.end()

    assert code == 130
    assert not world.config.exists()


def test_no_changes_nothing(world: World) -> None:
    with TerminalSession(world, "setup", "synderys", "--accounts", "all", "--roles", "DNS") as terminal:
        terminal.expect("Default region for these profiles")
        terminal.type(ENTER)
        terminal.expect("Write this?")
        terminal.type(DOWN, DOWN, ENTER)
        terminal.expect("Nothing was changed.")
        code = terminal.end()

    assert code == 0
    assert not world.config.exists()
