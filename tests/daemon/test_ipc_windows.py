"""The named pipe: whose it is, who finds it, and who is let in. What pipe and socket share is in test_ipc."""

from __future__ import annotations

import _winapi
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from credtray import agent_connect_pipe, ipc_client, windows_user
from credtray.core.errors import AgentNotRunning, AgentRefused, AgentSilent
from credtray.core.protocol import Credentials, Ping, Request
from credtray.daemon import ipc_pipe
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.runtime_directory import prepare_runtime_directory
from credtray.ipc_client import AgentClient
from credtray.pipe_note import PIPE, pipe_note, read_pipe_note
from tests.daemon.conftest import ROOT, Agent, end_agent, running_agent, start_agent
from tests.daemon.stub_agent import ISSUED, StubHandler

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

DOOR = str(ROOT / "agent" / "credtray" / "__main__.py")
OVERLAPPED = _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED
FOREIGN = "S-1-5-21-1-2-3-1001"


def note() -> Path:
    return Path(os.environ["LOCALAPPDATA"], "credtray", "agent.pipe")


def noted_pipe() -> str:
    """Write the note of an agent that says `aa...`; return the name of its pipe, which no other test has."""
    end = os.urandom(16).hex()
    note().parent.mkdir(parents=True)
    note().write_bytes(pipe_note(end, "a" * 32))
    return PIPE + end


def fast(profile: str = "foo") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-S", DOOR, "credentials", profile]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def credtray(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "credtray", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


@pytest.fixture
def full() -> Iterator[str]:
    """The agent's pipe, whose only instance has a client; return the name."""
    name = noted_pipe()
    taken = _winapi.CreateNamedPipe(name, OVERLAPPED, 0, 2, 65536, 65536, 0, 0)
    occupant = _winapi.CreateFile(name, _winapi.GENERIC_READ, 0, 0, _winapi.OPEN_EXISTING, 0, 0)
    yield name
    _winapi.CloseHandle(occupant)
    _winapi.CloseHandle(taken)


def test_busy_agent_is_waited_for(full: str) -> None:
    free: list[int] = []

    def accept_one_more() -> None:
        free.append(_winapi.CreateNamedPipe(full, OVERLAPPED, 0, 2, 65536, 65536, 0, 0))
        _winapi.ConnectNamedPipe(free[0], True).GetOverlappedResult(True)
        _winapi.WriteFile(free[0], b"a" * 32, overlapped=True)[0].GetOverlappedResult(True)

    server = threading.Timer(0.3, accept_one_more)
    server.start()
    stream = agent_connect_pipe.connect(30)
    server.join()
    stream.close()
    _winapi.CloseHandle(free[0])


def test_agent_that_stays_busy_is_said_to_be(full: str) -> None:
    with pytest.raises(BlockingIOError):
        agent_connect_pipe.connect(0.2)


class Waits:
    """``_winapi`` and ``time``: each wait is over at once, in vain, and its length is added up."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(_winapi, name)

    def monotonic(self) -> float:
        return self.seconds

    def WaitForMultipleObjects(self, _events: list[int], _all: object, milliseconds: int) -> int:  # noqa: N802 - Microsoft's name
        self.seconds += milliseconds / 1000
        return _winapi.WAIT_TIMEOUT

    def WaitNamedPipe(self, _name: str, milliseconds: int) -> None:  # noqa: N802 - as above
        self.seconds += milliseconds / 1000
        raise TimeoutError


@pytest.fixture
def mute() -> Iterator[str]:
    """The pipe of an agent that is suspended: it takes a client and says nothing; return the name."""
    name = noted_pipe()
    handle = _winapi.CreateNamedPipe(name, OVERLAPPED, 0, 2, 65536, 65536, 0, 0)
    yield name
    _winapi.CloseHandle(handle)


@pytest.mark.parametrize("agent_that_is", ["full", "mute"])
def test_whatever_the_agent_leaves_undone_all_our_waits_are_one_budget(
    agent_that_is: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue(agent_that_is)
    waits = Waits()
    for module, name in ((ipc_client, "time"), (agent_connect_pipe, "time"), (agent_connect_pipe, "_winapi")):
        monkeypatch.setattr(module, name, waits)
    with pytest.raises(AgentSilent):
        AgentClient.connect()

    assert ipc_client.ANSWER_SECONDS <= waits.seconds < ipc_client.ANSWER_SECONDS + 0.1


@pytest.fixture
def impostor() -> Iterator[str]:
    """Somebody took the name that a killed agent had, and guesses at what it says; return the name."""
    name = noted_pipe()
    handle = _winapi.CreateNamedPipe(name, OVERLAPPED, 0, 255, 65536, 65536, 0, 0)
    connecting = _winapi.ConnectNamedPipe(handle, True)

    def serve() -> None:
        connecting.GetOverlappedResult(True)
        _winapi.WriteFile(handle, b"b" * 32, overlapped=True)[0].GetOverlappedResult(True)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    yield name
    server.join(10)
    _winapi.CloseHandle(handle)


def test_client_refuses_an_impostor_and_says_what_to_do(impostor: str) -> None:
    with pytest.raises(AgentRefused, match="another program listens there, not your agent") as caught:
        AgentClient.connect()

    assert impostor in str(caught.value)
    assert "credtray start" in caught.value.advice


def test_fast_client_prints_nothing_that_an_impostor_says(impostor: str) -> None:
    done = fast()

    assert (done.returncode, done.stdout) == (3, b"")
    assert f"{impostor}: another program listens there".encode() in done.stderr


class Hearing(StubHandler):
    """Remembers who asks."""

    def __init__(self) -> None:
        super().__init__()
        self.callers: list[int | None] = []

    async def handle(self, request: Request, reply: ReplySink) -> None:
        self.callers.append(reply.caller)
        await super().handle(request, reply)


def test_agent_knows_which_process_asks() -> None:
    hearing = Hearing()
    note().parent.mkdir(parents=True)

    async def work() -> None:
        server = ipc_pipe.PipeServer(note(), lambda: True, hearing)
        await server.start()
        await asyncio.to_thread(ask)
        await asyncio.to_thread(fast)
        await server.close()

    def ask() -> None:
        with AgentClient.connect() as client:
            client.ask(Ping())

    asyncio.run(work())

    assert hearing.callers[0] == os.getpid()
    assert hearing.callers[1] not in {None, os.getpid()}


@contextmanager
def shut(path: Path) -> Iterator[None]:
    """Let nobody else open the file meanwhile."""
    handle = _winapi.CreateFile(str(path), _winapi.GENERIC_READ, 0, 0, _winapi.OPEN_EXISTING, 0, 0)
    yield
    _winapi.CloseHandle(handle)


@pytest.mark.usefixtures("agent")
def test_note_that_cannot_be_read_is_no_sign_that_no_agent_runs() -> None:
    with shut(note()), pytest.raises(AgentRefused, match=r"agent\.pipe cannot be read") as caught:
        AgentClient.connect()
    with shut(note()):
        quick = fast()

    assert "Close the program that has it open" in caught.value.advice
    assert (quick.returncode, quick.stdout) == (3, b"")
    assert b"agent.pipe cannot be read" in quick.stderr


@pytest.mark.usefixtures("agent")
def test_note_that_a_scanner_has_open_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as scan:
        scan.enter_context(shut(note()))
        monkeypatch.setattr(time, "sleep", lambda _seconds: scan.close())

        AgentClient.connect().close()


def test_pipe_of_another_user_is_refused(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_user, "own_user", lambda: FOREIGN)
    with pytest.raises(AgentRefused, match=rf"user S-1-\S+ listens there \(process {agent.process.pid}\)"):
        AgentClient.connect()


def test_pipe_belongs_to_its_user_who_alone_may_open_it(agent: Agent) -> None:
    stream = agent_connect_pipe.connect(10)
    rights = access_list(stream.handle)
    stream.close()

    user = windows_user.own_user()

    assert user.startswith("S-1-5-21-")
    assert rights in {f"O:{user}D:P(A;;{every};;;{user})" for every in ("GA", "FA")}


def access_list(handle: int) -> str:
    """Return owner and access list as Windows writes them."""
    import ctypes

    advapi, descriptor, text = ctypes.WinDLL("advapi32"), ctypes.c_void_p(), ctypes.c_wchar_p()
    owner_and_list = 1 | 4
    advapi.GetSecurityInfo(
        ctypes.c_void_p(handle), 6, owner_and_list, None, None, None, None, ctypes.byref(descriptor)
    )
    advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
        descriptor, 1, owner_and_list, ctypes.byref(text), None
    )
    return text.value or ""


def calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[Any, ...]]:
    """Have the real function called, and return with what."""
    seen: list[tuple[Any, ...]] = []
    real: Callable[..., Any] = getattr(_winapi, name)

    def called(*arguments: Any) -> Any:
        seen.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(_winapi, name, called)
    return seen


def test_other_computers_are_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what Windows is asked for: Wine has one computer."""
    made = calls(monkeypatch, "CreateNamedPipe")
    with serving():
        modes = {arguments[2] for arguments in made}

    assert modes == {8}  # PIPE_REJECT_REMOTE_CLIENTS


def test_server_is_not_let_act_as_the_client(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what Windows is asked for."""
    opened = calls(monkeypatch, "CreateFile")
    AgentClient.connect().close()

    assert [arguments[5] & 0x001F0000 for arguments in opened] == [0x00110000]  # present, identification


@contextmanager
def serving() -> Iterator[ipc_pipe.PipeServer]:
    """Have a server in this process, on a loop of its own."""
    note().parent.mkdir(parents=True, exist_ok=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ipc_pipe.PipeServer(note(), lambda: True, StubHandler())
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
        yield server
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_agent_refuses_a_name_that_somebody_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    taken = _winapi.CreateNamedPipe(PIPE + "0" * 32, OVERLAPPED, 0, 1, 65536, 65536, 0, 0)
    with pytest.raises(AgentRefused, match=r"credtray-0{32} cannot be created"), serving():
        pass
    _winapi.CloseHandle(taken)

    assert not note().exists()


def test_folder_in_the_place_of_the_note_is_named_with_what_to_do() -> None:
    note().mkdir(parents=True)
    with pytest.raises(AgentRefused, match="is a folder") as caught, serving():
        pass

    assert "Remove it" in caught.value.advice


@pytest.mark.parametrize("lost", ["a file", "no drive"])
def test_localappdata_that_leads_nowhere_is_named_with_what_to_do(tmp_path: Path, lost: str) -> None:
    place = tmp_path / "here" if lost == "a file" else Path("Q:\\gone")
    if lost == "a file":
        place.touch()
    with pytest.raises(AgentRefused) as caught:
        prepare_runtime_directory(place / "credtray")

    assert "LOCALAPPDATA" in caught.value.advice


def test_only_the_first_instance_must_be_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what Windows is asked for: Wine 8 lets a second server make another first one."""
    made = calls(monkeypatch, "CreateNamedPipe")
    with serving():
        first = [bool(arguments[1] & _winapi.FILE_FLAG_FIRST_PIPE_INSTANCE) for arguments in made]

    assert first == [True] + [False] * 15


def test_name_and_proof_are_new_at_each_start_and_gone_at_the_end() -> None:
    notes = []
    for _ in range(2):
        with serving():
            notes.append(note().read_bytes())

        assert not note().exists()
    (one, proof), (other, other_proof) = (read_pipe_note(each) or ("", b"") for each in notes)

    assert len({one, other, proof.decode(), other_proof.decode()}) == 4


def test_end_leaves_no_client_and_no_instance_behind() -> None:
    with serving():
        client = AgentClient.connect()
        name, _ = read_pipe_note(note().read_bytes()) or ("", b"")

    with pytest.raises(AgentNotRunning):
        client.ask(Ping())
    client.close()
    with pytest.raises(FileNotFoundError):
        _winapi.WaitNamedPipe(name, 1)


@pytest.mark.parametrize("left", [None, b"", b"\0" * 66, b"junk\n", pipe_note("f" * 32, "0" * 32)])
def test_note_of_a_killed_agent_and_junk_mean_that_none_runs(left: bytes | None) -> None:
    if left is not None:
        note().parent.mkdir(parents=True)
        note().write_bytes(left)
    with pytest.raises(AgentNotRunning):
        AgentClient.connect()


def test_changed_note_is_written_again(agent: Agent) -> None:
    told = note().read_bytes()
    note().write_bytes(b"junk of somebody\n" * 10)
    for _ in range(200):
        if note().read_bytes() == told:
            break
        threading.Event().wait(0.05)
    with AgentClient.connect() as client:
        assert client.ask(Credentials("foo")) == ISSUED


def test_two_users_of_one_name_have_an_agent_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("USERNAME", "anna")
    pids = []
    with running_agent() as here:
        monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "the other anna"))
        with running_agent() as there:
            pids.append(agent_connect_pipe.listener())
            monkeypatch.undo()
            monkeypatch.setenv("LOCALAPPDATA", str(here.socket.parent.parent))
            pids.append(agent_connect_pipe.listener())
            expected = [there.process.pid, here.process.pid]

    assert pids == expected


def test_agent_is_found_where_the_variable_is_missing(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.delenv("LOCALAPPDATA")
    agent = start_agent()
    assert agent.stdout is not None
    line = agent.stdout.readline()
    monkeypatch.setenv("LOCALAPPDATA", str(home / "elsewhere"))
    try:
        with AgentClient.connect() as client:
            answer = client.ask(Credentials("foo"))
    finally:
        end_agent(agent)

    assert (line, answer) == ("serving\n", ISSUED)


def test_ctrl_c_ends_a_watch_that_waits_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = waiting_stream()
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        stream.recv(1)
    stream.close()


def waiting_stream() -> agent_connect_pipe.PipeStream:
    """Return a pipe on which nothing ever comes."""
    name = rf"\\.\pipe\credtray-test-{os.urandom(8).hex()}"
    server = _winapi.CreateNamedPipe(name, OVERLAPPED, 0, 1, 65536, 65536, 0, 0)
    client = _winapi.CreateFile(
        name, _winapi.GENERIC_READ, 0, 0, _winapi.OPEN_EXISTING, _winapi.FILE_FLAG_OVERLAPPED, 0
    )
    assert server
    return agent_connect_pipe.PipeStream(client)


def test_commands_say_that_a_suspended_agent_is_silent(agent: Agent) -> None:
    agent.suspend()
    done = credtray("status")

    assert done.returncode == 3
    assert "it gave no sign of life" in done.stderr


def test_suspended_agent_is_ended_by_stop(agent: Agent) -> None:
    agent.suspend()
    done = credtray("stop")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"pid {agent.process.pid}) was killed" in done.stdout
    with pytest.raises(AgentNotRunning):
        AgentClient.connect()
