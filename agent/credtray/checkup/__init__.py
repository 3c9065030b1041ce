"""The doctor's look at this computer: files, environment, agent, desktop become ``Facts``.

Joins the wings for that and judges nothing; see core/diagnosis. Touches no file, and asks the network only
when asked to. Everything that may hang is looked at at once, two seconds each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from credtray import __version__
from credtray.checkup import around as looks
from credtray.checkup.files import (
    AwsFiles,
    Content,
    missing_programs,
    old_commands,
    read_both,
    spoken_path,
    understood,
)
from credtray.checkup.places import places_in_the_way
from credtray.checkup.probes import Probe, together
from credtray.checkup.tokens import token_facts
from credtray.checkup.units import old_units
from credtray.core import resolution
from credtray.core.cache_format import token_key
from credtray.core.diagnosis.environment import spoken
from credtray.core.diagnosis.facts import (
    Facts,
    FileFacts,
    Held,
    SettingsFacts,
    TokenFacts,
)
from credtray.core.endpoints import in_effect
from credtray.core.ini import shared_scans
from credtray.core.models import AwsConfig
from credtray.core.settings import Settings
from credtray.desktop import paths
from credtray.environment import Environment
from credtray.store.remembered import StateFile
from credtray.store.settings_file import SettingsFile


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was seen."""

    facts: Facts
    surroundings: Callable[[], resolution.Surroundings]
    """Makes what the table of who uses what is read from: it takes as long as the rest together."""


def look(where: Environment | None = None, *, online: bool = False, root: Path = Path("/")) -> Checkup:
    """Look at everything once; raises nothing.

    Args:
        where: environment, home and clock; this process's own when not given.
        online: also try to reach the services.
        root: where the machine's own files begin.
    """
    where = where or Environment()
    environ = dict(where.environ)
    aws, home = where.aws, where.home
    first = together({"the AWS files": lambda: {"both": read_both(aws.config, aws.credentials, home)}})
    # What was read is understood outside of any time: a large file is no slow file system.
    config, credentials = first.fields.get("both", _unread(where))
    files = understood(config, credentials, environ)
    looked = together(_probes(where, environ, files, root))
    fields = dict(looked.fields)
    told, chosen = fields.pop("settings", (SettingsFacts(), Settings()))
    facts = Facts(
        now=where.clock.now(),
        version=__version__,
        config=files.config,
        credentials=files.credentials,
        environ=spoken(environ),
        settings=told,
        unknown=(*first.unknown, *looked.unknown),
        **fields,
    )
    if online:
        facts = _online(facts, chosen, where)
    return Checkup(facts, partial(_surroundings, environ, files, facts))


def _probes(where: Environment, environ: Mapping[str, str], files: AwsFiles, root: Path) -> dict[str, Probe]:
    """Return what is looked at once the AWS files are known."""
    home, settings_file = where.home, SettingsFile(paths.settings_file())
    sessions, cache = files.config.config.sessions, where.aws.token_cache
    own = (settings_file.path, paths.state_directory() / "state.json", paths.log_file())
    programs, search_path = files.config.processes, environ.get("PATH")
    return {
        "the settings": lambda: {"settings": looks.settings(settings_file, home)},
        "the places to write to": lambda: {"in_the_way": places_in_the_way(where.aws, sessions, own, home)},
        "the token cache": lambda: {"tokens": token_facts(sessions, cache, home)},
        "the credential processes": lambda: {"missing_programs": missing_programs(programs, search_path)},
        "commands of credtray": lambda: {"old_commands": old_commands(files.config.own_commands)},
        "the agent": lambda: {"agent": looks.agent()},
        "the remembered choices": lambda: {"active": _kept()},
        "autostart": lambda: {"autostart": looks.autostart()},
        "systemd units": lambda: {"old_units": old_units(environ, home)},
        "the browser": lambda: {"browser": looks.browser(environ)},
        "the machine": lambda: {"surrounding": looks.surrounding(environ, root)},
        "the AWS CLI": lambda: {"aws_cli": looks.aws_cli(environ)},
        "the credentials endpoint": lambda: {"endpoint_answers": looks.endpoint_answers(environ)},
        "CA bundles": lambda: {"missing_bundles": looks.missing_bundles(environ, settings_file, home)},
    }


def _unread(where: Environment) -> tuple[Content, Content]:
    """Return both files of one who has not seen them in time."""
    paths_of_both = (where.aws.config, where.aws.credentials)
    config, credentials = (
        FileFacts(spoken_path(path, where.home), unread="it could not be read in time")
        for path in paths_of_both
    )
    return (config, None), (credentials, None)


def _surroundings(environ: Mapping[str, str], files: AwsFiles, facts: Facts) -> resolution.Surroundings:
    sessions = files.config.config.sessions
    held = {
        token_key(sessions[name]): _token_file(token, facts)
        for name, token in facts.tokens.items()
        if token.held is not Held.NOTHING
    }
    beside = resolution.Beside(MappingProxyType(held), files.marks, facts.endpoint_answers)
    with shared_scans():
        return resolution.surroundings_of(
            files.config_bytes, files.credentials_bytes, environ, facts.now, beside
        )


def _token_file(token: TokenFacts, facts: Facts) -> resolution.TokenFile:
    ends = token.registration_ends
    renewable = token.has_refresh_token and ends is not None and ends > facts.now
    return resolution.TokenFile(token.expires_at, renewable)


def _kept() -> tuple[str, ...]:
    """Return the profiles that somebody chose, as state.json remembers them."""
    state = StateFile(paths.state_directory() / "state.json").load()
    return tuple(dict.fromkeys((*state.active, *([state.default] if state.default else []))))


def _online(facts: Facts, chosen: Settings, where: Environment) -> Facts:
    from credtray.checkup.online import endpoints

    config: AwsConfig = in_effect(facts.config.config, chosen)
    return replace(facts, endpoints=endpoints(config.sessions, where.clock))
