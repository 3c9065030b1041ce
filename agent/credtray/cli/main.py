"""The command line: finds the command, runs it, and is the one place that tells a person of an error.

Imports a command only when it is asked for. Knows nothing of AWS.
"""

from __future__ import annotations

import errno
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from credtray.cli import terminal
from credtray.cli.exec_words import separated
from credtray.core.errors import CredtrayError
from credtray.ways_out.child_environment import step_out

SUMMARY = "Keeps AWS IAM Identity Center credentials fresh: one sign-in, every profile."
PROGRAM = "credtray"
COMPLETE = "__complete"
"""The word with which the shells' scripts ask what could stand at the cursor: see cli/completion."""
_INTERRUPTED = 130
_PIPE_CLOSED = 141
_MISUSE = 2

_START, _SIGN_IN, _PROFILES = "Begin", "Sign in", "Profiles and keys"
_PROGRAMS, _TROUBLE, _AGENT = "Programs that need keys", "When something does not work", "The agent"

COMMANDS: dict[str, tuple[str, str]] = {
    "setup": ("setup.command", _START),
    "start": ("cli.agent_start", _START),
    "open": ("cli.console", _START),
    "demo": ("cli.demo", _START),
    "help": ("cli.manual", _START),
    "status": ("cli.status", _START),
    "login": ("cli.sign_in", _SIGN_IN),
    "logout": ("cli.sign_in", _SIGN_IN),
    "whoami": ("cli.credentials", _SIGN_IN),
    "snooze": ("cli.sign_in", _SIGN_IN),
    "pause": ("cli.sign_in", _SIGN_IN),
    "notify-test": ("cli.agent_process", _TROUBLE),
    "profiles": ("cli.profiles", _PROFILES),
    "roles": ("roles.command", _PROFILES),
    "activate": ("cli.activation", _PROFILES),
    "deactivate": ("cli.activation", _PROFILES),
    "switch": ("cli.activation", _PROFILES),
    "credentials": ("cli.credentials", _PROFILES),
    "import": ("pasted.command", _PROFILES),
    "undo": ("cli.undo", _PROFILES),
    "exec": ("cli.execution", _PROGRAMS),
    "project": ("project.command", _PROGRAMS),
    "trust": ("project.command", _PROGRAMS),
    "hook": ("project.command", _PROGRAMS),
    "env": ("cli.environment", _PROGRAMS),
    "copy": ("cli.environment", _PROGRAMS),
    "endpoint": ("cli.endpoint", _PROGRAMS),
    "share": ("share.command", _PROGRAMS),
    "wait": ("cli.execution", _PROGRAMS),
    "console": ("cli.console", _PROGRAMS),
    "agent": ("tokens.agent_command", _PROGRAMS),
    "allow": ("guard.command", _PROGRAMS),
    "refuse": ("guard.command", _PROGRAMS),
    "docker-credential": ("tokens.registry", _PROGRAMS),
    "kube": ("tokens.kube_command", _PROGRAMS),
    "token": ("tokens.command", _PROGRAMS),
    "kube-token": ("tokens.command", _PROGRAMS),
    "doctor": ("doctor.command", _TROUBLE),
    "explain": ("doctor.command", _TROUBLE),
    "repair": ("doctor.repair_command", _TROUBLE),
    "history": ("history.command", _TROUBLE),
    "why": ("history.command", _TROUBLE),
    "run": ("cli.agent_process", _AGENT),
    "restart": ("cli.agent_start", _AGENT),
    "stop": ("cli.agent_process", _AGENT),
    "autostart": ("cli.at_login", _AGENT),
    "launcher": ("cli.at_login", _AGENT),
    "app": ("cli.at_login", _AGENT),
    "settings": ("cli.settings", _AGENT),
    "uninstall": ("uninstall.command", _AGENT),
    "version": ("cli.agent_process", _AGENT),
    "completion": ("cli.completion", _AGENT),
}
"""Command -> (module of credtray that holds a function of that name, panel of the help).

A name that Python keeps for itself has an underscore at its end there: ``exec_``, ``import_``.
"""
HIDDEN = frozenset({"snooze"})
"""Former names, which go on working: ``pause`` does what ``snooze`` did."""

OVERVIEW = f"""\
{SUMMARY}

  credtray setup               start here: sign in, pick accounts and roles
  credtray start               keep everything fresh, in the background
  credtray open                see everything in your browser
  credtray status              who is signed in, and until when
  credtray login               sign in, if that is needed
  credtray activate PROFILE    keep this profile's keys in the credentials file
  credtray switch PROFILE      make it the default profile

`credtray --help` lists all commands, `credtray COMMAND --help` explains one.
`credtray help` lists the pages of the documentation and shows them.
"""

# typer exports BadParameter but not the base class it shares with a missing argument or an unknown option.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class _Command(TyperCommand):
    """A command whose flags are shown without a type."""

    def get_params(self, ctx: Any) -> Any:
        return _lightened(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _dress_help()
        super().format_help(ctx, formatter)


class _Commands(TyperGroup):
    """The commands, each imported when it is asked for."""

    def get_params(self, ctx: Any) -> Any:
        return _lightened(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _dress_help()
        super().format_help(ctx, formatter)

    commands: Any  # filled for typer's suggestions only

    def list_commands(self, _ctx: Any) -> list[str]:
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        return command_named(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # typer offers the nearest names of this mapping only.
        self.commands = dict.fromkeys(COMMANDS)
        return super().resolve_command(ctx, args)


def _dress_help() -> None:
    terminal.dress_help(colours=terminal.colourful(sys.stdout) and terminal.has_colours(os.environ))


def command_named(name: str) -> Any:
    """Return one command of ``COMMANDS`` as typer runs it; only now its module is imported."""
    module, panel = COMMANDS[name]
    found = importlib.import_module(f"credtray.{module}")
    name_there = name.replace("-", "_")
    function = getattr(found, name_there, None) or getattr(found, f"{name}_")
    text = _unwrapped(inspect.getdoc(function) or "")
    program = typer.Typer(add_completion=False, rich_markup_mode="rich")
    program.command(name, cls=_Command, rich_help_panel=panel, help=text)(function)
    return typer.main.get_command(program)


def _unwrapped(text: str) -> str:
    """Return a docstring with each paragraph on one line, for the terminal to wrap; examples stay."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(part if "\n  " in part else part.replace("\n", " ") for part in paragraphs)


def _lightened(params: list[Any]) -> list[Any]:
    """Show no Python types, and keep typer from importing pydantic: 20 MiB for the life of the agent."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
        elif param.metavar is None and not param.type_descriptor.is_choice:
            param.metavar = param.name.upper()
        if param.param_type_name == "argument":
            _dress_argument(param)
        if param.type_descriptor.annotation in {bool, str, list[str]}:
            param._runtime_param = _AsTyped()  # noqa: SLF001 -- where typer keeps its pydantic adapter
    return params


def _dress_argument(param: Any) -> None:
    """Show an argument as manuals do, ``PROFILE...`` or ``[PROFILE...]``, and not as ``{PROFILE}``."""
    param.metavar = param.metavar or param.name.upper()
    words = param.metavar if param.nargs == 1 else f"{param.metavar}..."
    shown = words if param.required else f"[{words}]"
    param.get_usage_pieces = lambda _ctx: [shown]
    if not param.type_descriptor.is_choice:
        param.display_type_rich = lambda **_ctx: None


class _AsTyped:
    """Takes a flag, a word or a list of words as the shell passed it."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value; stands for ``typer._coercion.RuntimeParam``."""
        del ctx
        if param.multiple or param.nargs == -1:
            return list(value or ())
        return value


def command_line() -> Any:
    """Return the whole command line as a callable of typer."""
    program = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode="rich")
    program.callback(invoke_without_command=True, help=SUMMARY, epilog=_EPILOG)(_overview)
    return typer.main.get_command(program)


_EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no agent, 4 chosen but not in effect yet, "
    "5 ends too soon, 6 timed out, 130 Ctrl-C."
)


def _overview(
    ctx: typer.Context,
    verbose: bool = typer.Option(False, "--verbose", help="With an error, print where it came from."),  # noqa: ARG001 -- taken out by main()
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        importlib.import_module("credtray.cli.agent_process").version(json_output=False)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        terminal.show(OVERVIEW.rstrip())


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; errors go to stderr."""
    terminal.prepare()
    step_out(os.environ)
    if sys.platform == "win32" and arguments[:1] != ["run"]:  # the agent answers to every shell
        from credtray.core import shell_words  # elsewhere most commands do without

        shell_words.SYSTEM, shell_words.GIT_BASH = shell_words.in_use(os.environ)
    if arguments[:1] == [COMPLETE]:
        return int(importlib.import_module("credtray.cli.completion").answer(arguments[1:]))
    words, verbose = _without_verbose(separated(list(arguments)))
    if verbose and words[:1] == ["run"]:
        words.append("--verbose")  # it has a use of its own for that
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        terminal.let_go(sys.stdout)  # whoever read our output is gone: end as `cat` would
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except SystemExit:
        return _PIPE_CLOSED  # typer's own: a closed pipe that it has noticed before us
    except Exception as error:  # noqa: BLE001 -- the border: everything ends here as one message
        return _told(error, verbose=verbose)
    return code


def _run(words: list[str]) -> int:
    outcome = command_line().main(words, prog_name=PROGRAM, standalone_mode=False)
    return outcome if isinstance(outcome, int) else 0


def _without_verbose(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take --verbose out wherever it stands: people add it to the end of the command that failed."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [word for word in arguments[:end] if word != "--verbose"]
    return [*options, *arguments[end:]], len(options) < end


def _told(error: Exception, *, verbose: bool) -> int:
    if verbose:
        terminal.say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, CredtrayError):
        terminal.complain(str(error), error.advice)
        return error.exit_code
    if isinstance(error, OSError) and error.filename is None:
        # Errors of files and sockets come translated: what is left are the standard streams.
        terminal.let_go(sys.stdout)
        if sys.platform == "win32" and error.errno == errno.EINVAL:
            return _PIPE_CLOSED  # ERROR_NO_DATA, which the C runtime there does not know as a closed pipe
        terminal.complain(f"The output could not be written: {os.strerror(error.errno or 0).lower()}")
        return 1
    if isinstance(error, _UsageError):
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else PROGRAM
        text = str(getattr(error, "format_message", error.__str__)())
        plain = " ".join(text.split()).replace(" Value error, ", " ")  # what pydantic puts before its text
        terminal.complain(plain, f"{path} --help")
        return _MISUSE
    # The text of a foreign exception may quote anything; its kind is enough to begin with.
    terminal.complain(f"{CredtrayError.title} ({type(error).__name__})", CredtrayError.hint)
    return 1
