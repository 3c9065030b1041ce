"""`credtray completion`: prints what a shell needs to complete commands, profiles and sessions.

Edits no file of the shell: the person decides where it goes.
"""

from __future__ import annotations

import importlib
from enum import StrEnum
from typing import Annotated

import typer

from agent.cli import terminal

PROGRAM = "credtray"
VARIABLE = "_CREDTRAY_COMPLETE"
"""In the environment while the shell asks for completions."""


class Shell(StrEnum):
    """Shells with completion."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.", show_default=False)]) -> None:
    """Print the completion script of a shell.

    It completes commands and options, and the names of profiles and sessions.

    Examples:
      eval "$(credtray completion bash)"       (in ~/.bashrc)
      eval "$(credtray completion zsh)"        (in ~/.zshrc, after compinit)
      credtray completion fish > ~/.config/fish/completions/credtray.fish
    """
    typers = importlib.import_module("typer.completion")
    terminal.show(typers.get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))
