"""The doctor's look at this computer: files, environment, agent, desktop become ``Facts``.

Joins the wings for that and judges nothing; see core/diagnosis. Touches no file, and asks the network only
when it is told to. Everything that may hang is looked at at once, two seconds each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agent import __version__
from agent.app import Surroundings
from agent.checkup import around as looks
from agent.checkup.files import AwsFiles, aws_files, missing_programs, spoken_path
from agent.checkup.probes import together
from agent.checkup.tokens import token_facts
from agent.core import resolution
from agent.core.cache_format import token_key
from agent.core.diagnosis.environment import spoken
from agent.core.diagnosis.facts import (
    ConfigFacts,
    CredentialsFacts,
    Facts,
    FileFacts,
    Held,
    IniFacts,
    TokenFacts,
)
from agent.core.models import AwsConfig
from agent.core.session_network import in_effect
from agent.core.settings import Settings
from agent.desktop import paths
from agent.store.settings_file import SettingsFile
from agent.store.state_file import StateFile


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was seen."""

    facts: Facts
    surroundings: resolution.Surroundings | None
    """For the table of who uses what; None when the files could not be read in time."""


def look(where: Surroundings | None = None, *, online: bool = False, root: Path = Path("/")) -> Checkup:
    """Look at everything once; raises nothing.

    Args:
        where: environment, home and clock; this process's own when not given.
        online: also try to reach the services.
        root: where the machine's own files begin.
    """
    where = where or Surroundings()
    environ = dict(where.environ)
    file, chosen = looks.settings(SettingsFile(paths.settings_file()), where.home)
    looked = together(
        {
            "the AWS files": lambda: _files(where, environ),
            "the agent": lambda: {"agent": looks.agent()},
            "the remembered choices": lambda: {"active": _kept()},
            "autostart": lambda: {"autostart": looks.autostart()},
            "the browser": lambda: {"browser": looks.browser(environ)},
            "the machine": lambda: {"surrounding": looks.surrounding(environ, root)},
            "the AWS CLI": lambda: {"aws_cli": looks.aws_cli(environ)},
            "CA bundles": lambda: {"missing_bundles": looks.missing_bundles(environ, chosen)},
        }
    )
    fields = dict(looked.fields)
    surroundings: resolution.Surroundings | None = fields.pop("surroundings", None)
    facts = replace(_nothing(where), environ=spoken(environ), settings=file, unknown=looked.unknown, **fields)
    if online:
        facts = _online(facts, chosen, where)
    return Checkup(facts, surroundings)


def _nothing(where: Surroundings) -> Facts:
    """Return facts of one who has seen nothing yet."""
    config, credentials = (
        spoken_path(path, where.home) for path in (where.aws.config, where.aws.credentials)
    )
    return Facts(
        now=where.clock.now(),
        version=__version__,
        config=ConfigFacts(IniFacts(FileFacts(config, unread=_LATE))),
        credentials=CredentialsFacts(IniFacts(FileFacts(credentials, unread=_LATE))),
    )


_LATE = "it could not be read in time"


def _files(where: Surroundings, environ: Mapping[str, str]) -> dict[str, Any]:
    aws = where.aws
    files = aws_files(aws.config, aws.credentials, environ, where.home)
    sessions = files.config.config.sessions
    tokens = token_facts(sessions, aws.token_cache, where.home)
    return {
        "config": files.config,
        "credentials": files.credentials,
        "tokens": tokens,
        "missing_programs": missing_programs(files.config.processes, environ.get("PATH")),
        "surroundings": _surroundings(where, environ, files, tokens),
    }


def _surroundings(
    where: Surroundings, environ: Mapping[str, str], files: AwsFiles, tokens: Mapping[str, TokenFacts]
) -> resolution.Surroundings:
    sessions = files.config.config.sessions
    held = {
        token_key(sessions[name]): _token_file(token, where)
        for name, token in tokens.items()
        if token.held is not Held.NOTHING
    }
    beside = resolution.Beside(tokens=MappingProxyType(held), marks=files.marks)
    return resolution.surroundings_of(
        files.config_bytes, files.credentials_bytes, environ, where.clock.now(), beside
    )


def _token_file(token: TokenFacts, where: Surroundings) -> resolution.TokenFile:
    ends = token.registration_ends
    renewable = token.has_refresh_token and ends is not None and ends > where.clock.now()
    return resolution.TokenFile(token.expires_at, renewable)


def _kept() -> tuple[str, ...]:
    """Return the profiles that somebody chose, as state.json remembers them."""
    state = StateFile(paths.state_directory() / "state.json").load()
    return tuple(dict.fromkeys((*state.active, *([state.default] if state.default else []))))


def _online(facts: Facts, chosen: Settings, where: Surroundings) -> Facts:
    from agent.checkup.online import endpoints  # noqa: PLC0415 -- botocore and urllib3, which only this needs

    config: AwsConfig = in_effect(facts.config.config, chosen)
    return replace(facts, endpoints=endpoints(config.sessions, where.clock))
