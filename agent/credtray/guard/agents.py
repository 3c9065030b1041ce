"""Which coding agent is behind a process, if any: by the programs above it and marks in its environment.

Pure: reads nothing, ``process_tree`` does. A program can hide from all of this; it is for agents that do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from credtray.core.words import plain

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
_CODE = frozenset({"-c", "-e", "-p", "--eval", "--print"})
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
        words: the first ones of its command line, which may be missing.
    """
    found = {_plain(name)}
    if words:
        found.add(_plain(words[0]))
    if any(each.rstrip("0123456789.") in _INTERPRETERS for each in found):
        found.update(_of_script(_script(words[1:])))
    return frozenset(found - {""})


def _script(words: Sequence[str]) -> str:
    """Return what is interpreted, a file or a module; empty for code in the command line itself."""
    for word in words:
        if word in _CODE:
            return ""
        if not word.startswith("-"):
            return word
    return ""


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


# --- who waits, in a person's words --------------------------------------------------------------------


_WELL_KNOWN = {
    "ansible": "Ansible",
    "ansible-playbook": "Ansible",
    "aws": "AWS CLI",
    "cdk": "AWS CDK",
    "docker": "Docker",
    "helm": "Helm",
    "k9s": "k9s",
    "kubectl": "kubectl",
    "packer": "Packer",
    "podman": "Podman",
    "pulumi": "Pulumi",
    "sam": "AWS SAM",
    "skopeo": "skopeo",
    "terraform": "Terraform",
    "terragrunt": "Terragrunt",
    "tofu": "OpenTofu",
}
_PROVIDER = "terraform-provider-"
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "fish", "ksh", "busybox", "pwsh", "powershell", "cmd"})
_OWN = "credtray"
_TERMINAL = "A terminal"
_LONGEST_NAME = 24


def name_in(chain: Sequence[Process], *, ours: bool) -> str:
    """Return what a person calls the program that asks; empty where nobody can tell.

    Args:
        chain: the process that asks, its parent, and so on upwards.
        ours: the first is a command of credtray's, which asks for whoever has started it.
    """
    above = [process for process in chain[ours:] if not (ours and _OWN in process.names)]
    below_a_shell = False
    for process in above:
        if process.names & _SHELLS:
            below_a_shell = True
        elif below_a_shell and not _label(process):
            return _TERMINAL
        else:
            return _label(process) or _own_name(process)
    return _TERMINAL if below_a_shell else ""


def _label(process: Process) -> str:
    """Return the name of a program that many people know; empty for every other."""
    known = next((each.label for each in KNOWN if each.programs & process.names), "")
    found = next((_WELL_KNOWN[name] for name in sorted(process.names) if name in _WELL_KNOWN), known)
    is_provider = any(name.startswith(_PROVIDER) for name in process.names)
    return _WELL_KNOWN["terraform"] if is_provider else found


def _own_name(process: Process) -> str:
    """Return the longest of its names, which is not cut off; a script's before its interpreter's."""
    scripts = {name for name in process.names if name.rstrip("0123456789.") not in _INTERPRETERS}
    return plain(max(sorted(scripts or process.names), key=len, default=""), _LONGEST_NAME)
