"""The doctor's look at this computer: files, environment, agent, desktop become ``Facts``.

Joins the wings for that and judges nothing; see doctor/all_rules. Touches no file, and asks the network only
when asked to. Everything that may hang is looked at at once, two seconds each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from credtray import __version__
from credtray.aws.cache_format import token_key
from credtray.aws.locations import AwsLocations
from credtray.core.aws_hosts import in_effect
from credtray.core.ini import shared_scans
from credtray.core.models import AwsConfig, SsoSession
from credtray.core.settings import Settings
from credtray.desktop import paths
from credtray.doctor import collect_around as looks
from credtray.doctor import resolution
from credtray.doctor.collect_around import Probe, together
from credtray.doctor.collect_files import (
    AwsFiles,
    Content,
    code_page_of_boto3,
    missing_programs,
    old_commands,
    read_both,
    spoken_path,
    token_facts,
    understood,
)
from credtray.doctor.evidence import Facts, FileFacts, Held, SettingsFacts, TokenFacts, spoken
from credtray.doctor.old_units import old_units
from credtray.environment import Environment
from credtray.files.in_the_way import in_the_way
from credtray.files.obstacles import InTheWay, Obstacle
from credtray.store.settings_file import SettingsFile
from credtray.store.state_files import StateFile

# Looks at the places credtray and the AWS CLI have to write to, before one of them finds out by failing.


_SOME_FILE = "some.json"
"""Stands for any file that will be made in a directory."""
_MOST_ENTRIES = 1000


def places_in_the_way(
    aws: AwsLocations, sessions: Mapping[str, SsoSession], own: Iterable[Path], home: Path
) -> tuple[InTheWay, ...]:
    """Return what keeps files from being written, each once; *own* are files of credtray itself."""
    found = (
        *_chosen(aws, home),
        *_caches(aws, sessions, home),
        *(in_the_way(path, home) for path in own),
    )
    return tuple(dict.fromkeys(item for item in found if item is not None))


def _chosen(aws: AwsLocations, home: Path) -> Iterator[InTheWay | None]:
    """Look at both AWS files; one that lies elsewhere on purpose, such as /dev/null, is nobody's business."""
    for path in (aws.config, aws.credentials):
        there = in_the_way(path, home)
        yield None if there is not None and there.elsewhere else there


def _caches(aws: AwsLocations, sessions: Mapping[str, SsoSession], home: Path) -> Iterator[InTheWay | None]:
    names = [f"{token_key(session)}.json" for session in sessions.values()] or [_SOME_FILE]
    for name in names:
        yield in_the_way(aws.token_cache / name, home)
    of_cli = home / ".aws" / "cli"
    if os.path.lexists(of_cli):
        yield in_the_way(of_cli / "cache" / _SOME_FILE, home)
    for directory in (aws.token_cache, of_cli / "cache"):
        yield _foreign_entry(directory, home)


def _foreign_entry(directory: Path, home: Path) -> InTheWay | None:
    """Return the first file there that somebody else owns: the AWS CLI rewrites its own in place."""
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            there = in_the_way(Path(entry.path), home)
            if there is not None and there.obstacle is Obstacle.OWNER:
                return there
    return None


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was seen."""

    facts: Facts
    surroundings: Callable[[], resolution.ClientEnvironment]
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
    files = understood(config, credentials, environ, code_page_of_boto3(environ))
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
    home, settings_file = where.home, SettingsFile(paths.settings_file(), policy=where.policy)
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


def _surroundings(environ: Mapping[str, str], files: AwsFiles, facts: Facts) -> resolution.ClientEnvironment:
    sessions = files.config.config.sessions
    held = {
        token_key(sessions[name]): _token_file(token, facts)
        for name, token in facts.tokens.items()
        if token.held is not Held.NOTHING
    }
    beside = resolution.OtherInputs(MappingProxyType(held), files.marks, facts.endpoint_answers)
    with shared_scans():
        return resolution.environment_of(
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
    from credtray.doctor.online import endpoints

    config: AwsConfig = in_effect(facts.config.config, chosen)
    return replace(facts, endpoints=endpoints(config.sessions, where.clock))
