"""A coding agent for real: its process tree, the agent, the commands, a person's answer in a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.house import House, until

pytestmark = pytest.mark.linux_desktop("who asks is read from /proc")


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    """A coding agent: runs what it is told, in a process of that name."""
    program = tmp_path / "claude"
    program.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\nsys.exit(subprocess.call(sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    return program


def begun(house: House, claude: Path, *words: str) -> subprocess.Popen[str]:
    """Let the coding agent run a command of ours."""
    command = [str(claude), sys.executable, "-I", "-m", "credtray", *words]
    return subprocess.Popen(
        command, env=house.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def of_claude(house: House, claude: Path, *words: str) -> tuple[int, str, str]:
    process = begun(house, claude, *words)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def asks(house: House) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(house.run("status", "--json").stdout)["coding_agents"]
    return found


def test_keys_wait_for_a_persons_yes(house: House, claude: Path) -> None:
    house.configure()
    house.run("settings", "set", "profiles.synderys-security.agents", "ask")
    with house.agent():
        house.run("login")
        waiting = begun(house, claude, "credentials", "synderys-security", "--form", "sts")
        until(lambda: bool(asks(house)))
        (question,) = asks(house)
        assert question == {
            "profile": "synderys-security",
            "agent": "Claude Code",
            "pid": waiting.pid,
            "waiting": 1,
        }
        code, _, err = of_claude(house, claude, "allow", "synderys-security")
        assert (code, "cannot allow itself" in err) == (1, True)
        assert house.run("allow", "synderys-security").stdout == "Claude Code may use synderys-security.\n"
        out, err = waiting.communicate(timeout=60)

        assert (waiting.returncode, err) == (0, "")
        assert "Credentials" in json.loads(out)
        assert asks(house) == []
        assert "Claude Code (pid" in house.log.read_text()


def test_nobody_who_answers_is_an_end_and_says_how_to_go_on(house: House, claude: Path) -> None:
    house.configure()
    house.run("settings", "set", "profiles.synderys-security.agents", "ask")
    with house.agent():
        house.run("login")
        waiting = begun(house, claude, "exec", "synderys-security", "--", "env")
        until(lambda: bool(asks(house)))
        house.run("refuse", "synderys-security")
        out, err = waiting.communicate(timeout=60)

        assert (waiting.returncode, out) == (1, "")
        assert "credtray allow synderys-security" in err
        until(lambda: "Claude Code" in house.run("history", "--profile", "synderys-security").stdout)


def test_never_is_at_once_for_every_way(house: House, claude: Path) -> None:
    house.configure()
    house.run("settings", "set", "profiles.synderys-security.agents", "never")
    with house.agent():
        house.run("login")
        for words in (
            ("credentials", "synderys-security"),
            ("credentials", "--no-agent", "synderys-security"),
            ("env", "synderys-security"),
            ("exec", "synderys-security", "--", "true"),
            ("exec", "synderys-security", "--env", "--", "true"),
            ("endpoint", "synderys-security"),
            ("copy", "synderys-security"),
            ("activate", "synderys-security"),
            ("switch", "synderys-security"),
            ("share", "--container", "-P", "synderys-security", "--for", "1s"),
        ):
            code, out, err = of_claude(house, claude, *words)

            assert (code, out) == (1, ""), words
            assert "A coding agent may not use this profile: Claude Code" in err, words
        assert of_claude(house, claude, "credentials", "synderys-readonly")[0] == 0
        assert house.run("credentials", "synderys-security").stdout
    assert house.written() == ""


def test_it_does_not_answer_for_the_person(house: House, claude: Path) -> None:
    house.configure()
    own = house.environ | {"EDITOR": "true"}
    house.run("settings", "set", "icon", "dark")
    assert of_claude(house, claude, "settings", "set", "agents", "allow")[0] == 0  # nothing is guarded yet
    house.run("settings", "set", "agents", "never")
    house.environ = own
    for words in (
        ("settings", "set", "profiles.synderys-security.agents", "allow"),
        ("settings", "set", "profiles.synderys-security.production", "false"),
        ("settings", "unset", "agents"),
        ("settings", "undo"),
        ("settings", "edit"),
        ("open", "--print"),
        ("open", "--json"),
    ):
        code, out, err = of_claude(house, claude, *words)

        assert (code, out, "cannot allow itself" in err) == (1, "", True), (words, err)
    assert of_claude(house, claude, "settings", "set", "icon", "light")[0] == 0
    house.run("settings", "set", "profiles.synderys-security.agents", "allow")


def test_without_an_agent_nobody_can_be_asked(house: House, claude: Path) -> None:
    house.configure()
    house.run("login")
    house.run("settings", "set", "profiles.synderys-security.agents", "ask")
    code, out, err = of_claude(house, claude, "credentials", "synderys-security")

    assert (code, out) == (1, "")
    assert "credtray start" in err
    assert house.run("credentials", "synderys-security").stdout


def test_an_agent_that_hides_its_name_is_known_by_its_mark(house: House) -> None:
    house.configure()
    house.run("login")
    house.run("settings", "set", "agents", "never")
    house.environ["CODEX_THREAD_ID"] = "0199"
    process = house.run("credentials", "synderys-security", code=1)

    assert "Codex (pid" in process.stderr


def test_an_endpoint_of_a_program_below_an_agent_is_guarded(house: House, claude: Path) -> None:
    """The token is a person's; who sends it is a coding agent."""
    house.configure()
    reader = (
        "import sys, urllib.error, urllib.request as r\n"
        "token = {'Authorization': open(sys.argv[2]).read()}\n"
        "try:\n"
        "    r.urlopen(r.Request(sys.argv[1], headers=token))\n"
        "except urllib.error.HTTPError as error:\n"
        "    sys.exit(f'{error.code} {error.read().decode()}')\n"
    )
    house.run("settings", "set", "profiles.synderys-security.agents", "never")
    with house.agent():
        house.run("login")
        found = json.loads(house.run("endpoint", "synderys-security", "--json").stdout)
        command = [sys.executable, "-I", "-c", reader, found["url"], found["token_file"]]
        refused = subprocess.run([str(claude), *command], capture_output=True, text=True, check=False)
        allowed = subprocess.run(command, capture_output=True, text=True, check=False)

    assert refused.stderr.startswith("403 ")
    assert "coding_agent_refused" in refused.stderr
    assert (allowed.returncode, allowed.stderr) == (0, "")
