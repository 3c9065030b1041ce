"""Homes before and after: everything in them, byte for byte, with modes and links."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from credtray.app import Components, build
from credtray.core import state_document
from credtray.core.config.setup_edits import SetupWish
from credtray.core.models import AccessToken, Account, RoleCredentials, Secret, SectionKeys, SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.ports import EndpointMemory
from credtray.core.state import State
from credtray.desktop import paths
from credtray.desktop.application_menu import ApplicationMenu
from credtray.desktop.autostart import Autostart
from credtray.files.atomic_file import LEFTOVER_PREFIX, write_atomically
from credtray.service import agent_lock
from credtray.store.state_files import EndpointTokens
from tests import warm_start

Entry = tuple[str, int, bytes]
"""Kind, mode, and the content or where a link leads."""


def snapshot(home: Path) -> dict[str, Entry]:
    """Return all that is in a home, by its path from there; modes only where they mean something."""
    found: dict[str, Entry] = {}
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            path = Path(folder, name)
            found[path.relative_to(home).as_posix()] = _entry(path)
    return found


def _entry(path: Path) -> Entry:
    look = path.lstat()
    mode = 0 if sys.platform == "win32" else stat.S_IMODE(look.st_mode)
    if stat.S_ISLNK(look.st_mode):
        return "link", 0, os.fsencode(path.readlink())
    if stat.S_ISDIR(look.st_mode):
        return "folder", mode, b""
    if stat.S_ISREG(look.st_mode):
        return "file", mode, path.read_bytes()
    return "other", mode, b""


def differences(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> dict[str, tuple[object, object]]:
    """Return what differs, by its path."""
    return {
        name: (before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


# --- a home that credtray has been used in ----------------------------------------------------------------

SESSION = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1", ("sso:account:access",))
CHOICES = (
    RoleChoice(Account("111100000001", "Lab"), "ReadOnly"),
    RoleChoice(Account("111100000002", "Prod"), "Admin"),
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def lay_traces(home: Path) -> None:
    """Leave in a home what setup, an agent and commands leave there, by the product's own writers.

    The files of an agent that was killed are there, too: socket, unfinished files.
    """
    components = build()
    set_up(components)
    components.ports.credentials_file.sync(
        [keys("corp-readonly", 1), keys("default", 2, "eu-west-1")], [], NOW
    )
    components.token_cache.write(SESSION, AccessToken(Secret("t" * 40), NOW + timedelta(hours=1)))
    components.settings_file.set(("warn_before",), ["1h"])
    with components.choices_lock(1):
        components.state_file.save(state_document.encode(State(seed="seed")))
    tokens = EndpointTokens(paths.state_directory() / "endpoint")
    tokens.save(EndpointMemory(29730, frozenset({"corp-readonly"}), frozenset()))
    tokens.write(29730, "corp-readonly", Secret("token"))
    if sys.platform != "win32":  # there all homes share them: test_registry_windows
        Autostart().enable()
        ApplicationMenu().add()
    lock = agent_lock()
    assert lock is not None
    lock.release()
    for name in ("agent.log", "agent.log.1"):
        write_atomically(paths.log_file().with_name(name), b"2026-11-22 credtray starts\n")
    for folder in (home / ".aws", paths.state_directory()):
        (folder / f"{LEFTOVER_PREFIX}0123456789abcdef.tmp").write_bytes(b"half of a file")


def set_up(components: Components) -> None:
    """Write profiles, as `credtray setup` does."""
    wish = SetupWish(SESSION, CHOICES, region="eu-west-1")
    written = components.profile_writer.apply(components.profile_writer.preview(wish))
    components.undo_file.remember(NOW, "setup corp", written.originals, written.results)


def keys(section: str, number: int, region: str | None = None) -> SectionKeys:
    """Return made-up keys for a section."""
    credentials = RoleCredentials(
        f"ASIA{number:016d}", Secret("se/cr+et"), Secret("to.ken=="), NOW + timedelta(hours=1), NOW
    )
    return SectionKeys(section, "corp-readonly", credentials, region)


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a command in this home."""
    local = str(home / "AppData" / "Local")
    system = (
        {
            "USERPROFILE": str(home),
            "LOCALAPPDATA": local,
            "WIN_PD_OVERRIDE_LOCAL_APPDATA": local,
            "SYSTEMROOT": os.environ["SYSTEMROOT"],
            "PATH": os.environ["PATH"],
        }
        if sys.platform == "win32"
        else {"XDG_RUNTIME_DIR": str(home / "run"), "PATH": "/usr/bin:/bin"}
    )
    return {**system, "HOME": str(home), "TZ": "UTC", "LANG": "C.UTF-8", "COLUMNS": "100"}


def uninstalled(home: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `credtray uninstall` to its end."""
    words = ("uninstall", *(options or ("--yes",)))
    with warm_start.start("credtray", *words, env={**environment(home), **variables}) as process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(words, process.wait(), out, err)
