"""Looks at what lies around the AWS files: the agent, settings, autostart, browser, AWS CLI, environment.

Touches nothing, and asks nobody outside of this machine. Each function is one look and may take its time:
see ``probes``.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from credtray.core.errors import AgentNotRunning, AutostartRefused, CredtrayError, EndpointTokenMissing
from credtray.core.protocol import Status
from credtray.core.protocol.results import ErrorEntry
from credtray.core.settings import Settings
from credtray.desktop.autostart import Autostart
from credtray.desktop.browser import SystemBrowser, child_environ
from credtray.doctor.collect_files import spoken_path
from credtray.doctor.evidence import AgentFacts, AutostartFacts, SettingsFacts, Surrounding
from credtray.guard.decisions import Rule, rule_for
from credtray.ipc_client import AgentClient
from credtray.store.settings_file import SettingsFile
from credtray.ways_out.endpoint import ADDRESS, TOKEN, TOKEN_FILE, path_of, place_here

# Looks at several things at once, none for longer than its time; what does not answer is left behind.
#
# Must not wait for a thread that hangs: they are daemons and end with the process.


PROBE_SECONDS = 2.0
"""What one look may take."""
_PATIENCE = {"the AWS CLI": 6.0}
"""What looks that start a large program may take: on a busy machine it needs 3 s to tell its version."""

Probe = Callable[[], Mapping[str, Any]]
"""Looks at something and returns fields of ``Facts``."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it."""

    fields: dict[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """The looks that gave nothing, each with why."""


class _Look(threading.Thread):
    def __init__(self, name: str, probe: Probe, seconds: float) -> None:
        super().__init__(name=f"look-{name}", daemon=True)
        self._probe = probe
        self.seconds = seconds
        self.fields: Mapping[str, Any] | None = None
        self.reason = f"no answer within {seconds:g} s"

    def run(self) -> None:
        try:
            self.fields = self._probe()
        except subprocess.TimeoutExpired:
            return  # the reason says so already
        except Exception as error:  # noqa: BLE001 -- one look that fails must not hide what the others saw
            # Its text may quote anything; the kind is enough to begin with.
            self.reason = f"it failed ({type(error).__name__})"


def together(probes: Mapping[str, Probe], seconds: float = PROBE_SECONDS) -> Looked:
    """Run all probes at once and return what those saw that were done in time."""
    looks = {name: _Look(name, probe, _PATIENCE.get(name, seconds)) for name, probe in probes.items()}
    for look in looks.values():
        look.start()
    begun = time.monotonic()
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    for name, look in looks.items():
        look.join(max(0.0, begun + look.seconds - time.monotonic()))
        if look.fields is None:
            unknown.append(f"{name}: {look.reason}")
        else:
            fields |= look.fields
    return Looked(fields, tuple(unknown))


_LINE = re.compile(r"at line (\d+)")
_VERSION = re.compile(rb"aws-cli/(\d+)\.(\d+)\.(\d+)")
_VERSION_IN_PATH = re.compile(r"/v2/(\d+)\.(\d+)\.(\d+)/")
_ENDPOINT_SECONDS = PROBE_SECONDS * 0.4
"""For the connection, and again for the answer: ours takes milliseconds."""
_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def trouble_of(error: CredtrayError) -> ErrorEntry:
    """Return an error of ours as a fact."""
    return ErrorEntry(error.code, str(error), error.advice)


def agent() -> AgentFacts:
    """Ask the agent how things stand."""
    try:
        with AgentClient.connect() as client:
            document = client.ask(Status(), within=PROBE_SECONDS * 0.8)
    except AgentNotRunning:
        return AgentFacts()
    except CredtrayError as error:
        return AgentFacts(trouble=trouble_of(error))
    return AgentFacts.of(document)


def settings(file: SettingsFile, home: Path) -> tuple[SettingsFacts, Settings]:
    """Read settings.toml, and what the organisation sets; a broken file counts as empty."""
    path, locked = spoken_path(file.path, home), file.locked()
    trouble, line = None, None
    try:
        found = file.load()
    except CredtrayError as error:
        trouble, line = error.detail, _LINE.search(error.detail)
        found = file.enforced()
    return SettingsFacts(
        path,
        trouble,
        int(line[1]) if line else None,
        proxies=tuple(name for name, item in found.sessions.items() if item.proxy),
        bundles=tuple(name for name, item in found.sessions.items() if item.ca_bundle),
        locked=locked.names,
        policy_places=locked.places,
        policy_mistakes=locked.mistakes,
        guards={name: rule_for(found, name) is not Rule.ALLOW for name in found.profiles},
        guards_others=rule_for(found, "") is not Rule.ALLOW,
    ), found


def autostart() -> AutostartFacts:
    """Look at what starts at login."""
    try:
        starting = Autostart()
        status, old = starting.status(), starting.outdated()
    except AutostartRefused as error:
        return AutostartFacts(trouble=error.detail)
    reason = None if old is None else f"{old.place}: {old.reason}"
    return AutostartFacts(status.enabled, status.stale or status.remark, reason)


def surrounding(environ: Mapping[str, str], root: Path) -> Surrounding:
    """Tell where this runs; *root* is where the machine's own files begin."""
    if environ.get("WSL_DISTRO_NAME"):
        return Surrounding.WSL
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return Surrounding.SSH
    # On Windows "/" is whatever drive one is on (below Wine, that of the container around it).
    marks = () if sys.platform == "win32" else (".dockerenv", "run/.containerenv")
    boxed = any((root / name).exists() for name in marks)
    if boxed or environ.get("REMOTE_CONTAINERS") or environ.get("CODESPACES"):
        return Surrounding.CONTAINER
    has_desktop = sys.platform in {"darwin", "win32"}  # there every session has one
    shown = has_desktop or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return Surrounding.DESKTOP if shown else Surrounding.BARE


def browser(environ: Mapping[str, str]) -> bool:
    """Tell whether a command that opens a browser can be found; none is started."""
    return SystemBrowser(environ).findable()


def missing_bundles(environ: Mapping[str, str], file: SettingsFile, home: Path) -> Mapping[str, str]:
    """Return where a CA bundle is named -> its path, of those that cannot be read."""
    _, chosen = settings(file, home)
    named = {name: environ[name] for name in _BUNDLES if environ.get(name)}
    named |= {
        f"sessions.{name}.ca_bundle in settings.toml": item.ca_bundle
        for name, item in chosen.sessions.items()
        if item.ca_bundle
    }
    return MappingProxyType({name: path for name, path in named.items() if not _readable(path)})


def endpoint_answers(environ: Mapping[str, str]) -> bool | None:
    """Tell whether our endpoint answers where programs started from here fetch keys; False: nothing does.

    Only this machine is asked, and the token is not shown to whoever listens there: ours refuses a request
    without one with a code of its own. None when the address is of another machine, when somebody else
    answers, or when the token is gone.
    """
    place = place_here(environ.get(ADDRESS, ""))
    if place is None:
        return None
    try:
        with socket.create_connection(place, _ENDPOINT_SECONDS) as connection:
            connection.sendall(
                f"GET {path_of('doctor')} HTTP/1.1\r\nHost: localhost:{place[1]}\r\n\r\n".encode()
            )
            reply = connection.recv(4096)
    except OSError:
        return False
    if not reply:
        return False
    has_token = TOKEN in environ or _readable(environ.get(TOKEN_FILE) or "/nonexistent")
    return True if has_token and EndpointTokenMissing.code.encode() in reply else None


def _readable(path: str) -> bool:
    try:
        return os.access(Path(path).expanduser(), os.R_OK)
    except (ValueError, RuntimeError):  # a NUL in it; no home for ~user
        return False


def aws_cli(
    environ: Mapping[str, str], seconds: float = _PATIENCE["the AWS CLI"] * 0.9
) -> tuple[int, ...] | None:
    """Return the version of the `aws` found first; None when there is none, or it does not say.

    The official installer puts the version into the path; else the program is asked. It is given no home:
    version 2 would keep a record of its runs there (AWS CLI 2.36 awscli/telemetry.py).

    Raises:
        subprocess.TimeoutExpired: it does not say in time.
    """
    program = shutil.which("aws", path=environ.get("PATH"))
    if program is None:
        return None
    known = _VERSION_IN_PATH.search(Path(program).resolve().as_posix())
    if known is not None:
        return int(known[1]), int(known[2]), int(known[3])
    theirs = {name: value for name, value in child_environ(environ).items() if not name.startswith("PYTHON")}
    told = {**theirs, "HOME": os.devnull, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}
    try:
        done = subprocess.run(  # noqa: S603 -- the user's own `aws`, with one fixed word
            [program, "--version"],
            env=told,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except OSError:
        return None
    found = _VERSION.search(done.stdout) or _VERSION.search(done.stderr)  # version 1 on Python 2: stderr
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))
