"""The words of `credtray exec`: which are ours, and where those of the command begin. Imports nothing.

Starts nothing and complains of nothing: what it does not understand is left to the command line.
"""

from __future__ import annotations

NAME = "exec"
FLAGS = frozenset({"--env"})
VALUED = frozenset({"--for", "--region"})
_ASIDE = frozenset({"--verbose", "--help"})
_HERE = "."
"""In place of a profile: the one that the project names (``project/project_file``)."""


def separated(words: list[str]) -> list[str]:
    """Return the words with the profile and the ``--`` before the command filled in where they are left out.

    The first word that is no option is the profile, the next one begins the command; what follows is the
    command's, also where it looks like an option of ours. A command right behind ``--`` has the profile
    of the project.
    """
    at = 0
    while at < len(words) and words[at] in _ASIDE:
        at += 1
    if words[at : at + 1] != [NAME]:
        return words
    end = _command_begins(words, at + 1)
    if "--help" in words[:end] or words[end - 1] in VALUED:
        return words
    if not _names_profile(words[at + 1 : end]):
        return [*words[:end], _HERE, *words[end:]]
    if end >= len(words) or words[end] == "--":
        return words
    return [*words[:end], "--", *words[end:]]


def _names_profile(ours: list[str]) -> bool:
    """Tell whether one of the words before the command is neither an option nor the value of one."""
    values = {at + 1 for at, word in enumerate(ours) if word in VALUED}
    return any(at not in values and not word.startswith("-") for at, word in enumerate(ours))


def _command_begins(words: list[str], at: int) -> int:
    """Return the index of ``--``, or of the first word behind the profile that is no option."""
    profile = False
    while at < len(words) and words[at] != "--":
        if words[at] in VALUED:
            at += 1
        elif not words[at].startswith("-"):
            if profile:
                return at
            profile = True
        at += 1
    return min(at, len(words))


def plain(words: list[str]) -> tuple[str, bool, list[str]] | None:
    """Return (profile, whether --env, command) of ``exec P [--env] -- CMD...``; None for anything else."""
    arranged = separated(words)
    if arranged[:1] != [NAME] or "--" not in arranged:
        return None
    end = arranged.index("--")
    ours, command = arranged[1:end], arranged[end + 1 :]
    profiles = [word for word in ours if word not in FLAGS]
    if len(profiles) != 1 or profiles[0].startswith("-") or profiles[0] == _HERE or not command:
        return None
    return profiles[0], len(ours) > 1, command
