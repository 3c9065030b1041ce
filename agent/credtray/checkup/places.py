"""Looks at the places credtray and the AWS CLI have to write to, before one of them finds out by failing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from credtray.aws.locations import AwsLocations
from credtray.core.cache_format import token_key
from credtray.core.models import SsoSession
from credtray.core.obstacles import InTheWay, Obstacle
from credtray.files.in_the_way import in_the_way

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
