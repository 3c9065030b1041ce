"""No test may see real credentials, and none may leave this machine."""

from __future__ import annotations

import contextlib
import importlib
import ipaddress
import itertools
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from credtray.core import shell_words
from credtray.core.forms import Form
from credtray.store import organisation
from tests.botocore_models import share_models
from tests.portal import hand_clock, hand_portal, portal  # noqa: F401 - fixtures for every folder
from tests.soak import QUICK
from tests.systems import TESTS, folder_mark, foreign_marks, is_foreign
from tests.whole_run import pytest_sessionfinish, pytest_terminal_summary  # noqa: F401 - hooks

pytest.register_assert_rewrite("tests.golden.golden")

settings.register_profile(
    "credtray",
    max_examples=30 if QUICK else 100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("credtray")
share_models()

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy")
_LEAKY = ("AWS_", "XDG_", "CREDTRAY_", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_", *_PROXIES)

NO_BUS = "unix:path=/nonexistent/bus"
"""The machine's own bus has a usual place: a screen that is locked now must not decide about a test."""


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names for homes, each new. ``mktemp`` would look through all the former ones for each."""
    directory = tmp_path_factory.mktemp("home", numbered=False)
    return (directory / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A throw-away HOME; every AWS_*, XDG_* and proxy variable of the caller is gone."""
    directory = next(homes)
    directory.mkdir(mode=0o700)
    for name in list(os.environ):
        if name.startswith(_LEAKY):
            monkeypatch.delenv(name)
    runtime = directory / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("USERPROFILE", str(directory))
    for name in ("LOCALAPPDATA", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):  # platformdirs asks Windows itself
        monkeypatch.setenv(name, str(directory / "AppData" / "Local"))
    monkeypatch.setenv("WIN_PD_OVERRIDE_APPDATA", str(directory / "AppData" / "Roaming"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / ".local" / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / ".cache"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", NO_BUS)
    # What the organisation of whoever runs the tests has set must not decide about one.
    monkeypatch.setattr(organisation, "ON_LINUX", directory / "organisation" / "policy.toml")
    monkeypatch.setattr(organisation, "ON_MACOS", directory / "organisation")
    monkeypatch.setattr(organisation, "ADMINISTRATOR", directory.stat().st_uid)
    # Texts are kept in the words of sh on every system; those for Windows are tried by name.
    monkeypatch.setattr(shell_words, "SYSTEM", Form.POSIX)
    return directory


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            host = str(address[0])
            local = host == "localhost"
            if not local:
                try:
                    local = ipaddress.ip_address(host).is_loopback
                except ValueError:
                    local = False
            if not local:
                raise AssertionError(f"a test tried to reach {host}")
        connect(sock, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let each worker import a share of the modules first: translating them all takes longer than any test.

    What one has translated, the others find in the cache. Without it, all do the same work side by side.
    """
    number, workers = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    if number is None or workers is None or session.config.args != session.config.getini("testpaths"):
        return
    here = Path(__file__).parent
    modules = [path for path in sorted(here.rglob("test_*.py")) if not is_foreign(path)]
    for path in modules[int(number.removeprefix("gw")) :: int(workers)]:
        with contextlib.suppress(Exception):  # what is wrong with it, the collection tells
            importlib.import_module(".".join(path.relative_to(here.parent).with_suffix("").parts))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules that could not even be imported on this system."""
    return True if collection_path.is_relative_to(TESTS) and is_foreign(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and count, the tests that are about another system."""
    for item in items:
        if (mark := folder_mark(item.path)) is not None:
            item.add_marker(mark)
    marks = foreign_marks()
    left_out = [item for item in items if any(mark.name in marks for mark in item.iter_markers())]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        kept = set(items) - set(left_out)
        items[:] = [item for item in items if item in kept]


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach the programs under test: a shell lets background jobs inherit that it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
