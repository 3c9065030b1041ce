from __future__ import annotations

from agent.cli.questions import ask_text
from tests.cli.real_world import World
from tests.cli.terminal_session import CTRL_C, DOWN, ENTER, SPACE, TerminalSession


def test_preset_is_set_up_by_pressing_keys(world: World) -> None:
    with TerminalSession(world, "setup") as terminal:
        terminal.expect("Which sign-in?")
        terminal.expect("synderys  https://aws.synderys.com")
        terminal.type(ENTER)
        terminal.expect("Session synderys: https://aws.synderys.com, us-east-1")
        terminal.expect("https://oidc.us-east-1.amazonaws.com/authorize?")
        terminal.expect("Which accounts and roles?")
        terminal.type("ReadO", SPACE, ENTER)
        terminal.expect("Region of the new profiles")
        terminal.type(ENTER)
        terminal.expect("+ synderys-readonly")
        terminal.expect("Write this?")
        terminal.type(ENTER)
        terminal.expect("Profiles of synderys: 1 new.")
        terminal.expect("Keep fresh keys of this profile in the credentials file?")
        terminal.type("y")
        code = terminal.end()

    assert code == 0
    assert "[profile synderys-readonly]" in world.config.read_text()
    assert "[synderys-readonly]" in world.credentials.read_text()
    assert ask_text.__module__ == "agent.cli.questions"
    assert DOWN
    assert CTRL_C
