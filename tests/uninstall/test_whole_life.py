"""A home that was set up, used and uninstalled is what it was before; and the table knows every trace."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from credtray.uninstall.traces import TRACES, Places, Trace, described, foreign
from tests.cli.real_world import World
from tests.uninstall.homes import Entry, differences, snapshot

SETUP = ("setup", "synderys", "--accounts", "all", "--roles", "ReadOnly,DNS", "--yes")
CONFIG = b"# mine\r\n[default]\r\nregion = eu-west-1\r\n\r\n[profile mine]\r\nregion=us-east-1 ; kept"
CREDENTIALS = (
    b"[old-script]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x/y+z\n\n# end"
)


def used(world: World) -> dict[str, Entry]:
    """Do what people do, stop the agent, and return what was there while it ran."""
    nothing = (sys.executable, "-c", "pass")
    with world.agent() as agent:
        for words in (
            (*SETUP, "--activate"),
            ("switch", "synderys-dns"),
            ("settings", "set", "warn_before", "1h"),
            ("endpoint", "synderys-dns"),
            ("autostart", "enable"),
            ("exec", "synderys-dns", "--", *nothing),
        ):
            done = world.credtray(*words)
            assert done.returncode == 0, (words, done.stderr)
        running = snapshot(world.home)
        world.credtray("stop")
        agent.wait(30)
    return running


def unknown(world: World, *looks: Mapping[str, Entry]) -> set[str]:
    """Return the files of these looks at the home that neither were there before nor stand in the table."""
    places = Places.of(world.environment, world.home)
    shared = (places.aws.config, places.aws.credentials)
    found = {name for look in looks for name, entry in look.items() if entry[0] != "folder"}
    return {
        name
        for name in found
        if (path := world.home / name) not in shared
        and path.parent != places.aws.token_cache
        and described(places, path) is None
    }


@pytest.mark.posix("one registry for all homes, and a portal that a busy Wine finds slow")
def test_where_nothing_was_before_nothing_is_afterwards(world: World) -> None:
    before = snapshot(world.home)
    running = used(world)
    stopped = snapshot(world.home)
    done = world.credtray("uninstall", "--yes")

    assert done.returncode == 0, done.stderr
    assert len(running) > len(before) + 20
    assert unknown(world, running, stopped) == set()
    assert differences(before, snapshot(world.home)) == {}


@pytest.mark.posix("as above; test_uninstalling has the same on Windows, without a portal")
def test_files_of_others_are_byte_for_byte_what_they_were(world: World) -> None:
    world.config.parent.mkdir(mode=0o755)
    for path, content in ((world.config, CONFIG), (world.credentials, CREDENTIALS)):
        path.write_bytes(content)
        path.chmod(0o644)
    before = snapshot(world.home)
    used(world)
    done = world.credtray("uninstall", "--yes")

    assert done.returncode == 0, done.stderr
    assert differences(before, snapshot(world.home)) == {}


def test_a_file_that_no_row_describes_is_found(world: World) -> None:
    stray = world.home / ".config" / "credtray" / "stray.json"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"{}")

    assert unknown(world, snapshot(world.home)) == {".config/credtray/stray.json"}


@pytest.mark.posix("the folders of Linux")
def test_what_others_put_into_our_folders_is_foreign(home: Path) -> None:
    state = home / ".local" / "state" / "credtray"
    (state / "locks").mkdir(parents=True)
    for name in ("state.json", "locks/choices.lock", "locks/notes.txt", "todo"):
        (state / name).write_bytes(b"")

    found = foreign(Places.of({}, home))

    assert sorted(path.name for path in found) == ["notes.txt", "todo"]


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: f"{trace.where.value}/{trace.pattern}")
def test_each_row_describes_what_it_names(trace: Trace, home: Path) -> None:
    places = Places.of({}, home)
    path = places.directories[trace.where][0] / trace.pattern.replace("*", "x")

    assert described(places, path) is not None
