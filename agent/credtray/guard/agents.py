"""Which coding agent is behind a process, if any: by the programs above it and marks in its environment.

Pure: reads nothing, ``process_tree`` does. A program can hide from all of this; it is for agents that do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ProcessId = tuple[int, int]
"""Process id and when it was started, in the system's own count (0 where that is not known)."""


@dataclass(frozen=True, slots=True)
class Process:
    """What is looked at of one process."""

    id: ProcessId
    names: frozenset[str]
    """What it is called, in lower case and without an ending; see ``names_of``."""
    marks: frozenset[str] = frozenset()
    """The variables of ``MARKS`` that its environment has."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.id[0]


@dataclass(frozen=True, slots=True)
class Known:
    """A coding agent as it can be recognised."""

    label: str
    programs: frozenset[str]
    marks: tuple[str, ...] = ()
    """Variables that it sets for the commands it runs, as its documentation or source says."""


KNOWN = (
    Known("Claude Code", frozenset({"claude", "claude-code"}), ("CLAUDECODE",)),
    Known("opencode", frozenset({"opencode", "opencode-ai"}), ("OPENCODE",)),
    Known(
        "Codex",
        frozenset({"codex"}),
        ("CODEX_THREAD_ID", "CODEX_CI", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED"),
    ),
    Known("Gemini CLI", frozenset({"gemini", "gemini-cli"}), ("GEMINI_CLI",)),
    Known("Cursor", frozenset({"cursor-agent"}), ("CURSOR_AGENT",)),
    Known("Cline", frozenset({"cline"}), ("CLINE_ACTIVE",)),
    Known("Copilot CLI", frozenset({"copilot"}), ("COPILOT_CLI",)),
    Known("Continue", frozenset({"cn"})),
    Known("aider", frozenset({"aider"})),
    Known("A coding agent", frozenset(), ("AI_AGENT",)),
)
"""The last ones have no mark of their own, or no program: ``AI_AGENT`` is what several agree on."""

MARKS = frozenset(mark for known in KNOWN for mark in known.marks)
_INTERPRETERS = frozenset({"node", "nodejs", "bun", "deno", "python", "pypy"})
_ENDINGS = (".exe", ".cmd", ".js", ".mjs", ".cjs", ".py")
_PACKAGES = "node_modules"
_STARTERS = frozenset({"systemd", "init", "launchd", "explorer"})
"""Who has taken over a process whose parent has ended: it is not the agent."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One running coding agent."""

    label: str
    process: ProcessId

    @property
    def pid(self) -> int:
        """Its process id, as a person can look for it."""
        return self.process[0]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants keys: a command that a coding agent runs."""

    agent: Agent
    command: ProcessId
    """The process that the agent started for it; the agent itself, where that asks."""


def asker_in(chain: Sequence[Process]) -> Asker | None:
    """Return the agent behind a process; None where none is known.

    Args:
        chain: the process that asks, its parent, and so on upwards.
    """
    for place, process in enumerate(chain):
        known = next((each for each in KNOWN if each.programs & process.names), None)
        if known is not None:
            return Asker(Agent(known.label, process.id), chain[max(0, place - 1)].id)
    return _by_marks(chain)


def _by_marks(chain: Sequence[Process]) -> Asker | None:
    """Take who has started the uppermost process with the mark for the agent: it set the mark."""
    if not chain:
        return None
    known = next((each for each in KNOWN if chain[0].marks.intersection(each.marks)), None)
    if known is None:
        return None
    above = 0
    while above + 1 < len(chain) and chain[above + 1].marks.intersection(known.marks):
        above += 1
    command = chain[above]
    agent = chain[above + 1] if above + 1 < len(chain) else command
    if agent.pid <= 1 or agent.names & _STARTERS:
        agent = command
    return Asker(Agent(known.label, agent.id), command.id)


def names_of(name: str, words: Sequence[str]) -> frozenset[str]:
    """Return by what a process may be recognised: its name, its program, and the script that it interprets.

    Args:
        name: as the system has it; may be cut off.
        words: the first two of its command line, which may be missing.
    """
    found = {_plain(name)}
    if words:
        found.add(_plain(words[0]))
    if len(words) > 1 and any(each.rstrip("0123456789.") in _INTERPRETERS for each in found):
        found.update(_of_script(words[1]))
    return frozenset(found - {""})


def _of_script(path: str) -> Iterator[str]:
    """Yield the name of a script, and of the npm package that it is of: `.../claude-code/cli.js`."""
    parts = path.replace("\\", "/").split("/")
    yield _plain(path)
    if _PACKAGES in parts:
        inside = parts[len(parts) - parts[::-1].index(_PACKAGES) :]
        yield from inside[1:2] if inside[0:1] and inside[0].startswith("@") else inside[:1]


def _plain(path: str) -> str:
    name = path.replace("\\", "/").rpartition("/")[2].lower()
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
