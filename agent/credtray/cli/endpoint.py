"""`credtray endpoint`: how programs and containers fetch one profile's keys from the agent, again and again.

Asks the agent and prints variables; no key is in them, and no token unless a person asks for that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Annotated

import msgspec
import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption, ProfileArgument
from credtray.cli.environment import chosen, complete_shell
from credtray.core import shell_words
from credtray.core.errors import EndpointUnavailable, UsageError
from credtray.core.forms import ALL_BUT_JSON, Form
from credtray.core.models import Secret
from credtray.core.protocol import Endpoint, RevokeEndpoint, Status
from credtray.core.protocol.results import EndpointResult, RevokeResult
from credtray.ways_out import endpoint as endpoint_environment
from credtray.ways_out.child_environment import OVER_ENDPOINT
from credtray.ways_out.shells import assignments, removals

_MOUNT = "/run/credtray"
"""Where a container finds the directory of the token file."""
_DOCKER, _DEVCONTAINER, _JSON = "docker", "devcontainer", "json"


def _complete(incomplete: str) -> list[str]:
    containers = [name for name in (_DOCKER, _DEVCONTAINER) if name.startswith(incomplete)]
    return [*complete_shell(incomplete), *containers]


def endpoint(
    profile: ProfileArgument,
    shell: Annotated[
        str | None,
        typer.Option(
            "--shell",
            metavar="SHELL",
            help=f"{ALL_BUT_JSON}, {_DOCKER}, {_DEVCONTAINER} or {_JSON}; else the shell you run this in.",
            autocompletion=_complete,
            show_default=False,
        ),
    ] = None,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Revoke the token: programs that use it stop getting keys.")
    ] = False,
    token: Annotated[
        bool,
        typer.Option(
            "--token-in-environment",
            help="Put the token itself into the variables, for programs older than these. Every program "
            "of the shell sees it; it changes when the agent starts.",
        ),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Let programs fetch a profile's keys from the agent.

    For programs that run longer than keys last, and for containers: they renew their keys by themselves.
    It prints variables; the secret stays in a file that only you can read.

    Least versions: AWS CLI 2.15.0 (v1: 1.30.0), boto3 1.34.41, Go v2 release 2023-11-14 (v1: 1.47.11),
    JavaScript 3.458.0 (v2: 2.1550.0), Java 2.21.30 (v1: 1.12.746), Kotlin 1.0.1, Rust release 2024-03-13,
    .NET 3.7.734.0, PowerShell 4.1.502, PHP 3.287.1, Ruby 3.188.0, C++ 1.11.263.

    Examples:
      eval "$(credtray endpoint synderys-readonly)"
      credtray endpoint synderys-readonly --shell fish | source
      credtray endpoint synderys-readonly | Out-String | Invoke-Expression
      docker run $(credtray endpoint dev --shell docker) amazon/aws-cli s3 ls
      credtray endpoint synderys-readonly --shell devcontainer
      eval "$(credtray endpoint synderys-readonly --token-in-environment)"
      credtray endpoint synderys-readonly --revoke
    """
    word = _JSON if json_output else shell.lower() if shell is not None else None
    if revoke and shell is not None:
        raise UsageError("--revoke prints no variables: leave out --shell")
    if token and (revoke or word in _WRITERS):
        raise UsageError("--token-in-environment is for shells only: elsewhere others could read the token")
    # The shell is chosen first: no port is opened for a word nobody understands.
    if revoke:
        _tell_revoked(ask(RevokeEndpoint(profile)), in_json=json_output)
        return
    write = _writer(word, with_token=token)
    terminal.show_exactly(write(ask(Endpoint(profile))))
    if word not in {_DOCKER, _DEVCONTAINER, _JSON}:
        _warn_of_default()


def _writer(word: str | None, *, with_token: bool) -> Callable[[EndpointResult], str]:
    if word in _WRITERS:
        return _WRITERS[word]
    form = chosen(word).form
    return lambda result: _for_shell(result, form, with_token=with_token)


def _variables(result: EndpointResult, token_file: str) -> dict[str, str]:
    return endpoint_environment.variables(result.url, token_file, result.region)


def _for_shell(result: EndpointResult, form: Form, *, with_token: bool) -> str:
    values = _variables(result, result.token_file)
    if with_token:
        values = endpoint_environment.with_token(values, _token_in(result.token_file))
        terminal.complain(
            "the token is in the environment now: every program in this shell can read it",
            "After restarting the agent, run the same command again.",
            kind="warning",
        )
    # An env file describes a new environment: there is nothing to take away.
    away = "" if form is Form.DOTENV else removals(endpoint_environment.shadows_of(values), form)
    return away + assignments(values, form)


def _token_in(token_file: str) -> Secret:
    try:
        return Secret(Path(token_file).read_text("ascii"))
    except (OSError, ValueError):
        raise EndpointUnavailable("the file with its token cannot be read") from None


def _inside(result: EndpointResult) -> tuple[str, dict[str, str]]:
    """Return the directory to mount (a mounted file would stay the old one) and the container's variables."""
    token_file = PurePath(result.token_file)
    return str(token_file.parent), _variables(result, f"{_MOUNT}/{token_file.name}")


def _for_docker(result: EndpointResult) -> str:
    directory, values = _inside(result)
    words = ["--network", "host", "-v", f"{directory}:{_MOUNT}:ro"]
    for name, value in values.items():
        words += ["-e", f"{name}={value}"]
    if (
        shell_words.SYSTEM is Form.POWERSHELL
    ):  # it hands over each line as one word, and reads no quotes there
        return "".join(f"{word}\n" for word in words)
    return shell_words.command_line(words, windows=False) + "\n"


def _for_devcontainer(result: EndpointResult) -> str:
    directory, values = _inside(result)
    document = {
        "containerEnv": values,
        "mounts": [f"source={directory},target={_MOUNT},type=bind,readonly"],
        "runArgs": ["--network=host"],
    }
    return json.dumps(document, indent=2) + "\n"


def _as_json(result: EndpointResult) -> str:
    environment = _variables(result, result.token_file)
    told = {**msgspec.structs.asdict(result), "environment": environment, "unset": OVER_ENDPOINT}
    return json.dumps(told, indent=2) + "\n"


_WRITERS: dict[str | None, Callable[[EndpointResult], str]] = {
    _DOCKER: _for_docker,
    _DEVCONTAINER: _for_devcontainer,
    _JSON: _as_json,
}


def _tell_revoked(result: RevokeResult, *, in_json: bool) -> None:
    if in_json:
        terminal.show_json(result)
    elif result.revoked:
        terminal.show(f"Programs no longer get keys for {result.profile} from the endpoint.")
    else:
        terminal.show(f"{result.profile} had no endpoint.")


def _warn_of_default() -> None:
    """Say what would beat the endpoint and is in no variable."""
    document = ask(Status())
    names = [*(item.name for item in document.profiles), *(item.name for item in document.foreign)]
    if "default" in names or any(item.default for item in document.profiles):
        terminal.complain(
            "there is a [default] profile: programs that name no profile use its keys, not the endpoint's",
            "`credtray exec PROFILE -- COMMAND` hides it from the command.",
            kind="warning",
        )
