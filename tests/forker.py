"""The process that forks for tests/warm_start.py: it has imported credtray and its portal, and does no more.

Run as a script: ``python -I forker.py DESCRIPTOR``. Each message on that socket brings four descriptors: the
program's own socket, its input, its output and its errors. On its own socket stands what to run; there the
pid comes back at once, and the exit code at the end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import locale
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

import credtray

_EVERYTHING = 1 << 20
_STREAMS = (
    ("stdin", 0, "r", "strict"),
    ("stdout", 1, "w", "strict"),
    ("stderr", 2, "w", "backslashreplace"),
)


def _import_everything() -> None:
    """Import what agent, commands and portal may import; importing does nothing else (test_architecture)."""
    for found in pkgutil.walk_packages(credtray.__path__, "credtray."):
        if not found.name.endswith("__main__"):
            with contextlib.suppress(ImportError, AssertionError):  # for another system
                importlib.import_module(found.name)
    for name in (
        "asyncio",
        "botocore.session",
        "botocore.httpsession",
        "boto3",
        "multiprocessing.synchronize",
    ):
        importlib.import_module(name)
    models = runpy.run_path(str(Path(__file__).with_name("botocore_models.py")))
    models["share_models"]()
    models["read_models"]()


def _serve(control: socket.socket) -> tuple[socket.socket, list[int]] | None:
    """Fork for each line that comes. Return in each child its line and descriptors, and None at the end."""
    lives: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, _pass)
    signal.set_wakeup_fd(wake.fileno())
    with selectors.DefaultSelector() as waiting:
        waiting.register(control, selectors.EVENT_READ)
        waiting.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in waiting.select()}
            if woken in ready:
                woken.recv(4096)
                _tell_ends(lives)
            if control in ready:
                message, descriptors, _, _ = socket.recv_fds(control, 1, 4)
                if not message:
                    return None
                life = socket.socket(fileno=descriptors[0])
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    for each in (*lives.values(), control, woken, wake):
                        each.close()
                    return life, descriptors[1:]
                for descriptor in descriptors[1:]:
                    os.close(descriptor)
                life.send(str(pid).encode())
                lives[pid] = life


def _pass(_number: int, _frame: FrameType | None) -> None:
    """Wake the waiting process."""


def _tell_ends(lives: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with lives.pop(ended[0]) as life, contextlib.suppress(OSError):  # the test may be over
                life.send(str(os.waitstatus_to_exitcode(ended[1])).encode())


def _become(life: socket.socket, descriptors: list[int]) -> str:
    """Make this process what was asked for; return the module to run."""
    with life:
        wish = json.loads(life.recv(_EVERYTHING))
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])
    if "LANG" not in wish["env"]:
        os.environ["LC_CTYPE"] = "C.UTF-8"  # PEP 538: what an interpreter leaves behind in the C locale
    time.tzset()
    locale.setlocale(locale.LC_CTYPE, "")
    for name, number, mode, errors in _STREAMS:
        stream = open(number, mode, encoding="utf-8", errors=errors)  # noqa: PTH123, SIM115 -- a descriptor, not a path
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    module, *words = wish["words"]
    sys.argv = ["-m", *words]
    return str(module)


def _main() -> str | None:
    """Return in each child the module to run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_everything()
    gc.collect()
    gc.freeze()  # pages that a child's collector does not touch stay shared
    forked = _serve(socket.socket(fileno=int(sys.argv[1])))
    return _become(*forked) if forked else None


if __name__ == "__main__" and (module_to_run := _main()):
    runpy.run_module(module_to_run, run_name="__main__", alter_sys=True)
