"""Which coding agent is behind a process: by its programs, by its marks, and who is none."""

from __future__ import annotations

import pytest

from credtray.guard.agents import MARKS, Agent, Asker, Process, asker_in, name_in, names_of


def process(pid: int, *names: str, marks: tuple[str, ...] = ()) -> Process:
    return Process((pid, pid * 10), frozenset(names), frozenset(marks))


COMMAND = process(9, "credtray")
SHELL = process(8, "bash")
TERMINAL = process(5, "gnome-terminal-")


def test_a_command_that_an_agent_runs_is_its_child() -> None:
    chain = (COMMAND, process(7, "aws"), SHELL, process(6, "claude"), TERMINAL)

    assert asker_in(chain) == Asker(Agent("Claude Code", (6, 60)), SHELL.id)


def test_an_agent_that_asks_itself_is_its_own_command() -> None:
    assert asker_in((process(6, "opencode"), TERMINAL)) == Asker(Agent("opencode", (6, 60)), (6, 60))


def test_the_nearest_of_two_agents_is_meant() -> None:
    chain = (COMMAND, process(7, "codex"), process(6, "claude"))

    assert asker_in(chain) == Asker(Agent("Codex", (7, 70)), COMMAND.id)


def test_a_person_in_a_terminal_is_no_agent() -> None:
    assert asker_in((COMMAND, SHELL, TERMINAL)) is None
    assert asker_in(()) is None


def test_who_started_the_uppermost_process_with_the_mark_is_the_agent() -> None:
    marked = ("CLINE_ACTIVE",)
    chain = (
        process(9, "credtray", marks=marked),
        process(8, "bash", marks=marked),
        process(7, "code"),
        process(6, "code"),
    )

    assert asker_in(chain) == Asker(Agent("Cline", (7, 70)), (8, 80))


@pytest.mark.parametrize("above", [(), (process(1, "systemd"),), (process(700, "systemd"),)])
def test_a_marked_process_whose_parent_has_gone_stands_for_the_agent(above: tuple[Process, ...]) -> None:
    chain = (process(9, "credtray", marks=("GEMINI_CLI",)), *above)

    assert asker_in(chain) == Asker(Agent("Gemini CLI", (9, 90)), (9, 90))


def test_a_mark_that_only_a_process_above_has_says_nothing() -> None:
    assert asker_in((COMMAND, process(8, "bash", marks=("CLAUDECODE",)))) is None


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_every_mark_is_of_an_agent(mark: str) -> None:
    found = asker_in((process(9, "credtray", marks=(mark,)),))

    assert found is not None
    assert found.agent.label


@pytest.mark.parametrize(
    ("name", "words", "label"),
    [
        ("claude", ("claude",), "Claude Code"),
        ("node", ("node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), "Claude Code"),
        ("MainThread", ("/usr/bin/node", "/opt/node_modules/@google/gemini-cli/dist/index.js"), "Gemini CLI"),
        ("node", ("node", "/usr/local/bin/gemini"), "Gemini CLI"),
        ("node", ("node", "/usr/lib/node_modules/opencode-ai/bin/run.js"), "opencode"),
        ("python3.12", ("/usr/bin/python3.12", "/home/me/.local/bin/aider"), "aider"),
        (r"C:\Users\me\AppData\Claude\claude.exe", (), "Claude Code"),
        ("codex.exe", (), "Codex"),
        ("cursor-agent", (), "Cursor"),
        ("cn", ("cn",), "Continue"),
        ("python3", ("python3", "-I", "-m", "aider"), "aider"),
        ("node", ("node", "--no-warnings", "/usr/bin/gemini", "-p", "x"), "Gemini CLI"),
        ("python3", ("python3", "-I", "-c", "claude"), None),
        ("node", ("node", "-e", "claude"), None),
        ("node", ("node", "/home/me/codex/server.js"), None),
        ("vim", ("vim", "/usr/bin/aider"), None),
        ("claudette", ("claudette",), None),
        ("node", ("node", "/x/node_modules"), None),
        ("node", ("node", "/x/node_modules/@scope"), None),
        ("", ("",), None),
    ],
)
def test_a_program_is_known_by_its_file_its_script_or_its_package(
    name: str, words: tuple[str, ...], label: str | None
) -> None:
    found = asker_in((Process((9, 90), names_of(name, words)),))

    assert (None if found is None else found.agent.label) == label


@pytest.mark.parametrize(
    ("chain", "name"),
    [
        ((COMMAND, process(8, "aws", "python3"), SHELL, TERMINAL), "AWS CLI"),
        ((COMMAND, process(8, "terraform-provider-aws_v5.9"), process(7, "terraform")), "Terraform"),
        ((COMMAND, process(8, "python3", "nightly_report")), "nightly_report"),
        ((COMMAND, process(8, "python3.12")), "python3.12"),
        ((COMMAND, process(8, "sh"), process(7, "claude")), "Claude Code"),
        ((COMMAND, process(8, "sh"), process(7, "terraform")), "Terraform"),
        ((COMMAND, SHELL, TERMINAL), "A terminal"),
        ((COMMAND, SHELL), "A terminal"),
        ((process(9, "credtray"), process(8, "credtray"), process(7, "kubectl")), "kubectl"),
        ((COMMAND, process(8, "x\u202e\n<b>y</b>" + "z" * 90)), "x <b>y</b>zz…zzzzzzzzzzz"),
        ((COMMAND,), ""),
        ((), ""),
    ],
)
def test_a_program_that_waits_has_the_name_people_know(chain: tuple[Process, ...], name: str) -> None:
    assert name_in(chain, ours=True) == name


def test_a_program_at_the_endpoint_is_the_first_of_its_chain() -> None:
    assert name_in((process(9, "terraform"), SHELL), ours=False) == "Terraform"
    assert name_in((process(9, "node", "report"), process(8, "claude")), ours=False) == "report"
