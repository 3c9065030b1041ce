"""Every command that credtray prints, or writes in its help and pages, is one that a shell and credtray take.

Words in capitals (PROFILE, FILE, HOST:PORT) stand for what a person fills in; here they are names.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
import typer

from credtray.cli import profiles
from credtray.cli.main import command_line
from credtray.cli.status_words import what_to_do
from credtray.core.answers import sign_in_required
from credtray.core.errors import every_error
from credtray.core.forms import Form
from credtray.core.models import CredentialStatus
from credtray.core.notice_texts import notification, what_to_type
from credtray.core.protocol.results import ProfileStatus, StatusDocument
from credtray.core.shell_words import argument
from credtray.doctor.all_rules import BY_CODE, findings
from credtray.doctor.evidence import SessionSight
from credtray.doctor.findings import general_cure
from credtray.files.obstacles import InTheWay, Obstacle
from tests.cli.fake_backend import document, profile
from tests.core.diagnosis_facts import FINE, NOW, SESSION, WRONG, frozen, minutes, token
from tests.core.test_notice_words import NOTICES

pytestmark = pytest.mark.posix("bash reads what was printed")

ROOT = Path(__file__).parents[2]
UsageError: type[Exception] = typer.BadParameter.__bases__[0]
NASTY = ("a b", "it's", "$HOME", "-x", "日本", "a;b")
OTHERS = frozenset(
    {
        "chmod",
        "chown",
        "chattr",
        "mv",
        "ls",
        "rm",
        "sudo",
        "unset",
        "timedatectl",
        "hwclock",
        "aws",
        "eval",
        "mount",
        "systemctl",
    }
)
"""Programs of a system that may stand in a cure."""
_START = re.compile(rf"(?:{'|'.join(('credtray', *sorted(OTHERS - {'eval', 'mount'})))})\b")
NAMES = frozenset({"run", "login", "stop", "setup", "doctor", "status", "autostart", "settings", "repair"})
_TICKED = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OURS = re.compile(
    r"""(?:^|[$(|&;@"'=]\s*|\b(?:exec|uvx|sudo|python3)[ ]|\./)credtray(?:\.pyz)?[ ](?=[a-z-])""",
)
"""Where a command of ours begins: also in `eval "$(...)"`, behind a pipe, as a file, or behind `uvx`."""


def in_prose(text: str) -> Iterator[str]:
    """Yield the commands of a cure or hint: after a colon, after `then`, or between backticks.

    What is between backticks may be the bare name of a command: that is no line to be typed.
    """
    ticked = [each for each in _TICKED.findall(text) if _START.match(each)]
    yield from (each for each in ticked if each.removesuffix(" --env").count(" ") > 1)
    for part in re.split(r"; |, then (?:run: )?|, (?=\w+: )", _TICKED.sub("x", text)):
        _, colon, command = part.rpartition(": ")
        known = command.split()[:1] != ["credtray"] or command.split()[1:2] in [[name] for name in NAMES]
        if _START.match(command) and (colon or known):  # else a sentence that begins with our name
            yield command.rstrip(".").removesuffix(")" if command.count(")") > command.count("(") else "")


def cures() -> Iterator[str]:
    yield from map(general_cure, BY_CODE.values())
    for make in WRONG.values():
        yield from (item.cure for item in findings(make()))
    for name in NASTY:
        session = replace(SESSION, name=name)
        facts = replace(token(expires_at=minutes(-5), has_refresh_token=False))
        config = replace(facts.config.config, sessions=frozen(**{name: session}), profiles=frozen())
        facts = replace(
            facts,
            config=replace(facts.config, config=config),
            tokens=frozen(**{name: facts.tokens["corp"]}),
            environ=MappingProxyType({"HTTPS_PROXY": "http://p:1"}),
            in_the_way=tuple(InTheWay(kind, f"~/.aws/{name}/x", "root") for kind in Obstacle),
            agent=replace(FINE.agent, sessions=frozen(**{name: SessionSight(CredentialStatus.EXPIRED)})),
        )
        assert facts.now == NOW
        yield from (item.cure for item in findings(facts))


def hints() -> Iterator[str]:
    yield from (kind.hint for kind in every_error())


def examples() -> Iterator[str]:
    program = command_line()
    context = program.make_context("credtray", [], resilient_parsing=True)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        lines = (command.help or "").partition("Examples:")[2].splitlines()
        yield from (line.strip() for line in lines if line.strip().startswith("credtray"))


PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def typed(text: str) -> Iterator[str]:
    """Yield what a page has in its blocks for a person to type, also inside of another command."""
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _commands_of(line)


def named(text: str) -> Iterator[str]:
    """Yield what a page has between backticks; it may be the bare name of a command or an option."""
    for ticked in _TICKED.findall(_BLOCK.sub("", text)):
        yield from _commands_of(ticked)


def _commands_of(line: str) -> Iterator[str]:
    for found in _OURS.finditer(line):
        rest = line[found.end() :].partition("  #")[0]
        if (quote := found[0][0]) in "'\"":
            rest = rest.partition(quote)[0]
        yield f"credtray {rest}".strip()


def lines() -> Iterator[str]:
    """Yield whole lines of the pages, which a shell has to take as well."""
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.removeprefix("$ ").partition("  #")[0].strip()
                if command.startswith("credtray "):
                    yield command


def words_of(command: str) -> list[str]:
    """Return the words up to what belongs to the shell: a pipe, a redirection, a comment, another command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in lexer:
        if word and set(word) <= set("|&;<>()"):
            break
        words.append(word)
    return words


def check(command: str) -> None:
    """Refuse what a shell cannot parse, what is no program, and words that credtray does not take."""
    bash = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
    assert (bash.returncode, bash.stderr) == (0, "")
    words = words_of(command)
    while words and ("=" in words[0] or words[0] == "sudo"):
        words = words[1:]
    if not words or words[0] != "credtray":
        assert words
        assert words[0] in OTHERS
        return
    accept(words[1:])


def accept(words: list[str]) -> None:
    """Let the command line read the words, without doing anything."""
    command = command_line()
    context = command.make_context("credtray", list(words))
    while hasattr(command, "resolve_command"):
        rest = (
            [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        )
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def not_taken(text: str) -> Iterator[str]:
    """Yield the commands of a page that credtray does not take, with the reason."""
    for command, whole in (*((each, True) for each in typed(text)), *((each, False) for each in named(text))):
        try:
            accept(words_of(command)[1:])
        except UsageError as error:
            lacking = "Missing parameter" in str(error) or "requires an argument" in str(error)
            if whole or not lacking:
                yield f"{command}: {error}"


@pytest.mark.met("F12")
@pytest.mark.parametrize("command", sorted({each for text in cures() for each in in_prose(text)}))
def test_command_of_a_cure_is_taken(command: str) -> None:
    check(command)


@pytest.mark.met("F12")
@pytest.mark.parametrize("command", sorted({each for text in hints() for each in in_prose(text)}))
def test_command_of_a_hint_is_taken(command: str) -> None:
    check(command)


@pytest.mark.met("F12")
@pytest.mark.parametrize("command", sorted({*examples(), *lines()}))
def test_command_of_help_and_pages_is_taken(command: str) -> None:
    check(command)


@pytest.mark.met("F12")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_is_one_that_credtray_takes(page: Path) -> None:
    assert [*not_taken(page.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        "```\ncredtray login --nonsense\n```\n",
        "```console\n$ credtray lgoin\n```\n",
        "```sh\nexec credtray exce p -- x\n```\n",
        "```powershell\ncredtray deactivate\n```\n",
        '```\neval "$(credtray env --shel fish p)"   # one line\n```\n',
        "```\nFOR /F %i IN ('credtray evn p') DO @%i\n```\n",
        "```\naws s3 ls 2>&1 | credtray explian\n```\n",
        "```\n./credtray.pyz login --devise\n```\n",
        "```\nuvx credtray unistall\n```\n",
        "say `credtray pause 30m p q r`",
        "say `credtray lgoin`",
        "say `credtray status --jsno` or `credtray status`",
    ],
)
def test_a_wrong_command_of_any_page_is_noticed(text: str) -> None:
    assert len([*not_taken(text)]) == 1


def typed_for(name: str) -> Iterator[str]:
    """Yield commands of notices, hints and status that name this session or profile."""
    yield sign_in_required(name).hint.removeprefix("Run: ")
    for each in NOTICES.values():
        renamed = replace(each, session=name, names=tuple(name for _ in each.names))
        yield what_to_type(notification(renamed, NOW, UTC)).partition(": ")[2]
    for _, command in profiles.commands(msgspec.convert(document([], [profile(name)]), StatusDocument)):
        yield command.removesuffix(" -- COMMAND")
    yield what_to_do(msgspec.convert(profile(name, delivery="endpoint"), ProfileStatus)).partition(": ")[2]
    yield f"credtray env {argument(name, Form.POSIX)}"


@pytest.mark.met("F12")
@pytest.mark.parametrize("name", [*NASTY, "dev$(reboot)", 'say "hi"', "--all", "back`tick`"])
def test_command_with_any_name_is_taken_and_names_it(name: str) -> None:
    found = {each for each in typed_for(name) if each}

    assert len(found) > 5
    for command in found:
        check(command)
        assert "login" not in command.split()[1] or name in shlex.split(command)


def test_commands_are_found_in_prose() -> None:
    text = "Restart it: credtray stop, then credtray run; see `credtray status --watch`"

    assert sorted(in_prose(text)) == ["credtray run", "credtray status --watch", "credtray stop"]
    assert len({*cures()}) > 50
    assert len({*examples()}) > 40


@pytest.mark.parametrize(
    "command", ["credtray login --nonsense", "credtray lgoin", "chmod 'x", "frobnicate x"]
)
def test_a_wrong_command_is_noticed(command: str) -> None:
    with pytest.raises((Exception, AssertionError)):
        check(command)


def test_programs_of_cures_are_those_of_a_usual_system() -> None:
    assert shutil.which("chmod")
