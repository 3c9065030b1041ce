"""`credtray exec` with real programs of Windows: batch files, a killed parent, exit codes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from credtray.cli.execution import run
from credtray.core.errors import CommandNotFound, CommandRefused

assert sys.platform == "win32"

import _winapi  # noqa: E402 -- type checkers know it only after the word on the platform

pytestmark = pytest.mark.windows

SYNCHRONIZE = 0x00100000
TERMINATE = 0x0001
AT_MOST_MS = 20_000

PARENT = """
import os, sys
from credtray.cli.execution import run
sys.exit(run([sys.executable, "-c", sys.argv[1]], os.environ))
"""
CONNECTED = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.recv(1)
sys.exit(7)
"""


def tool(directory: Path, *lines: str) -> dict[str, str]:
    """Make a ``tool.cmd``; return the environment that finds it."""
    (directory / "tool.cmd").write_text("\r\n".join(["@echo off", *lines, ""]), encoding="ascii", newline="")
    return dict(os.environ) | {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def test_a_batch_file_is_found_by_its_bare_name_on_the_path_of_the_child(
    tmp_path: Path,
) -> None:
    heard = tmp_path / "heard"
    environ = tool(tmp_path, f'>"{heard}" echo %1', "exit /b 7")

    assert run(["tool", "two words & more"], environ) == 7
    assert heard.read_text("ascii").strip() == '"two words & more"'


@pytest.mark.parametrize("name", ["100% mine", "%NOWHERE%", "50% & 60%"])
def test_a_batch_file_runs_in_a_folder_with_percent_signs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    environ = tool(tmp_path / name, "exit /b 7")

    assert run(["tool", "a"], environ) == 7


def test_no_argument_of_a_batch_file_runs_another_command(tmp_path: Path) -> None:
    stolen = tmp_path / "stolen"
    environ = tool(tmp_path, "exit /b 0")
    run(["tool", f"x&echo>{stolen}", f"x|echo>{stolen}"], environ)

    assert not stolen.exists()
    with pytest.raises(CommandRefused):
        run(["tool", f'"&echo>{stolen}&"'], environ)
    assert not stolen.exists()


def test_a_name_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandNotFound, match="no-such-tool"):
        run(["no-such-tool"], dict(os.environ) | {"PATH": str(tmp_path)})


def test_the_child_gets_this_environment_alone_and_its_exit_code_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CREDTRAY_OURS", "1")
    script = (
        "import os, sys; sys.exit(7 if os.environ['A'] == 'b' and 'CREDTRAY_OURS' not in os.environ else 1)"
    )
    environ = {"A": "b", "SYSTEMROOT": os.environ["SYSTEMROOT"]}

    assert run([sys.executable, "-c", script], environ) == 7
    assert "A" not in os.environ


def test_the_exit_code_of_ctrl_c_is_kept() -> None:
    code = 0xC000013A
    script = f"import ctypes; ctypes.windll.kernel32.ExitProcess({code})"

    assert run([sys.executable, "-c", script], os.environ) == code


def test_ctrl_c_and_ctrl_break_are_for_the_child_alone() -> None:
    """What the child makes of them: test_interrupts_windows. Wine does not send Ctrl-Break."""
    keys = (signal.SIGINT, signal.SIGBREAK)
    before = [signal.getsignal(key) for key in keys]
    meanwhile: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def look_while_it_runs() -> None:
            with server.accept()[0]:
                meanwhile.extend(signal.getsignal(key) for key in keys)

        watcher = threading.Thread(target=look_while_it_runs)
        watcher.start()
        code = run([sys.executable, "-c", CONNECTED, str(server.getsockname()[1])], os.environ)
        watcher.join()

    assert (code, meanwhile) == (7, [signal.SIG_IGN, signal.SIG_IGN])
    assert [signal.getsignal(key) for key in keys] == before


def test_no_child_outlives_a_killed_parent() -> None:
    child = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        living = _winapi.OpenProcess(SYNCHRONIZE, False, int(parent.stdout.readline()))
        parent.kill()

        # It waits for the end of its stdin, which this test holds open meanwhile.
        assert _winapi.WaitForSingleObject(living, AT_MOST_MS) == _winapi.WAIT_OBJECT_0


AGENT = "import sys, time; print('up', file=sys.stderr, flush=True); time.sleep(120)"
STARTER = f"""
import sys
from credtray.desktop.background import begin
agent = begin([sys.executable, "-c", {AGENT!r}])
agent.stderr.readline()
print(agent.pid, flush=True)
sys.stdin.read()
"""


def test_agent_begun_in_the_shell_of_exec_outlives_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        agent = _winapi.OpenProcess(SYNCHRONIZE | TERMINATE, False, int(parent.stdout.readline()))
        parent.kill()
    try:
        assert _winapi.WaitForSingleObject(agent, 1000) == _winapi.WAIT_TIMEOUT
    finally:
        _winapi.TerminateProcess(agent, 1)
