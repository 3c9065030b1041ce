from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from credtray.demo.identity_center.faults import Hang
from tests.cli.real_world import DNS, READONLY, ROOT, SESSION, World, profile, wait_until
from tests.cli.terminal_session import CTRL_C, TerminalSession

SETUP = ("setup", "synderys", "--accounts", "all", "--roles", "ReadOnly,DNS", "--yes")
HEAVY = ("botocore", "boto3", "pydantic", "questionary", "prompt_toolkit", "asyncio", "credtray.app")


def modules_after(world: World, *words: str) -> list[str]:
    """Return which heavy modules a command has imported when it is done."""
    program = (
        "import contextlib, io, sys\n"
        "from credtray.cli.main import main\n"
        "with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):\n"
        f"    code = main({list(words)!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=world.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("] 0\n"), done.stderr
    return [name for name in HEAVY if repr(name) in done.stdout]


def test_one_life_of_the_agent(world: World) -> None:
    with world.agent() as agent:
        set_up = world.credtray(*SETUP, "--activate")
        status = json.loads(world.credtray("status", "--json").stdout)
        second = world.credtray("run")
        switched = world.credtray("switch", "synderys-dns")
        modules = {words: modules_after(world, *words) for words in (("status",), ("profiles",))}
        modules["credentials",] = modules_after(world, "credentials", "synderys-dns")
        snoozed = world.credtray("snooze", "30m")
        stopped = world.credtray("stop")

        assert agent.wait(10) == 0

    assert set_up.returncode == 0, set_up.stderr
    assert status["agent"]["pid"] == agent.pid
    assert {item["name"]: item["active"] for item in status["profiles"]} == {
        "synderys-dns": True,
        "synderys-readonly": True,
    }
    assert (second.returncode, second.stderr) == (0, "The agent is already running. See: credtray status\n")
    assert switched.stdout.startswith("synderys-dns is the default: keys in [default] until ")
    assert set(map(tuple, modules.values())) == {()}
    assert snoozed.stdout.startswith("No warnings about synderys until ")
    assert stopped.stdout.startswith(f"The agent (pid {agent.pid}) has stopped")
    assert stopped.stderr == ""
    assert "[synderys-dns]" not in world.credentials.read_text()


@pytest.mark.posix("chmod")
def test_stop_tells_of_keys_that_could_not_be_taken_out(world: World) -> None:
    with world.agent() as agent:
        world.credtray(*SETUP, "--activate")
        world.credentials.chmod(0o400)
        stopped = world.credtray("stop")
        agent.wait(10)

    assert stopped.returncode == 0
    assert f"Keys are still in {world.credentials}" in stopped.stderr.replace("\n", " ")
    assert "Then run: credtray start, and credtray stop" in stopped.stderr.replace("\n", " ")


def test_credentials_without_an_agent_come_from_the_token_cache(world: World) -> None:
    world.configure()
    world.credtray("login")
    world.portal.auto_approve(None)
    answered = world.credtray("credentials", "synderys-dns")
    as_sts = world.credtray("credentials", "synderys-dns", "--form", "sts")
    misused = world.credtray("credentials", "synderys-dns", "--form", "stss")
    world.credtray("logout")
    refused = world.credtray("credentials", "synderys-dns")
    unknown = world.credtray("credentials", "synderys-dsn")

    assert json.loads(answered.stdout).keys() == {
        "Version",
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "AccountId",
    }
    assert (answered.returncode, answered.stdout.count("\n")) == (0, 1)
    keys = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    assert tuple(json.loads(as_sts.stdout)["Credentials"]) == keys
    assert (misused.returncode, misused.stdout) == (2, "")
    assert "'stss' is not one of the forms process, sts. Did you mean sts?" in misused.stderr
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "hint: Run: credtray login synderys\n" in refused.stderr
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Did you mean synderys-dns" in unknown.stderr


def test_token_for_a_cluster_is_a_way_of_its_own_in_the_history(world: World) -> None:
    world.configure()
    world.credtray("login")
    with world.agent():
        made = world.credtray("kube-token", "my-cluster", "-P", "synderys-dns", "--region", "eu-central-1")
    told = world.credtray("history")

    assert json.loads(made.stdout)["kind"] == "ExecCredential"
    assert "was given the keys of synderys-dns, by `credtray kube-token`" in told.stdout


def with_a_silent_portal(world: World) -> None:
    """A second session, whose portal leaves every fetch unanswered from now on."""
    world.configure()
    other = SESSION.replace("sso-session synderys", "sso-session other") + READONLY.replace(
        "sso_session = synderys", "sso_session = other"
    )
    world.config.write_text(SESSION + DNS + other)
    world.credtray("login", "synderys")
    world.credtray("login", "other")
    world.portal.inject("GetRoleCredentials", Hang(), role="ReadOnly")


def test_activate_does_not_wait_for_another_sessions_portal(world: World) -> None:
    with_a_silent_portal(world)
    with (
        world.agent(),
        subprocess.Popen(
            world.command("switch", "synderys-readonly"),
            cwd=ROOT,
            env=world.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as held,
    ):
        assert held.stderr is not None
        told = held.stderr.readline()
        activated = world.credtray("activate", "synderys-dns")
        still_waiting = held.poll() is None
        held.terminate()

    assert told == "other: waiting for the access portal ...\n"
    assert activated.stdout.startswith("synderys-dns is active: keys in [synderys-dns] until ")
    assert still_waiting


def test_without_an_agent_no_other_sessions_portal_is_asked(world: World) -> None:
    with_a_silent_portal(world)
    world.credtray("activate", "synderys-readonly")
    before = world.portal.journal.count("GetRoleCredentials")
    switched = world.credtray("switch", "synderys-dns")

    assert switched.stdout.startswith("synderys-dns is the default: keys in [default] until ")
    assert world.portal.journal.count("GetRoleCredentials") == before + 1


def test_credentials_give_up_in_time(world: World) -> None:
    world.configure()
    world.credtray("login")
    world.portal.set_latency("GetRoleCredentials", 30)
    outcome = world.credtray("credentials", "--no-agent", "--within", "1.5", "synderys-dns")

    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error: It took too long")


def test_login_signs_in_once_and_then_has_nothing_to_do(world: World) -> None:
    world.configure()
    first = world.credtray("login")
    again = world.credtray("login")

    assert first.stdout.startswith("Signed in to synderys until about ")
    assert again.returncode == 0
    assert again.stdout.endswith("Nothing to do; --fresh starts a new sign-in.\n")
    assert "https://" not in again.stderr


@pytest.mark.posix("a pseudo-terminal")
@pytest.mark.parametrize("running", [True, False])
def test_ctrl_c_gives_the_sign_in_up(world: World, *, running: bool) -> None:
    world.configure()
    world.portal.auto_approve(None)
    if running:
        with world.agent():
            code = give_up(world)
            state = json.loads(world.credtray("status", "--json").stdout)["sessions"][0]["state"]

        assert state == "signed_out"
    else:
        code = give_up(world)

    assert code == 130


def give_up(world: World) -> int:
    with TerminalSession(world, "login") as terminal:
        terminal.expect("Waiting for you to finish in the browser.")
        terminal.type(CTRL_C)
        terminal.expect("The sign-in was cancelled.")
        return terminal.end()


@pytest.mark.posix("a pseudo-terminal")
def test_in_a_terminal_it_speaks_to_a_person(world: World) -> None:
    world.configure()
    with TerminalSession(world, "run", "--no-tray") as terminal:
        terminal.expect("). Press Ctrl-C to stop it.")
        terminal.expect("It has no icon: ")
        terminal.expect("synderys: signed out")
        terminal.type(CTRL_C)
        terminal.expect("credtray has stopped; nothing is renewed until it runs again.")
        code = terminal.end()

    assert code == 0
    assert "INFO" not in terminal.screen
    assert len(terminal.screen.splitlines()) <= 7  # three lines, one of them folded, ^C, and the last


@pytest.mark.posix("a pseudo-terminal")
def test_in_a_terminal_it_prints_its_log_when_asked(world: World) -> None:
    with TerminalSession(world, "run", "--no-tray", "--verbose") as terminal:
        terminal.expect(" INFO credtray.service: credtray 0.1.0 starts, pid ")
        wait_until(world.listening.exists)
        terminal.type(CTRL_C)
        terminal.expect(" INFO credtray.service: credtray ends")
        code = terminal.end()

    assert code == 0
    assert "Press Ctrl-C" not in terminal.screen


@pytest.mark.posix("a pseudo-terminal")
def test_watch_is_live_and_q_ends_it(world: World) -> None:
    world.configure()
    world.credtray("login")
    with world.agent(), TerminalSession(world, "status", "--watch") as terminal:
        terminal.expect("signed in until about")
        terminal.expect("q ends")
        world.credtray("logout")
        terminal.expect("signed out")
        terminal.type("q")
        code = terminal.end()

    assert code == 0


@pytest.mark.posix("a pseudo-terminal")
def test_watch_ends_with_the_agent(world: World) -> None:
    world.configure()
    world.credtray("login")
    with world.agent(), TerminalSession(world, "status", "--watch") as terminal:
        terminal.expect("signed in until about")
        world.credtray("stop")
        terminal.expect("error: The agent is not running")
        code = terminal.end()

    assert code == 3


@pytest.mark.posix("bash tells the exit code within a pipeline")
@pytest.mark.parametrize("words", ["profiles", "--help", "status --json"])
def test_reader_that_goes_away_gets_no_traceback(world: World, words: str) -> None:
    world.config.parent.mkdir()
    many = (profile(f"name-{number:04}", "111100000001", "ReadOnly") for number in range(2000))
    world.config.write_text(SESSION + "".join(many))
    command = shlex.join(world.command(*words.split()))
    done = subprocess.run(
        ["/bin/bash", "-c", f"{command} | head -c 1; exit ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        env=world.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode in {0, 141}  # 0: all was in the pipe before its reader went


@pytest.mark.parametrize(("encoding", "dot"), [("ascii", "o"), ("latin-1:strict", "o"), ("utf-8", "○")])
def test_output_has_the_encoding_that_was_asked_for(world: World, encoding: str, dot: str) -> None:
    world.configure()
    outcome = world.credtray("status", PYTHONIOENCODING=encoding)

    assert outcome.returncode == 0
    assert outcome.stdout.startswith(f"{dot} synderys  signed out\n")
