"""The agent's process: helper tasks that die come back, and its end is short whatever hangs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from credtray import service
from credtray.app import Components, build, carried_out
from credtray.core.clicks import StopSharing
from credtray.core.errors import AgentRefused, FileContended
from credtray.core.events import Fetched, SignedIn, Tick
from credtray.core.models import SectionKeys
from credtray.core.protocol import Activate
from credtray.daemon.log import Redactor
from credtray.desktop import paths
from credtray.environment import Environment
from credtray.files.directory_safety import private_directory
from credtray.service import Service, _secrets, agent_lock
from credtray.share.shared import directory, tell_the_agent
from tests.core.making import NOON, keys, token
from tests.end_to_end.house import until

if sys.platform != "win32":
    import fcntl


ASKING_TO_END = [
    number for number in signal.Signals if number.name in {"SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"}
]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Leave no ear of an ended agent to other tests: on Windows nobody else takes it back."""
    before = {number: signal.getsignal(number) for number in ASKING_TO_END}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def components(home: Path) -> Components:
    (home / ".aws").mkdir(mode=0o700)
    (home / ".aws" / "config").write_text(
        "[sso-session corp]\nsso_start_url = https://d-9067000001.awsapps.com/start\nsso_region = us-east-1\n"
        "[profile dev]\nsso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n"
    )
    return build()


def agent(components: Components) -> Service:
    lock = agent_lock()
    assert lock is not None
    return Service(components, lock, Redactor())


async def ended_while(made: Service, hang: Callable[[Callable[[], Any]], None]) -> bool:
    """Run until it serves, let something hang, and end it; return whether that still hangs then."""
    ready, release, over = asyncio.Event(), threading.Event(), threading.Event()

    def hanging() -> None:
        release.wait()
        over.set()

    running = asyncio.create_task(made.run(ready.set))
    await ready.wait()
    hang(hanging)
    made.stop()
    try:
        await running
        return not over.is_set()
    finally:
        release.set()


def test_ends_while_portal_and_sign_in_hang(components: Components) -> None:
    async def drive() -> bool:
        made = agent(components)

        def hang(work: Callable[[], Any]) -> None:
            made._workers.sign_in(work, print, print)
            made._workers.notices(work, print, print)
            made._workers.portal("corp", work, print, print)

        return await ended_while(made, hang)

    assert asyncio.run(drive())


@pytest.mark.parametrize("number", ASKING_TO_END)
def test_without_a_desktop_it_ends_on_each_signal_that_asks_for_it(
    home: Path, number: signal.Signals
) -> None:
    """Ctrl-Break among them, which nobody can press under Wine; with a desktop: test_main_thread."""
    asyncio.run(agent(build(Environment(desktop=False))).run(lambda: signal.raise_signal(number)))


def test_ends_though_a_file_hangs(components: Components) -> None:
    async def drive() -> bool:
        made = agent(components)
        return await ended_while(made, lambda work: made._workers.files(work, print, print))

    assert asyncio.run(drive())


def test_socket_that_cannot_be_closed_does_not_keep_the_keys_in_the_file(
    components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *_: object) -> None:
            return

        async def start(self) -> None:
            return

        async def ensure_reachable(self) -> None:
            return

        async def close(self) -> None:
            raise OSError("no")

    monkeypatch.setattr(service, "ipc_server", Broken)

    async def drive() -> bool:
        made = agent(components)
        with pytest.raises(OSError, match="no"):
            await ended_while(made, lambda _work: None)
        return made.loop.state.stopping

    assert asyncio.run(drive())


def test_start_waits_for_a_command_that_works_without_an_agent(components: Components) -> None:
    """It has read state.json and will write it; an agent that read the old one would forget its choice."""
    order: list[str] = []
    held, go = threading.Event(), threading.Event()

    def command() -> None:
        with components.choices_lock(5):
            held.set()
            go.wait(20)
            order.append("command")

    def start() -> None:
        with contextlib.ExitStack() as starting:
            service._keep_others_out(components, starting)
            order.append("agent")

    first, second = threading.Thread(target=command), threading.Thread(target=start)
    first.start()
    assert held.wait(10)
    second.start()
    time.sleep(0.1)  # were the lock not heeded, it would be first now
    go.set()
    first.join(20)
    second.join(20)

    assert order == ["command", "agent"]


def test_start_goes_on_when_the_command_takes_too_long(
    components: Components, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "START_SECONDS", 0.05)
    with components.choices_lock(0), contextlib.ExitStack() as starting:
        service._keep_others_out(components, starting)

    assert "still running" in caplog.text


def test_the_agents_lock_is_one_and_private_whatever_the_umask(home: Path) -> None:
    before = os.umask(0)
    lock = agent_lock()
    os.umask(before)
    while_held = agent_lock()
    assert lock is not None
    lock.release()
    afterwards = agent_lock()

    assert while_held is None
    assert afterwards is not None
    if sys.platform != "win32":  # modes
        assert paths.agent_lock().stat().st_mode & 0o777 == 0o600


@pytest.mark.wine_lacks("links that other programs see")
def test_link_planted_in_place_of_the_agents_lock_is_refused(home: Path) -> None:
    paths.agent_lock().parent.mkdir(mode=0o700, parents=True)
    paths.agent_lock().symlink_to(home / "elsewhere")
    with pytest.raises(AgentRefused, match="symbolic link"):
        agent_lock()

    assert not (home / "elsewhere").exists()


@pytest.mark.posix("flock")
@pytest.mark.parametrize("answer", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_home_without_locks_is_locked_on_the_local_disk(
    components: Components, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: int
) -> None:
    """As on NFS without a lock daemon; every lock of ours lies below the state directory."""
    real = fcntl.flock

    def flock(fd: int, how: int) -> None:
        if Path(f"/proc/self/fd/{fd}").readlink().is_relative_to(paths.state_directory()):
            raise OSError(answer, os.strerror(answer))
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    corp = components.ports.config_file.load().sessions["corp"]
    components.settings_file.set(("profiles", "dev", "section"), "work")
    components.ports.credentials_file.sync((SectionKeys("dev", "dev", keys()),), (), NOON)
    with components.token_cache.lock(corp), components.choices_lock(0), pytest.raises(FileContended):
        components.choices_lock(0).acquire()
    there = sorted(path.name.split("-")[0] for path in (paths.runtime_directory() / "locks").iterdir())

    assert there == ["choices.lock", "credentials", "refresh", "settings.lock"]
    assert caplog.text.count("has no locks") == 1


def test_choice_made_without_an_agent_is_the_agents(components: Components) -> None:
    asyncio.run(carried_out(components, Activate(("dev",)), lambda _step: None))

    assert agent(build()).loop.state.active == ("dev",)


@pytest.mark.parametrize(
    ("event", "secrets"),
    [
        (SignedIn("corp", token()), ["a-t0", "r-t0", "client-secret"]),
        (Fetched("dev", keys()), ["secret", "session"]),
        (Tick(), []),
    ],
)
def test_log_knows_every_secret_that_arrives(event: Any, secrets: list[str]) -> None:
    assert [secret.reveal() for secret in _secrets(event)] == secrets


@pytest.mark.posix("signals are sent as Unix does")
def test_agent_beside_a_lent_main_thread_serves_and_ends_on_a_signal(home: Path) -> None:
    """As on macOS and Windows; this thread stays free for the icon."""
    (home / "run").mkdir(exist_ok=True)
    program = (
        "import sys\n"
        "from credtray.app import build\n"
        "from credtray.daemon.log import Console\n"
        "from credtray.environment import Environment\n"
        "from credtray.service import run\n"
        "sys.exit(run(build(Environment(lends_main_thread=True)), console=Console.NOTHING))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            until((home / "run" / "credtray" / "agent.sock").exists)
            process.send_signal(signal.SIGTERM)

            assert process.wait(10) == 0
        finally:
            process.kill()


def test_agent_of_macos_and_windows_needs_no_package_that_only_linux_has() -> None:
    locked = (Path(__file__).parents[1] / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    only_linux = set(re.findall(r"^([\w-]+)==\S+ ; sys_platform == 'linux'", locked, re.MULTILINE))
    missing = [
        module
        for module, packages in importlib.metadata.packages_distributions().items()
        if only_linux.intersection(name.lower().replace("_", "-") for name in packages)
    ]
    if sys.platform == "linux":  # elsewhere they are really missing
        assert {"dbus_fast", "Xlib"} <= set(missing)

    ours = (
        "cli.main",
        "service",
        "desktop_integration",
        "click_handler",
        "desktop_requests",
        "doctor.command",
    )
    theirs = ("tray.native", "tray.macos", "notifications.macos", "login_entry.macos", "clipboard.macos")
    code = (
        f"import importlib, sys; sys.modules.update(dict.fromkeys({missing}))\n"
        f"for name in {(*ours, *(f'desktop.{name}' for name in theirs))}:\n"
        "    importlib.import_module(f'credtray.{name}')\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr == ""


_TIMES = 4
"""The files are looked at for other reasons, too, when an agent has just started."""


@pytest.mark.posix("Unix sockets")
def test_what_is_shared_with_another_machine_is_noticed_though_nobody_looks(components: Components) -> None:
    from credtray.share.hand_out import Doors, HandOut

    async def drive() -> None:
        made, ready, heard = agent(components), asyncio.Event(), asyncio.Event()
        seen: list[tuple[StopSharing, ...]] = []

        def hear() -> None:
            seen.append(made._shares.found)
            heard.set()

        made._shares.heard_by(hear)
        running = asyncio.create_task(made.run(ready.set))
        await ready.wait()
        place = private_directory(directory())
        about = {"host": "devbox", "profile": "dev"}
        async with asyncio.timeout(60):
            for _ in range(_TIMES):
                async with HandOut(Doors(place / "x.keys", place / "x.sock"), about, bytes, print).serving():
                    tell_the_agent()
                    await heard.wait()
                    heard.clear()
                tell_the_agent()
                await heard.wait()
                heard.clear()
        made.stop()
        await running
        assert seen == [(StopSharing("devbox", "dev"),), ()] * _TIMES

    asyncio.run(drive())
